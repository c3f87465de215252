//! Tokens for bound services: the application's own, and those that a caller's token is exchanged for.
//!
//! One for the process, shared by all workers; it outlives snapshots. A token is remembered for the very
//! tenant, service and caller's token that it was given for, and renewed ahead of its end while it is in
//! use. However many requests need one, the authorization server is asked once, on the runtime for slow
//! work, so that a client that leaves cancels nothing for the others. What a token allows is the
//! service's affair: nothing of it is looked into.

mod ask;
mod credentials;
mod known;
mod server;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest;
use http::HeaderValue;
use tokio::sync::watch;

use self::ask::Grant;
pub use self::credentials::{
    ServiceCredentials, ServiceCredentialsError, ServiceCredentialsSpec, TokenServer,
};
use self::known::{Key, Known, Look, Outcome, Who};
use self::server::Servers;
use super::KeyStore;
use crate::session::Identity;
use crate::tenant::Tenant;

/// After how long a caller may come again whose request met the end of the program.
const STOPPING: Duration = Duration::from_secs(2);

/// Why there is no token for a service. What the authorization server said is bounded, and for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceTokenError {
    /// The authorization server says no: to the application, or to this caller.
    #[error("the authorization server gives no token: {0}")]
    Refused(Box<str>),
    /// It answers what cannot be understood.
    #[error("the authorization server's answer is unusable: {0}")]
    Unusable(&'static str),
    /// It does not answer in time.
    #[error("the authorization server did not answer in time")]
    TimedOut {
        /// What `Retry-After` says.
        retry_after: Duration,
    },
    /// It cannot be reached, or cannot answer now.
    #[error("the authorization server is not available")]
    Unavailable {
        /// What `Retry-After` says.
        retry_after: Duration,
    },
}

/// Tokens for bound services.
#[derive(Clone, Debug)]
pub struct ServiceTokens(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    keys: Arc<KeyStore>,
    known: Mutex<Known>,
    servers: Servers,
}

impl ServiceTokens {
    /// Without any tokens yet, with the clock, the runtime and the way to issuers that `keys` has.
    #[must_use]
    pub fn new(keys: Arc<KeyStore>) -> Self {
        Self(Arc::new(Shared { keys, known: Mutex::default(), servers: Servers::default() }))
    }

    /// `Bearer` and the token by which the application itself is known to `service` in `tenant`
    /// (RFC 6749 §4.4). Marked as sensitive.
    pub async fn client_credentials(
        &self,
        tenant: &Tenant,
        service: &Arc<ServiceCredentials>,
    ) -> Result<HeaderValue, ServiceTokenError> {
        self.token(tenant, service, None).await
    }

    /// `Bearer` and the token by which `caller` is known to `service` in `tenant`: what the caller's own
    /// token is exchanged for (RFC 7523 §2.1). Marked as sensitive.
    pub async fn exchanged(
        &self,
        tenant: &Tenant,
        service: &Arc<ServiceCredentials>,
        caller: &Identity,
    ) -> Result<HeaderValue, ServiceTokenError> {
        self.token(tenant, service, Some(&caller.bearer)).await
    }

    async fn token(
        &self,
        tenant: &Tenant,
        service: &Arc<ServiceCredentials>,
        caller: Option<&HeaderValue>,
    ) -> Result<HeaderValue, ServiceTokenError> {
        let who = caller.map_or(Who::Application, |bearer| Who::Caller(digested(bearer)));
        let key = Key { tenant: tenant.key.clone(), id: tenant.id.clone(), service: service.id(), who };
        let now = self.0.keys.clock().milliseconds();
        let flight = match self.0.known().look(&key, now) {
            Look::Fresh(token) => return Ok(token),
            Look::Failed(reason) => return Err(reason),
            Look::Due(token, tell) => {
                self.fly(key, tenant, service, caller, tell);
                return Ok(token);
            }
            Look::Awaited(flight) => flight,
            Look::Absent(tell, flight) => {
                self.fly(key, tenant, service, caller, tell);
                flight
            }
        };
        landed(flight).await
    }

    /// Asks for a token where that disturbs nobody, and tells everybody who waits.
    fn fly(
        &self,
        key: Key,
        tenant: &Tenant,
        service: &Arc<ServiceCredentials>,
        caller: Option<&HeaderValue>,
        tell: watch::Sender<Option<Outcome>>,
    ) {
        let (shared, service, caller) = (Arc::clone(&self.0), Arc::clone(service), caller.cloned());
        let address = service.token_url(tenant.key.as_ref());
        self.0.keys.runtime().spawn(async move {
            let grant = caller.as_ref().map_or(Grant::Application, Grant::Exchange);
            let given = shared.servers.ask(&shared.keys, &address, &service, grant).await;
            let outcome = shared.known().keep(key, given, shared.keys.clock().milliseconds());
            tell.send_replace(Some(outcome));
        });
    }
}

impl Shared {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a flight brings.
async fn landed(mut flight: watch::Receiver<Option<Outcome>>) -> Outcome {
    match flight.wait_for(Option::is_some).await {
        Ok(outcome) => outcome.clone().unwrap_or(Err(gone())),
        Err(_closed) => Err(gone()),
    }
}

/// Nobody asks any more: the program is about to end.
fn gone() -> ServiceTokenError {
    ServiceTokenError::Unavailable { retry_after: STOPPING }
}

/// A token as it is remembered without being kept.
fn digested(bearer: &HeaderValue) -> [u8; 32] {
    let mut short = [0; 32];
    short.copy_from_slice(digest::digest(&digest::SHA256, bearer.as_bytes()).as_ref());
    short
}

#[cfg(test)]
mod tests;
