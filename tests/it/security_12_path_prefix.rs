//! Class 12: the tenant of a path is read from the canonical path, in whole segments.

use vestibule::request::{CanonicalRequest, Malformed, Peer, Scheme, Trust, canonicalize};
use vestibule::tenant::{Directory, HostGlob, PathRule, TenantKey, TenantSpec, Unresolved};

fn request(host: &str, target: &str) -> Result<CanonicalRequest, Malformed> {
    let request = http::Request::builder().uri(target).header("host", host).body(()).unwrap();
    let peer = Peer::new([127, 0, 0, 1].into(), Scheme::Http);
    canonicalize(&request.into_parts().0, &peer, &Trust::default())
}

fn key(text: &str) -> TenantKey {
    TenantKey::parse(text).unwrap()
}

fn directory() -> Directory {
    let builder = Directory::builder()
        .host_glob(HostGlob::parse("{tenant}.localhost").unwrap())
        .path(PathRule::parse("/t/{tenant}", true).unwrap());
    builder.tenants(["acme", "other"].map(|text| TenantSpec::new(key(text)))).build().unwrap()
}

#[test]
fn no_spelling_leaves_ones_own_prefix() {
    let refused = [
        "/t/acme/../other/x",
        "/t/acme/..",
        "/t/acme/./x",
        "/t/acme/%2e%2e/other/x",
        "/t/acme/.%2e/other/x",
        "/t/acme/..%2fother/x",
        "/t/acme%2f..%2fother/x",
        "/t/acme%2fx",
        "/t%2facme/x",
        "/t/acme/..%5cother",
        "/t/acme\\..\\other",
        "/t/acme/..;/other/x",
        "/t/..;x=y/t/other",
        "/t/acme/%c0%ae%c0%ae/other",
        "/t/acme%00/x",
    ];
    for target in refused {
        assert!(request("portal.test", target).is_err(), "{target}");
    }
    assert!(vestibule::request::Target::parse("/t/acme#/../other").is_err());
}

#[test]
fn one_segment_one_key() {
    let table: [(&str, Option<(&str, &str)>, &str); 16] = [
        ("/t/acme/x?y", Some(("acme", "/x?y")), "stripped"),
        ("/t/acme", Some(("acme", "/")), "to the root"),
        ("/t/acme?y", Some(("acme", "/?y")), "with a query"),
        ("/t/acme//x", Some(("acme", "//x")), "what follows is left as it is"),
        ("/t/acme/t/other/x", Some(("acme", "/t/other/x")), "the first counts"),
        ("/t/acmes/x", None, "a longer key is another key"),
        ("/t/acm/x", None, "so is a shorter"),
        ("/t/ACME/x", None, "keys are lower case"),
        ("/T/acme/x", None, "paths have case"),
        ("//t/acme/x", None, "an empty segment first"),
        ("/t//acme/x", None, "or between"),
        ("/x/t/acme", None, "somewhere else"),
        ("/t/%61cme/x", None, "an escaped letter"),
        ("/t/acme;x/y", None, "a parameter"),
        ("/t/acme%20/x", None, "an escaped space"),
        ("/t/acme.other/x", None, "a dot"),
    ];
    let directory = directory();
    for (target, expected, shows) in table {
        let request = request("portal.test", target).unwrap();
        match (directory.resolve(&request), expected) {
            (Ok(found), Some((tenant, rest))) => {
                assert_eq!(found.tenant.key, Some(key(tenant)), "{target}: {shows}");
                assert_eq!(
                    request.target.without_prefix(found.prefix_length).as_str(),
                    rest,
                    "{target}: {shows}"
                );
            }
            (Err(Unresolved::NotNamed | Unresolved::Unknown(_)), None) => {}
            (found, _) => panic!("{target}: {shows}: {found:?}"),
        }
    }
}

#[test]
fn host_and_path_must_agree() {
    let directory = directory();
    let resolve = |host: &str, target: &str| directory.resolve(&request(host, target).unwrap());
    assert!(resolve("acme.localhost", "/t/acme/x").is_ok());
    for (host, path) in [("acme", "other"), ("other", "acme"), ("nobody", "acme"), ("acme", "nobody")] {
        let found = resolve(&format!("{host}.localhost"), &format!("/t/{path}/x")).map(|_| ());
        assert_eq!(found, Err(Unresolved::Conflict { host: key(host), path: key(path) }));
    }
}
