//! Class 25 for destinations of the Destination service: what a request may name.

use serde_json::json;

use super::Town;

#[test]
fn requests_name_what_allows_it() {
    let town = Town::new();
    town.put("acme", "open", json!({}));
    town.put("acme", "closed", json!({"HTML5.DynamicDestination": "false"}));
    town.put("acme", "silent", json!({"HTML5.DynamicDestination": ""}));
    town.put(
        "acme",
        "personal",
        json!({"HTML5.DynamicDestination": "false", "Authentication": "OAuth2UserTokenExchange"}),
    );
    let server = town.setup(None).start();
    for (name, status) in [("open", 200), ("closed", 500), ("silent", 500), ("personal", 500), ("Open", 500)]
    {
        let reply = town.ask(&server, "acme", &format!("/to/{name}/x"), Some("ann"));
        assert_eq!(reply.status, status, "{name}: {reply:?}");
    }
    assert_eq!(town.backend.requests().len(), 1);
    assert!(
        town.subaccount.grants().iter().all(|grant| !grant.starts_with("jwt-bearer")),
        "no user was named"
    );
    let reply = town.ask(&server, "acme", "/user/x", Some("ann"));
    assert_eq!(reply.status, 200, "the configuration may name it all the same: {reply:?}");
}

#[test]
fn what_is_no_name_is_never_asked_for() {
    let town = Town::new();
    let server = town.setup(None).start();
    let long = "a".repeat(201);
    let names = [
        "127.0.0.1:1",
        "http:localhost",
        "a@b",
        "a%2fb",
        "a%20b",
        "%2e%2e",
        "..%2fx",
        "a;b",
        "a:b",
        "$1",
        "*",
        "[::1]",
        "a,b",
        "a!b",
        "~",
        "",
        &long,
    ];
    for name in names {
        let mut client = server.connect();
        client.send(format!("GET /open/{name}/x HTTP/1.1\r\nHost: acme.localhost\r\n\r\n"));
        let status = client.read().unwrap().status;
        assert!((400..=500).contains(&status), "{name}: {status}");
    }
    assert!(town.subaccount.server.asked().is_empty(), "{:?}", town.subaccount.server.asked());
}

#[test]
fn a_tenants_destination_is_no_other_tenants() {
    let town = Town::new();
    town.put("acme", "secret", json!({"Authentication": "OAuth2ClientCredentials"}));
    let server = town.setup(None).start();
    for _ in 0..5 {
        assert_eq!(town.ask(&server, "acme", "/open/secret/x", None).status, 200);
        let reply = town.ask(&server, "globex", "/open/secret/x", None);
        assert_eq!((reply.status, &*reply.code()), (500, "unknown_destination"));
    }
    assert!(town.backend.requests().iter().all(|seen| seen.header("x-tenant") == "acme"));
}
