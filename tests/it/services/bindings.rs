//! Bindings in their other forms: with a certificate, and as files that change.

use std::fs;

use serde_json::json;

use super::super::harness::fixture::{ACME, Tenancy};
use super::super::harness::standin::{StandIn, answer};
use super::super::harness::tls::Identity;
use super::super::harness::{Backend, Server, Setup};
use super::{CLIENT, Uaa, routes};

fn ask(server: &Server, tenancy: &Tenancy) -> u16 {
    let token = format!("Bearer {}", tenancy.acme.token(&json!({})));
    server.ask("GET /data/x", &[ACME, ("Authorization", &token)]).status
}

#[test]
fn a_certificate_proves_who_the_application_is() {
    let (tenancy, service) = (Tenancy::new(), Backend::start());
    let identity = Identity::new(&["*.uaa.localhost", "*.cert.localhost"]);
    let client = Identity::new(&["client"]);
    let uaa = StandIn::start(identity.server_asking(&client), |_| {
        |asked: &super::super::harness::standin::Asked| {
            let known = asked.certificate && asked.said("client_id") == CLIENT;
            let token = json!({"access_token": asked.host, "token_type": "bearer", "expires_in": 60});
            if known { answer(200, &token) } else { answer(401, &json!({"error": "invalid_client"})) }
        }
    });
    let port = uaa.address.port();
    let credentials = json!({
        "sap.cloud.service": "com.sap.country", "url": format!("http://{}", service.address),
        "endpoints": {"data": format!("http://{}", service.address),
                      "config": format!("http://{}", service.address)},
        "uaa": {"clientid": CLIENT, "credential-type": "x509", "tenantmode": "shared",
                "certificate": client.certificate.replace('\n', "\\n"), "key": client.key,
                "url": format!("https://provider.uaa.localhost:{port}"), "uaadomain": "uaa.localhost",
                "certurl": format!("https://provider.cert.localhost:{port}")},
    });
    let bound = json!({"country": [{"name": "country", "label": "country", "credentials": credentials}]});
    let setup = Setup::new(&json!({"routes": routes()}))
        .tenants(&tenancy.table())
        .file("trusted.pem", &identity.certificate)
        .variable("VCAP_SERVICES", bound);
    let trusted = setup.path().join("trusted.pem").to_string_lossy().into_owned();
    let server = setup.variable("XS_CACERT_PATH", trusted).start();
    assert_eq!(ask(&server, &tenancy), 200);
    assert_eq!(service.only().header("authorization"), "Bearer acme.cert.localhost", "in the tenant's zone");
    let asked = uaa.asked_for("POST /oauth/token");
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].said("client_secret"), "");
}

#[test]
fn a_rotated_secret_counts_from_the_next_reload_on() {
    let (tenancy, service, uaa) = (Tenancy::new(), Backend::start(), Uaa::start());
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("country");
    fs::create_dir(&folder).unwrap();
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    let address = service.address;
    let mut credentials = uaa.credentials();
    let right = credentials["clientsecret"].clone();
    credentials["clientsecret"] = "old".into();
    write("type", "country");
    write("sap.cloud.service", "com.sap.country");
    write("sap.cloud.service.alias", "country");
    write("url", &format!("http://{address}"));
    write(
        "endpoints",
        &json!({"data": {"url": format!("http://{address}/data")},
                               "config": format!("http://{address}")})
        .to_string(),
    );
    write("uaa", &credentials.to_string());
    let server = Setup::new(&json!({"routes": routes()}))
        .tenants(&tenancy.table())
        .variable("SERVICE_BINDING_ROOT", root.path().to_string_lossy().into_owned())
        .start();
    assert_eq!(ask(&server, &tenancy), 502, "the secret has been rotated");
    credentials["clientsecret"] = right;
    write("uaa", &credentials.to_string());
    assert_eq!(server.ask_admin("POST /reload").status, 200);
    assert_eq!(ask(&server, &tenancy), 200, "at once, whatever was remembered of the old one");
    assert_eq!(service.only().header("authorization"), "Bearer acme.user.2");
    write("uaa", "{");
    assert_eq!(server.ask_admin("POST /reload").status, 422, "what cannot be read changes nothing");
    assert_eq!(ask(&server, &tenancy), 200);
}
