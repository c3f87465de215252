//! Tests of `auth::issuer`: tables, each row with what it shows.

use super::*;
use crate::tenant::TenantSpec;

const SET: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

fn spec(url: &str, keys: KeySource) -> IssuerSpec {
    IssuerSpec {
        kind: IssuerKind::Oidc,
        url: url.into(),
        keys,
        client_id: Some("portal".into()),
        audience: Vec::new(),
        algorithms: Vec::new(),
        tenant_claim: None,
        authentication: ClientAuthentication::None,
        scopes: Vec::new(),
    }
}

#[test]
fn addresses_follow_from_the_configuration_and_the_tenant() {
    let at = |url: &str| KeySource::At(url.into());
    let malformed = |url: &str| Err(IssuerError::MalformedUrl(url.into()));
    let rows: Vec<(&str, KeySource, Result<Source, IssuerError>, &str)> = vec![
        (
            "https://i.test/{tenant}",
            KeySource::Discovered,
            Ok(Source::Document("https://i.test/acme".into())),
            "discovered",
        ),
        (
            "https://i.test",
            at("https://k.test/{tenant}?v=1"),
            Ok(Source::KeySet("https://k.test/acme?v=1".into())),
            "keys elsewhere",
        ),
        (
            "https://i.test",
            at("http://k.test"),
            Err(IssuerError::Downgrade("http://k.test".into())),
            "less protected than the issuer",
        ),
        (
            "http://localhost:1",
            at("http://localhost:2"),
            Ok(Source::KeySet("http://localhost:2".into())),
            "a developer's issuer",
        ),
        ("ftp://i.test", KeySource::Discovered, malformed("ftp://i.test"), "another scheme"),
        ("i.test", KeySource::Discovered, malformed("i.test"), "no scheme"),
        ("/realms/a", KeySource::Discovered, malformed("/realms/a"), "only a path"),
        ("https://u@i.test", KeySource::Discovered, malformed("https://u@i.test"), "a user"),
        ("https://i.test#x", KeySource::Discovered, malformed("https://i.test#x"), "a fragment"),
        ("https://i.test?x", KeySource::Discovered, malformed("https://i.test?x"), "an issuer has no query"),
        (
            "https://i.test/{other}",
            KeySource::Discovered,
            malformed("https://i.test/{other}"),
            "another placeholder",
        ),
        ("https://i.test\\x", KeySource::Discovered, malformed("https://i.test\\x"), "a backslash"),
    ];
    for (url, keys, expected, shows) in rows {
        let found = Issuer::compile(&spec(url, keys), Some("acme"), None).map(|issuer| match issuer.keys {
            Keys::Fetched { source, .. } => source,
            Keys::Inline(_) => Source::KeySet("inline".into()),
        });
        assert_eq!(found, expected, "{shows}");
    }
}

#[test]
fn an_issuer_without_audience_would_accept_everything() {
    let nobody = IssuerSpec { client_id: None, ..spec("https://i.test", KeySource::Discovered) };
    assert_eq!(Issuer::compile(&nobody, None, None), Err(IssuerError::NoAudience));
    let named = IssuerSpec { audience: vec!["api".into()], ..nobody };
    assert!(Issuer::compile(&named, None, None).is_ok());
}

#[test]
fn inline_keys_must_be_usable() {
    let rows = [
        (SET, None, "an Ed25519 key"),
        ("{}", Some(KeySetError::Malformed), "no keys"),
        (r#"{"keys":[]}"#, Some(KeySetError::NoUsableKey), "an empty set"),
        (
            r#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#,
            Some(KeySetError::NoUsableKey),
            "a secret is no public key",
        ),
    ];
    for (set, expected, shows) in rows {
        let compiled = Issuer::compile(&spec("https://i.test", KeySource::Inline(set.into())), None, None);
        assert_eq!(compiled.err(), expected.map(IssuerError::Keys), "{shows}");
    }
}

fn tenant(key: &str, index: Option<u32>) -> Tenant {
    let spec = TenantSpec::new(TenantKey::parse(key).unwrap());
    Tenant::new(spec, index.map(TenantIndex), Arc::default())
}

#[test]
fn a_tenant_whose_own_issuer_is_broken_never_falls_back_to_the_defaults() {
    let mut builder = Issuers::builder(2);
    builder.defaults(spec("https://i.test/{tenant}", KeySource::Discovered)).unwrap();
    let (acme, globex) = (tenant("acme", Some(0)), tenant("globex", Some(1)));
    assert!(builder.tenant(&acme, &spec("nonsense", KeySource::Discovered)).is_err());
    let issuers = builder.build(|_| true).unwrap();
    assert!(issuers.of(&acme).is_none(), "acme has none");
    let theirs = issuers.of(&globex).unwrap();
    assert_eq!(&*theirs.names, &[Box::<str>::from("https://i.test/globex")], "globex is not touched");
    assert!(Arc::ptr_eq(&theirs, &issuers.of(&globex).unwrap()), "made once");
}

#[test]
fn tenants_outside_the_table_have_issuers_too() {
    let mut builder = Issuers::builder(0);
    builder.defaults(spec("https://i.test/{tenant}", KeySource::Discovered)).unwrap();
    let provider = tenant("provider", None);
    builder.tenant(&provider, &spec("https://own.test", KeySource::Discovered)).unwrap();
    let issuers = builder.build(|_| true).unwrap();
    assert_eq!(&*issuers.of(&provider).unwrap().names, &[Box::<str>::from("https://own.test")], "its own");
    let other = tenant("other", None);
    assert_eq!(
        &*issuers.of(&other).unwrap().names,
        &[Box::<str>::from("https://i.test/other")],
        "by its key alone"
    );
    assert!(issuers.of(&tenant("x", Some(7))).is_none(), "a place beyond the table");
    assert!(Issuers::default().of(&Tenant::provider(Arc::default())).is_none(), "nothing is configured");
}
