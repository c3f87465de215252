//! Host names become addresses, without the C library.
//!
//! A static binary in an empty root directory has no `getaddrinfo` to ask, so names are resolved here, by
//! `/etc/resolv.conf` and `/etc/hosts` where they exist. `localhost` and what ends in it never leave the
//! machine (RFC 6761 §6.3). Each worker has a resolver of its own, with its own memory of answers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::OnceLock;

use hickory_resolver::TokioResolver;
use hickory_resolver::net::NetError;
use smallvec::SmallVec;

/// The addresses of one name, in the order in which they are tried.
pub type Addresses = SmallVec<[IpAddr; 4]>;

/// Why a name has no address.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// No name server is configured.
    #[error("{0} cannot be resolved: there is no usable /etc/resolv.conf")]
    NoServer(Box<str>),
    /// The name servers know none.
    #[error("{0} does not resolve")]
    NotFound(Box<str>, #[source] Box<NetError>),
}

/// Resolves names; asks nothing before the first.
#[derive(Default)]
pub struct Resolver(OnceLock<Option<TokioResolver>>);

impl Resolver {
    /// The addresses of `host`, which may be an IP literal.
    pub async fn addresses(&self, host: &str) -> Result<Addresses, ResolveError> {
        if let Ok(literal) = host.parse::<IpAddr>() {
            return Ok(SmallVec::from_slice(&[literal]));
        }
        if host == "localhost" || host.ends_with(".localhost") {
            return Ok(SmallVec::from_slice(&[Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]));
        }
        let resolver = self.0.get_or_init(|| TokioResolver::builder_tokio().ok()?.build().ok());
        let resolver = resolver.as_ref().ok_or_else(|| ResolveError::NoServer(host.into()))?;
        let found = resolver.lookup_ip(host).await;
        let found = found.map_err(|error| ResolveError::NotFound(host.into(), Box::new(error)))?;
        Ok(found.iter().collect())
    }
}
