//! `state` and the flow's cookie: whose login is it, and is it this one?

use http::HeaderMap;
use vestibule::clock::Clock;
use vestibule::secret::Secret;
use vestibule::session::{CookieScope, Flow, Policy, Realm, Sessions, SessionsSettings, StoreSettings};
use vestibule::tenant::TenantKey;

use super::super::harness::Reply;
use super::super::harness::navigator::{Browser, Cookie};
use super::bench::{Bench, FLOW, Row, SESSION, SESSION_SECRET, and, parameter, row, with};

/// The flow cookies of acme, in the order of their names.
fn flows(browser: &Browser) -> Vec<Cookie> {
    browser.cookies("acme.localhost", FLOW)
}

/// Goes to acme's callback with the flow's cookie changed.
fn with_cookie(bench: &Bench, browser: &mut Browser, change: fn(&str) -> String) -> Reply {
    let callback = bench.callback(browser);
    let cookie = flows(browser).remove(0);
    browser.plant("acme.localhost", &[cookie.with(&change(&cookie.value))]);
    browser.visit(&callback)
}

/// Goes to acme's callback with `state` changed.
fn with_state(bench: &Bench, browser: &mut Browser, change: fn(&str) -> String) -> Reply {
    let callback = bench.callback(browser);
    let state = change(&parameter(&callback, "state"));
    browser.visit(&with(&callback, "state", Some(&state)))
}

/// Another letter in the place of the one at `place`.
fn altered(text: &str, place: usize) -> String {
    let letter = if text.as_bytes()[place] == b'A' { "B" } else { "A" };
    let mut text = text.to_owned();
    text.replace_range(place..=place, letter);
    text
}

/// The flow with `state` as if it had begun so many seconds earlier: what knows the secret can say so.
fn aged(bench: &Bench, cookie: &Cookie, state: &str, seconds: u64) -> Cookie {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let settings = SessionsSettings {
        store: StoreSettings::Memory,
        secrets: vec![Secret::new(SESSION_SECRET.to_owned())],
        runtime: runtime.handle().clone(),
        clock: Clock::System,
        ended: None,
        backend_cookies: None,
    };
    let sessions = Sessions::new(settings).unwrap();
    let realm = Realm::of(TenantKey::parse("acme"), &bench.acme.issuer, "acme");
    let (policy, mut headers) = (Policy::default(), HeaderMap::new());
    headers.insert("cookie", format!("{}={}", cookie.name, cookie.value).parse().unwrap());
    let mut flow = Flow::open(&sessions, &realm, &policy, &headers, state).unwrap();
    flow.created -= seconds;
    let scope = CookieScope { https: false, path: "/".into() };
    let set = flow.seal(&sessions, &realm, &policy, &scope, &HeaderMap::new());
    let text = set[0].to_str().unwrap();
    let (name, rest) = text.split_once('=').unwrap();
    assert_eq!(name, cookie.name);
    cookie.with(rest.split(';').next().unwrap())
}

const STATES: &[Row] = &[
    row(
        "a callback without state belongs to no login",
        |bench, browser| {
            let callback = bench.callback(browser);
            browser.visit(&with(&callback, "state", None))
        },
        400,
        "login_state_missing",
    ),
    row(
        "an empty state is none",
        |bench, browser| with_state(bench, browser, |_| String::new()),
        400,
        "login_state_missing",
    ),
    row(
        "a stranger's callback in this browser logs nobody in (login CSRF)",
        |bench, browser| {
            let callback = bench.callback(&mut Browser::default());
            browser.visit(&callback)
        },
        400,
        "login_state_unknown",
    ),
    row(
        "a stranger's callback beside a login of one's own",
        |bench, browser| {
            let callback = bench.callback(&mut Browser::default());
            bench.callback(browser);
            browser.visit(&callback)
        },
        400,
        "login_state_unknown",
    ),
    row(
        "a stranger's code under one's own state is stopped by the verifier, at the provider",
        |bench, browser| {
            let foreign = bench.callback(&mut Browser::default());
            let own = bench.callback(browser);
            browser.visit(&with(&own, "code", Some(&parameter(&foreign, "code"))))
        },
        400,
        "code_refused",
    ),
    row(
        "a state is used once, even where its cookie was kept",
        |bench, browser| {
            let callback = bench.callback(browser);
            let kept = flows(browser);
            assert_eq!(browser.visit(&callback).status / 100, 3);
            browser.forget("acme.localhost");
            browser.plant("acme.localhost", &kept);
            browser.visit(&callback)
        },
        400,
        "login_state_replayed",
    ),
    row(
        "a state is used up by a refused login as well",
        |bench, browser| {
            let callback = bench.callback(browser);
            let kept = flows(browser);
            assert_eq!(browser.visit(&with(&callback, "code", Some("guessed"))).status, 400);
            browser.plant("acme.localhost", &kept);
            browser.visit(&callback)
        },
        400,
        "login_state_replayed",
    ),
    row(
        "the flow's cookie goes with its use",
        |bench, browser| {
            let callback = bench.callback(browser);
            assert_eq!(browser.visit(&callback).status / 100, 3);
            assert_eq!(flows(browser), []);
            let session = browser.cookies("acme.localhost", SESSION);
            browser.forget("acme.localhost");
            assert_eq!(session.len(), 1);
            browser.visit(&callback)
        },
        400,
        "login_state_unknown",
    ),
    row(
        "a state with its first letter changed",
        |bench, browser| with_state(bench, browser, |state| altered(state, 0)),
        400,
        "login_state_unknown",
    ),
    row(
        "a state with its last letters changed, which the cookie's name does not hold",
        |bench, browser| {
            with_state(bench, browser, |state| altered(&altered(state, state.len() - 3), state.len() - 4))
        },
        400,
        "login_state_unknown",
    ),
    row(
        "a state cut to what the cookie's name holds",
        |bench, browser| with_state(bench, browser, |state| state[..8].to_owned()),
        400,
        "login_state_unknown",
    ),
    row(
        "a state with more behind it",
        |bench, browser| with_state(bench, browser, |state| format!("{state}A")),
        400,
        "login_state_unknown",
    ),
    row(
        "a state of 8,000 letters",
        |bench, browser| with_state(bench, browser, |state| state.repeat(8000 / state.len())),
        400,
        "login_state_unknown",
    ),
    row(
        "a state of another alphabet",
        |bench, browser| with_state(bench, browser, |_| "\u{0}../<\"'\u{e9}\u{4e00};=,".to_owned()),
        400,
        "login_state_unknown",
    ),
    row(
        "two states are none",
        |bench, browser| {
            let callback = bench.callback(browser);
            browser.visit(&and(&callback, "state", "other"))
        },
        400,
        "login_ambiguous",
    ),
    row(
        "the same state twice is none either",
        |bench, browser| {
            let callback = bench.callback(browser);
            browser.visit(&and(&callback, "state", &parameter(&callback, "state")))
        },
        400,
        "login_ambiguous",
    ),
];

const COOKIES: &[Row] = &[
    row(
        "eleven minutes went by at the provider",
        |bench, browser| {
            let callback = bench.callback(browser);
            let cookie = flows(browser).remove(0);
            let state = parameter(&callback, "state");
            browser.plant("acme.localhost", &[aged(bench, &cookie, &state, 11 * 60)]);
            browser.visit(&callback)
        },
        400,
        "login_expired",
    ),
    row(
        "the flow's cookie is missing",
        |bench, browser| {
            let callback = bench.callback(browser);
            browser.forget("acme.localhost");
            browser.visit(&callback)
        },
        400,
        "login_state_unknown",
    ),
    row(
        "the flow's cookie is cut in half",
        |bench, browser| with_cookie(bench, browser, |value| value[..value.len() / 2].to_owned()),
        400,
        "login_foreign",
    ),
    row(
        "the flow's cookie lacks its last letter",
        |bench, browser| with_cookie(bench, browser, |value| value[..value.len() - 1].to_owned()),
        400,
        "login_foreign",
    ),
    row(
        "a bit of the flow's cookie is flipped at its beginning",
        |bench, browser| with_cookie(bench, browser, |value| altered(value, 0)),
        400,
        "login_foreign",
    ),
    row(
        "a bit of the flow's cookie is flipped in its middle",
        |bench, browser| with_cookie(bench, browser, |value| altered(value, value.len() / 2)),
        400,
        "login_foreign",
    ),
    row(
        "the flow's cookie has one letter more",
        |bench, browser| with_cookie(bench, browser, |value| format!("{value}A")),
        400,
        "login_foreign",
    ),
    row(
        "two tabs' cookies are swapped",
        |bench, browser| {
            let callback = bench.callback(browser);
            bench.callback(browser);
            let [one, two] = flows(browser).try_into().unwrap();
            browser.plant("acme.localhost", &[one.with(&two.value), two.with(&one.value)]);
            browser.visit(&callback)
        },
        400,
        "login_state_unknown",
    ),
    row(
        "one tab's code comes with another's state",
        |bench, browser| {
            let (one, two) = (bench.callback(browser), bench.callback(browser));
            browser.visit(&with(&one, "code", Some(&parameter(&two, "code"))))
        },
        400,
        "code_refused",
    ),
    row(
        "another tab's state after that tab has used it",
        |bench, browser| {
            let (one, two) = (bench.callback(browser), bench.callback(browser));
            let kept = flows(browser);
            assert_eq!(browser.visit(&one).status / 100, 3);
            browser.forget("acme.localhost");
            browser.plant("acme.localhost", &kept);
            browser.visit(&with(&two, "state", Some(&parameter(&one, "state"))))
        },
        400,
        "login_state_replayed",
    ),
    row(
        "a session's cookie is no flow's",
        |bench, browser| {
            let mut other = Browser::default();
            other.log_in(&bench.url("acme", "/wanted"), "ann.other");
            let session = other.cookies("acme.localhost", SESSION).remove(0);
            let callback = bench.callback(browser);
            let flow = flows(browser).remove(0);
            browser.plant("acme.localhost", &[flow.with(&session.value)]);
            browser.visit(&callback)
        },
        400,
        "login_foreign",
    ),
];

#[test]
fn a_state_opens_its_own_login_once() {
    super::run(&Bench::start(), STATES);
}

#[test]
fn a_flow_belongs_to_its_browser() {
    super::run(&Bench::start(), COOKIES);
}

#[test]
fn nine_minutes_at_the_provider_are_no_harm() {
    let (bench, mut browser) = (Bench::start(), Browser::default());
    let callback = bench.callback(&mut browser);
    let cookie = flows(&browser).remove(0);
    let state = parameter(&callback, "state");
    browser.plant("acme.localhost", &[aged(&bench, &cookie, &state, 9 * 60)]);
    assert_eq!(browser.visit(&callback).header("location"), "/wanted?x=1");
}

#[test]
fn a_sibling_that_sets_the_same_cookie_neither_helps_nor_hinders() {
    let (bench, mut browser, mut attacker) = (Bench::start(), Browser::default(), Browser::default());
    let callback = bench.callback(&mut browser);
    let (own, theirs) = (flows(&browser).remove(0), {
        bench.callback(&mut attacker);
        flows(&attacker).remove(0)
    });
    browser.forget("acme.localhost");
    let cookie = format!("{0}={1}; {0}={2}", own.name, theirs.value, own.value);
    let reply = browser.ask("GET", &callback, &[("accept", "text/html"), ("cookie", &cookie)], b"");
    assert_eq!(reply.header("location"), "/wanted?x=1", "{reply:?}");
}
