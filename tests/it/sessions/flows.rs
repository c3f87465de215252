//! Logins under way: one cookie a tab, for its realm, for ten minutes (SECURITY classes 17 and 18).

use std::time::Duration;

use vestibule::session::{Flow, FlowRefused, Policy, ReturnPath, SameSite, StoreSettings};

use super::{Bench, Browser, acme, realm};

/// A login that begins in `browser`.
fn begin(bench: &Bench, browser: &mut Browser) -> Flow {
    let now = bench.time.load(std::sync::atomic::Ordering::Relaxed) / 1_000;
    let to = ReturnPath::parse("/orders?open=1", "/").unwrap();
    let flow = Flow::new(to, Some("corporate".into()), now).unwrap();
    let headers = browser.headers();
    browser.obey(&flow.seal(&bench.sessions, &acme(), &bench.policy, &bench.scope, &headers));
    flow
}

fn open(bench: &Bench, browser: &Browser, state: &str) -> Result<Flow, FlowRefused> {
    Flow::open(&bench.sessions, &acme(), &bench.policy, &browser.headers(), state)
}

#[tokio::test]
async fn a_flow_comes_back_as_it_was() {
    for store in [StoreSettings::Memory, StoreSettings::Cookie] {
        let bench = Bench::new(store, &[]);
        let mut browser = Browser::default();
        let flow = begin(&bench, &mut browser);
        let back = open(&bench, &browser, &flow.state).unwrap();
        assert_eq!(format!("{back:?}"), format!("{flow:?}"));
        assert_eq!(back.verifier.expose(), flow.verifier.expose());
        assert!((43..=128).contains(&back.verifier.expose().len()), "RFC 7636 §4.1");
        assert!(!format!("{back:?}").contains(back.verifier.expose()), "it is not printed");
    }
}

#[tokio::test]
async fn three_tabs_log_in_at_once() {
    let bench = Bench::new(StoreSettings::Memory, &[]);
    let mut browser = Browser::default();
    let flows = [0; 3].map(|_| begin(&bench, &mut browser));
    assert_eq!(browser.0.len(), 3);
    for flow in &flows {
        assert_eq!(open(&bench, &browser, &flow.state).unwrap().nonce, flow.nonce);
        browser.obey(&[Flow::removal(&flow.state, &bench.policy, &bench.scope).unwrap()]);
    }
    assert!(browser.0.is_empty());
}

#[tokio::test]
async fn what_is_no_flow_of_this_browser_and_realm_is_refused() {
    let bench = Bench::new(StoreSettings::Memory, &["secret"]);
    let mut browser = Browser::default();
    let flow = begin(&bench, &mut browser);
    let (name, value) = browser.0.first_key_value().unwrap();
    let with = |value: &str| Browser([(name.clone(), value.to_owned())].into());
    let same_name = format!("{}{}", &flow.state[..8], "x".repeat(35));
    let mut flipped = value.clone().into_bytes();
    flipped[40] ^= 1;
    let flipped = String::from_utf8(flipped).unwrap();
    let rows = [
        (Browser::default(), &*flow.state, FlowRefused::Unknown, "another browser"),
        (browser.clone(), "someone-elses-state", FlowRefused::Unknown, "a state of nobody"),
        (browser.clone(), "", FlowRefused::Unknown, "no state"),
        (browser.clone(), "ü", FlowRefused::Unknown, "no ASCII"),
        (browser.clone(), "a;b=c d", FlowRefused::Unknown, "what no name may have"),
        (browser.clone(), &*same_name, FlowRefused::Unknown, "a state that begins alike"),
        (with(&flipped), &*flow.state, FlowRefused::Foreign, "a changed cookie"),
        (with(""), &*flow.state, FlowRefused::Foreign, "an empty cookie"),
    ];
    for (browser, state, refused, shows) in rows {
        assert_eq!(open(&bench, &browser, state).err(), Some(refused), "{shows}");
    }
    for other in [realm("globex", acme().issuer()), realm("acme", "https://other.example")] {
        let refused = Flow::open(&bench.sessions, &other, &bench.policy, &browser.headers(), &flow.state);
        assert_eq!(refused.err(), Some(FlowRefused::Foreign), "{other:?}");
    }
}

#[tokio::test]
async fn a_session_cookie_is_no_flow_and_a_flow_no_session() {
    let bench = Bench::new(StoreSettings::Cookie, &["secret"]);
    let mut browser = Browser::default();
    let flow = begin(&bench, &mut browser);
    let (_, session) = bench.begin(super::login(&acme(), "token")).await;
    let (name, sealed_flow) = browser.0.first_key_value().unwrap();
    let sealed_session = session.0["JSESSIONID"][1..].to_owned();
    let as_flow = Browser([(name.clone(), sealed_session)].into());
    assert_eq!(open(&bench, &as_flow, &flow.state).err(), Some(FlowRefused::Foreign));
    let as_session = Browser([("JSESSIONID".to_owned(), format!("1{sealed_flow}"))].into());
    assert!(bench.peek(&acme(), &as_session.headers()).await.is_none());
}

#[tokio::test]
async fn a_login_takes_ten_minutes_at_most() {
    let bench = Bench::new(StoreSettings::Memory, &[]);
    let mut browser = Browser::default();
    let flow = begin(&bench, &mut browser);
    bench.pass(Duration::from_secs(599));
    assert!(open(&bench, &browser, &flow.state).is_ok());
    bench.pass(Duration::from_secs(1));
    assert_eq!(open(&bench, &browser, &flow.state).err(), Some(FlowRefused::Expired));
}

#[tokio::test]
async fn a_hundred_logins_never_fill_the_header() {
    let bench = Bench::new(StoreSettings::Memory, &[]);
    let mut browser = Browser::default();
    let mut last = None;
    for _ in 0..100 {
        last = Some(begin(&bench, &mut browser));
        bench.pass(Duration::from_secs(1));
        assert!(browser.0.len() <= 12, "{} cookies", browser.0.len());
    }
    assert!(open(&bench, &browser, &last.unwrap().state).is_ok(), "the newest is never the one to go");
    bench.pass(Duration::from_mins(10));
    begin(&bench, &mut browser);
    assert_eq!(browser.0.len(), 1, "those that are over go");
}

#[tokio::test]
async fn a_flow_cookie_has_these_attributes() {
    let rows = [
        (SameSite::Lax, false, "; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=Lax"),
        (SameSite::Strict, false, "; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=Lax"),
        (SameSite::None, true, "; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=None; Partitioned"),
    ];
    let bench = Bench::new(StoreSettings::Memory, &[]);
    for (same_site, partitioned, expected) in rows {
        let policy = Policy { same_site, partitioned, ..Policy::default() };
        let flow = Flow::new(ReturnPath::root("/"), None, super::NOW).unwrap();
        let cookies =
            flow.seal(&bench.sessions, &acme(), &policy, &bench.scope, &Browser::default().headers());
        let text = cookies[0].to_str().unwrap();
        let begin = format!("JSESSIONID-flow-{}=", &flow.state[..8]);
        assert!(text.starts_with(&begin) && text.ends_with(expected), "{text}");
    }
}
