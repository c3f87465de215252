//! What is known of each token: the token itself, that it is being asked for, or why there is none.
//!
//! The key is a type that holds the tenant, the service and the caller's own token by its digest: two
//! tenants, or two callers of one name with different rights, never meet. Bounded in number and bytes;
//! beyond that what has not been used for the longest time is forgotten.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;
use http::HeaderValue;
use tokio::sync::watch;

use super::super::store::{LONGEST_PAUSE, is_ahead, pause_after};
use super::ServiceTokenError;
use super::ask::Given;
use crate::tenant::TenantKey;

/// How many tokens are remembered.
const MAX_TOKENS: usize = 20_000;
/// How many bytes of tokens are remembered.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// A token is not sent that ends within this time, in milliseconds; it has to arrive, too.
const MARGIN: u64 = 10 * 1000;
/// Renewing begins this long before the end, in milliseconds.
const AHEAD: u64 = 5 * 60 * 1000;
/// How long a server's no is remembered at most, in milliseconds.
const LONGEST_NO: u64 = 5 * 1000;

/// What a token was given for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) tenant: Option<TenantKey>,
    /// The tenant's id: a reload may give its key to another.
    pub(super) id: Option<Arc<str>>,
    /// The service's authorization server, and the application's credentials there.
    pub(super) service: [u8; 32],
    pub(super) who: Who,
}

/// By whose right it was given.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Who {
    /// The application's own.
    Application,
    /// The caller's whose token has this digest.
    Caller([u8; 32]),
}

/// What a flight brings.
pub(super) type Outcome = Result<HeaderValue, ServiceTokenError>;

/// Says an outcome to all who wait.
type Tell = watch::Sender<Option<Outcome>>;
/// Hears of an outcome.
type Flight = watch::Receiver<Option<Outcome>>;

/// What is to be done about a token.
#[derive(Debug)]
pub(super) enum Look {
    /// It is there.
    Fresh(HeaderValue),
    /// It is there, and whoever looked has to ask for the next one.
    Due(HeaderValue, Tell),
    /// Somebody asks for it.
    Awaited(Flight),
    /// Whoever looked has to ask for it.
    Absent(Tell, Flight),
    /// There is none, and it is not time to ask again.
    Failed(ServiceTokenError),
}

/// All that is known.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Seeded at random, so that nobody outside can aim at a place.
    entries: HashMap<Key, Entry, RandomState>,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Entry {
    token: Option<Token>,
    /// Why there was none, and until when nobody asks.
    failed: Option<(ServiceTokenError, u64)>,
    /// How often that was so in a row.
    failures: u32,
    flight: Option<Flight>,
    used: u64,
}

/// A token; times are in milliseconds, points since the epoch.
#[derive(Debug)]
struct Token {
    bearer: HeaderValue,
    lifetime: u64,
    renew_at: u64,
    until: u64,
}

impl Known {
    /// What is to be done about the token of `key`.
    pub(super) fn look(&mut self, key: &Key, now: u64) -> Look {
        if let Some(entry) = self.entries.get_mut(key) {
            return entry.look(now);
        }
        self.make_room(now);
        self.entries.entry(key.clone()).or_default().look(now)
    }

    /// Keeps what the server gave, and says what those get who wait for it.
    pub(super) fn keep(&mut self, key: Key, given: Result<Given, ServiceTokenError>, now: u64) -> Outcome {
        let entry = self.entries.entry(key).or_default();
        entry.flight = None;
        entry.used = now;
        match given {
            Ok(given) => {
                let bearer = given.bearer.clone();
                self.bytes += bearer.len();
                let before = entry.token.replace(Token::of(given, now));
                self.bytes -= before.map_or(0, |token| token.bearer.len());
                (entry.failed, entry.failures) = (None, 0);
                Ok(bearer)
            }
            Err(reason) => {
                entry.failures = entry.failures.saturating_add(1);
                let until = now.saturating_add(pause(&reason, entry.failures));
                entry.failed = Some((reason.clone(), until));
                Err(reason)
            }
        }
    }

    fn make_room(&mut self, now: u64) {
        if self.entries.len() < MAX_TOKENS && self.bytes < MAX_BYTES {
            return;
        }
        self.entries.retain(|_, entry| entry.is_of_use(now));
        if self.entries.len() >= MAX_TOKENS - MAX_TOKENS / 10 || self.bytes >= MAX_BYTES - MAX_BYTES / 10 {
            let mut used: Vec<u64> = self.entries.values().map(|entry| entry.used).collect();
            used.sort_unstable();
            let limit = used.get(used.len() / 10).copied().unwrap_or(u64::MAX);
            self.entries.retain(|_, entry| entry.used > limit || entry.flight.is_some());
        }
        self.bytes = self.entries.values().filter_map(|entry| Some(entry.token.as_ref()?.bearer.len())).sum();
    }
}

impl Entry {
    fn look(&mut self, now: u64) -> Look {
        self.used = now;
        // One whose task died counts as over.
        self.flight.take_if(|flight| flight.has_changed().is_err());
        let pauses = self.failed.as_ref().is_some_and(|(_, until)| is_ahead(*until, now, LONGEST_PAUSE));
        if let Some(token) = self.token.as_ref().filter(|token| token.holds(now)) {
            let bearer = token.bearer.clone();
            if !token.is_due(now) || self.flight.is_some() || pauses {
                return Look::Fresh(bearer);
            }
            return Look::Due(bearer, self.begin().0);
        }
        match (&self.flight, &self.failed) {
            (Some(flight), _) => Look::Awaited(flight.clone()),
            (None, Some((reason, until))) if pauses => Look::Failed(later(reason, until.saturating_sub(now))),
            (None, _) => {
                let (tell, flight) = self.begin();
                Look::Absent(tell, flight)
            }
        }
    }

    fn begin(&mut self) -> (Tell, Flight) {
        let (tell, flight) = watch::channel(None);
        self.flight = Some(flight.clone());
        (tell, flight)
    }

    fn is_of_use(&self, now: u64) -> bool {
        self.flight.is_some() || self.token.as_ref().is_some_and(|token| token.holds(now))
    }
}

impl Token {
    fn of(given: Given, now: u64) -> Self {
        let lifetime = u64::try_from(given.lifetime.as_millis()).unwrap_or(u64::MAX);
        let end = now.saturating_add(lifetime);
        Self {
            bearer: given.bearer,
            lifetime,
            renew_at: end.saturating_sub(AHEAD.min(lifetime / 2)),
            until: end.saturating_sub(MARGIN.min(lifetime / 4)),
        }
    }

    fn holds(&self, now: u64) -> bool {
        is_ahead(self.until, now, self.lifetime)
    }

    fn is_due(&self, now: u64) -> bool {
        now >= self.renew_at
    }
}

/// For how long nobody asks again.
fn pause(reason: &ServiceTokenError, failures: u32) -> u64 {
    match reason {
        ServiceTokenError::Refused(_) | ServiceTokenError::Unusable(_) => {
            pause_after(failures).min(LONGEST_NO)
        }
        ServiceTokenError::TimedOut { .. } | ServiceTokenError::Unavailable { .. } => pause_after(failures),
    }
}

/// The same reason for somebody who comes when `left` milliseconds of the pause are left.
fn later(reason: &ServiceTokenError, left: u64) -> ServiceTokenError {
    let retry_after = Duration::from_millis(left).max(Duration::from_secs(1));
    match reason {
        ServiceTokenError::Refused(said) => ServiceTokenError::Refused(said.clone()),
        ServiceTokenError::Unusable(why) => ServiceTokenError::Unusable(why),
        ServiceTokenError::TimedOut { .. } => ServiceTokenError::TimedOut { retry_after },
        ServiceTokenError::Unavailable { .. } => ServiceTokenError::Unavailable { retry_after },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(tenant: &str, service: u8, who: Who) -> Key {
        Key { tenant: TenantKey::parse(tenant), id: None, service: [service; 32], who }
    }

    fn given(text: &'static str, seconds: u64) -> Given {
        Given { bearer: HeaderValue::from_static(text), lifetime: Duration::from_secs(seconds) }
    }

    /// What a look comes to, in a word.
    fn word(look: &Look) -> &'static str {
        match look {
            Look::Fresh(_) => "fresh",
            Look::Due(..) => "due",
            Look::Awaited(_) => "awaited",
            Look::Absent(..) => "absent",
            Look::Failed(_) => "failed",
        }
    }

    const NOW: u64 = 1_000_000_000;

    #[test]
    fn a_token_is_asked_for_once_renewed_ahead_and_never_sent_late() {
        let mut known = Known::default();
        let key = key("acme", 1, Who::Application);
        let first = known.look(&key, NOW);
        assert_eq!(word(&first), "absent");
        assert_eq!(word(&known.look(&key, NOW)), "awaited", "somebody asks");
        assert!(known.keep(key.clone(), Ok(given("Bearer a", 3600)), NOW).is_ok());
        let due = NOW + 3_300_000;
        assert_eq!(word(&known.look(&key, due - 1)), "fresh");
        let renewal = known.look(&key, due);
        assert_eq!(word(&renewal), "due", "five minutes ahead");
        assert_eq!(word(&known.look(&key, due)), "fresh", "by one alone");
        assert_eq!(word(&known.look(&key, NOW + 3_590_000)), "awaited", "ten seconds are left");
        drop((first, renewal));
        assert_eq!(word(&known.look(&key, NOW + 3_590_000)), "absent", "who asked is gone");
    }

    #[test]
    fn a_clock_that_was_set_back_keeps_no_token() {
        let mut known = Known::default();
        let key = key("acme", 1, Who::Application);
        assert!(known.keep(key.clone(), Ok(given("Bearer a", 60)), NOW).is_ok());
        assert_eq!(word(&known.look(&key, NOW - 100_000)), "absent");
    }

    #[test]
    fn a_failure_is_remembered_for_a_while_and_a_token_outlives_it() {
        let mut known = Known::default();
        let no = || Err(ServiceTokenError::Refused("invalid_client".into()));
        let down = || Err(ServiceTokenError::Unavailable { retry_after: Duration::from_secs(1) });
        let key = key("acme", 1, Who::Application);
        for (failed, pauses) in [
            (no as fn() -> _, [1000, 2000, 4000, 5000, 5000, 5000]),
            (down, [1000, 2000, 4000, 8000, 16_000, 30_000]),
        ] {
            let mut now = NOW;
            for pause in pauses {
                assert!(known.keep(key.clone(), failed(), now).is_err());
                assert_eq!(word(&known.look(&key, now + pause - 1)), "failed", "{pause}");
                assert_eq!(word(&known.look(&key, now + pause)), "absent", "{pause}");
                now += pause;
            }
            assert!(known.keep(key.clone(), Ok(given("Bearer a", 10)), now).is_ok());
            assert!(known.keep(key.clone(), down(), now + 6000).is_err());
            assert_eq!(word(&known.look(&key, now + 6500)), "fresh", "it holds while the server is down");
            known = Known::default();
        }
    }

    #[test]
    fn tenants_services_and_callers_share_nothing() {
        let mut known = Known::default();
        let keys = [
            key("acme", 1, Who::Application),
            key("globex", 1, Who::Application),
            key("acme", 2, Who::Application),
            key("acme", 1, Who::Caller([1; 32])),
            key("acme", 1, Who::Caller([2; 32])),
            Key { id: Some("other".into()), ..key("acme", 1, Who::Application) },
        ];
        for key in &keys {
            assert_eq!(word(&known.look(key, NOW)), "absent", "{key:?}");
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut known = Known::default();
        let caller = |number: usize| {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&number.to_be_bytes());
            key("acme", 1, Who::Caller(digest))
        };
        for number in 0..MAX_TOKENS + 10 {
            let now = NOW + number as u64;
            drop(known.look(&caller(number), now));
            assert!(known.keep(caller(number), Ok(given("Bearer a", 3600)), now).is_ok());
        }
        assert!(known.entries.len() <= MAX_TOKENS);
        assert_eq!(known.bytes, known.entries.len() * 8, "every byte is counted");
        assert!(!known.entries.contains_key(&caller(0)), "the oldest went");
        assert!(known.entries.contains_key(&caller(MAX_TOKENS)));
        let big = "a".repeat(16 * 1024);
        for number in 0..5000 {
            let bearer = HeaderValue::try_from(&*big).expect("text");
            let given = Given { bearer, lifetime: Duration::from_hours(1) };
            drop(known.look(&caller(number), NOW + 100_000));
            assert!(known.keep(caller(number), Ok(given), NOW + 100_000).is_ok());
        }
        assert!(known.bytes <= MAX_BYTES + big.len(), "{}", known.bytes);
    }
}
