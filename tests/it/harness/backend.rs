//! A backend that keeps every byte it receives and answers as it is told.
//!
//! By default it answers what the request's `x-echo` header asks for ([`super::echo`]). What the strict
//! reader finds ambiguous, and what panics in one of its threads, fails the test that started it.

use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use super::wire::{Framing, Head, Intake, Stop};
use super::{DEADLINE, echo, latin1};

/// A request as the backend saw it.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    /// The how-manieth request it is.
    pub(crate) number: usize,
    /// The how-manieth connection it came on.
    pub(crate) connection: usize,
    /// Method, target and header lines.
    pub(crate) head: Head,
    /// Whether it came to its end.
    pub(crate) complete: bool,
    /// The body, when it was read.
    pub(crate) body: Vec<u8>,
    /// Trailers, when the body was read.
    pub(crate) trailers: Vec<(String, String)>,
}

impl Recorded {
    /// Each value of a header, by its name in any case.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines.iter();
        lines.filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str()).collect()
    }

    /// The only value of a header; `-` when there is none.
    pub(crate) fn header(&self, name: &str) -> String {
        match self.all(name).as_slice() {
            [] => "-".to_owned(),
            [value] => (*value).to_owned(),
            several => panic!("{name} came {} times: {several:?}", several.len()),
        }
    }

    /// Each value of a header, taking `_` in a name for `-`: how a careless application reads it.
    pub(crate) fn alike(&self, name: &str) -> Vec<&str> {
        let same = |n: &str| n.to_ascii_lowercase().replace('_', "-").trim_end_matches('.') == name;
        self.head.lines.iter().filter(|(n, _)| same(n)).map(|(_, value)| value.as_str()).collect()
    }
}

/// Whether the connection serves another request after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// It does.
    Keep,
    /// It is closed.
    Close,
    /// It is left open, and what arrives on it is only recorded.
    Watch,
}

/// One request being answered.
pub(crate) struct Exchange<'a> {
    /// Its head.
    pub(crate) head: Head,
    /// Where the answer goes.
    pub(crate) stream: &'a TcpStream,
    intake: &'a mut Intake,
    shared: &'a Shared,
    number: usize,
    unread: bool,
}

impl Exchange<'_> {
    /// Reads the body, which can be done once.
    pub(crate) fn body(&mut self) -> Result<Vec<u8>, Stop> {
        if !self.unread {
            return Ok(Vec::new());
        }
        let (body, trailers) = self.intake.body(self.head.framing)?;
        self.unread = false;
        let mut state = self.shared.state.lock().unwrap();
        if let Some(request) = state.requests.iter_mut().find(|request| request.number == self.number) {
            request.body.clone_from(&body);
            request.trailers = trailers;
            request.complete = true;
        }
        self.shared.changed.notify_all();
        Ok(body)
    }

    /// Writes bytes; a router that went away is not this backend's failure.
    pub(crate) fn write(&self, bytes: impl AsRef<[u8]>) {
        self.try_write(bytes);
    }

    /// Writes bytes, and says whether there still was somebody to take them.
    pub(crate) fn try_write(&self, bytes: impl AsRef<[u8]>) -> bool {
        let mut stream = self.stream;
        std::io::Write::write_all(&mut stream, bytes.as_ref()).is_ok()
    }
}

type Answer = dyn Fn(&mut Exchange<'_>) -> Next + Send + Sync;

#[derive(Default)]
struct State {
    requests: Vec<Recorded>,
    count: usize,
    violations: Vec<String>,
    streams: Vec<TcpStream>,
    open: usize,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    ending: AtomicBool,
    answer: Box<Answer>,
}

/// A listening backend.
pub(crate) struct Backend {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Backend {
    /// Answers what `x-echo` asks for.
    pub(crate) fn start() -> Self {
        Self::answering(echo::answer)
    }

    /// Answers each request with `answer`.
    pub(crate) fn answering(answer: impl Fn(&mut Exchange<'_>) -> Next + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            ending: AtomicBool::new(false),
            answer: Box::new(answer),
        });
        let accepting = Arc::clone(&shared);
        let thread = std::thread::spawn(move || accept(&listener, &accepting));
        Self { address, shared, thread: Some(thread) }
    }

    /// What it received so far.
    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.shared.state.lock().unwrap().requests.clone()
    }

    /// What it received since the last call.
    pub(crate) fn take(&self) -> Vec<Recorded> {
        std::mem::take(&mut self.shared.state.lock().unwrap().requests)
    }

    /// The only request since the last call.
    pub(crate) fn only(&self) -> Recorded {
        let mut all = self.take();
        assert_eq!(all.len(), 1, "one request was expected: {all:#?}");
        all.remove(0)
    }

    /// What was ambiguous, so far.
    pub(crate) fn violations(&self) -> Vec<String> {
        self.shared.state.lock().unwrap().violations.clone()
    }

    /// Forgets that somebody began TLS with it, where that is what the test is about.
    pub(crate) fn forgive_tls(&self) {
        self.shared.state.lock().unwrap().violations.retain(|what| !what.contains("\n\u{16}\u{3}"));
    }

    /// Waits until what the backend knows satisfies `condition`.
    pub(crate) fn wait(&self, what: &str, condition: impl Fn(&[Recorded]) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        let mut state = self.shared.state.lock().unwrap();
        while !condition(&state.requests) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the backend never saw {what}: {:#?}", state.requests);
            state = self.shared.changed.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Waits until so many connections are open.
    pub(crate) fn wait_open(&self, count: usize) {
        let deadline = Instant::now() + DEADLINE;
        let mut state = self.shared.state.lock().unwrap();
        while state.open != count {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{} connections are open, not {count}", state.open);
            state = self.shared.changed.wait_timeout(state, left).unwrap().0;
        }
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.shared.ending.store(true, Ordering::SeqCst);
        // Wakes the accepting thread, which then ends.
        let _ = TcpStream::connect(self.address);
        let joined = self.thread.take().unwrap().join();
        if std::thread::panicking() {
            return;
        }
        if let Err(panic) = joined {
            resume_unwind(panic);
        }
        let violations = self.violations();
        assert!(violations.is_empty(), "ambiguous on the wire: {violations:#?}");
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut threads = Vec::new();
    for (connection, stream) in listener.incoming().enumerate() {
        if shared.ending.load(Ordering::SeqCst) {
            break;
        }
        let stream = stream.unwrap();
        let shared = Arc::clone(shared);
        {
            let mut state = shared.state.lock().unwrap();
            state.streams.push(stream.try_clone().unwrap());
            state.open += 1;
            shared.changed.notify_all();
        }
        threads.push(std::thread::spawn(move || {
            serve(connection, &stream, &shared);
            shared.state.lock().unwrap().open -= 1;
            shared.changed.notify_all();
        }));
    }
    for stream in &shared.state.lock().unwrap().streams {
        let _ = stream.shutdown(Shutdown::Both);
    }
    let panics: Vec<_> = threads.into_iter().filter_map(|thread| thread.join().err()).collect();
    if let Some(panic) = panics.into_iter().next() {
        resume_unwind(panic);
    }
}

/// Serves one connection to its end.
fn serve(connection: usize, stream: &TcpStream, shared: &Shared) {
    stream.set_nodelay(true).unwrap();
    let mut intake = Intake::new(stream.try_clone().unwrap());
    loop {
        let head = match intake.head() {
            Ok(head) => head,
            Err(Stop::Violation(what)) => {
                let text = format!("{what}\n{}", latin1(&intake.all));
                shared.state.lock().unwrap().violations.push(text);
                break;
            }
            Err(Stop::End | Stop::Cut) => break,
        };
        let next = exchange(connection, head, stream, &mut intake, shared);
        match next {
            Ok(Next::Keep) => {}
            Ok(Next::Watch) => while intake.more() {},
            Ok(Next::Close) | Err(_) => break,
        }
        if matches!(next, Ok(Next::Watch)) {
            break;
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
}

fn record(connection: usize, head: &Head, complete: bool, shared: &Shared) -> usize {
    let mut state = shared.state.lock().unwrap();
    let number = state.count;
    state.count += 1;
    let (body, trailers) = (Vec::new(), Vec::new());
    state.requests.push(Recorded { number, connection, head: head.clone(), complete, body, trailers });
    shared.changed.notify_all();
    number
}

fn exchange(
    connection: usize,
    head: Head,
    stream: &TcpStream,
    intake: &mut Intake,
    shared: &Shared,
) -> Result<Next, Stop> {
    let unread = head.framing != Framing::None;
    let number = record(connection, &head, !unread, shared);
    let mut exchange = Exchange { head, stream, intake, shared, number, unread };
    let next = (shared.answer)(&mut exchange);
    if next == Next::Keep && exchange.unread {
        let read = exchange.body();
        if let Err(Stop::Violation(what)) = &read {
            shared.state.lock().unwrap().violations.push(what.clone());
        }
        read?;
    }
    Ok(next)
}
