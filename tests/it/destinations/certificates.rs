//! `forwardAuthCertificates`: the bound server's certificate, shown to a backend that asks for one.

use serde_json::{Value, json};

use crate::harness::standin::{Asked, StandIn, answer};
use crate::harness::tls::Identity;
use crate::harness::{Reply, Setup};

/// A backend that takes the certificate of `clients`, and says whether it was shown.
fn asking(identity: &Identity, clients: &Identity) -> StandIn {
    StandIn::start(identity.server_asking(clients), |_| {
        |asked: &Asked| answer(if asked.certificate { 200 } else { 403 }, &json!({}))
    })
}

fn setup(backend: &StandIn, identity: &Identity, services: &Value, more: &Value) -> Setup {
    let url = format!("https://localhost:{}", backend.address.port());
    let mut destination = json!({"name": "backend", "url": url});
    for (key, value) in more.as_object().unwrap() {
        destination[key] = value.clone();
    }
    let route = json!({"source": "^/(.*)$", "destination": "backend", "authenticationType": "none"});
    let setup = Setup::new(&json!({"authenticationMethod": "none", "routes": [route]}))
        .destination_with(&destination)
        .file("trusted.pem", &identity.certificate)
        .variable("VCAP_SERVICES", services.clone());
    let trusted = setup.path().join("trusted.pem").to_string_lossy().into_owned();
    setup.variable("XS_CACERT_PATH", trusted)
}

fn xsuaa(proof: &Value) -> Value {
    let mut credentials = json!({"clientid": "sb", "xsappname": "app", "url": "https://p.uaa.localhost",
        "uaadomain": "uaa.localhost"});
    for (key, value) in proof.as_object().unwrap() {
        credentials[key] = value.clone();
    }
    json!({"name": "uaa", "label": "xsuaa", "tags": ["xsuaa"], "credentials": credentials})
}

fn ias(client: &Identity) -> Value {
    json!({"name": "ias", "label": "identity", "credentials": {"clientid": "c",
        "url": "https://t.ias.localhost", "certificate": client.certificate, "key": client.key}})
}

fn shown(proof: &Identity) -> Value {
    json!({"certificate": proof.certificate, "key": proof.key.replace('\n', "\\n")})
}

fn ask(setup: Setup) -> Reply {
    setup.start().ask("GET /x", &[("Host", "app.example")])
}

#[test]
fn a_backend_sees_the_bound_certificate_where_it_is_to() {
    let (identity, client, other) =
        (Identity::new(&["localhost"]), Identity::new(&["client"]), Identity::new(&["other"]));
    let backend = asking(&identity, &client);
    let by_xsuaa = json!({"xsuaa": [xsuaa(&shown(&client))]});
    let both = json!({"xsuaa": [xsuaa(&shown(&other))], "identity": [ias(&client)]});
    let second = json!({"xsuaa": [xsuaa(&shown(&client))],
        "identity": [{"name": "ias", "label": "identity", "credentials":
            {"clientid": "c", "clientsecret": "s", "url": "https://t.ias.localhost"}}]});
    let on = json!({"forwardAuthCertificates": true});
    let rows = [
        (&by_xsuaa, &on, 200, "XSUAA's"),
        (&by_xsuaa, &json!({}), 403, "not asked for"),
        (&by_xsuaa, &json!({"forwardAuthCertificates": false}), 403, "refused"),
        (&both, &on, 200, "the IAS' goes before XSUAA's"),
        (&second, &on, 200, "the one that has any"),
    ];
    for (services, more, status, shows) in rows {
        assert_eq!(ask(setup(&backend, &identity, services, more)).status, status, "{shows}");
    }
}

#[test]
fn a_certificate_that_the_backend_does_not_know_gets_nobody_in() {
    let (identity, client, other) =
        (Identity::new(&["localhost"]), Identity::new(&["client"]), Identity::new(&["other"]));
    let backend = asking(&identity, &client);
    let services = json!({"xsuaa": [xsuaa(&shown(&other))]});
    let reply = ask(setup(&backend, &identity, &services, &json!({"forwardAuthCertificates": true})));
    assert_eq!(reply.status, 502, "{reply:?}");
}

#[test]
fn what_cannot_be_shown_is_warned_of() {
    let (identity, client) = (Identity::new(&["localhost"]), Identity::new(&["client"]));
    let backend = asking(&identity, &client);
    let on = json!({"forwardAuthCertificates": true});
    let secret = json!({"xsuaa": [xsuaa(&json!({"clientsecret": "s"}))]});
    let server = setup(&backend, &identity, &secret, &on).start();
    assert_eq!(server.ask("GET /x", &[("Host", "app.example")]).status, 403);
    assert!(server.log().contains("has `certificate` and `key`"), "{}", server.log());
    let plain = json!({"forwardAuthCertificates": true, "url": "http://localhost:1"});
    let services = json!({"xsuaa": [xsuaa(&shown(&client))]});
    let server = setup(&backend, &identity, &services, &plain).start();
    assert!(server.log().contains("no certificate is shown without TLS"), "{}", server.log());
}

#[test]
fn a_destination_of_the_service_brings_its_own_certificate() {
    use base64::Engine as _;
    let (identity, client) = (Identity::new(&["localhost"]), Identity::new(&["client"]));
    let (backend, town) = (asking(&identity, &client), super::Town::new());
    let encoded = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let store =
        |name: &str, text: &str| json!({"Name": name, "Content": encoded(text), "Type": "CERTIFICATE"});
    let stores = json!([
        store("own.pem", &format!("{}{}", client.certificate, client.key)),
        store("ca.pem", &identity.certificate),
        store("other.pem", &Identity::new(&["localhost"]).certificate),
    ]);
    let server = town.setup(None).start();
    let own = json!({"Authentication": "ClientCertificateAuthentication", "KeyStoreLocation": "own.pem",
        "TrustStoreLocation": "ca.pem", "URL": format!("https://localhost:{}", backend.address.port())});
    let with = |more: Value| {
        let mut properties = own.clone();
        for (key, value) in more.as_object().unwrap() {
            properties[key] = value.clone();
        }
        properties
    };
    let rows = [
        (own.clone(), 200, "shown, and trusted by its own authority"),
        (with(json!({"TrustStoreLocation": "other.pem"})), 502, "another authority vouches for nobody here"),
        (with(json!({"TrustStoreLocation": null})), 502, "nor do those of the web"),
        (with(json!({"TrustStoreLocation": null, "TrustAll": "true"})), 200, "nobody is asked"),
        (with(json!({"Authentication": "NoAuthentication"})), 403, "nothing is shown"),
    ];
    for (place, (properties, status, shows)) in rows.into_iter().enumerate() {
        town.put_with("acme", &format!("d{place}"), properties, stores.clone());
        let reply = town.ask(&server, "acme", &format!("/open/d{place}/x"), None);
        assert_eq!(reply.status, status, "{shows}: {reply:?}");
    }
}
