//! Sessions in this process.
//!
//! They lie in shards, each behind a lock of its own that is held for one look-up. The index by the
//! issuer's session and by subject holds places only; what lies there is compared before it is ended.
//! Bounded by bytes: where a shard is full, the session that lay unused for longest gives way.

mod index;
mod shard;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::jar::{Jar, Received};
use super::key::Key;
use super::opened::Ended;
use super::store::{Idle, Store, WithJar};
use super::{Realm, Session, Unavailable};
use crate::tenant::TenantKey;
use index::Index;
use shard::{Entry, Removed, Shard};

/// Into how many parts the sessions are split; a power of two.
const SHARDS: usize = 64;
/// How many bytes sessions may have together.
const MAX_BYTES: usize = 1024 * 1024 * 1024;

/// Every session of this process.
#[derive(Debug)]
pub(super) struct Memory {
    shards: Box<[Mutex<Shard>]>,
    index: Index,
    max_bytes: usize,
}

impl Memory {
    pub(super) fn new() -> Self {
        Self::with_room(MAX_BYTES)
    }

    /// Room for `bytes` of sessions.
    fn with_room(bytes: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            index: Index::default(),
            max_bytes: bytes / SHARDS,
        }
    }

    /// How many sessions there are, ended ones that were not yet swept included.
    pub(super) fn count(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Removes what has ended by `now`, in seconds since the epoch, and gives it.
    pub(super) fn sweep(&self, now: u64) -> Vec<Ended> {
        let ended = self.take_where(|entry| entry.has_ended(now)).into_iter();
        ended.map(|Removed { session, jar, .. }| Ended { session, jar }).collect()
    }

    fn shard(&self, place: u64) -> MutexGuard<'_, Shard> {
        let at = usize::try_from(place % SHARDS as u64).unwrap_or_default();
        self.shards.get(at).map_or_else(|| lock(&self.shards[0]), lock)
    }

    fn take_where(&self, ends: impl Fn(&Entry) -> bool) -> Vec<Removed> {
        let mut taken = Vec::new();
        for shard in &self.shards {
            taken.extend(lock(shard).take_where(&ends));
        }
        for removed in &taken {
            self.index.forget(removed.place, &removed.session);
        }
        taken
    }

    fn look_up(&self, key: &Key, realm: &Realm, idle: Idle) -> Option<WithJar> {
        let place = key.digest.place();
        let mut shard = self.shard(place);
        let entry = shard.entry(key)?;
        if entry.has_ended(idle.now) || *entry.session.realm != *realm {
            return None;
        }
        entry.touch(idle);
        Some((Arc::clone(&entry.session), entry.jar.clone()))
    }

    fn keep(&self, key: &Key, session: &Arc<Session>, idle: Idle) {
        let place = key.digest.place();
        self.index.remember(place, session);
        let replaced = self.shard(place).insert(key, Entry::new(key, session, idle), self.max_bytes);
        for removed in replaced {
            self.index.forget(removed.place, &removed.session);
        }
    }
}

impl Store for Memory {
    async fn find(
        &self,
        key: &Key,
        realm: &Arc<Realm>,
        idle: Idle,
    ) -> Result<Option<Arc<Session>>, Unavailable> {
        Ok(self.look_up(key, realm, idle).map(|(session, _)| session))
    }

    async fn open(&self, key: &Key, realm: &Arc<Realm>, idle: Idle) -> Result<Option<WithJar>, Unavailable> {
        Ok(self.look_up(key, realm, idle))
    }

    async fn jar(&self, key: &Key, _: &Arc<Realm>, _: u64) -> Result<Option<Arc<Jar>>, Unavailable> {
        Ok(self.shard(key.digest.place()).entry(key).and_then(|entry| entry.jar.clone()))
    }

    /// No browser has to know: the cookies are found together with the session.
    async fn receive(
        &self,
        key: &Key,
        _: &Arc<Realm>,
        _: Option<&Arc<Jar>>,
        received: Vec<Received>,
        now: u64,
    ) -> Result<Option<u64>, Unavailable> {
        self.shard(key.digest.place()).receive(key, received, now);
        Ok(None)
    }

    async fn exists(&self, key: &Key, _: &Arc<Realm>, idle: Idle) -> Result<bool, Unavailable> {
        let mut shard = self.shard(key.digest.place());
        Ok(shard.entry(key).is_some_and(|entry| !entry.has_ended(idle.now)))
    }

    async fn insert(&self, key: &Key, session: &Arc<Session>, idle: Idle) -> Result<(), Unavailable> {
        self.keep(key, session, idle);
        Ok(())
    }

    async fn replace(&self, key: &Key, session: &Arc<Session>, idle: Idle) -> Result<bool, Unavailable> {
        let place = key.digest.place();
        let Some(before) = self.shard(place).replace(key, session, idle) else { return Ok(false) };
        if before.issuer_session != session.issuer_session
            || before.identity.subject != session.identity.subject
        {
            self.index.forget(place, &before);
            self.index.remember(place, session);
        }
        Ok(true)
    }

    async fn remove(&self, key: &Key, _: &Realm) -> Result<(), Unavailable> {
        let removed = self.shard(key.digest.place()).remove(key);
        if let Some(session) = removed {
            self.index.forget(key.digest.place(), &session);
        }
        Ok(())
    }

    async fn remove_matching(
        &self,
        realm: &Realm,
        issuer_session: Option<&str>,
        subject: Option<&str>,
    ) -> Result<usize, Unavailable> {
        let mut ended = 0;
        for place in self.index.places(realm, issuer_session, subject) {
            let fits = |session: &Session| session.is_named(realm, issuer_session, subject);
            let removed = self.shard(place).remove_at(place, fits);
            if let Some(session) = removed {
                self.index.forget(place, &session);
                ended += 1;
            }
        }
        Ok(ended)
    }

    async fn remove_tenant(&self, tenant: Option<&TenantKey>) -> Result<usize, Unavailable> {
        Ok(self.take_where(|entry| entry.session.realm.tenant() == tenant).len())
    }
}

/// A panic elsewhere leaves every shard whole: no step in between is visible.
fn lock<T>(shard: &Mutex<T>) -> MutexGuard<'_, T> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
