//! Targets that a table against JavaScript cannot hold: what a route makes of them.

use super::*;
use crate::route::pattern::Steps;

fn replaced(source: &str, target: &str, text: &str) -> String {
    let pattern = Pattern::compile(source, true).unwrap();
    let groups = pattern.find(text, &mut Steps::default()).unwrap().unwrap();
    for_route(target, &pattern).unwrap().replace(text, &groups)
}

#[test]
fn what_no_url_can_hold_is_escaped_in_the_target_and_nowhere_else() {
    let rows = [
        ("^/a/(.*)$", "/x y/ü/$1", "/a/b%20c|d", "/x%20y/%C3%BC/b%20c|d", "space and letters outside ASCII"),
        ("^/a/(.*)$", "/<$1>", "/a/b", "/%3Cb%3E", "angle brackets"),
        ("^/a/(?<n>.*)$", "/$<n>`\"", "/a/b", "/b%60%22", "but not those of a reference"),
        ("^/a/(.*)$", "/100%/$1", "/a/b", "/100%/b", "a percent sign is left: it may be an escape"),
        ("^/a/(.*)$", "/$`/$1", "/a/b", "//b", "nor the backtick of a reference"),
    ];
    for (source, target, text, expected, shows) in rows {
        assert_eq!(replaced(source, target, text), expected, "{shows}");
    }
}

#[test]
fn a_target_is_a_path() {
    let pattern = Pattern::compile("^/a/(.*)$", true).unwrap();
    let rows = [
        ("//evil.test/$1", false, "another host"),
        ("https://evil.test/$1", false, "another address"),
        ("javascript:x", false, "any scheme"),
        ("$1", true, "a reference may stand first"),
        ("nl/$1", true, "without a slash: one is added"),
        ("/a:b", true, "a colon after a slash is no scheme"),
        ("?x=a:b", true, "nor is one in a query"),
        ("1a:b", true, "nor after a digit"),
        ("", true, "empty: the match is left out"),
    ];
    for (target, accepted, shows) in rows {
        assert_eq!(for_route(target, &pattern).is_ok(), accepted, "{target}: {shows}");
    }
}

#[test]
fn references_to_groups_that_are_missing_are_found() {
    let pattern = Pattern::compile("^/(a)(b)", true).unwrap();
    let rows: [(&str, &[&str]); 5] = [
        ("/$1/$2", &[]),
        ("/$3", &["$3"]),
        ("/$0/$format/$$5/$", &[]),
        ("/$10/$30", &["$30"]),
        ("$5$1$7", &["$5", "$7"]),
    ];
    for (target, expected) in rows {
        assert_eq!(missing_groups(target, &pattern), expected, "{target}");
    }
}
