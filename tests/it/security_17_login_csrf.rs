//! Class 17, logins that somebody else began.
//!
//! Recipe: a callback with a missing, foreign, replayed or repeated `state`, a code of another flow, an
//! error, a stranger's browser. Must happen: no session, a code of its own for each, and a page that
//! says what to do; a state is good once, for the browser, tenant and issuer that it was made for.

use serde_json::{Value, json};

use super::harness::provider::form;
use super::harness::{Reply, Tab};
use super::logged_in::Stage;

const JSON: (&str, &str) = ("Accept", "application/json");

/// The callback's answer as a program sees it; no session comes of it.
fn refused(browser: &mut Tab<'_>, callback: &str) -> Reply {
    let reply = browser.ask(&format!("GET {callback}"), &[JSON]);
    let sets_session = reply.all("set-cookie").iter().any(|set| set.starts_with("JSESSIONID="));
    assert!(!sets_session, "{callback}: {:?}", reply.headers);
    assert_eq!(reply.header("location"), "", "{callback}: nobody is sent anywhere");
    reply
}

#[test]
fn a_state_is_good_once_and_here() {
    let stage = Stage::set();
    let begun = |browser: &mut Tab<'_>| browser.begin(&stage.acme, "/app/x?a=b");
    let with = |callback: &str, name: &str, value: &str| {
        let (path, query) = callback.split_once('?').unwrap();
        let mut pairs = form(query);
        pairs.insert(name.to_owned(), value.to_owned());
        pairs.retain(|_, value| !value.is_empty());
        let escape = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
        };
        let pairs: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
        format!("{path}?{}", pairs.join("&"))
    };
    let rows: [(&str, &dyn Fn(&mut Tab<'_>) -> String, u16, &str); 10] = [
        ("no state", &|b| with(&begun(b), "state", ""), 400, "login_state_missing"),
        ("a state that nobody made", &|b| with(&begun(b), "state", "x"), 400, "login_state_unknown"),
        ("another browser's", &|_| begun(&mut stage.browser()), 400, "login_state_unknown"),
        ("two states", &|b| begun(b) + "&state=x", 400, "login_ambiguous"),
        ("two codes", &|b| begun(b) + "&code=x", 400, "login_ambiguous"),
        ("no code", &|b| with(&begun(b), "code", ""), 400, "login_code_missing"),
        ("a code that nobody made", &|b| with(&begun(b), "code", "x"), 400, "code_refused"),
        ("a refusal", &|b| with(&with(&begun(b), "code", ""), "error", "access_denied"), 403, "login_denied"),
        ("an error", &|b| with(&with(&begun(b), "code", ""), "error", "server_error"), 400, "login_refused"),
        ("nothing at all", &|_| "/login/callback".to_owned(), 400, "login_state_missing"),
    ];
    for (shows, callback, status, code) in rows {
        let mut browser = stage.browser();
        let callback = callback(&mut browser);
        let mut person = browser.clone();
        let reply = refused(&mut browser, &callback);
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{shows}: {callback}");
        assert!(reply.header("cache-control").contains("no-store"), "{shows}");
        let page = person.navigate(&callback);
        let text = page.text();
        // What was refused is over, so the second answer may be that there is no such login.
        assert!(text.contains("Log in again</a>"), "{shows}: {text}");
        assert_eq!(browser.fetch("GET /app/x", &[]).status, 401, "{shows}");
    }
    assert_eq!(stage.backend.take().len(), 0);
}

#[test]
fn a_code_of_another_flow_is_of_no_use() {
    let stage = Stage::set();
    let (mut victim, mut attacker) = (stage.browser(), stage.browser());
    let theirs = form(attacker.begin(&stage.acme, "/app/x").split_once('?').unwrap().1)["code"].clone();
    let own = victim.begin(&stage.acme, "/app/x");
    let own_code = form(own.split_once('?').unwrap().1)["code"].clone();
    let reply = refused(&mut victim, &own.replace(&own_code.replace('-', "%2D"), &theirs));
    assert_eq!(
        reply.code(),
        "code_refused",
        "the verifier is the victim's, the challenge was the attacker's"
    );
}

#[test]
fn a_callback_is_good_once() {
    let stage = Stage::set();
    let mut browser = stage.browser();
    let callback = browser.begin(&stage.acme, "/app/x");
    let mut thief = browser.clone();
    assert_eq!(browser.navigate(&callback).status, 302);
    // Even who has the browser's cookies from before the login.
    assert_eq!(refused(&mut thief, &callback).code(), "login_state_replayed");
    assert_eq!(stage.acme.desk().logins, 1, "the provider is not asked again");
    let reply = browser.navigate(&callback);
    assert_eq!((reply.status, reply.header("location")), (302, "/".to_owned()), "logged in already");
}

#[test]
fn tokens_that_are_not_of_this_login_are_refused() {
    let stage = Stage::set();
    let rows: [(Value, &str, &str); 5] = [
        (json!({"nonce": "x"}), "nonce_mismatch", "another login's ID token"),
        (json!({"nonce": null}), "nonce_mismatch", "an ID token of no login"),
        (json!({"aud": "other"}), "login_token_invalid", "another application's"),
        (json!({"iss": "https://evil.example"}), "login_token_invalid", "another issuer's"),
        (json!({"exp": 1}), "login_token_invalid", "an old one"),
    ];
    for (claims, code, shows) in rows {
        stage.acme.desk().claims = claims;
        let mut browser = stage.browser();
        let callback = browser.begin(&stage.acme, "/app/x");
        assert_eq!(refused(&mut browser, &callback).code(), code, "{shows}");
    }
}

#[test]
fn only_get_ends_a_login() {
    let stage = Stage::set();
    let mut browser = stage.browser();
    let callback = browser.begin(&stage.acme, "/app/x");
    for method in ["HEAD", "POST", "PUT", "DELETE"] {
        let reply = browser.ask(&format!("{method} {callback}"), &[]);
        assert_eq!((reply.status, reply.header("allow")), (405, "GET".to_owned()), "{method}");
    }
    assert_eq!(browser.navigate(&callback).status, 302, "and none of these used it up");
}
