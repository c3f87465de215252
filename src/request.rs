//! The one canonical request: what is matched is what is sent.
//!
//! Built once per request from what hyper parsed, and refused where it is not canonical. Tenant, route,
//! admission, log and the upstream bytes all read this value; nobody parses the request a second time.
//! It knows nothing of tenants or routes. Surprising: forwarding headers of a peer that is not listed
//! as trusted are not read at all, not even to log them; and the scheme a client writes into its
//! target is never believed, only what the listener or a trusted proxy saw.

pub mod coding;
pub mod forwarded;
mod framing;
pub mod host;
mod malformed;
pub mod origin;
pub mod statistics;
pub mod target;
pub mod websocket;
pub mod wire;

pub mod correlation;

use std::borrow::Cow;
use std::net::IpAddr;

use http::request::Parts;
use http::{HeaderValue, Method};

use forwarded::Custom;
pub use forwarded::Trust;
pub use host::{Authority, Host, HostFault};
pub use malformed::Malformed;
pub use target::Target;
pub use wire::{Verdict, Violation};

/// The scheme the client used, as the outside sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Cleartext.
    Http,
    /// Over TLS, ours or a trusted proxy's.
    Https,
}

impl Scheme {
    /// The scheme's name in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port meant where none is named.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// The connection's other end, as the listener saw it; made once per connection.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The address of the socket; an IPv4-mapped address is unmapped.
    pub address: IpAddr,
    /// What our own listener speaks.
    pub scheme: Scheme,
    /// The name the client asked for in its TLS handshake, where there was one.
    pub server_name: Option<Host>,
}

impl Peer {
    /// A peer without a TLS server name; an IPv4-mapped address is unmapped.
    #[must_use]
    pub fn new(address: IpAddr, scheme: Scheme) -> Self {
        Self { address: address.to_canonical(), scheme, server_name: None }
    }

    /// The same peer with the server name of its TLS handshake. A name that is no host is kept as none,
    /// because no `Host` could ever equal it and TLS itself has already picked a certificate.
    #[must_use]
    pub fn with_server_name(self, name: Option<&str>) -> Self {
        Self { server_name: name.and_then(|name| Host::parse(name).ok()), ..self }
    }
}

/// A request that has one meaning.
#[derive(Clone, Debug)]
pub struct CanonicalRequest {
    /// The method, as sent; of an extended CONNECT, the `GET` that it stands for.
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
    /// What a trusted proxy took off the front of the path: `/outer`.
    pub outer: Option<Box<str>>,
    /// The socket's other end.
    pub peer: IpAddr,
    /// Whether the peer is a trusted proxy, so that its forwarding headers were read.
    pub trusted: bool,
    naming: Option<Box<Authority>>,
    client: IpAddr,
}

impl CanonicalRequest {
    /// `path` as the client sees it, behind what a trusted proxy took off its front.
    #[must_use]
    pub fn outside<'p>(&self, path: &'p str) -> Cow<'p, str> {
        match &self.outer {
            Some(outer) => Cow::Owned([outer, path].concat()),
            None => Cow::Borrowed(path),
        }
    }

    /// The host and port that name the tenant: the external ones, except behind a reverse proxy of the
    /// outside.
    #[must_use]
    pub fn tenant_host(&self) -> Option<(&Host, Option<u16>)> {
        match &self.naming {
            Some(authority) => Some((&authority.host, authority.port)),
            None => self.host.as_ref().map(|host| (host, self.port)),
        }
    }

    /// Who sent the request: the peer, or, behind trusted proxies, the last address of
    /// `X-Forwarded-For` that is not a trusted proxy itself.
    #[must_use]
    pub fn client_address(&self) -> IpAddr {
        self.client
    }
}

/// The one meaning of a request, or why it has none.
///
/// # Errors
/// The first check that failed; each has a variant of its own in [`Malformed`].
pub fn canonicalize(parts: &Parts, peer: &Peer, trust: &Trust) -> Result<CanonicalRequest, Malformed> {
    framing::check(parts)?;
    let target = Target::received(&parts.uri)?;
    let named = host::named(parts, peer)?;
    let trusted = trust.trusts(peer.address);
    let outside =
        if trusted { forwarded::read(&parts.headers, trust)? } else { forwarded::Outside::default() };
    let outer = if trusted { forwarded::outer(&parts.headers, &target) } else { None };
    let naming = outside.custom.and_then(|custom| match custom {
        Custom::Said(authority) => Some(authority),
        Custom::Named => named.as_ref().map(|(authority, _)| authority.clone()),
    });
    let (named, authority) = outside.host.or(named).unzip();
    let (host, port) = named.map(|named| (named.host, named.port)).unzip();
    Ok(CanonicalRequest {
        method: if parts.method == Method::CONNECT { Method::GET } else { parts.method.clone() },
        scheme: outside.scheme.unwrap_or(peer.scheme),
        host,
        port: port.flatten(),
        authority,
        naming: naming.map(Box::new),
        target,
        outer,
        peer: peer.address,
        trusted,
        client: if trusted { trust.client(peer.address, &parts.headers) } else { peer.address },
    })
}

#[cfg(test)]
mod tests;
