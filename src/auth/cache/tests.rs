//! Tests of `auth::cache`: tables, each row with what it shows.

use super::*;
use crate::auth::{ClientAuthentication, IssuerKind, IssuerSpec, KeySource, json};
use crate::tenant::TenantSpec;

const SET: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

fn tenant(key: &str, id: &str) -> Tenant {
    Tenant::from(TenantSpec { id: Some(id.into()), ..TenantSpec::new(TenantKey::parse(key).unwrap()) })
}

fn issuer(url: &str, audience: &str) -> Arc<Issuer> {
    let spec = IssuerSpec {
        kind: IssuerKind::Oidc,
        url: url.into(),
        keys: KeySource::Inline(SET.into()),
        client_id: None,
        audience: vec![audience.into()],
        algorithms: Vec::new(),
        tenant_claim: None,
        authentication: ClientAuthentication::None,
        scopes: Vec::new(),
    };
    Arc::new(Issuer::compile(&spec, None, None).unwrap())
}

fn remembered(token: &str, until: u64) -> Remembered {
    let claims = json::object(br#"{"exp":1}"#).unwrap();
    let verified = Arc::new(super::super::claims::identity(&claims, token).unwrap());
    Remembered { verified, until, freshness: Freshness::Fixed }
}

#[test]
fn only_the_same_token_of_the_same_tenant_and_issuer_is_found() {
    let (acme, ours) = (tenant("a", "1"), issuer("https://i.test", "p"));
    let mut cache = Cache::default();
    cache.remember(&ours, &acme, b"bc", remembered("bc", 100));
    let rows = [
        (&ours, &acme, "bc", 99, true, "the token"),
        (&issuer("https://i.test", "p"), &acme, "bc", 99, true, "an equal issuer of the next snapshot"),
        (&issuer("https://i.test", "q"), &acme, "bc", 99, false, "the issuer's audience changed"),
        (&issuer("https://j.test", "p"), &acme, "bc", 99, false, "another issuer"),
        (&ours, &tenant("b", "1"), "bc", 99, false, "another tenant"),
        (&ours, &tenant("a", "2"), "bc", 99, false, "the tenant's id changed"),
        (&ours, &tenant("ab", "1"), "c", 99, false, "the same letters, divided elsewhere"),
        (&ours, &acme, "bd", 99, false, "another token"),
        (&ours, &acme, "bcd", 99, false, "a longer token"),
        (&ours, &acme, "bc", 100, false, "expired"),
    ];
    for (issuer, tenant, token, now, found, shows) in rows {
        assert_eq!(cache.find(issuer, tenant, token.as_bytes(), now).is_some(), found, "{shows}");
    }
}

#[test]
fn it_is_bounded_and_keeps_what_is_used() {
    let (acme, ours) = (tenant("a", "1"), issuer("https://i.test", "p"));
    let mut cache = Cache::default();
    cache.remember(&ours, &acme, b"used", remembered("used", 100));
    for n in 0..3 * MAX_ENTRIES {
        let token = format!("t{n}");
        cache.remember(&ours, &acme, token.as_bytes(), remembered(&token, 100));
        if n % 1000 == 0 {
            assert!(cache.find(&ours, &acme, b"used", 1).is_some(), "used all the time, gone after {n}");
        }
    }
    assert!(cache.young.len() + cache.old.len() <= 2 * MAX_ENTRIES);
    assert!(cache.find(&ours, &acme, b"t0", 1).is_none(), "never used again");
    let long = "x".repeat(16 * 1024);
    for n in 0..2000 {
        let token = format!("{long}{n}");
        cache.remember(&ours, &acme, token.as_bytes(), remembered(&token, 100));
    }
    assert!(cache.young_bytes <= MAX_BYTES + 20_000, "bounded in bytes too");
}
