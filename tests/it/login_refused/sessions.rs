//! After the login: sessions that are not one's own, refreshes that are refused, and what is never asked.

use std::time::Instant;

use serde_json::json;

use super::super::harness::navigator::{Browser, Cookie};
use super::super::harness::{DEADLINE, Reply};
use super::bench::{Bench, FLOW, SESSION, parameter};

/// Headers of a script's call.
const FETCH: [(&str, &str); 3] =
    [("accept", "application/json"), ("sec-fetch-mode", "cors"), ("sec-fetch-site", "same-origin")];

/// Logs in at a tenant.
fn logged_in(bench: &Bench, tenant: &str) -> Browser {
    let mut browser = Browser::default();
    let landing = browser.log_in(&bench.url(tenant, "/wanted"), "ann.other");
    assert_eq!(landing.reply.status, 200, "{landing:?}");
    bench.backend.take();
    browser
}

fn fetch(bench: &Bench, browser: &mut Browser, tenant: &str) -> Reply {
    browser.ask("GET", &bench.url(tenant, "/api/x"), &FETCH, b"")
}

fn session(browser: &Browser, tenant: &str) -> Cookie {
    let mut found = browser.cookies(&format!("{tenant}.localhost"), SESSION);
    found.retain(|it| it.name == SESSION);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn a_session_that_is_not_ones_own_is_none() {
    for store in ["cookie", "memory"] {
        none_but_ones_own(&Bench::start_with(&json!({}), |setup| setup.variable("SESSION_STORE", store)));
    }
}

fn none_but_ones_own(bench: &Bench) {
    let own = session(&logged_in(bench, "acme"), "acme");
    let others = ["globex", "initech"].map(|tenant| session(&logged_in(bench, tenant), tenant));
    let bent = |place: usize| {
        let letter = if own.value.as_bytes()[place] == b'A' { "B" } else { "A" };
        let mut value = own.value.clone();
        value.replace_range(place..=place, letter);
        value
    };
    let last = own.value.len() - 1;
    let rows = [
        ("another provider's tenant's", others[0].value.clone()),
        ("another client's of the same provider", others[1].value.clone()),
        ("nothing", String::new()),
        ("a word", "guessed".to_owned()),
        ("a letter changed at the beginning", bent(0)),
        ("a letter changed in the middle", bent(last / 2)),
        ("a letter changed before the end", bent(last - 1)),
        ("cut", own.value[..last].to_owned()),
        ("longer", format!("{}A", own.value)),
        ("quoted", format!("\"{}\"", own.value)),
        ("twice in one", format!("{0}.{0}", own.value)),
        ("7,000 letters", "A".repeat(7000)),
    ];
    for (shows, value) in rows {
        let mut browser = Browser::default();
        browser.plant("acme.localhost", &[own.with(&value)]);
        let reply = fetch(bench, &mut browser, "acme");
        assert_eq!((reply.status, reply.code().as_str()), (401, "unauthenticated"), "{shows}: {reply:?}");
        assert_eq!(reply.all("location"), [""; 0], "{shows}");
        assert_eq!(bench.backend.take().len(), 0, "{shows}");
        // A person is not stuck with it either.
        browser.plant("acme.localhost", &[own.with(&value)]);
        let landing = browser.log_in(&bench.url("acme", "/wanted"), "ann.other");
        assert_eq!(landing.reply.status, 200, "{shows}: {landing:?}");
        assert_ne!(session(&browser, "acme").value, value, "{shows}: a new session");
        bench.backend.take();
    }
}

#[test]
fn two_session_cookies_are_none() {
    let bench = Bench::start();
    let own = session(&logged_in(&bench, "acme"), "acme").value;
    let cookies = [format!("{SESSION}={own}; {SESSION}={own}"), format!("{SESSION}=x; {SESSION}={own}")];
    for cookie in cookies {
        let headers: Vec<_> = FETCH.into_iter().chain([("cookie", cookie.as_str())]).collect();
        let reply = Browser::default().ask("GET", &bench.url("acme", "/api/x"), &headers, b"");
        assert_eq!(reply.status, 401, "{reply:?}");
    }
    let only = format!("{SESSION}={own}");
    let headers: Vec<_> = FETCH.into_iter().chain([("cookie", only.as_str())]).collect();
    assert_eq!(Browser::default().ask("GET", &bench.url("acme", "/api/x"), &headers, b"").status, 200);
}

#[test]
fn a_login_gives_a_session_that_was_not_there_before() {
    let bench = Bench::start();
    let mut browser = logged_in(&bench, "acme");
    let before = session(&browser, "acme");
    let planted = before.with("chosen-by-an-attacker");
    browser.plant("acme.localhost", std::slice::from_ref(&planted));
    browser.log_in(&bench.url("acme", "/wanted"), "ann.other");
    let after = session(&browser, "acme");
    assert!(![&before, &planted].contains(&&after), "{after:?}");
}

#[test]
fn a_callback_that_finds_a_session_goes_to_the_target_and_asks_nobody() {
    let bench = Bench::start();
    let mut browser = Browser::default();
    let (one, two) = (bench.callback(&mut browser), bench.callback(&mut browser));
    assert_eq!(browser.visit(&one).header("location"), "/wanted?x=1");
    bench.acme.take();
    let reply = browser.visit(&two);
    assert_eq!((reply.status / 100, reply.header("location")), (3, "/wanted?x=1".to_owned()), "{reply:?}");
    let again = browser.visit(&one);
    assert_eq!(again.status / 100, 3, "pressing back or reload does no harm: {again:?}");
    assert!(bench.acme.take().iter().all(|it| it.head.target != "/token"));
    assert_eq!(fetch(&bench, &mut browser, "acme").status, 200);
}

#[test]
fn several_tabs_log_in_at_once_in_any_order() {
    let bench = Bench::start();
    let mut browser = Browser::default();
    let tabs: Vec<_> = (0..5).map(|_| bench.callback(&mut browser)).collect();
    assert_eq!(browser.cookies("acme.localhost", FLOW).len(), 5);
    for callback in tabs.iter().rev() {
        let reply = browser.visit(callback);
        assert_eq!(reply.header("location"), "/wanted?x=1", "{reply:?}");
        assert_eq!(fetch(&bench, &mut browser, "acme").status, 200);
    }
}

#[test]
fn a_refusal_of_a_login_is_a_problem_document_to_whom_wants_json() {
    let bench = Bench::start();
    let mut browser = Browser::default();
    let mut callback = bench.callback(&mut browser);
    callback.set_query(Some("code=x"));
    let reply = browser.ask("GET", &callback, &[("accept", "application/json")], b"");
    assert_eq!((reply.status, reply.code().as_str()), (400, "login_state_missing"), "{reply:?}");
    assert_eq!(reply.header("content-type"), "application/problem+json");
    assert!(reply.header("cache-control").contains("no-store"), "{reply:?}");
}

#[test]
fn what_is_asked_of_the_provider_is_no_more_than_is_needed() {
    let bench = Bench::start();
    bench.acme.take();
    let mut browser = logged_in(&bench, "acme");
    fetch(&bench, &mut browser, "acme");
    let mut asked: Vec<String> = bench.acme.take().into_iter().map(|it| it.head.target).collect();
    asked.retain(|target| !target.starts_with("/auth") && !target.starts_with("/interaction"));
    asked.sort();
    asked.dedup();
    assert_eq!(asked, ["/.well-known/openid-configuration", "/jwks", "/token"], "userinfo is never asked");
}

#[test]
fn what_a_login_asks_for_is_bound_to_it() {
    let bench = Bench::start();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..3 {
        let here = bench.url("acme", "/wanted");
        let reply = Browser::default().visit(&here);
        let ask = super::super::harness::navigator::onwards(&here, &reply).unwrap();
        assert_eq!(parameter(&ask, "code_challenge_method"), "S256");
        assert_eq!(parameter(&ask, "response_type"), "code");
        for name in ["state", "nonce", "code_challenge"] {
            let value = parameter(&ask, name);
            assert!(value.len() >= 22, "{name} has less than 128 bits: {value}");
            assert!(seen.insert(value), "{name} came twice");
        }
        let cookies = reply.all("set-cookie").join("\n");
        assert!(cookies.contains("HttpOnly") && cookies.contains("SameSite=Lax"), "{cookies}");
        let opened = ["state", "nonce"].map(|name| parameter(&ask, name));
        assert!(!cookies.contains(&opened[1]), "the nonce is sealed");
        assert!(reply.header("cache-control").contains("no-store"), "{reply:?}");
    }
}

/// Logs in where tokens live shortly, meddles, and returns what a script's call gets when the token was
/// due: in the second half of its life.
fn refreshed(meddle: impl Fn(&Bench)) -> (Bench, Browser, Reply) {
    let ttl = json!({"AccessToken": 6, "IdToken": 6});
    let bench = Bench::start_with(&ttl, |setup| setup.variable("JWT_REFRESH", "5"));
    let mut browser = logged_in(&bench, "acme");
    bench.acme.take();
    meddle(&bench);
    let deadline = Instant::now() + DEADLINE;
    loop {
        assert!(Instant::now() < deadline, "the token was never due");
        bench.backend.take();
        let reply = fetch(&bench, &mut browser, "acme");
        if reply.status != 200 || bench.acme.is_asked_for_tokens() {
            return (bench, browser, reply);
        }
    }
}

/// How often tokens were renewed since last asked.
fn renewals(bench: &Bench) -> usize {
    let asked = bench.acme.take();
    asked
        .iter()
        .filter(|it| super::super::harness::latin1(&it.body).contains("grant_type=refresh_token"))
        .count()
}

#[test]
fn a_token_is_renewed_ahead_of_its_end() {
    let (bench, mut browser, reply) = refreshed(|_| {});
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(renewals(&bench), 1);
    assert_eq!(fetch(&bench, &mut browser, "acme").status, 200, "with the refresh token that came then");
}

#[test]
fn a_refused_refresh_ends_the_session() {
    type Meddling = (&'static str, fn(&Bench));
    let rows: [Meddling; 4] = [
        ("the refresh token is refused", |bench| {
            bench.acme.form_with(|form| form.replace("refresh_token=", "refresh_token=x"));
        }),
        ("the new ID token is somebody else's", |bench| {
            bench.acme.claim(|claims| claims["sub"] = "root".into());
        }),
        ("the new ID token is for another client", |bench| {
            bench.acme.claim(|claims| claims["aud"] = "initech".into());
        }),
        ("the new ID token is another issuer's", |bench| {
            bench.acme.claim(|claims| claims["iss"] = "https://idp.acme.test".into());
        }),
    ];
    for (shows, meddle) in rows {
        let (bench, mut browser, reply) = refreshed(meddle);
        assert_eq!((reply.status, reply.code().as_str()), (401, "unauthenticated"), "{shows}: {reply:?}");
        assert_eq!(bench.backend.take().len(), 0, "{shows}");
        bench.acme.behave();
        assert_eq!(fetch(&bench, &mut browser, "acme").status, 401, "{shows}: it has ended");
        let landing = browser.log_in(&bench.url("acme", "/wanted"), "ann.other");
        assert_eq!(landing.reply.status, 200, "{shows}: {landing:?}");
    }
}

#[test]
fn an_issuer_that_is_away_ends_no_session_while_the_token_is_valid() {
    let (bench, mut browser, reply) = refreshed(|bench| {
        bench.acme.meddle(|_, _, _| super::super::harness::backend::Next::Close);
    });
    assert_eq!(reply.status, 200, "{reply:?}");
    bench.acme.behave();
    assert_eq!(fetch(&bench, &mut browser, "acme").status, 200);
}
