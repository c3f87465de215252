//! A name becomes a place to send to.
//!
//! A [`Destination`] is compiled once from its configured URL; a tenant may override one by name. Only
//! destinations that the configuration names or allows exist, so nothing a client sends can become an
//! address. This stage knows nothing of connections: [`Endpoint`] is merely what they will be pooled
//! under.

pub mod lookup;
pub mod particulars;
mod spec;

pub mod service;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;
use http::HeaderValue;
use http::uri::Authority;
use rustls_pki_types::CertificateDer;

use crate::auth::ClientCertificate;
use crate::request::Scheme;
use crate::session::jar::Backend;
use crate::tenant::TenantIndex;

pub use lookup::{DestinationService, Lookups};
pub use particulars::Particulars;
pub use spec::{DestinationError, DestinationSpec, Reach};

/// How to reach a backend: what connections are pooled under, together with the tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Whether it is spoken to over TLS.
    pub tls: Option<TlsPolicy>,
    /// Host name or IP literal (IPv6 without brackets), lower case.
    pub host: Box<str>,
    /// Port.
    pub port: u16,
    /// Whether HTTP/2 is spoken: by prior knowledge over cleartext; over TLS, ALPN decides either way.
    pub http2: bool,
    /// Who stands between: `proxyHost` and `proxyPort`.
    pub proxy: Option<Proxy>,
    /// What is shown to a backend that asks for a certificate: `forwardAuthCertificates`.
    pub certificate: Option<Arc<ClientCertificate>>,
    /// Who vouches for the backend, where it is not the authorities that vouch for others.
    pub authorities: Option<Arc<[CertificateDer<'static>]>>,
    /// Where it may be.
    pub reach: Reach,
}

impl Endpoint {
    /// Whether a proxy reads the requests, which then name the whole address (RFC 9112 §3.2.2); through
    /// one that only passes bytes on they do not.
    #[must_use]
    pub fn is_proxied_openly(&self) -> bool {
        self.proxy.is_some() && !self.is_tunnelled()
    }

    /// Whether a proxy is asked for a tunnel: for TLS, and for HTTP/2, which it need not speak.
    #[must_use]
    pub fn is_tunnelled(&self) -> bool {
        self.proxy.is_some() && (self.tls.is_some() || self.http2)
    }
}

/// A forward proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Host name or IP literal (IPv6 without brackets), lower case.
    pub host: Box<str>,
    /// Port.
    pub port: u16,
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
    /// What only some destinations ask for beyond that.
    pub particulars: Option<Box<Particulars>>,
}

impl Destination {
    /// Whom its cookies come from and go back to.
    #[must_use]
    pub fn backend(&self) -> Backend<'_> {
        Backend { destination: &self.name, scheme: self.scheme, authority: self.authority.as_str() }
    }
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
