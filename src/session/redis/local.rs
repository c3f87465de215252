//! What this process knows beside Redis, and how the two agree again.
//!
//! Every second it hears what has ended elsewhere, and tells what Redis missed. With a new connection it
//! does so before anybody uses it, and brings back the sessions that a Redis lost which was restarted
//! without its data, or with that of minutes ago: those that were seen here within the last minute and
//! have not ended since.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use redis::{Cmd, cmd, pipe};
use smallvec::SmallVec;

use super::copies::{Copies, Copy, MEMORY};
use super::link::{Asked, Link, Prelude};
use super::script::{self, DENIALS, DENIALS_BY_END, Kind};
use super::sha256;
use crate::clock::Clock;
use crate::session::jar::{Changed, Kept};
use crate::session::key::{Digest, Key};
use crate::session::record::{self, Reader, Writer};
use crate::session::seal::KeyRing;
use crate::session::store::{Denial, Idle};
use crate::session::{Jar, Realm, Session, Unavailable};
use crate::tenant::TenantKey;

/// For how many seconds longer than they count things lie in Redis, since clocks differ.
pub(super) const GRACE: u64 = 60;
/// How many sessions a script ends at most, and how many things are asked for at once.
pub(super) const BATCH: usize = 1_000;
/// How often is heard what has ended.
const LISTEN: Duration = Duration::from_secs(1);
/// How many sessions are brought back at once; each takes some KiB.
const RESTORED: usize = 64;

/// What a session's value is sealed for.
const PURPOSE: &str = "redis";

/// The same of the cookies of backends.
const JAR_PURPOSE: &str = "redis jar";
/// How many fields a session has at most, those that are no cookies included. Instances that add to a
/// full jar at once may go past what each of them allows.
const MAX_FIELDS: usize = 100;

/// Where a session is kept.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mode {
    /// Whatever was there.
    New,
    /// Only where none is.
    Absent,
    /// Only where one is.
    Present,
}

impl Mode {
    const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Absent => "absent",
            Self::Present => "present",
        }
    }
}

/// What this process knows.
#[derive(Debug)]
pub(super) struct Local {
    pub(super) copies: Copies,
    pub(super) clock: Clock,
    ring: KeyRing,
    /// The place of the last denial that was heard.
    heard: AtomicU64,
    /// Whether there was a connection before.
    was_connected: AtomicBool,
}

impl Local {
    pub(super) fn new(ring: KeyRing, clock: Clock) -> Self {
        let (heard, was_connected) = (AtomicU64::new(0), AtomicBool::new(false));
        Self { copies: Copies::default(), clock, ring, heard, was_connected }
    }

    /// The session in a sealed value, if it is one of `realm` under `key`.
    pub(super) fn open(&self, key: &Key, realm: &Arc<Realm>, sealed: &[u8]) -> Option<Session> {
        let text = self.ring.bound(PURPOSE, key.id.bytes()).ok()?.open(realm, sealed)?;
        record::read(&mut Reader(&text), realm)
    }

    /// What keeps a session; nothing where the system gives no randomness.
    pub(super) fn keep(&self, mode: Mode, key: &Key, session: &Session, idle: Idle) -> Option<Cmd> {
        self.keep_until(mode, key, session, idle.now, idle.now.saturating_add(idle.limit))
    }

    fn keep_until(&self, mode: Mode, key: &Key, session: &Session, now: u64, idle: u64) -> Option<Cmd> {
        let mut text = Writer::default();
        record::write(session, &mut text);
        let sealed = self.ring.bound(PURPOSE, key.id.bytes()).ok()?.seal(&session.realm, text.0)?;
        let subject = session.identity.subject.as_deref();
        let mut keys = vec![Kind::Session.key(&key.digest)];
        keys.push(Kind::Index.key(&tenant_name(session.realm.tenant())));
        for name in self::names(&session.realm, session.issuer_session.as_deref(), subject) {
            keys.push(Kind::Index.key(&name));
        }
        let mut keep = script::call(script::KEEP, &keys);
        keep.arg(mode.word()).arg(sealed).arg(now).arg(idle.min(session.ends)).arg(session.ends);
        keep.arg(GRACE).arg(script::text(&key.digest));
        Some(keep)
    }

    /// The cookies of backends that a script gave, for `realm` under `key`, known to be as new as
    /// `version`; what does not open is left out.
    pub(super) fn open_jar(&self, key: &Key, realm: &Realm, given: &[Vec<u8>], version: u64) -> Option<Jar> {
        let (count, sealed) = given.split_first()?;
        let count = std::str::from_utf8(count).ok()?.parse().unwrap_or(0);
        let seal = self.ring.bound(JAR_PURPOSE, key.id.bytes()).ok()?;
        let open = |sealed: &Vec<u8>| Kept::read(&mut Reader(&seal.open(realm, sealed)?));
        Some(Jar::of(sealed.iter().filter_map(open).collect(), version.max(count)))
    }

    /// What changes the cookies of backends; nothing where the system gives no randomness.
    pub(super) fn receive(
        &self,
        key: &Key,
        realm: &Realm,
        version: u64,
        changed: &Changed,
        now: u64,
    ) -> Option<Cmd> {
        let seal = self.ring.bound(JAR_PURPOSE, key.id.bytes()).ok()?;
        let mut receive = script::call(&script::receive(), &[Kind::Session.key(&key.digest)]);
        receive.arg(now).arg(version).arg(MAX_FIELDS).arg(changed.new.len());
        for kept in &changed.new {
            let mut text = Writer::default();
            kept.write(&mut text);
            receive.arg(field(key, realm, kept)).arg(seal.seal(realm, text.0)?);
        }
        for kept in &changed.gone {
            receive.arg(field(key, realm, kept));
        }
        Some(receive)
    }

    /// Learns what has ended elsewhere.
    pub(super) async fn hear(&self, asked: &impl Asked) -> Result<(), Unavailable> {
        let mut heard = self.heard.load(Ordering::Relaxed);
        let now = self.clock.seconds();
        for denial in denials(asked, &mut heard).await? {
            self.copies.end(&denial.name, now, false);
        }
        self.heard.fetch_max(heard, Ordering::Relaxed);
        Ok(())
    }

    /// Tells that sessions have ended.
    pub(super) async fn tell_ended(&self, asked: &impl Asked, names: &[Digest]) -> Result<(), Unavailable> {
        let now = self.clock.seconds();
        for names in names.chunks(BATCH) {
            let _ended: usize = asked.ask(&end(names, now)).await?;
            self.copies.told(names);
        }
        Ok(())
    }

    /// Tells what Redis missed.
    async fn catch_up(&self, asked: &impl Asked) -> Result<(), Unavailable> {
        let (_, untold) = self.copies.ended();
        self.tell_ended(asked, &untold).await?;
        for copy in self.copies.unsaved() {
            let now = self.clock.seconds();
            let keep = self.keep_until(Mode::Present, &copy.key, &copy.session, now, copy.idle_until);
            let Some(keep) = keep else { continue };
            let _kept: u8 = asked.ask(&keep).await?;
            self.copies.saved(&copy);
        }
        Ok(())
    }

    /// Ends again what a restored Redis may have brought back, and brings back what it lost.
    async fn restore(&self, asked: &impl Asked) -> Result<(), Unavailable> {
        let (ended, _) = self.copies.ended();
        for names in ended.chunks(BATCH) {
            let mut remove = cmd("DEL");
            for name in names {
                remove.arg(Kind::Session.key(name));
            }
            let _removed: usize = asked.ask(&remove).await?;
        }
        let living = self.copies.living(self.clock.seconds());
        for copies in living.chunks(RESTORED) {
            self.restore_some(asked, copies).await?;
        }
        Ok(())
    }

    async fn restore_some(&self, asked: &impl Asked, copies: &[Copy]) -> Result<(), Unavailable> {
        let mut exist = pipe();
        for copy in copies {
            exist.cmd("EXISTS").arg(Kind::Session.key(&copy.key.digest));
        }
        let there: Vec<bool> = asked.ask(&exist).await?;
        let missing = copies.iter().zip(there).filter(|(_, is_there)| !is_there).map(|(copy, _)| copy);
        let now = self.clock.seconds();
        let mut keeps = pipe();
        for copy in missing.filter(|copy| copy.session.ends > now && copy.idle_until > now) {
            let keep = self.keep_until(Mode::Absent, &copy.key, &copy.session, now, copy.idle_until);
            if let Some(keep) = keep {
                keeps.add_command(keep);
            }
        }
        if keeps.is_empty() {
            return Ok(());
        }
        let restored: Vec<bool> = asked.ask(&keeps).await?;
        tracing::warn!(
            "sessions: {} that Redis had lost are back",
            restored.iter().filter(|is_back| **is_back).count()
        );
        Ok(())
    }
}

impl Prelude for Local {
    async fn play(&self, asked: &impl Asked) -> Result<(), Unavailable> {
        self.hear(asked).await?;
        if self.was_connected.swap(true, Ordering::Relaxed) {
            self.restore(asked).await?;
        }
        self.catch_up(asked).await
    }
}

/// Hears and tells, every second.
pub(super) async fn listen(local: Arc<Local>, link: Arc<Link>) {
    let mut tick = tokio::time::interval(LISTEN);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        local.copies.sweep(local.clock.seconds());
        if !link.is_up() {
            continue;
        }
        // Whatever is not heard or told now is so a second later, or with the next connection.
        if local.hear(&*link).await.is_ok() {
            let _ = local.catch_up(&*link).await;
        }
    }
}

/// The field of a cookie. Nobody who reads it learns what the cookie is called.
fn field(key: &Key, realm: &Realm, kept: &Kept) -> String {
    let named = [&key.id.bytes()[..], &kept.identity()].concat();
    format!("c:{}", script::text(&Digest::of("jar", realm, &named)))
}

/// The indexes in which the issuer's names for a session are looked up.
pub(super) fn names(
    realm: &Realm,
    issuer_session: Option<&str>,
    subject: Option<&str>,
) -> SmallVec<[Digest; 2]> {
    let name = |kind, text: Option<&str>| text.map(|text| Digest::of(kind, realm, text.as_bytes()));
    [name("index of sid", issuer_session), name("index of sub", subject)].into_iter().flatten().collect()
}

/// The index in which the sessions of a tenant are.
pub(super) fn tenant_name(tenant: Option<&TenantKey>) -> Digest {
    let key = tenant.map_or("", TenantKey::as_str);
    let kind = if tenant.is_some() { "index of tenant " } else { "index of none" };
    Digest(sha256([kind.as_bytes(), key.as_bytes()].concat().as_slice()))
}

/// What ends sessions by name.
fn end(names: &[Digest], now: u64) -> Cmd {
    let mut end = script::call(&script::end(), &denial_keys());
    ending(&mut end, now);
    for name in names {
        end.arg(script::text(name));
    }
    end
}

/// What ends sessions that all of `indexes` name.
pub(super) fn end_indexed(indexes: &[Digest], now: u64) -> Cmd {
    let mut keys = denial_keys().to_vec();
    keys.extend(indexes.iter().map(|name| Kind::Index.key(name)));
    let mut end = script::call(&script::end_indexed(), &keys);
    ending(&mut end, now);
    end
}

fn denial_keys() -> [String; 2] {
    [DENIALS.to_owned(), DENIALS_BY_END.to_owned()]
}

/// The arguments of both scripts that end sessions.
fn ending(end: &mut Cmd, now: u64) {
    let until = now.saturating_add(MEMORY);
    end.arg(Kind::Session.prefix())
        .arg(format!(":{}:{until}", now.saturating_mul(1_000)))
        .arg(until)
        .arg(now);
}

/// What tells a denial.
pub(super) fn deny(denial: &Denial, now: u64) -> Cmd {
    let Denial { name, begun_until, until } = denial;
    let mut deny = script::call(&script::deny(), &denial_keys());
    deny.arg(format!("{}:{begun_until}:{until}", script::text(name))).arg(*until).arg(now);
    deny
}

/// What was denied since `seen`, which moves on.
pub(super) async fn denials(asked: &impl Asked, seen: &mut u64) -> Result<Vec<Denial>, Unavailable> {
    let mut all = Vec::new();
    loop {
        let mut range = cmd("ZRANGEBYSCORE");
        range.arg(DENIALS).arg(format!("({seen}")).arg("+inf").arg("WITHSCORES");
        range.arg("LIMIT").arg(0).arg(BATCH);
        let found: Vec<(String, f64)> = asked.ask(&range).await?;
        for (text, place) in &found {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "microseconds since the epoch are below 2^53"
            )]
            let place = *place as u64;
            *seen = (*seen).max(place);
            all.extend(denial(text));
        }
        if found.len() < BATCH {
            return Ok(all);
        }
    }
}

/// The denial that [`deny`] wrote.
fn denial(text: &str) -> Option<Denial> {
    let mut parts = text.split(':');
    let (name, begun_until, until) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Denial {
        name: script::name(name)?,
        begun_until: begun_until.parse().ok()?,
        until: until.parse().ok()?,
    })
}
