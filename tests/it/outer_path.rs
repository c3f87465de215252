//! What a trusted proxy took off the front of the path (`X-Forwarded-Path`) is put back into all that leads
//! a browser back: the welcome file, the login and its way back, cookies of tenants that a path names.

use serde_json::json;

use super::harness::provider::form;
use super::harness::tab::authorization;
use super::harness::{Backend, Provider, Setup, Tab};

fn setup(backend: &Backend, provider: &Provider, is_trusted: bool) -> Setup {
    let xs_app = json!({"welcomeFile": "/w/index.html", "routes": [
        {"source": "^/app/(.*)$", "destination": "backend", "authenticationType": "oidc"}]});
    let proxies = if is_trusted { json!(["127.0.0.0/8"]) } else { json!([]) };
    Setup::new(&xs_app).destination("backend", backend.address).tenants(&json!({
        "path": {"prefix": "/t/{tenant}", "strip": true}, "trustedProxies": proxies,
        "tenants": {"acme": {"issuer": provider.configuration()}}}))
}

#[test]
fn a_trusted_proxys_part_of_the_path_is_put_back() {
    let (backend, acme) = (Backend::start(), Provider::start());
    let server = setup(&backend, &acme, true).start();
    let mut browser = Tab::at(&server, "portal.localhost");
    let at = |path: &str| format!("/outer{path}");
    let html = ("Accept", "text/html");
    let welcome = browser.ask("GET /t/acme/", &[("x-forwarded-path", "/outer/t/acme/")]);
    assert_eq!(welcome.header("location"), "/outer/t/acme/w/index.html");
    let page = browser.ask("GET /t/acme/app/x?a=b", &[("x-forwarded-path", &at("/t/acme/app/x")), html]);
    let location = authorization(&page);
    let asked = form(location.split_once('?').unwrap().1);
    assert_eq!(asked["redirect_uri"], "http://portal.localhost/outer/t/acme/login/callback");
    let back = acme.authorize(&location);
    let callback = back.strip_prefix("http://portal.localhost/outer").unwrap_or_else(|| panic!("{back}"));
    let path = callback.split('?').next().unwrap();
    let reply = browser.ask(&format!("GET {callback}"), &[("x-forwarded-path", &at(path)), html]);
    let expected = (302, "/outer/t/acme/app/x?a=b".to_owned());
    assert_eq!((reply.status, reply.header("location")), expected, "{}", reply.text());
    for set in reply.all("set-cookie") {
        assert!(set.contains("; Path=/outer/t/acme;"), "{set}");
    }
    let seen = browser.ask("GET /t/acme/app/x", &[("x-forwarded-path", &at("/t/acme/app/x")), html]);
    assert_eq!(seen.status, 200);
    assert_eq!(backend.only().header("x-forwarded-path"), "/outer/t/acme/app/x");
}

#[test]
fn nobody_elses_is() {
    let (backend, acme) = (Backend::start(), Provider::start());
    let server = setup(&backend, &acme, false).start();
    let mut browser = Tab::at(&server, "portal.localhost");
    let headers = [("x-forwarded-path", "/outer/t/acme/app/x"), ("Accept", "text/html")];
    let asked = authorization(&browser.ask("GET /t/acme/app/x", &headers));
    let asked = form(asked.split_once('?').unwrap().1);
    assert_eq!(asked["redirect_uri"], "http://portal.localhost/t/acme/login/callback");
}
