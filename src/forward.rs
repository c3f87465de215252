//! Sends the request on, and streams both ways.
//!
//! [`prepare`] says what would be sent, [`send`] sends it; `explain` uses the first without the second.
//! Both need an [`Admitted`], which only admission can make. What the backend is told of tenant and
//! caller is added last and stands alone. A backend's answer that could be read in two ways is not
//! passed on, and its connection is not used again.

pub mod body;
pub mod client;
mod connect;
pub mod farewell;
pub mod files;
pub mod headers;
pub mod resolve;
pub mod tls;
pub mod upgrade;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, TE, TRAILER};
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use http_body::Body as _;

use self::body::{Body, BodyError, Progress, Upload};
use self::client::{Client, PoolKey, SendError};
use self::connect::ConnectError;
pub use self::connect::Connector;
use self::headers::HeaderPolicy;
use self::upgrade::UpgradeError;
use crate::auth::{Admitted, AuthenticationType, Requirement};
use crate::destination::Destination;
use crate::request::correlation::{Correlation, TRACEPARENT, X_CORRELATIONID, X_REQUEST_ID};
use crate::request::statistics::{self, SAP_STATISTICS};
use crate::request::{CanonicalRequest, Scheme};
use crate::session::jar::{self, SetByBackend};
use crate::session::{Identity, Jar};
use crate::tenant::{Tenant, TenantKey};

/// How long response headers may take, where the destination says nothing.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// How many headers a request gets from us, about.
const OURS: usize = 14;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_PATH: HeaderName = HeaderName::from_static("x-forwarded-path");
const X_CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");
const X_TENANT_ASSERTION: HeaderName = HeaderName::from_static("x-tenant-assertion");

/// Why a backend did not answer; `destination` is for the log.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// No connection could be opened.
    #[error("destination {destination} cannot be reached")]
    Unreachable {
        /// Which.
        destination: Arc<str>,
        /// Why.
        #[source]
        source: ConnectError,
    },
    /// The connection did not open in time.
    #[error("destination {destination} did not take the connection in time")]
    ConnectTimeout {
        /// Which.
        destination: Arc<str>,
    },
    /// The connection broke, or what came back is not HTTP.
    #[error("destination {destination} broke off")]
    Broken {
        /// Which.
        destination: Arc<str>,
        /// Why.
        #[source]
        source: hyper::Error,
    },
    /// The answer is framed in two ways at once.
    #[error("destination {destination} framed its answer in two ways")]
    Ambiguous {
        /// Which.
        destination: Arc<str>,
    },
    /// 101 without having been asked.
    #[error("destination {destination} changed the protocol unasked")]
    Unasked {
        /// Which.
        destination: Arc<str>,
    },
    /// It opened no WebSocket.
    #[error("destination {destination} opened no WebSocket")]
    Upgrade {
        /// Which.
        destination: Arc<str>,
        /// What it did instead.
        #[source]
        source: UpgradeError,
    },
    /// No response headers in time.
    #[error("destination {destination} sent no response headers within {} ms", .after.as_millis())]
    Timeout {
        /// Which.
        destination: Arc<str>,
        /// After how long.
        after: Duration,
    },
    /// The client's body stood still or crept.
    #[error("the request's body did not come in time")]
    ClientTooSlow,
    /// The client's body broke off.
    #[error("the request's body broke off")]
    ClientBroke,
    /// Path and authority make no address.
    #[error("destination {destination} and the path make no address")]
    Address {
        /// Which.
        destination: Arc<str>,
    },
}

/// Everything about a request that the backend's copy is made of.
pub struct Inbound<'a> {
    /// What came in.
    pub request: &'a CanonicalRequest,
    /// Its ids.
    pub correlation: &'a Correlation,
    /// The peer's address as text.
    pub forwarded_for: &'a HeaderValue,
    /// Whose it is.
    pub tenant: &'a Tenant,
    /// What the route asked for.
    pub requirement: &'a Requirement,
    /// Proof that the caller may.
    pub admitted: &'a Admitted,
    /// `x-tenant-assertion`, where that is on.
    pub assertion: Option<HeaderValue>,
    /// What backends have set for the caller.
    pub jar: Option<&'a Jar>,
    /// Whether the browser keeps this backend's session cookies itself.
    pub passes_session_cookies: bool,
    /// Which headers pass.
    pub policy: &'a HeaderPolicy,
}

/// A request as it will be sent.
#[derive(Debug)]
pub struct Outbound {
    /// Where to.
    pub destination: Arc<Destination>,
    /// Whose connections carry it.
    pub tenant: Option<TenantKey>,
    /// The method.
    pub method: Method,
    /// Path and query.
    pub path: PathAndQuery,
    /// Its headers, all of them but framing.
    pub headers: HeaderMap,
    /// Whether the session cookies that the answer sets go to the client.
    pub passes_session_cookies: bool,
}

/// What `destination` would be sent for a request that came with `headers`.
#[must_use]
pub fn prepare(
    inbound: &Inbound<'_>,
    destination: &Arc<Destination>,
    path: PathAndQuery,
    mut headers: HeaderMap,
) -> Outbound {
    let chain = forwarded_for(inbound, &headers);
    let takes_trailers = headers::takes_trailers(&headers);
    // Once, instead of growing as ours come in.
    headers.reserve(OURS);
    let trailer = inbound.policy.announced_trailers(&headers);
    inbound.policy.strip_request(&mut headers, inbound.request.trusted);
    if let Some(jar) = inbound.jar {
        let cookies = jar.cookies(&destination.backend(), path.path());
        // Who keeps a session's cookies elsewhere may send others of the same name.
        headers::add_cookies(&mut headers, &cookies, inbound.admitted.session().is_none());
    }
    authorize(inbound, destination, &mut headers);
    forwarded(inbound, destination, chain, &mut headers);
    headers.insert(X_REQUEST_ID, inbound.correlation.request_id.clone());
    headers.insert(X_CORRELATIONID, inbound.correlation.correlation_id.clone());
    headers.insert(TRACEPARENT, inbound.correlation.traceparent.clone());
    if statistics::are_wanted_by(inbound.request.target.query()) {
        headers.insert(SAP_STATISTICS, HeaderValue::from_static("true"));
    }
    headers.insert(HOST, destination.host.clone());
    headers.extend(trailer.map(|names| (TRAILER, names)));
    if takes_trailers && (destination.endpoint.http2 || destination.endpoint.tls.is_some()) {
        // gRPC asks for it; the only value that HTTP/2 allows (RFC 9113 §8.2.2).
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    for (name, value) in inbound.tenant.headers() {
        headers.insert(name.clone(), value.clone());
    }
    if let Some(assertion) = &inbound.assertion {
        headers.insert(X_TENANT_ASSERTION, assertion.clone());
    }
    Outbound {
        destination: Arc::clone(destination),
        tenant: inbound.tenant.key.clone(),
        method: inbound.request.method.clone(),
        path,
        headers,
        passes_session_cookies: inbound.passes_session_cookies,
    }
}

/// What the backend learns of the caller, and the credentials it gets.
fn authorize(inbound: &Inbound<'_>, destination: &Destination, headers: &mut HeaderMap) {
    let public = inbound.requirement.kind == AuthenticationType::None;
    if !public {
        headers.remove(AUTHORIZATION);
    }
    if !public && inbound.requirement.csrf {
        headers.remove(X_CSRF_TOKEN);
    }
    if let Some(caller) = inbound.admitted.caller() {
        introduce(caller, destination, inbound.policy, headers);
    }
}

/// Who the user is, and the token where that is due.
fn introduce(caller: &Identity, destination: &Destination, policy: &HeaderPolicy, headers: &mut HeaderMap) {
    if destination.forward_auth_token {
        headers.insert(AUTHORIZATION, caller.bearer.clone());
    }
    if let Some(name) = &caller.user_name {
        headers.insert(policy.user.name.clone(), name.clone());
    }
    if let Some(email) = &caller.email {
        headers.insert(policy.user.email.clone(), email.clone());
    }
}

/// `x-forwarded-for`: the peer, behind what a trusted peer already said, be it in one field or several.
fn forwarded_for(inbound: &Inbound<'_>, headers: &HeaderMap) -> HeaderValue {
    let own = inbound.forwarded_for;
    if !inbound.request.trusted || !headers.contains_key(X_FORWARDED_FOR) {
        return own.clone();
    }
    let chain: Vec<&[u8]> =
        headers.get_all(X_FORWARDED_FOR).iter().chain([own]).map(HeaderValue::as_bytes).collect();
    HeaderValue::from_bytes(&chain.join(&b", "[..])).unwrap_or_else(|_| own.clone())
}

fn forwarded(inbound: &Inbound<'_>, destination: &Destination, chain: HeaderValue, headers: &mut HeaderMap) {
    if !destination.set_x_forwarded_headers {
        for name in [X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PROTO, X_FORWARDED_PATH] {
            headers.remove(name);
        }
        return;
    }
    let request = inbound.request;
    headers.insert(X_FORWARDED_FOR, chain);
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(request.scheme.as_str()));
    match &request.authority {
        Some(authority) => headers.insert(X_FORWARDED_HOST, authority.clone()),
        None => headers.remove(X_FORWARDED_HOST),
    };
    if let Ok(path) = HeaderValue::from_str(&request.outside(request.target.path())) {
        headers.insert(X_FORWARDED_PATH, path);
    }
}

/// Sends `outbound` with `upload` as its body, and returns the backend's answer as it begins, apart from
/// the session cookies that are to be kept here.
pub async fn send(
    client: &Client,
    outbound: Outbound,
    upload: Upload,
    policy: &Arc<HeaderPolicy>,
) -> Result<(Response<Body>, SetByBackend), ForwardError> {
    let destination = Arc::clone(&outbound.destination);
    let named = || Arc::clone(&destination.name);
    let key = PoolKey { tenant: outbound.tenant.clone(), endpoint: Arc::clone(&destination.endpoint) };
    let (head, passes) = (outbound.method == Method::HEAD, outbound.passes_session_cookies);
    let progress = upload.progress();
    let request = request(outbound, upload).ok_or_else(|| ForwardError::Address { destination: named() })?;
    let after = destination.timeout.unwrap_or(DEFAULT_TIMEOUT);
    let mut sending = std::pin::pin!(client.send(key, request));
    let answer = within(after, progress.as_ref(), sending.as_mut()).await;
    let answer = answer.ok_or_else(|| ForwardError::Timeout { destination: named(), after })?;
    let (answer, lease) = answer.map_err(|error| failed(named(), error))?;
    if let Some(progress) = progress {
        progress.answered();
    }
    let (mut parts, incoming) = answer.into_parts();
    if parts.status == StatusCode::SWITCHING_PROTOCOLS {
        return Err(ForwardError::Unasked { destination: named() });
    }
    if headers::is_ambiguously_framed(&parts.headers) {
        return Err(ForwardError::Ambiguous { destination: named() });
    }
    let trailer = policy.announced_trailers(&parts.headers).filter(|_| is_open_ended(&incoming));
    let set = if passes { SetByBackend::default() } else { jar::take(&mut parts.headers) };
    policy.strip_response(&mut parts.headers, head || parts.status == StatusCode::NOT_MODIFIED);
    parts.headers.extend(trailer.map(|names| (TRAILER, names)));
    parts.version = Version::HTTP_11;
    parts.extensions.clear();
    Ok((Response::from_parts(parts, Body::relayed(incoming, lease, policy)), set))
}

/// What `sending` comes to, if it does within `after` of the last byte of the request.
async fn within<T>(
    after: Duration,
    upload: Option<&Arc<Progress>>,
    mut sending: Pin<&mut impl Future<Output = T>>,
) -> Option<T> {
    let mut wait = after;
    loop {
        if let Ok(answer) = tokio::time::timeout(wait, sending.as_mut()).await {
            return Some(answer);
        }
        // While the client still sends, only its own body's limits count.
        wait = after.checked_sub(upload?.quiet()).filter(|wait| !wait.is_zero())?;
    }
}

/// Whether the body's length is not known beforehand; only behind such a body HTTP/1.1 has trailers.
fn is_open_ended(body: &impl http_body::Body) -> bool {
    !body.is_end_stream() && body.size_hint().exact().is_none()
}

/// HTTP/2 and proxies need scheme and authority; the client takes them off again where HTTP/1.1 is spoken
/// to the backend itself.
fn request(outbound: Outbound, upload: Upload) -> Option<Request<Upload>> {
    let destination = &outbound.destination;
    let mut uri = http::uri::Parts::default();
    uri.path_and_query = Some(outbound.path);
    let endpoint = &destination.endpoint;
    if endpoint.http2 || endpoint.tls.is_some() || endpoint.proxy.is_some() {
        uri.scheme = Some(match destination.scheme {
            Scheme::Http => http::uri::Scheme::HTTP,
            Scheme::Https => http::uri::Scheme::HTTPS,
        });
        uri.authority = Some(named(destination, &outbound.headers));
    }
    let mut headers = outbound.headers;
    if !is_open_ended(&upload) {
        headers.remove(TRAILER);
    }
    if upload.is_end_stream() && [Method::POST, Method::PUT, Method::PATCH].contains(&outbound.method) {
        // hyper leaves it out, and a backend may insist on it (RFC 9110 §8.6).
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    let mut request = Request::new(upload);
    *request.method_mut() = outbound.method;
    *request.uri_mut() = Uri::from_parts(uri).ok()?;
    *request.headers_mut() = headers;
    Some(request)
}

/// The authority that the backend is asked by: its own, or the one that the client named, where that is
/// preserved. A proxy needs the real one.
fn named(destination: &Destination, headers: &HeaderMap) -> Authority {
    let preserves = destination.particulars.as_ref().is_some_and(|particulars| particulars.preserve_host);
    let host = headers.get(HOST).filter(|_| preserves && destination.endpoint.proxy.is_none());
    let named = host.and_then(|host| Authority::try_from(host.as_bytes()).ok());
    named.unwrap_or_else(|| destination.authority.clone())
}

fn failed(destination: Arc<str>, error: SendError) -> ForwardError {
    match error {
        SendError::Connect(ConnectError::Timeout) => ForwardError::ConnectTimeout { destination },
        SendError::Connect(source) => ForwardError::Unreachable { destination, source },
        SendError::Exchange(source) => match of_the_client(&source) {
            Some(BodyError::Idle(_) | BodyError::Slow | BodyError::Late(_)) => ForwardError::ClientTooSlow,
            Some(BodyError::Broken(_) | BodyError::Ambiguous | BodyError::File(_) | BodyError::Coding(_)) => {
                ForwardError::ClientBroke
            }
            None => ForwardError::Broken { destination, source },
        },
    }
}

/// The client's part in a failed exchange: its body, where that is what failed.
fn of_the_client(error: &hyper::Error) -> Option<&BodyError> {
    std::error::Error::source(error).and_then(|source| source.downcast_ref())
}
