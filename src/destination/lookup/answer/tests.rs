//! Answers of the Destination service: what is understood, and what is refused.

use serde_json::json;

use super::super::service::{DestinationServiceSpec, Surroundings};
use super::*;
use crate::auth::{ClientAuthentication, ServiceCredentials, ServiceCredentialsSpec, TokenServer};
use crate::destination::Proxy;
use crate::destination::TlsPolicy;
use crate::destination::particulars::{Connectivity, IasClient};
use crate::secret::Secret;

fn credentials() -> Arc<ServiceCredentials> {
    let spec = ServiceCredentialsSpec {
        client_id: "c".into(),
        authentication: ClientAuthentication::Secret(Secret::new("s")),
        server: TokenServer::At("https://uaa.example/oauth/token".into()),
        parameters: Vec::new(),
    };
    Arc::new(ServiceCredentials::compile(spec).unwrap())
}

fn service(uri: &str, surrounded: bool) -> DestinationService {
    let surroundings = Surroundings {
        connectivity: surrounded.then(|| Connectivity {
            proxy: Proxy { host: "proxy.internal".into(), port: 20003 },
            credentials: credentials(),
        }),
        certificate: None,
        ias: surrounded.then(|| IasClient {
            client_id: "ias".into(),
            authentication: ClientAuthentication::Secret(Secret::new("s")),
            url: "https://t.ias.example".into(),
        }),
    };
    let spec = DestinationServiceSpec { uri: uri.into(), credentials: credentials(), surroundings };
    DestinationService::compile(spec).unwrap()
}

fn key() -> Key {
    Key { service: [0; 32], local: false, tenant: None, id: None, name: "be".into(), user: None }
}

/// What comes of `properties` beside a name, a type and a URL, with `more` members of the answer.
#[expect(clippy::needless_pass_by_value, reason = "what is written in place is given away")]
fn understood(properties: Value, more: Value, for_user: bool) -> Result<Read, Unusable> {
    let mut answer = json!({"owner": {"SubaccountId": "x", "InstanceId": null},
        "destinationConfiguration": {"Name": "be", "Type": "HTTP", "URL": "https://h.example/base"}});
    for (name, value) in properties.as_object().unwrap() {
        answer["destinationConfiguration"][name] = value.clone();
    }
    for (name, value) in more.as_object().unwrap() {
        answer[name] = value.clone();
    }
    read(answer.to_string().as_bytes(), &service("https://d.example", true), &key(), for_user)
}

fn destination(properties: Value, more: Value) -> Arc<super::super::super::Destination> {
    understood(properties, more, true).unwrap().found.destination.unwrap()
}

fn bearer(value: &str) -> Value {
    json!({"authTokens": [{"type": "Bearer", "value": value, "expires_in": "3600",
        "http_header": {"key": "Authorization", "value": format!("Bearer {value}")}}]})
}

#[test]
fn properties_are_understood() {
    let plain = destination(json!({}), json!({}));
    assert_eq!(&*plain.base, "/base");
    assert!(plain.set_x_forwarded_headers && !plain.forward_auth_token && plain.timeout.is_none());
    assert_eq!(plain.endpoint.tls, Some(TlsPolicy::Verified));
    assert_eq!(plain.endpoint.reach, Reach::OtherMachines);
    let full = destination(
        json!({"HTML5.Timeout": "1500", "HTML5.SetXForwardedHeaders": "false", "HTML5.ForwardAuthToken": "true",
            "HTML5.PreserveHostHeader": "true", "sap-client": "100", "URL.headers.X-Api-Key": "k",
            "TrustAll": "true", "HTML5.IASDependencyName": "backend", "HTML5.Nothing": "x"}),
        json!({}),
    );
    assert_eq!(full.timeout, Some(Duration::from_millis(1500)));
    assert!(!full.set_x_forwarded_headers && full.forward_auth_token);
    assert_eq!(full.endpoint.tls, Some(TlsPolicy::Unverified));
    let particulars = full.particulars.as_ref().unwrap();
    assert!(particulars.preserve_host && particulars.dependency.is_some());
    assert_eq!(particulars.headers[0].0, "x-api-key");
    assert!(particulars.headers[0].1.is_sensitive());
    assert_eq!(particulars.credentials[0], ("sap-client".parse().unwrap(), HeaderValue::from_static("100")));
}

#[test]
fn who_the_caller_is_follows_from_the_authentication() {
    let basic = "Basic dXNlcjpwYXNz";
    let rows: [(&str, Value, bool, Result<&str, &str>, &str); 13] = [
        ("NoAuthentication", json!({}), false, Ok("-"), "nobody"),
        (
            "BasicAuthentication",
            json!({"User": "user", "Password": "pass"}),
            false,
            Ok(basic),
            "by its parts",
        ),
        ("BasicAuthentication", json!({"User": "user"}), false, Err("none came"), "without a password"),
        ("OAuth2ClientCredentials", bearer("t"), false, Ok("Bearer t"), "the application's token"),
        ("OAuth2Password", bearer("t"), false, Ok("Bearer t"), "a technical user's"),
        ("OAuth2ClientCredentials", json!({}), false, Err("none came"), "no token"),
        ("OAuth2UserTokenExchange", bearer("t"), false, Ok("user"), "nobody is named"),
        ("OAuth2UserTokenExchange", bearer("t"), true, Ok("Bearer t"), "a user's token"),
        ("OAuth2SAMLBearerAssertion", bearer("t"), false, Ok("user"), "nobody is named"),
        ("OAuth2JWTBearer", bearer("t"), true, Ok("Bearer t"), "a user's token"),
        ("SAMLAssertion", bearer("t"), true, Ok("Bearer t"), "a user's assertion"),
        ("OAuth2ToBeInvented", json!({}), true, Err("none came"), "one that is not known"),
        ("PrincipalPropagation", json!({}), true, Err("proxy type"), "without a Cloud Connector"),
    ];
    for (kind, more, for_user, expected, shows) in rows {
        let tokens = more.get("authTokens").map_or(json!({}), |tokens| json!({"authTokens": tokens}));
        let mut properties = if more.get("authTokens").is_some() { json!({}) } else { more };
        properties["Authentication"] = json!(kind);
        match (understood(properties, tokens, for_user), expected) {
            (Ok(read), Ok(expected)) => {
                let Some(destination) = read.found.destination else {
                    assert_eq!(expected, "user", "{kind}: {shows}");
                    continue;
                };
                let own = &destination.particulars.as_ref().unwrap().credentials;
                let sent = own.first().map_or("-", |(_, value)| value.to_str().unwrap());
                assert_eq!(sent, expected, "{kind}: {shows}");
                assert!(own.iter().all(|(_, value)| value.is_sensitive()), "{kind}: {shows}");
            }
            (Err(reason), Err(expected)) => {
                assert!(reason.to_string().contains(expected), "{kind}: {shows}: {reason}");
            }
            (read, _) => panic!("{kind}: {shows}: {read:?}"),
        }
    }
}

#[test]
fn tokens_say_for_how_long() {
    let read = understood(json!({"Authentication": "OAuth2ClientCredentials"}), bearer("t"), false).unwrap();
    assert_eq!(read.lifetime, Some(Duration::from_hours(1)));
    let failed = json!({"authTokens": [{"type": "", "value": "", "error": "no\r\nluck"}]});
    let failed = understood(json!({"Authentication": "OAuth2ClientCredentials"}), failed, false);
    assert_eq!(failed.unwrap_err(), Unusable::NoToken("noluck".into()));
}

#[test]
fn on_premise_goes_through_the_bound_proxy() {
    let found = destination(
        json!({"URL": "http://virtual:8000", "ProxyType": "OnPremise", "Authentication": "PrincipalPropagation",
            "CloudConnectorLocationId": "berlin", "HTML5.ForwardAuthToken": "true"}),
        json!({}),
    );
    assert_eq!(found.endpoint.proxy, Some(Proxy { host: "proxy.internal".into(), port: 20003 }));
    assert!(!found.forward_auth_token, "the Cloud Connector gets the user's token, and nobody behind it");
    let on_premise = found.particulars.as_ref().unwrap().on_premise.as_ref().unwrap();
    assert_eq!(on_premise.principal, Principal::Needed);
    assert_eq!(on_premise.location.as_ref().unwrap(), "berlin");
}

#[test]
fn what_leads_elsewhere_is_no_destination() {
    let many: serde_json::Map<String, Value> =
        (0..65).map(|n| (format!("URL.headers.x-{n}"), json!("v"))).collect();
    let rows: Vec<(Value, &str)> = vec![
        (json!({"URL": "file:///etc/passwd"}), "another scheme"),
        (json!({"URL": "gopher://h"}), "another scheme"),
        (json!({"URL": "//h"}), "no scheme"),
        (json!({"URL": "http://user:pass@h"}), "user information"),
        (json!({"URL": "http://h\r\nx"}), "a line break"),
        (json!({"URL": "http://h/a b"}), "a blank"),
        (json!({"URL": ""}), "nothing"),
        (json!({"URL": 5}), "a number"),
        (json!({"Type": "RFC"}), "another type"),
        (json!({"Name": "other"}), "another destination"),
        (json!({"ProxyType": "Socks"}), "an unknown proxy type"),
        (json!({"ProxyType": "OnPremise"}), "https behind the Cloud Connector"),
        (json!({"URL.headers.a b": "v"}), "a header's name"),
        (json!({"URL.headers.x": "a\r\nb: c"}), "a header's value"),
        (Value::Object(many), "too many headers"),
        (json!({"Authentication": "ClientCertificateAuthentication"}), "no certificate"),
        (json!({"TrustStoreLocation": "ca.pem"}), "authorities that did not come"),
    ];
    for (properties, shows) in rows {
        let read = understood(properties, json!({}), true);
        assert!(read.is_err(), "{shows}: {read:?}");
    }
    let bare = service("https://d.example", false);
    for text in [
        "",
        "[]",
        "{}",
        r#"{"destinationConfiguration": []}"#,
        r#"{"destinationConfiguration": {"Name": "be", "URL": "http://a", "URL": "http://b"}}"#,
        r#"{"destinationConfiguration": {"Name": "be", "URL": "http://h", "ProxyType": "OnPremise"}}"#,
        r#"{"destinationConfiguration": {"Name": "be", "URL": "http://h", "HTML5.IASDependencyName": "x"}}"#,
    ] {
        assert!(read(text.as_bytes(), &bare, &key(), true).is_err(), "{text}");
    }
}

#[test]
fn a_certificate_comes_as_pem() {
    use base64::Engine as _;
    let made = rcgen::generate_simple_self_signed(vec!["client.test".to_owned()]).unwrap();
    let both = format!("{}{}", made.cert.pem(), made.signing_key.serialize_pem());
    let encoded = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let stores = |name: &str, content: String| json!({"certificates": [{"Name": name, "Content": content, "Type": "CERTIFICATE"}]});
    let properties =
        json!({"Authentication": "ClientCertificateAuthentication", "KeyStoreLocation": "own.pem"});
    for (stores, fits, shows) in [
        (stores("own.pem", encoded(&both)), true, "with its key"),
        (stores("own.pem", encoded(&made.cert.pem())), false, "without its key"),
        (stores("other.pem", encoded(&both)), false, "another store"),
        (stores("own.pem", "!".into()), false, "no base64"),
        (stores("own.pem", encoded("x")), false, "no PEM"),
    ] {
        let read = understood(properties.clone(), stores, false);
        let shown = read.as_ref().ok().and_then(|read| read.found.destination.as_ref());
        assert_eq!(shown.is_some_and(|d| d.endpoint.certificate.is_some()), fits, "{shows}: {read:?}");
    }
    let trusted = stores("ca.pem", encoded(&made.cert.pem()));
    let found = destination(json!({"TrustStoreLocation": "ca.pem"}), trusted);
    assert_eq!(found.endpoint.authorities.as_ref().map(|authorities| authorities.len()), Some(1));
}

#[test]
fn a_service_on_this_machine_has_destinations_on_it() {
    let text = r#"{"destinationConfiguration": {"Name": "be", "URL": "http://127.0.0.1:1"}}"#;
    for (uri, reach) in [
        ("http://127.0.0.1:9", Reach::Anywhere),
        ("https://localhost", Reach::Anywhere),
        ("https://destination-configuration.example", Reach::OtherMachines),
        ("https://localhost.example", Reach::OtherMachines),
    ] {
        let read = read(text.as_bytes(), &service(uri, false), &key(), false).unwrap();
        assert_eq!(read.found.destination.unwrap().endpoint.reach, reach, "{uri}");
    }
}

#[test]
fn what_is_documented_is_understood() {
    use base64::Engine as _;

    use crate::config::documented::{Place, Verdict, rows};
    let made = rcgen::generate_simple_self_signed(vec!["client.test".to_owned()]).unwrap();
    let both = format!("{}{}", made.cert.pem(), made.signing_key.serialize_pem());
    let content = base64::engine::general_purpose::STANDARD.encode(&both);
    let store = |name: &str| json!({"Name": name, "Content": content, "Type": "CERTIFICATE"});
    let mut more = bearer("t");
    more["certificates"] = json!([store("client.pem"), store("ca.pem")]);
    for row in rows(Place::DestinationService) {
        let read = understood(serde_json::from_str(row.sample).unwrap(), more.clone(), true);
        assert_eq!(read.is_err(), row.verdict == Verdict::Refused, "{}: {read:?}", row.name);
    }
}
