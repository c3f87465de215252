//! A name becomes a place to send to.
//!
//! A [`Destination`] is compiled once from its configured URL; a tenant may override one by name. Only
//! destinations that the configuration names exist, so nothing a client sends can become an address.
//! This stage knows nothing of connections: [`Endpoint`] is merely what they will be pooled under.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;
use http::HeaderValue;
use http::uri::Authority;

use crate::request::Scheme;
use crate::tenant::TenantIndex;

/// How to reach a backend: what connections are pooled under, together with the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Whether it is spoken to over TLS.
    pub tls: Option<TlsPolicy>,
    /// Host name or IP literal (IPv6 without brackets), lower case.
    pub host: Box<str>,
    /// Port.
    pub port: u16,
    /// Whether HTTP/2 is spoken: by prior knowledge over cleartext; over TLS, ALPN decides either way.
    pub http2: bool,
}

/// How a backend's certificate is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TlsPolicy {
    /// By the trusted authorities.
    Verified,
    /// Not at all: `strictSSL: false`.
    Unverified,
}

/// A named backend: a URL and how to talk to it.
#[derive(Debug)]
pub struct Destination {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// Where it is.
    pub endpoint: Arc<Endpoint>,
    /// Scheme and authority of requests sent by HTTP/2.
    pub scheme: Scheme,
    /// Host and port as the backend sees them.
    pub authority: Authority,
    /// The same as a `Host` header.
    pub host: HeaderValue,
    /// What goes before each path: no fragment; `""`, `/base/p` or `/base?k=v`, never with a final `/`.
    pub base: Box<str>,
    /// How long response headers may take; `None` means the default of 30 s.
    pub timeout: Option<Duration>,
    /// Whether `x-forwarded-*` are sent.
    pub set_x_forwarded_headers: bool,
    /// Whether the caller's verified token is sent.
    pub forward_auth_token: bool,
}

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
        Ok(Destination {
            name: Arc::clone(&self.name),
            endpoint: Arc::new(Endpoint { tls, host, port, http2: self.http2 }),
            scheme,
            host: HeaderValue::from_str(authority.as_str()).map_err(|_| DestinationError::Host)?,
            authority,
            base,
            timeout: self.timeout,
            set_x_forwarded_headers: self.set_x_forwarded_headers,
            forward_auth_token: self.forward_auth_token,
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
    let name = authority.host().trim_matches(['[', ']']);
    let well_formed = name.parse::<std::net::IpAddr>().is_ok()
        || (!name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)));
    if text.ends_with(':') {
        return Err(DestinationError::Port);
    }
    well_formed.then_some(authority).ok_or(DestinationError::Host)
}

/// Path and query without fragment and without the final slash, which the route's path brings.
fn base(text: &str) -> Result<Box<str>, DestinationError> {
    let text = text.split('#').next().unwrap_or_default();
    let text = if text.contains('?') { text } else { text.trim_end_matches('/') };
    let allowed = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b);
    text.bytes().all(allowed).then(|| text.into()).ok_or(DestinationError::Path)
}

/// All destinations of a configuration.
#[derive(Debug, Default)]
pub struct Table {
    shared: HashMap<Arc<str>, Arc<Destination>, RandomState>,
    overrides: HashMap<(TenantIndex, Arc<str>), Arc<Destination>, RandomState>,
}

impl Table {
    /// The destinations everyone shares, and those that a tenant has of its own.
    #[must_use]
    pub fn new(shared: Vec<Destination>, overrides: Vec<(TenantIndex, Destination)>) -> Self {
        Self {
            shared: shared.into_iter().map(|d| (Arc::clone(&d.name), Arc::new(d))).collect(),
            overrides: overrides.into_iter().map(|(t, d)| ((t, Arc::clone(&d.name)), Arc::new(d))).collect(),
        }
    }

    /// The destination that `name` means for the tenant at `tenant`.
    #[must_use]
    pub fn find(&self, name: &Arc<str>, tenant: Option<TenantIndex>) -> Option<&Arc<Destination>> {
        let own = || tenant.and_then(|tenant| self.overrides.get(&(tenant, Arc::clone(name))));
        if self.overrides.is_empty() { None } else { own() }.or_else(|| self.shared.get(name))
    }

    /// The destination that a captured `name` means: the same, for a name that came from a request.
    #[must_use]
    pub fn find_captured(&self, name: &str, tenant: Option<TenantIndex>) -> Option<&Arc<Destination>> {
        let (known, _) = self.shared.get_key_value(name)?;
        self.find(known, tenant)
    }

    /// Every shared destination, in no order.
    pub fn shared(&self) -> impl Iterator<Item = &Arc<Destination>> {
        self.shared.values()
    }
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
    fn a_tenant_overrides_by_name() {
        let named = |url| DestinationSpec::new("be", url).compile().expect("url");
        let table = Table::new(vec![named("http://shared")], vec![(TenantIndex(1), named("http://own"))]);
        let host = |tenant| table.find(&"be".into(), tenant).map(|d| d.endpoint.host.to_string());
        assert_eq!(host(Some(TenantIndex(1))).as_deref(), Some("own"));
        assert_eq!(host(Some(TenantIndex(2))).as_deref(), Some("shared"), "another tenant's stays its own");
        assert_eq!(host(None).as_deref(), Some("shared"));
        assert!(table.find_captured("nope", None).is_none(), "only what the configuration names");
    }
}
