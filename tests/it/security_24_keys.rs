//! SECURITY class 24: issuers that are asked too much, are down, slow, hostile or change their keys.
//!
//! Fetches are counted at the issuer. Time is a number the test moves, except where a fetch has to run
//! into its own timeout.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use vestibule::auth::{Issuer, KeySource, Refused, TokenError};
use vestibule::tenant::Tenant;

use crate::tokens::{
    Answer, Bench, FOREIGN, Loopback, RSA, claims, compiled, header, key_set, openid, reason, tenant, with,
};

/// acme, its issuer on loopback with one key, and a token by that key.
async fn acme() -> (Loopback, Arc<Issuer>, Tenant, String) {
    let server = Loopback::start().await;
    server.publish(&server.url(), &[RSA.jwk("k1")]);
    let acme = tenant("acme", None);
    let issuer = compiled(&openid(&server.url(), KeySource::Discovered), &acme);
    let token = RSA.token(&header(), &claims(&server.url()));
    (server, issuer, acme, token)
}

fn no_keys(answer: &Result<(), Refused>) -> bool {
    matches!(answer, Err(Refused::KeysUnavailable { .. }))
}

/// Waits until the background has done what `done` looks for.
async fn eventually(shows: &str, done: impl Fn() -> bool) {
    let patience = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < patience, "never happened: {shows}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_discovered_once_however_many_wait() {
    let (server, issuer, acme, _) = acme().await;
    let bench = Arc::new(Bench::new());
    let acme = Arc::new(acme);
    let waiting: Vec<_> = (0..100)
        .map(|n| {
            let (bench, issuer, acme) = (bench.clone(), issuer.clone(), acme.clone());
            let token = RSA.token(&header(), &with(claims(&server.url()), &json!({"sub": n.to_string()})));
            tokio::spawn(async move { bench.verify(&issuer, &acme, &token).await })
        })
        .collect();
    for one in waiting {
        assert_eq!(reason(one.await.unwrap()), None);
    }
    assert_eq!(server.asked("/.well-known/openid-configuration"), 1, "one discovery");
    assert_eq!(server.asked("/keys"), 1, "one fetch");
    assert_eq!(bench.store.fetches().succeeded, 1);
}

#[tokio::test]
async fn ten_thousand_unknown_kids_cause_one_fetch_in_thirty_seconds() {
    let (server, issuer, acme, good) = acme().await;
    let bench = Bench::new();
    assert_eq!(reason(bench.verify(&issuer, &acme, &good).await), None);
    // One signature for all: the kid is looked up before it is checked.
    let (_, signature) = good.rsplit_once('.').unwrap();
    let body = good.split('.').nth(1).unwrap();
    for n in 0..10_000 {
        let head = crate::tokens::encode(format!(r#"{{"alg":"RS256","kid":"x{n}"}}"#).as_bytes());
        let token = format!("{head}.{body}.{signature}");
        assert_eq!(reason(bench.verify(&issuer, &acme, &token).await), Some(TokenError::UnknownKey));
        if n % 1000 == 0 {
            assert_eq!(reason(bench.verify(&issuer, &acme, &good).await), None, "good tokens keep working");
        }
    }
    assert_eq!(server.asked("/keys"), 1, "within 30 s of the first fetch");
    bench.pass(30);
    for n in 0..100 {
        let token = RSA.token(&with(header(), &json!({"kid": format!("y{n}")})), &claims(&server.url()));
        assert_eq!(reason(bench.verify(&issuer, &acme, &token).await), Some(TokenError::UnknownKey));
    }
    assert_eq!(server.asked("/keys"), 2, "one more, 30 s later");
    bench.pass(29);
    let token = RSA.token(&with(header(), &json!({"kid": "z"})), &claims(&server.url()));
    assert_eq!(reason(bench.verify(&issuer, &acme, &token).await), Some(TokenError::UnknownKey));
    assert_eq!(server.asked("/keys"), 2, "and no more before another 30 s");
}

#[tokio::test]
async fn a_new_key_is_found_and_a_revoked_one_forgotten() {
    let (server, issuer, acme, old) = acme().await;
    let bench = Bench::new();
    assert_eq!(reason(bench.verify(&issuer, &acme, &old).await), None);
    bench.pass(31);
    server.publish(&server.url(), &[FOREIGN.jwk("k2")]);
    assert_eq!(
        reason(bench.verify(&issuer, &acme, &old).await),
        None,
        "remembered while nobody says otherwise"
    );
    let new = FOREIGN.token(&with(header(), &json!({"kid": "k2"})), &claims(&server.url()));
    assert_eq!(
        reason(bench.verify(&issuer, &acme, &new).await),
        None,
        "an unknown kid asks for the keys again"
    );
    assert_eq!(
        reason(bench.verify(&issuer, &acme, &old).await),
        Some(TokenError::UnknownKey),
        "what was remembered with the old keys is verified with the new"
    );
}

#[tokio::test]
async fn keys_are_renewed_ahead_while_requests_go_on() {
    let (server, issuer, acme, good) = acme().await;
    let long =
        RSA.token(&header(), &with(claims(&server.url()), &json!({"exp": crate::tokens::NOW + 100_000})));
    let bench = Bench::new();
    assert_eq!(reason(bench.verify(&issuer, &acme, &long).await), None);
    bench.pass(11 * 60);
    assert_eq!(reason(bench.verify(&issuer, &acme, &long).await), None);
    assert_eq!(server.asked("/keys"), 1, "fresh");
    bench.pass(2 * 60);
    assert_eq!(reason(bench.verify(&issuer, &acme, &long).await), None, "answered from what is known");
    eventually("renewal in the background", || bench.store.fetches().succeeded == 2).await;
    assert_eq!(server.asked("/keys"), 2);
    assert_eq!(bench.verifier.counts().misses, 1, "unchanged keys forget no token");
    assert_eq!(reason(bench.verify(&issuer, &acme, &good).await), Some(TokenError::Expired), "others age");
}

#[tokio::test]
async fn stale_keys_work_while_the_issuer_is_down_or_talks_nonsense() {
    let bad = [
        (Answer::Status(500), "5xx"),
        (Answer::Status(404), "gone"),
        (Answer::Close, "closed"),
        (Answer::Json("{}".into()), "no keys"),
        (Answer::Json(key_set(&[])), "an empty set"),
        (Answer::Json("<html>".into()), "a page"),
        (Answer::Json(r#"{"keys":[],"keys":[]}"#.into()), "a member twice"),
        (Answer::Flood, "without end"),
        (Answer::Huge, "100 MB"),
        (Answer::Redirect("http://169.254.169.254/latest/meta-data".into()), "a redirect to link-local"),
    ];
    let (server, issuer, acme, _) = acme().await;
    let token = |n: usize| {
        let claims = with(
            claims(&server.url()),
            &json!({"exp": crate::tokens::NOW + 1_000_000, "sub": n.to_string()}),
        );
        RSA.token(&header(), &claims)
    };
    let bench = Bench::new();
    assert_eq!(reason(bench.verify(&issuer, &acme, &token(0)).await), None);
    for (n, (answer, shows)) in (1..).zip(bad) {
        server.answer("/keys", answer);
        bench.pass(20 * 60);
        assert_eq!(reason(bench.verify(&issuer, &acme, &token(0)).await), None, "{shows}: remembered");
        eventually(shows, || bench.store.fetches().failed == n).await;
        let number = usize::try_from(n).unwrap();
        assert_eq!(
            reason(bench.verify(&issuer, &acme, &token(number)).await),
            None,
            "{shows}: new tokens too"
        );
        let unknown = RSA.token(&with(header(), &json!({"kid": "x"})), &claims(&server.url()));
        assert!(bench.verify(&issuer, &acme, &unknown).await.is_err(), "{shows}: unknown kid");
        assert_eq!(bench.store.fetches().failed, n, "{shows}: nobody is asked again within 30 s");
    }
    server.publish(&server.url(), &[RSA.jwk("k1")]);
    bench.pass(31);
    assert_eq!(reason(bench.verify(&issuer, &acme, &token(0)).await), None);
    eventually("recovery", || bench.store.fetches().succeeded == 2).await;
}

#[tokio::test]
async fn without_keys_callers_are_told_when_to_come_back_and_fetches_back_off() {
    let (server, issuer, acme, good) = acme().await;
    server.answer("/.well-known/openid-configuration", Answer::Status(503));
    let bench = Bench::new();
    let answer = bench.verify(&issuer, &acme, &good).await;
    let Err(Refused::KeysUnavailable { retry_after }) = &answer else {
        panic!("keys from nowhere: {answer:?}")
    };
    assert_eq!(*retry_after, Duration::from_secs(1));
    assert!(answer.as_ref().err().and_then(Refused::challenge).is_none(), "it is not the caller's fault");
    for _ in 0..1000 {
        assert!(no_keys(&bench.verify(&issuer, &acme, &good).await));
    }
    assert_eq!(server.asked_at_all(), 1, "a thousand callers, one question");
    let mut asked_at = Vec::new();
    for second in 1..=120 {
        bench.pass(1);
        let before = server.asked_at_all();
        assert!(no_keys(&bench.verify(&issuer, &acme, &good).await));
        if server.asked_at_all() > before {
            asked_at.push(second);
        }
    }
    assert_eq!(asked_at, [1, 3, 7, 15, 31, 61, 91], "1, 2, 4, 8, 16, then 30 s apart");
    server.publish(&server.url(), &[RSA.jwk("k1")]);
    bench.pass(30);
    assert_eq!(reason(bench.verify(&issuer, &acme, &good).await), None, "and it recovers");
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let (server, issuer, acme, good) = acme().await;
    let elsewhere = Loopback::start().await;
    elsewhere.publish(&server.url(), &[RSA.jwk("k1")]);
    for path in ["/.well-known/openid-configuration", "/keys"] {
        server.publish(&server.url(), &[RSA.jwk("k1")]);
        server.answer(path, Answer::Redirect(format!("{}{path}", elsewhere.url())));
        assert!(no_keys(&Bench::new().verify(&issuer, &acme, &good).await), "{path}");
        server.answer(path, Answer::Redirect(path.into()));
        assert!(no_keys(&Bench::new().verify(&issuer, &acme, &good).await), "{path}, to itself");
    }
    assert_eq!(elsewhere.asked_at_all(), 0);
}

#[tokio::test]
async fn a_discovery_document_speaks_for_its_issuer_alone() {
    let (server, issuer, acme, good) = acme().await;
    let elsewhere = Loopback::start().await;
    elsewhere.answer("/keys", Answer::Json(key_set(&[RSA.jwk("k1")])));
    let rows = [
        (
            json!({"issuer": "https://other.test", "jwks_uri": format!("{}/keys", server.url())}),
            "another issuer",
        ),
        (json!({"jwks_uri": format!("{}/keys", server.url())}), "no issuer"),
        (json!({"issuer": server.url()}), "no keys"),
        (
            json!({"issuer": server.url(), "jwks_uri": format!("{}/keys", elsewhere.url())}),
            "cleartext keys elsewhere",
        ),
        (json!({"issuer": server.url(), "jwks_uri": "file:///etc/passwd"}), "a file"),
        (json!({"issuer": server.url(), "jwks_uri": ["x"]}), "a list"),
    ];
    for (document, shows) in rows {
        server.answer("/.well-known/openid-configuration", Answer::Json(document.to_string()));
        assert!(no_keys(&Bench::new().verify(&issuer, &acme, &good).await), "{shows}");
    }
    assert_eq!(server.asked("/keys") + elsewhere.asked_at_all(), 0, "no keys were fetched");
}

#[tokio::test]
async fn a_silent_issuer_holds_nobody_longer_than_five_seconds() {
    let (server, issuer, acme, good) = acme().await;
    server.answer("/.well-known/openid-configuration", Answer::Silence);
    let other = Loopback::start().await;
    other.publish(&other.url(), &[RSA.jwk("k1")]);
    let globex = tenant("globex", None);
    let theirs = compiled(&openid(&other.url(), KeySource::Discovered), &globex);
    let bench = Bench::new();
    let started = Instant::now();
    let (held, free) = tokio::join!(bench.verify(&issuer, &acme, &good), async {
        let token = RSA.token(&header(), &claims(&other.url()));
        let answer = bench.verify(&theirs, &globex, &token).await;
        (answer, started.elapsed())
    });
    assert!(no_keys(&held));
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    assert_eq!(reason(free.0), None, "another tenant does not notice");
    assert!(free.1 < Duration::from_secs(3), "{:?}", free.1);
}

#[tokio::test]
async fn tokens_that_are_wrong_anyway_cause_no_fetch() {
    let (server, issuer, acme, _) = acme().await;
    let bench = Bench::new();
    let changes = [
        json!({"iss": "https://evil.test"}),
        json!({"aud": "other"}),
        json!({"exp": 1, "iat": 1}),
        json!({"exp": null}),
    ];
    for change in changes {
        let token = FOREIGN.token(&header(), &with(claims(&server.url()), &change));
        assert!(reason(bench.verify(&issuer, &acme, &token).await).is_some());
    }
    assert_eq!(server.asked_at_all(), 0);
}

#[tokio::test]
async fn duplicate_kids_are_refused_unless_they_are_one_key() {
    let acme = tenant("acme", None);
    let ed = crate::tokens::TestKey::ed();
    let rows = [
        (vec![RSA.jwk("k1"), RSA.jwk("k1")], None, "one key, twice"),
        (vec![RSA.jwk("k1"), ed.jwk("k1")], None, "two kinds of key; one fits the algorithm"),
        (vec![RSA.jwk("k1"), FOREIGN.jwk("k1")], Some(TokenError::AmbiguousKey), "two keys that fit"),
    ];
    for (keys, expected, shows) in rows {
        let issuer = compiled(&openid("https://idp.test", KeySource::Inline(key_set(&keys))), &acme);
        let token = RSA.token(&header(), &claims("https://idp.test"));
        assert_eq!(reason(Bench::new().verify(&issuer, &acme, &token).await), expected, "{shows}");
    }
}

#[tokio::test]
async fn tls_trusts_the_given_authority_and_nobody_else() {
    let authority = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let certificate = authority.cert.der().clone();
    let key = rustls_pki_types::PrivateKeyDer::try_from(authority.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let server = Loopback::start_tls(tokio_rustls::TlsAcceptor::from(Arc::new(tls))).await;
    let url = format!("https://localhost:{}", server.address.port());
    let document = json!({"issuer": url, "jwks_uri": format!("{url}/keys")});
    server.answer("/.well-known/openid-configuration", Answer::Json(document.to_string()));
    server.answer("/keys", Answer::Json(key_set(&[RSA.jwk("k1")])));
    let acme = tenant("acme", None);
    let issuer = compiled(&openid(&url, KeySource::Discovered), &acme);
    let token = RSA.token(&header(), &claims(&url));
    assert!(no_keys(&Bench::new().verify(&issuer, &acme, &token).await), "a stranger's certificate");
    let trusting = Bench::trusting(vec![certificate]);
    assert_eq!(reason(trusting.verify(&issuer, &acme, &token).await), None, "a trusted one");
}

#[tokio::test]
async fn a_clock_set_back_does_not_stop_renewal() {
    let (server, issuer, acme, good) = acme().await;
    let bench = Bench::new();
    assert_eq!(reason(bench.verify(&issuer, &acme, &good).await), None);
    bench.set_back(50);
    let unknown = RSA.token(&with(header(), &json!({"kid": "x"})), &claims(&server.url()));
    assert_eq!(reason(bench.verify(&issuer, &acme, &unknown).await), Some(TokenError::UnknownKey));
    assert_eq!(server.asked("/keys"), 2, "what was 30 s is not 80 s");
}
