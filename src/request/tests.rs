//! Whole requests: what each version must and must not say.

use http::{Request, Version};

use super::*;

/// A request as hyper would hand it over: `version method target`, then header lines.
struct Sent<'a>(Version, &'a str, &'a str, &'a [(&'a str, &'a str)]);

impl Sent<'_> {
    fn canonical(&self, peer: &Peer, trust: &Trust) -> Result<CanonicalRequest, Malformed> {
        let Sent(version, method, target, lines) = self;
        let mut request = Request::builder().version(*version).method(*method).uri(*target);
        for (name, value) in *lines {
            request = request.header(*name, *value);
        }
        canonicalize(&request.body(()).expect("hyper's own rules").into_parts().0, peer, trust)
    }

    fn untrusted(&self) -> Result<CanonicalRequest, Malformed> {
        self.canonical(&peer(), &Trust::default())
    }
}

fn peer() -> Peer {
    Peer::new([127, 0, 0, 1].into(), Scheme::Http)
}

const V10: Version = Version::HTTP_10;
const V11: Version = Version::HTTP_11;
const V2: Version = Version::HTTP_2;
const HOST: (&str, &str) = ("host", "acme.test");

#[test]
fn accepted() {
    let table: [(Sent<'_>, &str, &str, &str); 9] = [
        (Sent(V11, "GET", "/a?b", &[HOST]), "acme.test", "/a?b", "origin form"),
        (Sent(V11, "GET", "http://acme.test/a", &[HOST]), "acme.test", "/a", "absolute form naming the Host"),
        (Sent(V11, "GET", "http://ACME.test:80/a", &[HOST]), "acme.test", "/a", "with its scheme's port"),
        (Sent(V10, "GET", "/a", &[]), "", "/a", "HTTP/1.0 without Host"),
        (Sent(V10, "GET", "http://acme.test/a", &[]), "acme.test", "/a", "HTTP/1.0 with an absolute form"),
        (Sent(V2, "GET", "https://acme.test/a", &[]), "acme.test", "/a", ":authority"),
        (Sent(V2, "GET", "https://acme.test/a", &[HOST]), "acme.test", "/a", ":authority and the same Host"),
        (Sent(V2, "GET", "/a", &[HOST]), "acme.test", "/a", "HTTP/2 with Host alone"),
        (Sent(V11, "PROPFIND", "/a", &[HOST]), "acme.test", "/a", "a method that we do not know"),
    ];
    for (sent, host, target, shows) in table {
        let request = sent.untrusted().unwrap_or_else(|error| panic!("{shows}: {error}"));
        assert_eq!(request.host.as_ref().map_or("", Host::as_str), host, "{shows}");
        assert_eq!(request.target.as_str(), target, "{shows}");
        assert_eq!(request.scheme, Scheme::Http, "{shows}: the client's scheme is not believed");
    }
}

#[test]
fn refused() {
    use Malformed as M;
    let table: [(Sent<'_>, Malformed, &str); 17] = [
        (Sent(V11, "GET", "/", &[]), M::HostMissing, "HTTP/1.1 without Host"),
        (Sent(V11, "GET", "http://acme.test/", &[]), M::HostMissing, "not even with an absolute form"),
        (Sent(V2, "GET", "/", &[]), M::HostMissing, "HTTP/2 with neither"),
        (Sent(V11, "GET", "/", &[HOST, HOST]), M::HostRepeated, "twice, even if equal"),
        (Sent(V11, "GET", "/", &[("host", "")]), M::Host(HostFault::Empty), "empty"),
        (Sent(V11, "GET", "/", &[("host", "a b")]), M::Host(HostFault::Byte(b' ')), "no host"),
        (Sent(V11, "GET", "http://globex.test/", &[HOST]), M::AuthorityDiffers, "another host"),
        (Sent(V11, "GET", "http://acme.test:81/", &[HOST]), M::AuthorityDiffers, "another port"),
        (Sent(V2, "GET", "https://globex.test/", &[HOST]), M::AuthorityDiffers, "in HTTP/2"),
        (
            Sent(V11, "GET", "http://u@acme.test/", &[HOST]),
            M::Host(HostFault::Byte(b'@')),
            "user information",
        ),
        (Sent(V11, "GET", "ftp://acme.test/", &[HOST]), M::TargetForm, "another scheme"),
        (Sent(V11, "GET", "acme.test", &[HOST]), M::TargetForm, "an authority"),
        (Sent(V11, "OPTIONS", "*", &[HOST]), M::AsteriskForm, "asterisk"),
        (Sent(V11, "CONNECT", "acme.test:443", &[HOST]), M::MethodRefused(Method::CONNECT), "CONNECT"),
        (Sent(V11, "TRACE", "/", &[HOST]), M::MethodRefused(Method::TRACE), "TRACE"),
        (Sent(Version::HTTP_09, "GET", "/", &[]), M::VersionRefused, "HTTP/0.9"),
        (Sent(Version::HTTP_3, "GET", "/", &[HOST]), M::VersionRefused, "HTTP/3"),
    ];
    for (sent, reason, shows) in table {
        assert_eq!(sent.untrusted().err(), Some(reason), "{shows}");
    }
}

#[test]
fn refused_for_their_framing() {
    use Malformed as M;
    let te = |value| [HOST, ("transfer-encoding", value)];
    let cl = |value| [HOST, ("content-length", value)];
    let table: [(Sent<'_>, Malformed, &str); 14] = [
        (Sent(V11, "POST", "/", &te("gzip, chunked")), M::TransferEncoding, "another coding"),
        (Sent(V11, "POST", "/", &te("chunked, chunked")), M::TransferEncoding, "twice in one"),
        (Sent(V11, "POST", "/", &te("identity")), M::TransferEncoding, "identity"),
        (Sent(V11, "POST", "/", &te("xchunked")), M::TransferEncoding, "nearly"),
        (Sent(V11, "POST", "/", &te("\"chunked\"")), M::TransferEncoding, "quoted"),
        (Sent(V11, "POST", "/", &te("chunked;a=b")), M::TransferEncoding, "with a parameter"),
        (
            Sent(
                V11,
                "POST",
                "/",
                &[HOST, ("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
            ),
            M::TransferEncoding,
            "two lines",
        ),
        (Sent(V10, "POST", "/", &te("chunked")), M::TransferEncoding, "in HTTP/1.0"),
        (Sent(V2, "POST", "/", &te("chunked")), M::TransferEncoding, "in HTTP/2"),
        (Sent(V11, "POST", "/", &cl("+5")), M::ContentLength, "a sign"),
        (Sent(V11, "POST", "/", &cl("5, 5")), M::ContentLength, "a list"),
        (
            Sent(V11, "POST", "/", &[HOST, ("content-length", "5"), ("content-length", "5")]),
            M::ContentLength,
            "twice, even if equal",
        ),
        (
            Sent(V11, "POST", "/", &[HOST, ("content-length", "5"), ("transfer-encoding", "chunked")]),
            M::BothFramings,
            "both",
        ),
        (Sent(V11, "POST", "/", &[HOST, ("expect", "teapot")]), M::ExpectationFailed, "expectation"),
    ];
    for (sent, reason, shows) in table {
        assert_eq!(sent.untrusted().err(), Some(reason), "{shows}");
    }
}

#[test]
fn limits() {
    let lines: Vec<_> = (0..128).map(|n| (format!("x-{n}"), "v".to_owned())).collect();
    let many: Vec<_> = lines.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(Sent(V10, "GET", "/", &many).untrusted().err(), None, "128 are allowed");
    let more: Vec<_> = many.iter().copied().chain([HOST]).collect();
    assert_eq!(Sent(V11, "GET", "/", &more).untrusted().err(), Some(Malformed::TooManyHeaders));
    let long = "v".repeat(32 * 1024);
    let large = [HOST, ("x-large", long.as_str())];
    assert_eq!(Sent(V11, "GET", "/", &large).untrusted().err(), Some(Malformed::HeadersTooLarge));
    let uri = format!("/{}", "a".repeat(16 * 1024));
    assert_eq!(Sent(V11, "GET", &uri, &[HOST]).untrusted().err(), Some(Malformed::UriTooLong));
}

#[test]
fn expectations_that_pass() {
    let table = [(V11, "100-continue"), (V11, "100-Continue"), (V2, "100-continue"), (V10, "teapot")];
    for (version, value) in table {
        let sent = Sent(version, "POST", "/", &[HOST, ("expect", value)]);
        assert_eq!(sent.untrusted().err(), None, "{version:?} {value}");
    }
}

#[test]
fn the_name_of_the_handshake_must_be_the_host() {
    let table: [(Option<&str>, &str, bool, &str); 5] = [
        (Some("acme.test"), "acme.test:8443", true, "the same"),
        (Some("ACME.test"), "acme.test.", true, "in another spelling"),
        (Some("acme.test"), "globex.test", false, "another"),
        (Some("acme.test"), "acme.test.evil.test", false, "a longer one"),
        (None, "globex.test", true, "without a name in the handshake"),
    ];
    for (name, host, same, shows) in table {
        let peer = Peer::new([127, 0, 0, 1].into(), Scheme::Https).with_server_name(name);
        let found = Sent(V11, "GET", "/", &[("host", host)]).canonical(&peer, &Trust::default());
        assert_eq!(found.err(), (!same).then_some(Malformed::Misdirected), "{shows}");
    }
}

#[test]
fn a_trusted_proxy_speaks_for_the_outside() {
    let lines = [
        HOST,
        ("x-forwarded-host", "Portal.example.test:8443"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-for", "203.0.113.7"),
    ];
    let sent = Sent(V11, "GET", "/", &lines);
    let trust = Trust::new(vec!["127.0.0.0/8".parse().expect("a network")], false);
    let request = sent.canonical(&peer(), &trust).expect("canonical");
    assert_eq!(request.host.as_ref().map(Host::as_str), Some("portal.example.test"));
    assert_eq!((request.port, request.scheme), (Some(8443), Scheme::Https));
    assert_eq!(request.authority.as_ref().map(HeaderValue::as_bytes), Some(&b"Portal.example.test:8443"[..]));
    assert_eq!(request.client_address(), IpAddr::from([203, 0, 113, 7]));
    let request = sent.untrusted().expect("canonical");
    assert_eq!(request.host.as_ref().map(Host::as_str), Some("acme.test"), "nobody else does");
    assert_eq!((request.port, request.scheme, request.trusted), (None, Scheme::Http, false));
    assert_eq!(request.client_address(), IpAddr::from([127, 0, 0, 1]));
}

#[test]
fn a_mapped_peer_is_its_ipv4_address() {
    let mapped = "::ffff:10.0.0.1".parse().expect("an address");
    assert_eq!(Peer::new(mapped, Scheme::Http).address, IpAddr::from([10, 0, 0, 1]));
}
