//! The store at a real Redis: what it keeps, what instances hear of each other, and what happens when
//! Redis is away, frozen, restarted with its data or without, or somebody else.

#[path = "../../../tests/it/harness/redis.rs"]
mod server;

mod away;
mod sealed;
mod together;

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::HeaderValue;
use tokio::runtime::Runtime;

use self::server::Options;
use super::{Redis, RedisServer, RedisSettings};
use crate::clock::Clock;
use crate::secret::Secret;
use crate::session::key::{Digest, Id, Key};
use crate::session::seal::KeyRing;
use crate::session::store::{Idle, Shared, Store};
use crate::session::{Identity, Realm, Session, csrf};
use crate::tenant::TenantKey;

/// No request may take longer.
const BOUND: Duration = Duration::from_secs(2);

/// A Redis, the runtime of slow work of an instance, and that of its requests.
struct Stage {
    server: server::Redis,
    slow: Runtime,
    requests: Runtime,
}

impl Stage {
    fn new(options: Options) -> Self {
        Self::at(server::Redis::start_with(options))
    }

    fn at(server: server::Redis) -> Self {
        let slow =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let requests = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { server, slow, requests }
    }

    /// One more instance at the Redis.
    fn instance(&self) -> Redis {
        self.instance_with(&["a secret"])
    }

    fn instance_with(&self, secrets: &[&str]) -> Redis {
        self.instance_at(&self.server.url(), secrets, Vec::new())
    }

    fn instance_at(&self, url: &str, secrets: &[&str], authorities: Vec<Vec<u8>>) -> Redis {
        let server = RedisServer::parse(url).unwrap();
        let authorities = authorities.into_iter().map(Into::into).collect();
        let settings = RedisSettings { server, authorities, resolver: None };
        let secrets: Vec<Secret> = secrets.iter().map(|text| Secret::new(*text)).collect();
        let ring = KeyRing::new(&secrets).unwrap();
        Redis::new(settings, ring, Clock::System, self.slow.handle()).unwrap()
    }

    /// What `step` gives, within the bound of any request.
    fn run<T>(&self, step: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let result = self.requests.block_on(step);
        assert!(begun.elapsed() < BOUND, "took {:?}", begun.elapsed());
        result
    }

    /// Waits until `condition` gives what it is to give.
    fn until<T, F: Future<Output = Option<T>>>(
        &self,
        what: &str,
        bound: Duration,
        condition: impl Fn() -> F,
    ) -> T {
        let deadline = Instant::now() + bound;
        loop {
            if let Some(found) = self.run(condition()) {
                return found;
            }
            assert!(Instant::now() < deadline, "{what}: not within {bound:?}");
            self.requests.block_on(async { tokio::time::sleep(Duration::from_millis(10)).await });
        }
    }
}

fn now() -> u64 {
    Clock::System.seconds()
}

fn idle() -> Idle {
    Idle { now: now(), limit: 900 }
}

pub(super) fn realm(tenant: &str) -> Arc<Realm> {
    Arc::new(Realm::of(TenantKey::parse(tenant), "https://issuer.test", "app"))
}

pub(super) fn session(realm: &Arc<Realm>, sid: &str, subject: &str) -> Arc<Session> {
    session_with(realm, sid, subject, "a.b.c")
}

fn session_with(realm: &Arc<Realm>, sid: &str, subject: &str, token: &str) -> Arc<Session> {
    let now = now();
    Arc::new(Session {
        realm: Arc::clone(realm),
        identity: Identity {
            subject: Some(subject.into()),
            user_name: None,
            email: None,
            given_name: None,
            family_name: None,
            client: None,
            expires: now + 600,
            bearer: HeaderValue::try_from(format!("Bearer {token}")).unwrap(),
            scopes: Box::new([]),
        },
        issuer_session: Some(sid.into()),
        refresh_token: Some(Secret::new("refresh")),
        id_token: None,
        csrf_token: csrf::Token::random().unwrap(),
        refreshed: 0,
        begun: now,
        ends: now + 3_600,
    })
}

pub(super) fn key(realm: &Realm) -> Key {
    Key::of(realm, Id::random().unwrap())
}

/// The token of what is found.
async fn found(store: &Redis, key: &Key, realm: &Arc<Realm>) -> Option<String> {
    let session = store.find(key, realm, idle()).await.expect("Redis, or a copy");
    session.map(|session| session.identity.bearer.to_str().unwrap().to_owned())
}
