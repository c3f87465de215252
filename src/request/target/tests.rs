//! Targets that pass byte for byte, and those that are refused, with the reason.

use proptest::prelude::*;

use super::*;

#[test]
fn passes_verbatim() {
    let table: [(&str, &str); 20] = [
        ("/", "the root"),
        ("/a/b.css", "dots inside a name"),
        ("/a/...", "three dots are a name"),
        ("/.well-known/x", "a name that begins with a dot"),
        ("/..a/.b..", "dots beside letters"),
        ("/a//b", "an empty segment"),
        ("//a", "also at the beginning"),
        ("/%20%25%5B%C3%BC", "harmless escapes"),
        ("/a%23b%3fc", "escaped hash and question mark stay what they are"),
        ("/%252e%252e/x", "escaped twice is a name"),
        ("/%252f", "likewise"),
        ("/;|\"{}^'~!$&()*+,=:@", "everything that may stand in a path, and what clients send all the same"),
        ("/a;x=1/b", "parameters"),
        ("/a?", "an empty query stays"),
        ("/a?b=../..&c=%2f%00", "a query decides nothing"),
        ("/a?b=%zz", "a malformed escape in a query"),
        ("/a?b=\\", "browsers send backslashes in queries"),
        ("/a?b?c/d", "a second question mark"),
        ("/%e2%82%ac", "UTF-8"),
        ("/a%2Eb", "an escaped dot inside a name"),
    ];
    for (text, shows) in table {
        let target = Target::parse(text).unwrap_or_else(|error| panic!("{text}: {shows}: {error}"));
        assert_eq!(target.as_str(), text, "{shows}");
        assert_eq!(format!("{}{}", target.path(), target.query()), text, "{shows}");
    }
}

#[test]
fn refused() {
    use Malformed as M;
    let table: [(&str, Malformed, &str); 40] = [
        ("", M::TargetForm, "empty"),
        ("a", M::TargetForm, "no slash"),
        ("?a", M::TargetForm, "a query alone"),
        ("*", M::AsteriskForm, "asterisk"),
        ("http://acme.test/", M::TargetForm, "an address is not a path"),
        ("/.", M::DotSegment, "dot"),
        ("/..", M::DotSegment, "dots"),
        ("/./a", M::DotSegment, "dot first"),
        ("/a/../b", M::DotSegment, "dots inside"),
        ("/a/..?x", M::DotSegment, "dots before a query"),
        ("/%2e", M::DotSegment, "escaped"),
        ("/%2E%2e/a", M::DotSegment, "escaped in any case"),
        ("/.%2e/a", M::DotSegment, "half escaped"),
        ("/..;/a", M::DotSegment, "with an empty parameter"),
        ("/..;x=1/a", M::DotSegment, "with a parameter"),
        ("/.;/a", M::DotSegment, "one dot with a parameter"),
        ("/%2e%2e;x/a", M::DotSegment, "escaped, with a parameter"),
        ("/..%3bx/a", M::DotSegment, "an escaped semicolon"),
        ("/a/..%2fb", M::EscapeRefused(b'/'), "escaped slash"),
        ("/a%2Fb", M::EscapeRefused(b'/'), "in capitals"),
        ("/a%5cb", M::EscapeRefused(b'\\'), "escaped backslash"),
        ("/a%5Cb", M::EscapeRefused(b'\\'), "in capitals"),
        ("/a%00", M::EscapeRefused(0), "NUL"),
        ("/a%0d", M::EscapeRefused(b'\r'), "CR"),
        ("/a%0Ab", M::EscapeRefused(b'\n'), "LF"),
        ("/a%", M::EscapeMalformed, "an escape without digits"),
        ("/a%2", M::EscapeMalformed, "with one"),
        ("/a%2x", M::EscapeMalformed, "with a letter that is none"),
        ("/a%+1", M::EscapeMalformed, "a sign is no digit"),
        ("/%u002e", M::EscapeMalformed, "another language's escape"),
        ("/%c0%ae%c0%ae/", M::NotUtf8, "an overlong dot"),
        ("/%c0%af", M::NotUtf8, "an overlong slash"),
        ("/%ff", M::NotUtf8, "not UTF-8"),
        ("/%ed%a0%80", M::NotUtf8, "a surrogate"),
        ("/a\\b", M::RawByte(b'\\'), "backslash"),
        ("/a#b", M::RawByte(b'#'), "fragment"),
        ("/a?b#c", M::RawByte(b'#'), "fragment behind a query"),
        ("/a b", M::RawByte(b' '), "space"),
        ("/a\u{7f}", M::RawByte(0x7f), "DEL"),
        ("/\u{fc}", M::RawByte(0xc3), "not ASCII"),
    ];
    for (text, reason, shows) in table {
        assert_eq!(Target::parse(text), Err(reason), "{text}: {shows}");
    }
    assert_eq!(Target::parse(&format!("/{}", "a".repeat(16 * 1024))), Err(M::UriTooLong));
    assert!(Target::parse(&format!("/{}", "a".repeat(16 * 1024 - 1))).is_ok(), "16 KiB are allowed");
}

#[test]
fn without_a_prefix() {
    let table: [(&str, usize, &str, &str); 6] = [
        ("/t/acme/a?b", 7, "/a", "?b"),
        ("/t/acme", 7, "/", ""),
        ("/t/acme?b", 7, "/", "?b"),
        ("/t/acme/", 7, "/", ""),
        ("/t/acme//a", 7, "//a", ""),
        ("/a", 0, "/a", ""),
    ];
    for (text, n, path, query) in table {
        let target = Target::parse(text).map(|target| target.without_prefix(n));
        let found = target.as_ref().map(|t| (t.path(), t.query()));
        assert_eq!(found, Ok((path, query)), "{text}");
    }
}

#[test]
fn a_prefix_taken_off_twice() {
    let target = Target::parse("/a/b/c?d").map(|t| t.without_prefix(2).without_prefix(2));
    assert_eq!(target, Target::parse("/c?d"));
    let target = Target::parse("/a/b?d").map(|t| t.without_prefix(4).without_prefix(0));
    assert_eq!(target, Target::parse("/?d"));
}

#[test]
fn normal_forms() {
    let table: [(&str, Option<&str>, &str); 11] = [
        ("/a/b?c", None, "already normal"),
        ("/%C3%BC%20", None, "nothing that stands for itself"),
        ("/a?b//c;d%61", None, "a query is left alone"),
        ("/%61dmin", Some("/admin"), "a letter"),
        ("/a%2Db%5f%7e?q", Some("/a-b_~?q"), "what needs no escape"),
        ("/%2561", None, "escaped twice is something else"),
        ("//a///b", Some("/a/b"), "slashes"),
        ("/admin;.css", Some("/admin"), "a parameter"),
        ("/a;x=1/b;y?q", Some("/a/b?q"), "in each segment"),
        ("/admin%3B.css", Some("/admin"), "behind an escaped semicolon"),
        ("/;x/a", Some("/a"), "a segment that is only a parameter"),
    ];
    for (text, expected, shows) in table {
        let normal = Target::parse(text).map(|target| target.normal_form());
        assert_eq!(normal.as_ref().map(|t| t.as_ref().map(Target::as_str)), Ok(expected), "{text}: {shows}");
    }
}

proptest! {
    #[test]
    fn a_normal_form_is_normal(text in "(/|a|%61|%25|;|%3b|%2d|%20|\\.|\\?){1,14}") {
        let normal = Target::parse(&format!("/{text}")).ok().and_then(|target| target.normal_form());
        if let Some(normal) = normal {
            prop_assert_eq!(normal.normal_form(), None);
            prop_assert_eq!(Target::parse(normal.as_str()), Ok(normal));
        }
    }

    /// However often a lenient backend decodes the path once, no dot segment and no new separator
    /// appears.
    #[test]
    fn decoding_reveals_no_structure(path in "(/|\\.|%2e|%2E|%2f|%5c|;|a|%61|%25|\\\\|%c3%bc|%80){1,12}") {
        let text = format!("/{path}");
        if let Ok(target) = Target::parse(&text) {
            let decoded = percent_encoding::percent_decode_str(target.path()).decode_utf8();
            let decoded = decoded.as_deref().unwrap_or("/..");
            prop_assert_eq!(decoded.matches('/').count(), text.matches('/').count());
            let is_dots = |segment: &str| matches!(segment.split(';').next(), Some("." | ".."));
            prop_assert!(!decoded.split('/').any(is_dots));
            prop_assert!(!decoded.contains(['\\', '\0', '\r', '\n']));
        }
    }

    #[test]
    fn what_passes_is_untouched(text in "\\PC{0,60}") {
        if let Ok(target) = Target::parse(&text) {
            prop_assert_eq!(target.as_str(), &text);
            prop_assert!(text.bytes().all(|b| (0x21..=0x7e).contains(&b) && b != b'#'));
        }
    }

    #[test]
    fn any_prefix_length_leaves_a_path(text in "/[a-z/]{0,20}(\\?[a-z]{0,5})?", n in 0usize..40) {
        let target = Target::parse(&text).map(|t| t.without_prefix(n));
        prop_assert!(target.is_ok_and(|t| t.path().starts_with('/')));
    }
}
