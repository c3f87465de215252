//! Verified tokens that are remembered, for one worker.
//!
//! What is compared is a type that holds the tenant, the issuer and the whole text of the token; the
//! keyed hash only finds the place. Two generations bound it cheaply: when the young one is full it
//! becomes the old one and the old one is dropped; what is still used moves to the young.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::issuer::Issuer;
use super::store::Slot;
use crate::session::Identity;
use crate::tenant::{Tenant, TenantKey};

/// How many tokens one generation holds.
const MAX_ENTRIES: usize = 5_000;
/// How many bytes of tokens one generation holds.
const MAX_BYTES: usize = 8 * 1024 * 1024;
/// The length of `Bearer ` in front of the remembered text.
const SCHEME: usize = 7;

/// Tokens that were verified.
#[derive(Debug, Default)]
pub(super) struct Cache {
    /// Seeded at random, so that nobody outside can aim at a place.
    seed: RandomState,
    young: HashMap<u64, Entry, RandomState>,
    young_bytes: usize,
    old: HashMap<u64, Entry, RandomState>,
}

/// What was verified, and for how long that holds.
#[derive(Debug)]
pub(super) struct Remembered {
    pub(super) verified: Arc<Identity>,
    /// Milliseconds since the epoch.
    pub(super) until: u64,
    pub(super) freshness: Freshness,
}

/// How long keys hold.
#[derive(Debug)]
pub(super) enum Freshness {
    /// As long as the issuer: its keys are in the configuration.
    Fixed,
    /// As long as the issuer's keys do not change.
    Keys { slot: Arc<Slot>, generation: u64 },
}

#[derive(Debug)]
struct Entry {
    owner: Owner,
    remembered: Remembered,
}

/// For whom the token was verified. The id is part of it because tokens are compared with it, and a
/// reload may change it.
#[derive(Debug)]
struct Owner {
    tenant: Option<TenantKey>,
    id: Option<Arc<str>>,
    issuer: Arc<Issuer>,
}

impl Cache {
    /// The content of `token`, if it was verified for this very tenant and issuer and still holds.
    pub(super) fn find(
        &mut self,
        issuer: &Arc<Issuer>,
        tenant: &Tenant,
        token: &[u8],
        now: u64,
    ) -> Option<Arc<Identity>> {
        let place = self.place(tenant, token);
        if let Some(entry) = self.young.get_mut(&place) {
            if !entry.holds(issuer, tenant, token, now) {
                return None;
            }
            entry.owner.follow(issuer);
            return Some(entry.remembered.verified.clone());
        }
        let entry = self.old.remove(&place).filter(|entry| entry.holds(issuer, tenant, token, now))?;
        let verified = entry.remembered.verified.clone();
        self.insert(place, entry);
        Some(verified)
    }

    /// Remembers that `token` was verified.
    pub(super) fn remember(
        &mut self,
        issuer: &Arc<Issuer>,
        tenant: &Tenant,
        token: &[u8],
        remembered: Remembered,
    ) {
        let owner = Owner { tenant: tenant.key.clone(), id: tenant.id.clone(), issuer: issuer.clone() };
        self.insert(self.place(tenant, token), Entry { owner, remembered });
    }

    fn insert(&mut self, place: u64, entry: Entry) {
        if self.young.len() >= MAX_ENTRIES || self.young_bytes >= MAX_BYTES {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += entry.remembered.verified.bearer.len();
        if let Some(replaced) = self.young.insert(place, entry) {
            self.young_bytes -= replaced.remembered.verified.bearer.len();
        }
    }

    fn place(&self, tenant: &Tenant, token: &[u8]) -> u64 {
        self.seed.hash_one((&tenant.key, token))
    }
}

impl Entry {
    fn holds(&self, issuer: &Arc<Issuer>, tenant: &Tenant, token: &[u8], now: u64) -> bool {
        self.owner.is(issuer, tenant)
            && self.remembered.verified.bearer.as_bytes().get(SCHEME..) == Some(token)
            && now < self.remembered.until
            && match &self.remembered.freshness {
                Freshness::Fixed => true,
                Freshness::Keys { slot, generation } => slot.is_current(*generation, now),
            }
    }
}

impl Owner {
    /// Issuers of two snapshots are equal when nothing that decides about tokens changed.
    fn is(&self, issuer: &Arc<Issuer>, tenant: &Tenant) -> bool {
        self.tenant == tenant.key
            && self.id == tenant.id
            && (Arc::ptr_eq(&self.issuer, issuer) || self.issuer == *issuer)
    }

    /// Names the equal issuer of the current snapshot, so that the next comparison is short and the
    /// old snapshot's can go.
    fn follow(&mut self, issuer: &Arc<Issuer>) {
        if !Arc::ptr_eq(&self.issuer, issuer) {
            self.issuer = issuer.clone();
        }
    }
}

#[cfg(test)]
mod tests;
