//! Whose word about the outside is taken, and what that word is.
//!
//! Only peers that the configuration lists (and on Cloud Foundry the platform's router) are believed;
//! for everyone else these headers do not exist. `Forwarded` (RFC 7239) and the like are never read, and
//! `X-Custom-Host` only where the configuration says that a reverse proxy of the outside writes it. Of several values of `X-Forwarded-Host` and `-Proto` the first counts, as proxies
//! append theirs, but all must make sense; of `X-Forwarded-For` the last that is no trusted proxy.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;

use super::{Authority, HostFault, Malformed, Scheme, Target};

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_CUSTOM_HOST: HeaderName = HeaderName::from_static("x-custom-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PATH: HeaderName = HeaderName::from_static("x-forwarded-path");

/// Which peers are proxies whose forwarding headers are read. Empty trusts nobody.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    networks: Box<[IpNet]>,
    platform: bool,
    external_proxy: bool,
}

impl Trust {
    /// Trusts `networks`, and with `platform` (on Cloud Foundry) also every loopback, private, shared
    /// and link-local address: the router's own is not known to an application, but it never comes
    /// from a public one.
    #[must_use]
    pub fn new(networks: Vec<IpNet>, platform: bool) -> Self {
        Self { networks: networks.into_boxed_slice(), platform, external_proxy: false }
    }

    /// The same, where a reverse proxy of the outside keeps its own host for itself: the tenant's host is
    /// in `X-Custom-Host` or `Host` then, and `X-Forwarded-Host` only says where browsers are.
    #[must_use]
    pub fn behind_external_proxy(self, external_proxy: bool) -> Self {
        Self { external_proxy, ..self }
    }

    /// Whether `address` is a trusted proxy.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        if self.networks.is_empty() && !self.platform {
            return false;
        }
        let address = address.to_canonical();
        (self.platform && is_internal(address)) || self.networks.iter().any(|net| net.contains(&address))
    }

    /// The nearest address that is no trusted proxy, walking from the socket towards the client. Where
    /// the chain ends in something that is no address, the last proxy that was one counts.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut nearest = peer;
        let lines: smallvec::SmallVec<[&HeaderValue; 4]> = headers.get_all(X_FORWARDED_FOR).iter().collect();
        for item in lines.iter().rev().flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b',')) {
            let Some(address) = address(item) else { break };
            nearest = address;
            if !self.trusts(address) {
                break;
            }
        }
        nearest
    }
}

/// What a trusted proxy says about the outside.
#[derive(Debug, Default)]
pub(super) struct Outside {
    pub(super) host: Option<(Authority, HeaderValue)>,
    pub(super) scheme: Option<Scheme>,
    /// Where the tenant's host is not that of the outside.
    pub(super) custom: Option<Custom>,
}

/// Where the tenant's host is, behind a reverse proxy of the outside.
#[derive(Debug)]
pub(super) enum Custom {
    /// The proxy says it.
    Said(Authority),
    /// It is the host that the client named.
    Named,
}

/// Reads the forwarding headers of a trusted peer.
pub(super) fn read(headers: &HeaderMap, trust: &Trust) -> Result<Outside, Malformed> {
    let custom = if trust.external_proxy { Some(custom(headers)?) } else { None };
    Ok(Outside { host: host(headers)?, scheme: scheme(headers)?, custom })
}

fn custom(headers: &HeaderMap) -> Result<Custom, Malformed> {
    let name = X_CUSTOM_HOST;
    let mut items = items(headers, &name);
    match (items.next(), items.next()) {
        (None, _) => Ok(Custom::Named),
        (Some(item), None) => Authority::parse(item).map(Custom::Said).map_err(Malformed::ForwardedHost),
        (Some(_), Some(_)) => Err(Malformed::ForwardedHost(HostFault::Byte(b','))),
    }
}

fn host(headers: &HeaderMap) -> Result<Option<(Authority, HeaderValue)>, Malformed> {
    let mut first = None;
    for item in items(headers, &X_FORWARDED_HOST) {
        let authority = Authority::parse(item).map_err(Malformed::ForwardedHost)?;
        if first.is_none() {
            first = HeaderValue::from_bytes(item).ok().map(|value| (authority, value));
        }
    }
    Ok(first)
}

fn scheme(headers: &HeaderMap) -> Result<Option<Scheme>, Malformed> {
    let mut first = None;
    for item in items(headers, &X_FORWARDED_PROTO) {
        let scheme = match item {
            item if item.eq_ignore_ascii_case(b"https") || item.eq_ignore_ascii_case(b"wss") => Scheme::Https,
            item if item.eq_ignore_ascii_case(b"http") || item.eq_ignore_ascii_case(b"ws") => Scheme::Http,
            _ => return Err(Malformed::ForwardedProto),
        };
        first = first.or(Some(scheme));
    }
    Ok(first)
}

/// What the proxy took off the front of the path, where `X-Forwarded-Path` says so: the one path that ends
/// in `target`'s. Anything else is not mended, and says nothing.
pub(super) fn outer(headers: &HeaderMap, target: &Target) -> Option<Box<str>> {
    let mut lines = headers.get_all(X_FORWARDED_PATH).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return None };
    let path = line.to_str().ok()?;
    if path.contains("//") || path.contains(['?', '#']) || Target::parse(path).is_err() {
        return None;
    }
    let outer = match target.path() {
        "/" => path.trim_end_matches('/'),
        own => path.strip_suffix(own)?,
    };
    (!outer.is_empty()).then(|| outer.into())
}

/// The items of a list header over all its lines, without the white space around them.
fn items<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    headers
        .get_all(name)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
}

/// One item of `X-Forwarded-For`: an address, in brackets or not, with a port or not.
fn address(item: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(item.trim_ascii()).ok()?;
    let plain = text.parse::<IpAddr>().ok();
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    plain.or_else(bracketed).or_else(with_port).map(|address| address.to_canonical())
}

/// Addresses that no packet from the public internet carries.
fn is_internal(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64;
            v4.is_loopback() || v4.is_private() || v4.is_link_local() || shared
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests;
