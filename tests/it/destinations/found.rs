//! Destinations that the Destination service knows: which, for whom, and how often it is asked.

use std::thread;

use serde_json::{Value, json};

use super::Town;

#[test]
fn a_destination_is_looked_up_once_in_the_tenants_own_subaccount() {
    let town = Town::new();
    town.put("acme", "plain", json!({}));
    town.put("globex", "plain", json!({}));
    let server = town.setup(None).start();
    for _ in 0..3 {
        assert_eq!(town.ask(&server, "acme", "/fixed/a?b=c", None).status, 200);
        assert_eq!(town.ask(&server, "globex", "/fixed/a?b=c", None).status, 200);
    }
    let targets: Vec<String> = town.backend.requests().into_iter().map(|seen| seen.head.target).collect();
    assert_eq!(targets, ["/acme/a?b=c", "/globex/a?b=c"].repeat(3));
    assert_eq!(town.subaccount.lookups(), ["plain in acme", "plain in globex"], "once each");
    assert_eq!(
        town.subaccount.grants(),
        ["client_credentials of destination at acme", "client_credentials of destination at globex"]
    );
}

#[test]
fn prefer_local_means_the_providers() {
    let town = Town::new();
    town.put("acme", "plain", json!({}));
    town.put("provider", "plain", json!({}));
    let server = town.setup(None).start();
    assert_eq!(town.ask(&server, "acme", "/local/x", None).status, 200);
    assert_eq!(town.ask(&server, "acme", "/fixed/x", None).status, 200);
    let targets: Vec<String> = town.backend.requests().into_iter().map(|seen| seen.head.target).collect();
    assert_eq!(targets, ["/provider/x", "/acme/x"]);
}

#[test]
fn the_environments_destination_goes_first() {
    let town = Town::new();
    town.put("acme", "plain", json!({}));
    let server = town.setup(None).destination("plain", town.backend.address).start();
    assert_eq!(town.ask(&server, "acme", "/fixed/x", None).status, 200);
    assert_eq!(town.backend.only().head.target, "/x");
    assert!(town.subaccount.server.asked().is_empty());
}

#[test]
fn however_many_wait_one_asks() {
    let town = Town::new();
    town.put("acme", "plain", json!({}));
    let server = town.setup(None).start();
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| assert_eq!(town.ask(&server, "acme", "/fixed/x", None).status, 200));
        }
    });
    assert_eq!(town.subaccount.lookups(), ["plain in acme"]);
}

#[test]
fn what_comes_with_a_destination_is_sent() {
    let basic = "Basic dXNlcjpwYXNz";
    let rows: [(&str, Value, Option<&str>, &str); 6] = [
        ("NoAuthentication", json!({}), None, "-"),
        ("BasicAuthentication", json!({"User": "user", "Password": "pass"}), None, basic),
        ("OAuth2ClientCredentials", json!({}), None, "Bearer of-the-application-in-acme"),
        ("OAuth2Password", json!({}), Some("ann"), "Bearer of-the-application-in-acme"),
        ("OAuth2UserTokenExchange", json!({}), Some("ann"), "Bearer of-ann-in-acme"),
        ("OAuth2SAMLBearerAssertion", json!({}), Some("ann"), "Bearer of-ann-in-acme"),
    ];
    let town = Town::new();
    let server = town.setup(None).start();
    for (place, (kind, more, user, expected)) in rows.into_iter().enumerate() {
        let mut properties = json!({"Authentication": kind});
        for (key, value) in more.as_object().unwrap() {
            properties[key] = value.clone();
        }
        town.put("acme", &format!("d{place}"), properties);
        let way = if user.is_some() { "to" } else { "open" };
        let reply = town.ask(&server, "acme", &format!("/{way}/d{place}/x"), user);
        assert_eq!(reply.status, 200, "{kind}: {reply:?}");
        assert_eq!(town.backend.take()[0].header("authorization"), expected, "{kind}");
    }
}

#[test]
fn each_user_has_a_destination_of_its_own() {
    let town = Town::new();
    for tenant in ["acme", "globex"] {
        town.put(tenant, "personal", json!({"Authentication": "OAuth2UserTokenExchange"}));
    }
    let server = town.setup(None).start();
    let (ann, bob) = (town.token("acme", "ann"), town.token("acme", "bob"));
    let other = town.token("globex", "ann");
    for _ in 0..3 {
        for (host, token, expected) in [
            ("acme.localhost", &ann, "Bearer of-ann-in-acme"),
            ("acme.localhost", &bob, "Bearer of-bob-in-acme"),
            ("globex.localhost", &other, "Bearer of-ann-in-globex"),
        ] {
            let reply = server.ask("GET /user/x", &[("Host", host), ("Authorization", token)]);
            assert_eq!(reply.status, 200, "{reply:?}");
            assert_eq!(town.backend.take()[0].header("authorization"), expected);
        }
    }
    let mut lookups = town.subaccount.lookups();
    lookups.sort();
    // For the application, which tells that it is another for each user, and once for each user.
    let acme = ["personal in acme"].repeat(3);
    assert_eq!(lookups, [acme, ["personal in globex"].repeat(2)].concat());
    let exchanged = town.subaccount.grants().into_iter().filter(|grant| grant.starts_with("jwt-bearer"));
    assert_eq!(exchanged.count(), 3);
}

#[test]
fn every_property_is_honoured() {
    let town = Town::new();
    let server = town.setup(None).start();
    let ask = |name: &str, properties: Value, headers: &[(&str, &str)]| {
        town.put("acme", name, properties);
        let token = town.token("acme", "ann");
        let mut all = vec![("Host", "acme.localhost"), ("Authorization", &*token)];
        all.extend_from_slice(headers);
        let reply = server.ask(&format!("GET /to/{name}/x"), &all);
        assert_eq!(reply.status, 200, "{name}: {reply:?}");
        town.backend.take().remove(0)
    };
    let own = format!("localhost:{}", town.backend.address.port());
    let seen = ask("bare", json!({}), &[]);
    assert_eq!(seen.header("host"), own);
    assert_eq!(seen.header("authorization"), "-", "the caller's token is not forwarded");
    assert_eq!(seen.header("x-forwarded-host"), "acme.localhost");
    assert_eq!(
        ask("host", json!({"HTML5.PreserveHostHeader": "true"}), &[]).header("host"),
        "acme.localhost"
    );
    assert_eq!(
        ask("fwd", json!({"HTML5.SetXForwardedHeaders": "false"}), &[]).header("x-forwarded-host"),
        "-"
    );
    let seen = ask("token", json!({"HTML5.ForwardAuthToken": true}), &[]);
    assert_eq!(seen.header("authorization"), town.token("acme", "ann"));
    assert_eq!(
        ask("abap", json!({"sap-client": "100"}), &[("sap-client", "200")]).header("sap-client"),
        "100"
    );
    let header = json!({"URL.headers.X-Api-Key": "configured"});
    assert_eq!(ask("key", header.clone(), &[]).header("x-api-key"), "configured");
    let seen = ask("key2", header, &[("X-Api-Key", "the client's")]);
    assert_eq!(seen.header("x-api-key"), "the client's", "what the request says is not overwritten");
    let dependency = ask("ias", json!({"HTML5.IASDependencyName": "erp"}), &[]);
    assert!(dependency.header("authorization").starts_with("Bearer dependency.erp.portal.ann."));
}

#[test]
fn no_property_says_who_somebody_is() {
    let town = Town::new();
    let names = [
        "x-tenant",
        "x-tenant-id",
        "tenantid",
        "x-user-name",
        "x-user-email",
        "x_user_name",
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "x-forwarded-host",
        "x-forwarded-for",
        "x-tenant-assertion",
        "proxy-authorization",
        "sap-connectivity-authentication",
    ];
    let mut properties = json!({"HTML5.SetXForwardedHeaders": "false"});
    for name in names {
        properties[format!("URL.headers.{name}")] = json!("forged");
    }
    town.put("acme", "plain", properties);
    let server = town.setup(None).start();
    assert_eq!(town.ask(&server, "acme", "/fixed/x", None).status, 200);
    let seen = town.backend.only();
    let forged: Vec<_> = seen.head.lines.iter().filter(|(_, value)| value == "forged").collect();
    assert!(forged.is_empty(), "{forged:?}");
    assert_eq!(seen.header("x-tenant"), "acme");
}

#[test]
fn explaining_asks_nobody() {
    let town = Town::new();
    town.put("acme", "plain", json!({}));
    let setup = town.setup(None);
    let output = setup.run(&["explain", "http://acme.localhost/fixed/x"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("unknown_destination"), "{text}");
    assert!(town.subaccount.server.asked().is_empty());
}
