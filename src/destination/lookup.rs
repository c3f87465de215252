//! Destinations that the bound Destination service knows, found when a request needs one.
//!
//! Found on the runtime for slow work, once however many requests wait, and remembered by tenant, name
//! and, where a destination is another for each user, by the user's very token. The service may be down
//! for a while: what was found is used on, as long as its tokens hold. What it says is judged as strictly
//! as what a file says. A name from a request becomes part of an address only where it is a name, and
//! reaches only what says of itself that requests may name it.

mod answer;
mod fetch;
mod known;
mod service;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest;
use http::{HeaderValue, StatusCode};
use tokio::sync::{Semaphore, watch};

pub use self::answer::Unusable;
use self::known::{Key, Known, Look, Outcome};
pub use self::service::{DestinationService, DestinationServiceSpec, Surroundings};
use super::Destination;
use crate::auth::{KeyStore, ServiceTokenError, ServiceTokens};
use crate::session::Identity;
use crate::tenant::Tenant;

/// How many look-ups run at once.
const AT_ONCE: usize = 128;
/// After how long a caller may come again whose request met the end of the program.
const STOPPING: Duration = Duration::from_secs(2);

/// Why a destination was not found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// Nothing that a destination can be called.
    #[error("this is no name of a destination")]
    Name,
    /// The service says 404.
    #[error("the Destination service knows no destination of this name")]
    NotFound,
    /// A request named a destination that requests may not name.
    #[error("requests may not name this destination: its HTML5.DynamicDestination is not true")]
    NotDynamic,
    /// The destination is another for each user, and there is none.
    #[error("the destination has to know the user, and nobody is logged in")]
    NeedsUser,
    /// What the service says cannot be sent to.
    #[error("the destination cannot be used")]
    Unusable(#[from] Unusable),
    /// There is no token for the service, or for the proxy.
    #[error("there is no token to find or to reach the destination with")]
    Token(#[from] ServiceTokenError),
    /// The service says no.
    #[error("the Destination service answers {0}")]
    Refused(StatusCode),
    /// The service cannot be reached, or cannot answer now.
    #[error("the Destination service does not answer")]
    Unavailable {
        /// What `Retry-After` says.
        retry_after: Duration,
    },
    /// Too much is being looked up for this tenant.
    #[error("too many destinations of this tenant are being looked up")]
    Busy,
    /// Decisions that are only explained ask nobody.
    #[error("the Destination service would be asked, and is not to explain a decision")]
    Rehearsal,
}

impl LookupError {
    /// Whether the service may say otherwise in a moment; what it said before is used on until then.
    fn may_pass(&self) -> bool {
        match self {
            Self::Unavailable { .. } | Self::Busy | Self::Refused(_) => true,
            Self::Token(reason) => match reason {
                ServiceTokenError::TimedOut { .. } | ServiceTokenError::Unavailable { .. } => true,
                ServiceTokenError::Refused(_) | ServiceTokenError::Unusable(_) => false,
            },
            Self::Name
            | Self::NotFound
            | Self::NotDynamic
            | Self::NeedsUser
            | Self::Unusable(_)
            | Self::Rehearsal => false,
        }
    }
}

/// A destination that the service knows.
#[derive(Clone, Debug)]
struct Found {
    /// `None` where it is another for each user, and none was named.
    destination: Option<Arc<Destination>>,
    /// Whether requests may name it.
    dynamic: bool,
}

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'a> {
    /// Where.
    pub service: &'a Arc<DestinationService>,
    /// For whom.
    pub tenant: &'a Arc<Tenant>,
    /// What it is called.
    pub name: &'a str,
    /// Whether a request named it.
    pub captured: bool,
    /// Whether it is the provider's, whoever the tenant is: `preferLocal`.
    pub local: bool,
    /// Who asks.
    pub caller: Option<&'a Identity>,
}

/// Finds destinations; one for the process, it outlives snapshots.
#[derive(Clone, Debug)]
pub struct Lookups(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    keys: Arc<KeyStore>,
    tokens: ServiceTokens,
    known: Mutex<Known>,
    permits: Semaphore,
}

impl Lookups {
    /// Without anything found yet, with the clock, the runtime and the way to issuers that `keys` has.
    #[must_use]
    pub fn new(keys: Arc<KeyStore>, tokens: ServiceTokens) -> Self {
        Self(Arc::new(Shared { keys, tokens, known: Mutex::default(), permits: Semaphore::new(AT_ONCE) }))
    }

    /// What `sought` is.
    pub async fn find(&self, sought: &Sought<'_>) -> Result<Arc<Destination>, LookupError> {
        if !service::is_name(sought.name, sought.captured) {
            return Err(LookupError::Name);
        }
        let found = self.found(sought, None).await?;
        if sought.captured && !found.dynamic {
            return Err(LookupError::NotDynamic);
        }
        if let Some(destination) = found.destination {
            return Ok(destination);
        }
        let caller = sought.caller.ok_or(LookupError::NeedsUser)?;
        let found = self.found(sought, Some(caller)).await?;
        match found.destination {
            Some(_) if sought.captured && !found.dynamic => Err(LookupError::NotDynamic),
            Some(destination) => Ok(destination),
            None => Err(LookupError::NeedsUser),
        }
    }

    async fn found(&self, sought: &Sought<'_>, caller: Option<&Identity>) -> Outcome {
        let key = Key {
            service: sought.service.id(),
            local: sought.local,
            tenant: sought.tenant.key.clone(),
            id: sought.tenant.id.clone(),
            name: sought.name.into(),
            user: caller.map(|caller| digested(&caller.bearer)),
        };
        let now = self.0.keys.clock().milliseconds();
        let flight = match self.0.known().look(&key, now) {
            Look::Fresh(found) => return Ok(found),
            Look::Failed(reason) => return Err(reason),
            Look::Due(found, tell) => {
                self.fly(key, sought, caller, tell);
                return Ok(found);
            }
            Look::Awaited(flight) => flight,
            Look::Absent(tell, flight) => {
                self.fly(key, sought, caller, tell);
                flight
            }
        };
        landed(flight).await
    }

    /// Asks where that disturbs nobody, and tells everybody who waits.
    fn fly(
        &self,
        key: Key,
        sought: &Sought<'_>,
        caller: Option<&Identity>,
        tell: watch::Sender<Option<Outcome>>,
    ) {
        let (shared, caller) = (Arc::clone(&self.0), caller.cloned());
        let (service, tenant) = (Arc::clone(sought.service), Arc::clone(sought.tenant));
        self.0.keys.runtime().spawn(async move {
            let asked = fetch::ask(&shared, &service, &tenant, &key, caller.as_ref()).await;
            let outcome = shared.known().keep(&key, asked, shared.keys.clock().milliseconds());
            tell.send_replace(Some(outcome));
        });
    }
}

impl Shared {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn landed(mut flight: watch::Receiver<Option<Outcome>>) -> Outcome {
    let gone = || Err(LookupError::Unavailable { retry_after: STOPPING });
    match flight.wait_for(Option::is_some).await {
        Ok(outcome) => outcome.clone().unwrap_or_else(gone),
        Err(_closed) => gone(),
    }
}

/// A token as it is remembered without being kept.
fn digested(bearer: &HeaderValue) -> [u8; 32] {
    let mut short = [0; 32];
    short.copy_from_slice(digest::digest(&digest::SHA256, bearer.as_bytes()).as_ref());
    short
}
