//! The one canonical request: what is matched is what is sent.
//!
//! Built once per request from what hyper parsed, and refused where it is not canonical. Tenant, route,
//! admission, log and the upstream bytes all read this value; nobody parses the request a second time.
//! It knows nothing of tenants or routes. Surprising: forwarding headers of a peer that is not listed
//! as trusted are not read at all, not even to log them.

use std::net::IpAddr;

use http::{HeaderValue, Method};

/// The scheme the client used, as the outside sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Cleartext.
    Http,
    /// Over TLS, ours or a trusted proxy's.
    Https,
}

/// The connection's other end, as the listener saw it.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The address of the socket; an IPv4-mapped address is unmapped.
    pub address: IpAddr,
    /// What our own listener speaks.
    pub scheme: Scheme,
}

/// An external host: lower case, without port and trailing dot; letters, digits, hyphens and dots, or
/// an IP literal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Host(Box<str>);

impl Host {
    /// The host's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A request that has one meaning.
#[derive(Clone, Debug)]
pub struct CanonicalRequest {
    /// The method, as sent.
    pub method: Method,
    /// The scheme as the outside sees it.
    pub scheme: Scheme,
    /// The external host; `None` only for HTTP/1.0 without `Host`.
    pub host: Option<Host>,
    /// The external port, where the client named one.
    pub port: Option<u16>,
    /// The external host and port as the client wrote them, for `x-forwarded-host`.
    pub authority: Option<HeaderValue>,
    /// Path and query, exactly as they will be matched and sent.
    pub target: Target,
    /// The socket's other end.
    pub peer: IpAddr,
    /// Whether the peer is a trusted proxy, so that its forwarding headers were read.
    pub trusted: bool,
}

/// Path and query in the one form that is matched and sent: ASCII, begins with `/`, no dot segments,
/// no ambiguous escape, no fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    text: Box<str>,
    path_length: usize,
}

impl Target {
    /// Path and query.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The path alone.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.text[..self.path_length]
    }

    /// The query with its `?`, or nothing.
    #[must_use]
    pub fn query(&self) -> &str {
        &self.text[self.path_length..]
    }
}
