//! Mix-up: a login that begins at one tenant and ends at another's provider, host or cookie.

use super::super::harness::navigator::Browser;
use super::bench::{Bench, FLOW, Row, and, parameter, row, with};

/// What became of codes: nobody may have been asked for a token.
fn nothing_was_sent(bench: &Bench) {
    for meddler in [&bench.acme, &bench.globex] {
        let asked = meddler.take();
        assert!(asked.iter().all(|it| it.head.target != "/token"), "{asked:#?}");
    }
}

const ISS: &[Row] = &[
    row(
        "iss of the other tenant's provider",
        |bench, browser| {
            let callback = bench.callback(browser);
            let reply = browser.visit(&with(&callback, "iss", Some(&bench.globex.issuer)));
            nothing_was_sent(bench);
            reply
        },
        400,
        "login_issuer_mismatch",
    ),
    row(
        "iss is missing, though the provider says that it sends it",
        |bench, browser| {
            let callback = bench.callback(browser);
            let reply = browser.visit(&with(&callback, "iss", None));
            nothing_was_sent(bench);
            reply
        },
        400,
        "login_issuer_mismatch",
    ),
    row(
        "an empty iss",
        |bench, browser| {
            let callback = bench.callback(browser);
            browser.visit(&with(&callback, "iss", Some("")))
        },
        400,
        "login_issuer_mismatch",
    ),
    row(
        "iss with a slash behind it is another one",
        |bench, browser| {
            let callback = bench.callback(browser);
            browser.visit(&with(&callback, "iss", Some(&format!("{}/", bench.acme.issuer))))
        },
        400,
        "login_issuer_mismatch",
    ),
    row(
        "two of iss, one of them right",
        |bench, browser| {
            let callback = bench.callback(browser);
            browser.visit(&and(&callback, "iss", &bench.globex.issuer))
        },
        400,
        "login_ambiguous",
    ),
];

const MIX_UPS: &[Row] = &[
    row(
        "begun at acme, answered by globex' provider in full",
        |bench, browser| {
            let foreign = bench.callback_at("globex", &mut Browser::default());
            let own = bench.callback(browser);
            let mixed = with(&own, "code", Some(&parameter(&foreign, "code")));
            let reply = browser.visit(&with(&mixed, "iss", Some(&bench.globex.issuer)));
            nothing_was_sent(bench);
            reply
        },
        400,
        "login_issuer_mismatch",
    ),
    row(
        "begun at acme, with a code of globex' provider under acme's name",
        |bench, browser| {
            let foreign = bench.callback_at("globex", &mut Browser::default());
            let own = bench.callback(browser);
            browser.visit(&with(&own, "code", Some(&parameter(&foreign, "code"))))
        },
        400,
        "code_refused",
    ),
    row(
        "globex' callback in full at acme's host",
        |bench, browser| {
            let mut callback = bench.callback_at("globex", browser);
            callback.set_host(Some("acme.localhost")).unwrap();
            browser.visit(&callback)
        },
        400,
        "login_state_unknown",
    ),
    row(
        "globex' callback at acme's host, the flow's cookie copied there",
        |bench, browser| {
            let mut callback = bench.callback_at("globex", browser);
            browser.plant("acme.localhost", &browser.cookies("globex.localhost", FLOW));
            callback.set_host(Some("acme.localhost")).unwrap();
            let reply = browser.visit(&callback);
            nothing_was_sent(bench);
            reply
        },
        400,
        "login_foreign",
    ),
    row(
        "the same where both tenants have the same provider, and clients differ",
        |bench, browser| {
            let mut callback = bench.callback_at("initech", browser);
            browser.plant("acme.localhost", &browser.cookies("initech.localhost", FLOW));
            callback.set_host(Some("acme.localhost")).unwrap();
            let reply = browser.visit(&callback);
            nothing_was_sent(bench);
            reply
        },
        400,
        "login_foreign",
    ),
    row(
        "a code of one's own under a copied flow of another tenant",
        |bench, browser| {
            let foreign = bench.callback_at("globex", browser);
            let own = bench.callback(browser);
            browser.plant("acme.localhost", &browser.cookies("globex.localhost", FLOW));
            browser.visit(&with(&own, "state", Some(&parameter(&foreign, "state"))))
        },
        400,
        "login_foreign",
    ),
];

#[test]
fn the_issuer_that_answers_is_the_one_that_was_asked() {
    super::run(&Bench::start(), ISS);
}

#[test]
fn tenants_cannot_be_mixed_up() {
    super::run(&Bench::start(), MIX_UPS);
}

#[test]
fn a_callback_at_a_host_of_nobody_is_as_unknown_as_any_page_there() {
    let bench = Bench::start();
    let mut browser = Browser::default();
    let mut callback = bench.callback(&mut browser);
    callback.set_host(Some("nobody.localhost")).unwrap();
    browser.plant("nobody.localhost", &browser.cookies("acme.localhost", FLOW));
    let reply = browser.visit(&callback);
    assert_eq!((reply.status, super::bench::code_of(&reply.text())), (404, "unknown_tenant".to_owned()));
    nothing_was_sent(&bench);
}
