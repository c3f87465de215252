//! One refresh for a session, however many requests wait for it.
//!
//! The first to ask starts a flight on the runtime of slow work, so that a client that leaves does not
//! cancel it; all others wait for its outcome, and not for long while the token still holds. Where an
//! issuer does not answer, it is left alone for as long as it asked for. How a flight goes is in `renew`.

mod renew;

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::Session;
use super::core::Core;
use super::keep::Place;
use super::key::Digest;
use super::opened::{Opened, Refreshed, Renewal, RenewalFailed};
use super::policy::{CookieScope, Policy};
use super::sealed::Successor;
use super::sessions::Sessions;

/// When a renewal that failed without an answer is tried again.
const RETRY: Duration = Duration::from_secs(2);
/// How long a request whose token still holds waits for the next one.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a flight gave.
#[derive(Clone, Debug)]
enum Outcome {
    Renewed(Successor),
    Ended,
    Unreachable(Duration),
}

/// The outcome of a flight, once there is one.
type Flown = watch::Receiver<Option<Outcome>>;

/// Refreshes under way, by session.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<Digest, Flight>>);

#[derive(Debug)]
enum Flight {
    /// Somebody asks the issuer.
    InTheAir(Flown),
    /// The issuer did not answer; milliseconds since the epoch until which nobody asks.
    Grounded(u64),
}

impl Flights {
    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, Flight>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what is over.
    pub(super) fn sweep(&self, now: u64) {
        self.lock().retain(|_, flight| match flight {
            Flight::InTheAir(_) => true,
            Flight::Grounded(until) => *until > now,
        });
    }
}

/// Ends a flight in the list whatever becomes of it, a panic included.
struct Landing {
    core: Arc<Core>,
    name: Digest,
    outcome: Outcome,
    tell: watch::Sender<Option<Outcome>>,
}

impl Landing {
    fn with(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut flights = self.core.flights.lock();
        if let Outcome::Unreachable(retry_after) = self.outcome {
            let wait = u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX);
            let until = self.core.clock.milliseconds().saturating_add(wait);
            flights.insert(self.name, Flight::Grounded(until));
        } else {
            flights.remove(&self.name);
        }
        drop(flights);
        self.tell.send_replace(Some(self.outcome.clone()));
    }
}

impl Sessions {
    /// The session with a new token, which `renewal` gets; it runs at most once for a session at a time,
    /// and goes on when the caller leaves.
    pub async fn refreshed<F, Fut>(
        &self,
        opened: Opened,
        policy: &Policy,
        scope: &CookieScope,
        renewal: F,
    ) -> Refreshed
    where
        F: FnOnce(Arc<Session>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Renewal, RenewalFailed>> + Send + 'static,
    {
        let outcome = match self.board(&opened, policy, renewal) {
            Ok(flown) => self.land(&opened, flown).await,
            Err(retry_after) => Outcome::Unreachable(retry_after),
        };
        self.answer(opened, outcome, policy, scope)
    }

    /// The flight of a session: the one in the air, or a new one; or how long there is none.
    fn board<F, Fut>(&self, opened: &Opened, policy: &Policy, renewal: F) -> Result<Flown, Duration>
    where
        F: FnOnce(Arc<Session>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Renewal, RenewalFailed>> + Send + 'static,
    {
        let name = opened.handle.key.digest;
        let now = self.core.clock.milliseconds();
        let mut flights = self.core.flights.lock();
        match flights.get(&name) {
            Some(Flight::InTheAir(flown)) => return Ok(flown.clone()),
            Some(Flight::Grounded(until)) if *until > now => return Err(Duration::from_millis(until - now)),
            Some(Flight::Grounded(_)) | None => {}
        }
        let (tell, flown) = watch::channel(None);
        flights.insert(name, Flight::InTheAir(flown.clone()));
        drop(flights);
        let core = Arc::clone(&self.core);
        let landing = Landing { core, name, outcome: Outcome::Unreachable(RETRY), tell };
        let (opened, policy) = (opened.clone(), policy.clone());
        self.core.runtime.spawn(async move {
            let outcome = landing.core.renew(&opened, &policy, renewal).await;
            landing.with(outcome);
        });
        Ok(flown)
    }

    async fn land(&self, opened: &Opened, mut flown: Flown) -> Outcome {
        let outcome =
            async move { flown.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone()) };
        let outcome = if self.holds(opened) {
            tokio::time::timeout(PATIENCE, outcome).await.ok().flatten()
        } else {
            outcome.await
        };
        outcome.unwrap_or(Outcome::Unreachable(RETRY))
    }

    /// Whether the token has not expired.
    fn holds(&self, opened: &Opened) -> bool {
        opened.session.identity.expires > self.core.clock.seconds()
    }

    fn answer(&self, opened: Opened, outcome: Outcome, policy: &Policy, scope: &CookieScope) -> Refreshed {
        match outcome {
            Outcome::Renewed(next) => match &self.core.place {
                Place::Kept(_) => Refreshed::Renewed(Opened { session: next.session, ..opened }),
                Place::Cookies(sealed) => {
                    let (key, begun) = (opened.handle.key, opened.handle.begun);
                    match sealed.issue(&next, key, begun, policy, scope) {
                        Some(next) => Refreshed::Renewed(Opened { brought: opened.brought, ..next }),
                        None => Refreshed::Renewed(Opened { session: next.session, ..opened }),
                    }
                }
            },
            Outcome::Ended => Refreshed::Ended(opened.removal(policy, scope)),
            Outcome::Unreachable(_) if self.holds(&opened) => Refreshed::Kept(opened),
            Outcome::Unreachable(retry_after) => Refreshed::Unreachable { retry_after },
        }
    }
}
