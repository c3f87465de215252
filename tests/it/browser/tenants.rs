//! Two tenants with two providers: acme's is `oidc-provider`, with tokens that live some seconds;
//! globex' is the development issuer of `vestibule demo`. What is clicked and typed is in
//! `tests/browser/tenants.mjs`; what backend and provider saw is checked here.

use serde_json::{Value, json};

use super::super::demo::Demo;
use super::super::harness::backend::{Exchange, Next};
use super::super::harness::oidc_provider::{Providers, client, secret};
use super::super::harness::{Backend, Server, Setup};
use super::{play, screenshots};

/// How long a token of acme lives, in seconds.
const LIFETIME: u64 = 3;

fn routes() -> Value {
    json!({
        "logout": {"logoutEndpoint": "/logout", "logoutPage": "/logged-out.html"},
        "routes": [
            {"source": "^/logged-out.html$", "destination": "backend", "authenticationType": "none"},
            {"source": "^/(.*)$", "destination": "backend", "authenticationType": "oidc"},
        ],
    })
}

fn tenants(acme: &str, globex: &str) -> Value {
    json!({"hosts": ["{tenant}.localhost"], "tenants": {
        "acme": {"issuer": {"url": acme, "clientId": "acme", "clientSecret": secret("acme"),
                            "scopes": ["openid", "email", "profile"]}},
        "globex": {"issuer": {"url": globex, "clientId": "demo", "scopes": ["openid", "email", "profile"]}},
    }})
}

/// A page that says whose it is, or what an API would.
fn application(exchange: &mut Exchange<'_>) -> Next {
    let header = |name: &str| {
        let found = exchange.head.lines.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map_or("nobody", |(_, value)| value.as_str())
    };
    let (tenant, user) = (header("x-tenant"), header("x-user-name"));
    let (kind, body) = if exchange.head.target.starts_with("/api/") {
        ("application/json", json!({"tenant": tenant, "user": user}).to_string())
    } else {
        ("text/html; charset=utf-8", page(tenant, user, &exchange.head.target))
    };
    let length = body.len();
    exchange
        .write(format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}"));
    Next::Keep
}

fn page(tenant: &str, user: &str, target: &str) -> String {
    let target = target.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{tenant}</title><link rel=icon href=\"data:,\">\
         <style>body{{font:18px system-ui,sans-serif;margin:4rem}}</style><h1>{tenant}</h1>\
         <p>{user}, at <code>{target}</code></p>\
         <p><a href=\"/another\">Another page</a> · <a href=\"/logout\">Log out</a></p>"
    )
}

/// Everything that the browser talks to.
struct Town {
    router: Server,
    providers: Providers,
    backend: Backend,
    _demo: Demo,
}

impl Town {
    fn start() -> Self {
        let (mut providers, demo) = (Providers::bind(1), Demo::start());
        let backend = Backend::answering(application);
        let (acme, globex) = (format!("http://{}", providers.addresses[0]), demo.issuer("globex"));
        let setup = Setup::new(&routes()).destination("backend", backend.address);
        let router = setup
            .tenants(&tenants(&acme, &globex))
            .variable("SESSION_SECRET", "only-the-tests-know-this-secret-0123456789")
            .start();
        let client = client("acme", &format!("http://acme.localhost:{}", router.address.port()));
        let ttl = json!({"AccessToken": LIFETIME, "IdToken": LIFETIME});
        providers.serve(&json!([{"issuer": acme, "title": "Acme", "clients": [client], "ttl": ttl}]));
        Self { router, providers, backend, _demo: demo }
    }

    fn story(&self) -> String {
        let port = self.router.address.port();
        json!({
            "acme": format!("http://acme.localhost:{port}"),
            "globex": format!("http://globex.localhost:{port}"),
            "lifetime": LIFETIME,
            "screenshots": screenshots("tenants"),
        })
        .to_string()
    }
}

#[test]
fn a_person_works_in_two_tenants_at_once() {
    let town = Town::start();
    let (well, said) = play("tenants.mjs", &town.story());
    assert!(well, "{said}");
    let log = town.providers.log();
    let renewals = log.matches("granted refresh_token").count();
    assert!(renewals >= 1, "nothing was renewed\n{log}");
    assert!(log.contains("GET /session/end"), "the logout did not reach the provider\n{log}");
    for request in town.backend.requests() {
        let cookies = request.header("cookie");
        assert!(!cookies.contains("JSESSIONID"), "our cookies stay inside: {cookies}");
        assert!(request.head.method != "POST" || request.header("x-tenant") == "acme", "{request:?}");
    }
}
