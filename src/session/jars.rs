//! Whose the cookies of backends are, and where they are kept.
//!
//! A session's lie beside it, or, where sessions are in cookies, in one sealed cookie more
//! (`NAME-backend`); in Redis a browser has there how new they have to be, so that no instance takes an
//! old copy for the truth. Who has no session, a caller with a token or nobody at all, keeps them sealed in
//! `ARBE`: a session is a logged-in browser, and nobody's request begins one. A seal opens for its holder
//! alone, so that no tenant, session or caller ever gets another's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use foldhash::fast::RandomState;
use http::HeaderMap;

use super::cookie::{self, Attributes};
use super::identity::Identity;
use super::jar::{Backend, Jar, Received, SetByBackend};
use super::keep::Place;
use super::key::Digest;
use super::opened::{Brought, Opened, SetCookies};
use super::policy::{CookieScope, Policy};
use super::record::{Reader, Writer};
use super::seal::{KeyRing, Seal};
use super::sessions::{Sessions, SessionsError};
use super::store::Store;
use super::{Realm, Unavailable};
use crate::secret::Secret;
use crate::tenant::TenantKey;

/// How many bytes a jar has in a cookie: sealed and encoded it has to fit in 4,096.
const ROOM_IN_COOKIE: usize = 2_600;
/// For how many seconds the newest jar of a session is remembered, for requests that were under way when
/// it came.
const WHILE: u64 = 60;
/// No jar changes as often; a browser that says so is wrong.
const MAX_VERSION: u64 = 1 << 50;
/// How many are remembered.
const MAX_REMEMBERED: usize = 20_000;

/// Whose the cookies of backends are.
#[derive(Clone, Copy, Debug)]
pub enum Holder<'a> {
    /// A logged-in browser's.
    Session(&'a Opened),
    /// Somebody's without a session.
    Caller {
        /// The tenant, `None` for the provider of a configuration without tenants.
        tenant: Option<&'a TenantKey>,
        /// Where the tenant's callers are known, if anywhere.
        realm: Option<&'a Arc<Realm>>,
        /// Who it is; `None` is nobody.
        identity: Option<&'a Identity>,
    },
}

/// What a backend's answer sets, and what it answers.
#[derive(Debug)]
pub struct BackendAnswer<'a> {
    /// What it sets.
    pub set: SetByBackend,
    /// Whose answer it is.
    pub backend: Backend<'a>,
    /// The path that was asked for, as the backend saw it.
    pub path: &'a str,
}

/// What seals the cookies of backends in cookies of ours.
#[derive(Debug)]
pub(super) struct Jars {
    session: Seal,
    caller: Seal,
    newest: Mutex<HashMap<Digest, (Arc<Jar>, u64), RandomState>>,
}

impl Jars {
    /// `secret` seals for callers without a session; without it `ring` does.
    pub(super) fn new(ring: &KeyRing, secret: Option<Secret>) -> Result<Self, SessionsError> {
        let own = secret.map(|secret| KeyRing::new(&[secret])).transpose()?;
        Ok(Self {
            session: ring.seal("jar of a session")?,
            caller: own.as_ref().unwrap_or(ring).seal("jar of a caller")?,
            newest: Mutex::default(),
        })
    }

    /// Forgets what is no longer under way at `now`, in seconds since the epoch.
    pub(super) fn sweep(&self, now: u64) {
        self.newest().retain(|_, (_, until)| *until > now);
    }

    /// The newer of `jar` and the newest that was made here.
    fn newest_of(&self, name: &Digest, jar: Option<Arc<Jar>>) -> Option<Arc<Jar>> {
        let version = jar.as_ref().map_or(0, |jar| jar.version);
        let newest = self.newest().get(name).map(|(newest, _)| Arc::clone(newest));
        newest.filter(|newest| newest.version > version).or(jar)
    }

    fn remember(&self, name: Digest, jar: Arc<Jar>, now: u64) {
        let mut newest = self.newest();
        if newest.len() >= MAX_REMEMBERED {
            newest.retain(|_, (_, until)| *until > now + WHILE / 2);
        }
        if newest.len() < MAX_REMEMBERED {
            newest.insert(name, (jar, now + WHILE));
        }
    }

    fn newest(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, (Arc<Jar>, u64), RandomState>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sessions {
    /// The cookies that backends have set for `holder`, as far as its request with `headers` tells. What
    /// cannot be had is not there: the backend begins anew.
    pub async fn jar(&self, holder: Holder<'_>, headers: &HeaderMap) -> Option<Arc<Jar>> {
        match holder {
            Holder::Session(opened) => match &opened.brought {
                Brought::Nothing => None,
                Brought::Jar(jar) => Some(Arc::clone(jar)),
                Brought::Cookie(text) => Box::pin(self.brought(opened, text)).await,
            },
            Holder::Caller { .. } => {
                let text = cookie::single(headers, cookie::CALLER)?;
                let (realm, name) = caller(holder)?;
                open(&self.core.jars.caller, &realm, &name, text).map(Arc::new)
            }
        }
    }

    async fn brought(&self, opened: &Opened, text: &[u8]) -> Option<Arc<Jar>> {
        let (key, realm) = (&opened.handle.key, &opened.session.realm);
        match &self.core.place {
            Place::Kept(store) => {
                let version =
                    std::str::from_utf8(text).ok()?.parse().ok().filter(|version| *version < MAX_VERSION)?;
                store.jar(key, realm, version).await.inspect_err(log).ok().flatten()
            }
            Place::Cookies(_) => {
                let jars = &self.core.jars;
                let jar = open(&jars.session, realm, &key.digest, text)?;
                jars.newest_of(&key.digest, Some(Arc::new(jar)))
            }
        }
    }

    /// Keeps what `answer` sets for `holder`, whose request came with `jar`; what the answer tells the
    /// browser.
    pub async fn keep(
        &self,
        holder: Holder<'_>,
        jar: Option<&Arc<Jar>>,
        answer: &BackendAnswer<'_>,
        policy: &Policy,
        scope: &CookieScope,
    ) -> SetCookies {
        let now = self.core.clock.seconds();
        let received = answer.set.received(&answer.backend, answer.path, self.core.clock.milliseconds());
        if received.is_empty() {
            return SetCookies::new();
        }
        let (name, value) = match holder {
            Holder::Session(opened) => {
                let value = Box::pin(self.keep_in_session(opened, jar, received, now)).await;
                (cookie::backends_name(&policy.cookie), value)
            }
            Holder::Caller { .. } => {
                let change = changed(jar, received).and_then(|next| {
                    let (realm, name) = caller(holder)?;
                    seal(&self.core.jars.caller, &realm, &name, &next)
                });
                (cookie::CALLER.to_owned(), change)
            }
        };
        let set = |value: String| cookie::set(&name, &value, Attributes::session(policy), policy, scope);
        value.and_then(set).into_iter().collect()
    }

    /// What the browser has to know of it.
    async fn keep_in_session(
        &self,
        opened: &Opened,
        jar: Option<&Arc<Jar>>,
        received: Vec<Received>,
        now: u64,
    ) -> Option<String> {
        let (key, realm) = (&opened.handle.key, &opened.session.realm);
        match &self.core.place {
            Place::Kept(store) => {
                let version = store.receive(key, realm, jar, received, now).await;
                version.inspect_err(log).ok().flatten().map(|version| version.to_string())
            }
            Place::Cookies(_) => {
                let jars = &self.core.jars;
                let base = jars.newest_of(&key.digest, jar.cloned());
                let next = changed(base.as_ref(), received)?;
                let text = seal(&jars.session, realm, &key.digest, &next)?;
                jars.remember(key.digest, Arc::new(next), now);
                Some(text)
            }
        }
    }
}

/// What `jar` becomes in a cookie, if anything changes.
fn changed(jar: Option<&Arc<Jar>>, received: Vec<Received>) -> Option<Jar> {
    let mut next = jar.map(|jar| Jar::clone(jar)).unwrap_or_default();
    let changed = next.apply(received, ROOM_IN_COOKIE);
    next.version += 1;
    (!changed.is_nothing()).then_some(next)
}

/// Where a caller without a session is known, and its name there; nothing where it has a session.
fn caller(holder: Holder<'_>) -> Option<(Arc<Realm>, Digest)> {
    let Holder::Caller { tenant, realm, identity } = holder else { return None };
    let realm = realm.map_or_else(|| Arc::new(Realm::of(tenant.cloned(), "", "")), Arc::clone);
    let name = match identity {
        None => Digest::of("nobody", &realm, &[]),
        Some(identity) => {
            let mut who = Writer::default();
            who.optional(identity.subject.as_deref().map(str::as_bytes));
            who.optional(identity.client.as_deref().map(str::as_bytes));
            Digest::of("caller", &realm, &who.0)
        }
    };
    Some((realm, name))
}

fn open(seal: &Seal, realm: &Realm, name: &Digest, text: &[u8]) -> Option<Jar> {
    let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
    Jar::read(&mut Reader(&seal.open_for(realm, &name.0, &sealed)?))
}

fn seal(seal: &Seal, realm: &Realm, name: &Digest, jar: &Jar) -> Option<String> {
    let mut writer = Writer::default();
    jar.write(&mut writer);
    Some(URL_SAFE_NO_PAD.encode(seal.seal_for(realm, &name.0, writer.0)?))
}

fn log(error: &Unavailable) {
    tracing::warn!(error = error as &dyn std::error::Error, "the cookies of backends are not available");
}
