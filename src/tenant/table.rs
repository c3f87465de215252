//! The directory: every rule that names a tenant, and every tenant that is known.
//!
//! Built once per snapshot and then only read. A lookup is two comparisons of text and one hash, with
//! ten tenants or a hundred thousand. It knows nothing of where the rules came from.

use std::borrow::{Borrow, Cow};
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::host::HostRules;
use super::known::Accepted;
use super::{HostMemo, PathRule, Resolved, Status, Tenant, TenantHeaders, TenantKey, Unresolved};
use crate::request::{CanonicalRequest, Host};

mod builder;

pub use builder::{DirectoryBuilder, DirectoryError};

/// Counts directories, so that a [`HostMemo`] knows whose answers it holds.
static GENERATION: AtomicU64 = AtomicU64::new(1);

/// Every rule that names a tenant, and every tenant that is known.
#[derive(Debug)]
pub struct Directory {
    generation: u64,
    hosts: HostRules,
    path: Option<PathRule>,
    by_key: HashSet<ByKey, foldhash::fast::RandomState>,
    tenants: Box<[Arc<Tenant>]>,
    provider: Arc<Tenant>,
    accepted: Option<Accepted>,
    headers: Arc<TenantHeaders>,
}

impl Directory {
    /// A directory with no rule and no tenant yet.
    #[must_use]
    pub fn builder() -> DirectoryBuilder {
        DirectoryBuilder::default()
    }

    /// The tenant of a request.
    ///
    /// # Errors
    /// Why it is nobody's, or why its tenant is not served.
    pub fn resolve(&self, request: &CanonicalRequest) -> Result<Resolved, Unresolved> {
        let named = request.tenant_host().and_then(|(host, port)| self.hosts.name(host, port));
        self.agree(named, request.target.path())
    }

    /// As [`resolve`](Self::resolve), with a worker's own memory of hosts, which is used where asking
    /// the rules is dear.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn resolve_with(
        &self,
        request: &CanonicalRequest,
        memo: &mut HostMemo,
    ) -> Result<Resolved, Unresolved> {
        let Some((host, port)) = request.tenant_host().filter(|_| self.hosts.is_dear()) else {
            return self.resolve(request);
        };
        let ask = || self.hosts.name(host, port).and_then(|key| TenantKey::parse(&key));
        let key = memo.key_of(self.generation, (host.as_str(), port), ask);
        self.agree(key.as_ref().map(|key| Cow::Borrowed(key.as_str())), request.target.path())
    }

    /// The known tenant of `key`, whether it is served or not.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<&Arc<Tenant>> {
        self.by_key.get(key).map(|entry| &entry.0)
    }

    /// The tenant whose key something was kept under; no key is the provider without one.
    #[must_use]
    pub fn of(&self, key: Option<&TenantKey>) -> Option<Arc<Tenant>> {
        if self.provider.key.as_ref() == key {
            return Some(Arc::clone(&self.provider));
        }
        let key = key?.as_str();
        self.find(key).cloned().or_else(|| self.accepted.as_ref()?.tenant(key))
    }

    /// Every tenant of the table, in its order; a [`TenantIndex`](super::TenantIndex) is a place in it.
    #[must_use]
    pub fn tenants(&self) -> &[Arc<Tenant>] {
        &self.tenants
    }

    /// The tenant of every request where no rule names any.
    #[must_use]
    pub fn provider(&self) -> &Arc<Tenant> {
        &self.provider
    }

    /// The names under which backends learn of the tenant.
    #[must_use]
    pub fn headers(&self) -> &TenantHeaders {
        &self.headers
    }

    /// The path rule, if there is one.
    #[must_use]
    pub fn path_rule(&self) -> Option<&PathRule> {
        self.path.as_ref()
    }

    /// The key that the host rules read from `host`, for commands that explain.
    #[must_use]
    pub fn named_by_host(&self, host: &Host, port: Option<u16>) -> Option<TenantKey> {
        self.hosts.name(host, port).and_then(|key| TenantKey::parse(&key))
    }

    /// Brings together whom the host and whom the path names.
    fn agree(&self, by_host: Option<Cow<'_, str>>, path: &str) -> Result<Resolved, Unresolved> {
        if self.hosts.is_empty() && self.path.is_none() {
            return serve(&self.provider, (0, false));
        }
        let by_path = self.path.as_ref().and_then(|rule| Some((rule.name(path)?, rule.strip)));
        match (by_host, by_path) {
            (Some(host), Some(((path, _), _))) if *host != *path => Err(conflict(&host, path)),
            (_, Some(((key, length), strip))) => self.known(key, (length, strip)),
            (Some(key), None) => self.known(&key, (0, false)),
            (None, None) => Err(Unresolved::NotNamed),
        }
    }

    fn known(&self, key: &str, prefix: (usize, bool)) -> Result<Resolved, Unresolved> {
        if let Some(tenant) = self.find(key) {
            return serve(tenant, prefix);
        }
        if let Some(tenant) = self.accepted.as_ref().and_then(|accepted| accepted.tenant(key)) {
            return serve(&tenant, prefix);
        }
        Err(TenantKey::parse(key).map_or(Unresolved::NotNamed, Unresolved::Unknown))
    }
}

fn conflict(host: &str, path: &str) -> Unresolved {
    match (TenantKey::parse(host), TenantKey::parse(path)) {
        (Some(host), Some(path)) => Unresolved::Conflict { host, path },
        _ => Unresolved::NotNamed,
    }
}

/// `tenant`, if it is served.
fn serve(tenant: &Arc<Tenant>, (prefix_length, strip): (usize, bool)) -> Result<Resolved, Unresolved> {
    let Some(key) = tenant.key.as_ref().filter(|_| tenant.status != Status::Active) else {
        return Ok(Resolved { tenant: Arc::clone(tenant), prefix_length, strip });
    };
    Err(match tenant.status {
        Status::Suspended => Unresolved::Suspended(key.clone()),
        Status::Maintenance { retry_after } => Unresolved::Maintenance { tenant: key.clone(), retry_after },
        Status::Misconfigured | Status::Active => Unresolved::Misconfigured(key.clone()),
    })
}

/// A tenant that is found by its key.
#[derive(Debug)]
struct ByKey(Arc<Tenant>);

impl ByKey {
    fn key(&self) -> &str {
        self.0.key.as_ref().map_or("", TenantKey::as_str)
    }
}

impl Borrow<str> for ByKey {
    fn borrow(&self) -> &str {
        self.key()
    }
}

impl Hash for ByKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl PartialEq for ByKey {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for ByKey {}

#[cfg(test)]
mod tests;
