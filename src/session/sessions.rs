//! Finds, begins and ends sessions, wherever they are kept.
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
use super::core::Core;
use super::jars::Jars;
use super::keep::{Kept, Peers, Place};
use super::key::{Digest, Id, Key};
use super::memory::Memory;
use super::opened::{Brought, Ended, Handle, NewSession, Opened, SetCookies, Unavailable};
use super::policy::{CookieScope, Policy};
use super::redis::{Redis, RedisSettings, UnusableRedis};
use super::seal::KeyRing;
use super::sealed::{Sealed, Successor};
use super::store::{Denial, Shared, Store};
use super::{Realm, Session, csrf, deny, flow};
use crate::clock::Clock;
use crate::secret::Secret;
use crate::tenant::TenantKey;

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
    /// Who hears of sessions that ended unasked, by lying unused or by their age, where this process is
    /// the one to see it.
    pub ended: Option<mpsc::Sender<Ended>>,
    /// `BACKEND_COOKIES_SECRET`: seals the cookies of backends for callers without a session. Without it
    /// the others do.
    pub backend_cookies: Option<Secret>,
}

/// Where sessions are kept.
#[derive(Clone, Debug)]
pub enum StoreSettings {
    /// In this process.
    Memory,
    /// In the browser's cookies.
    Cookie,
    /// In the browser's cookies, while what has ended before its time is told through Redis.
    CookieAndRedis(RedisSettings),
    /// In Redis.
    Redis(RedisSettings),
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
    /// A Redis that can never be used.
    #[error(transparent)]
    UnusableRedis(#[from] UnusableRedis),
}

/// Every session; a clone is the same.
#[derive(Clone, Debug)]
pub struct Sessions {
    pub(super) core: Arc<Core>,
}

impl Sessions {
    /// Sessions as `settings` say.
    pub fn new(settings: SessionsSettings) -> Result<Self, SessionsError> {
        let SessionsSettings { store, secrets, runtime, clock, ended, backend_cookies } = settings;
        let ring = KeyRing::new(&secrets)?;
        let (flow_seal, cookie_seal) = (ring.seal("flow")?, ring.seal("session")?);
        let jars = Jars::new(&ring, backend_cookies)?;
        let cookies = || Place::Cookies(Box::new(Sealed::new(cookie_seal, clock.clone())));
        let redis = |settings| Redis::new(settings, ring, clock.clone(), &runtime).map(Arc::new);
        let (place, peers) = match store {
            StoreSettings::Memory => (Place::Kept(Kept::Memory(Box::new(Memory::new()))), Peers::Alone),
            StoreSettings::Cookie => (cookies(), Peers::Alone),
            StoreSettings::CookieAndRedis(settings) => (cookies(), Peers::Redis(redis(settings)?)),
            StoreSettings::Redis(settings) => {
                let redis = redis(settings)?;
                (Place::Kept(Kept::Redis(Arc::clone(&redis))), Peers::Redis(redis))
            }
        };
        let core = Arc::new(Core::new(place, peers, clock, runtime, flow_seal, jars));
        core.start(ended);
        Ok(Self { core })
    }

    /// The session that a request brings for `realm`, if it is one and has not ended. It counts as a
    /// request of the session. Memory and cookies never wait.
    pub async fn find(
        &self,
        realm: &Arc<Realm>,
        policy: &Policy,
        scope: &CookieScope,
        headers: &HeaderMap,
    ) -> Result<Option<Opened>, Unavailable> {
        let Presented::Present(chunks) = cookie::presented(headers, &policy.cookie) else { return Ok(None) };
        match &self.core.place {
            Place::Cookies(sealed) => {
                self.core.note(policy);
                let found = sealed.find(realm, policy, scope, &chunks);
                Ok(found.map(|opened| Opened { brought: Brought::by(&chunks), ..opened }))
            }
            Place::Kept(store) => {
                let Some(key) = key_of(&chunks, realm) else { return Ok(None) };
                let found = store.open(&key, realm, self.core.idle(policy)).await?;
                Ok(found.map(|(session, jar)| {
                    let brought = jar.map_or_else(|| Brought::by(&chunks), Brought::Jar);
                    Opened { brought, ..Opened::kept(session, key) }
                }))
            }
        }
    }

    /// A new session, always under a new id: a cookie from before the login opens nothing.
    pub async fn begin(
        &self,
        new: NewSession,
        policy: &Policy,
        scope: &CookieScope,
    ) -> Result<Opened, Unavailable> {
        let idle = self.core.idle(policy);
        let id = Id::random().ok_or(NO_RANDOMNESS)?;
        let session = Arc::new(new.begun(idle.now, policy.absolute).ok_or(NO_RANDOMNESS)?);
        let key = Key::of(&session.realm, id);
        match &self.core.place {
            Place::Kept(store) => {
                store.insert(&key, &session, idle).await?;
                let mut opened = Opened::kept(session, key);
                let attributes = Attributes::session(policy);
                let set = cookie::set(&policy.cookie, &id.text(), attributes, policy, scope);
                opened.set_cookies.extend(set);
                Ok(opened)
            }
            Place::Cookies(sealed) => {
                let begun = self.core.clock.milliseconds();
                let first = Successor { session, generation: 0 };
                sealed.issue(&first, key, begun, policy, scope).ok_or(TOO_LARGE)
            }
        }
    }

    /// Whether a session that was opened has not ended since; for connections that outlive a request.
    /// It does not count as a request. A store that does not answer ends nothing.
    pub async fn is_open(&self, opened: &Opened, policy: &Policy) -> bool {
        let realm = &opened.session.realm;
        match &self.core.place {
            Place::Kept(store) => {
                store.exists(&opened.handle.key, realm, self.core.idle(policy)).await.unwrap_or(true)
            }
            Place::Cookies(sealed) => sealed.is_open(opened),
        }
    }

    /// The same for several, for which a store is asked at once.
    pub async fn are_open(&self, all: &[Opened], policy: &Policy) -> Vec<bool> {
        if let Place::Kept(Kept::Redis(redis)) = &self.core.place {
            let keys: Vec<&Key> = all.iter().map(|opened| &opened.handle.key).collect();
            let open = redis.exist(&keys, self.core.idle(policy)).await;
            return open.unwrap_or_else(|_| vec![true; all.len()]);
        }
        let mut open = Vec::with_capacity(all.len());
        for opened in all {
            open.push(self.is_open(opened, policy).await);
        }
        open
    }

    /// Whether sessions are kept on this side, so that a refresh needs no browser.
    #[must_use]
    pub fn are_kept(&self) -> bool {
        matches!(self.core.place, Place::Kept(_))
    }

    /// What a session in a cookie has become by a refresh of another request; nothing where it has not,
    /// or where that was long ago.
    #[must_use]
    pub fn newer(&self, opened: &Opened) -> Option<Opened> {
        let Place::Cookies(sealed) = &self.core.place else { return None };
        let Handle { key, generation, .. } = opened.handle;
        let next = sealed.successors.find(&key.digest, generation, self.core.clock.seconds())?;
        let handle = Handle { generation: next.generation, ..opened.handle };
        Some(Opened {
            session: next.session,
            set_cookies: SetCookies::new(),
            handle,
            brought: opened.brought.clone(),
        })
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

    /// Ends the sessions of `realm` that its issuer names (back-channel logout); how many, as far as
    /// that is known. Where both names are given both have to fit.
    pub async fn end_matching(
        &self,
        realm: &Realm,
        issuer_session: Option<&str>,
        subject: Option<&str>,
    ) -> Result<usize, Unavailable> {
        match &self.core.place {
            Place::Kept(store) => store.remove_matching(realm, issuer_session, subject).await,
            Place::Cookies(_) => {
                if let Some(name) = deny::name(realm, issuer_session, subject) {
                    self.deny_begun(name).await;
                }
                Ok(0)
            }
        }
    }

    /// Ends every session of a tenant, whatever its issuer.
    pub async fn end_tenant(&self, tenant: Option<&TenantKey>) -> Result<(), Unavailable> {
        match &self.core.place {
            Place::Kept(store) => store.remove_tenant(tenant).await.map(|_| ()),
            Place::Cookies(_) => {
                self.deny_begun(deny::tenant_name(tenant)).await;
                Ok(())
            }
        }
    }

    /// How many sessions there are, where that is known.
    #[must_use]
    pub fn count(&self) -> Option<usize> {
        match &self.core.place {
            Place::Kept(Kept::Memory(store)) => Some(store.count()),
            Place::Kept(Kept::Redis(_)) | Place::Cookies(_) => None,
        }
    }

    /// Uses a flow's state up; `false` where it was used before.
    pub async fn use_state(&self, realm: &Realm, state: &str) -> bool {
        self.use_once("state", realm, state, flow::LIFE).await
    }

    /// Uses a logout token's id up; `false` where it was used before. `time` is how long the token could
    /// be sent again.
    pub async fn use_logout_token(&self, realm: &Realm, id: &str, time: Duration) -> bool {
        self.use_once("logout", realm, id, time).await
    }

    /// Takes back that a logout token was used in this process, because it could not be done what it asks
    /// for: the issuer may send it again. Peers that did not end a session did not keep its mark either.
    pub fn forget_logout_token(&self, realm: &Realm, id: &str) {
        self.core.used.forget(&Digest::of("logout", realm, id.as_bytes()));
    }

    /// Peers that do not answer leave it to this process.
    async fn use_once(&self, purpose: &str, realm: &Realm, text: &str, time: Duration) -> bool {
        let name = Digest::of(purpose, realm, text.as_bytes());
        self.core.used.use_once(name, time, self.core.clock.milliseconds())
            && self.core.peers.use_once(&name, time).await.unwrap_or(true)
    }

    async fn deny_begun(&self, name: Digest) {
        let begun_until = self.core.clock.milliseconds();
        self.core.deny(Denial { name, begun_until, until: self.core.no_longer_than() }).await;
    }
}

/// What it is to the caller when the system gives nothing random.
const NO_RANDOMNESS: Unavailable =
    Unavailable { why: "the system gives no randomness", retry_after: Duration::from_secs(10) };

/// What it is to the caller when a session fits in no number of cookies.
const TOO_LARGE: Unavailable =
    Unavailable { why: "the session is too large for cookies", retry_after: Duration::from_mins(1) };

impl NewSession {
    /// The session that begins `now`, in seconds since the epoch; nothing without randomness.
    fn begun(self, now: u64, absolute: Duration) -> Option<Session> {
        Some(Session {
            realm: self.realm,
            identity: super::kept(self.identity),
            issuer_session: self.issuer_session,
            refresh_token: self.refresh_token,
            id_token: self.id_token,
            csrf_token: csrf::Token::random()?,
            refreshed: 0,
            begun: now,
            ends: now.saturating_add(absolute.as_secs()),
        })
    }
}

impl Opened {
    /// A session whose cookie is its id.
    pub(super) fn kept(session: Arc<Session>, key: Key) -> Self {
        let handle = Handle { key, generation: 0, begun: 0, chunks: 1 };
        Self { session, set_cookies: SetCookies::new(), handle, brought: Brought::Nothing }
    }

    /// What removes its cookies.
    pub(super) fn removal(&self, policy: &Policy, scope: &CookieScope) -> SetCookies {
        let attributes = Attributes::session(policy).removing();
        let backends = match &self.brought {
            Brought::Cookie(_) => Some(cookie::backends_name(&policy.cookie)),
            Brought::Nothing | Brought::Jar(_) => None,
        };
        (0..self.handle.chunks.max(1))
            .map(|at| cookie::chunk_name(&policy.cookie, at))
            .chain(backends)
            .filter_map(|name| cookie::set(&name, "", attributes, policy, scope))
            .collect()
    }
}

impl Brought {
    /// What the browser has, where what is kept here does not say it.
    fn by(chunks: &Chunks<'_>) -> Self {
        chunks.1.map_or(Self::Nothing, |value| Self::Cookie(value.into()))
    }
}

/// The key that a cookie names in `realm`.
fn key_of(chunks: &Chunks<'_>, realm: &Realm) -> Option<Key> {
    // Further chunks are what sessions in cookies left behind.
    let [Some(value), ..] = &chunks.0 else { return None };
    Id::parse(value).map(|id| Key::of(realm, id))
}
