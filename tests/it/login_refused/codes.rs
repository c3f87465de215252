//! The code and the rest of what comes back: errors, methods, and codes of others.

use super::super::harness::Reply;
use super::super::harness::navigator::Browser;
use super::bench::{Bench, Row, and, parameter, row, with};

/// Comes back with an error instead of a code.
fn with_error(bench: &Bench, browser: &mut Browser, error: &str, description: &str) -> Reply {
    let callback = with(&bench.callback(browser), "code", None);
    browser.visit(&and(&and(&callback, "error", error), "error_description", description))
}

const CODES: &[Row] = &[
    row(
        "a callback without a code",
        |bench, browser| {
            let callback = bench.callback(browser);
            browser.visit(&with(&callback, "code", None))
        },
        400,
        "login_code_missing",
    ),
    row(
        "an empty code is none",
        |bench, browser| {
            let callback = bench.callback(browser);
            browser.visit(&with(&callback, "code", Some("")))
        },
        400,
        "login_code_missing",
    ),
    row(
        "two codes are none",
        |bench, browser| {
            let callback = bench.callback(browser);
            browser.visit(&and(&callback, "code", "other"))
        },
        400,
        "login_ambiguous",
    ),
    row(
        "a guessed code",
        |bench, browser| {
            let callback = bench.callback(browser);
            browser.visit(&with(&callback, "code", Some("guessed")))
        },
        400,
        "code_refused",
    ),
    row(
        "a code that breaks out of a form is sent as it is",
        |bench, browser| {
            let callback = bench.callback(browser);
            let code = format!("{}&grant_type=password&username=ann", parameter(&callback, "code"));
            browser.visit(&with(&callback, "code", Some(&code)))
        },
        400,
        "code_refused",
    ),
    row(
        "a code that was used before",
        |bench, browser| {
            let mut other = Browser::default();
            let used = bench.callback(&mut other);
            assert_eq!(other.visit(&used).status / 100, 3);
            let callback = bench.callback(browser);
            browser.visit(&with(&callback, "code", Some(&parameter(&used, "code"))))
        },
        400,
        "code_refused",
    ),
    row(
        "a code of another client of the same provider",
        |bench, browser| {
            let other = bench.callback_at("initech", &mut Browser::default());
            let callback = bench.callback(browser);
            browser.visit(&with(&callback, "code", Some(&parameter(&other, "code"))))
        },
        400,
        "code_refused",
    ),
    row(
        "a code for which another verifier is sent",
        |bench, browser| {
            let callback = bench.callback(browser);
            bench.acme.form_with(|form| form.replace("code_verifier=", "code_verifier=x"));
            browser.visit(&callback)
        },
        400,
        "code_refused",
    ),
    row(
        "a code that is fetched for another address",
        |bench, browser| {
            let callback = bench.callback(browser);
            bench.acme.form_with(|form| form.replace("acme.localhost", "globex.localhost"));
            browser.visit(&callback)
        },
        400,
        "code_refused",
    ),
];

const ERRORS: &[Row] = &[
    row(
        "the person said no",
        |bench, browser| with_error(bench, browser, "access_denied", "End-User aborted"),
        403,
        "login_denied",
    ),
    row(
        "login_required",
        |bench, browser| with_error(bench, browser, "login_required", ""),
        400,
        "login_refused",
    ),
    row(
        "the provider's server_error",
        |bench, browser| with_error(bench, browser, "server_error", "oops"),
        400,
        "login_refused",
    ),
    row(
        "temporarily_unavailable",
        |bench, browser| with_error(bench, browser, "temporarily_unavailable", ""),
        400,
        "login_refused",
    ),
    row(
        "an error that nobody has heard of",
        |bench, browser| with_error(bench, browser, "x_yz", ""),
        400,
        "login_refused",
    ),
    row(
        "a script in the error's description is not repeated",
        |bench, browser| with_error(bench, browser, "invalid_scope", "<script>alert(1)</script>"),
        400,
        "login_refused",
    ),
    row(
        "a script in the error itself is not repeated",
        |bench, browser| with_error(bench, browser, "<script>alert(1)</script>", ""),
        400,
        "login_refused",
    ),
    row(
        "an error beside a code: the code is not used",
        |bench, browser| {
            let callback = bench.callback(browser);
            bench.acme.take();
            let reply = browser.visit(&and(&callback, "error", "access_denied"));
            assert_eq!(bench.acme.take().len(), 0, "nothing is fetched");
            reply
        },
        403,
        "login_denied",
    ),
    row(
        "an error without a state",
        |bench, browser| {
            let callback = with(&with(&bench.callback(browser), "code", None), "state", None);
            browser.visit(&and(&callback, "error", "access_denied"))
        },
        400,
        "login_state_missing",
    ),
    row(
        "a stranger's error ends no login of this browser",
        |bench, browser| {
            let foreign = with(&bench.callback(&mut Browser::default()), "code", None);
            let own = bench.callback(browser);
            let reply = browser.visit(&and(&foreign, "error", "access_denied"));
            let finished = browser.clone().visit(&own);
            assert_eq!(finished.status / 100, 3, "one's own goes on: {finished:?}");
            reply
        },
        400,
        "login_state_unknown",
    ),
];

#[test]
fn a_code_is_good_for_its_own_login_only() {
    super::run(&Bench::start(), CODES);
}

#[test]
fn only_a_navigation_is_a_callback() {
    let (bench, mut browser) = (Bench::start(), Browser::default());
    let callback = bench.callback(&mut browser);
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"] {
        let reply = browser.ask(method, &callback, &[("accept", "text/html")], b"");
        assert_eq!((reply.status, reply.header("allow")), (405, "GET".to_owned()), "{method}: {reply:?}");
    }
    assert_eq!(browser.visit(&callback).header("location"), "/wanted?x=1", "and uses nothing up");
}

#[test]
fn what_the_provider_refuses_is_said_in_our_own_words() {
    super::run(&Bench::start(), ERRORS);
}
