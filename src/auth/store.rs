//! The keys of every issuer, shared by the process; it outlives snapshots.
//!
//! Keys are fetched when first needed, one fetch at a time for an issuer, on the runtime for slow work;
//! workers only wait. They are fresh for 15 minutes and renewed ahead of that while they are in use.
//! The surprising part: keys are never forgotten because the issuer is down. What replaces keys is a
//! usable key set and nothing else.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use rustls_pki_types::CertificateDer;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};

use super::Clock;
use super::discovery::{self, DiscoveryError};
pub use super::fetch::{Addresses, Resolver, UnusableRoots};
use super::fetch::{FetchError, Fetcher, TOTAL_TIMEOUT};
use super::issuer::Source;
use super::keys::{KeySet, KeySetError};

/// Renewing begins this long after a fetch, so that keys are never older than 15 minutes in use.
const RENEW_AFTER: u64 = 12 * 60 * 1000;
/// No fetch that an unknown key id asks for within this time of any other.
const FORCED_GAP: u64 = 30 * 1000;
/// The longest pause after failures, and the pause while there are keys.
pub(super) const LONGEST_PAUSE: u64 = 30 * 1000;
/// The pause after a first failure without any keys.
const FIRST_PAUSE: u64 = 1000;
/// How many issuers are remembered; beyond that the least recently used are forgotten.
const MAX_ISSUERS: usize = 20_000;
/// How many fetches run at once.
const MAX_FETCHES: usize = 256;

/// What a [`KeyStore`] works with.
#[derive(Clone)]
pub struct KeyStoreSettings {
    /// The runtime on which keys are fetched.
    pub runtime: Handle,
    /// Certificates of authorities that are trusted besides those of the web.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// How host names are resolved; `None` as the system does.
    pub resolver: Option<Resolver>,
    /// The time.
    pub clock: Clock,
}

/// How many fetches there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FetchCounts {
    /// With usable keys.
    pub succeeded: u64,
    /// Without.
    pub failed: u64,
}

/// How an issuer's keys are.
#[derive(Clone, Debug)]
pub struct KeyHealth {
    /// The issuer, or the address of its key set.
    pub issuer: String,
    /// How many keys are at hand.
    pub keys: usize,
    /// When they were last fetched.
    pub fetched: Option<SystemTime>,
    /// Why the last fetch failed, if it did.
    pub problem: Option<String>,
}

/// Hears of each fetch whether it brought usable keys.
pub type Observer = Box<dyn Fn(bool) + Send + Sync>;

/// The keys of every issuer.
#[derive(Debug)]
pub struct KeyStore {
    slots: Mutex<HashMap<Source, Arc<Slot>>>,
    shared: Arc<Shared>,
}

/// What fetches need, whoever started them.
#[derive(Debug)]
struct Shared {
    runtime: Handle,
    fetcher: Fetcher,
    clock: Clock,
    permits: Semaphore,
    succeeded: AtomicU64,
    failed: AtomicU64,
    observer: Observed,
}

/// Who hears of fetches, once somebody does.
#[derive(Default)]
struct Observed(OnceLock<Observer>);

impl std::fmt::Debug for Observed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.get().is_some() { "observed" } else { "not observed" })
    }
}

impl KeyStore {
    /// An empty store.
    pub fn new(settings: KeyStoreSettings) -> Result<Self, UnusableRoots> {
        let fetcher = Fetcher::new(&settings.extra_roots, settings.resolver)?;
        let shared = Shared {
            runtime: settings.runtime,
            fetcher,
            clock: settings.clock,
            permits: Semaphore::new(MAX_FETCHES),
            succeeded: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            observer: Observed::default(),
        };
        Ok(Self { slots: Mutex::default(), shared: Arc::new(shared) })
    }

    /// How many fetches there were.
    #[must_use]
    pub fn fetches(&self) -> FetchCounts {
        FetchCounts {
            succeeded: self.shared.succeeded.load(Ordering::Relaxed),
            failed: self.shared.failed.load(Ordering::Relaxed),
        }
    }

    /// Tells `observer` of every fetch from now on; the first one stays.
    pub fn observe(&self, observer: Observer) {
        drop(self.shared.observer.0.set(observer));
    }

    /// How the keys of every issuer are that was asked for some, by issuer.
    #[must_use]
    pub fn health(&self) -> Vec<KeyHealth> {
        let mut health: Vec<_> = lock(&self.slots).values().map(|slot| slot.health()).collect();
        health.sort_by(|a, b| a.issuer.cmp(&b.issuer));
        health
    }

    /// The clock by which keys age.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Who asks issuers.
    #[must_use]
    pub fn fetcher(&self) -> &Fetcher {
        &self.shared.fetcher
    }

    /// Where that is done.
    #[must_use]
    pub fn runtime(&self) -> &Handle {
        &self.shared.runtime
    }

    /// The place where the keys of `source` are kept.
    pub(super) fn slot(&self, source: &Source) -> Arc<Slot> {
        let mut slots = lock(&self.slots);
        if let Some(slot) = slots.get(source) {
            return slot.clone();
        }
        if slots.len() >= MAX_ISSUERS {
            forget_some(&mut slots);
        }
        let slot = Arc::new(Slot::new(source.clone(), self.shared.clone()));
        slots.insert(source.clone(), slot.clone());
        slot
    }
}

/// Forgets the tenth of the issuers that has not been used for the longest time.
fn forget_some(slots: &mut HashMap<Source, Arc<Slot>>) {
    let mut used: Vec<u64> = slots.values().map(|slot| slot.used.load(Ordering::Relaxed)).collect();
    used.sort_unstable();
    let limit = used.get(used.len() / 10).copied().unwrap_or(u64::MAX);
    slots.retain(|_, slot| slot.used.load(Ordering::Relaxed) > limit);
}

/// The keys of one issuer.
#[derive(Debug)]
pub(super) struct Slot {
    source: Source,
    shared: Arc<Shared>,
    /// Counts how often the keys changed; what was verified with other keys is verified again.
    generation: AtomicU64,
    /// When renewing begins, in milliseconds since the epoch; 0 before the first fetch.
    renew_at: AtomicU64,
    /// When the keys were last asked for.
    used: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    keys: Option<Arc<KeySet>>,
    /// When the last fetch began.
    began: Option<u64>,
    /// No fetch before this time.
    next: u64,
    failures: u32,
    /// When keys last came, in milliseconds since the epoch.
    fetched: Option<u64>,
    /// Why the last fetch failed.
    problem: Option<String>,
    /// Closed when the running fetch is over.
    running: Option<watch::Receiver<()>>,
}

/// Keys, and which generation of them.
#[derive(Clone, Debug)]
pub(super) struct Current {
    pub(super) keys: Arc<KeySet>,
    pub(super) generation: u64,
}

/// There are no keys now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unavailable {
    pub(super) retry_after: Duration,
}

/// Why a fetch brought no keys; for the log.
#[derive(Debug, thiserror::Error)]
enum NoKeys {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    #[error(transparent)]
    KeySet(#[from] KeySetError),
}

impl Slot {
    fn new(source: Source, shared: Arc<Shared>) -> Self {
        let used = AtomicU64::new(shared.clock.milliseconds());
        Self { source, shared, generation: 0.into(), renew_at: 0.into(), used, state: Mutex::default() }
    }

    /// Whether the keys have not changed since `generation`; renews them when it is time. This is all
    /// that a request with a remembered token costs here.
    pub(super) fn is_current(self: &Arc<Self>, generation: u64, now: u64) -> bool {
        if !is_ahead(self.renew_at.load(Ordering::Relaxed), now, RENEW_AFTER) {
            self.renew(now);
        }
        self.generation.load(Ordering::Acquire) == generation
    }

    /// The keys; fetched, if there are none.
    pub(super) async fn current(self: &Arc<Self>) -> Result<Current, Unavailable> {
        let now = self.shared.clock.milliseconds();
        self.used.store(now, Ordering::Relaxed);
        let running = {
            let mut state = lock(&self.state);
            if let Some(current) = self.known(&state) {
                drop(state);
                self.is_current(current.generation, now);
                return Ok(current);
            }
            if state.running().is_none() && state.pauses(now) {
                return Err(state.unavailable(now));
            }
            self.fetch(&mut state, now)
        };
        finished(running).await;
        let state = lock(&self.state);
        self.known(&state).ok_or_else(|| state.unavailable(self.shared.clock.milliseconds()))
    }

    /// Keys that are newer than `generation`, fetched if that is allowed now: at most once in 30 s,
    /// however many unknown key ids callers invent.
    pub(super) async fn newer(self: &Arc<Self>, generation: u64) -> Option<Current> {
        let now = self.shared.clock.milliseconds();
        let running = {
            let mut state = lock(&self.state);
            if let Some(current) = self.known(&state).filter(|current| current.generation > generation) {
                return Some(current);
            }
            let earliest = state.began.map_or(0, |began| began.saturating_add(FORCED_GAP));
            let too_soon = is_ahead(earliest, now, FORCED_GAP) || state.pauses(now);
            if state.running().is_none() && too_soon {
                return None;
            }
            self.fetch(&mut state, now)
        };
        finished(running).await;
        self.known(&lock(&self.state)).filter(|current| current.generation > generation)
    }

    fn renew(self: &Arc<Self>, now: u64) {
        let mut state = lock(&self.state);
        self.used.store(now, Ordering::Relaxed);
        if state.keys.is_some() && state.running().is_none() && !state.pauses(now) {
            self.fetch(&mut state, now);
        }
    }

    fn known(&self, state: &State) -> Option<Current> {
        let keys = state.keys.clone()?;
        Some(Current { keys, generation: self.generation.load(Ordering::Acquire) })
    }

    /// Begins a fetch, or joins the running one.
    fn fetch(self: &Arc<Self>, state: &mut State, now: u64) -> watch::Receiver<()> {
        if let Some(running) = state.running() {
            return running;
        }
        let (done, running) = watch::channel(());
        state.running = Some(running.clone());
        state.began = Some(now);
        // Nobody else asks for a renewal before this fetch is over.
        self.renew_at.store(now.saturating_add(FORCED_GAP), Ordering::Relaxed);
        let slot = self.clone();
        self.shared.runtime.spawn(async move {
            let fetched = slot.fetched().await;
            slot.keep(fetched);
            drop(done);
        });
        running
    }

    async fn fetched(&self) -> Result<KeySet, NoKeys> {
        let all = async {
            let Ok(_permit) = self.shared.permits.acquire().await else {
                return Err(FetchError::TimedOut.into());
            };
            let fetcher = &self.shared.fetcher;
            let address = match &self.source {
                Source::KeySet(address) => address.to_string(),
                Source::Document(issuer) => {
                    let document = fetcher.get(&discovery::address(issuer)).await?;
                    discovery::key_set_address(&document, issuer)?
                }
            };
            Ok(KeySet::parse(&fetcher.get(&address).await?)?)
        };
        tokio::time::timeout(TOTAL_TIMEOUT, all).await.unwrap_or(Err(FetchError::TimedOut.into()))
    }

    fn health(&self) -> KeyHealth {
        let state = lock(&self.state);
        KeyHealth {
            issuer: self.source.address().to_owned(),
            keys: state.keys.as_ref().map_or(0, |keys| keys.count()),
            fetched: state.fetched.map(|at| SystemTime::UNIX_EPOCH + Duration::from_millis(at)),
            problem: state.problem.clone(),
        }
    }

    /// Keeps what a fetch brought; a failure leaves the keys as they are.
    fn keep(&self, fetched: Result<KeySet, NoKeys>) {
        let now = self.shared.clock.milliseconds();
        if let Some(observer) = self.shared.observer.0.get() {
            observer(fetched.is_ok());
        }
        let mut state = lock(&self.state);
        match fetched {
            Ok(keys) => {
                state.fetched = Some(now);
                state.problem = None;
                self.shared.succeeded.fetch_add(1, Ordering::Relaxed);
                state.failures = 0;
                state.next = 0;
                self.renew_at.store(now.saturating_add(RENEW_AFTER), Ordering::Relaxed);
                if state.keys.as_deref() != Some(&keys) {
                    state.keys = Some(Arc::new(keys));
                    self.generation.fetch_add(1, Ordering::Release);
                }
            }
            Err(reason) => {
                self.shared.failed.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(source = self.source.address(), reason = %Chain(&reason), "keys not fetched");
                state.problem = Some(Chain(&reason).to_string());
                state.failures = state.failures.saturating_add(1);
                let pause = if state.keys.is_some() { LONGEST_PAUSE } else { pause_after(state.failures) };
                state.next = now.saturating_add(pause);
                self.renew_at.store(state.next, Ordering::Relaxed);
            }
        }
        state.running = None;
    }
}

/// 1, 2, 4 … 30 s: short at first, so that a start before the issuer's own costs seconds only.
pub(super) fn pause_after(failures: u32) -> u64 {
    FIRST_PAUSE.checked_shl(failures.saturating_sub(1).min(16)).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE)
}

/// Whether `time` is still to come, and not further away than it can have been set: a clock that was
/// set back must not turn half a minute into hours.
pub(super) fn is_ahead(time: u64, now: u64, at_most: u64) -> bool {
    now < time && time - now <= at_most
}

impl State {
    /// The running fetch; one whose task died counts as over.
    fn running(&mut self) -> Option<watch::Receiver<()>> {
        self.running.take_if(|running| running.has_changed().is_err());
        self.running.clone()
    }

    /// Whether nothing may be fetched because of failures.
    fn pauses(&self, now: u64) -> bool {
        is_ahead(self.next, now, LONGEST_PAUSE)
    }

    fn unavailable(&self, now: u64) -> Unavailable {
        let wait = Duration::from_millis(self.next.saturating_sub(now));
        Unavailable { retry_after: wait.max(Duration::from_secs(1)) }
    }
}

impl Source {
    pub(super) fn address(&self) -> &str {
        match self {
            Self::Document(address) | Self::KeySet(address) => address,
        }
    }
}

/// Waits until the fetch is over.
async fn finished(mut running: watch::Receiver<()>) {
    while running.changed().await.is_ok() {}
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An error with its sources, in one line.
pub(super) struct Chain<'a>(pub(super) &'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
