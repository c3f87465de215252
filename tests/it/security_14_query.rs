//! Class 14: neither a query nor a fragment nor a parameter lowers what a route asks.

use super::security_13_path_forms::{routes, sent_by_anybody};

#[test]
fn a_public_suffix_does_not_open_what_is_not_one() {
    let tables: [&[(&str, bool)]; 3] = [
        &[(r".*\.css$", true), ("^/(.*)$", false)],
        &[(r"\.(css|js|png)$", true), ("^/admin", false)],
        &[("/login", true), (r"^.*\.css", true), ("^/admin(.*)$", false)],
    ];
    let forms = [
        "/admin?x=.css",
        "/admin?.css",
        "/admin?x=/login",
        "/admin?/login/x.css",
        "/admin/?a=b&c=d.css",
        "/admin#.css",
        "/admin?#.css",
        "/admin;.css",
        "/admin;x=y.css",
        "/admin;x.css?y=.css",
        "/admin/;.css",
        "/admin%3b.css",
        "/admin%3B.css?x=.css",
    ];
    for table in tables {
        let routes = routes(table);
        for form in forms {
            assert_eq!(sent_by_anybody(&routes, form), None, "{table:?}: {form}");
        }
    }
}

#[test]
fn what_is_public_stays_so_with_a_query() {
    let routes = routes(&[(r".*\.css$", true), (r"^/login(\?.*)?$", true), ("^/(.*)$", false)]);
    for target in ["/a.css", "/a/b.css", "/login", "/login?next=x"] {
        assert_eq!(sent_by_anybody(&routes, target).as_deref(), Some(target));
    }
    assert_eq!(sent_by_anybody(&routes, "/a.css?v=1"), None, "the pattern ends with the path");
}
