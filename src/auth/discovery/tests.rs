//! Which documents are believed, and what they say.

use super::*;

const HTTPS: &str = "https://idp.test/realms/a";

/// Issuer, document, the address of the keys, and what the row shows.
type Row = (&'static str, &'static str, Result<&'static str, DiscoveryError>, &'static str);

const ROWS: &[Row] = &[
    (
        HTTPS,
        r#"{"issuer":"https://idp.test/realms/a","jwks_uri":"https://keys.test/a"}"#,
        Ok("https://keys.test/a"),
        "another host may hold the keys",
    ),
    (
        HTTPS,
        r#"{"issuer":"https://idp.test/realms/b","jwks_uri":"https://keys.test/a"}"#,
        Err(DiscoveryError::OtherIssuer),
        "another issuer's document",
    ),
    (
        HTTPS,
        r#"{"issuer":"https://idp.test/realms/a/","jwks_uri":"https://keys.test/a"}"#,
        Err(DiscoveryError::OtherIssuer),
        "a slash makes another issuer",
    ),
    (HTTPS, r#"{"jwks_uri":"https://keys.test/a"}"#, Err(DiscoveryError::OtherIssuer), "no issuer"),
    (
        HTTPS,
        r#"{"issuer":"https://idp.test/realms/a","jwks_uri":"http://idp.test/a"}"#,
        Err(DiscoveryError::UnusableKeyAddress),
        "less protected than the issuer",
    ),
    (
        HTTPS,
        r#"{"issuer":"https://idp.test/realms/a","jwks_uri":"file:///etc/passwd"}"#,
        Err(DiscoveryError::UnusableKeyAddress),
        "not http at all",
    ),
    (HTTPS, r#"{"issuer":"https://idp.test/realms/a"}"#, Err(DiscoveryError::UnusableKeyAddress), "no keys"),
    (
        HTTPS,
        r#"{"issuer":"https://idp.test/realms/a","jwks_uri":"https://u:p@keys.test/"}"#,
        Err(DiscoveryError::UnusableKeyAddress),
        "a user in the address",
    ),
    (
        HTTPS,
        r#"{"issuer":"x","issuer":"https://idp.test/realms/a","jwks_uri":"https://keys.test/a"}"#,
        Err(DiscoveryError::Malformed),
        "a member twice",
    ),
    (
        "http://localhost:9/x",
        r#"{"issuer":"http://localhost:9/x","jwks_uri":"http://localhost:9/k"}"#,
        Ok("http://localhost:9/k"),
        "a developer's issuer",
    ),
    (
        "http://localhost:9/x",
        r#"{"issuer":"http://localhost:9/x","jwks_uri":"http://169.254.169.254/k"}"#,
        Err(DiscoveryError::UnusableKeyAddress),
        "http elsewhere, here link-local",
    ),
    (
        "http://localhost:9/x",
        r#"{"issuer":"http://localhost:9/x","jwks_uri":"http://localhost:99/k"}"#,
        Err(DiscoveryError::UnusableKeyAddress),
        "http on another port",
    ),
];

#[test]
fn only_the_configured_issuers_protected_keys_are_used() {
    for (issuer, document, expected, shows) in ROWS {
        let found = key_set_address(document.as_bytes(), issuer);
        assert_eq!(found.as_deref(), expected.as_deref(), "{shows}");
    }
}

#[test]
fn the_document_is_below_the_issuer() {
    assert_eq!(address("https://idp.test/a/"), "https://idp.test/a/.well-known/openid-configuration");
}

/// A document of `https://idp.test/realms/a` with these members.
fn document(members: &str) -> String {
    format!(
        r#"{{"issuer":"{HTTPS}","authorization_endpoint":"https://idp.test/a","token_endpoint":"https://t.test/t"{members}}}"#
    )
}

#[test]
fn endpoints_are_as_protected_as_the_issuer() {
    let unusable = |name| Err(DiscoveryError::UnusableEndpoint(name));
    let rows = [
        ("", Ok("https://t.test/t"), "the two that there must be"),
        (r#","end_session_endpoint":null"#, Ok("https://t.test/t"), "nothing, spelt out"),
        (r#","end_session_endpoint":"http://idp.test/e""#, unusable("end_session_endpoint"), "unprotected"),
        (r#","end_session_endpoint":["x"]"#, unusable("end_session_endpoint"), "not an address"),
        (
            r#","mtls_endpoint_aliases":{"token_endpoint":"https://m.test/t"}"#,
            Ok("https://m.test/t"),
            "mutual TLS",
        ),
        (
            r#","mtls_endpoint_aliases":{"token_endpoint":"http://m.test/t"}"#,
            unusable("token_endpoint"),
            "mutual TLS without TLS",
        ),
    ];
    for (members, expected, shows) in rows {
        let found = endpoints(document(members).as_bytes(), HTTPS, Dialect::Oidc);
        let token = found.map(|found| found.token_by_certificate.unwrap_or(found.token));
        assert_eq!(token.as_deref(), expected.as_ref().copied(), "{shows}");
    }
    let rows = [
        (
            r#"{"issuer":"https://idp.test/realms/a","token_endpoint":"https://t.test/t"}"#,
            "authorization_endpoint",
        ),
        (
            r#"{"issuer":"https://idp.test/realms/a","authorization_endpoint":"javascript:x","token_endpoint":"https://t.test/t"}"#,
            "authorization_endpoint",
        ),
        (
            r#"{"issuer":"https://idp.test/realms/a","authorization_endpoint":"https://idp.test/a","token_endpoint":"https://u:p@t.test/t"}"#,
            "token_endpoint",
        ),
    ];
    for (document, missing) in rows {
        let found = endpoints(document.as_bytes(), HTTPS, Dialect::Oidc);
        assert_eq!(found, Err(DiscoveryError::UnusableEndpoint(missing)), "{document}");
    }
    let other = document("").replace("/realms/a\"", "/realms/b\"");
    assert_eq!(endpoints(other.as_bytes(), HTTPS, Dialect::Oidc), Err(DiscoveryError::OtherIssuer));
}

#[test]
fn what_an_issuer_can_do_is_in_its_document() {
    let methods = |list: &str| format!(r#","token_endpoint_auth_methods_supported":{list}"#);
    let rows = [
        (String::new(), Dialect::Oidc, false, "the header is the default"),
        (methods(r#"["client_secret_basic","client_secret_post"]"#), Dialect::Oidc, false, "both"),
        (methods(r#"["client_secret_post"]"#), Dialect::Oidc, true, "the form only"),
        (methods(r#"["private_key_jwt"]"#), Dialect::Oidc, false, "neither"),
        (String::new(), Dialect::Ias, true, "an IAS"),
        (methods(r#"["client_secret_basic"]"#), Dialect::Ias, false, "an IAS without the form"),
    ];
    for (members, dialect, expected, shows) in rows {
        let found = endpoints(document(&members).as_bytes(), HTTPS, dialect).unwrap();
        assert_eq!(found.secret_in_form, expected, "{shows}");
    }
    for (value, expected) in [("true", true), ("false", false), ("\"true\"", false)] {
        let members = format!(r#","authorization_response_iss_parameter_supported":{value}"#);
        let found = endpoints(document(&members).as_bytes(), HTTPS, Dialect::Oidc).unwrap();
        assert_eq!(found.names_issuer, expected, "{value}");
    }
}
