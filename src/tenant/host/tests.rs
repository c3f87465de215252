//! Exact hosts, globs and their order.

use super::*;

fn key(text: &str) -> TenantKey {
    TenantKey::parse(text).expect("a key")
}

fn host(text: &str) -> Host {
    Host::parse(text).expect("a host")
}

fn glob(text: &str) -> HostGlob {
    HostGlob::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn globs() {
    let table: [(&str, &str, Option<&str>, &str); 9] = [
        ("{tenant}.localhost", "acme.localhost", Some("acme"), "a label"),
        ("{tenant}.LocalHost.", "acme.localhost", Some("acme"), "globs are hosts: no case, no last dot"),
        ("{tenant}-app.test", "acme-app.test", Some("acme"), "part of a label"),
        ("app-{tenant}.test", "app-acme.test", Some("acme"), "at its end"),
        ("{tenant}.localhost", "localhost", None, "no tenant"),
        ("{tenant}.localhost", ".localhost", None, "nor an empty one"),
        ("{tenant}.localhost", "a.b.localhost", None, "one label only"),
        ("{tenant}.localhost", "acmexlocalhost", None, "a dot is a dot"),
        ("{tenant}.localhost", "acme.localhost.evil", None, "the whole host"),
    ];
    for (text, host, expected, shows) in table {
        assert_eq!(glob(text).name(host), expected, "{text} {host}: {shows}");
    }
}

#[test]
fn refused_globs() {
    assert_eq!(HostGlob::parse("crm.acme.test"), Err(HostGlobError::NoTenant));
    assert_eq!(HostGlob::parse("{tenant}.{tenant}"), Err(HostGlobError::Twice));
    for text in ["{tenant}.*", "{tenant}:8080", "http://{tenant}.test", "{tenant}..test", "{tenant}.1"] {
        assert!(matches!(HostGlob::parse(text), Err(HostGlobError::Host(_))), "{text}");
    }
}

#[test]
fn exact_hosts_before_globs_before_the_pattern() {
    let mut rules = HostRules::default();
    rules.exact.insert("vip.example.test".into(), key("acme"));
    rules.globs.push(glob("{tenant}.example.test"));
    rules.pattern = HostPattern::compile(r"^(.*)\.example\.(test|org)$", true).ok();
    let table = [
        ("vip.example.test", Some("acme")),
        ("globex.example.test", Some("globex")),
        ("globex.example.org", Some("globex")),
        ("example.test", None),
    ];
    for (text, expected) in table {
        assert_eq!(rules.name(&host(text), None).as_deref(), expected, "{text}");
    }
}

#[test]
fn a_glob_reads_back_what_it_makes() {
    let glob = glob("{tenant}-app.example.test");
    assert_eq!(glob.name(&glob.host_of(&key("acme"))), Some("acme"));
}
