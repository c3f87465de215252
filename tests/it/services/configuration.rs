//! What a binding or a section may say, and what is said of one that cannot be used.

use serde_json::{Value, json};
use vestibule::config::{Environment, Severity};

use super::super::config::{folder, load};

fn credentials() -> Value {
    json!({
        "sap.cloud.service": "com.sap.country", "sap.cloud.service.alias": "country",
        "endpoints": {"data": {"url": "https://country.test/odata", "timeout": 120_000}},
        "url": "https://country.test",
        "uaa": {"clientid": "c", "clientsecret": "s3cret", "url": "https://provider.uaa.test",
                "uaadomain": "uaa.test"},
    })
}

/// The problems of one route to a service, `code key`, without the notes on open routes.
fn problems(route: &Value, services: &Value, credentials: &Value) -> Vec<String> {
    let mut app = json!({"routes": [{"source": "^/a", "authenticationType": "jwt"}], "services": services});
    for (key, value) in route.as_object().unwrap() {
        app["routes"][0][key] = value.clone();
    }
    let folder = folder(&app.to_string());
    let issuer = json!({"url": "https://idp.test", "audience": ["a"], "clientId": "a"});
    let tenants = json!({"hosts": ["{tenant}.test"], "tenants": {"acme": {"issuer": issuer}}});
    std::fs::write(folder.path().join("xs-tenants.json"), tenants.to_string()).unwrap();
    let bound = json!({"x": [{"name": "country-instance", "label": "x", "credentials": credentials}],
                       "app-front": [{"name": "front", "label": "app-front", "credentials": {}}]});
    let loaded = load(folder.path(), Environment::from([("VCAP_SERVICES", bound.to_string())]));
    assert_eq!(loaded.snapshot.is_none(), loaded.problems.refuse(), "{}", loaded.problems);
    assert!(!loaded.problems.to_string().contains("s3cret"), "{}", loaded.problems);
    let told = loaded.problems.iter().filter(|problem| problem.code != "public_route");
    told.map(|problem| {
        let mark = if problem.severity == Severity::Error { "" } else { "~" };
        format!("{mark}{} {}", problem.code, problem.key)
    })
    .collect()
}

fn with(change: &Value) -> Value {
    let mut credentials = credentials();
    for (name, value) in change.as_object().unwrap() {
        if value.is_null() {
            credentials.as_object_mut().unwrap().remove(name);
        } else {
            credentials[name] = value.clone();
        }
    }
    credentials
}

#[test]
fn a_route_names_a_service_that_is_bound_and_an_endpoint_that_it_has() {
    let rows: &[(Value, Value, &[&str], &str)] = &[
        (json!({"service": "com.sap.country", "endpoint": "data"}), json!({}), &[], "as documented"),
        (json!({"service": "country"}), json!({}), &[], "by its alias, as a whole"),
        (json!({"service": "country-instance"}), json!({}), &[], "by the instance's name"),
        (json!({"service": "com.sap.contry"}), json!({}), &["unknown_service routes[0].service"], "misspelt"),
        (
            json!({"service": "com.sap.country", "endpoint": "dta"}),
            json!({}),
            &["unknown_endpoint routes[0].endpoint"],
            "an endpoint it does not have",
        ),
        (
            json!({"service": "com.sap.country"}),
            json!({"com.sap.country": {"endpoint": "dta"}}),
            &["unknown_endpoint routes[0].service"],
            "the same in its section",
        ),
        (
            json!({"service": "app-front"}),
            json!({}),
            &["~not_supported_yet routes[0].service"],
            "a service whose content is not forwarded to is refused by name",
        ),
        (
            json!({"service": "html5-apps-repo-rt"}),
            json!({}),
            &["unknown_service routes[0].service"],
            "another one, which is not even bound",
        ),
        (
            json!({"service": "com.sap.country", "authenticationType": "none"}),
            json!({}),
            &["~service_for_nobody routes[0].authenticationType"],
            "nobody is known",
        ),
        (
            json!({"service": "com.sap.country"}),
            json!({"other": {"logoutPath": "/x"}}),
            &["~unused_service services.other"],
            "a section for nothing",
        ),
        (
            json!({"service": "com.sap.country"}),
            json!({"com.sap.country": {"logoutPath": "/x", "logoutMethod": "PUT", "endpoint": "data"}}),
            &[],
            "every key of a section",
        ),
        (
            json!({"service": "com.sap.country"}),
            json!({"com.sap.country": {"logoutMethod": "FETCH"}}),
            &["unknown_value services.com.sap.country.logoutMethod"],
            "no method",
        ),
        (
            json!({"service": "com.sap.country"}),
            json!({"com.sap.country": {"logoutpath": "/x"}}),
            &["unknown_key services.com.sap.country.logoutpath"],
            "no key",
        ),
    ];
    for (route, services, expected, shows) in rows {
        let mut found = problems(route, services, &credentials());
        found.sort();
        let mut expected: Vec<String> = expected.iter().map(|text| (*text).to_owned()).collect();
        expected.sort();
        assert_eq!(found, expected, "{shows}");
    }
}

#[test]
fn a_binding_says_everything_that_a_call_needs() {
    let uaa = |change: Value| {
        let mut uaa = credentials()["uaa"].clone();
        for (name, value) in change.as_object().unwrap() {
            uaa[name] = value.clone();
        }
        json!({ "uaa": uaa })
    };
    let flat = json!({"clientid": "c", "clientsecret": "s3cret", "url": "https://uaa.test",
                      "uri": "https://country.test", "uaa": null, "endpoints": null});
    let rows: Vec<(Value, &str, &str)> = vec![
        (json!({}), "", "as documented"),
        (json!({"grant_type": "client_credentials", "saasregistryenabled": true}), "", "both, written out"),
        (json!({"grant_type": "password"}), "unknown_value", "another grant"),
        (json!({"url": null, "uri": "https://country.test"}), "", "`uri` for `url`"),
        (json!({"url": null}), "missing_endpoint", "neither, and no endpoint"),
        (flat, "", "the authorization server is not set apart"),
        (json!({"url": "ftp://country.test"}), "unusable_url", "no HTTP"),
        (json!({"uaa": "text"}), "malformed_credential", "no object"),
        (json!({"endpoints": [1]}), "malformed_credential", "no object either"),
        (uaa(json!({"clientid": ""})), "missing_credential", "no client"),
        (uaa(json!({"clientsecret": ""})), "missing_credential", "no proof"),
        (uaa(json!({"url": "uaa.test"})), "unusable_credential", "no URL"),
        (
            uaa(json!({"clientsecret": "", "certificate": "x", "key": "y"})),
            "unusable_certificate",
            "no certificate",
        ),
        (json!({"URL.headers.x-a": "b"}), "", "a header"),
        (json!({"URL.headers.x-a": "b\nc"}), "unusable_header", "a line break"),
        (json!({"URL.headers.a b": "c"}), "unusable_header", "no name"),
        (json!({"URL.headers.Authorization": "x"}), "unusable_header", "the service's token stands there"),
        (json!({"URL.headers.X-Tenant": "globex"}), "unusable_header", "only we say whose it is"),
        (json!({"URL.headers.x_tenant": "globex"}), "unusable_header", "in any form"),
        (json!({"URL.headers.x-forwarded-host": "h"}), "unusable_header", "nor where it came from"),
        (json!({"URL.headers.Transfer-Encoding": "chunked"}), "unusable_header", "nor how it is framed"),
        (json!({"URL.headers.Host": "h"}), "unusable_header", "nor whom it is for"),
    ];
    for (change, expected, shows) in rows {
        let found = problems(&json!({"service": "com.sap.country"}), &json!({}), &with(&change));
        let found: Vec<&str> = found.iter().map(|text| text.split(' ').next().unwrap()).collect();
        let expected: Vec<&str> = Some(expected).filter(|code| !code.is_empty()).into_iter().collect();
        assert_eq!(found, expected, "{shows}");
    }
}

#[test]
fn an_endpoint_is_an_object_or_an_address() {
    let rows = [
        (json!({"url": "https://country.test/x"}), "", "an object"),
        (json!({"url": "https://country.test/x", "timeout": "5"}), "", "a number as text"),
        (json!("https://country.test/x"), "", "the address alone"),
        (json!({"url": "https://country.test/x", "timeout": 0}), "out_of_range", "no time"),
        (json!({"timeout": 5}), "missing_credential", "no address"),
        (json!(""), "missing_credential", "an empty one"),
        (json!({"url": "https://country.test/x", "URL.headers.Host": "h"}), "unusable_header", "its headers"),
    ];
    for (endpoint, expected, shows) in rows {
        let route = json!({"service": "com.sap.country", "endpoint": "data"});
        let found = problems(&route, &json!({}), &with(&json!({"endpoints": {"data": endpoint}})));
        let found: Vec<&str> = found.iter().map(|text| text.split(' ').next().unwrap()).collect();
        let expected: Vec<&str> = Some(expected).filter(|code| !code.is_empty()).into_iter().collect();
        assert_eq!(found, expected, "{shows}");
    }
}
