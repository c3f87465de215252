//! The admin port: what operators ask, and the page that they look at.
//!
//! It runs beside the workers and never in their way. What it shows comes from the counters, the last
//! refusals and a [`Sources`] that the program fills; it knows no stage. Who may ask is decided in one
//! place, [`access`]. `/healthz` and `/readyz` say nothing but yes or no, and are for everybody, because
//! those who probe carry no token.

mod access;
mod answer;
mod question;
mod status;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::observe::denials::Denials;
use crate::observe::metrics::{Metrics, ReloadResult};
use crate::secret::Secret;

pub use self::question::{Explain, TenantQuery};

/// How many connections are served at once; more wait.
const CONNECTIONS: usize = 256;

/// How long a client may take for a request's head.
const HEAD: Duration = Duration::from_secs(10);

/// How long a connection lives before it is asked to end, so that none holds its place for ever.
const LIFETIME: Duration = Duration::from_mins(1);

/// How long it may then finish what it is doing.
const FINISHING: Duration = Duration::from_secs(10);

/// How long connections may finish what they are doing when the port closes.
const CLOSING: Duration = Duration::from_secs(1);

/// A future that can be named.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What only the program knows. Everything it returns is redacted already.
pub trait Sources: Send + Sync + 'static {
    /// Whether requests should be sent here, and if not, why.
    fn readiness(&self) -> Result<(), &'static str>;

    /// The effective configuration, each value with its origin.
    fn config(&self) -> Value;

    /// The routes in their order.
    fn routes(&self) -> Value;

    /// Some of the tenants, in the order of their keys.
    fn tenants(&self, query: &TenantQuery) -> TenantPage;

    /// One tenant.
    fn tenant(&self, key: &str) -> Option<Value>;

    /// The issuers that were asked for keys so far.
    fn issuers(&self) -> Vec<IssuerHealth>;

    /// How many sessions are open, where that is known.
    fn sessions(&self) -> Option<usize>;

    /// What would become of a request; an error is about the question.
    fn explain(&self, question: Explain) -> BoxFuture<'_, Result<Value, String>>;

    /// The last time that the configuration was read.
    fn last_reload(&self) -> Option<ReloadReport>;

    /// Reads the configuration again.
    fn reload(&self) -> BoxFuture<'_, ReloadReport>;

    /// The public keys of the tenant assertion, as a JSON Web Key Set.
    fn jwks(&self) -> Value;
}

/// Some of the tenants.
#[derive(Clone, Debug, Default)]
pub struct TenantPage {
    /// The tenants, in the order of their keys.
    pub tenants: Vec<Value>,
    /// How many there are in all.
    pub total: usize,
    /// The key after which the next page begins, when there is one.
    pub next: Option<String>,
}

/// How an issuer does.
#[derive(Clone, Debug)]
pub struct IssuerHealth {
    /// Its URL.
    pub issuer: String,
    /// How many tenants it signs for.
    pub tenants: usize,
    /// How many of its keys are at hand.
    pub keys: usize,
    /// When its keys were last fetched.
    pub fetched: Option<SystemTime>,
    /// What went wrong the last time, if it did.
    pub problem: Option<String>,
}

/// How reading the configuration ended.
#[derive(Clone, Debug)]
pub struct ReloadReport {
    /// When.
    pub time: SystemTime,
    /// How.
    pub result: ReloadResult,
    /// The problems in the form of `check --format json`.
    pub problems: Vec<Value>,
}

/// Where the port listens and who may use it.
#[derive(Debug)]
pub struct Options {
    address: SocketAddr,
    token: Option<Secret>,
    hosts: Vec<String>,
}

/// The port would be open to everybody.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the admin port listens on {0}, which is not loopback: set ADMIN_TOKEN, or listen on 127.0.0.1")]
pub struct Unprotected(pub SocketAddr);

impl Options {
    /// Listens on `address`. Without a `token` only loopback will do, and only under names in `hosts`,
    /// `localhost` and addresses. An empty token is none.
    pub fn new(address: SocketAddr, token: Option<Secret>, hosts: Vec<String>) -> Result<Self, Unprotected> {
        let token = token.filter(|token| !token.expose().is_empty());
        if token.is_none() && !address.ip().to_canonical().is_loopback() {
            return Err(Unprotected(address));
        }
        Ok(Self { address, token, hosts })
    }

    /// The address to listen on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Everything that a request to the admin port needs.
pub struct Admin {
    options: Options,
    metrics: Arc<Metrics>,
    denials: Arc<Denials>,
    sources: Arc<dyn Sources>,
    started: SystemTime,
}

impl Admin {
    /// An admin port that shows these.
    #[must_use]
    pub fn new(
        options: Options,
        metrics: Arc<Metrics>,
        denials: Arc<Denials>,
        sources: Arc<dyn Sources>,
    ) -> Self {
        Self { options, metrics, denials, sources, started: SystemTime::now() }
    }
}

/// Serves `admin` on `listener` until `stop` is done.
pub async fn serve(listener: TcpListener, admin: Arc<Admin>, stop: impl Future<Output = ()>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let (closing, closed) = tokio::sync::watch::channel(());
    let mut stop = std::pin::pin!(stop);
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { break };
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let (admin, closed) = (Arc::clone(&admin), closed.clone());
                tokio::spawn(async move {
                    connection(stream, admin, closed).await;
                    drop(permit);
                });
            }
            // Out of file descriptors: some come back when connections end.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
    drop(closed);
    closing.send_replace(());
    tokio::time::timeout(CLOSING, closing.closed()).await.ok();
}

/// Serves one connection; what goes wrong with it is the client's affair.
async fn connection(stream: TcpStream, admin: Arc<Admin>, mut closed: tokio::sync::watch::Receiver<()>) {
    let service = service_fn(move |request| {
        let admin = Arc::clone(&admin);
        async move { Ok::<_, Infallible>(admin.respond(request).await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        ended = connection.as_mut() => return drop(ended),
        _ = closed.changed() => {}
        () = tokio::time::sleep(LIFETIME) => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::time::timeout(FINISHING, connection).await.ok();
}

impl Admin {
    async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let method = request.method().clone();
        let mut response = match self.probe(request.uri().path()) {
            Some(response) => response,
            None => match access::admit(&self.options, &request) {
                Ok(()) => self.route(request).await,
                Err(refused) => refused.response(),
            },
        };
        answer::secure(response.headers_mut());
        if method == Method::HEAD {
            answer::without_body(&mut response);
        }
        response
    }

    /// The two questions that everybody may ask.
    fn probe(&self, path: &str) -> Option<Response<Full<Bytes>>> {
        match path {
            "/healthz" => Some(answer::text(200, "ok\n")),
            "/readyz" => Some(match self.sources.readiness() {
                Ok(()) => answer::text(200, "ready\n"),
                Err(reason) => answer::text(503, &format!("not ready: {reason}\n")),
            }),
            _ => None,
        }
    }

    async fn route(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        match (request.method().as_str(), &*path) {
            ("GET" | "HEAD", _) => self.show(&path, request.uri().query().unwrap_or_default()).await,
            ("POST", "/reload") => answer::reload(&self.sources.reload().await),
            ("POST", "/explain") => match Explain::from_body(request.into_body()).await {
                Ok(question) => self.explain(question).await,
                Err(wrong) => answer::error(400, &wrong),
            },
            _ => answer::error(405, "this is read with GET; only /reload and /explain take POST"),
        }
    }

    async fn show(&self, path: &str, query: &str) -> Response<Full<Bytes>> {
        match path {
            "/" => answer::page(),
            "/page.css" => answer::style(),
            "/page.js" => answer::script(),
            "/metrics" => answer::metrics(self.counted().text()),
            "/status" => answer::json(200, &self.status()),
            "/config" => answer::json(200, &self.sources.config()),
            "/routes" => answer::json(200, &self.sources.routes()),
            "/tenants" => answer::tenants(self.sources.tenants(&TenantQuery::parse(query))),
            "/denials" => answer::json(200, &status::denials(&self.denials)),
            "/jwks" => answer::json(200, &self.sources.jwks()),
            "/explain" => match Explain::from_query(query) {
                Ok(question) => self.explain(question).await,
                Err(wrong) => answer::error(400, &wrong),
            },
            "/reload" => answer::error(405, "reload with POST"),
            _ => self.show_one(path),
        }
    }

    fn show_one(&self, path: &str) -> Response<Full<Bytes>> {
        let tenant = path.strip_prefix("/tenants/").and_then(|key| self.sources.tenant(key));
        let denial = || {
            let denial = self.denials.find(path.strip_prefix("/denials/")?)?;
            Some(status::denial(&denial))
        };
        match tenant.or_else(denial) {
            Some(found) => answer::json(200, &found),
            None => answer::error(404, "there is nothing of that name here"),
        }
    }

    /// The counters, with those that have to be asked for.
    fn counted(&self) -> &Metrics {
        self.metrics.sessions(self.sources.sessions());
        &self.metrics
    }

    async fn explain(&self, question: Explain) -> Response<Full<Bytes>> {
        match self.sources.explain(question).await {
            Ok(explained) => answer::json(200, &explained),
            Err(wrong) => answer::error(400, &wrong),
        }
    }
}

#[cfg(test)]
mod tests;
