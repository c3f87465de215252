//! Sessions in Redis, for several instances of one application.
//!
//! What is stored is sealed with a key that is derived from the session's id, which Redis never sees; its
//! keys are hashes of realm and id. Everything here ends within bounds: a Redis that is gone costs a
//! request a second at most, and what was seen within the last minute goes on. A refresh needs the lease
//! that only Redis gives, so while it is away none begins: with rotating refresh tokens, two instances
//! that both refresh would end the session.

mod copies;
mod dial;
mod link;
mod local;
mod script;
mod settings;

use std::sync::Arc;
use std::time::Duration;

use redis::cmd;
use tokio::runtime::Handle as Runtime;
use tokio::task::AbortHandle;

use self::copies::Known;
use self::dial::Dial;
use self::link::{Asked, Link, UNAVAILABLE};
use self::local::{Local, Mode};
use self::script::Kind;
use super::jar::{self, Jar, Received};
use super::key::{Digest, Key};
use super::realm::sha256;
use super::seal::KeyRing;
use super::store::{Denial, Idle, Lease, Shared, Store};
use super::{Realm, Session, Unavailable};
use crate::clock::Clock;
use crate::tenant::TenantKey;

pub use dial::UnusableRedis;
pub use settings::{Addresses, RedisServer, RedisSettings, RedisUrlError, Resolver};

/// Sessions in Redis.
#[derive(Debug)]
pub(super) struct Redis {
    link: Arc<Link>,
    local: Arc<Local>,
    listening: AbortHandle,
}

impl Redis {
    /// Connects, and goes on doing so, by tasks on `runtime`; a Redis that is away is no error.
    pub(super) fn new(
        settings: RedisSettings,
        ring: KeyRing,
        clock: Clock,
        runtime: &Runtime,
    ) -> Result<Self, UnusableRedis> {
        let local = Arc::new(Local::new(ring, clock));
        let link = Arc::new(Link::new(Dial::new(settings)?, runtime, Arc::clone(&local)));
        let listening = runtime.spawn(local::listen(Arc::clone(&local), Arc::clone(&link))).abort_handle();
        Ok(Self { link, local, listening })
    }

    async fn read(
        &self,
        key: &Key,
        realm: &Arc<Realm>,
        idle: Idle,
    ) -> Result<Option<Arc<Session>>, Unavailable> {
        let mut find = script::call(script::FIND, &[Kind::Session.key(&key.digest)]);
        find.arg(idle.now).arg(idle.limit).arg(local::GRACE);
        let sealed: Option<Vec<u8>> = self.link.ask(&find).await?;
        let session = sealed.and_then(|sealed| self.local.open(key, realm, &sealed)).map(Arc::new);
        let Some(session) = session else {
            self.local.copies.forget(&key.digest);
            return Ok(None);
        };
        Ok(self.local.copies.keep(key, &session, idle).then_some(session))
    }

    /// Which of the sessions have not ended, without using any.
    pub(super) async fn exist(&self, keys: &[&Key], idle: Idle) -> Result<Vec<bool>, Unavailable> {
        let mut open = Vec::with_capacity(keys.len());
        for keys in keys.chunks(local::BATCH) {
            let mut ends = redis::pipe();
            for key in keys {
                ends.cmd("HMGET").arg(Kind::Session.key(&key.digest)).arg("x").arg("e");
            }
            let found: Vec<(Option<u64>, Option<u64>)> = self.link.ask(&ends).await?;
            open.extend(keys.iter().zip(found).map(|(key, (idle_until, until))| {
                let is_there =
                    idle_until.zip(until).is_some_and(|(unused, until)| idle.now < unused.min(until));
                is_there && !self.local.copies.has_ended(&key.digest)
            }));
        }
        Ok(open)
    }

    /// Ends the sessions that all of `indexes` name, and hears of them at once.
    async fn end_indexed(&self, indexes: &[Digest]) -> Result<usize, Unavailable> {
        let now = self.local.clock.seconds();
        let mut ended = 0;
        loop {
            let (found, of_these): (usize, usize) = self.link.ask(&local::end_indexed(indexes, now)).await?;
            ended += of_these;
            if found < local::BATCH {
                break;
            }
        }
        self.local.hear(&*self.link).await?;
        Ok(ended)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Store for Redis {
    async fn find(
        &self,
        key: &Key,
        realm: &Arc<Realm>,
        idle: Idle,
    ) -> Result<Option<Arc<Session>>, Unavailable> {
        match self.local.copies.look(&key.digest, idle) {
            Known::Fresh(session) => return Ok(Some(session)),
            Known::Ended => return Ok(None),
            Known::Nothing => {}
        }
        let last_seen = || self.local.copies.last_seen(&key.digest, idle);
        if !self.link.is_up()
            && let Some(session) = last_seen()
        {
            return Ok(Some(session));
        }
        match self.read(key, realm, idle).await {
            Err(unavailable) => last_seen().map(Some).ok_or(unavailable),
            found @ Ok(_) => found,
        }
    }

    /// A copy that is old enough to be wrong is asked for anew; where Redis is away it has to do.
    async fn jar(
        &self,
        key: &Key,
        realm: &Arc<Realm>,
        version: u64,
    ) -> Result<Option<Arc<Jar>>, Unavailable> {
        let known = self.local.copies.jar(&key.digest);
        if known.as_ref().is_some_and(|known| known.version >= version) {
            return Ok(known);
        }
        let jar = script::call(&script::jar(), &[Kind::Session.key(&key.digest)]);
        match self.link.ask::<Vec<Vec<u8>>>(&jar).await {
            Ok(given) => Ok(self.local.open_jar(key, realm, &given, version).map(|jar| {
                let jar = Arc::new(jar);
                self.local.copies.keep_jar(&key.digest, &jar);
                jar
            })),
            Err(unavailable) => known.map(Some).ok_or(unavailable),
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
        let mut next = jar.map(|jar| Jar::clone(jar)).unwrap_or_default();
        let changed = next.apply(received, jar::ROOM);
        if changed.is_nothing() {
            return Ok(None);
        }
        let receive = self.local.receive(key, realm, next.version, &changed, now).ok_or(UNAVAILABLE)?;
        let given: Vec<Vec<u8>> = self.link.ask(&receive).await?;
        let Some(jar) = self.local.open_jar(key, realm, &given, 0).map(Arc::new) else { return Ok(None) };
        self.local.copies.keep_jar(&key.digest, &jar);
        Ok(Some(jar.version))
    }

    async fn exists(&self, key: &Key, _: &Arc<Realm>, idle: Idle) -> Result<bool, Unavailable> {
        if matches!(self.local.copies.look(&key.digest, idle), Known::Ended) {
            return Ok(false);
        }
        let mut ends = cmd("HMGET");
        ends.arg(Kind::Session.key(&key.digest)).arg("x").arg("e");
        let (idle_until, until): (Option<u64>, Option<u64>) = self.link.ask(&ends).await?;
        Ok(idle_until.zip(until).is_some_and(|(idle_until, until)| idle.now < idle_until.min(until)))
    }

    async fn insert(&self, key: &Key, session: &Arc<Session>, idle: Idle) -> Result<(), Unavailable> {
        let keep = self.local.keep(Mode::New, key, session, idle).ok_or(UNAVAILABLE)?;
        let _kept: u8 = self.link.ask(&keep).await?;
        self.local.copies.keep(key, session, idle);
        Ok(())
    }

    /// Where Redis is away the new session is kept here until it is back: its refresh token is the only
    /// one that the issuer still takes.
    async fn replace(&self, key: &Key, session: &Arc<Session>, idle: Idle) -> Result<bool, Unavailable> {
        let keep = self.local.keep(Mode::Present, key, session, idle).ok_or(UNAVAILABLE)?;
        match self.link.ask::<u8>(&keep).await {
            Ok(0) => {
                self.local.copies.forget(&key.digest);
                Ok(false)
            }
            Ok(_) => Ok(self.local.copies.keep(key, session, idle)),
            Err(unavailable) => {
                let kept = self.local.copies.keep_unsaved(key, session, idle);
                kept.then_some(true).ok_or(unavailable)
            }
        }
    }

    /// Here it has ended at once; where Redis is away the others hear of it when it is back.
    async fn remove(&self, key: &Key, _: &Realm) -> Result<(), Unavailable> {
        self.local.copies.end(&key.digest, self.local.clock.seconds(), true);
        self.local.tell_ended(&*self.link, &[key.digest]).await
    }

    async fn remove_matching(
        &self,
        realm: &Realm,
        issuer_session: Option<&str>,
        subject: Option<&str>,
    ) -> Result<usize, Unavailable> {
        let indexes = local::names(realm, issuer_session, subject);
        if indexes.is_empty() {
            return Ok(0);
        }
        let now = self.local.clock.seconds();
        let fits = |session: &Session| session.is_named(realm, issuer_session, subject);
        let here = self.local.copies.end_where(now, fits);
        let ended = self.end_indexed(&indexes).await?;
        self.local.copies.told(&here);
        Ok(ended)
    }

    async fn remove_tenant(&self, tenant: Option<&TenantKey>) -> Result<usize, Unavailable> {
        let now = self.local.clock.seconds();
        let here = self.local.copies.end_where(now, |session| session.realm.tenant() == tenant);
        let ended = self.end_indexed(&[local::tenant_name(tenant)]).await?;
        self.local.copies.told(&here);
        Ok(ended)
    }
}

impl Shared for Redis {
    async fn use_once(&self, name: &Digest, time: Duration) -> Result<bool, Unavailable> {
        let set = self.link.ask::<Option<String>>(&set_new(Kind::Used, name, "1", time)).await?;
        Ok(set.is_some())
    }

    /// Whoever asked for a lease has to see what the one before him left, so no copy answers next.
    async fn lock(&self, name: &Digest, time: Duration) -> Result<Option<Lease>, Unavailable> {
        let holder = fastrand::u128(..);
        let set = set_new(Kind::Lease, name, &holder.to_string(), time);
        let got = self.link.ask::<Option<String>>(&set).await?;
        self.local.copies.outdate(name);
        Ok(got.map(|_| Lease { name: *name, holder }))
    }

    async fn unlock(&self, lease: Lease) {
        let mut release = script::call(script::RELEASE, &[Kind::Lease.key(&lease.name)]);
        release.arg(lease.holder.to_string());
        // One that is not given back ends by itself.
        let _: Result<u8, Unavailable> = self.link.ask(&release).await;
    }

    async fn deny(&self, denial: &Denial) -> Result<(), Unavailable> {
        self.link.ask::<u8>(&local::deny(denial, self.local.clock.seconds())).await.map(|_| ())
    }

    async fn denials(&self, seen: &mut u64, now: u64) -> Result<Vec<Denial>, Unavailable> {
        let mut denials = local::denials(&*self.link, seen).await?;
        denials.retain(|denial| denial.until > now);
        Ok(denials)
    }

    async fn leave(&self, name: &Digest, bytes: &[u8], time: Duration) -> Result<(), Unavailable> {
        let mut set = cmd("SET");
        set.arg(Kind::Left.key(name)).arg(bytes).arg("PX").arg(milliseconds(time));
        self.link.ask(&set).await
    }

    async fn left(&self, name: &Digest) -> Result<Option<Vec<u8>>, Unavailable> {
        let mut get = cmd("GET");
        get.arg(Kind::Left.key(name));
        self.link.ask(&get).await
    }
}

/// Sets what is not set, for `time`.
fn set_new(kind: Kind, name: &Digest, value: &str, time: Duration) -> redis::Cmd {
    let mut set = cmd("SET");
    set.arg(kind.key(name)).arg(value).arg("NX").arg("PX").arg(milliseconds(time));
    set
}

/// `time` in milliseconds, of which Redis wants one at least.
fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests;
