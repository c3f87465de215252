//! Class 28, line breaks that come from the configuration or a token.
//!
//! Recipe: CR, LF and NUL in configured headers, tenant names and ids, cache control, the welcome file, error pages;
//! the same in claims that become headers. Must happen: the configuration is refused with its place, a
//! claim arrives percent-encoded or not at all.

use serde_json::{Value, json};

use super::harness::fixture::{ACME, Tenancy, bearer, routes};
use super::harness::{Backend, Setup};

const BREAKS: [&str; 4] = ["a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rX-Evil: 1", "a\u{0}b"];

fn refused(setup: &Setup, shows: &str) {
    let output = setup.run(&["check", "--format", "json"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{shows}: {text}");
    let report: Value = serde_json::from_str(&text).unwrap();
    let errors =
        report["problems"].as_array().unwrap().iter().filter(|problem| problem["severity"] == "error");
    let placed = errors.filter(|problem| problem["file"].is_string() || problem["key"].is_string()).count();
    assert!(placed > 0, "{shows}: {text}");
}

#[test]
fn configured_values_with_line_breaks_do_not_compile() {
    let backend = Backend::start();
    let tenancy = Tenancy::new();
    for text in BREAKS {
        let mut table = tenancy.table();
        table["tenants"]["acme"]["id"] = json!(text);
        refused(&tenancy.setup(backend.address).tenants(&table), "a tenant's id");
        let mut table = tenancy.table();
        table["headers"] = json!({"tenant": text});
        refused(&tenancy.setup(backend.address).tenants(&table), "the name of a header");
        let mut table = tenancy.table();
        table["tenants"][text] = json!({"id": "x"});
        refused(&tenancy.setup(backend.address).tenants(&table), "a tenant's key");
        let mut xs_app = routes();
        xs_app["routes"][0] = json!({"source": "^/f/(.*)$", "localDir": "web", "target": "$1",
                                     "authenticationType": "none", "cacheControl": text});
        let setup = tenancy.setup(backend.address).file("xs-app.json", xs_app.to_string()).file("web/a", "x");
        refused(&setup, "cache control");
        for headers in [json!([{"name": "X-A", "value": text}]), json!([{"name": text, "value": "1"}])] {
            let mut xs_app = routes();
            xs_app["responseHeaders"] = headers;
            let setup = tenancy.setup(backend.address).file("xs-app.json", xs_app.to_string());
            refused(&setup, "a header of every answer");
        }
        for headers in [json!([{"X-A": text}]), json!([{text: "1"}])] {
            refused(
                &tenancy.setup(backend.address).variable("httpHeaders", headers),
                "the same in the environment",
            );
        }
        let mut xs_app = routes();
        xs_app["errorPage"] = json!([{"status": 404, "path": format!("/{text}")}]);
        let setup = tenancy.setup(backend.address).file("xs-app.json", xs_app.to_string());
        refused(&setup, "where browsers are sent");
    }
}

#[test]
fn claims_become_one_clean_header_or_none() {
    let backend = Backend::start();
    let tenancy = Tenancy::new();
    let server = tenancy.setup(backend.address).start();
    let long = "a".repeat(3_000);
    let odd = [
        "a\r\nX-Evil: 1",
        "a\nb",
        "a\u{0}b",
        "Grüße",
        "a, b",
        "\u{7f}",
        " a ",
        "",
        long.as_str(),
        "%0d%0aX-Evil: 1",
    ];
    for text in odd {
        let claims =
            json!({"preferred_username": text, "user_name": text, "email": text, "name": text, "sub": text});
        let token = bearer(&tenancy.acme.token(&claims));
        let reply = server.ask("GET /jwt/x", &[ACME, ("Authorization", &token)]);
        for request in backend.take() {
            assert_eq!(request.all("x-evil"), Vec::<&str>::new(), "{text:?}");
            for name in ["x-user-name", "x-user-email"] {
                for value in request.alike(name) {
                    assert!(
                        value.bytes().all(|byte| (0x20..0x7f).contains(&byte)),
                        "{text:?} became {value:?}"
                    );
                }
            }
        }
        assert!(matches!(reply.status, 200 | 401 | 431 | 400), "{text:?}: {}", reply.status);
    }
}

#[test]
fn a_target_with_line_breaks_sends_nothing() {
    let backend = Backend::start();
    for text in BREAKS {
        let xs_app = json!({"authenticationMethod": "none", "routes": [
            {"source": "^/(.*)$", "destination": "backend", "target": format!("/{text}/$1"), "authenticationType": "none"},
        ]});
        let setup = Setup::new(&xs_app).destination("backend", backend.address);
        if setup.run(&["check"]).status.code() == Some(0) {
            assert_eq!(setup.start().ask("GET /x", &[]).status, 400, "{text:?}");
        }
    }
    assert_eq!(backend.requests().len(), 0);
}

#[test]
fn a_rewritten_path_cannot_carry_a_line_break_into_an_answer() {
    let backend = Backend::start();
    let xs_app = json!({"authenticationMethod": "none", "welcomeFile": "/a b\r\nX-Evil: 1", "routes": []});
    let setup = Setup::new(&xs_app).destination("unused", backend.address);
    let output = setup.run(&["check", "--format", "json"]);
    if output.status.code() == Some(0) {
        let reply = setup.start().ask("GET /", &[]);
        assert_eq!(reply.header("x-evil"), "");
    }
}
