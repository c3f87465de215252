//! Who a request belongs to: host, path, both, neither; and what a table refuses to be.

use std::time::Duration;

use http::Request;

use super::*;
use crate::request::{Peer, Scheme, Trust, canonicalize};
use crate::tenant::{HostGlob, HostPattern, Limits, TenantSpec, UnknownTenants};

fn key(text: &str) -> TenantKey {
    TenantKey::parse(text).expect("a key")
}

fn spec(text: &str) -> TenantSpec {
    TenantSpec::new(key(text))
}

fn request(host: &str, target: &str) -> CanonicalRequest {
    let request = Request::builder().uri(target).header("host", host).body(()).expect("a request");
    let peer = Peer::new([127, 0, 0, 1].into(), Scheme::Http);
    canonicalize(&request.into_parts().0, &peer, &Trust::default()).expect("canonical")
}

fn directory(change: impl FnOnce(DirectoryBuilder) -> DirectoryBuilder) -> Directory {
    let builder = Directory::builder()
        .host_glob(HostGlob::parse("{tenant}.localhost").expect("a glob"))
        .host(&Host::parse("crm.acme.test").expect("a host"), key("acme"))
        .path(PathRule::parse("/t/{tenant}", true).expect("a rule"))
        .tenants([spec("acme"), spec("globex")])
        .tenant(TenantSpec { status: Status::Suspended, ..spec("initech") })
        .tenant(TenantSpec { status: Status::Misconfigured, ..spec("hooli") })
        .tenant(TenantSpec { status: maintenance(), ..spec("umbrella") });
    change(builder).build().expect("a directory")
}

fn maintenance() -> Status {
    Status::Maintenance { retry_after: Duration::from_mins(1) }
}

fn key_of(resolved: Result<Resolved, Unresolved>) -> Result<(String, usize), Unresolved> {
    resolved.map(|r| (r.tenant.key.as_ref().map_or_else(String::new, ToString::to_string), r.prefix_length))
}

#[test]
fn who() {
    let ok = |key: &str, prefix| Ok((key.to_owned(), prefix));
    let umbrella =
        || Unresolved::Maintenance { tenant: key("umbrella"), retry_after: Duration::from_mins(1) };
    let conflict = |host: &str, path: &str| Unresolved::Conflict { host: key(host), path: key(path) };
    let table: [(&str, &str, Result<(String, usize), Unresolved>, &str); 18] = [
        ("acme.localhost", "/a", ok("acme", 0), "by glob"),
        ("ACME.localhost:5000", "/a", ok("acme", 0), "in another spelling"),
        ("crm.acme.test", "/a", ok("acme", 0), "by its own domain"),
        ("portal.test", "/t/acme/a", ok("acme", 7), "by path"),
        ("acme.localhost", "/t/acme/a", ok("acme", 7), "by both"),
        ("acme.localhost", "/t/globex/a", Err(conflict("acme", "globex")), "by both, differently"),
        ("nobody.localhost", "/t/acme", Err(conflict("nobody", "acme")), "also where one is unknown"),
        ("acme.localhost", "/t/initech", Err(conflict("acme", "initech")), "or not served"),
        ("portal.test", "/a", Err(Unresolved::NotNamed), "by neither"),
        ("localhost", "/", Err(Unresolved::NotNamed), "a host that names nobody"),
        ("a.acme.localhost", "/", Err(Unresolved::NotNamed), "two labels name nobody"),
        ("nobody.localhost", "/", Err(Unresolved::Unknown(key("nobody"))), "unknown"),
        ("portal.test", "/t/nobody", Err(Unresolved::Unknown(key("nobody"))), "unknown by path"),
        ("initech.localhost", "/", Err(Unresolved::Suspended(key("initech"))), "suspended"),
        ("hooli.localhost", "/", Err(Unresolved::Misconfigured(key("hooli"))), "misconfigured"),
        ("umbrella.localhost", "/", Err(umbrella()), "in maintenance"),
        ("portal.test", "/t/umbrella/a", Err(umbrella()), "in maintenance by path"),
        ("portal.test", "//t/acme/a", Err(Unresolved::NotNamed), "an empty segment first"),
    ];
    let directory = directory(|builder| builder);
    let mut memo = HostMemo::new();
    for (host, target, expected, shows) in table {
        let request = request(host, target);
        assert_eq!(key_of(directory.resolve(&request)), expected, "{host} {target}: {shows}");
        for _ in 0..2 {
            assert_eq!(key_of(directory.resolve_with(&request, &mut memo)), expected, "{host}: from memory");
        }
    }
}

#[test]
fn without_a_rule_there_is_one_tenant() {
    let nameless = Directory::builder().build().expect("a directory");
    let resolved = nameless.resolve(&request("any.test", "/t/acme")).expect("the provider");
    assert_eq!((resolved.tenant.key.as_ref(), resolved.prefix_length), (None, 0));
    let zone = Directory::builder().provider(spec("zone")).build().expect("a directory");
    assert_eq!(key_of(zone.resolve(&request("any.test", "/"))), Ok(("zone".to_owned(), 0)));
    let suspended = TenantSpec { status: Status::Suspended, ..spec("zone") };
    let entry = Directory::builder().provider(spec("zone")).tenant(suspended).build().expect("a directory");
    let refused = entry.resolve(&request("any.test", "/")).map(|_| ());
    assert_eq!(refused, Err(Unresolved::Suspended(key("zone"))), "the table's entry counts");
}

#[test]
fn with_a_rule_the_provider_is_nobodys_default() {
    let directory = directory(|builder| builder.provider(spec("zone")));
    assert_eq!(key_of(directory.resolve(&request("other.test", "/"))), Err(Unresolved::NotNamed));
    assert_eq!(
        key_of(directory.resolve(&request("zone.localhost", "/"))),
        Err(Unresolved::Unknown(key("zone")))
    );
}

#[test]
fn accepted_by_the_key_alone() {
    let directory = directory(|b| b.unknown(UnknownTenants::Accept { limits: Limits::default() }));
    let first = directory.resolve(&request("nobody.localhost", "/")).expect("accepted");
    let second = directory.resolve(&request("nobody.localhost", "/")).expect("accepted");
    assert!(Arc::ptr_eq(&first.tenant, &second.tenant), "remembered");
    assert_eq!((first.tenant.index, first.tenant.headers().len()), (None, 3));
    let suspended = directory.resolve(&request("initech.localhost", "/")).map(|_| ());
    assert_eq!(suspended, Err(Unresolved::Suspended(key("initech"))), "the table comes first");
    for n in 0..10_000 {
        let resolved = directory.resolve(&request(&format!("k{n}.localhost"), "/"));
        assert_eq!(key_of(resolved), Ok((format!("k{n}"), 0)), "however many are invented");
    }
}

#[test]
fn a_memory_belongs_to_one_directory() {
    let with = |source: &str| {
        let pattern = HostPattern::compile(source, true).expect("a pattern");
        Directory::builder().host_pattern(pattern).tenants([spec("acme"), spec("b")]).build().expect("built")
    };
    let (before, after) = (with(r"^(\w+)-(\w+)\.test$"), with(r"^\w+-(\w+)\.test$"));
    let (request, mut memo) = (request("acme-b.test", "/"), HostMemo::new());
    for _ in 0..2 {
        assert_eq!(key_of(before.resolve_with(&request, &mut memo)), Ok(("acme".to_owned(), 0)));
        assert_eq!(key_of(after.resolve_with(&request, &mut memo)), Ok(("b".to_owned(), 0)));
    }
}

#[test]
fn everything_wrong_is_reported() {
    let id = |key: &str, id: &str| TenantSpec { id: Some(id.into()), ..spec(key) };
    let host = Host::parse("crm.acme.test").expect("a host");
    let errors = Directory::builder()
        .host(&host, key("acme"))
        .host(&host, key("acme"))
        .host(&host, key("globex"))
        .tenants([id("acme", "1"), spec("acme"), id("globex", "1"), id("a", "x\r\ny"), id("b", "")])
        .tenant(id("c", "globex-2"))
        .build()
        .map(|_| ())
        .expect_err("errors");
    let expected = [
        DirectoryError::DuplicateHost {
            host: "crm.acme.test".into(),
            first: key("acme"),
            second: key("globex"),
        },
        DirectoryError::DuplicateId(key("acme"), key("globex")),
        DirectoryError::UnusableId(key("a")),
        DirectoryError::UnusableId(key("b")),
        DirectoryError::DuplicateKey(key("acme")),
    ];
    assert_eq!(errors, expected);
}

#[test]
fn an_id_that_is_anothers_key_is_refused() {
    let stolen = TenantSpec { id: Some("globex".into()), ..spec("acme") };
    let errors = Directory::builder().tenants([stolen, spec("globex")]).build().map(|_| ());
    assert_eq!(errors, Err(vec![DirectoryError::DuplicateId(key("acme"), key("globex"))]));
}
