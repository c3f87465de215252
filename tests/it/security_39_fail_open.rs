//! Class 39, configuration that would open a door when something is missing.
//!
//! Recipe: a missing file of authorities, key set, secret or issuer; a misspelt key; a broken file, each
//! at start and at reload. Must happen: it does not start, and when it runs it keeps the last good
//! configuration and says so.

use serde_json::{Value, json};

use super::harness::fixture::{ACME, Tenancy, routes};
use super::harness::{Backend, Setup};

/// Changes that break the table or the routes.
fn breakages(tenancy: &Tenancy) -> Vec<(&'static str, String, &'static str)> {
    let table = |change: &dyn Fn(&mut Value)| {
        let mut table = tenancy.table();
        change(&mut table);
        table.to_string()
    };
    let app = |change: &dyn Fn(&mut Value)| {
        let mut app = routes();
        change(&mut app);
        app.to_string()
    };
    vec![
        ("xs-app.json", "{".to_owned(), "half a file"),
        ("xs-app.json", String::new(), "an empty file"),
        ("xs-app.json", app(&|a| a["routes"][1]["authenticationTyp"] = json!("jwt")), "a misspelt key"),
        ("xs-app.json", app(&|a| a["routes"][1]["authenticationType"] = json!("JWT")), "an unknown value"),
        ("xs-app.json", app(&|a| a["routes"][1]["scope"] = json!([])), "an empty scope"),
        ("xs-app.json", app(&|a| a["routes"][1]["source"] = json!("(")), "a broken pattern"),
        ("xs-app.json", app(&|a| a["routes"][1]["destination"] = json!("nowhere")), "an unknown destination"),
        ("xs-tenants.json", "[]".to_owned(), "a table that is a list"),
        ("xs-tenants.json", table(&|t| t["tenant"] = json!({})), "a misspelt key of the table"),
        ("xs-tenants.json", table(&|t| t["trustedProxies"] = json!(["everyone"])), "a network that is none"),
        ("xs-tenants.json", table(&|t| t["tenants"]["Acme!"] = json!({})), "a key that is none"),
        (
            "xs-tenants.json",
            table(&|t| t["defaults"] = json!({"limits": {"concurrent": -1}})),
            "a negative limit",
        ),
    ]
}

#[test]
fn it_does_not_start() {
    let backend = Backend::start();
    let tenancy = Tenancy::new();
    for (file, text, shows) in breakages(&tenancy) {
        let (code, log) = tenancy.setup(backend.address).file(file, text).refuse();
        assert!(code.is_some_and(|code| code != 0), "{shows}: {code:?}\n{log}");
        assert!(log.contains(file), "{shows}: the file is not named in\n{log}");
    }
}

#[test]
fn a_tenant_whose_secrets_are_missing_is_not_open() {
    let backend = Backend::start();
    let tenancy = Tenancy::new();
    for (key, value) in
        [("jwks", json!({"file": "missing.json"})), ("clientSecret", json!({"env": "MISSING"}))]
    {
        let mut table = tenancy.table();
        table["tenants"]["acme"]["issuer"][key] = value;
        let setup = tenancy.setup(backend.address).tenants(&table);
        let started = setup.run(&["check"]).status.code();
        if started == Some(0) {
            // A tenant's part may be broken alone: then that tenant is not served, and the other is.
            let server = setup.start();
            let token = format!("Bearer {}", tenancy.acme.token(&json!({})));
            assert_eq!(server.ask("GET /jwt/x", &[ACME, ("Authorization", &token)]).status, 503, "{key}");
        }
    }
}

#[test]
fn a_missing_file_of_authorities_stops_the_start() {
    let backend = Backend::start();
    let setup = Setup::open(backend.address).variable("XS_CACERT_PATH", "missing.pem");
    let (code, log) = setup.refuse();
    assert!(code.is_some_and(|code| code != 0), "{log}");
}

#[test]
fn a_reload_keeps_the_last_good_one() {
    let backend = Backend::start();
    let tenancy = Tenancy::new();
    let server = tenancy.setup(backend.address).start();
    for (file, text, shows) in breakages(&tenancy) {
        let good = std::fs::read(server.path().join(file)).unwrap();
        std::fs::write(server.path().join(file), &text).unwrap();
        let reply = server.ask_admin("POST /reload");
        assert_ne!(reply.status, 200, "{shows}: {}", reply.text());
        assert_eq!(server.ask("GET /jwt/x", &[ACME]).status, 401, "{shows}");
        assert_eq!(server.ask("GET /pub/x", &[ACME]).status, 200, "{shows}");
        std::fs::write(server.path().join(file), good).unwrap();
        assert_eq!(server.ask_admin("POST /reload").status, 200, "back from {shows}");
    }
    std::fs::remove_file(server.path().join("xs-tenants.json")).unwrap();
    let _ = server.ask_admin("POST /reload");
    assert_ne!(server.ask("GET /jwt/x", &[ACME]).status, 200, "without the table");
}
