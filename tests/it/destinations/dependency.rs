//! `IASDependencyName`: the caller's token is exchanged for one for another application.

use serde_json::json;

use super::Town;

#[test]
fn the_backend_gets_the_exchanged_token() {
    let town = Town::new();
    let url = format!("http://{}", town.backend.address);
    let setup = town.setup(None);
    let server = setup
        .destination_with(&json!({"name": "personal", "url": url, "IASDependencyName": "erp"}))
        .destination_with(&json!({"name": "plain", "url": url, "IASDependencyName": "erp"}))
        .start();
    for user in ["ann", "bob", "ann"] {
        assert_eq!(town.ask(&server, "acme", "/user/x", Some(user)).status, 200);
        let sent = town.backend.take()[0].header("authorization");
        assert!(sent.starts_with(&format!("Bearer dependency.erp.portal.{user}.")), "{sent}");
    }
    let asked = town.subaccount.server.asked_for("POST /oauth2/token");
    assert!(asked.iter().all(|asked| asked.host == "t.ias.localhost"));
    assert_eq!(town.ask(&server, "acme", "/fixed/x", None).status, 200);
    assert_eq!(town.backend.take()[0].header("authorization"), "-", "nobody's token is not exchanged");
}

#[test]
fn without_an_ias_nothing_starts() {
    let town = Town::new();
    let mut services = town.subaccount.bindings(None);
    services.as_object_mut().unwrap().remove("identity");
    let destination = json!({"name": "plain", "url": "http://localhost:1", "IASDependencyName": "erp"});
    let (code, log) =
        town.setup(None).destination_with(&destination).variable("VCAP_SERVICES", services).refuse();
    assert_eq!(code, Some(1));
    assert!(log.contains("needs the identity service"), "{log}");
}
