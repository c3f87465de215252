//! Class 19, sessions that somebody knew before the login.
//!
//! Recipe: a cookie from before the login, two logins of one browser, logins in parallel. Must happen:
//! every login gives a new id, and one from before it opens nothing.

use std::collections::BTreeSet;

use super::logged_in::Stage;

#[test]
fn a_cookie_from_before_the_login_opens_nothing() {
    let stage = Stage::set();
    let known = stage.logged_in().cookies["JSESSIONID"].clone();
    let planted: String = known.chars().rev().collect();
    let mut browser = stage.browser();
    browser.cookies.insert("JSESSIONID".to_owned(), planted.clone());
    assert_eq!(browser.fetch("GET /app/x", &[]).status, 401);
    let callback = browser.begin(&stage.acme, "/app/x");
    assert_eq!(browser.navigate(&callback).status, 302);
    assert_ne!(browser.cookies["JSESSIONID"], planted);
    assert_eq!(browser.fetch("GET /app/x", &[]).status, 200);
    let mut attacker = stage.browser();
    attacker.cookies.insert("JSESSIONID".to_owned(), planted);
    assert_eq!(attacker.fetch("GET /app/x", &[]).status, 401, "what the attacker knew is nobody's");
}

#[test]
fn every_login_has_an_id_of_its_own() {
    let stage = Stage::set();
    let ids: BTreeSet<String> = (0..10).map(|_| stage.logged_in().cookies["JSESSIONID"].clone()).collect();
    assert_eq!(ids.len(), 10);
    assert!(ids.iter().all(|id| id.len() >= 43), "256 bits each: {ids:?}");
}

#[test]
fn logins_in_parallel_do_not_share_a_session() {
    let stage = Stage::set();
    let mut browser = stage.browser();
    let callbacks = ["/app/1", "/app/2"].map(|path| browser.begin(&stage.acme, path));
    // Two tabs come back before either has the cookie of the other.
    let mut tabs = [browser.clone(), browser];
    for (tab, callback) in tabs.iter_mut().zip(&callbacks) {
        assert_eq!(tab.navigate(callback).status, 302);
    }
    assert_ne!(tabs[0].cookies["JSESSIONID"], tabs[1].cookies["JSESSIONID"]);
    for tab in &mut tabs {
        assert_eq!(tab.fetch("GET /app/x", &[]).status, 200);
    }
}
