//! Takes one request through every stage.
//!
//! [`decide`] is the whole of the decision, from canonical request to what would be sent; it changes
//! nothing and sends nothing, so that `explain` and `test` run the very same code. [`Worker`] carries a
//! decision out. Why each stage stands where it does: a request must have one meaning before a tenant is
//! read from it; the tenant must be known before anything is counted, fetched or redirected for it; what
//! is required of the caller is a property of the route, so admission follows the route.

mod dressing;
mod exchange;
mod navigation;
mod place;
mod service;
mod upgrade;
mod visitor;
mod watch;

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Request};
use hyper::body::Incoming;

use crate::auth::login::Logins;
use crate::auth::{
    self, Admitted, Asking, Assertions, AuthenticationType, Issuer, Passwords, ServiceTokens, Verifier,
};
use crate::clock::Clock;
use crate::destination::{Destination, Lookups};
use crate::endpoint::login::Wanted;
use crate::endpoint::{self, Endpoint};
use crate::error::Failure;
use crate::forward::body::Body;
use crate::forward::client::Client;
use crate::forward::{self, Inbound, Outbound};
use crate::listener::connection::{Answer, Answered, Link};
use crate::observe::access::AccessLog;
use crate::observe::audit::Audit;
use crate::observe::denials::Denials;
use crate::observe::metrics::Recorder;
use crate::request::correlation::Correlation;
use crate::request::websocket::Handshake;
use crate::request::{self, CanonicalRequest, Peer, Target};
use crate::response::compress::Room;
use crate::route::welcome::Welcome;
use crate::route::{Action, Matched, Picked, Route};
use crate::session::{Jar, Sessions, SessionsError, SessionsSettings, StoreSettings, csrf};
use crate::snapshot::{Published, Snapshot};
use crate::tenant::limit::Permit;
use crate::tenant::{HostMemo, Meters, Resolved, Tenant};

use self::exchange::Exchange;
use self::place::Place;
pub use self::upgrade::Opening;
use self::visitor::Door;
pub use self::visitor::Visitor;
pub use self::watch::WebSockets;

/// Who sent a request, and over what.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The socket's other end.
    pub peer: Peer,
    /// Its address as text, for `x-forwarded-for`.
    pub forwarded_for: HeaderValue,
}

/// How far a request came, for log, metrics and `explain`; filled in on the way, whatever the outcome.
#[derive(Debug, Default)]
pub struct Trail {
    /// The request as it was understood.
    pub request: Option<CanonicalRequest>,
    /// Path and query as routes see them: without the tenant's prefix, where that is stripped.
    pub target: Option<Target>,
    /// The tenant.
    pub tenant: Option<Arc<Tenant>>,
    /// Counts the request as one of the tenant's, while it lives.
    pub permit: Option<Permit>,
    /// Who vouches for the tenant's people.
    pub issuer: Option<Arc<Issuer>>,
    /// How many bytes of the path are the tenant's prefix.
    pub prefix_length: usize,
    /// Whether routes and backends do not see that prefix.
    pub is_stripped: bool,
    /// Who comes, as far as cookies tell.
    pub visitor: Visitor,
    /// The place of the route.
    pub route: Option<usize>,
    /// The destination.
    pub destination: Option<Arc<Destination>>,
    /// Whether the request asks for a WebSocket, rightly or not.
    pub websocket: bool,
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Decision {
    /// The welcome file is redirected to.
    Welcome(HeaderValue),
    /// A file of the route at this place is served.
    File {
        /// The route's place.
        route: usize,
        /// Path and query behind the folder.
        path: PathAndQuery,
    },
    /// It is forwarded.
    Forward(Box<Outbound>),
    /// It is asked for as a WebSocket.
    Upgrade(Box<Opening>),
    /// Another origin's page is told what it may ask.
    Preflight(Box<HeaderMap>),
    /// An endpoint of our own answers.
    Endpoint(Box<Reached>),
    /// The person is sent to log in.
    Login(Wanted),
}

/// An endpoint that a request came to.
#[derive(Debug)]
pub struct Reached {
    /// Which.
    pub endpoint: Endpoint,
    /// The path that a route made of the request's; nothing where the address alone led here.
    pub path: Option<PathAndQuery>,
    /// Proof that the caller may, where a route led here.
    pub admitted: Option<Admitted>,
}

/// What a decision is made with, besides the snapshot.
pub struct Bench {
    /// Verifies tokens.
    pub verifier: Verifier,
    /// Remembers hosts.
    pub memo: Mutex<HostMemo>,
    /// Counts what tenants use.
    pub meters: Arc<Meters>,
    /// Signs what backends are told.
    pub assertions: Arc<Assertions>,
    /// Who is logged in.
    pub sessions: Sessions,
    /// Logs people in.
    pub logins: Arc<Logins>,
    /// Checks users and passwords.
    pub passwords: Arc<Passwords>,
    /// Tokens for bound services.
    pub services: ServiceTokens,
    /// Finds what the Destination service knows.
    pub lookups: Lookups,
    /// The time.
    pub clock: Clock,
    /// Whether decisions are explained and never carried out: no issuer is asked for anybody.
    pub rehearsal: bool,
}

impl Bench {
    /// Sessions of nobody, for decisions that are only explained.
    pub fn nobody(runtime: &tokio::runtime::Handle, clock: &Clock) -> Result<Sessions, SessionsError> {
        Sessions::new(SessionsSettings {
            store: StoreSettings::Memory,
            secrets: Vec::new(),
            runtime: runtime.clone(),
            clock: clock.clone(),
            ended: None,
            backend_cookies: None,
        })
    }
}

/// Decides what becomes of the request with `parts`; its headers are taken only if it is forwarded.
pub async fn decide(
    snapshot: &Snapshot,
    bench: &Bench,
    caller: &Caller,
    correlation: &Correlation,
    parts: &mut Parts,
    trail: &mut Trail,
) -> Result<Decision, Failure> {
    trail.websocket = request::websocket::is_asked(parts);
    let request = &*trail.request.insert(request::canonicalize(parts, &caller.peer, &snapshot.trust)?);
    let resolved = resolve(snapshot, bench, request)?;
    (trail.prefix_length, trail.is_stripped) = (resolved.prefix_length, resolved.strip);
    let tenant = &*trail.tenant.insert(Arc::clone(&resolved.tenant));
    trail.permit = Some(bench.meters.admit(tenant)?);
    trail.issuer = snapshot.issuers.of(tenant);
    let issuer = trail.issuer.as_ref();
    let prefix_length = resolved.prefix_length;
    let door = Door { snapshot, bench, caller, correlation, tenant, issuer, request, prefix_length };
    let target = &*trail.target.insert(target(request, &resolved));
    let handshake = upgrade::handshake(snapshot, request, parts, trail.websocket)?;
    if let Some(endpoint) = endpoint::at(snapshot, door.issuer, &request.method, door.path()) {
        return reach(&door, endpoint, &parts.headers, handshake.is_some(), &mut trail.visitor).await;
    }
    let picked = pick(&door, &resolved, target, &parts.headers, handshake.is_some(), &mut trail.visitor)?;
    let matched = match picked {
        ControlFlow::Continue(matched) => matched,
        ControlFlow::Break(decision) => return Ok(decision),
    };
    let route = matched.route;
    trail.route = Some(route.index);
    let admitted = match admit(&door, route, &parts.headers, &mut trail.visitor).await {
        Ok(admitted) => admitted,
        // Nobody waits for a page behind a WebSocket.
        Err(failure) if handshake.is_some() => return Err(failure),
        Err(failure) => return navigation::login_or(failure, &door, route, &parts.headers),
    };
    let way = Way { matched: &matched, handshake };
    proceed(&door, way, admitted, parts, &mut trail.destination, &mut trail.visitor).await
}

/// Where an admitted request goes on.
struct Way<'a> {
    matched: &'a Matched<'a>,
    /// Where it asks for a WebSocket.
    handshake: Option<Handshake>,
}

/// What becomes of a request whose caller is admitted to its route; notes in `to` where it is sent.
async fn proceed(
    door: &Door<'_>,
    Way { matched, handshake }: Way<'_>,
    admitted: Admitted,
    parts: &mut Parts,
    to: &mut Option<Arc<Destination>>,
    visitor: &mut Visitor,
) -> Result<Decision, Failure> {
    let route = matched.route;
    let outbound = match &route.action {
        Action::LocalDir(_) | Action::UserApi if handshake.is_some() => return Err(Failure::NoRoute),
        Action::LocalDir(_) => {
            return Ok(Decision::File { route: route.index, path: matched.rewritten("")? });
        }
        Action::UserApi => {
            let path = Some(matched.rewritten("")?);
            let reached = Reached { endpoint: Endpoint::User, path, admitted: Some(admitted) };
            return Ok(Decision::Endpoint(Box::new(reached)));
        }
        // Boxed, as every request's future would be as large as this one.
        Action::Service(place) => {
            let jar = visitor.jar(door, &admitted, &parts.headers).await;
            Box::pin(service::outbound(door, matched, &admitted, *place, parts, to, jar)).await?
        }
        Action::Destination(name) => {
            let destination = match place::of(door, name, matched)? {
                Place::Known(known) => Arc::clone(known),
                Place::Unknown(wanted) => Box::pin(wanted.looked_up(door, matched, &admitted)).await?,
            };
            let destination = &*to.insert(destination);
            let jar = visitor.jar(door, &admitted, &parts.headers).await;
            let headers = std::mem::take(&mut parts.headers);
            let mut outbound = outbound(door, matched, &admitted, destination, headers, jar)?;
            if destination.particulars.is_some() {
                Box::pin(place::dress(door, &admitted, &mut outbound)).await?;
            }
            outbound
        }
    };
    if let Some(handshake) = handshake {
        return upgrade::opening(outbound, &handshake, &admitted, visitor.opened.as_ref());
    }
    visitor.admitted = Some(admitted);
    Ok(Decision::Forward(Box::new(outbound)))
}

/// An endpoint that the address alone leads to; no WebSocket leads there.
async fn reach(
    door: &Door<'_>,
    endpoint: Endpoint,
    headers: &HeaderMap,
    socket: bool,
    visitor: &mut Visitor,
) -> Result<Decision, Failure> {
    if socket {
        return Err(Failure::NoRoute);
    }
    // The others ask for a session themselves, or for none.
    if endpoint == Endpoint::Callback {
        visitor.look_closely(door, headers).await?;
    }
    Ok(Decision::Endpoint(Box::new(Reached { endpoint, path: None, admitted: None })))
}

/// The route that the request takes, or what becomes of it without one; `socket` says that it asks for a
/// WebSocket, which is neither another origin's request nor led to a page.
fn pick<'r>(
    door: &Door<'r>,
    resolved: &Resolved,
    target: &'r Target,
    headers: &HeaderMap,
    socket: bool,
    visitor: &mut Visitor,
) -> Result<ControlFlow<Decision, Matched<'r>>, Failure> {
    let told = if socket { None } else { visitor.share(door, target, headers)? };
    if let Some(told) = told {
        return Ok(ControlFlow::Break(Decision::Preflight(told)));
    }
    match door.snapshot.routes.pick(&door.request.method, target, csrf::is_fetch(headers)) {
        Picked::Route(matched) => Ok(ControlFlow::Continue(matched)),
        Picked::Welcome(_) if socket => Err(Failure::NoRoute),
        Picked::Welcome(welcome) => {
            Ok(ControlFlow::Break(Decision::Welcome(location(door.request, resolved, welcome))))
        }
        Picked::MethodNotAllowed(allow) => Err(Failure::Method(allow)),
        Picked::NotFound => Err(Failure::NoRoute),
        Picked::Undecided(route) => Err(Failure::Undecided(route.index)),
    }
}

/// What `destination` is sent.
fn outbound(
    door: &Door<'_>,
    matched: &Matched<'_>,
    admitted: &Admitted,
    destination: &Arc<Destination>,
    headers: HeaderMap,
    jar: Option<&Jar>,
) -> Result<Outbound, Failure> {
    let Door { snapshot, bench, caller, correlation, tenant, request, .. } = *door;
    let path = matched.rewritten(&destination.base)?;
    let pattern = matched.route.pattern.source();
    let assertion = snapshot.assertion.then(|| bench.assertions.sign(tenant, admitted.caller(), pattern));
    let inbound = Inbound {
        request,
        correlation,
        forwarded_for: &caller.forwarded_for,
        tenant,
        requirement: &matched.route.requirement,
        admitted,
        assertion: assertion.flatten(),
        jar,
        passes_session_cookies: matched.route.passes_session_cookies,
        policy: &snapshot.headers,
    };
    Ok(forward::prepare(&inbound, destination, path, headers))
}

/// Admits the caller to `route`, by its session where the route takes one.
async fn admit(
    door: &Door<'_>,
    route: &Route,
    headers: &HeaderMap,
    visitor: &mut Visitor,
) -> Result<Admitted, Failure> {
    let fetches = csrf::is_fetch(headers);
    match route.requirement.kind {
        AuthenticationType::Xsuaa | AuthenticationType::Ias | AuthenticationType::Oidc => {
            visitor.look_closely(door, headers).await?;
        }
        // A session is nothing that an open route asks for: where it cannot be looked up, so be it.
        AuthenticationType::None => drop(visitor.look(door, headers).await),
        AuthenticationType::Jwt
        | AuthenticationType::Basic
        | AuthenticationType::TenantBasic
        | AuthenticationType::TenantToken => {}
    }
    let presented = auth::identify(headers);
    let asking = Asking {
        tenant: door.tenant,
        issuer: door.issuer,
        request: door.request,
        headers,
        presented: &presented,
        passwords: Some(&*door.bench.passwords).filter(|_| !door.bench.rehearsal),
        session: visitor.opened.as_ref().map(|opened| &opened.session),
        invited: visitor.sharing.invited(),
        service_csrf: door.snapshot.sessions.service_csrf,
    };
    let admitted = auth::admit(&door.bench.verifier, &route.requirement, &asking).await?;
    if fetches && route.requirement.csrf {
        let of_session = || asking.session.and_then(|session| session.csrf_token.header());
        let caller = admitted.handed_on().filter(|_| asking.service_csrf);
        let of_caller = caller.and_then(|caller| csrf::Token::of_caller(caller)?.header());
        visitor.csrf_token = of_caller.or_else(of_session);
    }
    Ok(admitted)
}

fn resolve(snapshot: &Snapshot, bench: &Bench, request: &CanonicalRequest) -> Result<Resolved, Failure> {
    let mut memo = bench.memo.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(snapshot.tenants.resolve_with(request, &mut memo)?)
}

/// What routes match: the target, without the tenant's prefix where that is stripped.
fn target(request: &CanonicalRequest, resolved: &Resolved) -> Target {
    if resolved.strip {
        request.target.without_prefix(resolved.prefix_length)
    } else {
        request.target.clone()
    }
}

/// The welcome file's address as the client sees it: behind the tenant's prefix, where that is stripped, and
/// behind what a proxy took off.
fn location(request: &CanonicalRequest, resolved: &Resolved, welcome: &Welcome) -> HeaderValue {
    let own = request.target.path().get(..resolved.prefix_length).filter(|_| resolved.strip);
    match &*request.outside(own.unwrap_or_default()) {
        "" => welcome.location().clone(),
        prefix => welcome.location_behind(prefix),
    }
}

/// What one worker serves requests with; nothing of its hot path is shared with another worker.
#[derive(Clone)]
pub struct Worker(Arc<Inner>);

/// What a [`Worker`] is made of.
pub struct Inner {
    /// Where snapshots come from.
    pub published: Arc<Published>,
    /// What decisions are made with.
    pub bench: Bench,
    /// Connections to backends.
    pub client: Client,
    /// Counters.
    pub recorder: Recorder,
    /// The access log.
    pub access: AccessLog,
    /// Who came in, and who did not.
    pub audit: Audit,
    /// The last refusals.
    pub denials: Arc<Denials>,
    /// The WebSockets that are open.
    pub websockets: WebSockets,
    /// How much is compressed at once.
    pub room: Room,
}

impl Worker {
    /// A worker over `inner`.
    #[must_use]
    pub fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Watches over the WebSockets that are open, until the process stops, and ends them then.
    pub async fn watch(&self, drain: tokio::sync::watch::Receiver<bool>) {
        WebSockets::keep(&self.0, drain).await;
    }

    /// Closes what has been unused for long. Called now and then.
    pub fn expire(&self) {
        self.0.client.expire();
    }
}

impl Answer for Worker {
    type Body = Body;

    fn answer(
        &self,
        link: &Arc<Link>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Answered<Body>> + Send + 'static {
        let (worker, link) = (self.clone(), Arc::clone(link));
        Box::pin(async move {
            let (mut parts, incoming) = request.into_parts();
            let mut exchange = Exchange::begin(&worker.0, &link, &parts);
            match exchange.proceed(&link, &mut parts, incoming).await {
                Ok((response, open)) => exchange.answered(response, open),
                Err(failure) => exchange.refused(&failure).into(),
            }
        })
    }
}
