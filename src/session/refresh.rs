//! One refresh for a session, however many requests wait for it.
//!
//! The first to ask starts a flight on the runtime of slow work, so that a client that leaves does not
//! cancel it; all others wait for its outcome. Where an issuer does not answer, it is left alone for as
//! long as it asked for, and who comes meanwhile goes on with the token there is.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::Session;
use super::key::Digest;
use super::opened::{Opened, Refreshed, Renewal, RenewalFailed};
use super::policy::{CookieScope, Policy};
use super::sessions::{Core, Sessions};

/// When a renewal that failed without an answer is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// What a flight gave.
#[derive(Clone, Debug)]
enum Outcome {
    Renewed(Arc<Session>),
    Ended,
    Unreachable(Duration),
}

/// Refreshes under way, by session.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<Digest, Flight>>);

#[derive(Debug)]
enum Flight {
    /// Somebody asks the issuer.
    InTheAir(watch::Receiver<Option<Outcome>>),
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
            Ok(mut flight) => match flight.wait_for(Option::is_some).await {
                Ok(outcome) => outcome.clone().unwrap_or(Outcome::Unreachable(RETRY)),
                Err(_) => Outcome::Unreachable(RETRY),
            },
            Err(retry_after) => Outcome::Unreachable(retry_after),
        };
        self.answer(opened, outcome, policy, scope)
    }

    /// The flight of a session: the one in the air, or a new one; or how long there is none.
    fn board<F, Fut>(
        &self,
        opened: &Opened,
        policy: &Policy,
        renewal: F,
    ) -> Result<watch::Receiver<Option<Outcome>>, Duration>
    where
        F: FnOnce(Arc<Session>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Renewal, RenewalFailed>> + Send + 'static,
    {
        let name = opened.handle.key.digest;
        let now = self.core.clock.milliseconds();
        let mut flights = self.core.flights.lock();
        match flights.get(&name) {
            Some(Flight::InTheAir(flight)) => return Ok(flight.clone()),
            Some(Flight::Grounded(until)) if *until > now => return Err(Duration::from_millis(until - now)),
            Some(Flight::Grounded(_)) | None => {}
        }
        let (tell, flight) = watch::channel(None);
        flights.insert(name, Flight::InTheAir(flight.clone()));
        drop(flights);
        let core = Arc::clone(&self.core);
        let landing = Landing { core, name, outcome: Outcome::Unreachable(RETRY), tell };
        let (opened, policy) = (opened.clone(), policy.clone());
        self.core.runtime.spawn(async move {
            let outcome = landing.core.renew(&opened, &policy, renewal).await;
            landing.with(outcome);
        });
        Ok(flight)
    }

    fn answer(&self, opened: Opened, outcome: Outcome, policy: &Policy, scope: &CookieScope) -> Refreshed {
        match outcome {
            Outcome::Renewed(session) => Refreshed::Renewed(Opened { session, ..opened }),
            Outcome::Ended => Refreshed::Ended(opened.removal(policy, scope)),
            Outcome::Unreachable(retry_after) => {
                if opened.session.identity.expires > self.core.clock.seconds() {
                    Refreshed::Kept(opened)
                } else {
                    Refreshed::Unreachable { retry_after }
                }
            }
        }
    }
}

impl Core {
    async fn renew<F, Fut>(&self, opened: &Opened, policy: &Policy, renewal: F) -> Outcome
    where
        F: FnOnce(Arc<Session>) -> Fut,
        Fut: Future<Output = Result<Renewal, RenewalFailed>>,
    {
        match self.find(&opened.handle.key, &opened.session.realm, policy).await {
            Err(unavailable) => return Outcome::Unreachable(unavailable.retry_after),
            Ok(None) => return Outcome::Ended,
            // Somebody refreshed it between its finding and now.
            Ok(Some(current)) if current.identity.bearer != opened.session.identity.bearer => {
                return Outcome::Renewed(current);
            }
            Ok(Some(_)) => {}
        }
        match renewal(Arc::clone(&opened.session)).await {
            Ok(renewal) => self.keep(opened, Arc::new(opened.session.renewed(renewal)), policy).await,
            Err(RenewalFailed::Unreachable { retry_after }) => Outcome::Unreachable(retry_after),
            Err(RenewalFailed::Refused) => match self.remove(opened).await {
                Ok(()) => Outcome::Ended,
                Err(unavailable) => Outcome::Unreachable(unavailable.retry_after),
            },
        }
    }

    async fn keep(&self, opened: &Opened, session: Arc<Session>, policy: &Policy) -> Outcome {
        match self.replace(opened, &session, policy).await {
            Ok(true) => Outcome::Renewed(session),
            Ok(false) => Outcome::Ended,
            Err(unavailable) => Outcome::Unreachable(unavailable.retry_after),
        }
    }
}

#[cfg(test)]
mod tests;
