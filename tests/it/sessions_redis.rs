//! Sessions in a real Redis: the suite of every store, and the whole with several instances.
//!
//! What the store does when Redis is away, frozen or wrong is asked of it alone, beside its source;
//! here it is the router that is asked.

mod away;
mod instances;
mod jars;

use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::json;
use vestibule::session::StoreSettings;
use vestibule::session::redis::{RedisServer, RedisSettings};

use super::harness::redis::{Options, Redis};
use super::harness::{Backend, Provider, Server, Setup};
use super::sessions::Bench;
use super::sessions::conformance::conforms;

/// A Redis with a database for each row of the suite, since time stands still between them.
fn with_databases() -> Redis {
    let words = ["--databases", "64"].map(str::to_owned).to_vec();
    Redis::start_with(Options { words, ..Options::default() })
}

/// The next database of `redis`.
fn settings(redis: &Redis, next: &AtomicU16) -> RedisSettings {
    let database = next.fetch_add(1, Ordering::Relaxed);
    let server = RedisServer { database, ..RedisServer::parse(&redis.url()).unwrap() };
    RedisSettings { server, authorities: Vec::new(), resolver: None }
}

#[tokio::test]
async fn redis_conforms() {
    let (redis, next) = (with_databases(), AtomicU16::new(0));
    conforms(async || Bench::new_in(StoreSettings::Redis(settings(&redis, &next))), true).await;
}

#[tokio::test]
async fn cookies_with_redis_conform() {
    let (redis, next) = (with_databases(), AtomicU16::new(0));
    conforms(async || Bench::new_in(StoreSettings::CookieAndRedis(settings(&redis, &next))), true).await;
}

/// One tenant, whose people log in at `provider`, with everything behind the login.
fn setup(backend: &Backend, provider: &Provider, store: &str) -> Setup {
    let routes = json!([{"source": "^/app/(.*)$", "destination": "backend", "authenticationType": "oidc"}]);
    Setup::new(&json!({"routes": routes, "logout": {"logoutEndpoint": "/logout"}}))
        .destination("backend", backend.address)
        .tenants(&json!({
            "hosts": ["{tenant}.localhost"],
            "tenants": {"acme": {"id": "id-acme", "issuer": provider.configuration()}}
        }))
        .variable("SESSION_STORE", store)
        .variable("SESSION_SECRET", "a secret of all instances")
}

/// The host of the tenant.
const HOST: &str = "acme.localhost";

fn start(backend: &Backend, provider: &Provider, store: &str) -> Server {
    setup(backend, provider, store).start()
}
