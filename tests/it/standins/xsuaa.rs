//! Logins at XSUAA: one binding for all tenants, a zone for each.

use serde_json::{Value, json};

use super::super::harness::roamer::Roamer;
use super::super::harness::xsuaa::{CLIENT, SECRET, Xsuaa};
use super::super::harness::{Backend, Server};
use super::{assert_refused, at, claims_sent, is_logged_in, is_refreshed, setup};

/// XSUAA, the backend, the router bound by secret or certificate, and a browser.
fn start(by_certificate: bool) -> (Xsuaa, Backend, Server, Roamer) {
    let (xsuaa, backend) = (Xsuaa::start(), Backend::start());
    let table = json!({"tenants": {"acme": {"id": "id-acme"}, "globex": {"id": "id-globex"}}});
    let server = setup("xsuaa", backend.address, &xsuaa.identity, &xsuaa.binding(by_certificate))
        .variable("TENANT_HOST_PATTERN", r"^(.*)\.localhost$")
        .tenants(&table)
        .start();
    let browser = Roamer::new(&xsuaa.identity);
    (xsuaa, backend, server, browser)
}

#[test]
fn each_tenant_logs_in_at_its_own_zone() {
    let (xsuaa, backend, server, mut browser) = start(false);
    for tenant in ["acme", "globex"] {
        let reply = browser.open(&at(&server, tenant, "/app/x?y=1"));
        assert_eq!(reply.status, 200, "{reply:?}");
        assert!(browser.history.last().unwrap().ends_with("/app/x?y=1"), "back where the user wanted to go");
        let claims = claims_sent(&backend);
        assert_eq!(claims["zid"], format!("id-{tenant}"), "the zone's own token");
        assert_eq!(backend.requests().last().unwrap().header("x-tenant"), tenant);
    }
    let asked = xsuaa.server.asked_for("POST /oauth/token");
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].host, "acme.uaa.localhost");
    assert_eq!(asked[0].said("client_secret"), SECRET);
    assert!(asked[0].said("code_verifier").len() >= 43);
    let acme = browser.jar["acme.localhost"].clone();
    browser.jar.insert("globex.localhost".into(), acme);
    assert!(is_logged_in(&mut browser, &server, "acme"));
    assert!(!is_logged_in(&mut browser, &server, "globex"), "a cookie of acme's is nothing to globex");
    assert_eq!(xsuaa.server.asked_for("GET /oauth/authorize").len(), 2, "once each");
}

#[test]
fn a_token_is_refreshed_before_it_expires() {
    let (xsuaa, backend, server, mut browser) = start(false);
    xsuaa.lives(4);
    assert_eq!(browser.open(&at(&server, "acme", "/app/x")).status, 200);
    let first = claims_sent(&backend)["jti"].clone();
    xsuaa.lives(3600);
    assert!(is_refreshed(&mut browser, &server, &backend, &first), "seconds are less than JWT_REFRESH");
    let second = claims_sent(&backend)["jti"].clone();
    let before = xsuaa.server.asked_for("POST /oauth/token");
    assert_eq!(before.first().map(|asked| asked.said("grant_type")), Some("authorization_code"));
    assert!(before[1..].iter().all(|asked| asked.said("grant_type") == "refresh_token"));
    assert!(is_logged_in(&mut browser, &server, "acme"));
    assert_eq!(claims_sent(&backend)["jti"], second, "an hour is more");
    assert_eq!(xsuaa.server.asked_for("POST /oauth/token").len(), before.len());
}

#[test]
fn a_refused_refresh_ends_the_session() {
    let (xsuaa, backend, server, mut browser) = start(false);
    xsuaa.lives(4);
    assert_eq!(browser.open(&at(&server, "acme", "/app/x")).status, 200);
    let first = claims_sent(&backend)["jti"].clone();
    xsuaa.says(json!({"zid": "id-globex"}));
    assert!(!is_refreshed(&mut browser, &server, &backend, &first), "the new token is another tenant's");
    assert!(!is_logged_in(&mut browser, &server, "acme"), "and it stays so");
}

#[test]
fn a_logout_ends_the_login_at_xsuaa_too() {
    let (xsuaa, _backend, server, mut browser) = start(false);
    assert_eq!(browser.open(&at(&server, "acme", "/app/x")).status, 200);
    let reply = browser.open(&at(&server, "acme", "/do/logout"));
    assert_eq!(reply.status, 200, "{reply:?}");
    let asked = xsuaa.server.asked_for("GET /logout.do");
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].host, "acme.uaa.localhost");
    assert_eq!(asked[0].said("client_id"), CLIENT);
    assert_eq!(asked[0].said("redirect"), at(&server, "acme", "/bye"));
    assert_eq!(browser.history.last(), Some(&at(&server, "acme", "/bye")));
    assert!(!is_logged_in(&mut browser, &server, "acme"));
}

#[test]
fn a_password_is_exchanged_for_a_token() {
    let (xsuaa, backend, server, mut browser) = start(false);
    let basic = |text: &str| format!("Basic {}", base64(text));
    let rows = [
        (Some(basic("ann:secret of ann")), 200, "right"),
        (Some(basic("ann:wrong")), 401, "wrong"),
        (None, 401, "none"),
    ];
    for (authorization, status, shows) in rows {
        let headers: Vec<(&str, &str)> =
            authorization.iter().map(|text| ("Authorization", &**text)).collect();
        let reply = browser.fetch("GET", &at(&server, "acme", "/basic/x"), &headers);
        assert_eq!(reply.status, status, "{shows}: {reply:?}");
        if status == 401 {
            assert!(reply.header("www-authenticate").starts_with("Basic"), "{shows}: {reply:?}");
        } else {
            assert_eq!(
                claims_sent(&backend)["grant_type"],
                "password",
                "the token is passed on, not the password"
            );
        }
    }
    let asked = xsuaa.server.asked_for("POST /oauth/token");
    assert!(asked.iter().all(|asked| asked.host == "acme.uaa.localhost"));
    assert_eq!(backend.requests().len(), 1);
}

#[test]
fn a_certificate_proves_who_the_application_is() {
    let (xsuaa, backend, server, mut browser) = start(true);
    assert_eq!(browser.open(&at(&server, "acme", "/app/x")).status, 200);
    assert_eq!(claims_sent(&backend)["zid"], "id-acme");
    let asked = xsuaa.server.asked_for("POST /oauth/token");
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].host, "acme.cert.localhost", "certurl, in the tenant's zone");
    assert!(asked[0].certificate);
    assert_eq!(asked[0].said("client_secret"), "");
    let others =
        xsuaa.server.asked().into_iter().filter(|asked| !asked.what.starts_with("POST /oauth/token"));
    assert!(others.into_iter().all(|asked| !asked.certificate), "it is shown to nobody else");
}

#[test]
fn a_token_of_another_zone_or_application_is_no_login() {
    let (xsuaa, backend, server, mut browser) = start(false);
    let others = json!({"cid": "other", "client_id": "other", "azp": "other", "aud": ["other"]});
    let rows: [(Value, &str); 4] = [
        (json!({"zid": "id-globex"}), "a wrong zid"),
        (json!({"zid": "id-globex", "ext_attr": {"zdn": "acme"}}), "a zid that zdn contradicts"),
        (others, "a wrong audience"),
        (json!({"iss": "https://globex.uaa.localhost/oauth/token"}), "another zone's issuer"),
    ];
    for (says, shows) in rows {
        xsuaa.says(says);
        let reply = browser.open(&at(&server, "acme", "/app/x"));
        assert_refused(&reply, &mut browser, &server, "login_token_invalid", shows);
    }
    assert!(backend.requests().is_empty());
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
