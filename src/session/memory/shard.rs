//! One part of the sessions of this process.
//!
//! It knows neither locks nor the index: what it removes it gives back, and whoever called takes it out
//! of the index.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use super::super::jar::{self, Jar, Received};
use super::super::key::{Digest, Key};
use super::super::store::Idle;
use crate::session::Session;

/// Sessions by the first bytes of their key's hash.
#[derive(Debug, Default)]
pub(super) struct Shard {
    entries: HashMap<u64, Entry, BuildHasherDefault<AsItIs>>,
    bytes: usize,
}

/// A session and its last use.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) session: Arc<Session>,
    /// What backends have set in it.
    pub(super) jar: Option<Arc<Jar>>,
    digest: Digest,
    /// Seconds since the epoch.
    used: u64,
    /// Seconds.
    limit: u64,
}

/// A session that was removed, what backends had set in it, and where it was.
#[derive(Debug)]
pub(super) struct Removed {
    pub(super) place: u64,
    pub(super) session: Arc<Session>,
    pub(super) jar: Option<Arc<Jar>>,
}

impl Entry {
    pub(super) fn new(key: &Key, session: &Arc<Session>, idle: Idle) -> Self {
        let (session, digest) = (Arc::clone(session), key.digest);
        Self { session, jar: None, digest, used: idle.now, limit: idle.limit }
    }

    /// Whether the session is past its end or lay unused for too long.
    pub(super) fn has_ended(&self, now: u64) -> bool {
        now >= self.session.ends || now >= self.used.saturating_add(self.limit)
    }

    pub(super) fn touch(&mut self, idle: Idle) {
        self.used = self.used.max(idle.now);
        self.limit = idle.limit;
    }

    fn weight(&self) -> usize {
        size_of::<Self>() + self.session.weight() + self.jar.as_ref().map_or(0, |jar| jar.weight())
    }
}

impl Shard {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn entry(&mut self, key: &Key) -> Option<&mut Entry> {
        self.entries.get_mut(&key.digest.place()).filter(|entry| entry.digest == key.digest)
    }

    /// Keeps `entry`; what had to give way for it.
    pub(super) fn insert(&mut self, key: &Key, entry: Entry, max_bytes: usize) -> Vec<Removed> {
        let weight = entry.weight();
        let mut removed = Vec::from_iter(self.take(key.digest.place()));
        while self.bytes + weight > max_bytes {
            let Some(place) = self.longest_unused() else { break };
            removed.extend(self.take(place));
        }
        self.bytes += weight;
        self.entries.insert(key.digest.place(), entry);
        removed
    }

    /// Puts `session` in the place of one that has not ended, which is given back.
    pub(super) fn replace(&mut self, key: &Key, session: &Arc<Session>, idle: Idle) -> Option<Arc<Session>> {
        let entry = self.entry(key).filter(|entry| !entry.has_ended(idle.now))?;
        let (before, weight) = (Arc::clone(&entry.session), entry.weight());
        entry.session = Arc::clone(session);
        entry.touch(idle);
        let after = entry.weight();
        self.bytes = self.bytes.saturating_sub(weight) + after;
        Some(before)
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<Arc<Session>> {
        self.entry(key)?;
        self.remove_at(key.digest.place(), |_| true)
    }

    /// Removes the session at `place` if it fits.
    pub(super) fn remove_at(
        &mut self,
        place: u64,
        fits: impl FnOnce(&Session) -> bool,
    ) -> Option<Arc<Session>> {
        if !fits(&self.entries.get(&place)?.session) {
            return None;
        }
        self.take(place).map(|removed| removed.session)
    }

    fn take(&mut self, place: u64) -> Option<Removed> {
        let entry = self.entries.remove(&place)?;
        self.bytes = self.bytes.saturating_sub(entry.weight());
        Some(Removed { place, session: entry.session, jar: entry.jar })
    }

    /// Changes what backends have set in a session, where there is one.
    pub(super) fn receive(&mut self, key: &Key, received: Vec<Received>, now: u64) {
        let Some(entry) = self.entry(key).filter(|entry| !entry.has_ended(now)) else { return };
        if entry.jar.is_none() && !received.iter().any(Received::is_kept) {
            return;
        }
        let before = entry.weight();
        let jar = entry.jar.get_or_insert_default();
        Arc::make_mut(jar).apply(received, jar::ROOM);
        let after = entry.weight();
        self.bytes = self.bytes.saturating_sub(before) + after;
    }

    pub(super) fn take_where(&mut self, ends: impl Fn(&Entry) -> bool) -> Vec<Removed> {
        let taken: Vec<Removed> = self
            .entries
            .extract_if(|_, entry| ends(entry))
            .map(|(place, entry)| Removed { place, session: entry.session, jar: entry.jar })
            .collect();
        self.bytes = self.entries.values().map(Entry::weight).sum();
        taken
    }

    fn longest_unused(&self) -> Option<u64> {
        self.entries.iter().min_by_key(|(_, entry)| entry.used).map(|(place, _)| *place)
    }
}

/// The places are hashes already.
#[derive(Debug, Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, place: u64) {
        // The shard is chosen by the lowest bits, so the map must not begin with them.
        self.0 = place.rotate_left(32);
    }
}
