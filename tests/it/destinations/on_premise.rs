//! `OnPremise`: through a Connectivity proxy that learns who we are, and who the user is.

use serde_json::{Value, json};

use super::Town;
use crate::harness::Setup;
use crate::harness::proxy::ForwardProxy;
use crate::harness::websocket::{Echo, Socket};

fn environment(town: &Town, proxy: &ForwardProxy, more: &Value) -> Setup {
    let mut destination =
        json!({"name": "plain", "url": "http://virtual.host:8000/base", "proxyType": "OnPremise"});
    for (key, value) in more.as_object().unwrap() {
        destination[key] = value.clone();
    }
    let mut personal = destination.clone();
    personal["name"] = json!("personal");
    town.setup(Some(proxy.address.port())).destination_with(&destination).destination_with(&personal)
}

#[test]
fn the_proxy_learns_tenant_and_user() {
    let town = Town::new();
    let proxy = ForwardProxy::before(town.backend.address);
    let server = environment(&town, &proxy, &json!({})).start();
    for tenant in ["acme", "globex"] {
        assert_eq!(town.ask(&server, tenant, "/user/x?y=1", Some("ann")).status, 200);
        assert_eq!(proxy.lines().last().unwrap(), "GET http://virtual.host:8000/base/x?y=1 HTTP/1.1");
        let own = format!("Bearer app.{tenant}.connectivity.-.");
        assert!(
            proxy.last_header("proxy-authorization").starts_with(&own),
            "{}",
            proxy.heads().last().unwrap()
        );
        assert_eq!(proxy.last_header("sap-connectivity-authentication"), town.token(tenant, "ann"));
        assert_eq!(proxy.last_header("host"), "virtual.host:8000");
    }
    assert_eq!(town.ask(&server, "acme", "/fixed/x", None).status, 200);
    assert_eq!(proxy.last_header("sap-connectivity-authentication"), "-", "nobody is logged in");
    let seen = town.backend.requests();
    assert!(seen.iter().all(|seen| seen.header("authorization") == "-" && seen.header("x-tenant") != "-"));
    assert_eq!(town.subaccount.grants().len(), 2, "once for each tenant");
}

#[test]
fn a_websocket_is_asked_of_the_proxy_that_makes_no_tunnels() {
    let (town, echo) = (Town::new(), Echo::start());
    let proxy = ForwardProxy::before(echo.address);
    let mut application = super::routes();
    application["websockets"] = json!({"enabled": true});
    let setup = environment(&town, &proxy, &json!({})).file("xs-app.json", application.to_string());
    let server = setup.start();
    let token = town.token("acme", "ann");
    let more = [("Authorization", &*token)];
    let mut socket = Socket::open(server.address, "acme.localhost", "/user/chat", &more).unwrap();
    socket.echo("hello");
    assert_eq!(proxy.lines(), ["GET http://virtual.host:8000/base/chat HTTP/1.1"]);
    assert!(proxy.last_header("proxy-authorization").starts_with("Bearer app.acme.connectivity.-."));
    assert_eq!(proxy.last_header("sap-connectivity-authentication"), token);
    assert_eq!(echo.take()[0].header("proxy-authorization"), "-");
}

#[test]
fn a_client_says_nothing_to_the_proxy() {
    let town = Town::new();
    let proxy = ForwardProxy::before(town.backend.address);
    let server = environment(&town, &proxy, &json!({})).start();
    let forged = [
        ("Host", "acme.localhost"),
        ("SAP-Connectivity-Authentication", "Bearer forged"),
        ("SAP-Connectivity-SCC-Location_ID", "forged"),
        ("Proxy-Authorization", "Bearer forged"),
    ];
    assert_eq!(server.ask("GET /fixed/x", &forged).status, 200);
    assert!(!proxy.heads()[0].contains("forged"), "{}", proxy.heads()[0]);
}

#[test]
fn the_services_destinations_go_there_too() {
    let town = Town::new();
    let proxy = ForwardProxy::before(town.backend.address);
    let server = town.setup(Some(proxy.address.port())).start();
    let on_premise = |kind: &str| {
        json!({"URL": "http://erp.virtual:44300", "ProxyType": "OnPremise", "Authentication": kind,
               "CloudConnectorLocationId": "berlin", "User": "user", "Password": "pass"})
    };
    town.put("acme", "plain", on_premise("BasicAuthentication"));
    town.put("acme", "personal", on_premise("PrincipalPropagation"));
    assert_eq!(town.ask(&server, "acme", "/fixed/x", None).status, 200);
    assert_eq!(proxy.last_header("authorization"), "Basic dXNlcjpwYXNz");
    assert_eq!(proxy.last_header("sap-connectivity-authentication"), "-", "only where it is asked for");
    assert_eq!(proxy.last_header("sap-connectivity-scc-location_id"), "berlin");
    assert_eq!(town.ask(&server, "acme", "/user/x", Some("ann")).status, 200);
    assert_eq!(proxy.last_header("sap-connectivity-authentication"), town.token("acme", "ann"));
    assert_eq!(proxy.last_header("authorization"), "-");
    let reply = town.ask(&server, "acme", "/open/personal/x", None);
    assert_eq!((reply.status, &*reply.code()), (500, "destination_needs_user"), "nobody is logged in");
}

#[test]
fn what_cannot_work_is_refused_at_start() {
    let town = Town::new();
    let proxy = ForwardProxy::before(town.backend.address);
    let https = environment(&town, &proxy, &json!({"url": "https://virtual.host"}));
    let without = town
        .setup(None)
        .destination_with(&json!({"name": "plain", "url": "http://virtual.host", "proxyType": "OnPremise"}));
    for (setup, says) in [(https, "takes only http"), (without, "connectivity service, which is not bound")] {
        let (code, log) = setup.refuse();
        assert_eq!(code, Some(1));
        assert!(log.contains(says), "{log}");
    }
    let server = environment(&town, &proxy, &json!({"forwardAuthToken": true})).start();
    assert!(server.log().contains("`forwardAuthToken` has no effect"), "{}", server.log());
}
