//! One request and its answer: carries the decision out, and remembers both for log and metrics.
//!
//! Metrics are counted when the answer begins, the line of the access log is written when it ends. A
//! refusal gets an id of its own, never one that the client chose, so that the log and the admin port
//! find exactly this one.

use std::error::Error;
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, EXPECT, LOCATION, SET_COOKIE};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use hyper::body::Incoming;

use super::dressing::Dressing;
use super::upgrade::Open;
use super::{Caller, Decision, Inner, Reached, Trail, decide};
use crate::endpoint::login::{self, Wanted};
use crate::endpoint::{self, Context, Outside};
use crate::error::{Failure, Verdict};
use crate::forward::body::{self, Attendant, Body, Progress, Upload};
use crate::forward::{self, Outbound};
use crate::listener::connection::{Answered, Link};
use crate::observe::access::Entry;
use crate::observe::audit;
use crate::observe::denials::Denial;
use crate::observe::metrics::{LoginResult, Observation};
use crate::request::correlation::{Correlation, fresh_id};
use crate::request::statistics::{self, SAP_STATISTICS_APPROUTER};
use crate::request::{Peer, Scheme};
use crate::response;
use crate::response::rewrite::{self, Part};
use crate::session::jar::SetByBackend;
use crate::session::{BackendAnswer, csrf};
use crate::snapshot::Snapshot;

/// One request under way.
pub(super) struct Exchange {
    pub(super) worker: Arc<Inner>,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) correlation: Correlation,
    pub(super) caller: Caller,
    pub(super) method: Method,
    pub(super) address: Uri,
    dressing: Dressing,
    pub(super) trail: Trail,
    pub(super) started: Instant,
    pub(super) upstream: Option<Duration>,
    received: Option<Arc<Progress>>,
    hang_up: bool,
    statistics: bool,
    answered: StatusCode,
    code: Option<&'static str>,
}

impl Exchange {
    pub(super) fn begin(worker: &Arc<Inner>, link: &Link, parts: &Parts) -> Box<Self> {
        let scheme = if link.secure { Scheme::Https } else { Scheme::Http };
        let peer = Peer::new(link.address, scheme).with_server_name(link.server_name.as_deref());
        let snapshot = worker.published.current();
        Box::new(Self {
            dressing: Dressing::of(parts, &snapshot),
            snapshot,
            correlation: Correlation::continued(&parts.headers),
            caller: Caller { peer, forwarded_for: link.forwarded_for.clone() },
            method: parts.method.clone(),
            address: parts.uri.clone(),
            trail: Trail::default(),
            started: Instant::now(),
            upstream: None,
            received: None,
            hang_up: false,
            statistics: statistics::are_wanted(&parts.headers, parts.uri.query().unwrap_or_default()),
            answered: StatusCode::OK,
            code: None,
            worker: Arc::clone(worker),
        })
    }

    /// Decides and carries out: the answer, and the WebSocket that it opens, if it does.
    pub(super) async fn proceed(
        &mut self,
        link: &Link,
        parts: &mut Parts,
        incoming: Incoming,
    ) -> Result<(Response<Body>, Option<Box<Open>>), Failure> {
        let decided = self.decide(link, parts).await;
        let response = match decided {
            Ok(Decision::Forward(outbound)) => self.forward(link, *outbound, incoming).await,
            Ok(Decision::Upgrade(opening)) => {
                let opened = Box::pin(self.open(link, *opening)).await;
                self.hang_up |= opened.is_err();
                return opened.map(|(response, open)| (response, Some(open)));
            }
            Ok(Decision::Welcome(location)) => {
                self.discard(parts, incoming).await;
                Ok(redirect(location))
            }
            Ok(Decision::Preflight(told)) => {
                self.discard(parts, incoming).await;
                Ok(preflight(*told))
            }
            Ok(Decision::Login(wanted)) => {
                self.discard(parts, incoming).await;
                Box::pin(self.log_in(&wanted, parts)).await
            }
            Ok(Decision::Endpoint(reached)) => Box::pin(self.serve_endpoint(&reached, parts, incoming)).await,
            Ok(Decision::File { route, path }) => {
                self.discard(parts, incoming).await;
                Box::pin(self.serve_file(route, path.path(), parts)).await
            }
            Err(failure) => {
                self.discard(parts, incoming).await;
                // What follows an upgrade was not written as HTTP, whatever it looks like.
                self.hang_up |= self.trail.websocket;
                Err(failure)
            }
        };
        response.map(|response| (response, None))
    }

    async fn decide(&mut self, link: &Link, parts: &mut Parts) -> Result<Decision, Failure> {
        if let Some(reason) = link.verdict().violation() {
            self.hang_up = true;
            return Err(Failure::Framing(reason));
        }
        let (snapshot, worker) = (&self.snapshot, &self.worker);
        decide(snapshot, &worker.bench, &self.caller, &self.correlation, parts, &mut self.trail).await
    }

    /// A body that nobody reads is drained where it is small; otherwise the connection ends with the
    /// answer, so that it is never taken for a request.
    async fn discard(&mut self, parts: &Parts, incoming: Incoming) {
        // Reading would tell a client that waits for 100-continue to go ahead.
        let awaited = parts.headers.contains_key(EXPECT);
        self.hang_up |= !body::is_over(&incoming) && (awaited || !Box::pin(body::drained(incoming)).await);
    }

    async fn forward(
        &mut self,
        link: &Link,
        outbound: Outbound,
        incoming: Incoming,
    ) -> Result<Response<Body>, Failure> {
        let limit = self.snapshot.timeouts.request;
        let upload = Upload::new(incoming, &self.snapshot.headers, link.verdict(), limit);
        self.received = upload.progress();
        let (begun, path) = (Instant::now(), outbound.path.clone());
        let sent = forward::send(&self.worker.client, outbound, upload, &self.snapshot.headers).await;
        self.upstream = Some(begun.elapsed());
        let (mut response, cookies) = sent?;
        if !cookies.is_empty() {
            Box::pin(self.keep(cookies, path.path())).await;
        }
        if self.trail.is_stripped && self.trail.prefix_length > 0 {
            self.put_prefix_back(response.headers_mut());
        }
        Ok(response)
    }

    /// The backend did not see the tenant's prefix, but its client does.
    fn put_prefix_back(&self, headers: &mut HeaderMap) {
        let Some(request) = &self.trail.request else { return };
        let own = request.target.path().get(..self.trail.prefix_length).unwrap_or_default();
        let (prefix, path) = (request.outside(own), request.outside(request.target.path()));
        let authority = request.authority.as_ref().and_then(|authority| authority.to_str().ok());
        rewrite::behind(&Part { prefix: &prefix, authority, path: &path }, headers);
    }

    /// Keeps what a backend sets for its session, or for whom it is.
    async fn keep(&mut self, set: SetByBackend, path: &str) {
        let Ok(outside) = self.outside() else { return };
        let (trail, bench) = (&self.trail, &self.worker.bench);
        let visitor = &trail.visitor;
        let (Some(tenant), Some(destination)) = (&trail.tenant, &trail.destination) else { return };
        let Some(admitted) = &visitor.admitted else { return };
        let answer = BackendAnswer { set, backend: destination.backend(), path };
        let holder = visitor.holder(admitted, tenant, trail.issuer.as_ref());
        let (policy, jar) = (&self.snapshot.sessions, visitor.jar.as_ref());
        let kept = bench.sessions.keep(holder, jar, &answer, policy, &outside.scope).await;
        self.trail.visitor.kept = kept;
    }

    async fn serve_file(&self, route: usize, path: &str, parts: &Parts) -> Result<Response<Body>, Failure> {
        let folder = self.snapshot.local_dirs.get(route).and_then(Option::as_ref).ok_or(Failure::NoRoute)?;
        let original = self.trail.request.as_ref().map_or("/", |request| request.target.as_str());
        let file = folder.serve(&self.method, path, original, &parts.headers).await?;
        Ok(file.map(Body::file))
    }

    async fn log_in(&mut self, wanted: &Wanted, parts: &Parts) -> Result<Response<Body>, Failure> {
        let outside = self.outside()?;
        login::begin(&self.context(&outside, None)?, wanted, parts).await
    }

    async fn serve_endpoint(
        &mut self,
        reached: &Reached,
        parts: &Parts,
        incoming: Incoming,
    ) -> Result<Response<Body>, Failure> {
        let Some(body) = body::collected(incoming).await else {
            self.hang_up = true;
            return Err(Failure::BodyTooLarge);
        };
        let outside = self.outside()?;
        let answer =
            endpoint::serve(reached.endpoint, &self.context(&outside, Some(reached))?, parts, body).await;
        // What an endpoint says of our cookies is the last word.
        if answer.as_ref().is_ok_and(|answer| answer.headers().contains_key(SET_COOKIE)) {
            drop(self.trail.visitor.take_cookies());
        }
        answer
    }

    fn outside(&self) -> Result<Outside, Failure> {
        let request = self.trail.request.as_ref().ok_or(Failure::NoRoute)?;
        Ok(Outside::of(request, self.trail.prefix_length))
    }

    /// What an endpoint answers with. Whoever decides that one answers knows request and tenant.
    fn context<'a>(
        &'a self,
        outside: &'a Outside,
        reached: Option<&'a Reached>,
    ) -> Result<Context<'a>, Failure> {
        let (trail, bench) = (&self.trail, &self.worker.bench);
        let request = trail.request.as_ref().ok_or(Failure::NoRoute)?;
        let rewritten = reached.and_then(|reached| reached.path.as_ref()).map(PathAndQuery::as_str);
        let own = request.target.as_str().get(trail.prefix_length..).unwrap_or_default();
        Ok(Context {
            snapshot: &self.snapshot,
            request,
            path: rewritten.unwrap_or(own),
            correlation: &self.correlation,
            tenant: trail.tenant.as_ref().ok_or(Failure::NoRoute)?,
            issuer: trail.issuer.as_ref(),
            outside,
            session: trail.visitor.opened.as_ref(),
            caller: reached.and_then(|reached| reached.admitted.as_ref()?.caller()),
            sessions: &bench.sessions,
            logins: &bench.logins,
            verifier: &bench.verifier,
            client: &self.worker.client,
            assertions: &bench.assertions,
            tokens: &bench.services,
            lookups: &bench.lookups,
            audit: &self.worker.audit,
            recorder: &self.worker.recorder,
            peer: self.caller.peer.address,
        })
    }

    /// Dresses the answer and has its end recorded.
    pub(super) fn answered(
        mut self: Box<Self>,
        mut response: Response<Body>,
        open: Option<Box<Open>>,
    ) -> Answered<Body> {
        self.tell(response.headers_mut());
        if let Some(token) = self.trail.visitor.csrf_token.take() {
            // The backend may have a token of its own.
            response.headers_mut().entry(csrf::HEADER).or_insert(token);
            response::keep_private(response.headers_mut());
        }
        if self.statistics {
            response.headers_mut().insert(SAP_STATISTICS_APPROUTER, self.durations());
        }
        self.dress(&mut response, self.upstream.is_some());
        let Some(open) = open else { return self.recorded(response, None).into() };
        let status = response.status();
        self.count(status, None);
        Answered { response, tunnel: Some(self.carried(*open, status)) }
    }

    /// How long it took until here, and the backend's part of it, in milliseconds.
    fn durations(&self) -> HeaderValue {
        let milliseconds = |duration: Duration| duration.as_secs_f64() * 1000.0;
        let mut text = format!("total={:.2}", milliseconds(self.started.elapsed()));
        if let Some(upstream) = self.upstream {
            // Writing to a string cannot fail.
            let _ = write!(text, ", ext={:.2}", milliseconds(upstream));
        }
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
    }

    /// The answer to a request that ended early.
    pub(super) fn refused(mut self: Box<Self>, failure: &Failure) -> Response<Body> {
        let id = fresh_id();
        let id = std::str::from_utf8(&id).unwrap_or_default();
        let verdict = failure.verdict();
        self.remember(failure, &verdict, id);
        let mut response = self.dressing.refused(&verdict, id, &self.method, (&self.snapshot, &self.trail));
        self.dress(&mut response, false);
        self.tell(response.headers_mut());
        if self.hang_up {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        self.recorded(response, Some(verdict.code))
    }

    fn dress(&self, response: &mut Response<Body>, from_backend: bool) {
        response::dress(response.headers_mut(), &self.correlation, &self.snapshot.answers, from_backend);
    }

    /// Sets what the browser has to know of its session, and what its page may read.
    fn tell(&mut self, headers: &mut HeaderMap) {
        response::set_cookies(headers, self.trail.visitor.take_cookies());
        if let Some(cors) = &self.snapshot.cors {
            cors.dress(&self.trail.visitor.sharing, headers);
        }
    }

    fn remember(&self, failure: &Failure, verdict: &Verdict, id: &str) {
        let reason = chain(failure);
        let tenant = self.tenant();
        let event = if matches!(failure, Failure::Login(_)) {
            self.worker.recorder.login(LoginResult::Failure);
            audit::Event::LoginRefused
        } else {
            audit::Event::Refused
        };
        self.worker.audit.record(&audit::Entry {
            id: Some(id),
            tenant,
            method: Some(self.method.as_str()),
            path: Some(self.address.path()),
            status: Some(verdict.status.as_u16()),
            code: Some(verdict.code),
            reason: Some(&reason),
            peer: Some(self.caller.peer.address),
            ..audit::Entry::of(event)
        });
        self.worker.denials.remember(Denial {
            id: id.into(),
            time: SystemTime::now(),
            tenant: tenant.map(Into::into),
            method: self.method.as_str().into(),
            path: self.address.path().into(),
            status: verdict.status.as_u16(),
            code: verdict.code,
            reason: reason.into(),
        });
    }

    fn tenant(&self) -> Option<&str> {
        self.trail.tenant.as_ref()?.key.as_ref().map(crate::tenant::TenantKey::as_str)
    }

    /// The last that happens to an answer: what was set before decides whether it is compressed.
    fn recorded(mut self: Box<Self>, response: Response<Body>, code: Option<&'static str>) -> Response<Body> {
        let response = self.dressing.compressed(response, &self.snapshot, &self.worker);
        let status = response.status();
        self.count(status, code);
        self.answered = status;
        self.code = code;
        response.map(|body| body.attended(self))
    }

    fn count(&self, status: StatusCode, code: Option<&'static str>) {
        let destination = self.trail.destination.as_ref().map(|destination| &*destination.name);
        self.worker.recorder.request(&Observation {
            route: self.trail.route,
            status: status.as_u16(),
            tenant: self.tenant(),
            duration: self.started.elapsed(),
            upstream: destination.zip(self.upstream),
            code,
        });
        let counts = self.worker.bench.verifier.counts();
        self.worker.recorder.token_cache(counts.hits, counts.misses);
    }
}

/// Until its answer has ended an exchange holds the tenant's permit; then its line is written.
impl Attendant for Exchange {
    fn ended(self: Box<Self>, bytes: u64, complete: bool) {
        let exchange = &self;
        exchange.worker.access.record(&Entry {
            id: exchange.correlation.request_id.to_str().unwrap_or_default(),
            tenant: exchange.tenant(),
            method: exchange.method.as_str(),
            path: exchange.address.path(),
            route: exchange.trail.route,
            destination: exchange.trail.destination.as_ref().map(|destination| &*destination.name),
            status: self.answered.as_u16(),
            code: self.code.or((!complete).then_some("broke_off")),
            total: exchange.started.elapsed(),
            upstream: exchange.upstream,
            received: exchange.received.as_ref().map_or(0, |progress| progress.bytes()),
            sent: bytes,
            peer: exchange.caller.peer.address,
        });
    }
}

fn preflight(told: HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.headers_mut() = told;
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(0));
    response
}

fn redirect(location: HeaderValue) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    response.headers_mut().insert(LOCATION, location);
    response.headers_mut().insert(CACHE_CONTROL, response::refusal::NO_STORE);
    response
}

/// An error and all that caused it, in one line.
fn chain(failure: &Failure) -> String {
    let mut text = failure.to_string();
    let mut cause = failure.source();
    while let Some(error) = cause {
        // Writing to a string cannot fail.
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
