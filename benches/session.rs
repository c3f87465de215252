//! What a session costs a request: found in memory, in a cookie seen before, in one never seen; begun.
//!
//! `cargo bench --bench session`. The session has an access token of 4 KiB.

#![allow(clippy::unwrap_used, missing_docs, reason = "what fails here fails the measurement")]

use std::hint::black_box;
use std::sync::{Arc, LazyLock};

use divan::Bencher;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use tokio::runtime::Runtime;
use vestibule::clock::Clock;
use vestibule::secret::Secret;
use vestibule::session::{
    CookieScope, Identity, NewSession, Opened, Policy, Realm, Sessions, SessionsSettings, StoreSettings,
};
use vestibule::tenant::TenantKey;

fn main() {
    divan::main();
}

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap());
static POLICY: LazyLock<Policy> = LazyLock::new(Policy::default);
static SCOPE: LazyLock<CookieScope> = LazyLock::new(|| CookieScope { https: true, path: "/".into() });
static REALM: LazyLock<Arc<Realm>> =
    LazyLock::new(|| Arc::new(Realm::of(TenantKey::parse("acme"), "https://issuer.example", "portal")));

fn sessions(store: StoreSettings) -> Sessions {
    let runtime = RUNTIME.handle().clone();
    let secrets = vec![Secret::new("a secret of the application")];
    Sessions::new(SessionsSettings {
        store,
        secrets,
        runtime,
        clock: Clock::System,
        ended: None,
        backend_cookies: None,
    })
    .unwrap()
}

fn login() -> NewSession {
    let identity = Identity {
        subject: Some("ann".into()),
        user_name: Some(HeaderValue::from_static("ann@example.com")),
        email: Some(HeaderValue::from_static("ann@example.com")),
        given_name: Some("Ann".into()),
        family_name: Some("Lee".into()),
        client: Some("portal".into()),
        expires: u64::MAX,
        bearer: HeaderValue::try_from(format!("Bearer {}", "x".repeat(4_096))).unwrap(),
        scopes: ["openid", "app.Read"].map(Box::from).into(),
    };
    let issuer_session = Some("issuer-session".into());
    NewSession { realm: REALM.clone(), identity, issuer_session, refresh_token: None, id_token: None }
}

fn begin(sessions: &Sessions) -> Opened {
    RUNTIME.block_on(sessions.begin(login(), &POLICY, &SCOPE)).unwrap()
}

/// What a browser sends that got `opened`.
fn headers(opened: &Opened) -> HeaderMap {
    let pairs = opened.set_cookies.iter().map(|value| value.to_str().unwrap().split(';').next().unwrap());
    let text = pairs.collect::<Vec<_>>().join("; ");
    [(COOKIE, HeaderValue::try_from(text).unwrap())].into_iter().collect()
}

/// Memory and cookies never wait, so that a look-up is one poll.
fn find(sessions: &Sessions, headers: &HeaderMap) -> Opened {
    let found = std::pin::pin!(sessions.find(&REALM, &POLICY, &SCOPE, headers));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(found) = found.poll(&mut context) else { unreachable!() };
    found.unwrap().unwrap()
}

#[divan::bench]
fn in_memory(bencher: Bencher<'_, '_>) {
    let sessions = sessions(StoreSettings::Memory);
    let headers = headers(&begin(&sessions));
    bencher.bench_local(|| find(&sessions, black_box(&headers)));
}

#[divan::bench]
fn in_a_cookie_seen_before(bencher: Bencher<'_, '_>) {
    let sessions = sessions(StoreSettings::Cookie);
    let headers = headers(&begin(&sessions));
    bencher.bench_local(|| find(&sessions, black_box(&headers)));
}

#[divan::bench]
fn in_a_cookie_never_seen(bencher: Bencher<'_, '_>) {
    let sealing = sessions(StoreSettings::Cookie);
    let headers = headers(&begin(&sealing));
    bencher
        .with_inputs(|| sessions(StoreSettings::Cookie))
        .bench_local_refs(|fresh| find(fresh, black_box(&headers)));
}

#[divan::bench(args = [false, true])]
fn begun(bencher: Bencher<'_, '_>, in_cookies: bool) {
    let sessions = sessions(if in_cookies { StoreSettings::Cookie } else { StoreSettings::Memory });
    bencher
        .with_inputs(login)
        .bench_local_values(|new| RUNTIME.block_on(sessions.begin(new, &POLICY, &SCOPE)).unwrap());
}
