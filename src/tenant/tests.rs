//! Keys, and what backends are told of a tenant.

use super::*;

fn spec(key: &str) -> TenantSpec {
    TenantSpec::new(TenantKey::parse(key).expect("a key"))
}

#[test]
fn what_is_a_key() {
    let longest = "a".repeat(63);
    for key in ["a", "acme", "a-1", "-", "0", longest.as_str()] {
        assert_eq!(TenantKey::parse(key).as_ref().map(TenantKey::as_str), Some(key));
    }
    let too_long = "a".repeat(64);
    for none in ["", "ACME", "a.b", "a_b", "a b", "ä", "a/b", "a%62", "a\n", too_long.as_str()] {
        assert_eq!(TenantKey::parse(none), None, "{none:?}");
    }
}

#[test]
fn what_the_backend_is_told() {
    let with_id = TenantSpec { id: Some("5f0c".into()), ..spec("acme") };
    let zone = || "provider-zone".into();
    let table: [(TenantSpec, TenantIdForm, [&str; 3], &str); 4] = [
        (spec("acme"), TenantIdForm::Id, ["acme", "acme", "acme"], "without an id the key is it"),
        (with_id.clone(), TenantIdForm::Id, ["acme", "5f0c", "5f0c"], "without a binding the id"),
        (with_id.clone(), TenantIdForm::Zone(zone()), ["acme", "5f0c", "provider-zone"], "dedicated"),
        (with_id, TenantIdForm::ZoneAndTenant(zone()), ["acme", "5f0c", "provider-zone!acme"], "shared"),
    ];
    for (spec, form, values, shows) in table {
        let policy = Arc::new(TenantHeaders { form, ..TenantHeaders::default() });
        let tenant = Tenant::new(spec, None, policy);
        let told: Vec<_> =
            tenant.headers().iter().map(|(n, v)| (n.as_str(), v.to_str().unwrap_or(""))).collect();
        let names = ["x-tenant", "x-tenant-id", "tenantid"];
        assert_eq!(told, names.into_iter().zip(values).collect::<Vec<_>>(), "{shows}");
    }
}

#[test]
fn a_provider_without_a_key_has_no_headers() {
    assert!(Tenant::provider(Arc::default()).headers().is_empty());
}
