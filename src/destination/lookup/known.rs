//! What is known of each destination that was looked for: what it is, that somebody asks, or why not.
//!
//! The key is a type that holds the tenant, the name and the user's own token by its digest, and each
//! tenant has a map of its own: two tenants or users never meet, and a tenant whose requests name ten
//! thousand destinations that are not there pushes out nobody's but its own.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use tokio::sync::watch;

use super::answer::Read;
use super::{Found, LookupError};
use crate::tenant::TenantKey;

/// How long what was found is used without asking again, in milliseconds.
const FRESH: u64 = 5 * 60 * 1000;
/// Asking again begins this long before that, while it is in use.
const AHEAD: u64 = 60 * 1000;
/// How long what was found is used on where the service does not answer.
const STALE: u64 = 60 * 60 * 1000;
/// A token is not sent that ends within this time; it has to arrive, too.
const MARGIN: u64 = 10 * 1000;
/// How long a destination is not asked for again that is not there, or of no use.
const NOT_THERE: u64 = 30 * 1000;
/// The longest pause where the service does not answer.
const LONGEST_PAUSE: u64 = 30 * 1000;
/// How many destinations of one tenant are remembered, one for each user that it is another for.
const MAX_OF_TENANT: usize = 4_000;
/// How many destinations are remembered in all.
const MAX: usize = 20_000;
/// How many are asked for at once for one tenant.
const MAX_FLIGHTS: usize = 32;

/// What a destination was looked for as.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) service: [u8; 32],
    /// Whether the provider's own was looked for.
    pub(super) local: bool,
    pub(super) tenant: Option<TenantKey>,
    /// The tenant's id: a reload may give its key to another.
    pub(super) id: Option<Arc<str>>,
    pub(super) name: Box<str>,
    /// The digest of the user's token.
    pub(super) user: Option<[u8; 32]>,
}

/// What those get who wait.
pub(super) type Outcome = Result<Found, LookupError>;

type Tell = watch::Sender<Option<Outcome>>;
type Flight = watch::Receiver<Option<Outcome>>;

/// What is to be done about a destination.
#[derive(Debug)]
pub(super) enum Look {
    /// It is there.
    Fresh(Found),
    /// It is there, and whoever looked has to ask again.
    Due(Found, Tell),
    /// Somebody asks.
    Awaited(Flight),
    /// Whoever looked has to ask.
    Absent(Tell, Flight),
    /// It is not there, and it is not time to ask again.
    Failed(LookupError),
}

/// All that is known.
#[derive(Debug, Default)]
pub(super) struct Known {
    tenants: HashMap<Option<TenantKey>, Own, RandomState>,
}

/// What is known of one tenant's destinations.
#[derive(Debug, Default)]
struct Own {
    entries: HashMap<Key, Entry, RandomState>,
    /// How many are being asked for.
    flights: usize,
}

#[derive(Debug, Default)]
struct Entry {
    held: Option<Held>,
    /// Why it was not found, and until when nobody asks.
    failed: Option<(LookupError, u64)>,
    failures: u32,
    flight: Option<Flight>,
    used: u64,
}

/// What was found; times are in milliseconds since the epoch.
#[derive(Debug)]
struct Held {
    found: Found,
    renew_at: u64,
    fresh_until: u64,
    stale_until: u64,
}

impl Known {
    /// What is to be done about the destination of `key`.
    pub(super) fn look(&mut self, key: &Key, now: u64) -> Look {
        let own = self.tenants.get(&key.tenant);
        if own.is_none_or(|own| !own.entries.contains_key(key)) {
            self.make_room(key, now);
        }
        let own = self.tenants.entry(key.tenant.clone()).or_default();
        let look = own.entries.entry(key.clone()).or_default().look(now, own.flights < MAX_FLIGHTS);
        match &look {
            Look::Due(..) | Look::Absent(..) => own.flights += 1,
            Look::Fresh(_) | Look::Awaited(_) | Look::Failed(_) => {}
        }
        look
    }

    /// Keeps what the service said, and says what those get who wait for it.
    pub(super) fn keep(&mut self, key: &Key, asked: Result<Read, LookupError>, now: u64) -> Outcome {
        let own = self.tenants.entry(key.tenant.clone()).or_default();
        own.flights = own.flights.saturating_sub(1);
        own.entries.entry(key.clone()).or_default().keep(asked, now)
    }

    /// Forgets what has not been used for the longest time, of the tenant that `key` is for first.
    fn make_room(&mut self, key: &Key, now: u64) {
        if let Some(own) = self.tenants.get_mut(&key.tenant).filter(|own| own.entries.len() >= MAX_OF_TENANT)
        {
            let limit = oldest_tenth(own.entries.values());
            own.forget(limit, now);
        }
        if self.tenants.values().map(|own| own.entries.len()).sum::<usize>() >= MAX {
            let limit = oldest_tenth(self.tenants.values().flat_map(|own| own.entries.values()));
            self.tenants.values_mut().for_each(|own| own.forget(limit, now));
            self.tenants.retain(|_, own| !own.entries.is_empty());
        }
    }
}

impl Own {
    /// Forgets what was not used since `limit`, and what says nothing any more.
    fn forget(&mut self, limit: u64, now: u64) {
        self.entries.retain(|_, entry| entry.is_asked_for() || (entry.used > limit && !entry.is_over(now)));
    }
}

/// The time up to which that tenth of `entries` was used that has not been for the longest time.
fn oldest_tenth<'e>(entries: impl Iterator<Item = &'e Entry>) -> u64 {
    let mut used: Vec<u64> = entries.map(|entry| entry.used).collect();
    used.sort_unstable();
    used.get(used.len() / 10).copied().unwrap_or(u64::MAX)
}

/// Whether `time` is still to come, and not further away than it can have been set: a clock that was set
/// back must not turn minutes into hours.
fn is_ahead(time: u64, now: u64, at_most: u64) -> bool {
    now < time && time - now <= at_most
}

impl Entry {
    fn look(&mut self, now: u64, may_ask: bool) -> Look {
        self.used = now;
        let awaited = self.flight.clone().filter(|flight| flight.has_changed().is_ok());
        let pauses = self.failed.as_ref().filter(|(_, until)| is_ahead(*until, now, LONGEST_PAUSE));
        if let Some(held) = self.held.as_ref().filter(|held| is_ahead(held.fresh_until, now, FRESH)) {
            let found = held.found.clone();
            let is_due = now >= held.renew_at && awaited.is_none() && pauses.is_none() && may_ask;
            return if is_due { Look::Due(found, self.take_off().0) } else { Look::Fresh(found) };
        }
        if let Some(flight) = awaited {
            return Look::Awaited(flight);
        }
        if let Some((reason, _)) = pauses {
            return match self.stale(now) {
                Some(found) => Look::Fresh(found),
                None => Look::Failed(reason.clone()),
            };
        }
        if !may_ask {
            return self.stale(now).map_or(Look::Failed(LookupError::Busy), Look::Fresh);
        }
        let (tell, flight) = self.take_off();
        Look::Absent(tell, flight)
    }

    fn take_off(&mut self) -> (Tell, Flight) {
        let (tell, flight) = watch::channel(None);
        self.flight = Some(flight.clone());
        (tell, flight)
    }

    /// What was found, where it may be used although the service does not answer.
    fn stale(&self, now: u64) -> Option<Found> {
        let held = self.held.as_ref()?;
        is_ahead(held.stale_until, now, FRESH + STALE).then(|| held.found.clone())
    }

    fn keep(&mut self, asked: Result<Read, LookupError>, now: u64) -> Outcome {
        self.flight = None;
        match asked {
            Ok(read) => {
                let found = read.found.clone();
                (self.failed, self.failures) = (None, 0);
                self.held = Some(Held::until(read, now));
                Ok(found)
            }
            Err(reason) if reason.may_pass() => {
                let pause = 1000_u64 << self.failures.min(5);
                self.failures = self.failures.saturating_add(1);
                self.failed = Some((reason.clone(), now.saturating_add(pause.min(LONGEST_PAUSE))));
                self.stale(now).ok_or(reason)
            }
            Err(reason) => {
                // It is gone, or no longer what it was: what was found must not be used on.
                self.held = None;
                self.failed = Some((reason.clone(), now.saturating_add(NOT_THERE)));
                Err(reason)
            }
        }
    }

    fn is_asked_for(&self) -> bool {
        self.flight.as_ref().is_some_and(|flight| flight.has_changed().is_ok())
    }

    /// Whether nothing in it says anything any more.
    fn is_over(&self, now: u64) -> bool {
        let fails = self.failed.as_ref().is_some_and(|(_, until)| is_ahead(*until, now, LONGEST_PAUSE));
        !fails && self.stale(now).is_none()
    }
}

impl Held {
    fn until(read: Read, now: u64) -> Self {
        let life = read.lifetime.map(|life| u64::try_from(life.as_millis()).unwrap_or(u64::MAX));
        let ends = |at_most: u64| match life {
            Some(life) => at_most.min(life.saturating_sub(MARGIN.min(life / 2))),
            None => at_most,
        };
        let fresh = ends(FRESH);
        Self {
            found: read.found,
            renew_at: now.saturating_add(fresh - AHEAD.min(fresh / 4)),
            fresh_until: now.saturating_add(fresh),
            stale_until: now.saturating_add(ends(FRESH + STALE)),
        }
    }
}

#[cfg(test)]
mod tests;
