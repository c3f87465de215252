//! Logins at IAS: an issuer of its own for each tenant, or a binding for the only one.

use serde_json::{Value, json};

use super::super::harness::ias::{CLIENT, Ias, SECRET};
use super::super::harness::roamer::Roamer;
use super::super::harness::{Backend, Server};
use super::{assert_refused, at, claims_sent, is_logged_in, is_refreshed, setup};

/// IAS with two tenants, the backend, the router, and a browser.
fn start() -> (Ias, Backend, Server, Roamer) {
    let (ias, backend) = (Ias::start(), Backend::start());
    let issuer = |tenant: &str| json!({"type": "ias", "url": ias.url(tenant), "clientId": CLIENT, "clientSecret": SECRET});
    let table = json!({
        "hosts": ["{tenant}.localhost"],
        "tenants": {
            "acme": {"id": "id-acme", "issuer": issuer("acme")},
            "globex": {"id": "id-globex", "issuer": issuer("globex")},
        }
    });
    let server = setup("ias", backend.address, &ias.identity, &json!({})).tenants(&table).start();
    let browser = Roamer::new(&ias.identity);
    (ias, backend, server, browser)
}

#[test]
fn each_tenant_logs_in_at_its_own_host() {
    let (ias, backend, server, mut browser) = start();
    for tenant in ["acme", "globex"] {
        let reply = browser.open(&at(&server, tenant, "/app/x"));
        assert_eq!(reply.status, 200, "{reply:?}");
        let claims = claims_sent(&backend);
        assert_eq!(claims["app_tid"], format!("id-{tenant}"), "the ID token is the bearer token");
        assert_eq!(claims["iss"], ias.url(tenant));
    }
    let asked = ias.server.asked_for("POST /oauth2/token");
    assert_eq!(asked[0].host, "acme.ias.localhost");
    assert_eq!(asked[0].said("client_secret"), SECRET);
    assert_eq!(ias.server.asked_for("GET /oauth2/authorize")[0].said("scope"), "openid");
    let acme = browser.jar["acme.localhost"].clone();
    browser.jar.insert("globex.localhost".into(), acme);
    assert!(!is_logged_in(&mut browser, &server, "globex"), "a cookie of acme's is nothing to globex");
}

#[test]
fn a_token_is_refreshed_before_it_expires() {
    let (ias, backend, server, mut browser) = start();
    ias.lives(4);
    assert_eq!(browser.open(&at(&server, "acme", "/app/x")).status, 200);
    let first = claims_sent(&backend)["jti"].clone();
    ias.lives(3600);
    assert!(is_refreshed(&mut browser, &server, &backend, &first));
    let asked = ias.server.asked_for("POST /oauth2/token");
    assert_eq!(asked.last().unwrap().said("grant_type"), "refresh_token");
}

#[test]
fn a_logout_ends_the_login_at_ias_too() {
    let (ias, backend, server, mut browser) = start();
    assert_eq!(browser.open(&at(&server, "acme", "/app/x")).status, 200);
    let bearer = backend.requests().last().unwrap().header("authorization");
    assert_eq!(browser.open(&at(&server, "acme", "/do/logout")).status, 200);
    let asked = ias.server.asked_for("GET /oauth2/logout");
    assert_eq!(asked.len(), 1);
    assert_eq!(format!("Bearer {}", asked[0].said("id_token_hint")), bearer);
    assert_eq!(asked[0].said("post_logout_redirect_uri"), at(&server, "acme", "/bye"));
    assert!(!is_logged_in(&mut browser, &server, "acme"));
}

#[test]
fn a_password_is_exchanged_for_a_token() {
    let (_ias, backend, server, mut browser) = start();
    // ann:secret of ann
    let headers = [("Authorization", "Basic YW5uOnNlY3JldCBvZiBhbm4=")];
    assert_eq!(browser.fetch("GET", &at(&server, "acme", "/basic/x"), &headers).status, 200);
    assert_eq!(claims_sent(&backend)["sub"], "user-ann");
    let headers = [("Authorization", "Basic YW5uOndyb25n")];
    assert_eq!(browser.fetch("GET", &at(&server, "acme", "/basic/x"), &headers).status, 401);
}

#[test]
fn a_certificate_proves_who_the_application_is() {
    let (ias, backend) = (Ias::start(), Backend::start());
    let server = setup("ias", backend.address, &ias.identity, &ias.binding("acme")).start();
    let mut browser = Roamer::new(&ias.identity);
    let reply = browser.open(&at(&server, "app", "/app/x"));
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(claims_sent(&backend)["app_tid"], "id-acme");
    let asked = ias.server.asked_for("POST /oauth2/token");
    assert!(asked[0].certificate && asked[0].said("client_secret").is_empty());
    let discovery = ias.server.asked_for("GET /.well-known/openid-configuration");
    assert!(discovery.iter().all(|asked| !asked.certificate), "it is shown to the token endpoint alone");
}

#[test]
fn a_token_of_another_tenant_or_client_is_no_login() {
    let (ias, backend, server, mut browser) = start();
    let rows: [(Value, &str, &str); 5] = [
        (json!({"app_tid": "id-globex"}), "login_token_invalid", "another tenant's"),
        (json!({"app_tid": "id-acme", "zone_uuid": "id-globex"}), "login_token_invalid", "two tenants'"),
        (json!({"aud": "other"}), "login_token_invalid", "a wrong audience"),
        (json!({"iss": ias.url("globex")}), "login_token_invalid", "another tenant's issuer"),
        (json!({"nonce": "x"}), "nonce_mismatch", "another login's"),
    ];
    for (says, code, shows) in rows {
        ias.says(says);
        let reply = browser.open(&at(&server, "acme", "/app/x"));
        assert_refused(&reply, &mut browser, &server, code, shows);
    }
    assert!(backend.requests().is_empty());
}
