//! Durations in fixed buckets.
//!
//! The bounds are the same for every series, from half a millisecond to half a minute: a router's answers
//! are either far below a millisecond of its own work or as slow as what stands behind it.

use std::time::Duration;

/// The upper bounds, in microseconds; one more bucket holds what is above.
pub(super) const BOUNDS: [u64; 15] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000, 30_000_000,
];

/// How many durations fell into each bucket, and their sum.
#[derive(Clone, Debug, Default)]
pub(super) struct Histogram {
    buckets: [u64; BOUNDS.len() + 1],
    nanoseconds: u64,
}

impl Histogram {
    /// Counts one duration.
    pub(super) fn record(&mut self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|bound| bound * 1_000 < nanoseconds);
        self.buckets[bucket] += 1;
        self.nanoseconds = self.nanoseconds.saturating_add(nanoseconds);
    }

    /// Adds what another shard counted.
    pub(super) fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(other.buckets) {
            *mine += theirs;
        }
        self.nanoseconds = self.nanoseconds.saturating_add(other.nanoseconds);
    }

    /// How many durations there are.
    pub(super) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The sum of all durations, in seconds.
    pub(super) fn seconds(&self) -> f64 {
        Duration::from_nanos(self.nanoseconds).as_secs_f64()
    }

    /// The upper bound, in milliseconds, of the bucket that holds the quantile; `None` when nothing was
    /// counted or it is in the last bucket, which has no bound.
    pub(super) fn quantile(&self, thousandths: u64) -> Option<f64> {
        let wanted = self.count() * thousandths;
        let mut below = 0;
        let bucket = self.buckets.iter().position(|count| {
            below += count * 1000;
            below >= wanted && below > 0
        })?;
        BOUNDS.get(bucket).map(|&bound| Duration::from_micros(bound).as_secs_f64() * 1e3)
    }

    /// Each bucket's upper bound in seconds and its own count, not cumulated; the last is infinite.
    pub(super) fn buckets(&self) -> Vec<(f64, u64)> {
        let bounds = BOUNDS.iter().map(|&bound| Duration::from_micros(bound).as_secs_f64());
        bounds.chain([f64::INFINITY]).zip(self.buckets).collect()
    }
}
