//! The engines against each other, and what keeps each of them bounded.
//!
//! What a pattern means is compared with JavaScript in `tests/it/patterns.rs`. Here random patterns run on
//! every engine that can take them, and must find the same: a fault in one would have to be in all.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

/// Sources of valid patterns, mostly.
fn source() -> impl Strategy<Value = String> {
    let atom = prop::sample::select(vec![
        "a", "b", "/", "/a", "ab", ".", ".*", "[ab]", "[^a]", r"\w", r"\W", r"\b", r"\B", "^", "$", r"\1",
        r"\2", "é", r"\d", "[^]", "[]",
    ]);
    let leaf = prop::collection::vec(atom.prop_map(str::to_owned), 1..4).prop_map(|atoms| atoms.concat());
    leaf.prop_recursive(4, 24, 3, |inner| {
        let opening = prop::sample::select(vec!["(", "(", "(?:", "(?=", "(?!", "(?<=", "(?<!"]);
        let quantifier = prop::sample::select(vec!["", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{0,2}"]);
        prop_oneof![
            (opening, inner.clone(), quantifier)
                .prop_map(|(open, body, count)| format!("{open}{body}){count}")),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("{one}{other}")),
            (inner.clone(), inner).prop_map(|(one, other)| format!("{one}|{other}")),
        ]
    })
}

/// What every engine that can take the pattern finds, by its name.
fn found_by_each(source: &str, ignore_case: bool, text: &str) -> Vec<(&'static str, Option<Groups>)> {
    let Ok(parsed) = parse::parse(source, ignore_case) else { return Vec::new() };
    let mut found = Vec::new();
    if let Ok(program) = Program::compile(&parsed.node, parsed.groups, literal::is_anchored(&parsed.node))
        && let Ok(groups) = program.find(text, &mut Steps::default())
    {
        found.push(("stepped", groups));
    }
    if translate::is_regular(&parsed.node) {
        let regex = regex::RegexBuilder::new(&translate::regex_syntax(&parsed.node)).build().unwrap();
        found.push(("regular", find_regular(&regex, text)));
    }
    if let Some(direct) = Direct::of(&parsed.node) {
        assert_eq!(direct.span(text).is_some(), direct.find(text).is_some());
        found.push(("direct", direct.find(text)));
    }
    found
}

proptest! {
    #[test]
    fn all_engines_find_the_same(
        source in source(),
        ignore_case: bool,
        texts in prop::collection::vec("[ab/AB\u{e9}\n]{0,8}", 4),
    ) {
        for text in texts {
            let found = found_by_each(&source, ignore_case, &text);
            for pair in found.windows(2) {
                prop_assert_eq!(&pair[0].1, &pair[1].1, "/{}/ on {:?}: {} and {}", source, text, pair[0].0, pair[1].0);
            }
        }
    }

    #[test]
    fn direct_forms_find_the_same(
        start in "\\^?",
        literal in "(/|a|\\(b\\)|\\(a/){0,3}",
        rest in "(\\.\\*|\\.\\+|\\(\\.\\*\\)|\\(\\))?",
        end in "\\$?",
        ignore_case: bool,
        text in "[ab/A\n\u{2028}]{0,8}",
    ) {
        let open = literal.matches('(').count() - literal.matches(')').count();
        let source = format!("{start}{literal}{rest}{}{end}", ")".repeat(open));
        let found = found_by_each(&source, ignore_case, &text);
        for pair in found.windows(2) {
            prop_assert_eq!(&pair[0].1, &pair[1].1, "/{}/ on {:?}: {} and {}", source, text, pair[0].0, pair[1].0);
        }
    }

    #[test]
    fn any_text_is_a_pattern_or_an_error(source in "\\PC{0,40}", text in "\\PC{0,40}", match_case: bool) {
        if let Ok(pattern) = Pattern::compile(&source, match_case) {
            let found = pattern.find(&text, &mut Steps::default());
            let matches = pattern.is_match(&text, &mut Steps::default());
            prop_assert_eq!(found.map(|groups| groups.is_some()), matches);
        }
    }

    #[test]
    fn whatever_looks_like_syntax_is_a_pattern_or_an_error(
        source in "[ab(){}\\[\\]|*+?^$.\\\\<>=!:,0-9kcuxdwbB-]{0,30}",
        text in "[ab/]{0,10}",
    ) {
        if let Ok(pattern) = Pattern::compile(&source, true) {
            let _ = pattern.find(&text, &mut Steps::default());
        }
    }
}

#[test]
fn a_match_needs_the_literals_of_its_pattern() {
    let rows: [(&str, &[&str], &str); 12] = [
        ("^/api/(.*)$", &["/api/"], "/api/"),
        ("/api/", &[""], "/api/"),
        ("^/(?:sap|api)/(v\\d)", &["/api/v", "/sap/v"], "/v"),
        ("^/a?b", &["/ab", "/b"], "/"),
        ("^/a+b", &["/a"], "/"),
        ("^(/a|/b)$", &["/a", "/b"], ""),
        ("^/a|/b", &[""], ""),
        ("^/(?!x)ab", &["/ab"], "/ab"),
        ("^(?:/app|/app/.*)?/res/(.*)$", &["/app/", "/res/"], "/res/"),
        ("^.*/test(x)+yy$", &[""], "/test"),
        ("^/[^/]+/long", &["/"], "/long"),
        ("(a{2})b", &[""], "a"),
    ];
    for (source, prefixes, inner) in rows {
        let pattern = Pattern::compile(source, true).unwrap();
        let found: Vec<_> =
            pattern.literals.prefixes.iter().map(|text| String::from_utf8_lossy(text)).collect();
        assert_eq!(found, prefixes, "{source}");
        assert_eq!(String::from_utf8_lossy(&pattern.literals.inner), inner, "{source}");
    }
}

#[test]
fn engines_are_chosen_by_what_a_pattern_needs() {
    let rows = [
        ("^/api/(.*)$", "direct"),
        ("^/login$", "direct"),
        ("/resources/", "direct"),
        ("(.*)", "direct"),
        ("^/([^/]+)/(.*)$", "regular"),
        ("^/a(\\?.*)?$", "regular"),
        ("(.*)(.html)", "regular"),
        ("^/(?!api)(.*)$", "stepped"),
        ("(a)\\1", "stepped"),
        ("^/(.*)?$", "stepped"),
    ];
    for (source, expected) in rows {
        let engine = match Pattern::compile(source, true).unwrap().engine {
            Engine::Direct(_) => "direct",
            Engine::Regular(_) => "regular",
            Engine::Stepped(_) => "stepped",
        };
        assert_eq!(engine, expected, "{source}");
    }
}

#[test]
fn what_cannot_be_bounded_is_refused_when_it_compiles() {
    let rows = [
        ("a".repeat(1024 * 1024), Reason::TooLong, "a megabyte of text"),
        ("(".repeat(50_000), Reason::TooDeep, "groups without end"),
        ("((a{1000}){1000}){1000}".to_owned(), Reason::TooLarge, "a thousand million letters"),
        ("(?=((a{1000}){1000}){1000})".to_owned(), Reason::TooLarge, "the same, looked ahead for"),
        ("(?:(a|b)?){0,4000000000}".to_owned(), Reason::TooLarge, "counted beyond memory"),
    ];
    for (source, reason, shows) in rows {
        let began = Instant::now();
        assert_eq!(Pattern::compile(&source, true).unwrap_err().reason, reason, "{shows}");
        assert!(began.elapsed() < Duration::from_secs(2), "{shows} took {:?}", began.elapsed());
    }
}

#[test]
fn nested_choices_compile_in_time() {
    let source = format!("^/{}", "(a|b)(?:c(a|b)?".repeat(100)) + &")?".repeat(100);
    let began = Instant::now();
    assert!(Pattern::compile(&source, true).is_ok());
    assert!(began.elapsed() < Duration::from_secs(2), "took {:?}", began.elapsed());
}
