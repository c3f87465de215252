//! Connections to backends: one pool a worker, keyed by tenant and endpoint.
//!
//! A connection is lent to one exchange and comes back when the answer's last byte has been read; one
//! with anything unread or unsent is dropped instead. Connections are driven by tasks of their own, so
//! that a backend's restart is noticed while they idle. A request is sent a second time where hyper hands
//! it back unsent, and where a connection that had rested ends instead of answering a safe request that
//! has no body. This file knows nothing of routes or headers.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use foldhash::fast::RandomState;
use http::header::{HOST, TE};
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use tokio::time::Instant;

use super::body::Upload;
use super::connect::{ConnectError, Connector, Protocol};
use crate::destination::Endpoint;
use crate::tenant::TenantKey;

/// How long an unused connection is kept.
const KEEP_IDLE: Duration = Duration::from_secs(50);
/// How many unused connections one worker keeps for one tenant and endpoint.
const KEEP_EACH: usize = 256;
/// How many unused connections one worker keeps in all.
const KEEP_ALL: usize = 1024;

/// After this long without use a backend may be closing a connection just when we send on it. A copy of
/// each request would cost busy connections time that only rested ones have.
const RESTED: Duration = Duration::from_millis(100);

/// What a connection is pooled under. Two tenants never share one.
#[derive(Clone, Debug)]
pub struct PoolKey {
    /// Whose requests it carries.
    pub tenant: Option<TenantKey>,
    /// Where it leads.
    pub endpoint: Arc<Endpoint>,
}

impl PartialEq for PoolKey {
    fn eq(&self, other: &Self) -> bool {
        self.tenant == other.tenant
            && (Arc::ptr_eq(&self.endpoint, &other.endpoint) || self.endpoint == other.endpoint)
    }
}

impl Eq for PoolKey {}

impl Hash for PoolKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.tenant.hash(state);
        self.endpoint.port.hash(state);
        self.endpoint.host.hash(state);
    }
}

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The backend could not be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The connection broke, or what came back is not HTTP.
    #[error("the backend's connection broke or did not speak HTTP")]
    Exchange(#[source] hyper::Error),
}

impl SendError {
    /// Whether the connection ended where an answer should have begun.
    fn is_of_a_dead_connection(&self) -> bool {
        match self {
            Self::Exchange(error) => !error.is_parse() && !error.is_user(),
            Self::Connect(_) => false,
        }
    }
}

/// One worker's connections to backends.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    connector: Connector,
    pool: Mutex<Pool>,
    reuses: bool,
}

#[derive(Default)]
struct Pool {
    idle: HashMap<PoolKey, Vec<Idle>, RandomState>,
    multiplexed: HashMap<PoolKey, Shared, RandomState>,
    count: usize,
}

struct Idle {
    sender: http1::SendRequest<Upload>,
    since: Instant,
}

/// A connection that carries many exchanges at once; without us it ends with the last of them.
struct Shared {
    sender: http2::SendRequest<Upload>,
    used: Instant,
}

/// A connection lent to one exchange.
pub struct Lease {
    client: Client,
    key: PoolKey,
    sender: Option<http1::SendRequest<Upload>>,
}

impl Lease {
    /// Gives the connection back; the answer has been read to its end.
    pub(super) fn release(&mut self) {
        let kept = self.sender.take().filter(|sender| self.client.0.reuses && !sender.is_closed());
        if let Some(sender) = kept {
            self.client.pool().keep(self.key.clone(), sender);
        }
    }
}

impl Pool {
    fn take(&mut self, key: &PoolKey) -> Option<Idle> {
        let waiting = self.idle.get_mut(key)?;
        while let Some(idle) = waiting.pop() {
            self.count -= 1;
            if idle.sender.is_ready() {
                return Some(idle);
            }
        }
        None
    }

    fn keep(&mut self, key: PoolKey, sender: http1::SendRequest<Upload>) {
        let waiting = self.idle.entry(key).or_default();
        if waiting.len() < KEEP_EACH && self.count < KEEP_ALL {
            waiting.push(Idle { sender, since: Instant::now() });
            self.count += 1;
        }
    }

    /// A way to send on a shared connection, and whether that had rested.
    fn share(&mut self, key: &PoolKey) -> Option<(http2::SendRequest<Upload>, bool)> {
        let shared = self.multiplexed.get_mut(key).filter(|shared| !shared.sender.is_closed())?;
        let before = std::mem::replace(&mut shared.used, Instant::now());
        Some((shared.sender.clone(), shared.used.duration_since(before) > RESTED))
    }

    fn expire(&mut self, now: Instant) {
        for waiting in self.idle.values_mut() {
            waiting.retain(|idle| !idle.sender.is_closed() && now.duration_since(idle.since) < KEEP_IDLE);
        }
        self.idle.retain(|_, waiting| !waiting.is_empty());
        self.multiplexed
            .retain(|_, shared| !shared.sender.is_closed() && now.duration_since(shared.used) < KEEP_IDLE);
        self.count = self.idle.values().map(Vec::len).sum();
    }
}

impl Client {
    /// An empty pool over `connector`.
    #[must_use]
    pub fn new(connector: Connector) -> Self {
        Self::reusing(connector, true)
    }

    /// The same; where `reuses` is false each request gets a connection of its own.
    #[must_use]
    pub fn reusing(connector: Connector, reuses: bool) -> Self {
        Self(Arc::new(Inner { connector, pool: Mutex::default(), reuses }))
    }

    fn pool(&self) -> std::sync::MutexGuard<'_, Pool> {
        // Nothing panics while the lock is held, and a pool in any state is usable.
        self.0.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What opens connections, for what is never pooled.
    pub(super) fn connector(&self) -> &Connector {
        &self.0.connector
    }

    /// Closes connections that have been unused for long. Called now and then by the worker.
    pub fn expire(&self) {
        self.pool().expire(Instant::now());
    }

    /// Sends `request`, on a kept connection or a new one.
    pub async fn send(
        &self,
        key: PoolKey,
        mut request: Request<Upload>,
    ) -> Result<(Response<Incoming>, Lease), SendError> {
        if key.endpoint.http2 || key.endpoint.tls.is_some() {
            match Box::pin(self.send_multiplexed(&key, request)).await? {
                Sent::Answered(answer) => return Ok((answer, self.lease(key, None))),
                Sent::NotSent(unsent) => request = unsent,
            }
        }
        let kept = self.pool().take(&key);
        if let Some(idle) = kept {
            match self.exchange(key.clone(), idle, request).await? {
                Exchange::Answered(answer, lease) => return Ok((answer, lease)),
                Exchange::NotSent(unsent) => request = unsent,
            }
        }
        // Boxed, as connecting is rare and large, and every request's future would be as large as it.
        Box::pin(self.send_anew(key, request)).await
    }

    fn lease(&self, key: PoolKey, sender: Option<http1::SendRequest<Upload>>) -> Lease {
        Lease { client: self.clone(), key, sender }
    }

    async fn exchange(
        &self,
        key: PoolKey,
        idle: Idle,
        mut request: Request<Upload>,
    ) -> Result<Exchange, SendError> {
        let spare = if idle.since.elapsed() > RESTED { spare(&request) } else { None };
        // A new connection may turn out to speak HTTP/2, which needs the whole address.
        let absolute = request.uri().scheme().is_some().then(|| Box::new(request.uri().clone()));
        to_form(&key.endpoint, &mut request);
        let mut sender = idle.sender;
        let error = match sender.try_send_request(request).await {
            Ok(answer) => return Ok(Exchange::Answered(answer, self.lease(key, Some(sender)))),
            Err(error) => error,
        };
        match (unsent(error), spare) {
            (Ok(mut unsent), _) => {
                *unsent.uri_mut() = absolute.map_or_else(|| unsent.uri().clone(), |uri| *uri);
                Ok(Exchange::NotSent(unsent))
            }
            (Err(error), Some(spare)) if error.is_of_a_dead_connection() => Ok(Exchange::NotSent(*spare)),
            (Err(error), _) => Err(error),
        }
    }

    async fn send_multiplexed(&self, key: &PoolKey, mut request: Request<Upload>) -> Result<Sent, SendError> {
        let shared = self.pool().share(key);
        let Some((mut sender, rested)) = shared else { return Ok(Sent::NotSent(request)) };
        let spare = if rested { spare(&request) } else { None };
        let host = request.headers_mut().remove(HOST);
        let error = match sender.try_send_request(request).await {
            Ok(answer) => return Ok(Sent::Answered(answer)),
            Err(error) => error,
        };
        match (unsent(error), spare) {
            (Ok(mut unsent), _) => {
                unsent.headers_mut().extend(host.map(|host| (HOST, host)));
                Ok(Sent::NotSent(unsent))
            }
            (Err(error), Some(spare)) if error.is_of_a_dead_connection() => Ok(Sent::NotSent(*spare)),
            (Err(error), _) => Err(error),
        }
    }

    async fn send_anew(
        &self,
        key: PoolKey,
        mut request: Request<Upload>,
    ) -> Result<(Response<Incoming>, Lease), SendError> {
        match self.0.connector.connect(&key.endpoint).await? {
            Protocol::Http1(mut sender) => {
                to_form(&key.endpoint, &mut request);
                let answer = sender.send_request(request).await.map_err(SendError::Exchange)?;
                Ok((answer, self.lease(key, Some(sender))))
            }
            Protocol::Http2(mut sender) => {
                if self.0.reuses {
                    let shared = Shared { sender: sender.clone(), used: Instant::now() };
                    self.pool().multiplexed.insert(key.clone(), shared);
                }
                request.headers_mut().remove(HOST);
                let answer = sender.send_request(request).await.map_err(SendError::Exchange)?;
                Ok((answer, self.lease(key, None)))
            }
        }
    }
}

enum Exchange {
    Answered(Response<Incoming>, Lease),
    NotSent(Request<Upload>),
}

enum Sent {
    Answered(Response<Incoming>),
    NotSent(Request<Upload>),
}

/// A copy of a request that may be sent a second time although the first was sent (RFC 9110 §9.2.2).
fn spare(request: &Request<Upload>) -> Option<Box<Request<Upload>>> {
    if !request.method().is_safe() || !http_body::Body::is_end_stream(request.body()) {
        return None;
    }
    let mut copy = Request::new(Upload::empty());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(Box::new(copy))
}

/// HTTP/1.1 names the path alone (RFC 9112 §3.2.1), beside a `Host`, except to a proxy that forwards it;
/// its `TE` is one hop's and needs a `Connection` that names it.
fn to_form(endpoint: &Endpoint, request: &mut Request<Upload>) {
    if request.uri().scheme().is_some() && !endpoint.is_proxied_openly() {
        request.headers_mut().remove(TE);
        let path = request.uri().path_and_query().cloned().map(Uri::from);
        *request.uri_mut() = path.unwrap_or_default();
    }
}

/// The request, where not a byte of it was sent; the failure otherwise.
fn unsent(mut error: TrySendError<Request<Upload>>) -> Result<Request<Upload>, SendError> {
    match error.take_message() {
        Some(request) => Ok(request),
        None => Err(SendError::Exchange(error.into_error())),
    }
}
