//! What a bearer token costs: identified, remembered, verified anew; and what an assertion costs.
//!
//! `cargo bench --bench auth`. The token is an RS256 token of 1.5 kB, as XSUAA makes them.

#![allow(clippy::unwrap_used, missing_docs, reason = "what fails here fails the measurement")]

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use divan::Bencher;
use http::{HeaderMap, HeaderValue};
use serde_json::json;
use tokio::runtime::Runtime;
use vestibule::auth::{
    Assertions, ClientAuthentication, Clock, Issuer, IssuerKind, IssuerSpec, KeySource, KeyStore,
    KeyStoreSettings, Verifier, identify,
};
use vestibule::tenant::{Tenant, TenantKey, TenantSpec};

fn main() {
    divan::main();
}

static KEY: LazyLock<RsaKeyPair> = LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap());

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn token(user: usize) -> String {
    let header = json!({"alg": "RS256", "kid": "k1", "typ": "JWT"});
    let claims = json!({
        "iss": "https://idp.test", "aud": ["portal"], "exp": 4_000_000_000_u64, "sub": user.to_string(),
        "user_name": "ann", "email": "ann@acme.test", "scope": ["openid", "app.read"], "filler": "x".repeat(600)
    });
    let message =
        format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
    let mut signature = vec![0; KEY.public_modulus_len()];
    KEY.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", encode(&signature))
}

fn acme() -> (Verifier, Arc<Issuer>, Tenant) {
    let public = KEY.public_key();
    let n = encode(public.modulus().big_endian_without_leading_zero());
    let e = encode(public.exponent().big_endian_without_leading_zero());
    let set = json!({"keys": [{"kty": "RSA", "kid": "k1", "n": n, "e": e}]}).to_string();
    let spec = IssuerSpec {
        kind: IssuerKind::Oidc,
        url: "https://idp.test".into(),
        keys: KeySource::Inline(set),
        client_id: Some("portal".into()),
        audience: Vec::new(),
        algorithms: Vec::new(),
        tenant_claim: None,
        authentication: ClientAuthentication::None,
        scopes: Vec::new(),
    };
    let settings = KeyStoreSettings {
        runtime: RUNTIME.handle().clone(),
        extra_roots: Vec::new(),
        resolver: None,
        clock: Clock::System,
    };
    let verifier = Verifier::new(Arc::new(KeyStore::new(settings).unwrap()));
    let issuer = Arc::new(Issuer::compile(&spec, Some("acme"), None).unwrap());
    (verifier, issuer, Tenant::from(TenantSpec::new(TenantKey::parse("acme").unwrap())))
}

/// What `future` gives without ever waiting.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => std::process::abort(),
    }
}

#[divan::bench]
fn identified(bencher: Bencher<'_, '_>) {
    let mut headers = HeaderMap::new();
    headers.insert("accept", HeaderValue::from_static("*/*"));
    headers.insert("authorization", HeaderValue::try_from(format!("Bearer {}", token(0))).unwrap());
    bencher.bench_local(|| identify(black_box(&headers)));
}

#[divan::bench(args = [1, 1000])]
fn remembered(bencher: Bencher<'_, '_>, tokens: usize) {
    let (verifier, issuer, tenant) = acme();
    let tokens: Vec<String> = (0..tokens).map(token).collect();
    for token in &tokens {
        now(verifier.verify(&issuer, &tenant, token)).unwrap();
    }
    let mut turn = tokens.iter().cycle();
    bencher.bench_local(|| now(verifier.verify(&issuer, &tenant, black_box(turn.next().unwrap()))).unwrap());
}

#[divan::bench]
fn verified_anew(bencher: Bencher<'_, '_>) {
    let (_, issuer, tenant) = acme();
    let token = token(0);
    bencher
        .with_inputs(|| acme().0)
        .bench_local_refs(|verifier| now(verifier.verify(&issuer, &tenant, black_box(&token))).unwrap());
}

#[divan::bench]
fn asserted(bencher: Bencher<'_, '_>) {
    let (verifier, issuer, tenant) = acme();
    let caller = now(verifier.verify(&issuer, &tenant, &token(0))).unwrap();
    let assertions = Assertions::generate(Clock::System).unwrap();
    bencher.bench_local(|| assertions.sign(&tenant, Some(&caller), "^/api/").unwrap());
}
