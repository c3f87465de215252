//! How much a tenant may ask for: requests a second, and at once.
//!
//! The meters outlive snapshots, so a reload neither forgives nor punishes: requests in flight keep
//! counting, and the rate starts anew only where it changed. A tenant finds its meter once per
//! snapshot; after that a check is two atomic operations. Tenants without limits pay nothing.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use super::{Tenant, TenantKey};

/// How many meters are kept before those that nobody uses are dropped.
const KEPT: usize = 65_536;

/// How much a tenant may ask for; what is absent is unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Requests a second, in the long run.
    pub requests_per_second: Option<NonZeroU32>,
    /// Requests at once before the rate counts; absent, one second's worth.
    pub burst: Option<NonZeroU32>,
    /// Requests in flight.
    pub concurrent: Option<NonZeroU32>,
}

impl Limits {
    fn rate(&self) -> Option<Arc<DefaultDirectRateLimiter>> {
        let quota = Quota::per_second(self.requests_per_second?);
        Some(Arc::new(RateLimiter::direct(self.burst.map_or(quota, |burst| quota.allow_burst(burst)))))
    }

    fn unlimited(&self) -> bool {
        self.requests_per_second.is_none() && self.concurrent.is_none()
    }
}

/// What all tenants have used, whatever snapshot they are of.
#[derive(Debug, Default)]
pub struct Meters {
    by_key: Mutex<HashMap<TenantKey, Meter, foldhash::quality::RandomState>>,
    clock: DefaultClock,
}

/// What one tenant has used.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    limits: Limits,
    running: Arc<AtomicU32>,
    rate: Option<Arc<DefaultDirectRateLimiter>>,
}

/// A tenant has asked for too much: 429 with `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("over the {kind:?} limit, again in {retry_after:?}")]
pub struct Limited {
    /// When to come back.
    pub retry_after: Duration,
    /// Which limit it was.
    pub kind: LimitKind,
}

/// Which limit a request met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitKind {
    /// Requests a second.
    Rate,
    /// Requests in flight.
    Concurrency,
}

/// One request in flight; ends when it is dropped.
#[derive(Debug)]
#[must_use = "the request counts as in flight only while the permit lives"]
pub struct Permit {
    running: Option<Arc<AtomicU32>>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Meters {
    /// Nobody has used anything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one request of `tenant`, until the permit is dropped.
    ///
    /// # Errors
    /// The limit that it met; a refused request counts nowhere.
    pub fn admit(&self, tenant: &Tenant) -> Result<Permit, Limited> {
        if tenant.limits.unlimited() {
            return Ok(Permit { running: None });
        }
        let Some(key) = &tenant.key else { return Ok(Permit { running: None }) };
        let meter = tenant.meter.get_or_init(|| Box::new(self.meter(key, tenant.limits)));
        let permit = meter.enter()?;
        if let Some(rate) = &meter.rate {
            rate.check().map_err(|until| Limited {
                retry_after: until.wait_time_from(self.clock.now()),
                kind: LimitKind::Rate,
            })?;
        }
        Ok(permit)
    }

    /// The meter of `key`, with its past: what runs stays counted, and the rate where it did not change.
    fn meter(&self, key: &TenantKey, limits: Limits) -> Meter {
        let mut by_key = self.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        if by_key.len() >= KEPT {
            by_key.retain(|_, meter| Arc::strong_count(&meter.running) > 1);
        }
        let known = by_key.get(key);
        let meter = match known {
            Some(meter) if meter.limits == limits => return meter.clone(),
            Some(meter) => Meter { limits, running: Arc::clone(&meter.running), rate: limits.rate() },
            None => Meter { limits, running: Arc::default(), rate: limits.rate() },
        };
        by_key.insert(key.clone(), meter.clone());
        meter
    }
}

impl Meter {
    /// Counts one more in flight, unless that is too many.
    fn enter(&self) -> Result<Permit, Limited> {
        let before = self.running.fetch_add(1, Ordering::Relaxed);
        let permit = Permit { running: Some(Arc::clone(&self.running)) };
        match self.limits.concurrent {
            Some(most) if before >= most.get() => {
                Err(Limited { retry_after: Duration::from_secs(1), kind: LimitKind::Concurrency })
            }
            Some(_) | None => Ok(permit),
        }
    }
}

#[cfg(test)]
mod tests;
