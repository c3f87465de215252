//! Watches, compiles, swaps; keeps the last good configuration.
//!
//! One thread does it all, so that two reloads never race: it sleeps until a watched folder changes, a
//! signal comes or the admin port asks, waits a moment for the writing to end, compiles, and swaps.
//! Folders are watched, not files, because editors rename over files and Kubernetes swaps a symbolic
//! link. A configuration with errors changes nothing; what is wrong is logged and shown.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use crate::config::{self, Problems, Sources};
use crate::observe::metrics::{Metrics, ReloadResult};
use crate::snapshot::Published;

/// How long nothing must have changed before files are read.
const QUIET: Duration = Duration::from_millis(30);
/// How long changes may go on before files are read all the same.
const PATIENCE: Duration = Duration::from_millis(300);

/// How a reload ended.
#[derive(Clone, Debug)]
pub struct Report {
    /// When.
    pub time: SystemTime,
    /// How.
    pub result: ReloadResult,
    /// What is wrong, or worth knowing.
    pub problems: Arc<Problems>,
}

/// What wakes the thread.
enum Wish {
    /// A watched folder changed.
    Changed,
    /// Somebody asks, and wants to know how it went.
    Asked(tokio::sync::oneshot::Sender<Report>),
}

/// A way to ask for reloads, and to see the last one.
#[derive(Clone)]
pub struct Reloader {
    wishes: Sender<Wish>,
    last: Arc<Mutex<Option<Report>>>,
}

/// What the thread works with.
struct Watch {
    published: Arc<Published>,
    sources: Sources,
    metrics: Arc<Metrics>,
    last: Arc<Mutex<Option<Report>>>,
    also: Box<dyn Fn() + Send>,
    digest: u64,
    watcher: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
}

impl Reloader {
    /// Watches what `loaded` was made of from now on. `also` is called at each reload, for what is read
    /// from files but is no part of a snapshot.
    pub fn start(
        published: Arc<Published>,
        sources: Sources,
        loaded: &config::Loaded,
        metrics: Arc<Metrics>,
        also: Box<dyn Fn() + Send>,
        also_watched: &[PathBuf],
    ) -> std::io::Result<Self> {
        let (wishes, received) = mpsc::channel();
        let last = Arc::default();
        let watcher = watcher(wishes.clone());
        let mut watch = Watch {
            published,
            sources: Sources { contain_tenants: true, ..sources },
            metrics,
            last: Arc::clone(&last),
            also,
            digest: loaded.digest,
            watcher,
            folders: BTreeSet::new(),
        };
        watch.watch(loaded.watched.iter().chain(also_watched));
        let also_watched = also_watched.to_vec();
        let run = move || watch.run(&received, &also_watched);
        std::thread::Builder::new().name("reload".into()).spawn(run)?;
        Ok(Self { wishes, last })
    }

    /// Reads the configuration again, and says how it went; nothing if the process is ending.
    pub async fn reload(&self) -> Option<Report> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        self.wishes.send(Wish::Asked(answer)).ok()?;
        answered.await.ok()
    }

    /// How the last reload ended; `None` before the first.
    #[must_use]
    pub fn last(&self) -> Option<Report> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Without a watcher (no inotify instance left, say) signals and the admin port still reload.
fn watcher(wishes: Sender<Wish>) -> Option<RecommendedWatcher> {
    let changed = move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access()) {
            // The thread is gone only when the process ends.
            drop(wishes.send(Wish::Changed));
        }
    };
    notify::recommended_watcher(changed)
        .inspect_err(|error| {
            tracing::warn!(%error, "files cannot be watched; reload with SIGHUP or the admin port");
        })
        .ok()
}

impl Watch {
    fn run(&mut self, wishes: &Receiver<Wish>, also_watched: &[PathBuf]) {
        while let Ok(wish) = wishes.recv() {
            let mut asking = Vec::new();
            asking.extend(asked(wish));
            gather(wishes, &mut asking);
            let report = self.reload(also_watched);
            for answer in asking {
                // Whoever asked may have gone.
                drop(answer.send(report.clone()));
            }
        }
    }

    fn reload(&mut self, also_watched: &[PathBuf]) -> Report {
        (self.also)();
        let begun = Instant::now();
        let loaded = config::load(&self.sources);
        self.watch(loaded.watched.iter().chain(also_watched));
        let unchanged = loaded.digest == self.digest;
        self.digest = loaded.digest;
        let result = match loaded.snapshot {
            _ if unchanged => ReloadResult::Unchanged,
            Some(snapshot) if loaded.problems.preventing_start().next().is_none() => {
                self.published.replace(snapshot);
                ReloadResult::Applied
            }
            Some(_) | None => ReloadResult::Refused,
        };
        let report = match self.previous().filter(|_| unchanged) {
            Some(previous) => Report { time: SystemTime::now(), ..previous },
            None => Report { time: SystemTime::now(), result, problems: Arc::new(loaded.problems) },
        };
        self.metrics.reload(result);
        announce(result, &report.problems, begun.elapsed());
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(report.clone());
        report
    }

    fn previous(&self) -> Option<Report> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Watches the folders of `files`, of what they link to, and no longer those of earlier files.
    fn watch<'f>(&mut self, files: impl Iterator<Item = &'f PathBuf>) {
        let Some(watcher) = &mut self.watcher else { return };
        let wanted: BTreeSet<PathBuf> = files.flat_map(|file| folders(file)).collect();
        for gone in self.folders.difference(&wanted) {
            // A folder that no longer exists is no longer watched either.
            drop(watcher.unwatch(gone));
        }
        for added in wanted.difference(&self.folders) {
            if let Err(error) = watcher.watch(added, RecursiveMode::NonRecursive) {
                tracing::warn!(folder = %added.display(), %error, "this folder cannot be watched");
            }
        }
        self.folders = wanted;
    }
}

/// The folder a file is in, and that of what it links to, as far as they exist.
fn folders(file: &Path) -> impl Iterator<Item = PathBuf> {
    let own = if file.is_dir() { Some(file.to_path_buf()) } else { file.parent().map(Path::to_path_buf) };
    let target = file.canonicalize().ok().and_then(|target| target.parent().map(Path::to_path_buf));
    own.into_iter().chain(target).filter(|folder| folder.is_dir())
}

fn asked(wish: Wish) -> Option<tokio::sync::oneshot::Sender<Report>> {
    match wish {
        Wish::Changed => None,
        Wish::Asked(answer) => Some(answer),
    }
}

/// Waits until nothing has changed for a moment; whoever asks does not wait.
fn gather(wishes: &Receiver<Wish>, asking: &mut Vec<tokio::sync::oneshot::Sender<Report>>) {
    let latest = Instant::now() + PATIENCE;
    while asking.is_empty() && Instant::now() < latest {
        match wishes.recv_timeout(QUIET) {
            Ok(wish) => asking.extend(asked(wish)),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
        }
    }
    while let Ok(wish) = wishes.try_recv() {
        asking.extend(asked(wish));
    }
}

fn announce(result: ReloadResult, problems: &Problems, took: Duration) {
    let took = took.as_millis();
    match result {
        ReloadResult::Applied => tracing::info!(took_ms = took, "the new configuration is in use"),
        ReloadResult::Unchanged => tracing::debug!("the configuration has not changed"),
        ReloadResult::Refused => {
            tracing::error!("the new configuration has errors; the old one stays in use");
            for problem in problems.preventing_start() {
                tracing::error!("{problem}");
            }
        }
    }
}
