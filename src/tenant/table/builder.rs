//! Puts a directory together and refuses what could mix tenants up.
//!
//! Every fault is reported, not the first: two tenants of one key or one id, one host for two tenants,
//! an id that cannot stand in a header.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{ByKey, Directory, GENERATION};
use crate::request::Host;
use crate::tenant::host::{HostGlob, HostPattern, HostRules};
use crate::tenant::known::Accepted;
use crate::tenant::{PathRule, Tenant, TenantHeaders, TenantIndex, TenantKey, TenantSpec, UnknownTenants};

/// The longest id, in bytes.
const LONGEST_ID: usize = 255;

/// Collects rules and tenants for a [`Directory`].
#[derive(Debug, Default)]
pub struct DirectoryBuilder {
    hosts: HostRules,
    path: Option<PathRule>,
    tenants: Vec<TenantSpec>,
    provider: Option<TenantSpec>,
    unknown: UnknownTenants,
    headers: TenantHeaders,
    errors: Vec<DirectoryError>,
}

/// Why a directory cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// Two entries with one key.
    #[error("the tenant {0} is in the table twice")]
    DuplicateKey(TenantKey),
    /// Two tenants with one id: a backend that goes by the id would mix them up.
    #[error("the tenants {0} and {1} have the same id")]
    DuplicateId(TenantKey, TenantKey),
    /// An id that is empty, above 255 bytes, or has other than visible ASCII characters.
    #[error("the id of the tenant {0} is not 1 to 255 visible ASCII characters")]
    UnusableId(TenantKey),
    /// One host for two tenants.
    #[error("the host {host} belongs to both {first} and {second}")]
    DuplicateHost {
        /// The host.
        host: Box<str>,
        /// Whose it is first.
        first: TenantKey,
        /// Whose it is, too.
        second: TenantKey,
    },
    /// More tenants than can be counted.
    #[error("more than 4,294,967,295 tenants")]
    TooMany,
}

impl DirectoryBuilder {
    /// How backends learn of the tenant.
    #[must_use]
    pub fn headers(mut self, headers: TenantHeaders) -> Self {
        self.headers = headers;
        self
    }

    /// `TENANT_HOST_PATTERN`; asked after exact hosts and globs.
    #[must_use]
    pub fn host_pattern(mut self, pattern: HostPattern) -> Self {
        self.hosts.pattern = Some(pattern);
        self
    }

    /// A glob such as `{tenant}.example.test`; asked in the order given, after exact hosts.
    #[must_use]
    pub fn host_glob(mut self, glob: HostGlob) -> Self {
        self.hosts.globs.push(glob);
        self
    }

    /// A tenant's own domain; asked first.
    #[must_use]
    pub fn host(mut self, host: &Host, tenant: TenantKey) -> Self {
        match self.hosts.exact.get(host.as_str()) {
            Some(first) if *first != tenant => self.errors.push(DirectoryError::DuplicateHost {
                host: host.as_str().into(),
                first: first.clone(),
                second: tenant,
            }),
            Some(_) => {}
            None => drop(self.hosts.exact.insert(host.as_str().into(), tenant)),
        }
        self
    }

    /// The path rule.
    #[must_use]
    pub fn path(mut self, rule: PathRule) -> Self {
        self.path = Some(rule);
        self
    }

    /// Who is served where no rule names a tenant; not called, a provider without a key. An entry of
    /// the table with the same key takes precedence.
    #[must_use]
    pub fn provider(mut self, provider: TenantSpec) -> Self {
        self.provider = Some(provider);
        self
    }

    /// What becomes of keys that are not in the table.
    #[must_use]
    pub fn unknown(mut self, unknown: UnknownTenants) -> Self {
        self.unknown = unknown;
        self
    }

    /// One more tenant.
    #[must_use]
    pub fn tenant(mut self, tenant: TenantSpec) -> Self {
        self.tenants.push(tenant);
        self
    }

    /// More tenants.
    #[must_use]
    pub fn tenants(mut self, tenants: impl IntoIterator<Item = TenantSpec>) -> Self {
        self.tenants.extend(tenants);
        self
    }

    /// The directory.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn build(mut self) -> Result<Directory, Vec<DirectoryError>> {
        let mut errors = std::mem::take(&mut self.errors);
        check_ids(self.tenants.iter().chain(&self.provider), &mut errors);
        let headers = Arc::new(self.headers);
        let (by_key, tenants) = table(self.tenants, &headers, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        let provider = self.provider.map_or_else(
            || Arc::new(Tenant::provider(Arc::clone(&headers))),
            |spec| match by_key.get(spec.key.as_str()) {
                Some(entry) => Arc::clone(&entry.0),
                None => Arc::new(Tenant::new(spec, None, Arc::clone(&headers))),
            },
        );
        let accepted = match self.unknown {
            UnknownTenants::Refuse => None,
            UnknownTenants::Accept { limits } => Some(Accepted::new(limits, Arc::clone(&headers))),
        };
        let generation = GENERATION.fetch_add(1, Ordering::Relaxed);
        Ok(Directory {
            generation,
            hosts: self.hosts,
            path: self.path,
            by_key,
            tenants,
            provider,
            accepted,
            headers,
        })
    }
}

type Table = (HashSet<ByKey, foldhash::fast::RandomState>, Box<[Arc<Tenant>]>);

#[expect(
    clippy::mutable_key_type,
    reason = "a tenant is hashed and compared by its key, which never changes"
)]
fn table(specs: Vec<TenantSpec>, headers: &Arc<TenantHeaders>, errors: &mut Vec<DirectoryError>) -> Table {
    let mut by_key = HashSet::with_capacity_and_hasher(specs.len(), foldhash::fast::RandomState::default());
    let mut tenants = Vec::with_capacity(specs.len());
    for spec in specs {
        let Ok(index) = u32::try_from(tenants.len()) else {
            errors.push(DirectoryError::TooMany);
            break;
        };
        let key = spec.key.clone();
        let tenant = Arc::new(Tenant::new(spec, Some(TenantIndex(index)), Arc::clone(headers)));
        if by_key.insert(ByKey(Arc::clone(&tenant))) {
            tenants.push(tenant);
        } else {
            errors.push(DirectoryError::DuplicateKey(key));
        }
    }
    (by_key, tenants.into_boxed_slice())
}

/// Ids go into headers and tell tenants apart, so each must be usable and one tenant's own.
fn check_ids<'a>(specs: impl Iterator<Item = &'a TenantSpec>, errors: &mut Vec<DirectoryError>) {
    let mut owners: HashMap<&str, &TenantKey, foldhash::fast::RandomState> = HashMap::default();
    for spec in specs {
        let id = spec.id.as_deref().unwrap_or(spec.key.as_str());
        if !(1..=LONGEST_ID).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            errors.push(DirectoryError::UnusableId(spec.key.clone()));
        }
        match owners.insert(id, &spec.key) {
            Some(owner) if *owner != spec.key => {
                errors.push(DirectoryError::DuplicateId(owner.clone(), spec.key.clone()));
            }
            Some(_) | None => {}
        }
    }
}
