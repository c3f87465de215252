//! Prefix templates, and the paths that they read a key from.

use super::*;
use crate::tenant::TenantKey;

#[test]
fn names() {
    let table: [(&str, &str, Option<(&str, usize)>, &str); 16] = [
        ("/t/{tenant}", "/t/acme/a", Some(("acme", 7)), "a segment"),
        ("/t/{tenant}", "/t/acme", Some(("acme", 7)), "the last one"),
        ("/t/{tenant}", "/t/acme/", Some(("acme", 7)), "with a slash behind it"),
        ("/t/{tenant}/", "/t/acme/a", Some(("acme", 7)), "a slash in the template changes nothing"),
        ("/{tenant}", "/acme/a", Some(("acme", 5)), "at the root"),
        ("/{tenant}/api", "/acme/api/x", Some(("acme", 9)), "text behind the key belongs to the prefix"),
        ("/{tenant}/api", "/acme/apis", None, "in whole segments"),
        ("/t/{tenant}", "/t/ACME/a", None, "paths have case, and keys are lower case"),
        ("/t/{tenant}", "/T/acme/a", None, "so has the prefix"),
        ("/t/{tenant}", "//t/acme/a", None, "an empty segment is a segment"),
        ("/t/{tenant}", "/t//acme/a", None, "also before the key"),
        ("/t/{tenant}", "/t/%61cme/a", None, "an escaped key is none"),
        ("/t/{tenant}", "/t/acme;x/a", None, "nor one with a parameter"),
        ("/t/{tenant}", "/t/a.b/a", None, "nor one with a dot"),
        ("/t/{tenant}", "/t/", None, "nor an empty one"),
        ("/t/{tenant}", "/tt/acme", None, "another prefix"),
    ];
    for (template, path, expected, shows) in table {
        let rule = PathRule::parse(template, false).unwrap_or_else(|error| panic!("{template}: {error}"));
        assert_eq!(rule.name(path), expected, "{template} {path}: {shows}");
    }
}

#[test]
fn refused_templates() {
    let table = [
        ("/t", PathRuleError::NoTenant),
        ("", PathRuleError::NoTenant),
        ("t/{tenant}", PathRuleError::NoSlash),
        ("{tenant}", PathRuleError::NoSlash),
        ("/t-{tenant}", PathRuleError::NotASegment),
        ("/{tenant}-app", PathRuleError::NotASegment),
        ("/{tenant}/{tenant}", PathRuleError::Twice),
        ("/t?/{tenant}", PathRuleError::Character('?')),
        ("/t%20/{tenant}", PathRuleError::Character('%')),
        ("/../{tenant}", PathRuleError::Segment),
        ("//{tenant}", PathRuleError::Segment),
    ];
    for (template, error) in table {
        assert_eq!(PathRule::parse(template, true), Err(error), "{template}");
    }
}

#[test]
fn the_prefix_of_a_tenant_is_read_back() {
    let rule = PathRule::parse("/t/{tenant}/app", true).expect("a template");
    let key = TenantKey::parse("acme").expect("a key");
    assert_eq!(rule.name(&rule.prefix_of(&key)), Some(("acme", 11)));
}
