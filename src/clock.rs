//! The time, as tokens and keys see it.
//!
//! Tests hand in a clock they move by hand, so that expiry is tested without waiting. Times are
//! milliseconds since 1970-01-01 UTC. A system clock before 1970 reads as 0, at which every token is
//! not yet valid.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where the time comes from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that somebody moves: milliseconds since the epoch.
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// Milliseconds since the epoch.
    #[must_use]
    pub fn milliseconds(&self) -> u64 {
        match self {
            Self::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |passed| u64::try_from(passed.as_millis()).unwrap_or(u64::MAX)),
            Self::Manual(time) => time.load(Ordering::Relaxed),
        }
    }

    /// Seconds since the epoch.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        self.milliseconds() / 1000
    }
}
