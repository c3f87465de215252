//! Class 9: forwarding headers of a peer that nobody listed do not exist.

use vestibule::request::{CanonicalRequest, Malformed, Peer, Scheme, Trust, canonicalize};

/// What proxies, platforms and the application router's own extensions use to speak for the outside.
const HEADERS: [(&str, &str); 19] = [
    ("x-forwarded-host", "globex.test"),
    ("x-forwarded-server", "globex.test"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-scheme", "https"),
    ("x-forwarded-ssl", "on"),
    ("front-end-https", "on"),
    ("x-forwarded-port", "8443"),
    ("x-forwarded-for", "203.0.113.7"),
    ("x-real-ip", "203.0.113.7"),
    ("x-client-ip", "203.0.113.7"),
    ("forwarded", "for=203.0.113.7;host=globex.test;proto=https"),
    ("x-custom-host", "globex.test"),
    ("x-original-host", "globex.test"),
    ("x-host", "globex.test"),
    ("x-forwarded-path", "/outer/a"),
    ("x-original-url", "/admin"),
    ("x-rewrite-url", "/admin"),
    ("x-subscriber-tenant", "globex"),
    ("x-forwarded-client-cert", "Hash=0;Subject=\"CN=globex\""),
];

fn sent(extra: &[(&str, &str)], trust: &Trust) -> Result<CanonicalRequest, Malformed> {
    let request = http::Request::builder().uri("/a?b").header("host", "acme.test");
    let request = extra.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let peer = Peer::new([192, 0, 2, 1].into(), Scheme::Http);
    canonicalize(&request.body(()).unwrap().into_parts().0, &peer, trust)
}

/// Everything that decisions are made of.
fn meaning(request: &CanonicalRequest) -> String {
    let CanonicalRequest { method, scheme, host, port, authority, target, outer, peer, trusted, .. } =
        request;
    let client = request.client_address();
    format!(
        "{method} {scheme:?} {host:?} {port:?} {authority:?} {target} {outer:?} {peer} {trusted} {client}"
    )
}

#[test]
fn an_unlisted_peer_changes_nothing() {
    let nobody = Trust::default();
    let elsewhere = Trust::new(vec!["10.0.0.0/8".parse().unwrap()], true);
    for trust in [nobody, elsewhere] {
        let plain = meaning(&sent(&[], &trust).unwrap());
        for header in HEADERS {
            assert_eq!(meaning(&sent(&[header], &trust).unwrap()), plain, "{header:?}");
            assert_eq!(meaning(&sent(&[header, header], &trust).unwrap()), plain, "{header:?} twice");
        }
        assert_eq!(meaning(&sent(&HEADERS, &trust).unwrap()), plain, "all together");
        let nonsense = [("x-forwarded-host", "a/b"), ("x-forwarded-proto", "gopher")];
        assert_eq!(meaning(&sent(&nonsense, &trust).unwrap()), plain, "nonsense is not even read");
    }
}

#[test]
fn a_listed_peer_speaks_through_four_headers_only() {
    let trust = Trust::new(vec!["192.0.2.1/32".parse().unwrap()], false);
    let plain = meaning(&sent(&[], &trust).unwrap());
    for header in HEADERS {
        let changed = meaning(&sent(&[header], &trust).unwrap()) != plain;
        let read = ["x-forwarded-host", "x-forwarded-proto", "x-forwarded-for", "x-forwarded-path"];
        let read = read.contains(&header.0);
        assert_eq!(changed, read, "{header:?}");
    }
}
