//! How much memory may be in use for compressing at once.
//!
//! Each answer that is being compressed holds tables of its coding until its last byte is read, and clients
//! may read slowly. Beyond the limit answers are sent as they are, which every client understands: nobody
//! waits, nothing fails, and no number of slow readers takes more memory than this.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// KiB that the answers of one worker may hold together.
const LIMIT: usize = 64 * 1024;

/// What is left.
#[derive(Clone, Debug)]
pub struct Room(Arc<AtomicUsize>);

impl Default for Room {
    fn default() -> Self {
        Self::of(LIMIT)
    }
}

impl Room {
    /// Room for so many KiB.
    #[must_use]
    pub fn of(kib: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(kib)))
    }

    /// Takes so many KiB, if they are left.
    pub(super) fn take(&self, kib: usize) -> Option<Place> {
        let taken = self.0.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(kib));
        taken.ok().map(|_| Place { room: self.clone(), kib })
    }
}

/// What one answer has taken; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Place {
    room: Room,
    kib: usize,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.0.fetch_add(self.kib, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_comes_back() {
        let room = Room::of(10);
        let six = room.take(6);
        assert!(six.is_some() && room.take(5).is_none(), "there are four left");
        let four = room.take(4);
        assert!(four.is_some());
        drop(six);
        assert!(room.take(7).is_none() && room.take(6).is_some(), "six came back, and go again");
    }
}
