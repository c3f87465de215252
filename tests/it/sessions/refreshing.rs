//! Refreshes, of any store: one for a session, whoever asks, and none that brings a session back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use vestibule::secret::Secret;
use vestibule::session::{Refreshed, Renewal, RenewalFailed, StoreSettings};

use super::{Bench, NOW, acme, identity, login, token};

/// A renewal that gives `token`.
fn renewal(token: &str) -> Renewal {
    let mut identity = identity(token);
    identity.expires = NOW + 3_600;
    Renewal { identity, refresh_token: Some(Secret::new("refresh-2")), id_token: None }
}

const SILENT: RenewalFailed = RenewalFailed::Unreachable { retry_after: Duration::from_secs(5) };

pub(super) async fn one_for_all(bench: &Bench) {
    let (_, mut browser) = bench.begin(login(&acme(), "old")).await;
    let old = browser.clone();
    let asked = Arc::new(AtomicUsize::new(0));
    let go = Arc::new(Notify::new());
    let mut waiting = Vec::new();
    for _ in 0..100 {
        let opened = bench.visit(&acme(), &mut browser).await.unwrap();
        let (sessions, asked, go) = (bench.sessions.clone(), asked.clone(), go.clone());
        let (policy, scope) = (bench.policy.clone(), bench.scope.clone());
        waiting.push(tokio::spawn(async move {
            let renewal = async move |_| {
                asked.fetch_add(1, Ordering::Relaxed);
                go.notified().await;
                Ok(renewal("new"))
            };
            sessions.refreshed(opened, &policy, &scope, renewal).await
        }));
    }
    tokio::task::yield_now().await;
    go.notify_one();
    for waits in waiting {
        let Refreshed::Renewed(opened) = waits.await.unwrap() else { panic!("all are renewed") };
        assert_eq!(token(&opened), "new");
        browser.obey(&opened.set_cookies);
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    let found = bench.visit(&acme(), &mut browser).await.unwrap();
    assert_eq!(token(&found), "new");
    assert_eq!(found.session.refresh_token.as_ref().unwrap().expose(), "refresh-2");
    assert_eq!(found.session.id_token.as_ref().unwrap().expose(), "id-1", "what did not come is kept");
    let late = bench.peek(&acme(), &old.headers()).await.expect("a late tab sends the old cookie");
    assert_eq!(token(&late), "new", "and is not behind");
    let Refreshed::Renewed(late) =
        bench.sessions.refreshed(late, &bench.policy, &bench.scope, async |_| Ok(renewal("newer"))).await
    else {
        panic!("the next refresh is one of its own")
    };
    assert_eq!(token(&late), "newer");
}

pub(super) async fn refused(bench: &Bench) {
    let (opened, mut browser) = bench.begin(login(&acme(), "token")).await;
    let stolen = browser.clone();
    let refused = async |_| Err(RenewalFailed::Refused);
    let Refreshed::Ended(removal) =
        bench.sessions.refreshed(opened, &bench.policy, &bench.scope, refused).await
    else {
        panic!("the issuer says that it has ended")
    };
    browser.obey(&removal);
    assert!(browser.0.is_empty());
    assert!(bench.peek(&acme(), &stolen.headers()).await.is_none());
}

pub(super) async fn ended_meanwhile(bench: &Bench) {
    let (opened, mut browser) = bench.begin(login(&acme(), "token")).await;
    let (asks, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, waits) = (asks.clone(), go.clone());
    let (sessions, refreshed) = (bench.sessions.clone(), opened.clone());
    let (policy, scope) = (bench.policy.clone(), bench.scope.clone());
    let task = tokio::spawn(async move {
        let renewal = async move |_| {
            told.notify_one();
            waits.notified().await;
            Ok(renewal("new"))
        };
        sessions.refreshed(refreshed, &policy, &scope, renewal).await
    });
    asks.notified().await;
    let mut old = browser.clone();
    bench.end(&opened, &mut browser).await;
    go.notify_one();
    if let Refreshed::Renewed(opened) = task.await.unwrap() {
        old.obey(&opened.set_cookies);
    }
    assert!(bench.peek(&acme(), &old.headers()).await.is_none(), "it has ended");
}

pub(super) async fn left_alone(bench: &Bench) {
    let (opened, mut browser) = bench.begin(login(&acme(), "old")).await;
    let (asks, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, waits) = (asks.clone(), go.clone());
    let renewal_of_one = async move |_| {
        told.notify_one();
        waits.notified().await;
        Ok(renewal("new"))
    };
    let leaves = bench.sessions.refreshed(opened.clone(), &bench.policy, &bench.scope, renewal_of_one);
    tokio::select! {
        _ = leaves => panic!("nobody has answered yet"),
        () = asks.notified() => {}
    }
    go.notify_one();
    let never = async |_| panic!("one has asked already");
    let outcome = bench.sessions.refreshed(opened, &bench.policy, &bench.scope, never).await;
    let Refreshed::Renewed(opened) = outcome else { panic!("{outcome:?}") };
    browser.obey(&opened.set_cookies);
    assert_eq!(bench.visit(&acme(), &mut browser).await.as_ref().map(token), Some("new"));
}

pub(super) async fn unreachable(bench: &Bench) {
    let (opened, _) = bench.begin(login(&acme(), "token")).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let ask = async || {
        let asked = asked.clone();
        let silent = async move |_| {
            asked.fetch_add(1, Ordering::Relaxed);
            Err(SILENT)
        };
        bench.sessions.refreshed(opened.clone(), &bench.policy, &bench.scope, silent).await
    };
    for _ in 0..3 {
        let outcome = ask().await;
        let Refreshed::Kept(kept) = outcome else { panic!("{outcome:?}") };
        assert_eq!(token(&kept), "token");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1, "it is left alone for as long as it asked for");
    bench.pass(Duration::from_secs(5));
    assert!(matches!(ask().await, Refreshed::Kept(_)));
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    bench.pass(Duration::from_mins(5));
    let outcome = ask().await;
    let Refreshed::Unreachable { retry_after } = outcome else { panic!("{outcome:?}") };
    assert_eq!(retry_after, Duration::from_secs(5));
    assert!(bench.sessions.is_open(&opened, &bench.policy).await, "it waits for its issuer");
}

#[tokio::test]
async fn a_refresh_that_panics_leaves_the_session_as_it_was() {
    let bench = Bench::new(StoreSettings::Memory, &[]);
    let (opened, _) = bench.begin(login(&acme(), "token")).await;
    let panics = async |_| panic!("the test wants it");
    let refreshed = bench.sessions.refreshed(opened.clone(), &bench.policy, &bench.scope, panics).await;
    assert!(matches!(refreshed, Refreshed::Kept(_)), "{refreshed:?}");
    bench.pass(Duration::from_secs(2));
    let good = async |_| Ok(renewal("new"));
    let refreshed = bench.sessions.refreshed(opened, &bench.policy, &bench.scope, good).await;
    assert!(matches!(refreshed, Refreshed::Renewed(_)), "{refreshed:?}");
}

#[tokio::test]
async fn a_request_whose_token_holds_does_not_wait_long_for_the_next() {
    let bench = Bench::new(StoreSettings::Memory, &[]);
    let (opened, _) = bench.begin(login(&acme(), "token")).await;
    let go = Arc::new(Notify::new());
    let waits = go.clone();
    let slow = async move |_| {
        waits.notified().await;
        Ok(renewal("new"))
    };
    let refreshed = bench.sessions.refreshed(opened.clone(), &bench.policy, &bench.scope, slow).await;
    assert!(matches!(refreshed, Refreshed::Kept(_)), "the issuer is silent: {refreshed:?}");
    bench.pass(Duration::from_secs(301));
    go.notify_one();
    let never = async |_| panic!("one has asked already");
    let refreshed = bench.sessions.refreshed(opened, &bench.policy, &bench.scope, never).await;
    assert!(matches!(refreshed, Refreshed::Renewed(_)), "who has nothing else waits: {refreshed:?}");
}
