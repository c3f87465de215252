//! What tags become, and what is remembered.

use super::*;

fn replacement(suffixes: &[&str]) -> Replacement {
    let values = [
        ("TITLE", "<&\"'> {{RAW}}"),
        ("RAW", "http://ui5.example/?a=1&b=2"),
        ("EMPTY", ""),
        ("ui5.url", "https://ui5.example"),
        ("ü", "ä"),
    ];
    let values = values.map(|(name, value)| (Box::from(name), Secret::new(value)));
    Replacement::new(suffixes.iter().map(|suffix| Box::from(*suffix)).collect(), values.into())
}

#[test]
fn tags_become_values() {
    let all = replacement(&[".html"]);
    for (text, expected, shows) in [
        ("no tag", "no tag", "nothing to replace"),
        ("", "", "an empty file"),
        ("{{TITLE}}", "&lt;&amp;&quot;&#39;&gt; {{RAW}}", "escaped, and never read for tags again"),
        ("{{{TITLE}}}", "<&\"'> {{RAW}}", "as it is"),
        ("a{{RAW}}b", "ahttp://ui5.example/?a=1&amp;b=2b", "in the midst of a line"),
        ("{{ RAW }}", "http://ui5.example/?a=1&amp;b=2", "white space around a name"),
        ("{{{ui5.url}}}/x.js", "https://ui5.example/x.js", "a member of a service"),
        ("[{{NONE}}]", "[]", "a name that was not given"),
        ("[{{ui5.clientsecret}}]", "[]", "a member that was not given"),
        ("[{{EMPTY}}{{{EMPTY}}}]", "[]", "an empty value"),
        ("{{PATH}}{{HOME}}", "", "the process's environment is not reached"),
        ("{{ü}}", "ä", "a name outside of ASCII"),
        ("{{RAW", "{{RAW", "no end"),
        ("{{{RAW}}", "{{{RAW}}", "half an end"),
        ("{{a: 1}, {{EMPTY}}", "{{a: 1}, ", "braces that no name stands between"),
        ("{{a\n}}", "{{a\n}}", "a name is on one line"),
        ("}}{{EMPTY}}{{", "}}{{", "ends and beginnings alone"),
    ] {
        let rendered = all.render(text.as_bytes());
        assert_eq!(String::from_utf8(rendered).unwrap(), expected, "{text}: {shows}");
    }
    let long = format!("{{{{{}}}}}", "a".repeat(LONGEST_NAME + 1));
    assert_eq!(all.render(long.as_bytes()), long.as_bytes(), "no name is as long");
    assert_eq!(all.render(b"\xff{{EMPTY}}\xfe"), b"\xff\xfe", "bytes that are no text stay");
}

#[test]
fn only_paths_with_a_suffix_are_concerned() {
    for (suffix, path, concerned, shows) in [
        (".html", "index.html", true, "an extension"),
        (".html", "a/b.html", true, "in a folder"),
        (".html", "a.htm", false, "another"),
        ("some.html", "awesome.html", true, "the end of a name"),
        ("/some.html", "some.html", true, "a whole name"),
        ("/some.html", "abc/some.html", true, "in a folder"),
        ("/some.html", "awesome.html", false, "the end of a name is not the whole"),
        ("/abc/main.html", "abc/main.html", true, "a folder"),
        ("/abc/main.html", "x/abc/main.html", true, "a folder in another"),
        ("/abc/main.html", "xabc/main.html", false, "the end of a folder's name is not the whole"),
        ("index.html", "Index.html", false, "names have case"),
    ] {
        let found = replacement(&[suffix]).concerns(Path::new(path));
        assert_eq!(found, concerned, "{suffix} {path}: {shows}");
    }
    assert!(!replacement(&[]).concerns(Path::new("a.html")), "nothing is concerned by nothing");
}

#[test]
fn nothing_of_a_value_is_printed() {
    let all = replacement(&[".html"]);
    all.lock().remember(Path::new("a"), version(1), Rendered::of(Bytes::from_static(b"hunter2")));
    let printed = format!("{all:?}");
    assert!(!printed.contains("ui5.example") && !printed.contains("hunter2"), "{printed}");
}

fn version(length: u64) -> Version {
    Version { length, modified: SystemTime::UNIX_EPOCH }
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut remembered = Remembered::default();
    let rendered = || Rendered::of(Bytes::from(vec![b'a'; 1024 * 1024]));
    for number in 0..100 {
        remembered.remember(Path::new(&format!("{number}.html")), version(number), rendered());
        let held: usize =
            remembered.files.iter().map(|(path, (_, it))| path.as_os_str().len() + it.body.len()).sum();
        assert_eq!(held, remembered.bytes);
        assert!(held <= REMEMBERED, "{number}: {held}");
    }
    remembered.remember(Path::new("99.html"), version(100), rendered());
    assert!(remembered.known(Path::new("99.html"), version(99)).is_none(), "a version that is gone");
    assert!(remembered.known(Path::new("99.html"), version(100)).is_some());
    let held = remembered.bytes;
    remembered.remember(Path::new("huge"), version(1), Rendered::of(Bytes::from(vec![0; REMEMBERED])));
    assert_eq!(remembered.bytes, held, "what would fill it all is not remembered");
}

proptest::proptest! {
    #[test]
    fn nothing_but_what_was_given_gets_in(
        text in proptest::collection::vec(proptest::sample::select(&b"{}A \n\xff<&"[..]), 0..64),
    ) {
        let values = [(Box::from("A"), Secret::new("<v>"))];
        let known = Replacement::new(Vec::new(), values.into()).render(&text);
        let unknown = Replacement::new(Vec::new(), HashMap::new()).render(&text);
        proptest::prop_assert!(unknown.len() <= text.len(), "a tag without a value adds nothing");
        let outside: Vec<u8> = known.iter().copied().filter(|byte| !b"<v>&ltg;".contains(byte)).collect();
        let kept: Vec<u8> = unknown.iter().copied().filter(|byte| !b"<v>&ltg;".contains(byte)).collect();
        proptest::prop_assert_eq!(outside, kept, "what is no tag stays as it is");
    }
}
