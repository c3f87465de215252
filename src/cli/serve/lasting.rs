//! What lives as long as the process, whatever becomes of its configuration.
//!
//! Issuers' keys, sessions and logins are shared by all workers and outlive every snapshot; a worker's
//! bench is laid out from here, and so is the one on which decisions are only explained.

use std::sync::{Arc, Mutex};

use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::settings::Settings;
use super::{Failed, workers};
use crate::auth::login::Logins;
use crate::auth::{Assertions, Clock, KeyStore, KeyStoreSettings, Passwords, ServiceTokens, Verifier};
use crate::config::{Place, Redis, SessionStore};
use crate::destination::Lookups;
use crate::pipeline::Bench;
use crate::session::redis::RedisSettings;
use crate::session::{Ended, Sessions, SessionsSettings, StoreSettings};
use crate::tenant::{HostMemo, Meters};

/// What lives as long as the process.
pub(super) struct Lasting {
    pub keys: Arc<KeyStore>,
    pub sessions: Sessions,
    pub assertions: Arc<Assertions>,
    pub services: ServiceTokens,
    pub lookups: Lookups,
    logins: Arc<Logins>,
    passwords: Arc<Passwords>,
    meters: Arc<Meters>,
    slow: Handle,
}

impl Lasting {
    /// With sessions where `store` says; `ended` hears of those that end unasked.
    pub(super) fn new(
        settings: &Settings,
        slow: &Handle,
        store: Option<SessionStore>,
        assertions: Assertions,
        ended: mpsc::Sender<Ended>,
    ) -> Result<Self, Failed> {
        let keys = Arc::new(KeyStore::new(KeyStoreSettings {
            runtime: slow.clone(),
            extra_roots: settings.authorities.clone(),
            resolver: Some(workers::resolver()),
            clock: Clock::System,
        })?);
        let logins = Arc::new(Logins::new(Arc::clone(&keys)));
        let passwords = Passwords::new(Arc::clone(&logins), Clock::System);
        let passwords = passwords.ok_or("the system gives no randomness for a key")?;
        let services = ServiceTokens::new(Arc::clone(&keys));
        Ok(Self {
            lookups: Lookups::new(Arc::clone(&keys), services.clone()),
            services,
            keys,
            sessions: sessions(slow, store, ended)?,
            assertions: Arc::new(assertions),
            logins,
            passwords: Arc::new(passwords),
            meters: Arc::new(Meters::new()),
            slow: slow.clone(),
        })
    }

    /// What one worker decides with.
    pub(super) fn bench(&self) -> Bench {
        Bench {
            verifier: Verifier::new(Arc::clone(&self.keys)),
            memo: Mutex::new(HostMemo::new()),
            meters: Arc::clone(&self.meters),
            assertions: Arc::clone(&self.assertions),
            sessions: self.sessions.clone(),
            logins: Arc::clone(&self.logins),
            passwords: Arc::clone(&self.passwords),
            services: self.services.clone(),
            lookups: self.lookups.clone(),
            clock: Clock::System,
            rehearsal: false,
        }
    }

    /// The same, to explain decisions: it counts for nobody, and nobody is logged in.
    pub(super) fn rehearsal(&self) -> Result<Bench, Failed> {
        let sessions = Bench::nobody(&self.slow, &Clock::System)?;
        Ok(Bench { meters: Arc::new(Meters::new()), sessions, rehearsal: true, ..self.bench() })
    }
}

fn sessions(
    slow: &Handle,
    store: Option<SessionStore>,
    ended: mpsc::Sender<Ended>,
) -> Result<Sessions, Failed> {
    let store =
        store.unwrap_or(SessionStore { place: Place::Memory, secrets: Vec::new(), backend_cookies: None });
    let SessionStore { place, secrets, backend_cookies } = store;
    let store = match place {
        Place::Memory => StoreSettings::Memory,
        Place::Cookie(None) => StoreSettings::Cookie,
        Place::Cookie(Some(redis)) => StoreSettings::CookieAndRedis(reached(redis)),
        Place::Redis(redis) => StoreSettings::Redis(reached(redis)),
    };
    let (runtime, clock, ended) = (slow.clone(), Clock::System, Some(ended));
    Ok(Sessions::new(SessionsSettings { store, secrets, runtime, clock, ended, backend_cookies })?)
}

/// How a configured Redis is reached: by names as backends and issuers are.
fn reached(redis: Redis) -> RedisSettings {
    let Redis { server, authorities } = redis;
    RedisSettings { server, authorities, resolver: Some(workers::resolver()) }
}
