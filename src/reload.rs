//! Watches, compiles, swaps; keeps the last good configuration.
//!
//! One thread does it all, so that two reloads never race: it sleeps until a watched folder changes, a
//! signal comes or the admin port asks, waits a moment for the writing to end, compiles, and swaps.
//! Folders are watched, not files, because editors rename over files and Kubernetes swaps a symbolic
//! link. A configuration with errors changes nothing; what is wrong is logged and shown.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use crate::config::{self, Loaded, Problems, Sources};
use crate::observe::metrics::{Metrics, ReloadResult};
use crate::snapshot::Published;

/// How long nothing must have changed before files are read.
const QUIET: Duration = Duration::from_millis(30);
/// How long changes may go on before files are read all the same.
const PATIENCE: Duration = Duration::from_millis(300);

/// How often files that change while they are read are read, at most.
const ATTEMPTS: u32 = 5;

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

impl Report {
    fn is_good(&self) -> bool {
        match self.result {
            ReloadResult::Applied | ReloadResult::Unchanged => true,
            ReloadResult::Refused => false,
        }
    }
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
    also_watched: Vec<PathBuf>,
    files: Vec<PathBuf>,
    digest: Option<u64>,
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
        also_watched: Vec<PathBuf>,
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
            files: [&loaded.watched[..], &also_watched].concat(),
            also_watched,
            digest: None,
            watcher,
            folders: BTreeSet::new(),
        };
        watch.watch();
        let run = move || watch.run(&received);
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
    fn run(&mut self, wishes: &Receiver<Wish>) {
        while let Ok(wish) = wishes.recv() {
            let mut asking = Vec::new();
            asking.extend(asked(wish));
            gather(wishes, &mut asking);
            // Taken before the files are read, so that a change in between is seen as one.
            let digest = digest(&self.files);
            let unchanged = asking.is_empty() && self.digest == Some(digest);
            let report = if unchanged { None } else { Some(self.reload(digest)) };
            self.digest = Some(digest).filter(|_| report.as_ref().is_none_or(Report::is_good));
            for (answer, report) in asking.into_iter().zip(std::iter::repeat(report).flatten()) {
                // Whoever asked may have gone.
                drop(answer.send(report));
            }
        }
    }

    fn reload(&mut self, digest: u64) -> Report {
        (self.also)();
        let begun = Instant::now();
        let loaded = self.load(digest);
        self.files = [&loaded.watched[..], &self.also_watched].concat();
        self.watch();
        let result = match loaded.snapshot {
            // Errors that are left beside a snapshot are those of single tenants, which it refuses to serve.
            Some(snapshot) if loaded.problems.unsupported().next().is_none() => {
                self.published.replace(snapshot);
                ReloadResult::Applied
            }
            Some(_) | None => ReloadResult::Refused,
        };
        let report = Report { time: SystemTime::now(), result, problems: Arc::new(loaded.problems) };
        self.metrics.reload(result);
        announce(&report, begun.elapsed());
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(report.clone());
        report
    }

    /// Files that change together may change between two reads; then they are read again, so that no
    /// configuration is made of two. `digest` is what they held before.
    fn load(&self, mut digest: u64) -> Loaded {
        for _ in 1..ATTEMPTS {
            let loaded = config::load(&self.sources);
            let before = std::mem::replace(&mut digest, self::digest(&self.files));
            if digest == before {
                return loaded;
            }
        }
        config::load(&self.sources)
    }

    /// Watches the folders of all files, of what they link to, and no longer those of earlier files.
    fn watch(&mut self) {
        let Some(watcher) = &mut self.watcher else { return };
        let wanted: BTreeSet<PathBuf> = self.files.iter().flat_map(|file| folders(file)).collect();
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

fn announce(report: &Report, took: Duration) {
    let took_ms = took.as_millis();
    match report.result {
        ReloadResult::Applied => tracing::info!(took_ms, "the new configuration is in use"),
        ReloadResult::Unchanged => tracing::debug!("the configuration has not changed"),
        ReloadResult::Refused => {
            tracing::error!("the new configuration has errors; the old one stays in use");
        }
    }
    let refused = !report.is_good();
    for problem in report.problems.preventing_start() {
        if refused {
            tracing::error!("{problem}");
        } else {
            tracing::error!("this tenant is not served until it is mended: {problem}");
        }
    }
}

/// What the files hold, in a number; a file that cannot be read counts as one that is empty.
fn digest(files: &[PathBuf]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for file in files {
        (file, std::fs::read(file).ok()).hash(&mut hasher);
    }
    hasher.finish()
}
