//! Who is shown to a service, and how often its authorization server is asked for that.

use std::collections::BTreeSet;

use serde_json::json;

use super::super::harness::fixture::ACME;
use super::super::harness::websocket::{Echo, Socket};
use super::super::harness::{Backend, Client, Provider, Setup, Tab};
use super::{CLIENT, EXCHANGE, SECRET, Stage, Uaa, binding};

#[test]
fn a_callers_token_becomes_one_for_the_service() {
    let stage = Stage::set(&json!({"URL.headers.x-api-key": "k3y", "grant_type": "user_token"}));
    let token = stage.token("acme", "ann");
    let seen = stage.served("acme", "GET /data/Countries?$top=1", &token);
    assert_eq!(seen.head.target, "/odata/v2/Countries?$top=1", "behind the endpoint's own path");
    assert_eq!(seen.header("authorization"), "Bearer acme.user.1");
    assert_eq!(seen.header("x-api-key"), "k3y");
    assert_eq!(seen.header("x-tenant"), "acme");
    assert_eq!(seen.header("x-forwarded-path"), "/data/Countries");
    assert_eq!(seen.header("host"), stage.service.address.to_string());
    let asked = stage.uaa.asked();
    assert_eq!(asked.len(), 1);
    for (name, value) in [
        ("grant_type", EXCHANGE),
        ("assertion", token.strip_prefix("Bearer ").unwrap()),
        ("client_id", CLIENT),
        ("client_secret", SECRET),
        ("zone", "acme"),
    ] {
        assert_eq!(asked[0].get(name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!(asked[0].len(), 5, "and nothing else: {:?}", asked[0]);
}

#[test]
fn endpoints_and_aliases_share_what_was_exchanged() {
    let stage = Stage::set(&json!({}));
    let token = stage.token("acme", "ann");
    for (path, expected) in
        [("GET /data/a", "/odata/v2/a"), ("GET /config/a", "/rest/a"), ("GET /alias/a?b", "/whole/a?b")]
    {
        let seen = stage.served("acme", path, &token);
        assert_eq!(seen.head.target, expected, "{path}");
        assert_eq!(seen.header("authorization"), "Bearer acme.user.1", "{path}");
    }
    assert_eq!(stage.uaa.asked().len(), 1, "one authorization server, one caller");
}

#[test]
fn tenants_and_callers_never_share_a_token() {
    let stage = Stage::set(&json!({}));
    let mut shown = BTreeSet::new();
    let tokens: Vec<_> = [("acme", "ann"), ("acme", "bob"), ("globex", "ann"), ("globex", "bob")]
        .map(|(tenant, subject)| (tenant, stage.token(tenant, subject)))
        .into();
    for round in 0..3 {
        for (tenant, token) in &tokens {
            let sent = stage.served(tenant, "GET /data/x", token).header("authorization");
            assert!(sent.starts_with(&format!("Bearer {tenant}.user.")), "{sent}");
            assert_eq!(shown.insert(sent), round == 0, "remembered from the first round on");
        }
    }
    assert_eq!(shown.len(), 4);
    let asked = stage.uaa.asked();
    assert_eq!(asked.iter().filter(|asked| asked["zone"] == "acme").count(), 2);
    assert_eq!(asked.len(), 4);
}

#[test]
fn a_hundred_concurrent_requests_cause_one_exchange() {
    let stage = Stage::set(&json!({}));
    let token = stage.token("acme", "ann");
    let request = format!("GET /data/x HTTP/1.1\r\nHost: acme.localhost\r\nAuthorization: {token}\r\n\r\n");
    let mut clients: Vec<Client> = (0..100).map(|_| stage.server.connect()).collect();
    for client in &mut clients {
        client.send(&request);
    }
    for mut client in clients {
        assert_eq!(client.read().unwrap().status, 200);
    }
    let seen = stage.service.take();
    assert_eq!(seen.len(), 100);
    assert!(seen.iter().all(|request| request.header("authorization") == "Bearer acme.user.1"));
    assert_eq!(stage.uaa.asked().len(), 1);
}

#[test]
fn the_application_itself_is_shown_where_the_binding_says_so() {
    for (registered, zone, shows) in [
        (json!(true), "acme", "subscribers know the service: their own zone"),
        (json!(false), "provider", "they do not: the subaccount that it was bound in"),
    ] {
        let more = json!({"grant_type": "client_credentials", "saasregistryenabled": registered});
        let stage = Stage::set(&more);
        let (ann, bob) = (stage.token("acme", "ann"), stage.token("acme", "bob"));
        for caller in [&ann, &bob, &ann] {
            let seen = stage.served("acme", "GET /data/x", caller);
            assert_eq!(seen.header("authorization"), format!("Bearer {zone}.own.1"), "{shows}");
        }
        let globex = stage.token("globex", "ann");
        let seen = stage.served("globex", "GET /data/x", &globex);
        assert!(seen.header("authorization").ends_with(".own.2"), "{shows}: each tenant its own token");
        let asked = stage.uaa.asked();
        assert_eq!(asked.len(), 2, "{shows}");
        assert!(asked.iter().all(|asked| asked["grant_type"] == "client_credentials"), "{shows}");
        assert_eq!(asked[0]["zone"], zone, "{shows}");
        assert!(!asked[0].contains_key("assertion"), "{shows}");
    }
}

#[test]
fn nobody_is_called_for_nobody() {
    let stage = Stage::set(&json!({"grant_type": "client_credentials"}));
    let rows: [(&str, &[(&str, &str)], u16, &str); 5] = [
        ("GET /app/x", &[("Sec-Fetch-Mode", "cors")], 401, "a script without a session"),
        ("POST /app/x", &[], 401, "a form of nobody"),
        ("GET /data/x", &[], 401, "no token"),
        ("GET /open/x", &[], 401, "a route for everyone"),
        ("GET /open/x", &[("Authorization", "Bearer x")], 401, "what is not looked at there"),
    ];
    for (line, headers, status, shows) in rows {
        let mut all = vec![ACME];
        all.extend(headers);
        let reply = stage.server.ask(line, &all);
        assert_eq!((reply.status, reply.code().as_str()), (status, "unauthenticated"), "{shows}");
    }
    assert!(stage.service.take().is_empty(), "the service heard of nobody");
    assert!(stage.uaa.asked().is_empty(), "and no token was asked for");
    let token = stage.token("acme", "ann");
    let reply = stage.server.ask("GET /open/x", &[ACME, ("x-approuter-authorization", &token)]);
    assert_eq!(reply.status, 200, "who shows a token is somebody everywhere");
    let seen = stage.service.only();
    assert_eq!(seen.header("authorization"), "Bearer provider.own.1");
    let other = stage.token("globex", "ann");
    let reply = stage.server.ask("GET /data/x", &[ACME, ("Authorization", &other)]);
    assert_eq!(reply.status, 401, "but not with another tenant's");
}

#[test]
fn a_session_is_exchanged_as_its_own_token_is() {
    let (provider, service, uaa) = (Provider::start(), Backend::start(), Uaa::start());
    let bound = json!({"country": [binding(&service, &uaa, &json!({}))]});
    let server = Setup::new(&json!({"routes": super::routes()}))
        .tenants(&json!({"hosts": ["{tenant}.localhost"],
                         "tenants": {"acme": {"issuer": provider.configuration()}}}))
        .variable("VCAP_SERVICES", bound)
        .start();
    let mut browser = Tab::at(&server, "acme.localhost");
    assert_eq!(browser.fetch("GET /app/x", &[]).status, 401);
    assert_eq!(browser.log_in(&provider, "/app/x").status, 302);
    for _ in 0..2 {
        assert_eq!(browser.fetch("GET /app/x", &[]).status, 200);
        let seen = service.only();
        assert_eq!(seen.head.target, "/odata/v2/app/x");
        assert_eq!(seen.header("authorization"), "Bearer acme.user.1");
        assert_eq!(seen.header("cookie"), "-", "the session stays here");
    }
    let asked = uaa.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0]["assertion"].split('.').count(), 3, "the session's own token");
    let reply = browser.fetch("POST /app/x", &[]);
    assert_eq!(reply.header("x-csrf-token"), "Required", "a session's requests are protected as everywhere");
    assert!(service.take().is_empty());
}

#[test]
fn a_service_may_get_the_token_of_an_ias_too() {
    let change = |setup: Setup| {
        let tenancy = super::Tenancy::new();
        let mut table = tenancy.table();
        table["tenants"]["acme"]["issuer"]["type"] = "ias".into();
        setup.tenants(&table)
    };
    for (forward, shows) in [(json!("true"), "asked for"), (json!(false), "not asked for")] {
        let wanted = forward == "true";
        let stage = Stage::set_with(&json!({"forwardiastoken": forward}), &json!({}), change);
        let more = json!({"app_tid": "id-acme"});
        let token = format!("Bearer {}", stage.tenancy.acme.token(&more));
        let host = [ACME, ("Authorization", token.as_str()), ("x-ias-token", "forged")];
        assert_eq!(stage.server.ask("GET /data/x", &host).status, 200, "{shows}");
        let seen = stage.service.only();
        assert_eq!(seen.header("authorization"), "Bearer acme.user.1", "{shows}");
        let expected = if wanted { &token["Bearer ".len()..] } else { "forged" };
        assert_eq!(seen.header("x-ias-token"), expected, "{shows}");
        if wanted {
            let other = stage.token("globex", "ann");
            let host = [("Host", "globex.localhost"), ("Authorization", &other), ("x-ias-token", "forged")];
            assert_eq!(stage.server.ask("GET /data/x", &host).status, 200);
            assert_eq!(
                stage.service.only().header("x-ias-token"),
                "-",
                "no IAS, no token, least of all theirs"
            );
        }
    }
}

#[test]
fn a_websocket_to_a_service_has_its_token_too() {
    let echo = Echo::start();
    let endpoint = json!({"url": format!("http://{}/socket", echo.address)});
    let more = json!({"endpoints": {"data": endpoint, "config": endpoint}, "URL.headers.x-api-key": "k3y"});
    let stage = Stage::set_with(&more, &json!({"websockets": {"enabled": true}}), |setup| setup);
    let token = stage.token("acme", "ann");
    let headers = [("Authorization", token.as_str())];
    let mut socket = Socket::open(stage.server.address, "acme.localhost", "/data/chat", &headers).unwrap();
    socket.echo("hello");
    let [seen] = echo.take().try_into().unwrap();
    assert_eq!((seen.target.as_str(), seen.header("x-api-key")), ("/socket/chat", "k3y".to_owned()));
    assert_eq!(seen.header("authorization"), "Bearer acme.user.1");
    let refused = Socket::open(stage.server.address, "acme.localhost", "/data/chat", &[]);
    assert_eq!(refused.err().map(|reply| reply.status), Some(401));
    assert_eq!(stage.uaa.asked().len(), 1);
}

#[test]
fn explaining_asks_nobody() {
    let stage = Stage::set(&json!({}));
    let token = stage.tenancy.acme.token(&json!({}));
    std::fs::write(stage.server.path().join("token"), token).unwrap();
    let reply = stage.server.ask_admin("GET /explain?url=http://acme.localhost/data/x");
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(stage.uaa.asked().is_empty());
}
