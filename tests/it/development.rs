//! `serve --dev`: somebody's own configuration, without the services it is written for.
//!
//! The folders hold what a project holds that runs on a platform with XSUAA and IAS; nothing is bound
//! and nothing of the network is asked.

use serde_json::json;

use super::harness::browser::{Browser, Page};
use super::harness::{Backend, Server, Setup};

/// A project that has an `xs-app.json` and nothing else.
fn project(backend: &Backend) -> Setup {
    let routes = json!([
        {"source": "^/api/(.*)$", "target": "/$1", "destination": "backend",
         "authenticationType": "xsuaa", "scope": ["$XSAPPNAME.Display", "$XSAPPNAME.Edit"]},
        {"source": "^/ias/(.*)$", "target": "/$1", "destination": "backend", "authenticationType": "ias"},
        {"source": "^/(.*)$", "destination": "backend"},
    ]);
    let app = json!({
        "routes": routes,
        "logout": {"logoutEndpoint": "/logout", "backChannelLogoutEndpoint": "/back-channel"},
    });
    Setup::new(&app).destination("backend", backend.address).flags(&["--dev"])
}

fn log_in(browser: &mut Browser, page: &Page, fields: &[(&str, &str)]) -> Page {
    assert!(page.text().contains("Who are you?"), "no login page but {page:?}");
    browser.submit(page, "request", fields)
}

/// Waits for a line of the notice, which comes by another stream than the addresses.
fn await_notice(server: &Server, text: &str) {
    if !server.log().contains(text) {
        server.await_line(text);
    }
}

fn url(server: &Server, host: &str, path: &str) -> String {
    format!("http://{host}:{}{path}", server.address.port())
}

#[test]
fn routes_for_services_that_are_not_bound_have_a_login() {
    let backend = Backend::start();
    let server = project(&backend).start();
    await_notice(&server, "everyone may log in as anyone");
    let mut browser = Browser::default();
    let page = browser.open(&url(&server, "localhost", "/api/orders?x=1"));
    for scope in ["application!t1.Display", "application!t1.Edit"] {
        assert!(page.text().contains(scope), "{scope} can be ticked: {}", page.text());
    }
    let there = log_in(&mut browser, &page, &[("user", "chloe"), ("scope", "application!t1.Edit")]);
    assert_eq!(
        (there.reply.status, there.url.as_str()),
        (200, url(&server, "localhost", "/api/orders?x=1").as_str())
    );
    let seen = backend.only();
    assert_eq!((seen.head.target.as_str(), seen.header("x-user-name").as_str()), ("/orders?x=1", "chloe"));
    assert_eq!(browser.open(&url(&server, "localhost", "/ias/x")).reply.status, 200, "and for IAS");
}

#[test]
fn a_scope_that_was_not_ticked_is_missing() {
    let backend = Backend::start();
    let server = project(&backend).start();
    let mut browser = Browser::default();
    let page = browser.open(&url(&server, "localhost", "/api/orders"));
    let refused = log_in(&mut browser, &page, &[("user", "alice")]);
    assert_eq!(refused.reply.status, 403, "{refused:?}");
    assert_eq!(browser.open(&url(&server, "localhost", "/")).reply.status, 200, "but she is logged in");
}

#[test]
fn every_tenant_of_the_table_has_a_host_and_a_login_of_its_own() {
    let backend = Backend::start();
    let table = json!({
        "defaults": {"issuer": {"url": "https://{tenant}.idp.example.test", "clientId": "portal",
                                "clientSecret": {"env": "NOT_ON_THIS_MACHINE"}}},
        "tenants": {"acme": {"id": "1"}, "globex": {"id": "2", "issuer": {"url": "https://globex.example.test"}}},
    });
    let server = project(&backend).tenants(&table).start();
    let mut browser = Browser::default();
    for (tenant, id) in [("acme", "1"), ("globex", "2")] {
        let there = url(&server, &format!("{tenant}.localhost"), "/hello");
        await_notice(&server, &format!("http://{tenant}.localhost:"));
        let page = browser.open(&there);
        assert!(page.url.contains(&format!("/{tenant}/authorize")), "each has a login: {}", page.url);
        assert_eq!(log_in(&mut browser, &page, &[("user", "bob")]).reply.status, 200);
        let seen = backend.take().pop().expect("a request");
        assert_eq!((seen.header("x-tenant").as_str(), seen.header("x-tenant-id").as_str()), (tenant, id));
    }
    assert_eq!(browser.open(&url(&server, "initech.localhost", "/")).reply.status, 404, "not in the table");
}

#[test]
fn the_issuer_ends_a_session_behind_the_back() {
    let backend = Backend::start();
    let server = project(&backend).start();
    let mut browser = Browser::default();
    let home = url(&server, "localhost", "/");
    let login = browser.open(&home);
    let issuer = login.url.split("/authorize").next().expect("an address").to_owned();
    assert_eq!(log_in(&mut browser, &login, &[("user", "alice")]).reply.status, 200);
    let sessions = browser.open(&format!("{issuer}/sessions"));
    let told = browser.submit(&sessions, "session", &[("action", "tell")]);
    assert!(told.url.ends_with("news=told"), "{told:?}");
    assert!(browser.open(&home).text().contains("Who are you?"), "the session is gone");
}

#[test]
fn a_bound_service_gets_the_development_token_and_its_server_is_not_asked() {
    let (backend, service) = (Backend::start(), Backend::start());
    let app = json!({"routes": [{"source": "^/data/(.*)$", "target": "$1", "service": "com.sap.country"}]});
    let uaa =
        json!({"clientid": "c", "clientsecret": "s", "url": "https://not-on-this-machine.example.test"});
    let credentials = json!({"sap.cloud.service": "com.sap.country", "uaa": uaa,
                             "url": format!("http://{}", service.address)});
    let bound = json!({"country": [{"name": "country", "label": "country", "credentials": credentials}]});
    let server = Setup::new(&app)
        .destination("backend", backend.address)
        .variable("VCAP_SERVICES", bound)
        .flags(&["--dev"])
        .start();
    let mut browser = Browser::default();
    let page = browser.open(&url(&server, "localhost", "/data/x"));
    assert_eq!(log_in(&mut browser, &page, &[("user", "chloe")]).reply.status, 200);
    let seen = service.only();
    assert_eq!((seen.head.target.as_str(), seen.header("x-user-name").as_str()), ("/x", "chloe"));
    assert_eq!(seen.header("authorization").split('.').count(), 3, "the development issuer's");
}

#[test]
fn it_is_for_this_machine_alone() {
    let backend = Backend::start();
    for (name, value, shows) in [
        ("XS_BIND_ADDRESS", "0.0.0.0", "every address"),
        ("XS_BIND_ADDRESS", "::", "every address of IPv6"),
        ("VCAP_APPLICATION", "{\"application_id\": \"x\"}", "Cloud Foundry"),
    ] {
        let (code, log) = project(&backend).variable(name, value).refuse();
        assert_eq!(code, Some(1), "{shows}: {log}");
        assert!(log.contains("everyone log in as anyone"), "{shows}: {log}");
    }
}
