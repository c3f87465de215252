//! The tenant table: inheritance, isolation of broken tenants, and size.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Instant;

use vestibule::config::{self, Environment, Loaded, Sources};
use vestibule::tenant::Status;

use super::{folder, load};

const APP: &str = r#"{"routes": [{"source": "^/", "destination": "be", "authenticationType": "jwt"}]}"#;

fn variables() -> Environment {
    Environment::from([("destinations", r#"[{"name": "be", "url": "http://127.0.0.1:1"}]"#)])
}

fn load_contained(folder: &Path) -> Loaded {
    let sources = Sources::new(folder, variables());
    config::load(&Sources { contain_tenants: true, secrets: folder.join("none"), ..sources })
}

#[test]
fn a_broken_tenant_is_its_own_problem_on_a_reload() {
    let folder = folder(APP);
    let tenants = r#"{
        "hosts": ["{tenant}.localhost"],
        "defaults": {"issuer": {"url": "https://idp.test/{tenant}", "clientId": "c"}},
        "tenants": {
            "acme": {},
            "broken-url": {"issuer": {"url": "nonsense"}},
            "broken-key": {"nmae": "x"},
            "broken-type": 7,
            "broken-destination": {"destinations": {"be": {"url": "ftp://x"}}}
        }
    }"#;
    fs::write(folder.path().join("xs-tenants.json"), tenants).unwrap();
    let loaded = load_contained(folder.path());
    let snapshot = loaded.snapshot.unwrap();
    for tenant in snapshot.tenants.tenants() {
        let key = tenant.key.as_ref().unwrap().as_str();
        let expected = if key == "acme" { Status::Active } else { Status::Misconfigured };
        assert_eq!(tenant.status, expected, "{key}");
    }
    assert!(loaded.problems.refuse());
    assert!(load(folder.path(), variables()).snapshot.is_none(), "at start it is an error");
}

#[test]
fn what_concerns_all_tenants_refuses_the_configuration_on_a_reload_too() {
    let cases = [
        (
            r#"{"tenants": {"a": {"id": "1"}, "b": {"id": "1"}}}"#,
            "tenant_conflict",
            "two tenants with one id",
        ),
        (r#"{"hosts": ["{tenant}"], "tenants": {}, "pth": 1}"#, "unknown_key", "a misspelt key"),
        (r#"{"trustedProxies": ["10.0.0.0/99"]}"#, "unusable_network", "a network that is none"),
        (r#"{"hosts": ["acme.test"]}"#, "unusable_host", "a host that is nobody's"),
        (r#"{"path": {"prefix": "/t"}}"#, "unusable_prefix", "a prefix without a tenant"),
        (r#"{"headers": {"tenant": "Host"}}"#, "unusable_header", "a header with another meaning"),
        (r#"{"headers": {"tenant": "X-Tenant-Id"}}"#, "duplicate_name", "two headers of one name"),
        (
            r#"{"tenants": {"a": {"issuer": {"url": "https://i", "clientId": "c"}},
            "b": {"issuer": {"url": "https://i", "clientId": "c"}}}}"#,
            "indistinguishable_tenants",
            "two tenants that accept the same tokens",
        ),
        (
            r#"{"defaults": {"issuer": {"url": "https://i", "clientId": "c"}}, "tenants": {"a": {}, "b": {}}}"#,
            "indistinguishable_tenants",
            "tenants that share the defaults",
        ),
    ];
    for (tenants, code, shows) in cases {
        let folder = folder(r#"{"authenticationMethod": "none", "routes": []}"#);
        fs::write(folder.path().join("xs-tenants.json"), tenants).unwrap();
        let loaded = load_contained(folder.path());
        assert!(loaded.snapshot.is_none(), "{shows}");
        assert!(loaded.problems.iter().any(|problem| problem.code == code), "{shows}: {}", loaded.problems);
    }
}

#[test]
fn a_tenant_inherits_key_by_key_but_never_the_keys_of_another_address() {
    let folder = folder(APP);
    let set = r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    let tenants = format!(
        r#"{{"defaults": {{"issuer": {{"url": "https://idp.test/{{tenant}}", "clientId": "c", "jwks": {set}}},
             "limits": {{"requestsPerSecond": 5, "burst": 9}}}},
            "tenants": {{"acme": {{"issuer": {{"url": "https://other.test"}}, "limits": {{"burst": 2}}}}, "globex": {{}}}}}}"#
    );
    fs::write(folder.path().join("xs-tenants.json"), tenants).unwrap();
    let loaded = load(folder.path(), variables());
    let snapshot = loaded.snapshot.unwrap_or_else(|| panic!("{}", loaded.problems));
    let limits = snapshot.tenants.find("acme").unwrap().limits;
    let numbers = (limits.requests_per_second.unwrap().get(), limits.burst.unwrap().get());
    assert_eq!(numbers, (5, 2), "limits are inherited key by key");
    let shown =
        |key: &str| format!("{:?}", snapshot.issuers.of(snapshot.tenants.find(key).unwrap()).unwrap());
    assert!(shown("acme").contains("Fetched"), "its own address brings its own keys: {}", shown("acme"));
    assert!(shown("globex").contains("Inline"), "{}", shown("globex"));
}

/// The table that the target of one second is about.
fn large_table(count: usize) -> String {
    let mut table = String::from("{\"hosts\": [\"{tenant}.localhost\"],\n");
    table.push_str("\"defaults\": {\"issuer\": {\"url\": \"https://idp.test/{tenant}\", \"clientId\": \"portal\"}},\n\"tenants\": {\n");
    for number in 0..count {
        let comma = if number == 0 { "" } else { ",\n" };
        write!(
            table,
            "{comma}  \"t{number}\": {{\"id\": \"5f0c0000-0000-0000-0000-{number:012}\", \"name\": \"Customer {number}\", \
             \"issuer\": {{\"url\": \"https://login{number}.example.test\"}}}}"
        )
        .unwrap();
    }
    table.push_str("}}\n");
    table
}

#[test]
fn a_hundred_thousand_tenants_are_loaded() {
    let folder = folder(APP);
    fs::write(folder.path().join("xs-tenants.json"), large_table(100_000)).unwrap();
    let begun = Instant::now();
    let loaded = load(folder.path(), variables());
    println!("100,000 tenants in {:?}", begun.elapsed());
    let snapshot = loaded.snapshot.unwrap_or_else(|| panic!("{}", loaded.problems));
    assert_eq!(snapshot.tenants.tenants().len(), 100_000);
}
