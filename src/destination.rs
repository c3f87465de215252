//! A name becomes a place to send to.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;

/// How to reach a backend: what connections are pooled under, together with the tenant.
#[derive(Debug, PartialEq, Eq, Hash)]
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
    /// `Host` as the backend sees it.
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
