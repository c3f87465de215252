//! Counters, and their text for Prometheus.
//!
//! Each worker records into its own [`Recorder`]: one lock that nobody else holds, plain integers behind
//! it. A scrape visits every shard, adds them up and lets `prometheus-client` write the text. Surprising:
//! label values are numbered in the order in which traffic names them, at most [`TENANT_LABELS`] of them;
//! what comes later is `other`, so that 100,000 tenants do not become 100,000 series.

mod exposition;
mod histogram;
mod labels;
mod summary;

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foldhash::fast::FixedState;

use self::histogram::Histogram;
use self::labels::{Known, Label, Labels};

pub use self::exposition::CONTENT_TYPE;
pub use self::summary::{Summary, Traffic};

/// How many tenants have a label of their own; the rest is `other`.
pub const TENANT_LABELS: usize = 200;

/// How many destinations have a label of their own; the rest is `other`.
pub const DESTINATION_LABELS: usize = 200;

/// All counters of the process.
#[derive(Debug)]
pub struct Metrics {
    shards: Mutex<Vec<Arc<Shard>>>,
    names: Arc<Names>,
    slow: Mutex<Slow>,
}

/// The label values that the shards share.
#[derive(Debug)]
struct Names {
    tenants: Labels,
    destinations: Labels,
}

/// What happens rarely, and on any thread.
#[derive(Debug, Default)]
struct Slow {
    sessions: Option<i64>,
    fetches: HashMap<FetchResult, u64>,
    reloads: HashMap<ReloadResult, u64>,
}

/// One worker's counters.
#[derive(Debug, Default)]
struct Shard {
    counts: Mutex<Counts>,
    connections: AtomicI64,
    token_hits: AtomicU64,
    token_misses: AtomicU64,
    logins: AtomicU64,
    logins_refused: AtomicU64,
    websockets: AtomicI64,
}

#[derive(Debug, Default)]
struct Counts {
    requests: HashMap<Series, u64, FixedState>,
    duration: Histogram,
    upstream: HashMap<Label, Histogram, FixedState>,
    denials: HashMap<&'static str, u64, FixedState>,
    websockets_ended: HashMap<&'static str, u64, FixedState>,
    websocket_bytes: [u64; 2],
    tenants: Known,
    destinations: Known,
}

/// One series of `requests_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Series {
    route: Option<u32>,
    status: u16,
    tenant: Option<Label>,
}

impl Hash for Series {
    /// One word instead of five: this is hashed for every request.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let route = u64::from(self.route.map_or(0, |index| index.wrapping_add(1)));
        let tenant = u64::from(self.tenant.map_or(0, Label::hashed));
        state.write_u64(route ^ (tenant << 24) ^ (u64::from(self.status) << 48));
    }
}

/// How a login ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LoginResult {
    /// A session was opened.
    Success,
    /// It was not.
    Failure,
}

/// How the fetch of an issuer's key set ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FetchResult {
    /// A usable key set arrived.
    Success,
    /// None did; the keys at hand stay in use.
    Failure,
}

/// How a reload ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReloadResult {
    /// The new configuration is in use.
    Applied,
    /// It is the one that was in use.
    Unchanged,
    /// It has errors; the old one stays.
    Refused,
}

/// One answered request.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    /// The route's index, when one was picked.
    pub route: Option<usize>,
    /// The status that was sent.
    pub status: u16,
    /// The tenant's key, when it is a known one.
    pub tenant: Option<&'a str>,
    /// From the request's head to the end of the answer's head.
    pub duration: Duration,
    /// The destination's name and how long its answer's head took, when the request was forwarded.
    pub upstream: Option<(&'a str, Duration)>,
    /// The refusal's code, when we refused.
    pub code: Option<&'static str>,
}

/// Where one worker records; cheap to clone, meant for one thread.
#[derive(Clone, Debug)]
pub struct Recorder {
    shard: Arc<Shard>,
    names: Arc<Names>,
}

/// Counts a connection as open for as long as it lives.
#[derive(Debug)]
pub struct Connection(Arc<Shard>);

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Counters at zero.
    #[must_use]
    pub fn new() -> Self {
        let names =
            Names { tenants: Labels::new(TENANT_LABELS), destinations: Labels::new(DESTINATION_LABELS) };
        Self { shards: Mutex::default(), names: Arc::new(names), slow: Mutex::default() }
    }

    /// A recorder with a shard of its own; one for each worker.
    #[must_use]
    pub fn recorder(&self) -> Recorder {
        let shard = Arc::<Shard>::default();
        lock(&self.shards).push(Arc::clone(&shard));
        Recorder { shard, names: Arc::clone(&self.names) }
    }

    /// Counts the end of a reload.
    pub fn reload(&self, result: ReloadResult) {
        *lock(&self.slow).reloads.entry(result).or_default() += 1;
    }

    /// Counts the end of a key-set fetch.
    pub fn jwks_fetch(&self, result: FetchResult) {
        *lock(&self.slow).fetches.entry(result).or_default() += 1;
    }

    /// States how many sessions are open; `None` where they are kept by browsers, so that nobody knows.
    pub fn sessions(&self, open: Option<usize>) {
        lock(&self.slow).sessions = open.and_then(|open| i64::try_from(open).ok());
    }

    /// Everything, as the text that `GET /metrics` answers; its type is [`CONTENT_TYPE`].
    #[must_use]
    pub fn text(&self) -> String {
        exposition::text(self)
    }

    /// What a person wants to see of it.
    #[must_use]
    pub fn summary(&self) -> Summary {
        summary::of(&exposition::totals(self))
    }
}

impl Recorder {
    /// Counts one answered request.
    pub fn request(&self, seen: &Observation<'_>) {
        let counts = &mut *lock(&self.shard.counts);
        let tenant = seen.tenant.map(|key| counts.tenants.label(&self.names.tenants, key));
        let route = seen.route.and_then(|index| u32::try_from(index).ok());
        *counts.requests.entry(Series { route, status: seen.status, tenant }).or_default() += 1;
        counts.duration.record(seen.duration);
        if let Some((destination, duration)) = seen.upstream {
            let label = counts.destinations.label(&self.names.destinations, destination);
            counts.upstream.entry(label).or_default().record(duration);
        }
        if let Some(code) = seen.code {
            *counts.denials.entry(code).or_default() += 1;
        }
    }

    /// How often in all a token's verification was remembered, and how often not.
    pub fn token_cache(&self, hits: u64, misses: u64) {
        self.shard.token_hits.store(hits, Relaxed);
        self.shard.token_misses.store(misses, Relaxed);
    }

    /// Counts the end of a login.
    pub fn login(&self, result: LoginResult) {
        let count = match result {
            LoginResult::Success => &self.shard.logins,
            LoginResult::Failure => &self.shard.logins_refused,
        };
        count.fetch_add(1, Relaxed);
    }

    /// Counts a WebSocket as open until the returned value is dropped.
    #[must_use]
    pub fn websocket(&self) -> WebSocket {
        self.shard.websockets.fetch_add(1, Relaxed);
        WebSocket(Arc::clone(&self.shard))
    }

    /// Counts a connection as open until the returned value is dropped.
    #[must_use]
    pub fn connection(&self) -> Connection {
        self.shard.connections.fetch_add(1, Relaxed);
        Connection(Arc::clone(&self.shard))
    }
}

/// Counts a WebSocket as open for as long as it lives.
#[derive(Debug)]
pub struct WebSocket(Arc<Shard>);

impl WebSocket {
    /// It ended: how, and how many bytes it brought from the client and to it.
    pub fn ended(self, reason: &'static str, received: u64, sent: u64) {
        let counts = &mut *lock(&self.0.counts);
        *counts.websockets_ended.entry(reason).or_default() += 1;
        let [all_received, all_sent] = &mut counts.websocket_bytes;
        *all_received += received;
        *all_sent += sent;
    }
}

impl Drop for WebSocket {
    fn drop(&mut self) {
        self.0.websockets.fetch_sub(1, Relaxed);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Relaxed);
    }
}

/// Takes the lock; counters stay usable when a thread died while it held one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
