//! Tests of `config`: tables, each row with what it shows.

use proptest::prelude::*;

use super::{NOT_SUPPORTED_YET, Severity, parse_xs_app, parse_xs_tenants};

/// Pieces that texts are put together from: what the files are made of, and what does not belong there.
const PIECES: [&str; 44] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u00e4",
    "\\ud800",
    "\u{feff}",
    "ä",
    "\n",
    " ",
    "0",
    "-1",
    "1e9",
    "99999999999999999999",
    "true",
    "null",
    "//",
    "\"routes\"",
    "\"source\"",
    "\"^/(.*)$\"",
    "\"scope\"",
    "\"default\"",
    "\"tenants\"",
    "\"acme\"",
    "\"issuer\"",
    "\"url\"",
    "\"jwks\"",
    "\"keys\"",
    "\"env\"",
    "\"file\"",
    "\"hosts\"",
    "\"destinations\"",
    "\"cors\"",
    "\"allowedOrigin\"",
    "\"replace\"",
    "\"services\"",
    "\"logout\"",
    "\"_x\"",
    "\"limits\"",
    "<%",
];

fn texts() -> impl Strategy<Value = String> {
    let pieces =
        prop::collection::vec(prop::sample::select(&PIECES[..]), 0..60).prop_map(|pieces| pieces.concat());
    prop_oneof![pieces, any::<String>()]
}

/// JSON of any shape, with keys that mean something.
fn values() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(String::from("null")),
        Just(String::from("\"\"")),
        Just(String::from("\"$1\"")),
        any::<i32>().prop_map(|number| number.to_string()),
        any::<bool>().prop_map(|flag| flag.to_string()),
    ];
    let key = prop::sample::select(
        PIECES.iter().copied().filter(|piece| piece.len() > 3 && piece.starts_with('"')).collect::<Vec<_>>(),
    );
    leaf.prop_recursive(5, 60, 6, move |inner| {
        let fields = prop::collection::vec((key.clone(), inner.clone()), 0..6);
        let object = fields.prop_map(|fields| {
            let fields: Vec<_> = fields.into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
            format!("{{{}}}", fields.join(","))
        });
        let list = prop::collection::vec(inner, 0..6).prop_map(|values| format!("[{}]", values.join(",")));
        prop_oneof![object, list]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn no_text_makes_reading_panic(text in prop_oneof![texts(), values()]) {
        for problems in [parse_xs_app(&text), parse_xs_tenants(&text)] {
            for problem in &problems {
                prop_assert!(problem.line >= 1 && problem.column >= 1 && !problem.message.is_empty());
            }
        }
    }

    #[test]
    fn a_text_is_json_here_if_and_only_if_it_is_json(text in texts()) {
        let bare = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let accepted = super::text::parse(bare).is_ok();
        prop_assert_eq!(accepted, serde_json::from_str::<serde::de::IgnoredAny>(bare).is_ok());
    }
}

/// One value of every kind that is wrong, in every place where one may stand.
#[test]
fn values_that_do_not_fit_are_problems_of_their_own_place() {
    let cases = [
        (
            r#"{"routes": [{"source": {"path": "x", "matchCase": 1}, "destination": "d"}]}"#,
            "wrong_type",
            "routes[0].source.matchCase",
            "a number is not true or false",
        ),
        (
            r#"{"routes": [{"source": "x", "destination": "d", "localDir": "l"}]}"#,
            "two_actions",
            "routes[0].localDir",
            "a route leads to one place",
        ),
        (
            r#"{"routes": [{"source": "x", "localDir": "l", "httpMethods": ["GET"]}]}"#,
            "needs_no_methods",
            "routes[0].httpMethods",
            "files are for GET and HEAD",
        ),
        (r#"{"routes": [{"source": "x"}]}"#, "no_action", "routes[0]", "a route leads somewhere"),
        (
            r#"{"logout": {"csrfProtection": true}}"#,
            "needs_post",
            "logout.csrfProtection",
            "GET has no token",
        ),
        (
            r#"{"cors": [{"uriPattern": "x", "allowedOrigin": [{"host": "h", "port": "0"}]}]}"#,
            "out_of_range",
            "cors[0].allowedOrigin[0].port",
            "0 is no port",
        ),
        (r#"{"sessionTimeout": 1.5}"#, "out_of_range", "sessionTimeout", "half a minute"),
        (r#"{"welcomeFile": null}"#, "wrong_type", "welcomeFile", "null is no value"),
        (r#"{"routes": [], "routes": []}"#, "duplicate_key", "routes", "which one counts is anybody's guess"),
        (r#"{"$shema": 1}"#, "unknown_key", "$shema", "a misspelt $schema"),
        (r#"{"welcomeFile": {"env": 1}}"#, "wrong_type", "welcomeFile.env", "a name is a string"),
        (r#"{"welcomeFile": {"env": "A", "file": "b"}}"#, "wrong_type", "welcomeFile", "one place, not two"),
    ];
    for (text, code, key, shows) in cases {
        let problems = parse_xs_app(text);
        let found = problems.iter().any(|problem| problem.code == code && problem.key == key);
        assert!(found, "{shows}: expected {code} at {key}, found\n{problems}");
    }
}

#[test]
fn keys_of_later_features_are_checked_and_noted() {
    let cases = [
        (r#"{"websockets": {"enabled": true}}"#, 0, "WebSockets are there"),
        (r#"{"websockets": {"enabled": false}}"#, 0, "nothing is asked for"),
        (r#"{"logout": {"logoutEndpoint": "/l"}}"#, 0, "logout is there"),
        (r#"{"destinations": {"be": {}}}"#, 0, "a section that says nothing"),
        (r#"{"destinations": {"be": {"logoutPath": "/l"}}}"#, 0, "a path to call"),
        (r#"{"services": {"be": {"logoutPath": "/l"}}}"#, 0, "services are there"),
        (r#"{"responseHeaders": [{"name": "a", "value": "b"}]}"#, 0, "headers are there"),
    ];
    for (text, expected, shows) in cases {
        let problems = parse_xs_app(text);
        assert!(
            problems.iter().all(|p| p.severity == Severity::Note && p.code == NOT_SUPPORTED_YET),
            "{problems}"
        );
        assert_eq!(problems.iter().count(), expected, "{shows}: {text}");
    }
}
