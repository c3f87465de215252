//! A destination as it is configured, and how it is understood.
//!
//! Everything that could be wrong with an address is found here, when the configuration compiles or when
//! the Destination service has answered: what is left can be sent to. Nothing is looked up.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use http::uri::Authority;
use rustls_pki_types::CertificateDer;

use super::{Destination, Endpoint, Particulars, Proxy, TlsPolicy};
use crate::auth::ClientCertificate;
use crate::request::Scheme;

/// A destination as configured, not yet understood.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a documented property of a destination")]
pub struct DestinationSpec {
    /// Its name.
    pub name: Arc<str>,
    /// Its URL: absolute, `http` or `https`.
    pub url: String,
    /// `timeout`; `None` means the default of 30 s.
    pub timeout: Option<Duration>,
    /// `strictSSL`.
    pub strict_ssl: bool,
    /// `setXForwardedHeaders`.
    pub set_x_forwarded_headers: bool,
    /// `forwardAuthToken`.
    pub forward_auth_token: bool,
    /// `http2`.
    pub http2: bool,
    /// `proxyHost` and `proxyPort`.
    pub proxy: Option<(String, u16)>,
    /// The certificate that is shown: `forwardAuthCertificates`.
    pub certificate: Option<Arc<ClientCertificate>>,
    /// Who vouches for the backend; `None` for whoever vouches for others.
    pub authorities: Option<Arc<[CertificateDer<'static>]>>,
    /// Where it may be.
    pub reach: Reach,
    /// What it asks for beyond an address.
    pub particulars: Option<Particulars>,
}

/// Where a backend may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Anywhere: the configuration says where.
    #[default]
    Anywhere,
    /// On another machine than this one, and not in what is local to the network: somebody else says where.
    OtherMachines,
}

impl Reach {
    /// Whether `address` is one where the backend may be.
    #[must_use]
    pub fn allows(self, address: IpAddr) -> bool {
        match self {
            Self::Anywhere => true,
            Self::OtherMachines => match address.to_canonical() {
                IpAddr::V4(v4) => {
                    !(v4.is_loopback()
                        || v4.is_link_local()
                        || v4.is_multicast()
                        || v4.is_broadcast()
                        || v4.octets()[0] == 0)
                }
                IpAddr::V6(v6) => {
                    !(v6.is_loopback()
                        || v6.is_unicast_link_local()
                        || v6.is_multicast()
                        || v6.is_unspecified())
                }
            },
        }
    }
}

/// Why a destination's URL cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    /// The scheme is missing or another one.
    #[error("the URL must begin with http:// or https://")]
    Scheme,
    /// The host is missing or malformed.
    #[error("the URL has no usable host")]
    Host,
    /// The port is not a number from 1 to 65535.
    #[error("the port must be a number from 1 to 65535")]
    Port,
    /// User and password in the URL.
    #[error("user and password do not belong into a URL")]
    UserInfo,
    /// A character that may not stand in a path.
    #[error("the path has a character that must be percent-encoded")]
    Path,
    /// The proxy's host is not a host name.
    #[error("the proxy's host is no host name")]
    Proxy,
}

impl DestinationSpec {
    /// A destination with the defaults of the documentation.
    #[must_use]
    pub fn new(name: &str, url: &str) -> Self {
        Self {
            name: name.into(),
            url: url.to_owned(),
            timeout: None,
            strict_ssl: true,
            set_x_forwarded_headers: true,
            forward_auth_token: false,
            http2: false,
            proxy: None,
            certificate: None,
            authorities: None,
            reach: Reach::Anywhere,
            particulars: None,
        }
    }

    /// Understands the URL.
    pub fn compile(&self) -> Result<Destination, DestinationError> {
        let (scheme, rest) = split_scheme(&self.url)?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let authority = authority(&rest[..end])?;
        let base = base(&rest[end..])?;
        let default_port = if scheme == Scheme::Https { 443 } else { 80 };
        let port = match authority.port() {
            Some(port) => port.as_str().parse().ok().filter(|p| *p != 0).ok_or(DestinationError::Port)?,
            None => default_port,
        };
        let policy = if self.strict_ssl { TlsPolicy::Verified } else { TlsPolicy::Unverified };
        let host = authority.host().trim_matches(['[', ']']).to_ascii_lowercase().into_boxed_str();
        let tls = (scheme == Scheme::Https).then_some(policy);
        let proxy = self.proxy.as_ref().map(|(host, port)| proxy(host, *port)).transpose()?;
        // Without TLS nobody asks for it, and connections need not differ by it.
        let certificate = self.certificate.clone().filter(|_| tls.is_some());
        Ok(Destination {
            name: Arc::clone(&self.name),
            endpoint: Arc::new(Endpoint {
                tls,
                host,
                port,
                http2: self.http2,
                proxy,
                certificate,
                authorities: self.authorities.clone().filter(|_| tls.is_some()),
                reach: self.reach,
            }),
            scheme,
            host: HeaderValue::from_str(authority.as_str()).map_err(|_| DestinationError::Host)?,
            authority,
            base,
            timeout: self.timeout,
            set_x_forwarded_headers: self.set_x_forwarded_headers,
            forward_auth_token: self.forward_auth_token,
            particulars: self.particulars.clone().map(Box::new),
        })
    }
}

fn split_scheme(url: &str) -> Result<(Scheme, &str), DestinationError> {
    let http = url.strip_prefix("http://").map(|rest| (Scheme::Http, rest));
    let https = || url.strip_prefix("https://").map(|rest| (Scheme::Https, rest));
    http.or_else(https).ok_or(DestinationError::Scheme)
}

fn authority(text: &str) -> Result<Authority, DestinationError> {
    if text.contains('@') {
        return Err(DestinationError::UserInfo);
    }
    let authority: Authority = text.parse().map_err(|_| DestinationError::Host)?;
    if text.ends_with(':') {
        return Err(DestinationError::Port);
    }
    is_host(authority.host().trim_matches(['[', ']'])).then_some(authority).ok_or(DestinationError::Host)
}

/// Path and query without fragment and without the final slash, which the route's path brings.
fn base(text: &str) -> Result<Box<str>, DestinationError> {
    let text = text.split('#').next().unwrap_or_default();
    let text = if text.contains('?') { text } else { text.trim_end_matches('/') };
    let allowed = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b);
    text.bytes().all(allowed).then(|| text.into()).ok_or(DestinationError::Path)
}

fn proxy(host: &str, port: u16) -> Result<Proxy, DestinationError> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    if port == 0 || !is_host(bare) {
        return Err(DestinationError::Proxy);
    }
    Ok(Proxy { host: bare.to_ascii_lowercase().into(), port })
}

/// Whether `name` is a host name or an IP literal, without brackets.
fn is_host(name: &str) -> bool {
    name.parse::<IpAddr>().is_ok()
        || (!name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_understood() {
        for (url, host, port, base, what) in [
            ("http://localhost:8080", "localhost", 8080, "", "host and port"),
            ("https://a.example", "a.example", 443, "", "default port of https"),
            ("http://h/base/p/", "h", 80, "/base/p", "the final slash goes"),
            ("http://h/base?k=v", "h", 80, "/base?k=v", "a query stays"),
            ("http://h/base#f", "h", 80, "/base", "a fragment goes"),
            ("http://[::1]:9", "::1", 9, "", "IPv6"),
            ("http://A_b.Example", "a_b.example", 80, "", "service names may hold underscores"),
        ] {
            let destination = DestinationSpec::new("be", url).compile().expect(what);
            assert_eq!(&*destination.endpoint.host, host, "{what}");
            assert_eq!(destination.endpoint.port, port, "{what}");
            assert_eq!(&*destination.base, base, "{what}");
        }
    }

    #[test]
    fn unusable_urls_are_refused() {
        for (url, why) in [
            ("ftp://h", DestinationError::Scheme),
            ("h:80", DestinationError::Scheme),
            ("HTTP://h", DestinationError::Scheme),
            ("http://", DestinationError::Host),
            ("http://a b", DestinationError::Host),
            ("http://h:", DestinationError::Port),
            ("http://h:0", DestinationError::Port),
            ("http://u:p@h", DestinationError::UserInfo),
            ("http://h/a b", DestinationError::Path),
        ] {
            assert_eq!(DestinationSpec::new("be", url).compile().map(|_| ()), Err(why), "{url}");
        }
    }

    #[test]
    fn a_proxy_is_a_host_and_a_port() {
        for (host, port, expected, what) in [
            ("Proxy", 8080, Some("proxy"), "a name"),
            ("[::1]", 80, Some("::1"), "IPv6 in brackets"),
            ("10.0.0.1", 80, Some("10.0.0.1"), "IPv4"),
            ("http://proxy", 80, None, "a URL"),
            ("user@proxy", 80, None, "with a user"),
            ("proxy/", 80, None, "with a path"),
            ("", 80, None, "nothing"),
            ("proxy", 0, None, "no port"),
        ] {
            let spec = DestinationSpec {
                proxy: Some((host.into(), port)),
                ..DestinationSpec::new("be", "http://h")
            };
            let proxy = spec.compile().ok().and_then(|destination| destination.endpoint.proxy.clone());
            assert_eq!(proxy.as_ref().map(|proxy| &*proxy.host), expected, "{what}");
        }
    }

    #[test]
    fn what_somebody_else_names_is_on_another_machine() {
        for (address, allowed) in [
            ("10.1.2.3", true),
            ("93.184.216.34", true),
            ("2001:db8::1", true),
            ("127.0.0.1", false),
            ("127.9.9.9", false),
            ("0.0.0.0", false),
            ("169.254.169.254", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("::1", false),
            ("::", false),
            ("fe80::1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:169.254.169.254", false),
        ] {
            let parsed = address.parse().expect("address");
            assert_eq!(Reach::OtherMachines.allows(parsed), allowed, "{address}");
            assert!(Reach::Anywhere.allows(parsed), "{address}");
        }
    }
}
