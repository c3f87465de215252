//! `services.<name>.logoutPath`: a service hears of a logout, with the token that it knows the person by.

use serde_json::json;

use super::super::harness::{Backend, Provider, Setup, Tab};
use super::{Uaa, binding};

#[test]
fn a_service_hears_of_a_logout() {
    let (provider, service, uaa) = (Provider::start(), Backend::start(), Uaa::start());
    let bound = json!({"country": [binding(&service, &uaa, &json!({"URL.headers.x-api-key": "k3y"}))]});
    let app = json!({
        "routes": [
            {"source": "^/app/(.*)$", "service": "com.sap.country", "authenticationType": "oidc"},
            {"source": "^/alias/(.*)$", "service": "country", "authenticationType": "oidc"},
        ],
        "logout": {"logoutEndpoint": "/logout"},
        "services": {
            "com.sap.country": {"endpoint": "data", "logoutPath": "/bye?all=1", "logoutMethod": "PUT"},
            "country": {"endpoint": "config", "logoutPath": "bye"},
        },
    });
    let server = Setup::new(&app)
        .tenants(&json!({"hosts": ["{tenant}.localhost"],
                         "tenants": {"acme": {"issuer": provider.configuration()}}}))
        .variable("VCAP_SERVICES", bound)
        .start();
    let mut browser = Tab::at(&server, "acme.localhost");
    browser.log_in(&provider, "/app/x");
    assert_eq!(browser.fetch("GET /app/x", &[]).status, 200);
    assert_eq!(service.only().head.target, "/odata/v2/app/x", "the section says which endpoint");
    assert_eq!(browser.navigate("/logout").status, 302);
    let mut seen = service.take();
    seen.sort_by(|one, other| one.head.method.cmp(&other.head.method));
    let told: Vec<_> = seen.iter().map(|r| (r.head.method.as_str(), r.head.target.as_str())).collect();
    assert_eq!(told, [("POST", "/rest/bye"), ("PUT", "/odata/v2/bye?all=1")]);
    for request in &seen {
        assert_eq!(request.header("authorization"), "Bearer acme.user.1", "the token it knows");
        assert_eq!(request.header("x-api-key"), "k3y");
        assert_eq!(request.header("x-tenant"), "acme");
        assert_eq!(request.header("cookie"), "-");
    }
    assert_eq!(uaa.asked().len(), 1);
}

#[test]
fn nobody_is_kept_from_leaving_by_a_service_that_cannot_be_told() {
    let (provider, service, uaa) = (Provider::start(), Backend::start(), Uaa::start());
    uaa.says(401, r#"{"error":"invalid_client"}"#);
    let bound = json!({"country": [binding(&service, &uaa, &json!({}))]});
    let app = json!({
        "routes": [{"source": "^/app/(.*)$", "service": "com.sap.country", "authenticationType": "oidc"}],
        "logout": {"logoutEndpoint": "/logout"},
        "services": {"com.sap.country": {"logoutPath": "/bye"}},
    });
    let server = Setup::new(&app)
        .tenants(&json!({"hosts": ["{tenant}.localhost"],
                         "tenants": {"acme": {"issuer": provider.configuration()}}}))
        .variable("VCAP_SERVICES", bound)
        .start();
    let mut browser = Tab::at(&server, "acme.localhost");
    browser.log_in(&provider, "/app/x");
    assert_eq!(browser.navigate("/logout").status, 302);
    assert!(service.take().is_empty(), "without a token it is told nothing");
    server.await_line("a backend does not hear of a logout");
    assert_eq!(browser.fetch("GET /app/x", &[]).status, 401);
}
