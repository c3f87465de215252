//! Every early end of a request, and its status.
//!
//! Each stage has its own small enum of reasons; here they come together and one exhaustive table makes
//! statuses and codes of them. `Display` and the sources are for the log and the admin port; a caller is
//! told [`Verdict`]'s fixed words only, so that nothing of a token, an address or another tenant can get
//! into an answer.

mod login;
mod logout;
mod lookup;
mod service;
mod websocket;

use std::time::Duration;

use http::header::{ALLOW, CONTENT_RANGE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use smallvec::SmallVec;

use crate::auth::{Refused, ServiceTokenError};
use crate::destination::lookup::LookupError;
use crate::forward::ForwardError;
use crate::forward::files::{self, Unserved};
use crate::request::Malformed;
use crate::request::Violation;
use crate::request::websocket::Unopened;
use crate::route::RewriteError;
use crate::route::cors::NotShared;
use crate::session;
use crate::tenant::Unresolved;
use crate::tenant::limit::Limited;

pub use login::{FailedLogin, LoginFault};
pub use logout::LogoutFault;

const X_CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");

/// Why a request ended before anything was forwarded, or while it was.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The request has no single meaning.
    #[error("the request is not canonical")]
    Request(#[from] Malformed),
    /// The connection's bytes have more than one meaning.
    #[error("the framing of the connection is ambiguous")]
    Framing(#[source] Violation),
    /// No tenant, or none that is served.
    #[error("no tenant is served here")]
    Tenant(#[from] Unresolved),
    /// The tenant asks too much.
    #[error("the tenant's limit is reached")]
    Limit(#[from] Limited),
    /// A WebSocket that is not opened.
    #[error("the WebSocket is not opened")]
    WebSocket(#[from] Unopened),
    /// Another origin's page may not ask for this.
    #[error("another origin may not ask for this")]
    CrossOrigin(#[from] NotShared),
    /// No route matches.
    #[error("no route matches")]
    NoRoute,
    /// Routes match, but none takes the method.
    #[error("no route that matches takes the method")]
    Method(HeaderValue),
    /// A pattern took more steps than a request may take.
    #[error("whether route {0} matches could not be found out in time")]
    Undecided(usize),
    /// The rewritten path may not be sent.
    #[error("the route's target makes no path of this request")]
    Rewrite(#[from] RewriteError),
    /// The caller is not admitted.
    #[error("the caller is not admitted")]
    Refused(#[from] Refused),
    /// A login came to nothing.
    #[error(transparent)]
    Login(Box<FailedLogin>),
    /// The issuer's logout came to nothing.
    #[error("the logout token is refused")]
    Logout(#[source] LogoutFault),
    /// Sessions cannot be looked up.
    #[error("the session store does not answer")]
    Sessions(#[from] session::Unavailable),
    /// The body is larger than an endpoint of our own takes.
    #[error("the body is larger than 64 KiB")]
    BodyTooLarge,
    /// The name that the route makes of the request is no destination.
    #[error("the route names no destination of the configuration")]
    NoDestination,
    /// The route's destination comes from the host, and this host names none.
    #[error("the host does not match DESTINATION_HOST_PATTERN")]
    HostNamesNone,
    /// The Destination service knows no destination that could be sent to.
    #[error("no destination was found")]
    Lookup(#[from] LookupError),
    /// The file is not served.
    #[error("the file is not served")]
    File(#[from] Unserved),
    /// There is no token for the bound service.
    #[error("there is no token for the service")]
    Service(#[from] ServiceTokenError),
    /// The backend did not answer.
    #[error(transparent)]
    Forward(#[from] ForwardError),
}

/// What a caller is told.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The status.
    pub status: StatusCode,
    /// The stable code.
    pub code: &'static str,
    /// What it is called; `None` leaves it to the status.
    pub title: Option<&'static str>,
    /// What the caller can make of it.
    pub detail: &'static str,
    /// What a person can do about it.
    pub action: Option<Action>,
    /// What else the status asks for.
    pub headers: SmallVec<[(HeaderName, HeaderValue); 1]>,
}

/// A link that leads on from a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// What it says.
    pub label: &'static str,
    /// Where it leads: a path of the same host.
    pub address: Box<str>,
}

fn told(status: StatusCode, code: &'static str, detail: &'static str) -> Verdict {
    Verdict { status, code, title: None, detail, action: None, headers: SmallVec::new() }
}

impl Verdict {
    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.with(RETRY_AFTER, HeaderValue::from(seconds.max(1)))
    }
}

impl Failure {
    /// What the caller is told.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Request(reason) => malformed(reason),
            Self::Framing(_) => told(
                StatusCode::BAD_REQUEST,
                "ambiguous_framing",
                "The request can be read in more than one way.",
            ),
            Self::Tenant(reason) => tenant(reason),
            Self::Limit(limited) => told(
                StatusCode::TOO_MANY_REQUESTS,
                "rate_limited",
                "The tenant's limit is reached; try again later.",
            )
            .retry_after(limited.retry_after),
            Self::WebSocket(reason) => websocket::verdict(*reason),
            Self::CrossOrigin(_) => {
                told(StatusCode::FORBIDDEN, "cross_origin", "Pages of this origin may not ask for this.")
            }
            Self::NoRoute => told(StatusCode::NOT_FOUND, "no_route", "There is nothing at this address."),
            Self::Method(allow) => told(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "This address does not take the method.",
            )
            .with(ALLOW, allow.clone()),
            Self::Undecided(_) => told(
                StatusCode::INTERNAL_SERVER_ERROR,
                "pattern_exhausted",
                "The address could not be matched in time.",
            ),
            Self::Rewrite(_) => told(
                StatusCode::BAD_REQUEST,
                "target_not_canonical",
                "The address makes no path that may be forwarded.",
            ),
            Self::Refused(reason) => refused(reason),
            Self::Login(failed) => login::verdict(failed),
            Self::Logout(reason) => logout::verdict(reason),
            Self::Sessions(reason) => login::store(reason),
            Self::BodyTooLarge => {
                told(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is larger than 64 KiB.")
            }
            Self::NoDestination => told(
                StatusCode::INTERNAL_SERVER_ERROR,
                "unknown_destination",
                "There is no destination for this address.",
            ),
            Self::HostNamesNone => {
                told(StatusCode::NOT_FOUND, "host_names_no_destination", "There is nothing at this host.")
            }
            Self::Lookup(reason) => lookup::verdict(reason),
            Self::File(reason) => file(reason),
            Self::Service(reason) => service::verdict(reason),
            Self::Forward(reason) => forward(reason),
        }
    }
}

const BAD: StatusCode = StatusCode::BAD_REQUEST;

fn malformed(reason: &Malformed) -> Verdict {
    match reason {
        Malformed::MethodRefused(_) => {
            told(StatusCode::METHOD_NOT_ALLOWED, "method_refused", "This method is not served.")
                .with(ALLOW, HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"))
        }
        Malformed::VersionRefused => told(
            StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            "version_refused",
            "This HTTP version is not served.",
        ),
        Malformed::UriTooLong => {
            told(StatusCode::URI_TOO_LONG, "uri_too_long", "The address is longer than 16 KiB.")
        }
        Malformed::TooManyHeaders | Malformed::HeadersTooLarge => told(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "headers_too_large",
            "The header is larger than 32 KiB or has more than 128 fields.",
        ),
        Malformed::ExpectationFailed => {
            told(StatusCode::EXPECTATION_FAILED, "expectation_failed", "Only 100-continue can be expected.")
        }
        Malformed::Misdirected => told(
            StatusCode::MISDIRECTED_REQUEST,
            "misdirected",
            "The connection was opened for another host.",
        ),
        Malformed::TransferEncoding | Malformed::ContentLength | Malformed::BothFramings => {
            told(BAD, "ambiguous_framing", "The request can be read in more than one way.")
        }
        Malformed::HostMissing
        | Malformed::HostRepeated
        | Malformed::Host(_)
        | Malformed::AuthorityDiffers => told(BAD, "bad_host", "The request does not name one host."),
        Malformed::TargetForm | Malformed::AsteriskForm => {
            told(BAD, "bad_target", "The request does not name a path.")
        }
        Malformed::RawByte(_)
        | Malformed::EscapeMalformed
        | Malformed::EscapeRefused(_)
        | Malformed::NotUtf8
        | Malformed::DotSegment => {
            told(BAD, "ambiguous_path", "The address can be read in more than one way.")
        }
        Malformed::ForwardedHost(_) | Malformed::ForwardedProto => {
            told(BAD, "bad_forwarding", "The proxy in front sent forwarding headers that cannot be used.")
        }
    }
}

fn tenant(reason: &Unresolved) -> Verdict {
    match reason {
        Unresolved::NotNamed => {
            told(StatusCode::NOT_FOUND, "tenant_unresolved", "This address names no tenant.")
        }
        Unresolved::Unknown(_) => told(StatusCode::NOT_FOUND, "unknown_tenant", "There is no such tenant."),
        Unresolved::Conflict { .. } => told(BAD, "tenant_conflict", "Host and path name different tenants."),
        Unresolved::Suspended(_) => {
            told(StatusCode::FORBIDDEN, "tenant_suspended", "The tenant is suspended.")
        }
        Unresolved::Maintenance { retry_after, .. } => told(
            StatusCode::SERVICE_UNAVAILABLE,
            "tenant_maintenance",
            "The tenant is in maintenance; try again later.",
        )
        .retry_after(*retry_after),
        Unresolved::Misconfigured(_) => told(
            StatusCode::SERVICE_UNAVAILABLE,
            "tenant_misconfigured",
            "The tenant's configuration has to be mended first.",
        )
        .retry_after(Duration::from_mins(1)),
    }
}

fn refused(reason: &Refused) -> Verdict {
    let verdict = match reason {
        Refused::Unauthenticated => {
            told(StatusCode::UNAUTHORIZED, "unauthenticated", "Credentials of this tenant are needed.")
        }
        Refused::MalformedCredentials => {
            told(StatusCode::UNAUTHORIZED, "malformed_credentials", "The credentials cannot be read.")
        }
        Refused::InvalidToken(_) => {
            told(StatusCode::UNAUTHORIZED, "invalid_token", "The token is not valid for this tenant.")
        }
        Refused::NoIssuer => {
            told(StatusCode::UNAUTHORIZED, "no_issuer", "The tenant has no identity provider.")
        }
        Refused::MissingScope { .. } => {
            told(StatusCode::FORBIDDEN, "missing_scope", "The token does not have the scope that is needed.")
        }
        Refused::PasswordNeeded { .. } => {
            told(StatusCode::UNAUTHORIZED, "unauthenticated", "User and password are needed.")
        }
        Refused::WrongPassword { .. } => {
            told(StatusCode::UNAUTHORIZED, "wrong_password", "User or password is wrong.")
        }
        Refused::Issuer(reason) => login::login(reason),
        Refused::CsrfRequired => told(
            StatusCode::FORBIDDEN,
            "csrf_required",
            "The request has to repeat the session's CSRF token.",
        )
        .with(X_CSRF_TOKEN, HeaderValue::from_static("Required")),
        Refused::CrossSite => {
            told(StatusCode::FORBIDDEN, "cross_site", "Another site may not change anything here.")
        }
        Refused::KeysUnavailable { .. } => told(
            StatusCode::SERVICE_UNAVAILABLE,
            "keys_unavailable",
            "The identity provider cannot be asked now; try again later.",
        ),
        Refused::NotSupported(_) => told(
            StatusCode::INTERNAL_SERVER_ERROR,
            "not_supported",
            "This way to authenticate is not supported yet.",
        ),
    };
    let verdict = match reason.challenge() {
        Some(challenge) => verdict.with(WWW_AUTHENTICATE, challenge),
        None => verdict,
    };
    match reason.retry_after() {
        Some(wait) => verdict.retry_after(wait),
        None => verdict,
    }
}

fn file(reason: &Unserved) -> Verdict {
    match reason {
        Unserved::NotFound => told(StatusCode::NOT_FOUND, "no_file", "There is nothing at this address."),
        Unserved::MethodNotAllowed => {
            told(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Files are only read.")
                .with(ALLOW, files::ALLOW)
        }
        Unserved::PreconditionFailed => {
            told(StatusCode::PRECONDITION_FAILED, "precondition_failed", "The file has changed.")
        }
        Unserved::RangeNotSatisfiable { length } => {
            let range = HeaderValue::from_str(&format!("bytes */{length}"));
            told(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "range_not_satisfiable",
                "The range lies outside of the file.",
            )
            .with(CONTENT_RANGE, range.unwrap_or_else(|_| HeaderValue::from_static("bytes */*")))
        }
        Unserved::Unreadable(_) => {
            told(StatusCode::INTERNAL_SERVER_ERROR, "file_unreadable", "The file cannot be read.")
        }
    }
}

fn forward(reason: &ForwardError) -> Verdict {
    match reason {
        ForwardError::Unreachable { .. } => {
            told(StatusCode::BAD_GATEWAY, "backend_unreachable", "The application cannot be reached.")
        }
        ForwardError::ConnectTimeout { .. } => told(
            StatusCode::GATEWAY_TIMEOUT,
            "backend_connect_timeout",
            "The application did not take the connection in time.",
        ),
        ForwardError::Broken { .. } => {
            told(StatusCode::BAD_GATEWAY, "backend_broke_off", "The application broke off.")
        }
        ForwardError::Ambiguous { .. } => told(
            StatusCode::BAD_GATEWAY,
            "backend_ambiguous",
            "The application's answer can be read in more than one way.",
        ),
        ForwardError::Unasked { .. } => told(
            StatusCode::BAD_GATEWAY,
            "backend_unasked_upgrade",
            "The application changed the protocol unasked.",
        ),
        ForwardError::Upgrade { source, .. } => websocket::upstream(source),
        ForwardError::Timeout { .. } => {
            told(StatusCode::GATEWAY_TIMEOUT, "backend_timeout", "The application did not answer in time.")
        }
        ForwardError::ClientTooSlow => {
            told(StatusCode::REQUEST_TIMEOUT, "request_timeout", "The request's body did not come in time.")
        }
        ForwardError::ClientBroke => told(BAD, "request_broke_off", "The request's body broke off."),
        ForwardError::Address { .. } => told(
            StatusCode::INTERNAL_SERVER_ERROR,
            "bad_destination",
            "The destination's address cannot be used.",
        ),
    }
}
