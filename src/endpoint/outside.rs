//! How the part of one tenant is seen from outside.
//!
//! Scheme, host and port come from the canonical request, so from trusted proxies alone; the prefix is
//! the tenant's, where the path names it. Every address that leads a browser back here is made by this
//! type, and every path that it makes stays on the origin: it begins with exactly one slash.

use crate::request::{CanonicalRequest, Scheme};
use crate::session::CookieScope;

/// One tenant's part as its browsers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// The reach of its cookies.
    pub scope: CookieScope,
    origin: Box<str>,
    prefix: Box<str>,
}

impl Outside {
    /// What `request` was sent to; the first `prefix_length` bytes of its path are the tenant's. What a
    /// proxy took off the path is put back. Cookies of a host that is one tenant's are for all of it.
    #[must_use]
    pub fn of(request: &CanonicalRequest, prefix_length: usize) -> Self {
        let own = request.target.path().get(..prefix_length).unwrap_or_default();
        let prefix = request.outside(own);
        let path = if own.is_empty() { "/" } else { &*prefix };
        Self {
            scope: CookieScope { https: request.scheme == Scheme::Https, path: path.into() },
            origin: origin(request).into(),
            prefix: prefix.into(),
        }
    }

    /// The path of the tenant's part, without a slash at its end; empty where it is the whole host.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The whole address of `path`, which begins with a slash, behind the tenant's prefix.
    #[must_use]
    pub fn address(&self, path: &str) -> String {
        format!("{}{}{}", self.origin, self.prefix(), path)
    }

    /// `path` behind the tenant's prefix, as it may stand in a `Location`.
    #[must_use]
    pub fn path(&self, path: &str) -> String {
        local(&format!("{}{path}", self.prefix()))
    }
}

/// `path` as it may stand in a `Location`: a browser takes what begins with two slashes for a host.
fn local(path: &str) -> String {
    format!("/{}", path.trim_start_matches(['/', '\\']))
}

fn origin(request: &CanonicalRequest) -> String {
    let scheme = request.scheme.as_str();
    let host = request.host.as_ref().map_or("localhost", |host| host.as_str());
    let usual = match request.scheme {
        Scheme::Http => 80,
        Scheme::Https => 443,
    };
    match request.port.filter(|port| *port != usual) {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    }
}
