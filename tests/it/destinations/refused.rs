//! Destinations that are not there, are of no use, or cannot be looked up now.

use serde_json::{Value, json};

use super::Town;

#[test]
fn what_is_of_no_use_is_500_and_reaches_nobody() {
    let rows: [(Value, &str, &str); 7] = [
        (json!({"Type": "RFC"}), "destination_unusable", "it is not HTTP"),
        (json!({"URL": "ftp://localhost"}), "destination_unusable", "its URL is not HTTP's"),
        (json!({"URL": "http://user:pass@localhost"}), "destination_unusable", "a user in its URL"),
        (json!({"ProxyType": "OnPremise"}), "destination_unusable", "no Connectivity proxy is bound"),
        (json!({"Authentication": "OAuth2ToBeInvented"}), "destination_needs_user", "nobody is known"),
        (
            json!({"Authentication": "OAuth2UserTokenExchange"}),
            "destination_needs_user",
            "nobody is logged in",
        ),
        (
            json!({"Authentication": "ClientCertificateAuthentication", "KeyStoreLocation": "k.p12"}),
            "destination_unusable",
            "its certificate did not come",
        ),
    ];
    let town = Town::new();
    let server = town.setup(None).start();
    for (place, (properties, code, shows)) in rows.into_iter().enumerate() {
        town.put("acme", &format!("d{place}"), properties);
        let reply = town.ask(&server, "acme", &format!("/open/d{place}/x"), None);
        assert_eq!((reply.status, &*reply.code()), (500, code), "{shows}: {reply:?}");
    }
    let reply = town.ask(&server, "acme", "/open/nothing/x", None);
    assert_eq!((reply.status, &*reply.code()), (500, "unknown_destination"), "it is not there");
    assert!(town.backend.requests().is_empty());
}

#[test]
fn what_is_not_there_is_not_asked_for_again_at_once() {
    let town = Town::new();
    let server = town.setup(None).start();
    for _ in 0..5 {
        assert_eq!(town.ask(&server, "acme", "/open/nothing/x", None).status, 500);
    }
    assert_eq!(town.subaccount.lookups(), ["nothing in acme"]);
}

#[test]
fn a_service_that_is_down_is_503_for_what_was_not_found_before() {
    let town = Town::new();
    town.put("acme", "plain", json!({}));
    town.put("acme", "later", json!({}));
    let server = town.setup(None).start();
    assert_eq!(town.ask(&server, "acme", "/fixed/x", None).status, 200);
    town.subaccount.is_down(true);
    assert_eq!(town.ask(&server, "acme", "/fixed/x", None).status, 200, "what was found is used on");
    let reply = town.ask(&server, "acme", "/open/later/x", None);
    assert_eq!((reply.status, &*reply.code()), (503, "destination_unavailable"), "{reply:?}");
    assert!(!reply.header("retry-after").is_empty());
}

#[test]
fn a_token_that_is_refused_is_500() {
    let town = Town::new();
    let mut services = town.subaccount.bindings(None);
    services["destination"][0]["credentials"]["clientsecret"] = json!("wrong");
    let server = town.setup(None).variable("VCAP_SERVICES", services).start();
    let reply = town.ask(&server, "acme", "/fixed/x", None);
    assert_eq!((reply.status, &*reply.code()), (500, "destination_token_refused"), "{reply:?}");
}

#[test]
fn a_binding_that_cannot_be_used_is_refused_at_start() {
    let town = Town::new();
    for (key, value, says) in [
        ("uri", json!(""), "have no `uri`"),
        ("uri", json!("destination.localhost"), "http://"),
        ("clientsecret", json!(""), "neither `clientsecret`"),
        ("url", json!("nowhere"), "cannot be used"),
    ] {
        let mut services = town.subaccount.bindings(None);
        services["destination"][0]["credentials"][key] = value;
        let (code, log) = town.setup(None).variable("VCAP_SERVICES", services).refuse();
        assert_eq!(code, Some(1), "{key}");
        assert!(log.contains(says), "{key}: {log}");
    }
}
