//! Tests of `auth::distinct`: tables, each row with what it shows.

use super::*;
use crate::auth::{ClientAuthentication, Issuers, KeySource};
use crate::tenant::{Tenant, TenantIndex, TenantSpec};

const SET: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

fn spec(url: &str, client: &str, claim: Option<&str>) -> IssuerSpec {
    IssuerSpec {
        kind: IssuerKind::Oidc,
        url: url.into(),
        keys: KeySource::Inline(SET.into()),
        client_id: Some(client.into()),
        audience: Vec::new(),
        algorithms: Vec::new(),
        tenant_claim: claim.map(Into::into),
        authentication: ClientAuthentication::None,
        scopes: Vec::new(),
    }
}

fn tenant(index: u32, key: &str) -> Tenant {
    Tenant::new(
        TenantSpec::new(TenantKey::parse(key).unwrap()),
        Some(TenantIndex(index)),
        std::sync::Arc::default(),
    )
}

/// Builds with tenants `acme` (0), `globex` (1), `umbrella` (2), of which the first ones have issuers.
fn build(defaults: Option<IssuerSpec>, own: &[IssuerSpec]) -> Result<Issuers, Vec<IssuerError>> {
    let keys = ["acme", "globex", "umbrella"];
    let mut builder = Issuers::builder(keys.len());
    if let Some(defaults) = defaults {
        builder.defaults(defaults).unwrap();
    }
    for ((index, key), spec) in (0..).zip(keys).zip(own) {
        builder.tenant(&tenant(index, key), spec).unwrap();
    }
    builder.build(|key| keys.contains(&key.as_str()))
}

/// Defaults, own issuers, the problems, and what the row shows.
type Row<'a> = (Option<IssuerSpec>, Vec<IssuerSpec>, Vec<IssuerError>, &'a str);

const IDP: &str = "https://idp.test/realms/all";
const EACH: &str = "https://idp.test/realms/{tenant}";

fn shared(one: &str, other: &str) -> Vec<IssuerError> {
    vec![IssuerError::Indistinguishable(one.into(), other.into())]
}

fn rows_without_defaults() -> Vec<Row<'static>> {
    vec![
        (None, vec![spec(IDP, "a", None), spec(IDP, "b", None)], vec![], "one issuer, two clients"),
        (
            None,
            vec![spec(IDP, "a", None), spec(IDP, "a", None)],
            shared("acme", "globex"),
            "issuer and client shared",
        ),
        (
            None,
            vec![spec(IDP, "a", Some("org")), spec(IDP, "a", Some("org"))],
            vec![],
            "a claim tells them apart",
        ),
        (
            None,
            vec![spec(IDP, "a", Some("org")), spec(IDP, "a", None)],
            shared("acme", "globex"),
            "the one without the claim accepts the other's tokens",
        ),
        (
            None,
            vec![spec(IDP, "a", None), spec(IDP, "a", Some("org"))],
            shared("acme", "globex"),
            "in either order",
        ),
        (
            None,
            vec![
                IssuerSpec { audience: vec!["api".into(), "x".into()], ..spec(IDP, "a", None) },
                IssuerSpec { audience: vec!["x".into()], ..spec(IDP, "b", None) },
            ],
            shared("acme", "globex"),
            "two clients with one audience in common",
        ),
    ]
}

fn rows_with_defaults() -> Vec<Row<'static>> {
    vec![
        (Some(spec(EACH, "a", None)), vec![], vec![], "the defaults name each tenant"),
        (
            Some(spec(IDP, "a", None)),
            vec![],
            vec![IssuerError::SharedDefaults],
            "the defaults are the same for three",
        ),
        (Some(spec(IDP, "a", Some("org"))), vec![], vec![], "the same for three, with a claim"),
        (Some(spec(IDP, "portal-{tenant}", None)), vec![], vec![], "one issuer, a client each"),
        (
            Some(spec(IDP, "a", None)),
            vec![spec("https://x.test", "a", None), spec("https://y.test", "a", None)],
            vec![],
            "only one tenant is left for the defaults",
        ),
        (
            Some(spec(EACH, "a", None)),
            vec![spec("https://idp.test/realms/globex", "a", None)],
            shared("globex", "acme"),
            "acme's own issuer is what the defaults make of globex",
        ),
        (
            Some(spec(EACH, "a", None)),
            vec![spec("https://idp.test/realms/acme", "a", None)],
            vec![],
            "its own default, spelt out",
        ),
        (
            Some(spec(EACH, "a", None)),
            vec![spec("https://idp.test/realms/other", "a", None)],
            vec![],
            "a realm of no tenant",
        ),
        (
            Some(spec(EACH, "a", None)),
            vec![spec("https://idp.test/realms/globex", "b", None)],
            vec![],
            "globex's realm, another client",
        ),
        (
            Some(spec(IDP, "a", Some("org"))),
            vec![spec(IDP, "a", None)],
            vec![IssuerError::SharedDefaults],
            "the defaults spelt out without their claim",
        ),
    ]
}

#[test]
fn tenants_that_would_accept_each_others_tokens_do_not_compile() {
    for (defaults, own, expected, shows) in rows_without_defaults().into_iter().chain(rows_with_defaults()) {
        assert_eq!(build(defaults, &own).err().unwrap_or_default(), expected, "{shows}");
    }
}

#[test]
fn comparing_many_tenants_is_not_quadratic() {
    let keys = crate::auth::keys::KeySet::parse(SET.as_bytes()).map(Arc::new).unwrap();
    let own: Vec<_> = (0..50_000)
        .map(|n| {
            let issuer = Issuer {
                client: None,
                names: [format!("https://idp.test/t{n}").into()].into(),
                audience: Audience::Named { any_of: ["portal".into()].into(), client: None },
                whose: Whose::Issuers,
                algorithms: [].into(),
                keys: crate::auth::issuer::Keys::Inline(keys.clone()),
            };
            (TenantKey::parse(&format!("t{n}")).unwrap(), Arc::new(issuer))
        })
        .collect();
    assert!(among_own(&own).is_empty());
    let defaults = spec("https://idp.test/{tenant}", "portal", None);
    assert!(of_defaults(&defaults, 5, &own, |_| true).is_empty());
}
