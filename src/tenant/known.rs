//! What becomes of a well-formed key that is not in the table.
//!
//! Normally it is unknown. Where nothing else could vouch for tenants (a bound authorization server, no
//! table), every key is a tenant: made when it is first seen, and remembered in a bounded number of
//! places, so that a caller who invents keys costs a little time but no memory.

use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Limits, Tenant, TenantHeaders, TenantKey, TenantSpec};

/// How many accepted tenants are remembered.
const PLACES: usize = 4096;

/// What becomes of a key that is not in the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownTenants {
    /// It is unknown: 404.
    #[default]
    Refuse,
    /// It is a tenant of which only the key is known.
    Accept {
        /// What such a tenant may ask for.
        limits: Limits,
    },
}

/// Tenants accepted by their key alone. Two keys that fall on one place take turns, which costs the
/// making of a tenant and nothing else.
#[derive(Debug)]
pub(super) struct Accepted {
    places: Box<[Mutex<Option<Arc<Tenant>>>]>,
    hasher: foldhash::quality::RandomState,
    limits: Limits,
    policy: Arc<TenantHeaders>,
}

impl Accepted {
    pub(super) fn new(limits: Limits, policy: Arc<TenantHeaders>) -> Self {
        let places = (0..PLACES).map(|_| Mutex::new(None)).collect();
        Self { places, hasher: foldhash::quality::RandomState::default(), limits, policy }
    }

    /// The tenant of `key`, remembered or made.
    pub(super) fn tenant(&self, key: &str) -> Option<Arc<Tenant>> {
        let hash = usize::try_from(self.hasher.hash_one(key) % PLACES as u64).unwrap_or(0);
        let mut place = self.places.get(hash)?.lock().unwrap_or_else(PoisonError::into_inner);
        let remembered = place.as_ref().filter(|t| t.key.as_ref().is_some_and(|k| k.as_str() == key));
        if let Some(tenant) = remembered {
            return Some(Arc::clone(tenant));
        }
        let spec = TenantSpec { limits: self.limits, ..TenantSpec::new(TenantKey::parse(key)?) };
        let tenant = Arc::new(Tenant::new(spec, None, Arc::clone(&self.policy)));
        *place = Some(Arc::clone(&tenant));
        Some(tenant)
    }
}
