//! What every store of sessions has in common, asked of each in the same words.
//!
//! Each row gets sessions of its own. A store that keeps its own time, outside this process, is not
//! asked what happens when time passes.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use vestibule::session::{StoreSettings, csrf};

use super::{Bench, Browser, acme, login, realm, token};
use super::{jars, refreshing};

/// A question to a store.
type Row = (&'static str, Ask);
type Ask = for<'a> fn(&'a Bench) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

/// What holds of any store.
const ALWAYS: [Row; 22] = [
    ("a session is found as it was begun", |bench| Box::pin(found_as_begun(bench))),
    ("what is no session cookie is no session", |bench| Box::pin(nonsense(bench))),
    ("a session opens in its own realm only", |bench| Box::pin(own_realm(bench))),
    ("each login has a new cookie, and ends alone", |bench| Box::pin(new_each_time(bench))),
    ("an ended session does not open", |bench| Box::pin(ended(bench))),
    ("an issuer ends one login by its session", |bench| Box::pin(ended_by_issuer_session(bench))),
    ("an issuer ends every login of a subject", |bench| Box::pin(ended_by_subject(bench))),
    ("where an issuer names both, both have to fit", |bench| Box::pin(ended_by_both(bench))),
    ("a tenant's sessions end together, others stay", |bench| Box::pin(ended_with_tenant(bench))),
    ("a state is used once", |bench| Box::pin(used_once(bench))),
    ("the csrf token is the session's", |bench| Box::pin(csrf_token(bench))),
    ("a hundred refreshes are one", |bench| Box::pin(refreshing::one_for_all(bench))),
    ("a refused refresh ends the session", |bench| Box::pin(refreshing::refused(bench))),
    ("a session that ends during its refresh stays ended", |bench| {
        Box::pin(refreshing::ended_meanwhile(bench))
    }),
    ("a client that leaves does not stop a refresh", |bench| Box::pin(refreshing::left_alone(bench))),
    ("a backend's session cookies come back to it", |bench| Box::pin(jars::come_back(bench))),
    ("they are of one session", |bench| Box::pin(jars::of_one_session(bench))),
    ("they end with it", |bench| Box::pin(jars::end_with_it(bench))),
    ("they outlast a refresh", |bench| Box::pin(jars::outlast_a_refresh(bench))),
    ("what two answers set at once is both kept", |bench| Box::pin(jars::at_once(bench))),
    ("there is a bound to them", |bench| Box::pin(jars::bounded(bench))),
    ("callers without a session have their own", |bench| Box::pin(jars::of_callers(bench))),
];

/// What holds where the test moves the time.
const IN_TIME: [Row; 4] = [
    ("a session that lies unused ends", |bench| Box::pin(idle(bench))),
    ("use keeps a session alive", |bench| Box::pin(kept_alive(bench))),
    ("a session ends at its end, used or not", |bench| Box::pin(absolute_end(bench))),
    ("an issuer that does not answer costs a session nothing while its token holds", |bench| {
        Box::pin(refreshing::unreachable(bench))
    }),
];

/// Asks every question of the sessions that `make` makes.
pub(crate) async fn conforms<F: Future<Output = Bench>>(make: impl Fn() -> F, time_is_ours: bool) {
    let in_time = if time_is_ours { &IN_TIME[..] } else { &[] };
    for (shows, ask) in ALWAYS.iter().chain(in_time) {
        eprintln!("{shows}");
        ask(&make().await).await;
    }
}

#[tokio::test]
async fn memory_conforms() {
    conforms(async || Bench::new(StoreSettings::Memory, &[]), true).await;
}

#[tokio::test]
async fn cookies_conform() {
    conforms(async || Bench::new(StoreSettings::Cookie, &["a secret of the application"]), true).await;
}

async fn found_as_begun(bench: &Bench) {
    let (begun, mut browser) = bench.begin(login(&acme(), "token")).await;
    for _ in 0..2 {
        let found = bench.visit(&acme(), &mut browser).await.expect("it was begun");
        assert_eq!(format!("{:?}", found.session), format!("{:?}", begun.session));
        assert_eq!(found.session.identity.bearer, "Bearer token");
        assert!(found.session.identity.bearer.is_sensitive());
        assert_eq!(found.session.csrf_token.as_bytes(), begun.session.csrf_token.as_bytes());
        assert_eq!(found.session.refresh_token.as_ref().unwrap().expose(), "refresh-1");
        assert_eq!(found.session.id_token.as_ref().unwrap().expose(), "id-1");
        assert_eq!(found.session.ends - found.session.begun, bench.policy.absolute.as_secs());
        assert!(bench.sessions.is_open(&found, &bench.policy).await);
    }
}

async fn nonsense(bench: &Bench) {
    let (_, browser) = bench.begin(login(&acme(), "token")).await;
    let value = &browser.0["JSESSIONID"];
    let with = |pairs: &[(&str, &str)]| {
        Browser(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    };
    let first = if value.starts_with('B') { 'C' } else { 'B' };
    let another = format!("{first}{}", &value[1..]);
    let rows = [
        (with(&[]), "no cookie"),
        (with(&[("JSESSIONID", "")]), "an empty one"),
        (with(&[("JSESSIONID", "x")]), "a short one"),
        (with(&[("JSESSIONID", &value[..value.len() - 1])]), "one cut short"),
        (with(&[("JSESSIONID", &format!("{value}A"))]), "one too long"),
        (with(&[("JSESSIONID", &format!("{value}="))]), "padded"),
        (with(&[("JSESSIONID", &another)]), "another"),
        (with(&[("JSESSIONID", &"A".repeat(value.len()))]), "as long"),
        (with(&[("JSESSIONID.1", value)]), "a chunk alone"),
        (with(&[("jsessionid", value)]), "another case"),
        (with(&[("JSESSIONID2", value)]), "another name"),
    ];
    for (browser, shows) in rows {
        assert!(bench.peek(&acme(), &browser.headers()).await.is_none(), "{shows}");
    }
    let mut twice = browser.headers();
    twice.append(http::header::COOKIE, format!("JSESSIONID={value}").parse().unwrap());
    assert!(bench.peek(&acme(), &twice).await.is_none(), "the cookie twice means none");
    assert!(bench.peek(&acme(), &browser.headers()).await.is_some(), "and the good one still opens");
}

async fn own_realm(bench: &Bench) {
    let (_, browser) = bench.begin(login(&acme(), "token")).await;
    let other_client = vestibule::session::Realm::of(acme().tenant().cloned(), acme().issuer(), "other");
    let rows = [
        (realm("globex", "https://issuer.example"), "another tenant"),
        (realm("acme", "https://other.example"), "another issuer"),
        (other_client.into(), "another client"),
        (realm("(none)", "https://issuer.example"), "no tenant"),
    ];
    for round in 0..2 {
        for (realm, shows) in &rows {
            assert!(bench.peek(realm, &browser.headers()).await.is_none(), "{shows}, round {round}");
        }
        assert!(bench.peek(&acme(), &browser.headers()).await.is_some(), "its own");
    }
}

async fn new_each_time(bench: &Bench) {
    let (first, mut one) = bench.begin(login(&acme(), "one")).await;
    let (_, mut two) = bench.begin(login(&acme(), "two")).await;
    assert_ne!(one.0, two.0);
    bench.end(&first, &mut one).await;
    assert!(one.0.is_empty(), "the browser has nothing left: {one:?}");
    assert_eq!(bench.visit(&acme(), &mut two).await.as_ref().map(token), Some("two"));
}

async fn ended(bench: &Bench) {
    let (_, mut browser) = bench.begin(login(&acme(), "token")).await;
    let stolen = browser.clone();
    let opened = bench.visit(&acme(), &mut browser).await.unwrap();
    bench.end(&opened, &mut browser).await;
    for _ in 0..2 {
        assert!(bench.peek(&acme(), &stolen.headers()).await.is_none());
        assert!(!bench.sessions.is_open(&opened, &bench.policy).await);
    }
    let (other, _) = bench.begin(login(&acme(), "other")).await;
    let several = [opened.clone(), other.clone(), opened.clone()];
    assert_eq!(bench.sessions.are_open(&several, &bench.policy).await, [false, true, false]);
    bench.end(&opened, &mut browser).await;
}

async fn ended_by_issuer_session(bench: &Bench) {
    let (_, mut one) = bench.begin(login(&acme(), "one")).await;
    let other = vestibule::session::NewSession { issuer_session: Some("2".into()), ..login(&acme(), "two") };
    let (_, mut two) = bench.begin(other).await;
    let elsewhere = realm("globex", "https://issuer.example");
    bench.sessions.end_matching(&elsewhere, Some("issuer-session-1"), None).await.unwrap();
    bench.sessions.end_matching(&acme(), Some("unknown"), None).await.unwrap();
    bench.sessions.end_matching(&acme(), None, None).await.unwrap();
    assert!(bench.visit(&acme(), &mut one).await.is_some(), "nobody named it in its own realm");
    bench.sessions.end_matching(&acme(), Some("issuer-session-1"), None).await.unwrap();
    assert!(bench.visit(&acme(), &mut one).await.is_none());
    assert!(bench.visit(&acme(), &mut two).await.is_some());
}

async fn ended_by_subject(bench: &Bench) {
    let (_, mut one) = bench.begin(login(&acme(), "one")).await;
    let unnamed = vestibule::session::NewSession { issuer_session: None, ..login(&acme(), "two") };
    let (_, mut two) = bench.begin(unnamed).await;
    let mut other = login(&acme(), "three");
    other.identity.subject = Some("bob".into());
    let (_, mut bob) = bench.begin(other).await;
    bench.sessions.end_matching(&acme(), None, Some("ann")).await.unwrap();
    assert!(bench.visit(&acme(), &mut one).await.is_none());
    assert!(bench.visit(&acme(), &mut two).await.is_none());
    assert!(bench.visit(&acme(), &mut bob).await.is_some());
    bench.pass(Duration::from_millis(1));
    let (_, mut again) = bench.begin(login(&acme(), "four")).await;
    assert!(bench.visit(&acme(), &mut again).await.is_some(), "a later login is another");
}

async fn ended_by_both(bench: &Bench) {
    let (_, mut browser) = bench.begin(login(&acme(), "token")).await;
    let sessions = &bench.sessions;
    sessions.end_matching(&acme(), Some("issuer-session-1"), Some("bob")).await.unwrap();
    sessions.end_matching(&acme(), Some("issuer-session-2"), Some("ann")).await.unwrap();
    assert!(bench.visit(&acme(), &mut browser).await.is_some());
    sessions.end_matching(&acme(), Some("issuer-session-1"), Some("ann")).await.unwrap();
    assert!(bench.visit(&acme(), &mut browser).await.is_none());
}

async fn ended_with_tenant(bench: &Bench) {
    let second = realm("acme", "https://second.example");
    let other = realm("globex", "https://issuer.example");
    let provider = realm("(none)", "https://issuer.example");
    let mut browsers = Vec::new();
    for realm in [acme(), second, other, provider] {
        browsers.push((bench.begin(login(&realm, "token")).await.1, realm));
    }
    bench.sessions.end_tenant(acme().tenant()).await.unwrap();
    let mut left = Vec::new();
    for (browser, realm) in &mut browsers {
        left.push(bench.visit(realm, browser).await.is_some());
    }
    assert_eq!(left, [false, false, true, true], "whatever the issuer, and nobody else's");
    bench.sessions.end_tenant(None).await.unwrap();
    let (browser, realm) = &mut browsers[3];
    assert!(bench.visit(realm, browser).await.is_none(), "the provider is a tenant too");
}

async fn used_once(bench: &Bench) {
    let sessions = &bench.sessions;
    let (one, other) = (acme(), realm("globex", "https://issuer.example"));
    let state = format!("state-{}", fastrand::u128(..));
    assert!(sessions.use_state(&one, &state).await, "new");
    assert!(!sessions.use_state(&one, &state).await, "used");
    assert!(sessions.use_state(&other, &state).await, "another tenant's");
    let minute = Duration::from_mins(1);
    assert!(sessions.use_logout_token(&one, &state, minute).await, "a token is no state");
    assert!(!sessions.use_logout_token(&one, &state, minute).await, "used");
}

async fn csrf_token(bench: &Bench) {
    let (_, mut browser) = bench.begin(login(&acme(), "token")).await;
    let (other, _) = bench.begin(login(&acme(), "token")).await;
    let session = bench.visit(&acme(), &mut browser).await.unwrap().session;
    let text = std::str::from_utf8(session.csrf_token.as_bytes()).unwrap();
    let rows = [
        (vec![text], true, "its own"),
        (vec![std::str::from_utf8(other.session.csrf_token.as_bytes()).unwrap()], false, "another session's"),
        (vec![], false, "none"),
        (vec![""], false, "empty"),
        (vec!["fetch"], false, "the wish for one"),
        (vec![&text[1..]], false, "cut short"),
        (vec![text, text], false, "twice"),
    ];
    for (values, expected, shows) in rows {
        let pair = |value: &&str| (csrf::HEADER, value.parse().unwrap());
        assert_eq!(csrf::matches(&session, &values.iter().map(pair).collect()), expected, "{shows}");
    }
}

async fn idle(bench: &Bench) {
    let (_, browser) = bench.begin(login(&acme(), "token")).await;
    bench.pass(bench.policy.idle.saturating_sub(Duration::from_secs(1)));
    assert!(bench.peek(&acme(), &browser.headers()).await.is_some());
    bench.pass(bench.policy.idle);
    assert!(bench.peek(&acme(), &browser.headers()).await.is_none());
}

async fn kept_alive(bench: &Bench) {
    let (_, mut browser) = bench.begin(login(&acme(), "token")).await;
    for minute in 0..60 {
        bench.pass(Duration::from_mins(1));
        assert!(bench.visit(&acme(), &mut browser).await.is_some(), "after {minute} minutes");
    }
    for quarter in 0..8 {
        bench.pass(Duration::from_mins(14));
        assert!(bench.visit(&acme(), &mut browser).await.is_some(), "at visit {quarter}");
    }
}

async fn absolute_end(bench: &Bench) {
    let (opened, mut browser) = bench.begin(login(&acme(), "token")).await;
    let mut minutes = 0;
    while bench.visit(&acme(), &mut browser).await.is_some() {
        bench.pass(Duration::from_mins(5));
        minutes += 5;
    }
    assert_eq!(Duration::from_mins(minutes), bench.policy.absolute);
    assert!(!bench.sessions.is_open(&opened, &bench.policy).await);
}
