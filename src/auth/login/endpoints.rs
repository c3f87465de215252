//! Where each issuer's endpoints are, for as long as that can be relied on.
//!
//! A discovery document is fetched when the first login of an issuer needs it and holds for an hour;
//! after that it is renewed, and the old one serves while the issuer is down. There is one fetch at a
//! time for an issuer, and after failures a pause of 1, 2, 4 … 30 s. An issuer that is down harms nobody
//! but its own tenants.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::super::client::{Client, Dialect, EndpointSource, Endpoints};
use super::super::discovery::{self, DiscoveryError};
use super::super::fetch::FetchError;
use super::super::store::{Chain, KeyStore, LONGEST_PAUSE, is_ahead, pause_after};
use super::LoginError;

/// How long a document is relied on, in milliseconds.
const FRESH: u64 = 60 * 60 * 1000;
/// How many issuers are remembered; beyond that all are asked again.
const MAX_ISSUERS: usize = 20_000;

/// The endpoints of every issuer that somebody logged in at.
#[derive(Debug)]
pub(super) struct KnownEndpoints {
    keys: Arc<KeyStore>,
    places: Mutex<HashMap<(Box<str>, Dialect), Arc<Place>>>,
}

/// What is known of one issuer.
#[derive(Debug, Default)]
struct Place {
    state: Mutex<State>,
    /// Held by who fetches; the others wait for what it brings.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    endpoints: Option<Arc<Endpoints>>,
    /// No fetch before this time, in milliseconds since the epoch: the endpoints are fresh, or the
    /// issuer failed.
    next: u64,
    failures: u32,
}

/// Why a document could not be had; for the log.
#[derive(Debug, thiserror::Error)]
enum NoEndpoints {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
}

impl KnownEndpoints {
    /// Nothing is known yet; documents are fetched as keys are.
    pub(super) fn new(keys: Arc<KeyStore>) -> Self {
        Self { keys, places: Mutex::default() }
    }

    /// The endpoints of `client`'s issuer; fetched, if they are not known.
    pub(super) async fn of(&self, client: &Client) -> Result<Arc<Endpoints>, LoginError> {
        let issuer = match &client.endpoints {
            EndpointSource::Known(endpoints) => return Ok(Arc::clone(endpoints)),
            EndpointSource::Discovered(issuer) => issuer,
        };
        let place = self.place(issuer, client.dialect);
        let now = self.keys.clock().milliseconds();
        if let Some(answer) = lock(&place.state).answer(now) {
            return answer;
        }
        // On the runtime for slow work, so that a browser that leaves does not end what others wait for.
        let (keys, issuer, dialect) = (Arc::clone(&self.keys), issuer.clone(), client.dialect);
        let fetched = self.keys.runtime().spawn(async move { place.fetched(&keys, &issuer, dialect).await });
        fetched.await.unwrap_or_else(|_| Err(unreachable(LONGEST_PAUSE)))
    }

    fn place(&self, issuer: &str, dialect: Dialect) -> Arc<Place> {
        let mut places = lock(&self.places);
        let key = (Box::from(issuer), dialect);
        if places.len() >= MAX_ISSUERS && !places.contains_key(&key) {
            places.clear();
        }
        Arc::clone(places.entry(key).or_default())
    }
}

impl Place {
    /// Fetches the document, unless somebody else just has.
    async fn fetched(
        &self,
        keys: &KeyStore,
        issuer: &str,
        dialect: Dialect,
    ) -> Result<Arc<Endpoints>, LoginError> {
        let _alone = self.fetching.lock().await;
        if let Some(answer) = lock(&self.state).answer(keys.clock().milliseconds()) {
            return answer;
        }
        let fetched = fetch(keys, issuer, dialect).await;
        if let Err(reason) = &fetched {
            tracing::warn!(issuer, reason = %Chain(reason), "discovery failed");
        }
        lock(&self.state).keep(fetched.ok(), keys.clock().milliseconds())
    }
}

async fn fetch(keys: &KeyStore, issuer: &str, dialect: Dialect) -> Result<Endpoints, NoEndpoints> {
    let document = keys.fetcher().get(&discovery::address(issuer)).await?;
    Ok(discovery::endpoints(&document, issuer, dialect)?)
}

impl State {
    /// What can be said without asking; `None` where it is time to ask.
    fn answer(&self, now: u64) -> Option<Result<Arc<Endpoints>, LoginError>> {
        match &self.endpoints {
            Some(endpoints) if is_ahead(self.next, now, FRESH) => Some(Ok(Arc::clone(endpoints))),
            None if is_ahead(self.next, now, LONGEST_PAUSE) => Some(Err(unreachable(self.next - now))),
            Some(_) | None => None,
        }
    }

    fn keep(&mut self, fetched: Option<Endpoints>, now: u64) -> Result<Arc<Endpoints>, LoginError> {
        if let Some(endpoints) = fetched {
            self.failures = 0;
            self.next = now.saturating_add(FRESH);
            return Ok(Arc::clone(self.endpoints.insert(Arc::new(endpoints))));
        }
        self.failures = self.failures.saturating_add(1);
        let pause = pause_after(self.failures);
        self.next = now.saturating_add(pause);
        self.endpoints.clone().ok_or_else(|| unreachable(pause))
    }
}

/// The issuer cannot be asked for `pause` milliseconds.
fn unreachable(pause: u64) -> LoginError {
    let retry_after = Duration::from_millis(pause).max(Duration::from_secs(1));
    LoginError::IssuerUnreachable { retry_after }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints() -> Endpoints {
        Endpoints {
            authorization: "https://i.test/a".into(),
            token: "https://i.test/t".into(),
            token_by_certificate: None,
            end_session: None,
            names_issuer: false,
            secret_in_form: false,
        }
    }

    #[test]
    fn an_issuer_that_is_down_is_asked_less_and_less_often() {
        let mut state = State::default();
        let mut now = 1_000_000;
        for pause in [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000] {
            assert!(state.answer(now).is_none(), "it is time to ask");
            let Err(LoginError::IssuerUnreachable { retry_after }) = state.keep(None, now) else {
                panic!("nothing was found")
            };
            assert_eq!(retry_after, Duration::from_millis(pause));
            assert!(matches!(state.answer(now + pause - 1), Some(Err(_))), "not before the pause is over");
            now += pause;
        }
        assert!(state.keep(Some(endpoints()), now).is_ok());
        assert_eq!(state.failures, 0, "one success ends the pauses");
    }

    #[test]
    fn what_was_found_serves_while_the_issuer_is_down() {
        let (mut state, now) = (State::default(), 10 * FRESH);
        assert!(state.keep(Some(endpoints()), now).is_ok());
        assert!(matches!(state.answer(now + FRESH - 1), Some(Ok(_))), "fresh for an hour");
        assert!(state.answer(now + FRESH).is_none(), "then it is renewed");
        assert!(state.keep(None, now + FRESH).is_ok(), "or stays");
        assert!(matches!(state.answer(now + FRESH + 999), Some(Ok(_))), "and is not asked for at once");
        assert!(state.answer(now + FRESH + 1000).is_none());
        assert!(state.answer(now - FRESH).is_none(), "a clock that was set back does not stop the renewal");
    }
}
