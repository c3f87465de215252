//! Which store, and who else shares with it.
//!
//! The one place that knows all stores by name. Sessions are either kept on this side, under a key, or
//! travel in cookies; what instances share is either in this process alone or in Redis.

use std::sync::Arc;
use std::time::Duration;

use super::jar::{Jar, Received};
use super::key::{Digest, Key};
use super::memory::Memory;
use super::redis::Redis;
use super::sealed::Sealed;
use super::store::{Denial, Idle, Lease, Shared, Store, WithJar};
use super::{Realm, Session, Unavailable};
use crate::tenant::TenantKey;

/// Where sessions are.
#[derive(Debug)]
pub(super) enum Place {
    /// On this side; the browser has an id.
    Kept(Kept),
    /// In the browser.
    Cookies(Box<Sealed>),
}

/// The stores on this side.
#[derive(Debug)]
pub(super) enum Kept {
    Memory(Box<Memory>),
    Redis(Arc<Redis>),
}

impl Store for Kept {
    async fn find(
        &self,
        key: &Key,
        realm: &Arc<Realm>,
        idle: Idle,
    ) -> Result<Option<Arc<Session>>, Unavailable> {
        match self {
            Self::Memory(store) => store.find(key, realm, idle).await,
            Self::Redis(store) => store.find(key, realm, idle).await,
        }
    }

    async fn open(&self, key: &Key, realm: &Arc<Realm>, idle: Idle) -> Result<Option<WithJar>, Unavailable> {
        match self {
            Self::Memory(store) => store.open(key, realm, idle).await,
            Self::Redis(store) => store.open(key, realm, idle).await,
        }
    }

    async fn jar(
        &self,
        key: &Key,
        realm: &Arc<Realm>,
        version: u64,
    ) -> Result<Option<Arc<Jar>>, Unavailable> {
        match self {
            Self::Memory(store) => store.jar(key, realm, version).await,
            Self::Redis(store) => store.jar(key, realm, version).await,
        }
    }

    async fn receive(
        &self,
        key: &Key,
        realm: &Arc<Realm>,
        jar: Option<&Arc<Jar>>,
        received: Vec<Received>,
        now: u64,
    ) -> Result<Option<u64>, Unavailable> {
        match self {
            Self::Memory(store) => store.receive(key, realm, jar, received, now).await,
            Self::Redis(store) => store.receive(key, realm, jar, received, now).await,
        }
    }

    async fn exists(&self, key: &Key, realm: &Arc<Realm>, idle: Idle) -> Result<bool, Unavailable> {
        match self {
            Self::Memory(store) => store.exists(key, realm, idle).await,
            Self::Redis(store) => store.exists(key, realm, idle).await,
        }
    }

    async fn insert(&self, key: &Key, session: &Arc<Session>, idle: Idle) -> Result<(), Unavailable> {
        match self {
            Self::Memory(store) => store.insert(key, session, idle).await,
            Self::Redis(store) => store.insert(key, session, idle).await,
        }
    }

    async fn replace(&self, key: &Key, session: &Arc<Session>, idle: Idle) -> Result<bool, Unavailable> {
        match self {
            Self::Memory(store) => store.replace(key, session, idle).await,
            Self::Redis(store) => store.replace(key, session, idle).await,
        }
    }

    async fn remove(&self, key: &Key, realm: &Realm) -> Result<(), Unavailable> {
        match self {
            Self::Memory(store) => store.remove(key, realm).await,
            Self::Redis(store) => store.remove(key, realm).await,
        }
    }

    async fn remove_matching(
        &self,
        realm: &Realm,
        issuer_session: Option<&str>,
        subject: Option<&str>,
    ) -> Result<usize, Unavailable> {
        match self {
            Self::Memory(store) => store.remove_matching(realm, issuer_session, subject).await,
            Self::Redis(store) => store.remove_matching(realm, issuer_session, subject).await,
        }
    }

    async fn remove_tenant(&self, tenant: Option<&TenantKey>) -> Result<usize, Unavailable> {
        match self {
            Self::Memory(store) => store.remove_tenant(tenant).await,
            Self::Redis(store) => store.remove_tenant(tenant).await,
        }
    }
}

/// Who else there is.
#[derive(Debug)]
pub(super) enum Peers {
    /// Nobody, or nobody that this process can hear.
    Alone,
    /// Whoever is at the same Redis.
    Redis(Arc<Redis>),
}

impl Peers {
    /// Whether there is somebody to tell.
    pub(super) fn are_there(&self) -> bool {
        match self {
            Self::Alone => false,
            Self::Redis(_) => true,
        }
    }
}

impl Shared for Peers {
    async fn use_once(&self, name: &Digest, time: Duration) -> Result<bool, Unavailable> {
        match self {
            Self::Alone => Ok(true),
            Self::Redis(redis) => redis.use_once(name, time).await,
        }
    }

    async fn lock(&self, name: &Digest, time: Duration) -> Result<Option<Lease>, Unavailable> {
        match self {
            Self::Alone => Ok(Some(Lease { name: *name, holder: 0 })),
            Self::Redis(redis) => redis.lock(name, time).await,
        }
    }

    async fn unlock(&self, lease: Lease) {
        match self {
            Self::Alone => {}
            Self::Redis(redis) => redis.unlock(lease).await,
        }
    }

    async fn deny(&self, denial: &Denial) -> Result<(), Unavailable> {
        match self {
            Self::Alone => Ok(()),
            Self::Redis(redis) => redis.deny(denial).await,
        }
    }

    async fn denials(&self, seen: &mut u64, now: u64) -> Result<Vec<Denial>, Unavailable> {
        match self {
            Self::Alone => Ok(Vec::new()),
            Self::Redis(redis) => redis.denials(seen, now).await,
        }
    }

    async fn leave(&self, name: &Digest, bytes: &[u8], time: Duration) -> Result<(), Unavailable> {
        match self {
            Self::Alone => Ok(()),
            Self::Redis(redis) => redis.leave(name, bytes, time).await,
        }
    }

    async fn left(&self, name: &Digest) -> Result<Option<Vec<u8>>, Unavailable> {
        match self {
            Self::Alone => Ok(None),
            Self::Redis(redis) => redis.left(name).await,
        }
    }
}
