//! Takes one request through every stage.
//!
//! [`decide`] is the whole of the decision, from canonical request to what would be sent; it changes
//! nothing and sends nothing, so that `explain` and `test` run the very same code. [`Worker`] carries a
//! decision out. Why each stage stands where it does: a request must have one meaning before a tenant is
//! read from it; the tenant must be known before anything is counted, fetched or redirected for it; what
//! is required of the caller is a property of the route, so admission follows the route.

mod exchange;

use std::sync::{Arc, Mutex, PoisonError};

use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Request, Response};
use hyper::body::Incoming;

use crate::auth::{self, Admitted, Verifier};
use crate::destination::Destination;
use crate::error::Failure;
use crate::forward::body::{Body, Upload, Watch};
use crate::forward::client::Client;
use crate::forward::{self, Inbound, Outbound};
use crate::listener::connection::{Answer, Link};
use crate::observe::access::AccessLog;
use crate::observe::denials::Denials;
use crate::observe::metrics::Recorder;
use crate::request::correlation::Correlation;
use crate::request::{self, CanonicalRequest, Peer, Target};
use crate::response;
use crate::route::{Action, DestinationName, Matched, Picked, Route};
use crate::snapshot::{Published, Snapshot};
use crate::tenant::{HostMemo, Meters, Resolved, Tenant};

use self::exchange::Exchange;

const X_CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");

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
    /// The place of the route.
    pub route: Option<usize>,
    /// The destination.
    pub destination: Option<Arc<Destination>>,
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
}

/// What a decision is made with, besides the snapshot.
pub struct Bench<'a> {
    /// Verifies tokens.
    pub verifier: &'a Verifier,
    /// Remembers hosts.
    pub memo: &'a Mutex<HostMemo>,
}

/// Decides what becomes of the request with `parts`.
pub async fn decide(
    snapshot: &Snapshot,
    bench: &Bench<'_>,
    caller: &Caller,
    correlation: &Correlation,
    mut parts: Parts,
    trail: &mut Trail,
) -> Result<(Decision, Parts), Failure> {
    let request = trail.request.insert(request::canonicalize(&parts, &caller.peer, &snapshot.trust)?);
    let resolved = resolve(snapshot, bench, request)?;
    let tenant = trail.tenant.insert(Arc::clone(&resolved.tenant));
    let target = trail.target.insert(target(request, &resolved));
    if forward::headers::is_websocket_upgrade(&parts.headers) {
        return Err(Failure::WebSocket);
    }
    let presented = auth::identify(&parts.headers);
    let fetches_token = fetches_csrf_token(&parts);
    let matched = match snapshot.routes.pick(&request.method, target, fetches_token) {
        Picked::Route(matched) => matched,
        Picked::Welcome(welcome) => return Ok((Decision::Welcome(location(request, &resolved, welcome)), parts)),
        Picked::MethodNotAllowed(allow) => return Err(Failure::Method(allow)),
        Picked::NotFound => return Err(Failure::NoRoute),
        Picked::Undecided(route) => return Err(Failure::Undecided(route.index)),
    };
    let route = matched.route;
    trail.route = Some(route.index);
    let issuer = snapshot.issuers.of(tenant);
    let requirement = &route.requirement;
    let admitted =
        auth::admit(bench.verifier, issuer.as_ref(), tenant, requirement, &presented, request).await?;
    let name = match &route.action {
        Action::LocalDir(_) => {
            let path = matched.rewritten("")?;
            return Ok((Decision::File { route: route.index, path }, parts));
        }
        Action::Destination(name) => name,
    };
    let destination = destination(snapshot, name, &matched, tenant, request).ok_or(Failure::NoDestination)?;
    let destination = trail.destination.insert(Arc::clone(destination));
    let path = matched.rewritten(&destination.base)?;
    let inbound = inbound(snapshot, caller, correlation, request, tenant, route, &admitted);
    let outbound = forward::prepare(&inbound, destination, path, std::mem::take(&mut parts.headers));
    Ok((Decision::Forward(Box::new(outbound)), parts))
}
