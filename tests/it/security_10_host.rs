//! Class 10: one host, read by one parser, or none.

use http::Version;
use vestibule::request::{Host, Malformed, Peer, Scheme, Trust, canonicalize};

fn sent(
    version: Version,
    target: &str,
    hosts: &[&[u8]],
    name: Option<&str>,
) -> Result<Option<Host>, Malformed> {
    let request = http::Request::builder().version(version).uri(target);
    let request = hosts.iter().fold(request, |request, host| request.header("host", *host));
    let peer = Peer::new([127, 0, 0, 1].into(), Scheme::Https).with_server_name(name);
    canonicalize(&request.body(()).unwrap().into_parts().0, &peer, &Trust::default())
        .map(|request| request.host)
}

#[test]
fn spellings_of_one_host_are_one_host() {
    let acme = Host::parse("acme.test").ok();
    let spellings: [&[u8]; 7] = [
        b"acme.test",
        b"ACME.TEST",
        b"acme.test.",
        b"acme.test:443",
        b"Acme.Test.:8443",
        b"acme.test:80",
        b"aCMe.test:1",
    ];
    for host in spellings {
        let found = sent(Version::HTTP_11, "/", &[host], Some("acme.test"));
        assert_eq!(found.ok().flatten(), acme, "{}", host.escape_ascii());
    }
}

#[test]
fn everything_that_another_parser_might_read_differently_is_refused() {
    let long = [b"a".repeat(63), b"a".repeat(63), b"a".repeat(63), b"a".repeat(63)].join(&b'.');
    let hosts: [&[u8]; 34] = [
        b"",
        b" ",
        b".",
        b"acme.test..",
        b"acme..test",
        b".acme.test",
        b"user@acme.test",
        b"user:pass@acme.test",
        b"acme.test@globex.test",
        b"acme%2etest",
        b"acme.test%00.globex.test",
        b"acme.test/",
        b"acme.test/globex.test",
        b"acme.test\\globex.test",
        b"acme.test?globex.test",
        b"acme.test#globex.test",
        b"http://acme.test",
        b"//acme.test",
        b"acme.test,globex.test",
        b"acme.test, globex.test",
        b"acme.test globex.test",
        b"acme.test:80:81",
        b"acme.test:",
        b"acme.test:0x50",
        b"acme.test:-80",
        b"acme.test:99999",
        b"acme_.test",
        b"*.test",
        b"b\xc3\xbccher.test",
        b"acme\xe3\x80\x82test",
        b"[::1",
        b"::1",
        b"[::1%25lo]",
        b"0x7f.1",
    ];
    for host in hosts.into_iter().chain([long.as_slice()]) {
        let found = sent(Version::HTTP_11, "/", &[host], None);
        assert!(matches!(found, Err(Malformed::Host(_))), "{}: {found:?}", host.escape_ascii());
    }
}

#[test]
fn two_ways_to_name_a_host_must_agree() {
    let table: [(Version, &str, &[&[u8]], Option<&str>, Option<Malformed>, &str); 12] = [
        (Version::HTTP_11, "/", &[], None, Some(Malformed::HostMissing), "none"),
        (
            Version::HTTP_11,
            "/",
            &[b"acme.test", b"acme.test"],
            None,
            Some(Malformed::HostRepeated),
            "two lines",
        ),
        (
            Version::HTTP_11,
            "/",
            &[b"acme.test", b"globex.test"],
            None,
            Some(Malformed::HostRepeated),
            "that differ",
        ),
        (Version::HTTP_11, "http://acme.test/", &[b"acme.test"], None, None, "absolute form, the same"),
        (
            Version::HTTP_11,
            "http://globex.test/",
            &[b"acme.test"],
            None,
            Some(Malformed::AuthorityDiffers),
            "another",
        ),
        (
            Version::HTTP_10,
            "http://globex.test/",
            &[b"acme.test"],
            None,
            Some(Malformed::AuthorityDiffers),
            "in HTTP/1.0",
        ),
        (Version::HTTP_2, "https://acme.test/", &[b"acme.test"], None, None, ":authority, the same"),
        (
            Version::HTTP_2,
            "https://acme.test/",
            &[b"globex.test"],
            None,
            Some(Malformed::AuthorityDiffers),
            "another",
        ),
        (
            Version::HTTP_2,
            "https://acme.test/",
            &[b"acme.test", b"globex.test"],
            None,
            Some(Malformed::HostRepeated),
            "and two lines",
        ),
        (
            Version::HTTP_11,
            "/",
            &[b"globex.test"],
            Some("acme.test"),
            Some(Malformed::Misdirected),
            "the handshake's name",
        ),
        (
            Version::HTTP_2,
            "https://globex.test/",
            &[],
            Some("acme.test"),
            Some(Malformed::Misdirected),
            "in HTTP/2",
        ),
        (Version::HTTP_11, "/", &[b"acme.test:8443"], Some("acme.test"), None, "a port is no difference"),
    ];
    for (version, target, hosts, name, refused, shows) in table {
        assert_eq!(sent(version, target, hosts, name).err(), refused, "{version:?} {target}: {shows}");
    }
}
