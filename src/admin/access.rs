//! Who may ask the admin port.
//!
//! With a token: who shows it, as a bearer or, so that a browser can, as the password of any user. Without
//! one the port is on loopback and everybody on this machine may ask, but not a web page through somebody's
//! browser: the host must be one that no stranger's name server can point here, and what changes something
//! must not come from another site.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body_util::Full;

use super::{Options, answer};
use crate::secret::Secret;

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The token is missing or another.
    Token,
    /// The host is a name that could be anybody's.
    Host,
    /// Another site's page sent it.
    CrossSite,
}

/// Whether `request` may be answered.
pub(super) fn admit<B>(options: &Options, request: &Request<B>) -> Result<(), Refused> {
    let headers = request.headers();
    match &options.token {
        Some(token) if !shows(headers, token) => return Err(Refused::Token),
        None if !host(request).is_some_and(|host| is_ours(host, &options.hosts)) => {
            return Err(Refused::Host);
        }
        Some(_) | None => {}
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads && is_cross_site(headers) { Err(Refused::CrossSite) } else { Ok(()) }
}

impl Refused {
    /// What the client is told.
    pub(super) fn response(self) -> Response<Full<Bytes>> {
        match self {
            Self::Token => {
                let mut response = answer::error(401, "the admin port asks for its token");
                for scheme in ["Bearer realm=\"vestibule admin\"", "Basic realm=\"vestibule admin\""] {
                    response.headers_mut().append(header::WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
                }
                response
            }
            Self::Host => answer::error(421, "ask by address, or as localhost"),
            Self::CrossSite => answer::error(403, "another site's page may not do that"),
        }
    }
}

/// Whether the one `Authorization` is a bearer or a basic password equal to `token`.
fn shows(headers: &HeaderMap, token: &Secret) -> bool {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return false };
    let Some((scheme, shown)) = line.to_str().ok().and_then(|line| line.split_once(' ')) else {
        return false;
    };
    let shown = match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Some(shown.trim().as_bytes().to_vec()),
        "basic" => password(shown.trim()),
        _ => None,
    };
    shown.is_some_and(|shown| verify_slices_are_equal(&shown, token.expose().as_bytes()).is_ok())
}

fn password(credentials: &str) -> Option<Vec<u8>> {
    let decoded = STANDARD.decode(credentials).ok()?;
    let colon = decoded.iter().position(|&byte| byte == b':')?;
    Some(decoded[colon + 1..].to_vec())
}

/// The one host that the request names, without a port.
fn host<B>(request: &Request<B>) -> Option<&str> {
    let mut lines = request.headers().get_all(header::HOST).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return None };
    let text = line.to_str().ok()?;
    let name = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => text.rsplit_once(':').map_or(text, |(name, _)| name),
    };
    Some(name)
}

/// Whether no one else can make `host` point here and be a web site at the same time.
fn is_ours(host: &str, listed: &[String]) -> bool {
    host.parse::<std::net::IpAddr>().is_ok()
        || host.eq_ignore_ascii_case("localhost")
        || listed.iter().any(|name| name.eq_ignore_ascii_case(host))
}

/// Whether a browser says that another site's page is behind the request. Programs say nothing.
fn is_cross_site(headers: &HeaderMap) -> bool {
    const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
    match (headers.get(SITE), headers.get(header::ORIGIN)) {
        (Some(site), _) => site != "same-origin" && site != "none",
        (None, Some(origin)) => !is_same_origin(origin, headers.get(header::HOST)),
        (None, None) => false,
    }
}

fn is_same_origin(origin: &HeaderValue, host: Option<&HeaderValue>) -> bool {
    let origin = origin.as_bytes();
    let authority = origin.strip_prefix(b"http://").or_else(|| origin.strip_prefix(b"https://"));
    authority.is_some() && authority == host.map(HeaderValue::as_bytes)
}
