//! Whose forwarding headers count, and which of several values.

use super::*;
use crate::request::HostFault;

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in lines {
        map.append(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"));
    }
    map
}

fn trust(networks: &[&str], platform: bool) -> Trust {
    Trust::new(networks.iter().map(|n| n.parse().expect("a network")).collect(), platform)
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn who_is_trusted() {
    let table: [(&[&str], bool, &str, bool, &str); 13] = [
        (&[], false, "127.0.0.1", false, "nobody by default, not even ourselves"),
        (&["10.0.0.0/8"], false, "10.1.2.3", true, "listed"),
        (&["10.0.0.0/8"], false, "11.1.2.3", false, "not listed"),
        (&["10.0.0.0/8"], false, "::ffff:10.1.2.3", true, "a mapped address is the address"),
        (&["2001:db8::/32"], false, "2001:db8::1", true, "IPv6"),
        (&["2001:db8::/32"], false, "10.0.0.1", false, "of another family"),
        (&[], true, "10.0.4.5", true, "the platform's router"),
        (&[], true, "100.64.0.1", true, "in shared address space"),
        (&[], true, "169.254.1.1", true, "link-local"),
        (&[], true, "fd00::1", true, "IPv6 inside"),
        (&[], true, "203.0.113.9", false, "never from a public address"),
        (&[], true, "100.128.0.1", false, "just outside shared address space"),
        (&["203.0.113.9/32"], true, "203.0.113.9", true, "unless it is listed"),
    ];
    for (networks, platform, peer, trusted, shows) in table {
        assert_eq!(trust(networks, platform).trusts(address(peer)), trusted, "{peer}: {shows}");
    }
}

#[test]
fn which_client() {
    let table: [(&[(&str, &str)], &str, &str); 12] = [
        (&[], "10.0.0.1", "no header"),
        (&[("x-forwarded-for", "203.0.113.7")], "203.0.113.7", "one"),
        (
            &[("x-forwarded-for", "6.6.6.6, 203.0.113.7")],
            "203.0.113.7",
            "what the client wrote itself is to the left",
        ),
        (&[("x-forwarded-for", "203.0.113.7, 10.0.0.9")], "203.0.113.7", "past our own proxies"),
        (
            &[("x-forwarded-for", "203.0.113.7"), ("x-forwarded-for", "10.0.0.9")],
            "203.0.113.7",
            "over two lines",
        ),
        (&[("x-forwarded-for", "10.0.0.8, 10.0.0.9")], "10.0.0.8", "all inside: the farthest"),
        (&[("x-forwarded-for", "203.0.113.7, unknown")], "10.0.0.1", "the chain ends where it is no address"),
        (&[("x-forwarded-for", "")], "10.0.0.1", "empty"),
        (&[("x-forwarded-for", "203.0.113.7:4711")], "203.0.113.7", "with a port"),
        (&[("x-forwarded-for", "[2001:db8::1]:4711")], "2001:db8::1", "IPv6 with a port"),
        (&[("x-forwarded-for", "[2001:db8::1]")], "2001:db8::1", "in brackets"),
        (&[("x-forwarded-for", "::ffff:203.0.113.7")], "203.0.113.7", "mapped"),
    ];
    let trust = trust(&["10.0.0.0/8"], false);
    for (lines, client, shows) in table {
        assert_eq!(trust.client(address("10.0.0.1"), &headers(lines)), address(client), "{lines:?}: {shows}");
    }
}

#[test]
fn which_host() {
    let ok = |text: &str| Ok(Some(text.to_owned()));
    let table: [(&[(&str, &str)], Result<Option<String>, Malformed>, &str); 7] = [
        (&[], Ok(None), "none"),
        (&[("x-forwarded-host", "ACME.test:8080")], ok("ACME.test:8080"), "told on as it was written"),
        (&[("x-forwarded-host", "acme.test, inner.test")], ok("acme.test"), "the first is the outermost"),
        (&[("x-forwarded-host", "a.test"), ("x-forwarded-host", "b.test")], ok("a.test"), "over two lines"),
        (&[("x-forwarded-host", "")], Err(Malformed::ForwardedHost(HostFault::Empty)), "empty"),
        (
            &[("x-forwarded-host", "a.test,")],
            Err(Malformed::ForwardedHost(HostFault::Empty)),
            "an empty item",
        ),
        (
            &[("x-forwarded-host", "a.test, b/c")],
            Err(Malformed::ForwardedHost(HostFault::Byte(b'/'))),
            "nonsense behind it",
        ),
    ];
    for (lines, expected, shows) in table {
        let found = host(&headers(lines)).map(|h| h.map(|(_, v)| v.to_str().unwrap_or("").to_owned()));
        assert_eq!(found, expected, "{lines:?}: {shows}");
    }
}

#[test]
fn which_scheme() {
    let table: [(&str, Result<Option<Scheme>, Malformed>); 8] = [
        ("https", Ok(Some(Scheme::Https))),
        ("HTTP", Ok(Some(Scheme::Http))),
        ("wss", Ok(Some(Scheme::Https))),
        ("ws", Ok(Some(Scheme::Http))),
        ("https,http", Ok(Some(Scheme::Https))),
        ("", Err(Malformed::ForwardedProto)),
        ("gopher", Err(Malformed::ForwardedProto)),
        ("https, javascript", Err(Malformed::ForwardedProto)),
    ];
    for (value, expected) in table {
        assert_eq!(scheme(&headers(&[("x-forwarded-proto", value)])), expected, "{value}");
    }
}

#[test]
fn what_a_proxy_took_off_the_path_is_read_where_it_fits() {
    for (path, said, expected, shows) in [
        ("/app/x", "/outer/app/x", Some("/outer"), "in front of the path"),
        ("/app/x", "/a/b/app/x", Some("/a/b"), "of several segments"),
        ("/", "/outer/", Some("/outer"), "at the root"),
        ("/", "/outer", Some("/outer"), "at the root, without a slash"),
        ("/app/x?q=1", "/outer/app/x", Some("/outer"), "the query is not part of it"),
        ("/app/x", "/app/x", None, "nothing"),
        ("/", "/", None, "nothing at the root"),
        ("/app/x", "/outer/app/y", None, "another path"),
        ("/app/x", "/outer/app/x?q=1", None, "a query"),
        ("/app/x", "//evil.test/app/x", None, "a host to browsers"),
        ("/", "//evil.test", None, "a host to browsers, at the root"),
        ("/", "/\\evil.test", None, "another"),
        ("/app/x", "https://evil.test/app/x", None, "an address"),
        ("/app/x", "/../app/x", None, "climbing"),
        ("/app/x", "/%2e%2e/app/x", None, "climbing in disguise"),
        ("/app/x", "outer/app/x", None, "without a slash"),
        ("/app/x", "/a, /b/app/x", None, "two in one"),
        ("/app/x", "", None, "empty"),
    ] {
        let target = Target::parse(path).unwrap();
        let headers: HeaderMap =
            [(X_FORWARDED_PATH, HeaderValue::from_str(said).unwrap())].into_iter().collect();
        assert_eq!(outer(&headers, &target).as_deref(), expected, "{said} for {path}: {shows}");
    }
    let mut twice = HeaderMap::new();
    for said in ["/a/x", "/b/x"] {
        twice.append(X_FORWARDED_PATH, HeaderValue::from_static(said));
    }
    assert_eq!(outer(&twice, &Target::parse("/x").unwrap()), None, "two of them");
}
