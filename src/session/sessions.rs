//! Finds, begins, refreshes and ends sessions, wherever they are kept.
//!
//! One for the process, beside the snapshots and longer than each. It joins a store with cookies: the
//! stores know no headers, and nobody else knows the stores. Asking for a session never fails because
//! of what a browser sent; what does not open is no session.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use tokio::runtime::Handle as Runtime;
use tokio::sync::mpsc;

use super::cookie::{self, Attributes, Chunks, Presented};
use super::key::{Digest, Id, Key};
use super::memory::Memory;
use super::opened::{Handle, NewSession, Opened, SetCookies, Unavailable};
use super::policy::{CookieScope, Policy};
use super::refresh::Flights;
use super::seal::{KeyRing, Seal};
use super::store::{Idle, Store};
use super::used::Used;
use super::{Realm, Session, csrf};
use crate::clock::Clock;
use crate::secret::Secret;
use crate::tenant::TenantKey;

/// How often ended sessions are looked for.
const SWEEP: Duration = Duration::from_secs(10);
/// How many ended sessions wait to be heard of.
const ENDED_WAITING: usize = 1_024;

/// Where sessions are kept, and with what they are sealed.
#[derive(Debug)]
pub struct SessionsSettings {
    /// The store.
    pub store: StoreSettings,
    /// `SESSION_SECRET`: the first seals, all open. Empty, a key of this process alone is used.
    pub secrets: Vec<Secret>,
    /// Where what must outlive a request runs.
    pub runtime: Runtime,
    /// The time.
    pub clock: Clock,
}

/// Where sessions are kept.
#[derive(Clone, Debug)]
pub enum StoreSettings {
    /// In this process.
    Memory,
}

/// Why sessions cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum SessionsError {
    /// Nothing random.
    #[error("the system gives no randomness for a key")]
    NoRandomness,
    /// An empty secret.
    #[error("a session secret is empty")]
    EmptySecret,
}

/// Every session; a clone is the same.
#[derive(Clone, Debug)]
pub struct Sessions {
    pub(super) core: Arc<Core>,
}

/// What clones of [`Sessions`] have in common.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) keep: Keep,
    pub(super) clock: Clock,
    pub(super) flights: Flights,
    pub(super) runtime: Runtime,
    pub(super) flow_seal: Seal,
    used: Used,
}

/// The stores.
#[derive(Debug)]
pub(super) enum Keep {
    Memory(Memory),
}

impl Sessions {
    /// Sessions as `settings` say, and those that end unasked, by lying unused or by their age, where
    /// this process is the one to see it.
    pub fn new(settings: SessionsSettings) -> Result<(Self, mpsc::Receiver<Arc<Session>>), SessionsError> {
        let ring = KeyRing::new(&settings.secrets)?;
        let keep = match settings.store {
            StoreSettings::Memory => Keep::Memory(Memory::new()),
        };
        let core = Arc::new(Core {
            keep,
            clock: settings.clock,
            flights: Flights::default(),
            runtime: settings.runtime,
            flow_seal: ring.seal("flow")?,
            used: Used::default(),
        });
        let (ended, hears) = mpsc::channel(ENDED_WAITING);
        core.runtime.spawn(sweep(Arc::downgrade(&core), ended));
        Ok((Self { core }, hears))
    }

    /// The session that a request brings for `realm`, if it is one and has not ended. It counts as a
    /// request of the session. Memory and cookies never wait.
    pub async fn find(
        &self,
        realm: &Arc<Realm>,
        policy: &Policy,
        _scope: &CookieScope,
        headers: &HeaderMap,
    ) -> Result<Option<Opened>, Unavailable> {
        let Presented::Present(chunks) = cookie::presented(headers, &policy.cookie) else { return Ok(None) };
        let Some(key) = key_of(&chunks, realm) else { return Ok(None) };
        let found = self.core.find(&key, realm, policy).await?;
        Ok(found.map(|session| Opened::kept(session, key)))
    }

    /// A new session, always under a new id (a cookie from before the login opens nothing).
    pub async fn begin(
        &self,
        new: NewSession,
        policy: &Policy,
        scope: &CookieScope,
    ) -> Result<Opened, Unavailable> {
        let now = self.core.clock.seconds();
        let (Some(id), Some(csrf_token)) = (Id::random(), csrf::token()) else { return Err(NO_RANDOMNESS) };
        let session = Arc::new(Session {
            realm: new.realm,
            identity: new.identity,
            issuer_session: new.issuer_session,
            refresh_token: new.refresh_token,
            id_token: new.id_token,
            csrf_token,
            begun: now,
            ends: now.saturating_add(policy.absolute.as_secs()),
        });
        let key = Key::of(&session.realm, id);
        let Keep::Memory(store) = &self.core.keep;
        store.insert(&key, &session, self.core.idle(policy)).await?;
        let mut opened = Opened::kept(session, key);
        let attributes = Attributes::session(policy);
        opened.set_cookies.extend(cookie::set(&policy.cookie, &id.text(), attributes, policy, scope));
        Ok(opened)
    }

    /// Ends a session; what the answer sets to remove it from the browser.
    pub async fn end(
        &self,
        opened: &Opened,
        policy: &Policy,
        scope: &CookieScope,
    ) -> Result<SetCookies, Unavailable> {
        self.core.remove(opened).await?;
        Ok(opened.removal(policy, scope))
    }

    /// Ends the sessions of `realm` that its issuer names (back-channel logout); how many, as far as is
    /// known. Where both names are given both have to fit.
    pub async fn end_matching(
        &self,
        realm: &Realm,
        issuer_session: Option<&str>,
        subject: Option<&str>,
    ) -> Result<usize, Unavailable> {
        let Keep::Memory(store) = &self.core.keep;
        store.remove_matching(realm, issuer_session, subject).await
    }

    /// Ends every session of a tenant, whatever its issuer.
    pub async fn end_tenant(&self, tenant: Option<&TenantKey>) -> Result<(), Unavailable> {
        let Keep::Memory(store) = &self.core.keep;
        store.remove_tenant(tenant).await.map(|_| ())
    }

    /// How many sessions there are, where that is known.
    #[must_use]
    pub fn count(&self) -> Option<usize> {
        let Keep::Memory(store) = &self.core.keep;
        Some(store.count())
    }

    /// Uses a flow's state up; `false` where it was used before.
    pub async fn use_state(&self, realm: &Realm, state: &str) -> bool {
        self.use_once("state", realm, state, super::flow::LIFE).await
    }

    /// Uses a logout token's id up; `false` where it was used before. `time` is how long the token could
    /// be sent again.
    pub async fn use_logout_token(&self, realm: &Realm, id: &str, time: Duration) -> bool {
        self.use_once("logout", realm, id, time).await
    }

    async fn use_once(&self, purpose: &str, realm: &Realm, text: &str, time: Duration) -> bool {
        let name = Digest::of(purpose, realm, text.as_bytes());
        self.core.used.use_once(name, time, self.core.clock.milliseconds())
    }
}

/// What it is to the caller when the system gives nothing random.
const NO_RANDOMNESS: Unavailable =
    Unavailable { why: "the system gives no randomness", retry_after: Duration::from_secs(10) };

impl Core {
    pub(super) fn idle(&self, policy: &Policy) -> Idle {
        Idle { now: self.clock.seconds(), limit: policy.idle.as_secs() }
    }

    pub(super) async fn find(
        &self,
        key: &Key,
        realm: &Arc<Realm>,
        policy: &Policy,
    ) -> Result<Option<Arc<Session>>, Unavailable> {
        let Keep::Memory(store) = &self.keep;
        store.find(key, realm, self.idle(policy)).await
    }

    pub(super) async fn replace(
        &self,
        opened: &Opened,
        session: &Arc<Session>,
        policy: &Policy,
    ) -> Result<bool, Unavailable> {
        let Keep::Memory(store) = &self.keep;
        store.replace(&opened.handle.key, session, self.idle(policy)).await
    }

    pub(super) async fn remove(&self, opened: &Opened) -> Result<(), Unavailable> {
        let Keep::Memory(store) = &self.keep;
        store.remove(&opened.handle.key, &opened.session.realm).await
    }
}

impl Opened {
    /// A session whose cookie is its id.
    pub(super) fn kept(session: Arc<Session>, key: Key) -> Self {
        let handle = Handle { key, generation: 0, begun: 0, chunks: 1 };
        Self { session, set_cookies: SetCookies::new(), handle }
    }

    /// What removes its cookies.
    pub(super) fn removal(&self, policy: &Policy, scope: &CookieScope) -> SetCookies {
        let attributes = Attributes::session(policy).removing();
        (0..self.handle.chunks.max(1))
            .filter_map(|at| {
                cookie::set(&cookie::chunk_name(&policy.cookie, at), "", attributes, policy, scope)
            })
            .collect()
    }
}

/// The key that a single cookie names in `realm`.
fn key_of(chunks: &Chunks<'_>, realm: &Realm) -> Option<Key> {
    let [Some(value), rest @ ..] = &chunks.0 else { return None };
    let alone = rest.iter().all(Option::is_none);
    alone.then(|| Id::parse(value)).flatten().map(|id| Key::of(realm, id))
}

/// Removes ended sessions until nobody has the store any more.
async fn sweep(core: std::sync::Weak<Core>, ended: mpsc::Sender<Arc<Session>>) {
    let mut tick = tokio::time::interval(SWEEP);
    loop {
        tick.tick().await;
        let Some(core) = core.upgrade() else { return };
        let Keep::Memory(store) = &core.keep;
        for session in store.sweep(core.clock.seconds()) {
            // Who does not listen, or not fast enough, hears of no more than the channel holds.
            let _ = ended.try_send(session);
        }
        core.used.sweep(core.clock.milliseconds());
    }
}
