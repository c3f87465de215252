//! The authorization servers that are asked, each by itself.
//!
//! One that is slow or down costs its own tenants alone: it has places of its own for requests, and after
//! failures in a row it is left alone for 1, 2, 4 … 30 s, whoever needs a token of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::super::fetch::{FetchError, TOTAL_TIMEOUT};
use super::super::store::{Chain, KeyStore, LONGEST_PAUSE, is_ahead, pause_after};
use super::ask::{self, Given, Grant, NotGiven};
use super::{ServiceCredentials, ServiceTokenError};

/// How many requests one server gets at once.
const AT_ONCE: usize = 32;
/// How many failures in a row are taken for chance.
const BY_CHANCE: u32 = 2;
/// How many servers are remembered; beyond that all are forgotten.
const MAX_SERVERS: usize = 20_000;

/// Every server that was asked.
#[derive(Debug, Default)]
pub(super) struct Servers(Mutex<HashMap<Box<str>, Arc<Server>>>);

#[derive(Debug)]
struct Server {
    places: Semaphore,
    health: Mutex<Health>,
}

#[derive(Debug, Default)]
struct Health {
    /// How often it failed in a row.
    failures: u32,
    /// Until when it is left alone, in milliseconds since the epoch.
    until: u64,
}

impl Servers {
    /// Offers `grant` at `address`, unless nobody answers there.
    pub(super) async fn ask(
        &self,
        keys: &KeyStore,
        address: &str,
        service: &ServiceCredentials,
        grant: Grant<'_>,
    ) -> Result<Given, ServiceTokenError> {
        let server = self.at(address);
        if let Some(retry_after) = server.pause(keys.clock().milliseconds()) {
            return Err(ServiceTokenError::Unavailable { retry_after });
        }
        let asked = async {
            let Ok(_place) = server.places.acquire().await else {
                return Err(NotGiven::Unanswered(FetchError::TimedOut));
            };
            ask::token(keys.fetcher(), address, service, grant).await
        };
        let given = tokio::time::timeout(TOTAL_TIMEOUT, asked).await;
        let given = given.unwrap_or(Err(NotGiven::Unanswered(FetchError::TimedOut)));
        let now = keys.clock().milliseconds();
        given
            .map_err(|reason| {
                log(address, service, &reason);
                server.explained(reason, now)
            })
            .inspect(|_| server.answered())
    }

    fn at(&self, address: &str) -> Arc<Server> {
        let mut servers = lock(&self.0);
        if let Some(server) = servers.get(address) {
            return Arc::clone(server);
        }
        if servers.len() >= MAX_SERVERS {
            servers.clear();
        }
        let server = Arc::new(Server { places: Semaphore::new(AT_ONCE), health: Mutex::default() });
        servers.insert(address.into(), Arc::clone(&server));
        server
    }
}

impl Server {
    /// For how long nobody asks it.
    fn pause(&self, now: u64) -> Option<Duration> {
        let until = lock(&self.health).until;
        is_ahead(until, now, LONGEST_PAUSE).then(|| at_least_a_second(until - now))
    }

    fn answered(&self) {
        *lock(&self.health) = Health::default();
    }

    /// What a failure means for who waits, and for those who come.
    fn explained(&self, reason: NotGiven, now: u64) -> ServiceTokenError {
        match reason {
            NotGiven::Refused(said) => {
                self.answered();
                ServiceTokenError::Refused(said)
            }
            NotGiven::Unusable(why) => {
                self.answered();
                ServiceTokenError::Unusable(why)
            }
            NotGiven::Unanswered(FetchError::Body(_)) => {
                ServiceTokenError::Unusable("it is longer than 1 MiB, or broke off")
            }
            NotGiven::Unanswered(FetchError::TimedOut) => {
                ServiceTokenError::TimedOut { retry_after: self.failed(now) }
            }
            NotGiven::Unanswered(
                FetchError::MalformedAddress(_)
                | FetchError::Unreachable(_)
                | FetchError::Status(_)
                | FetchError::Tls(_),
            ) => ServiceTokenError::Unavailable { retry_after: self.failed(now) },
        }
    }

    /// Remembers a failure; says after how long it is asked again.
    fn failed(&self, now: u64) -> Duration {
        let mut health = lock(&self.health);
        health.failures = health.failures.saturating_add(1);
        let in_a_row = health.failures.saturating_sub(BY_CHANCE);
        let pause = if in_a_row == 0 { 0 } else { pause_after(in_a_row) };
        health.until = now.saturating_add(pause);
        at_least_a_second(pause)
    }
}

fn log(address: &str, service: &ServiceCredentials, reason: &NotGiven) {
    let client = service.client_id();
    match reason {
        NotGiven::Unanswered(reason) => {
            tracing::warn!(address, client, reason = %Chain(reason), "no token for a service");
        }
        NotGiven::Refused(said) => tracing::warn!(address, client, said, "a token for a service is refused"),
        NotGiven::Unusable(why) => tracing::warn!(address, client, why, "no token for a service"),
    }
}

fn at_least_a_second(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds).max(Duration::from_secs(1))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
