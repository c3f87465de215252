//! Names the tenant of a request, from its host or a path prefix.
//!
//! A [`Tenant`] is a type: every cache, pool and session is keyed by its [`TenantKey`]. This stage knows
//! hosts, prefixes and the table; it knows nothing of issuers, routes or headers. There is never a
//! default tenant: a host that names nobody is an [`Unresolved`], not somebody.

use std::sync::Arc;
use std::time::Duration;

/// A tenant's key: 1–63 of `a-z 0-9 -`, a DNS label.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantKey(Arc<str>);

impl TenantKey {
    /// `text` as a key, or nothing where it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = (1..=63).contains(&text.len())
            && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        well_formed.then(|| Self(text.into()))
    }

    /// The key's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for TenantKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a tenant stands in the table of one snapshot; other stages keep what they know of a tenant
/// under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TenantIndex(pub u32);

/// One customer of the application, as one snapshot knows it.
#[derive(Debug)]
pub struct Tenant {
    /// The key; `None` only for the provider of a configuration without tenancy and identity zone.
    pub key: Option<TenantKey>,
    /// The id: a UUID, or the key where none is given.
    pub id: Option<Arc<str>>,
    /// What people call it.
    pub name: Option<Arc<str>>,
    /// Its place in the table; `None` for a tenant that was accepted by its key alone.
    pub index: Option<TenantIndex>,
    /// Whether it is served.
    pub status: Status,
}

/// Whether a tenant is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Served.
    Active,
    /// Not served: 403.
    Suspended,
    /// Not served for a while: 503 with `Retry-After`.
    Maintenance {
        /// What `Retry-After` says.
        retry_after: Duration,
    },
    /// Its part of the configuration is broken: 503.
    Misconfigured,
}
