//! Names the tenant of a request, from its host or a path prefix.
//!
//! A [`Tenant`] is a type: every cache, pool and session is keyed by its [`TenantKey`]. This stage knows
//! hosts, prefixes and the table; it knows nothing of issuers, routes or destinations. There is never a
//! default tenant: a host that names nobody is an [`Unresolved`], not somebody. Surprising: whether a
//! tenant is served is decided only after host and path agree on who it is, so a conflict never tells
//! whether either of the two exists.

mod headers;
pub mod host;
mod known;
pub mod limit;
mod memo;
pub mod path;
pub mod table;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{HeaderName, HeaderValue};

pub use headers::{TenantHeaders, TenantIdForm};
pub use host::{HostGlob, HostPattern};
pub use known::UnknownTenants;
pub use limit::{Limits, Meters};
pub use memo::HostMemo;
pub use path::PathRule;
pub use table::{Directory, DirectoryBuilder, DirectoryError};

/// A tenant's key: 1–63 of `a-z 0-9 -`, a DNS label.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantKey(Arc<str>);

impl TenantKey {
    /// `text` as a key, or nothing where it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        is_key(text).then(|| Self(text.into()))
    }

    /// The key's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `text` is a well-formed key.
fn is_key(text: &str) -> bool {
    (1..=63).contains(&text.len()) && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
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

/// What the configuration says of one tenant.
#[derive(Clone, Debug)]
pub struct TenantSpec {
    /// The key.
    pub key: TenantKey,
    /// The id; absent, the key is the id.
    pub id: Option<Arc<str>>,
    /// What people call it.
    pub name: Option<Arc<str>>,
    /// Whether it is served.
    pub status: Status,
    /// How much it may ask for.
    pub limits: Limits,
}

impl TenantSpec {
    /// An active tenant without limits of which only the key is known.
    #[must_use]
    pub fn new(key: TenantKey) -> Self {
        Self { key, id: None, name: None, status: Status::Active, limits: Limits::default() }
    }
}

/// One customer of the application, as one snapshot knows it.
#[derive(Debug)]
pub struct Tenant {
    /// The key; `None` only for the provider of a configuration without tenancy and identity zone.
    pub key: Option<TenantKey>,
    /// The id: a UUID, or the key where none is given.
    pub id: Option<Arc<str>>,
    /// What people call it.
    pub name: Option<Arc<str>>,
    /// Its place in the table; `None` for the provider and for a tenant that was accepted by its key
    /// alone.
    pub index: Option<TenantIndex>,
    /// Whether it is served.
    pub status: Status,
    /// How much it may ask for.
    pub limits: Limits,
    policy: Arc<TenantHeaders>,
    /// Made at the first request, because most of a hundred thousand tenants never send one.
    headers: OnceLock<Box<[(HeaderName, HeaderValue)]>>,
    meter: OnceLock<Box<limit::Meter>>,
}

impl Tenant {
    /// The tenant that `spec` describes.
    #[must_use]
    pub fn new(spec: TenantSpec, index: Option<TenantIndex>, policy: Arc<TenantHeaders>) -> Self {
        let TenantSpec { key, id, name, status, limits } = spec;
        let id = id.unwrap_or_else(|| Arc::clone(&key.0));
        Self { id: Some(id), name, index, status, limits, ..Self::nameless(Some(key), policy) }
    }

    /// The provider, of which nothing is known.
    #[must_use]
    pub fn provider(policy: Arc<TenantHeaders>) -> Self {
        Self::nameless(None, policy)
    }

    fn nameless(key: Option<TenantKey>, policy: Arc<TenantHeaders>) -> Self {
        Self {
            key,
            id: None,
            name: None,
            index: None,
            status: Status::Active,
            limits: Limits::default(),
            policy,
            headers: OnceLock::new(),
            meter: OnceLock::new(),
        }
    }

    /// What the backend is told of the tenant; nothing for a provider without a key.
    #[must_use]
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        self.headers.get_or_init(|| self.policy.prepare(self))
    }
}

impl From<TenantSpec> for Tenant {
    /// A tenant outside any table, with the usual header names.
    fn from(spec: TenantSpec) -> Self {
        Self::new(spec, None, Arc::default())
    }
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

/// The tenant of a request.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Who it is.
    pub tenant: Arc<Tenant>,
    /// How many bytes of the path are the tenant's prefix; 0 where the host alone names it. The next
    /// byte, if there is one, is a `/`.
    pub prefix_length: usize,
    /// Whether the prefix is taken off before routes match.
    pub strip: bool,
}

/// Why a request is nobody's, or why its tenant is not served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// Neither host nor path name a tenant: 404 `tenant_unresolved`.
    #[error("neither host nor path name a tenant")]
    NotNamed,
    /// A well-formed key that nobody vouches for: 404 `unknown_tenant`.
    #[error("the tenant {0} is not known")]
    Unknown(TenantKey),
    /// Host and path name different tenants: 400.
    #[error("the host names the tenant {host}, the path {path}")]
    Conflict {
        /// Whom the host names.
        host: TenantKey,
        /// Whom the path names.
        path: TenantKey,
    },
    /// 403 `tenant_suspended`.
    #[error("the tenant {0} is suspended")]
    Suspended(TenantKey),
    /// 503 with `Retry-After`.
    #[error("the tenant {tenant} is in maintenance")]
    Maintenance {
        /// Who.
        tenant: TenantKey,
        /// What `Retry-After` says.
        retry_after: Duration,
    },
    /// 503 `tenant_misconfigured`.
    #[error("the tenant {0} is misconfigured")]
    Misconfigured(TenantKey),
}

#[cfg(test)]
mod tests;
