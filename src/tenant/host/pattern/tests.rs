//! Patterns as they are found in the wild: which are accepted, what they read, what people are told.

use proptest::prelude::*;

use super::*;

fn pattern(source: &str) -> HostPattern {
    HostPattern::compile(source, true).unwrap_or_else(|error| panic!("{source}: {error}"))
}

fn read(source: &str, host: &str, port: Option<u16>) -> Option<String> {
    pattern(source).name(host, port).map(Cow::into_owned)
}

#[test]
fn reads() {
    let table: [(&str, &str, Option<u16>, Option<&str>, &str); 24] = [
        (r"^(.*)\.example\.test$", "acme.example.test", None, Some("acme"), "the usual form"),
        ("^(.*).example.test", "acme.example.test", None, Some("acme"), "unescaped, no end"),
        ("(.*).example.test", "acme.example.test", None, Some("acme"), "no beginning"),
        ("^(.*)-app.example.test", "acme-app.example.test", None, Some("acme"), "with a suffix"),
        ("app-(.*).example.test", "app-acme.example.test", None, Some("acme"), "with a prefix"),
        ("^(.*)-a.(.*).test", "acme-a.eu10.test", None, Some("acme"), "two groups: the first counts"),
        ("^(?<tenant>.*)-a.test", "acme-a.test", None, Some("acme"), "a named group"),
        ("^(?:www.)?([a-z]+).test", "www.acme.test", None, Some("acme"), "an optional part"),
        ("^(acme|globex).test", "globex.test", None, Some("globex"), "alternation in the group"),
        ("^(.*).TEST", "acme.test", None, Some("acme"), "hosts have no case, so patterns have none"),
        (r"^([^.]+)\.test$", "acme.test", None, Some("acme"), "a class"),
        (r"^(\w+)\.test$", "acme.test", None, Some("acme"), "another"),
        ("^(.*).localhost:5000$", "acme.localhost", Some(5000), Some("acme"), "a pattern with the port"),
        (r"^(.*).localhost:\d+", "acme.localhost", Some(8080), Some("acme"), "or any port"),
        ("^(.*).localhost:5000$", "acme.localhost", None, None, "which then must be there"),
        ("^(.*).localhost$", "acme.localhost", Some(5000), Some("acme"), "a pattern without the port"),
        ("^(.*).test", "acmextest", None, Some("acme"), "an unescaped dot is any character"),
        ("^(.*).test", "a.b.test", None, None, "two labels are no key"),
        ("^(.*).test", "test", None, None, "nothing before"),
        ("^(.*).test", ".test", None, None, "an empty group"),
        ("(.*).test", "acme.test.evil", None, None, "the whole host, though the pattern has no end"),
        ("a|(b).test", "b.test", None, Some("b"), "alternation does not escape the anchors"),
        ("a|(b).test", "axx", None, None, "on either side"),
        ("a|(b).test", "a", None, None, "a group that took no part names nobody"),
    ];
    for (source, host, port, expected, shows) in table {
        assert_eq!(read(source, host, port).as_deref(), expected, "{source} {host}: {shows}");
    }
}

#[test]
fn refused() {
    use HostPatternError as E;
    let placeholder = |text: &str| E::Placeholder(text.into());
    let table: [(&str, HostPatternError); 22] = [
        ("", E::Empty),
        ("\"\"", E::Empty),
        ("  ", E::Empty),
        ("${tenantHostPattern}", placeholder("${tenantHostPattern}")),
        ("^(.*)-${default-domain}", placeholder("${default-domain}")),
        ("^(.*)-<app-name>.cfapps.<landscape>.test", placeholder("<app-name>")),
        ("^(.*)-approuter-<<your user id>>.test", placeholder("<<your user id>>")),
        ("^(.*)-((ID)).((LANDSCAPE_APPS_DOMAIN))", placeholder("((ID))")),
        ("^(.*)-{{ .Release.Name }}.test", placeholder("{{ .Release.Name }}")),
        ("^(.*)-~{properties/app-name}.test", placeholder("~{properties/app-name}")),
        ("^(.*).$(CLUSTER_DOMAIN)", placeholder("$(CLUSTER_DOMAIN)")),
        ("{tenant}.example.test", placeholder("{tenant}")),
        ("^(.*)-YOUR_BIRTH_DATE.test", E::Impossible('_')),
        (r"^(.\*).localhost", E::Impossible('*')),
        ("^(.*)/x", E::Impossible('/')),
        ("^.*.example.test", E::NoGroup),
        ("^(?:.*).example.test", E::NoGroup),
        ("^(.*)(?=.test)", E::LookAround),
        (r"^(.*)\1.test", E::BackReference),
        ("^(.*.test", E::Syntax { message: "unclosed group".into(), offset: 2 }),
        ("^(.*)[.test", E::Syntax { message: "unclosed character class".into(), offset: 6 }),
        (r"^(([a-z]{1000}){1000})", E::TooLarge),
    ];
    for (source, error) in table {
        assert_eq!(HostPattern::compile(source, true).err(), Some(error), "{source}");
    }
}

#[test]
fn warned() {
    use HostPatternWarning as W;
    let table: [(&str, bool, &[HostPatternWarning]); 6] = [
        (r"^(.*)\.example\.test$", true, &[]),
        ("^(.*)[.]example-(a|b)$", true, &[]),
        ("^(.*).example.test$", true, &[W::UnescapedDot]),
        (r#""^(.*)\.example\.test$""#, true, &[W::Quoted]),
        (r"'(.*)\.example\.test'", true, &[W::Quoted]),
        (r"(.*)\.example\.test", false, &[W::Unanchored]),
    ];
    for (source, anchored, warnings) in table {
        let pattern = HostPattern::compile(source, anchored).unwrap_or_else(|e| panic!("{source}: {e}"));
        assert_eq!(pattern.warnings(), warnings, "{source}");
    }
}

#[test]
fn unanchored_searches() {
    let pattern = HostPattern::compile(r"([a-z]+)\.example", false).expect("a pattern");
    assert_eq!(pattern.name("www.acme.example.test", None).as_deref(), Some("acme"));
    let pattern = HostPattern::compile(r"^([a-z]+)\.example:80$", false).expect("a pattern");
    assert_eq!(pattern.name("acme.example", Some(80)).as_deref(), Some("acme"), "with the port too");
}

/// What the usual patterns look like; the shape of each must say the same as its expression.
const SHAPED: [&str; 8] = [
    "^(.*)-app.ex.test",
    r"^(.*)-app\.ex\.test$",
    "(.*).test",
    "app-(.+).test$",
    "^(.*?).t",
    "(.*)",
    r"^x.(.*)\.y.$",
    "^([^.]+)[.]TEST$",
];

#[test]
fn usual_patterns_need_no_expression() {
    for source in SHAPED {
        assert!(!pattern(source).is_dear(), "{source}");
    }
    for source in [r"^(\w+)\.test", "^(.*)-a.(.*).test", "^(acme|b).test", "^(.{3}).test", "^((.*)).test"] {
        assert!(pattern(source).is_dear(), "{source}");
    }
}

proptest! {
    #[test]
    fn a_shape_says_what_its_expression_says(
        n in 0..SHAPED.len(),
        host in "(app-|x\\.|x-)?[a-z.-]{0,8}(-app)?(\\.|x)?(ex|t|y)?(\\.|-)?(test|t|y.)?",
        port in proptest::option::of(1u16..),
    ) {
        let shaped = pattern(SHAPED[n]);
        let expression = compile(SHAPED[n], true).expect("an expression");
        let with_port = port.map(|port| format!("{host}:{port}"));
        let read = |text: &str| {
            Some(expression.captures(text)?.get(1)?.as_str().to_owned()).filter(|key| is_key(key))
        };
        let expected = read(&host).or_else(|| read(&with_port?));
        prop_assert_eq!(shaped.name(&host, port).map(Cow::into_owned), expected, "{} {}", SHAPED[n], host);
    }

    #[test]
    fn any_pattern_and_host(source in "[ -~]{0,20}", host in "[a-z0-9.-]{1,20}", anchored: bool) {
        if let Ok(pattern) = HostPattern::compile(&source, anchored)
            && let Some(key) = pattern.name(&host, Some(80))
        {
            prop_assert!(is_key(&key));
        }
    }
}
