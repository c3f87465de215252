//! Hosts and ports that are accepted, in which form, and those that are refused.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn authority(text: &str) -> Result<(String, Option<u16>), HostFault> {
    Authority::parse(text.as_bytes()).map(|a| (a.host.as_str().to_owned(), a.port))
}

#[test]
fn accepted_in_one_form() {
    let table: [(&str, &str, Option<u16>, &str); 13] = [
        ("acme.test", "acme.test", None, "as it is"),
        ("ACME.Test", "acme.test", None, "hosts have no case"),
        ("acme.test.", "acme.test", None, "one trailing dot is the root"),
        ("acme.test.:8080", "acme.test", Some(8080), "also before a port"),
        ("localhost:5000", "localhost", Some(5000), "a single label"),
        ("xn--bcher-kva.test", "xn--bcher-kva.test", None, "punycode is letters and hyphens"),
        ("127.0.0.1:80", "127.0.0.1", Some(80), "an IPv4 address"),
        ("[::1]:8443", "[::1]", Some(8443), "an IPv6 address keeps its brackets"),
        ("[0:0:0:0:0:0:0:1]", "[::1]", None, "and has one spelling"),
        ("[2001:DB8::A]", "[2001:db8::a]", None, "in lower case"),
        ("a-.-b.test", "a-.-b.test", None, "hyphens at a label's end, as names in the wild have them"),
        ("1und1.test", "1und1.test", None, "a digit first"),
        ("4.tenant", "4.tenant", None, "a number that is not last"),
    ];
    for (text, host, port, shows) in table {
        assert_eq!(authority(text), Ok((host.to_owned(), port)), "{text}: {shows}");
    }
}

#[test]
fn refused() {
    use HostFault as F;
    let long_label = format!("{}.test", "a".repeat(64));
    let long_host = format!("{}.test", ["a".repeat(60).as_str(); 5].join("."));
    let table: [(&str, HostFault, &str); 34] = [
        ("", F::Empty, "empty"),
        (".", F::Empty, "the root alone"),
        (":80", F::Empty, "a port alone"),
        ("..", F::EmptyLabel, "empty labels"),
        (".acme.test", F::EmptyLabel, "a leading dot"),
        ("acme..test", F::EmptyLabel, "two dots"),
        ("acme.test..", F::EmptyLabel, "two dots at the end"),
        ("acme_crm.test", F::Byte(b'_'), "underscore"),
        ("user@acme.test", F::Byte(b'@'), "user information"),
        ("user:pass@acme.test", F::Port, "with a password"),
        ("acme.test/x", F::Byte(b'/'), "slash"),
        ("acme.test\\x", F::Byte(b'\\'), "backslash"),
        ("acme%2etest", F::Byte(b'%'), "escapes are not decoded"),
        ("acme test", F::Byte(b' '), "space"),
        (" acme.test", F::Byte(b' '), "leading space"),
        ("acme.test\t", F::Byte(b'\t'), "tab"),
        ("acme.test,globex.test", F::Byte(b','), "a list"),
        ("acme.test#", F::Byte(b'#'), "fragment"),
        ("acme.test?", F::Byte(b'?'), "query"),
        ("b\u{fc}cher.test", F::Byte(0xc3), "not ASCII"),
        ("acme.test:", F::Port, "an empty port"),
        ("acme.test:0", F::Port, "port 0"),
        ("acme.test:65536", F::Port, "too large a port"),
        ("acme.test:000080", F::Port, "too many digits"),
        ("acme.test:+80", F::Port, "a sign"),
        ("acme.test:80:80", F::Port, "two ports"),
        ("1.2.3", F::Address, "a name that ends in a number"),
        ("acme.1", F::Address, "also behind letters"),
        ("127.0.0.0x1", F::Address, "hexadecimal"),
        ("0177.0.0.1", F::Address, "octal"),
        ("2130706433", F::Address, "an address as one number"),
        ("[::1", F::Address, "no closing bracket"),
        ("[fe80::1%25eth0]", F::Address, "a zone"),
        ("[::1]x", F::Byte(b'x'), "something behind the bracket"),
    ];
    for (text, fault, shows) in table {
        assert_eq!(authority(text), Err(fault), "{text}: {shows}");
    }
    for text in [long_label, long_host] {
        assert_eq!(authority(&text), Err(F::TooLong), "{text}");
    }
}

#[test]
fn a_server_name_has_no_port() {
    assert_eq!(Host::parse("acme.test:443"), Err(HostFault::Byte(b':')));
    assert_eq!(Host::parse("ACME.test.").map(|h| h.as_str().to_owned()), Ok("acme.test".to_owned()));
}

proptest! {
    #[test]
    fn what_is_accepted_is_canonical(text in "[ -~]{0,40}") {
        if let Ok(found) = Authority::parse(text.as_bytes()) {
            let host = found.host.as_str();
            prop_assert_eq!(Host::parse(host), Ok(found.host.clone()), "parsing again changes nothing");
            prop_assert!(host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.[]:".contains(&b)));
            prop_assert!(text.to_ascii_lowercase().starts_with(host) || host.starts_with('['));
        }
    }

    #[test]
    fn any_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        drop(Authority::parse(&bytes));
    }
}
