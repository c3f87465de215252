//! Logouts at a real provider: asked for here, and told from there.
//!
//! `acme` and `initech` are two clients of one provider, so that one login serves both and a logout at one
//! reaches the other by its back channel (OpenID Connect Back-Channel Logout 1.0). `globex` has a provider
//! of its own and must not notice.

use std::time::{Duration, Instant};

use url::Url;

use super::harness::navigator::{Browser, Landing, NAVIGATION};
use super::login_refused::bench::{Bench, SESSION, parameter};

/// How soon a logout has to be known everywhere.
const SOON: Duration = Duration::from_secs(2);

fn is_logged_in(bench: &Bench, browser: &mut Browser, tenant: &str) -> bool {
    let headers = [("accept", "application/json"), ("sec-fetch-mode", "cors")];
    let reply = browser.ask("GET", &bench.url(tenant, "/api/x"), &headers, b"");
    assert!([200, 401].contains(&reply.status), "{reply:?}");
    reply.status == 200
}

fn logged_in(bench: &Bench, tenants: &[&str]) -> Browser {
    let mut browser = Browser::default();
    for tenant in tenants {
        let landing = browser.log_in(&bench.url(tenant, "/wanted"), "ann.other");
        assert_eq!(landing.reply.status, 200, "{landing:?}");
        assert!(is_logged_in(bench, &mut browser, tenant));
    }
    browser
}

/// Logs out at a tenant, and says yes where the provider asks.
fn log_out(bench: &Bench, browser: &mut Browser, tenant: &str) -> Landing {
    let asked = browser.follow(&bench.url(tenant, "/logout"), |_| false).unwrap();
    let page = asked.reply.text();
    let hidden = |name: &str| {
        let (_, rest) = page.split_once(&format!("{name}=\"")).unwrap_or_else(|| panic!("no {name}: {page}"));
        rest.split('"').next().unwrap().to_owned()
    };
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let headers: Vec<_> = NAVIGATION.into_iter().chain(form).collect();
    let body = format!("xsrf={}&logout=yes", hidden("name=\"xsrf\" value"));
    let reply = browser.ask("POST", &Url::parse(&hidden("action")).unwrap(), &headers, body.as_bytes());
    let next = asked.url.join(&reply.header("location")).unwrap();
    browser.follow(&next, |_| false).unwrap()
}

#[test]
fn a_logout_ends_the_session_here_and_at_the_provider() {
    let bench = Bench::start();
    let mut browser = logged_in(&bench, &["acme", "globex"]);
    let stolen = browser.cookies("acme.localhost", SESSION);
    let landing = log_out(&bench, &mut browser, "acme");
    assert_eq!(landing.url, bench.url("acme", "/logged-out.html"), "{landing:?}");
    assert_eq!(browser.cookies("acme.localhost", SESSION), []);
    assert!(!is_logged_in(&bench, &mut browser, "acme"));
    browser.plant("acme.localhost", &stolen);
    assert!(!is_logged_in(&bench, &mut browser, "acme"), "a copy of the cookie has ended as well");
    assert!(is_logged_in(&bench, &mut browser, "globex"));
    browser.forget("acme.localhost");
    let again = browser.follow(&bench.url("acme", "/wanted"), |url| url.path() == "/login/callback");
    assert!(again.unwrap().reply.text().contains("name=\"password\""), "the provider has forgotten as well");
}

#[test]
fn the_logout_says_whose_it_is_and_where_to_go_afterwards() {
    let bench = Bench::start();
    let mut browser = logged_in(&bench, &["acme"]);
    let location = browser.visit(&bench.url("acme", "/logout")).header("location");
    let there = Url::parse(&location).unwrap();
    assert!(location.starts_with(&bench.acme.issuer), "{location}");
    assert_eq!(parameter(&there, "client_id"), "acme");
    assert_eq!(
        parameter(&there, "post_logout_redirect_uri"),
        bench.url("acme", "/logged-out.html").to_string()
    );
    assert_eq!(parameter(&there, "id_token_hint").split('.').count(), 3);
}

#[test]
fn a_logout_at_one_client_is_told_to_the_other() {
    let bench = Bench::start();
    let mut browser = logged_in(&bench, &["acme", "initech", "globex"]);
    let mut stranger = logged_in(&bench, &["acme"]);
    let told = Instant::now();
    log_out(&bench, &mut browser, "initech");
    while is_logged_in(&bench, &mut browser, "acme") {
        assert!(told.elapsed() < SOON, "the back channel was not heard");
    }
    assert!(is_logged_in(&bench, &mut browser, "globex"), "another provider's login goes on");
    assert!(is_logged_in(&bench, &mut stranger, "acme"), "another login of the same person goes on");
}
