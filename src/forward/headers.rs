//! What of a header block may pass, in both directions.
//!
//! The order matters: first everything that belongs to one connection goes, with whatever `Connection`
//! names; then every reserved name in any disguise; ours come last and stand alone. Framing is never
//! copied, hyper writes it from the body. The set of reserved names is compiled with the configuration,
//! so a request pays a length test for most of its names.

mod cookies;

use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, TE, TRAILER,
    TRANSFER_ENCODING,
};
use http_body::Frame;
use smallvec::SmallVec;

use cookies::OwnCookies;
pub(super) use cookies::add as add_cookies;

/// Names that belong to one connection (RFC 9110 §7.6.1), and framing, which is ours.
const HOP_BY_HOP: [&str; 12] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-authentication-info",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
    "content-length",
];

/// Names that only Vestibule or a trusted proxy may set towards a backend.
const FORWARDING: [&str; 16] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-path",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-server",
    "x-forwarded-ssl",
    "x-forwarded-scheme",
    "x-forwarded-client-cert",
    "x-real-ip",
    "x-custom-host",
    "x-subscriber-tenant",
    "x-original-url",
    "x-rewrite-url",
];

/// Names that never reach a backend from a client, whoever the peer is.
const OURS: [&str; 12] = [
    "x-tenant",
    "x-tenant-id",
    "tenantid",
    "x-user-name",
    "x-user-email",
    "x-tenant-assertion",
    "x-approuter-authorization",
    "x-approuter-access-token",
    "x-correlation-id",
    "sap-connectivity-authentication",
    "sap-connectivity-technical-authentication",
    "sap-connectivity-scc-location-id",
];

/// Names that are written for each request by itself.
const NEVER_ADDED: [&str; 5] = ["host", "expect", "x-request-id", "x-correlationid", "traceparent"];

/// Names that mean something only before a body, or that decide what happens to it: never as trailers
/// (RFC 9110 §6.5.1), in neither direction.
const NEVER_TRAILERS: [&str; 52] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "age",
    "alt-svc",
    "authentication-info",
    "authorization",
    "cache-control",
    "clear-site-data",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-range",
    "content-security-policy",
    "content-security-policy-report-only",
    "content-type",
    "cookie",
    "cookie2",
    "date",
    "early-data",
    "etag",
    "expect",
    "expires",
    "from",
    "host",
    "last-modified",
    "location",
    "max-forwards",
    "message-token",
    "method",
    "origin",
    "pragma",
    "priority",
    "range",
    "referer",
    "refresh",
    "retry-after",
    "set-cookie",
    "set-cookie2",
    "status",
    "strict-transport-security",
    "traceparent",
    "tracestate",
    "transfer-encoding",
    "upgrade-insecure-requests",
    "user-agent",
    "vary",
    "warning",
    "www-authenticate",
];

/// What such names may also begin with.
const NEVER_TRAILERS_PREFIXES: [&str; 12] = [
    "access-control-",
    "cf-",
    "cross-origin-",
    "if-",
    "proxy-",
    "sec-",
    "x-approuter-",
    "x-correlation",
    "x-csrf-",
    "x-forwarded-",
    "x-http-method",
    "x-request-",
];

/// A set of names, tested by length before anything is compared.
#[derive(Debug, Default)]
struct NameSet {
    lengths: u64,
    names: Vec<Box<str>>,
}

impl NameSet {
    fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut set = Self::default();
        for name in names {
            let plain: String = plain(name).collect();
            set.lengths |= 1 << plain.len().min(63);
            set.names.push(plain.into_boxed_str());
        }
        set
    }

    fn contains(&self, name: &str) -> bool {
        self.lengths & (1 << name.len().min(63)) != 0 && self.names.iter().any(|known| **known == *name)
    }
}

/// `name` as a lenient backend may read it: every sign is a hyphen, none at the ends.
fn plain(name: &str) -> impl Iterator<Item = char> {
    let name = name.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
}

fn is_disguised(name: &str) -> bool {
    name.bytes().any(|b| !b.is_ascii_alphanumeric() && b != b'-')
        || name.starts_with('-')
        || name.ends_with('-')
}

/// The headers that tell a backend who the user is, where that is known.
#[derive(Clone, Debug)]
pub struct UserHeaders {
    /// `x-user-name`, unless chosen otherwise.
    pub name: HeaderName,
    /// `x-user-email`, unless chosen otherwise.
    pub email: HeaderName,
}

/// Which headers pass, and which cookies are ours. Compiled with the configuration.
#[derive(Debug)]
pub struct HeaderPolicy {
    /// What the user is told of under.
    pub user: UserHeaders,
    hop_by_hop: NameSet,
    ours: NameSet,
    forwarding: NameSet,
    never_trailers: NameSet,
    cookies: OwnCookies,
}

impl HeaderPolicy {
    /// `tenant` and `user` are the configured names of what the backend is told; `cookies` the names of
    /// cookies that stay with us, with all that is derived from them.
    #[must_use]
    pub fn new(tenant: &[&HeaderName], user: UserHeaders, cookies: &[&str]) -> Self {
        let own = [user.name.clone(), user.email.clone()];
        let reserved = tenant.iter().copied().chain(&own).map(HeaderName::as_str);
        Self {
            hop_by_hop: NameSet::new(HOP_BY_HOP),
            ours: NameSet::new(OURS.into_iter().chain(reserved)),
            user,
            forwarding: NameSet::new(FORWARDING),
            never_trailers: NameSet::new(NEVER_TRAILERS),
            cookies: OwnCookies::new(cookies),
        }
    }

    /// Whether the configuration may add `name` to what a backend gets: it frames nothing, belongs to no
    /// connection, and says nothing that is ours to say.
    #[must_use]
    pub fn may_be_added(&self, name: &HeaderName) -> bool {
        let name = name.as_str();
        !self.hop_by_hop.contains(name)
            && !self.is_reserved(name, false)
            && !is_disguised(name)
            && !NEVER_ADDED.contains(&name)
    }

    /// Removes from a request what may not reach the backend. `trusted` says that the peer is a proxy
    /// whose forwarding headers count.
    pub fn strip_request(&self, headers: &mut HeaderMap, trusted: bool) {
        self.strip(headers, |name| self.is_reserved(name, trusted));
        headers.remove(EXPECT);
        self.cookies.strip(headers);
    }

    /// Removes from a backend's answer what may not reach the client; `keep_length` where there is no
    /// body to take the length from (an answer to `HEAD`, or 304).
    pub fn strip_response(&self, headers: &mut HeaderMap, keep_length: bool) {
        let length = keep_length.then(|| headers.get(CONTENT_LENGTH).cloned()).flatten();
        self.strip(headers, |name| self.ours.contains(name));
        self.cookies.strip_set(headers);
        if let Some(length) = length {
            headers.insert(CONTENT_LENGTH, length);
        }
    }

    /// A frame whose trailers are those that may pass, in either direction.
    #[must_use]
    pub fn filter_trailers(&self, frame: Frame<Bytes>) -> Frame<Bytes> {
        match frame.into_trailers() {
            Ok(mut trailers) => {
                self.strip(&mut trailers, |name| !self.may_trail(name));
                Frame::trailers(trailers)
            }
            Err(frame) => frame,
        }
    }

    /// Which of the trailers that `Trailer` announces may pass, as a `Trailer` of our own: HTTP/1.1
    /// sends no trailer that was not announced.
    #[must_use]
    pub fn announced_trailers(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let names: SmallVec<[&str; 4]> = headers
            .get_all(TRAILER)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|name| name.trim_matches([' ', '\t']))
            .filter(|name| is_token(name) && self.may_trail(name))
            .collect();
        if names.is_empty() { None } else { HeaderValue::from_str(&names.join(", ")).ok() }
    }

    /// Whether a field may come behind a body. A name in disguise is judged by what it may be taken for.
    fn may_trail(&self, name: &str) -> bool {
        let plain: String = plain(name).collect();
        let named = [&self.hop_by_hop, &self.ours, &self.forwarding, &self.never_trailers];
        !named.iter().any(|names| names.contains(&plain))
            && !NEVER_TRAILERS_PREFIXES.iter().any(|prefix| plain.starts_with(prefix))
    }

    /// Whether no destination may set a field of this name: it belongs to a connection, or says what is
    /// ours to say.
    #[must_use]
    pub fn is_reserved_name(&self, name: &HeaderName) -> bool {
        name == HOST || self.hop_by_hop.contains(name.as_str()) || self.is_reserved(name.as_str(), false)
    }

    fn strip(&self, headers: &mut HeaderMap, reserved: impl Fn(&str) -> bool) {
        drop_connection_named(headers);
        let dropped = |name: &str| self.hop_by_hop.contains(name) || reserved(name);
        let doomed: SmallVec<[HeaderName; 8]> =
            headers.keys().filter(|name| dropped(name.as_str())).cloned().collect();
        for name in doomed {
            headers.remove(name);
        }
    }

    fn is_reserved(&self, name: &str, trusted: bool) -> bool {
        let is = |name: &str| self.ours.contains(name) || (!trusted && self.forwarding.contains(name));
        if !is_disguised(name) {
            return is(name);
        }
        // A disguised name is never legitimate, not even from a trusted proxy, and least of all one of
        // framing: a backend that reads `Content_Length` as a length would see another body than we.
        let plain: String = plain(name).collect();
        [&self.ours, &self.forwarding, &self.hop_by_hop].iter().any(|set| set.contains(&plain))
            || plain == "host"
    }
}

/// Whether `name` can be a field's name (RFC 9110 §5.6.2).
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// Removes what `Connection` names, however it is spelt.
fn drop_connection_named(headers: &mut HeaderMap) {
    if !headers.contains_key(CONNECTION) {
        return;
    }
    let named: SmallVec<[String; 4]> = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|b| *b == b','))
        .filter_map(|token| std::str::from_utf8(token.trim_ascii()).ok())
        .filter(|token| !token.eq_ignore_ascii_case("keep-alive") && !token.eq_ignore_ascii_case("close"))
        .map(str::to_ascii_lowercase)
        .collect();
    for name in named {
        // `Host` and the like cannot be named away: they are written anew by us in any case.
        headers.remove(name.as_str());
    }
}

/// Whether a response is framed in two ways at once (RFC 9112 §6.3): its connection cannot be trusted.
#[must_use]
pub fn is_ambiguously_framed(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING)
        && (headers.contains_key(CONTENT_LENGTH)
            || headers
                .get_all(TRANSFER_ENCODING)
                .iter()
                .any(|v| !v.as_bytes().eq_ignore_ascii_case(b"chunked")))
}

/// Whether a response says that it has a body.
#[must_use]
pub fn is_framed(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING) || headers.contains_key(CONTENT_LENGTH)
}

/// Whether the client takes trailers (RFC 9110 §10.1.4).
#[must_use]
pub fn takes_trailers(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TE).iter().flat_map(|value| value.as_bytes().split(|b| *b == b','));
    codings.any(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"trailers"))
}

#[cfg(test)]
mod tests;
