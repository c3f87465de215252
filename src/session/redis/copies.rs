//! What this process saw of the sessions in Redis, for a short time.
//!
//! A copy answers alone for a second, so that a page of a hundred requests asks Redis once; it answers for
//! a minute while Redis is away. What has ended is remembered for longer than any copy, and goes before
//! every other answer. What could not be told to Redis is kept until it can.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::session::key::{Digest, Key};
use crate::session::store::Idle;
use crate::session::{Jar, Session};

/// How long a copy answers without Redis being asked.
const FRESH: Duration = Duration::from_secs(1);
/// How long others go on with a copy while one asks.
const ASKING: Duration = Duration::from_millis(500);
/// How long a copy answers in the place of a Redis that is away, in seconds.
pub(super) const LIFE: u64 = 60;
/// How long it is remembered that a session has ended, in seconds: longer than any copy may answer
/// anywhere, and than a Redis that was restored from a file may have forgotten.
pub(super) const MEMORY: u64 = 15 * 60;
/// Into how many parts they are split; a power of two.
const SHARDS: usize = 16;
/// How many copies one part holds; a session takes about 5 KiB.
const MAX: usize = 512;

/// A copy of a session.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    pub(super) key: Key,
    pub(super) session: Arc<Session>,
    /// The idle time it was last used with, in seconds.
    pub(super) limit: u64,
    /// The second at which it has lain unused for too long, as far as is known here.
    pub(super) idle_until: u64,
    /// Whether Redis has yet to hear of it.
    pub(super) is_unsaved: bool,
    /// The cookies of backends, where they were asked for.
    jar: Option<Arc<Jar>>,
    /// When Redis said so.
    confirmed: Instant,
    /// The same in seconds since the epoch.
    confirmed_at: u64,
    /// When Redis was last asked.
    asked: Instant,
}

/// What is known without asking.
#[derive(Debug)]
pub(super) enum Known {
    /// The session, as of now.
    Fresh(Arc<Session>),
    /// It has ended.
    Ended,
    /// Redis has to be asked.
    Nothing,
}

#[derive(Debug, Default)]
struct Shard {
    copies: HashMap<Digest, Copy>,
    ended: HashMap<Digest, End>,
}

#[derive(Clone, Copy, Debug)]
struct End {
    /// The second until which it is remembered.
    until: u64,
    /// Whether Redis has yet to hear of it.
    is_untold: bool,
}

/// The copies, and what has ended.
#[derive(Debug)]
pub(super) struct Copies(Box<[Mutex<Shard>]>);

impl Default for Copies {
    fn default() -> Self {
        Self((0..SHARDS).map(|_| Mutex::default()).collect())
    }
}

impl Copies {
    /// What is known of a session. Whoever is told nothing is the one to ask Redis, for a while.
    pub(super) fn look(&self, name: &Digest, idle: Idle) -> Known {
        let mut shard = self.shard(name);
        if shard.ended.contains_key(name) {
            return Known::Ended;
        }
        let Some(copy) = shard.copies.get_mut(name) else { return Known::Nothing };
        if copy.has_ended(idle) {
            return Known::Nothing;
        }
        if copy.is_unsaved || copy.is_fresh(idle) {
            return Known::Fresh(copy.touch(idle));
        }
        copy.asked = Instant::now();
        Known::Nothing
    }

    /// Whether it is known that a session has ended.
    pub(super) fn has_ended(&self, name: &Digest) -> bool {
        self.shard(name).ended.contains_key(name)
    }

    /// The session as it was last seen, where Redis does not say.
    pub(super) fn last_seen(&self, name: &Digest, idle: Idle) -> Option<Arc<Session>> {
        let mut shard = self.shard(name);
        let copy = shard.copies.get_mut(name)?;
        let is_recent = idle.now <= copy.confirmed_at.saturating_add(LIFE);
        (is_recent && !copy.has_ended(idle)).then(|| copy.touch(idle))
    }

    /// Keeps what Redis said; `false` where the session ended meanwhile.
    pub(super) fn keep(&self, key: &Key, session: &Arc<Session>, idle: Idle) -> bool {
        self.put(Copy::new(key, session, idle))
    }

    /// Keeps what Redis has yet to hear, in the place of what was known; `false` where nothing was.
    pub(super) fn keep_unsaved(&self, key: &Key, session: &Arc<Session>, idle: Idle) -> bool {
        let is_known = self.shard(&key.digest).copies.contains_key(&key.digest);
        is_known && self.put(Copy { is_unsaved: true, ..Copy::new(key, session, idle) })
    }

    /// The cookies of backends as they were last seen.
    pub(super) fn jar(&self, name: &Digest) -> Option<Arc<Jar>> {
        self.shard(name).copies.get(name)?.jar.clone()
    }

    /// Keeps the cookies of backends that Redis gave, unless newer ones are known.
    pub(super) fn keep_jar(&self, name: &Digest, jar: &Arc<Jar>) {
        if let Some(copy) = self.shard(name).copies.get_mut(name)
            && copy.jar.as_ref().is_none_or(|known| known.version <= jar.version)
        {
            copy.jar = Some(Arc::clone(jar));
        }
    }

    fn put(&self, mut copy: Copy) -> bool {
        let mut shard = self.shard(&copy.key.digest);
        if shard.ended.contains_key(&copy.key.digest) {
            return false;
        }
        if shard.copies.len() >= MAX && !shard.copies.contains_key(&copy.key.digest) {
            shard.make_room();
        }
        copy.jar = shard.copies.get(&copy.key.digest).and_then(|before| before.jar.clone());
        shard.copies.insert(copy.key.digest, copy);
        true
    }

    /// Forgets a session that Redis does not have.
    pub(super) fn forget(&self, name: &Digest) {
        self.shard(name).copies.remove(name);
    }

    /// Has Redis asked by whoever comes next.
    pub(super) fn outdate(&self, name: &Digest) {
        let Some(past) = Instant::now().checked_sub(FRESH + ASKING) else { return self.forget(name) };
        if let Some(copy) = self.shard(name).copies.get_mut(name) {
            (copy.confirmed, copy.asked) = (past, past);
        }
    }

    /// A session has ended; `is_untold` where Redis has yet to hear of it.
    pub(super) fn end(&self, name: &Digest, now: u64, is_untold: bool) {
        let mut shard = self.shard(name);
        shard.copies.remove(name);
        shard.ended.insert(*name, End { until: now.saturating_add(MEMORY), is_untold });
    }

    /// Ends every session that fits, to be told later; their names.
    pub(super) fn end_where(&self, now: u64, fits: impl Fn(&Session) -> bool) -> Vec<Digest> {
        let mut names = Vec::new();
        for shard in &self.0 {
            let shard = lock(shard);
            names
                .extend(shard.copies.values().filter(|copy| fits(&copy.session)).map(|copy| copy.key.digest));
        }
        for name in &names {
            self.end(name, now, true);
        }
        names
    }

    /// Redis heard that these have ended.
    pub(super) fn told(&self, names: &[Digest]) {
        for name in names {
            if let Some(end) = self.shard(name).ended.get_mut(name) {
                end.is_untold = false;
            }
        }
    }

    /// Redis has these now.
    pub(super) fn saved(&self, copy: &Copy) {
        if let Some(there) = self.shard(&copy.key.digest).copies.get_mut(&copy.key.digest)
            && Arc::ptr_eq(&there.session, &copy.session)
        {
            there.is_unsaved = false;
        }
    }

    /// The copies that still answer in the place of Redis.
    pub(super) fn living(&self, now: u64) -> Vec<Copy> {
        self.select(|copy| now <= copy.confirmed_at.saturating_add(LIFE))
    }

    /// What Redis has yet to hear.
    pub(super) fn unsaved(&self) -> Vec<Copy> {
        self.select(|copy| copy.is_unsaved)
    }

    fn select(&self, fits: impl Fn(&Copy) -> bool) -> Vec<Copy> {
        let mut found = Vec::new();
        for shard in &self.0 {
            found.extend(lock(shard).copies.values().filter(|copy| fits(copy)).cloned());
        }
        found
    }

    /// What has ended; of that, what Redis has yet to hear.
    pub(super) fn ended(&self) -> (Vec<Digest>, Vec<Digest>) {
        let (mut all, mut untold) = (Vec::new(), Vec::new());
        for shard in &self.0 {
            let shard = lock(shard);
            all.extend(shard.ended.keys());
            untold.extend(shard.ended.iter().filter(|(_, end)| end.is_untold).map(|(name, _)| *name));
        }
        (all, untold)
    }

    /// Drops what answers nothing any more.
    pub(super) fn sweep(&self, now: u64) {
        for shard in &self.0 {
            let mut shard = lock(shard);
            let life = |copy: &Copy| if copy.is_unsaved { MEMORY } else { LIFE };
            shard.copies.retain(|_, copy| now <= copy.confirmed_at.saturating_add(life(copy)));
            shard.ended.retain(|_, end| now <= end.until);
        }
    }

    fn shard(&self, name: &Digest) -> MutexGuard<'_, Shard> {
        let at = usize::try_from(name.place() % SHARDS as u64).unwrap_or_default();
        self.0.get(at).map_or_else(|| lock(&self.0[0]), lock)
    }
}

impl Shard {
    /// Drops the copy that was confirmed longest ago, but none that Redis has yet to hear of.
    fn make_room(&mut self) {
        let saved = self.copies.values().filter(|copy| !copy.is_unsaved);
        let oldest = saved.min_by_key(|copy| copy.confirmed).map(|copy| copy.key.digest);
        if let Some(oldest) = oldest {
            self.copies.remove(&oldest);
        }
    }
}

impl Copy {
    fn new(key: &Key, session: &Arc<Session>, idle: Idle) -> Self {
        let now = Instant::now();
        Self {
            key: *key,
            session: Arc::clone(session),
            limit: idle.limit,
            idle_until: idle.now.saturating_add(idle.limit),
            is_unsaved: false,
            jar: None,
            confirmed: now,
            confirmed_at: idle.now,
            asked: now,
        }
    }

    fn has_ended(&self, idle: Idle) -> bool {
        idle.now >= self.session.ends || idle.now >= self.idle_until
    }

    /// Both by the machine's steady clock and by the one that sessions live by, which may jump.
    fn is_fresh(&self, idle: Idle) -> bool {
        let age = self.confirmed.elapsed();
        let is_asked = age < FRESH + ASKING && self.asked > self.confirmed && self.asked.elapsed() < ASKING;
        (age < FRESH || is_asked) && idle.now <= self.confirmed_at.saturating_add(1)
    }

    fn touch(&mut self, idle: Idle) -> Arc<Session> {
        self.limit = idle.limit;
        self.idle_until = self.idle_until.max(idle.now.saturating_add(idle.limit));
        Arc::clone(&self.session)
    }
}

/// A panic elsewhere leaves every part whole: no step in between is visible.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
