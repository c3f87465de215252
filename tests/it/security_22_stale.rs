//! Class 22, authorisation that has changed since the login.
//!
//! Recipe: while somebody is logged in, the tenant is suspended or gone, the route asks for a scope, the
//! issuer or the client is another. Must happen: seen as soon as the configuration is.

use serde_json::{Value, json};

use super::harness::Provider;
use super::logged_in::{Stage, routes};

fn table(acme: &Value) -> String {
    json!({"hosts": ["{tenant}.localhost"], "tenants": {"acme": acme}}).to_string()
}

/// Replaces a file and has it read.
fn change(stage: &Stage, file: &str, text: &str) {
    std::fs::write(stage.server.path().join(file), text).unwrap();
    let reply = stage.server.ask_admin("POST /reload");
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[test]
fn what_changes_in_the_configuration_counts_for_sessions() {
    let stage = Stage::set();
    let issuer = stage.acme.configuration();
    let other = Provider::start();
    let mut foreign_client = issuer.clone();
    foreign_client["clientId"] = json!("other");
    let browser = stage.logged_in();
    for (acme, status, code, shows) in [
        (json!({"issuer": issuer}), 200, "-", "as it was"),
        (json!({"issuer": issuer, "status": "suspended"}), 403, "tenant_suspended", "suspended"),
        (json!({"issuer": issuer}), 200, "-", "and back"),
        (json!({"issuer": other.configuration()}), 401, "unauthenticated", "another issuer"),
        (json!({"issuer": foreign_client}), 401, "unauthenticated", "another client"),
        (json!({"issuer": issuer}), 200, "-", "and back"),
    ] {
        change(&stage, "xs-tenants.json", &table(&acme));
        let reply = browser.clone().fetch("GET /app/x", &[]);
        let code_seen = if reply.status == 200 { "-".to_owned() } else { reply.code() };
        assert_eq!((reply.status, code_seen.as_str()), (status, code), "{shows}");
    }
}

#[test]
fn a_route_that_asks_for_more_asks_sessions_as_well() {
    let stage = Stage::set();
    let mut browser = stage.logged_in();
    assert_eq!(browser.fetch("GET /app/x", &[]).status, 200);
    let mut changed = routes();
    changed["routes"][1]["scope"] = json!("admin");
    change(&stage, "xs-app.json", &changed.to_string());
    let reply = browser.fetch("GET /app/x", &[]);
    assert_eq!((reply.status, reply.code().as_str()), (403, "missing_scope"));
    changed["routes"][1]["authenticationType"] = json!("jwt");
    change(&stage, "xs-app.json", &changed.to_string());
    assert_eq!(browser.fetch("GET /app/x", &[]).status, 401, "no cookie is looked at any more");
}
