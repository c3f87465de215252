//! Class 11: whatever the pattern and the host, a known key or nobody; never a default tenant.

use vestibule::request::{CanonicalRequest, Peer, Scheme, Trust, canonicalize};
use vestibule::tenant::host::HostPatternError;
use vestibule::tenant::{Directory, HostMemo, HostPattern, TenantKey, TenantSpec, Unresolved};

/// The forms in which patterns are found in the wild, with one domain; the last two hold placeholders.
const PATTERNS: [&str; 20] = [
    r"^(.*)-app\.example\.test$",
    "^(.*)-app.example.test",
    "(.*)-app.example.test",
    r#""^(.*)-app.example.test""#,
    "^(.*)app.example.test",
    "^(.*).example.(.*)",
    "(.*)",
    "^(.*)$|^default$",
    "^(?:(.*)-)?app.example.test",
    "^(acme|globex)?.*",
    "^([^.]*).*$",
    r"^(\w+)-app",
    "(.*?)-.*",
    "(a)|(b)|(.*)",
    "^()app.example.test",
    "^((.*)-app).example.test",
    "^(.*)-app.example.test:8443$",
    r"^(.*)\.(.*)\.(.*)\.test",
    "^(.*)-<app>.example.test",
    "^(.*).${domain}",
];

const HOSTS: [&str; 20] = [
    "acme-app.example.test",
    "ACME-APP.example.test.",
    "acme-app.example.test:8443",
    "globex-app.example.test",
    "nobody-app.example.test",
    "app.example.test",
    "-app.example.test",
    "acme.globex-app.example.test",
    "acme-app-app.example.test",
    "acme-appxexamplextest",
    "acme-app.example.test.evil.test",
    "evil.test.acme-app.example.test",
    "acme",
    "default",
    "acme.evil.test",
    "127.0.0.1",
    "[::1]",
    "localhost",
    "example.test",
    "xn--acme-app.example.test",
];

fn request(host: &str) -> CanonicalRequest {
    let request = http::Request::builder().uri("/").header("host", host).body(()).unwrap();
    let peer = Peer::new([127, 0, 0, 1].into(), Scheme::Http);
    canonicalize(&request.into_parts().0, &peer, &Trust::default()).unwrap()
}

fn spec(key: &str) -> TenantSpec {
    TenantSpec::new(TenantKey::parse(key).unwrap())
}

/// Two tenants and a provider that must never be anybody's default.
fn directory(source: &str, anchored: bool) -> Result<Directory, HostPatternError> {
    let pattern = HostPattern::compile(source, anchored)?;
    let builder = Directory::builder().host_pattern(pattern).provider(spec("provider"));
    Ok(builder.tenants([spec("acme"), spec("globex")]).build().unwrap())
}

#[test]
fn a_known_key_or_nobody() {
    for source in PATTERNS {
        for anchored in [true, false] {
            let Ok(directory) = directory(source, anchored) else { continue };
            let mut memo = HostMemo::new();
            for host in HOSTS {
                let request = request(host);
                for found in [directory.resolve(&request), directory.resolve_with(&request, &mut memo)] {
                    match found {
                        Ok(resolved) => {
                            let key = resolved.tenant.key.as_ref().unwrap().as_str();
                            assert!(matches!(key, "acme" | "globex"), "{source} {host}: {key}");
                            assert!(host.to_ascii_lowercase().contains(key), "{source} {host}: {key}");
                        }
                        Err(Unresolved::NotNamed | Unresolved::Unknown(_)) => {}
                        Err(other) => panic!("{source} {host}: {other}"),
                    }
                }
            }
        }
    }
}

#[test]
fn the_whole_host_must_match() {
    let directory = directory("(.*)-app.example.test", true).unwrap();
    let table = [
        ("acme-app.example.test", Some("acme"), "itself"),
        ("acme-app.example.test.evil.test", None, "something behind"),
        ("evil.test.acme-app.example.test", None, "something before"),
        ("acme-appxexamplextest", Some("acme"), "an unescaped dot is any character, as written"),
    ];
    for (host, expected, shows) in table {
        let found = directory.resolve(&request(host)).ok();
        let key = found.and_then(|resolved| resolved.tenant.key.as_ref().map(ToString::to_string));
        assert_eq!(key.as_deref(), expected, "{host}: {shows}");
    }
}

#[test]
fn what_nobody_filled_in_does_not_compile() {
    for source in
        ["^(.*)-<app>.example.test", "^(.*).${domain}", "^(.*)-((ID)).test", "${pattern}", "{{host}}"]
    {
        let error = HostPattern::compile(source, true).unwrap_err();
        assert!(matches!(error, HostPatternError::Placeholder(_)), "{source}: {error}");
    }
    for source in ["^.*-app.example.test", "", "^(?:.*).test"] {
        assert!(HostPattern::compile(source, true).is_err(), "{source}: no group, no tenant");
    }
}
