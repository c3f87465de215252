//! XSUAA and IAS as they are documented, over TLS with a host for each zone, and a browser in between.
//!
//! The stand-ins are strict where the real ones are; see [`super::harness::xsuaa`] and
//! [`super::harness::ias`]. Every test drives the real `vestibule serve` with a real binding.

mod ias;
mod xsuaa;

use std::net::SocketAddr;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::harness::roamer::Roamer;
use super::harness::tls::Identity;
use super::harness::{Backend, DEADLINE, Reply, Server, Setup};

/// A router for `backend` that trusts `identity`, with the routes of these tests: `/app/` after a login
/// of the type `kind`, `/basic/` by password, `/bye` for everyone.
fn setup(kind: &str, backend: SocketAddr, identity: &Identity, services: &Value) -> Setup {
    let routes = json!([
        {"source": "^/app/(.*)$", "destination": "backend", "authenticationType": kind},
        {"source": "^/basic/(.*)$", "destination": "backend", "authenticationType": "basic"},
        {"source": "^/bye$", "destination": "backend", "authenticationType": "none"},
    ]);
    let logout = json!({"logoutEndpoint": "/do/logout", "logoutPage": "/bye"});
    let setup = Setup::new(&json!({"routes": routes, "logout": logout}))
        .destination_with(
            &json!({"name": "backend", "url": format!("http://{backend}"), "forwardAuthToken": true}),
        )
        .file("trusted.pem", &identity.certificate)
        .variable("SESSION_SECRET", "0123456789abcdef0123456789abcdef")
        .variable("PRESERVE_FRAGMENT", "false")
        .variable("VCAP_SERVICES", services.clone());
    let trusted = setup.path().join("trusted.pem").to_string_lossy().into_owned();
    setup.variable("XS_CACERT_PATH", trusted)
}

/// The address of `path` at a tenant's host.
fn at(server: &Server, tenant: &str, path: &str) -> String {
    format!("http://{tenant}.localhost:{}{path}", server.address.port())
}

/// What the token says that the backend was last sent.
fn claims_sent(backend: &Backend) -> Value {
    let requests = backend.requests();
    let authorization = requests.last().unwrap().header("authorization");
    let token = authorization.strip_prefix("Bearer ").unwrap_or_else(|| panic!("{authorization}"));
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&claims).unwrap()
}

/// Whether somebody is logged in at `tenant`, as a script of the page sees it.
fn is_logged_in(browser: &mut Roamer, server: &Server, tenant: &str) -> bool {
    let reply = browser.fetch("GET", &at(server, tenant, "/app/who"), &[]);
    assert!(matches!(reply.status, 200 | 401), "{reply:?}");
    reply.status == 200
}

/// Whether somebody is still logged in when the token, which lives for seconds, was due for a refresh:
/// the backend gets another than `first`.
fn is_refreshed(browser: &mut Roamer, server: &Server, backend: &Backend, first: &Value) -> bool {
    let deadline = Instant::now() + DEADLINE;
    while is_logged_in(browser, server, "acme") {
        if claims_sent(backend)["jti"] != *first {
            return true;
        }
        assert!(Instant::now() < deadline, "the token stays the same");
    }
    false
}

/// That a login ends with a page that says `code`, and nobody is logged in.
fn assert_refused(reply: &Reply, browser: &mut Roamer, server: &Server, code: &str, shows: &str) {
    assert!((400..600).contains(&reply.status), "{shows}: {reply:?}");
    assert!(reply.text().contains(code), "{shows}: {}", reply.text());
    assert!(!is_logged_in(browser, server, "acme"), "{shows}");
}
