//! Where lines go: a buffer a worker, and one thread that writes.
//!
//! Nobody who serves a request waits for standard output. A line is put into the worker's own buffer; the
//! writing thread swaps full buffers for empty ones and writes them. When the reader of the output is too
//! slow, buffers fill to a bound and further lines are dropped and counted. The thread sleeps while there is
//! nothing to write, and gathers for a few milliseconds while there is.

use std::io::{IsTerminal as _, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, Thread};
use std::time::Duration;

use super::text::{Stamp, push_json, push_number};

/// Bytes a worker may have waiting.
const ROOM: usize = 1 << 20;

/// How long lines are gathered while there are some.
const GATHER: Duration = Duration::from_millis(5);

/// How long the end of the program waits for the last lines.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line, for machines.
    Json,
    /// Words and colours, for a terminal.
    Readable,
}

impl Format {
    /// What suits standard output: words on a terminal, JSON into anything else.
    #[must_use]
    pub fn of_stdout() -> Self {
        if std::io::stdout().is_terminal() { Self::Readable } else { Self::Json }
    }
}

/// The place that lines go to; clones are the same place.
#[derive(Clone, Debug)]
pub struct Sink(Arc<Shared>);

/// Ends the writing thread when it is dropped, after the last lines.
#[derive(Debug)]
pub struct Guard {
    shared: Arc<Shared>,
    thread: Thread,
    done: mpsc::Receiver<()>,
}

/// One worker's way into the sink.
#[derive(Clone, Debug)]
pub struct Lines {
    waiting: Arc<Mutex<Waiting>>,
    shared: Arc<Shared>,
}

/// What one worker has written and nobody has taken yet.
#[derive(Debug, Default)]
struct Waiting {
    text: String,
    stamp: Stamp,
}

#[derive(Debug)]
struct Shared {
    format: Format,
    workers: Mutex<Vec<Arc<Mutex<Waiting>>>>,
    writer: Mutex<Option<Thread>>,
    awake: AtomicBool,
    stopping: AtomicBool,
    dropped: AtomicU64,
}

impl Sink {
    /// Starts a thread that writes lines of `format` to `output`.
    pub fn start(format: Format, output: impl Write + Send + 'static) -> std::io::Result<(Self, Guard)> {
        let shared = Arc::new(Shared {
            format,
            workers: Mutex::default(),
            writer: Mutex::default(),
            awake: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            dropped: AtomicU64::new(0),
        });
        let (finished, done) = mpsc::channel();
        let theirs = Arc::clone(&shared);
        let spawned = thread::Builder::new().name("log".to_owned()).spawn(move || {
            theirs.write_until_stopped(output);
            // Nobody waits when the guard was leaked; then there is no one to tell.
            finished.send(()).ok();
        })?;
        let thread = spawned.thread().clone();
        *lock(&shared.writer) = Some(thread.clone());
        Ok((Self(Arc::clone(&shared)), Guard { shared, thread, done }))
    }

    /// A way in with a buffer of its own; one for each worker.
    #[must_use]
    pub fn lines(&self) -> Lines {
        let waiting = Arc::<Mutex<Waiting>>::default();
        lock(&self.0.workers).push(Arc::clone(&waiting));
        Lines { waiting, shared: Arc::clone(&self.0) }
    }

    /// How its lines look.
    #[must_use]
    pub fn format(&self) -> Format {
        self.0.format
    }
}

impl Lines {
    /// Adds one line; `write` puts its text, without the end, behind what is there, and is told the time.
    pub(super) fn add(&self, write: impl FnOnce(&mut String, &str)) {
        let waiting = &mut *lock(&self.waiting);
        let length = waiting.text.len();
        if length >= ROOM {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        write(&mut waiting.text, waiting.stamp.now());
        waiting.text.push('\n');
        if length == 0 {
            self.shared.wake();
        }
    }

    /// How lines look here.
    pub(super) fn format(&self) -> Format {
        self.shared.format
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.thread.unpark();
        // A reader that has stopped reading must not keep the program from ending.
        self.done.recv_timeout(LAST_WORDS).ok();
    }
}

impl Shared {
    /// Wakes the writing thread, unless someone just did.
    fn wake(&self) {
        if !self.awake.swap(true, Ordering::SeqCst)
            && let Some(thread) = &*lock(&self.writer)
        {
            thread.unpark();
        }
    }

    fn write_until_stopped(&self, mut output: impl Write) {
        let mut spare = String::new();
        loop {
            // Both are read before the buffers: what is added later wakes the thread again.
            let stopping = self.stopping.load(Ordering::SeqCst);
            self.awake.store(false, Ordering::SeqCst);
            let wrote = self.write_waiting(&mut output, &mut spare);
            match (wrote, stopping) {
                (false, true) => return,
                (false, false) => thread::park(),
                (true, true) => {}
                (true, false) => thread::sleep(GATHER),
            }
        }
    }

    /// Writes what waits, and says whether there was any. An output that fails (a closed pipe) loses its
    /// lines: there is nowhere left to say so.
    fn write_waiting(&self, output: &mut impl Write, spare: &mut String) -> bool {
        let workers = lock(&self.workers).clone();
        let mut wrote = false;
        for waiting in workers {
            std::mem::swap(&mut lock(&waiting).text, spare);
            wrote |= !spare.is_empty();
            output.write_all(spare.as_bytes()).ok();
            spare.clear();
        }
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            output.write_all(self.confession(dropped).as_bytes()).ok();
        }
        output.flush().ok();
        wrote
    }

    /// The line that says how many are missing.
    fn confession(&self, dropped: u64) -> String {
        let mut message = String::new();
        push_number(&mut message, dropped);
        message.push_str(" log lines dropped: their reader is too slow");
        let mut stamp = Stamp::default();
        let now = stamp.now();
        match self.format {
            Format::Json => {
                let mut line = format!("{{\"timestamp\":\"{now}\",\"level\":\"WARN\",\"message\":");
                push_json(&mut line, &message);
                line + "}\n"
            }
            Format::Readable => format!("{now} WARN  {message}\n"),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
