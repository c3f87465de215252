//! What a store of sessions does, and what instances share beside sessions.
//!
//! A [`Store`] keeps sessions on the server's side under a [`Key`]; a [`Shared`] keeps marks that all
//! instances see. A store knows no cookies and no headers. Times are seconds since the epoch. Stores are
//! called by an enum, so there is nothing to box.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::jar::{Jar, Received};
use super::key::{Digest, Key};
use super::{Realm, Session, Unavailable};
use crate::tenant::TenantKey;

/// When it is, and how long a session may lie unused.
#[derive(Clone, Copy, Debug)]
pub(super) struct Idle {
    /// Seconds since the epoch.
    pub(super) now: u64,
    /// Seconds without a request after which a session has ended.
    pub(super) limit: u64,
}

/// A session, and the cookies of backends where they lie beside it.
pub(super) type WithJar = (Arc<Session>, Option<Arc<Jar>>);

/// Sessions that are kept here, while the browser has their id.
pub(super) trait Store {
    /// The session under `key`, if it has not ended: neither idle for too long nor past its end. To be
    /// found is to be used, so the idle time begins again. `realm` is the one of the request; the
    /// session is given with this very `Arc`.
    fn find(
        &self,
        key: &Key,
        realm: &Arc<Realm>,
        idle: Idle,
    ) -> impl Future<Output = Result<Option<Arc<Session>>, Unavailable>> + Send;

    /// The session as [`Store::find`] gives it, with the cookies of backends where they lie beside it.
    fn open(
        &self,
        key: &Key,
        realm: &Arc<Realm>,
        idle: Idle,
    ) -> impl Future<Output = Result<Option<WithJar>, Unavailable>> + Send
    where
        Self: Sync,
    {
        async move { Ok(self.find(key, realm, idle).await?.map(|session| (session, None))) }
    }

    /// The cookies of backends in the session under `key`, at least as new as `version`.
    fn jar(
        &self,
        key: &Key,
        realm: &Arc<Realm>,
        version: u64,
    ) -> impl Future<Output = Result<Option<Arc<Jar>>, Unavailable>> + Send;

    /// Changes them, where there is a session, in the light of `jar`; their new version where it has to
    /// be known to the browser.
    fn receive(
        &self,
        key: &Key,
        realm: &Arc<Realm>,
        jar: Option<&Arc<Jar>>,
        received: Vec<Received>,
        now: u64,
    ) -> impl Future<Output = Result<Option<u64>, Unavailable>> + Send;

    /// Whether the session under `key` has not ended. To be asked for is not to be used, where the store
    /// can tell the two apart.
    fn exists(
        &self,
        key: &Key,
        realm: &Arc<Realm>,
        idle: Idle,
    ) -> impl Future<Output = Result<bool, Unavailable>> + Send
    where
        Self: Sync,
    {
        async move { Ok(self.find(key, realm, idle).await?.is_some()) }
    }

    /// Keeps a new session.
    fn insert(
        &self,
        key: &Key,
        session: &Arc<Session>,
        idle: Idle,
    ) -> impl Future<Output = Result<(), Unavailable>> + Send;

    /// Puts `session` in the place of the one under `key`; `false` where there is none any more, which
    /// stays so: a session that was ended during its refresh does not come back.
    fn replace(
        &self,
        key: &Key,
        session: &Arc<Session>,
        idle: Idle,
    ) -> impl Future<Output = Result<bool, Unavailable>> + Send;

    /// Ends the session under `key`.
    fn remove(&self, key: &Key, realm: &Realm) -> impl Future<Output = Result<(), Unavailable>> + Send;

    /// Ends the sessions of `realm` that the issuer names, by its session or by its subject; how many.
    /// Where both are named, both have to fit (OpenID Connect Back-Channel Logout 1.0 §2.6).
    fn remove_matching(
        &self,
        realm: &Realm,
        issuer_session: Option<&str>,
        subject: Option<&str>,
    ) -> impl Future<Output = Result<usize, Unavailable>> + Send;

    /// Ends every session of a tenant, whatever its issuer; how many.
    fn remove_tenant(
        &self,
        tenant: Option<&TenantKey>,
    ) -> impl Future<Output = Result<usize, Unavailable>> + Send;
}

/// What instances tell each other beside sessions. One instance alone shares with itself.
pub(super) trait Shared {
    /// Marks `name` as used for `time`; whether it was not before.
    fn use_once(
        &self,
        name: &Digest,
        time: Duration,
    ) -> impl Future<Output = Result<bool, Unavailable>> + Send;

    /// Takes the only lease on `name`, or nothing where another has it. It ends by itself after `time`.
    fn lock(
        &self,
        name: &Digest,
        time: Duration,
    ) -> impl Future<Output = Result<Option<Lease>, Unavailable>> + Send;

    /// Gives a lease back; one that has ended is no error.
    fn unlock(&self, lease: Lease) -> impl Future<Output = ()> + Send;

    /// Tells the others that what `denial` names has ended.
    fn deny(&self, denial: &Denial) -> impl Future<Output = Result<(), Unavailable>> + Send;

    /// What was denied since `seen`, a place in the store's own order that the answer moves on; 0 is
    /// the beginning. It is asked every second by a task of its own.
    fn denials(
        &self,
        seen: &mut u64,
        now: u64,
    ) -> impl Future<Output = Result<Vec<Denial>, Unavailable>> + Send;

    /// Leaves sealed `bytes` under `name` for `time`, for other instances to pick up.
    fn leave(
        &self,
        name: &Digest,
        bytes: &[u8],
        time: Duration,
    ) -> impl Future<Output = Result<(), Unavailable>> + Send;

    /// What was left under `name`.
    fn left(&self, name: &Digest) -> impl Future<Output = Result<Option<Vec<u8>>, Unavailable>> + Send;
}

/// The right to be the only one who refreshes a session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    /// What it is on.
    pub(super) name: Digest,
    /// Who has it: random, so that nobody gives back what is another's by then.
    pub(super) holder: u128,
}

/// What has ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Denial {
    /// A session, an issuer's session, a subject, or a tenant.
    pub(super) name: Digest,
    /// Milliseconds since the epoch: what began later is another.
    pub(super) begun_until: u64,
    /// Seconds since the epoch at which it would have ended anyway.
    pub(super) until: u64,
}
