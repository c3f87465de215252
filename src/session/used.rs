//! What may be used once: states of logins, ids of logout tokens.
//!
//! Bounded: where there is no room for another mark, the use is refused, because a mark that is
//! forgotten early would let something be used twice.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::key::Digest;

/// How many marks there may be.
const MAX: usize = 1_000_000;

/// Marks of this process, each until the time at which it would not matter any more.
#[derive(Debug, Default)]
pub(super) struct Used(Mutex<HashMap<Digest, u64>>);

impl Used {
    /// Marks `name` at `now`, in milliseconds since the epoch, for `time`; whether it was unused.
    pub(super) fn use_once(&self, name: Digest, time: Duration, now: u64) -> bool {
        let until = now.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        let mut marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if marks.len() >= MAX {
            marks.retain(|_, until| *until > now);
        }
        let has_room = marks.len() < MAX;
        match marks.entry(name) {
            Entry::Occupied(mut mark) if *mark.get() <= now => {
                mark.insert(until);
                true
            }
            Entry::Vacant(place) if has_room => {
                place.insert(until);
                true
            }
            Entry::Occupied(_) | Entry::Vacant(_) => false,
        }
    }

    /// Takes back that `name` was used, where nothing came of it.
    pub(super) fn forget(&self, name: &Digest) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// Forgets what does not matter any more.
    pub(super) fn sweep(&self, now: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, until| *until > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_used_once_until_its_time_is_over() {
        let used = Used::default();
        let (name, other) = (Digest([1; 32]), Digest([2; 32]));
        let time = Duration::from_secs(10);
        assert!(used.use_once(name, time, 1_000), "new");
        assert!(!used.use_once(name, time, 10_999), "used, and its time is not over");
        assert!(used.use_once(other, time, 1_000), "another");
        assert!(used.use_once(name, time, 11_000), "its time is over, so nothing can come of it");
        used.forget(&other);
        assert!(used.use_once(other, time, 1_000), "nothing came of it");
        used.sweep(11_000);
        assert!(!used.use_once(name, time, 11_000), "what still matters is kept");
    }
}
