//! Sessions in cookies: what is sealed stays whole, fits, rotates, and stays ended.

use std::time::Duration;

use vestibule::session::{Refreshed, Renewal, StoreSettings, Unavailable};

use super::{Bench, Browser, acme, identity, login, realm, token};

const SECRET: &str = "a secret of the application";

fn bench() -> Bench {
    Bench::new(StoreSettings::Cookie, &[SECRET])
}

fn large(length: usize) -> String {
    (0..length).map(|_| fastrand::alphanumeric()).collect()
}

#[tokio::test]
async fn no_changed_cookie_opens() {
    let bench = bench();
    let (_, browser) = bench.begin(login(&acme(), &large(1_500))).await;
    let value = browser.0["JSESSIONID"].clone();
    let mut changed = 0;
    for at in 0..value.len() {
        for bit in 0..6 {
            let mut bytes = value.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let Ok(text) = String::from_utf8(bytes) else { continue };
            if text.contains([';', ' ', '"', ',', '\\', '\u{7f}']) || text.bytes().any(|byte| byte < 0x20) {
                continue;
            }
            let browser = Browser([("JSESSIONID".to_owned(), text)].into());
            assert!(bench.peek(&acme(), &browser.headers()).await.is_none(), "bit {bit} of {at}");
            changed += 1;
        }
    }
    assert!(changed > 10_000, "{changed}");
    for length in 0..value.len() {
        let browser = Browser([("JSESSIONID".to_owned(), value[..length].to_owned())].into());
        assert!(bench.peek(&acme(), &browser.headers()).await.is_none(), "{length} characters");
    }
    assert!(bench.peek(&acme(), &browser.headers()).await.is_some());
}

#[tokio::test]
async fn a_restart_and_another_instance_open_what_one_sealed() {
    let one = bench();
    let (_, browser) = one.begin(login(&acme(), "token")).await;
    let rows: [(&[&str], bool, &str); 4] = [
        (&[SECRET], true, "the same secret"),
        (&["new", SECRET], true, "a new secret before the old one"),
        (&["new"], false, "a new secret alone"),
        (&[], false, "a random key"),
    ];
    for (secrets, opens, shows) in rows {
        let other = Bench::at(one.time.clone(), StoreSettings::Cookie, secrets);
        assert_eq!(other.peek(&acme(), &browser.headers()).await.is_some(), opens, "{shows}");
    }
}

#[tokio::test]
async fn a_rotated_secret_seals_when_the_cookie_slides() {
    let one = bench();
    let (_, mut browser) = one.begin(login(&acme(), "token")).await;
    let both = Bench::at(one.time.clone(), StoreSettings::Cookie, &["new", SECRET]);
    both.pass(both.policy.idle / 4);
    assert!(both.visit(&acme(), &mut browser).await.is_some());
    let new = Bench::at(one.time.clone(), StoreSettings::Cookie, &["new"]);
    assert!(new.visit(&acme(), &mut browser).await.is_some(), "the old secret can go");
}

#[tokio::test]
async fn a_cookie_is_sealed_anew_after_a_quarter_of_the_idle_time() {
    let bench = bench();
    let (_, browser) = bench.begin(login(&acme(), "token")).await;
    bench.pass((bench.policy.idle / 4).saturating_sub(Duration::from_secs(1)));
    let found = bench.peek(&acme(), &browser.headers()).await.unwrap();
    assert!(found.set_cookies.is_empty(), "not yet");
    bench.pass(Duration::from_secs(1));
    let found = bench.peek(&acme(), &browser.headers()).await.unwrap();
    assert_eq!(found.set_cookies.len(), 1);
}

#[tokio::test]
async fn a_large_session_lies_in_several_cookies() {
    let bench = bench();
    for (length, chunks) in [(100, 1), (4_096, 2), (8_000, 3), (15_000, 6)] {
        let text = large(length);
        let (_, mut browser) = bench.begin(login(&acme(), &text)).await;
        assert_eq!(browser.0.len(), chunks, "{length}");
        let again = Bench::at(bench.time.clone(), StoreSettings::Cookie, &[SECRET]);
        for bench in [&bench, &again] {
            let found = bench.visit(&acme(), &mut browser).await.unwrap();
            assert_eq!(token(&found), text);
        }
        for missing in browser.0.keys() {
            let mut less = browser.clone();
            less.0.remove(missing);
            assert!(bench.peek(&acme(), &less.headers()).await.is_none(), "without {missing}");
        }
    }
}

#[tokio::test]
async fn a_jwt_grows_by_what_else_there_is_only() {
    let bench = bench();
    let part = "A".repeat(1_364);
    let (_, browser) = bench.begin(login(&acme(), &format!("{part}.{part}.{part}"))).await;
    let length: usize = browser.0.values().map(String::len).sum();
    assert!(length < 4_094 + 400, "{length}");
}

#[tokio::test]
async fn chunks_that_are_left_over_are_removed_and_do_no_harm() {
    let bench = bench();
    let (_, mut browser) = bench.begin(login(&acme(), &large(8_000))).await;
    let small = bench.begin(login(&acme(), "small")).await.1;
    browser.0.extend(small.0);
    assert_eq!(browser.0.len(), 3, "a login does not know what there was");
    let found = bench.visit(&acme(), &mut browser).await.unwrap();
    assert_eq!((token(&found), browser.0.len()), ("small", 1));
    assert_eq!(bench.visit(&acme(), &mut browser).await.as_ref().map(token), Some("small"));
}

#[tokio::test]
async fn chunks_of_two_sessions_make_none() {
    let bench = bench();
    let (_, mut one) = bench.begin(login(&acme(), &large(5_000))).await;
    let (_, two) = bench.begin(login(&acme(), &large(5_000))).await;
    one.0.insert("JSESSIONID.1".to_owned(), two.0["JSESSIONID.1"].clone());
    assert!(bench.peek(&acme(), &one.headers()).await.is_none());
}

#[tokio::test]
async fn a_session_that_fits_in_no_cookies_is_not_begun() {
    let bench = bench();
    let begun = bench.sessions.begin(login(&acme(), &large(30_000)), &bench.policy, &bench.scope).await;
    assert!(matches!(begun, Err(Unavailable { .. })));
}

#[tokio::test]
async fn logging_out_removes_every_chunk() {
    let bench = bench();
    let (opened, mut browser) = bench.begin(login(&acme(), &large(8_000))).await;
    bench.end(&opened, &mut browser).await;
    assert!(browser.0.is_empty(), "{browser:?}");
}

#[tokio::test]
async fn a_cookie_of_before_a_refresh_is_followed_for_a_while() {
    let bench = bench();
    let (opened, old) = bench.begin(login(&acme(), "old")).await;
    let mut identity = identity("new");
    identity.expires += 3_600;
    let renewal = async |_| Ok(Renewal { identity, refresh_token: None, id_token: None });
    let refreshed = bench.sessions.refreshed(opened, &bench.policy, &bench.scope, renewal).await;
    assert!(matches!(refreshed, Refreshed::Renewed(_)));
    let mut late = old.clone();
    let found = bench.visit(&acme(), &mut late).await.unwrap();
    assert_eq!(token(&found), "new");
    assert_ne!(late.0, old.0, "the late tab's browser gets the new cookie as well");
    bench.pass(Duration::from_mins(5));
    assert_eq!(bench.visit(&acme(), &mut late).await.as_ref().map(token), Some("new"));
    assert_eq!(bench.peek(&acme(), &old.headers()).await.as_ref().map(token), Some("old"), "a while is over");
}

#[tokio::test]
async fn what_one_ended_another_tenants_sessions_do_not_feel() {
    let bench = bench();
    let other = realm("globex", "https://issuer.example");
    let (_, mut kept) = bench.begin(login(&other, "kept")).await;
    bench.sessions.end_matching(&acme(), Some("issuer-session-1"), Some("ann")).await.unwrap();
    bench.sessions.end_tenant(acme().tenant()).await.unwrap();
    assert!(bench.visit(&other, &mut kept).await.is_some());
}
