//! Attack class 14: a query, a fragment or a parameter that completes a public pattern.
//!
//! Recipe: a public route for style sheets before a protected one for everything, in each way such a
//! pattern is written; requests for the protected part that look like style sheets. Must happen: the
//! protected route gets them, or they are refused.

use http::Method;
use vestibule::auth::{AuthenticationType, Requirement};
use vestibule::request::Target;
use vestibule::route::{Action, DestinationName, Origin, Picked, RouteSpec, Routes};

use super::security_13_path_forms;
use super::security_13_path_forms::sent_by_anybody;

fn routes(public: &str) -> Routes {
    let spec = |(index, (source, kind)): (usize, (&str, AuthenticationType))| RouteSpec {
        index,
        source: source.into(),
        match_case: false,
        methods: None,
        target: None,
        action: Action::Destination(DestinationName::Fixed("backend".into())),
        requirement: Requirement { kind, scope: None, csrf: false },
        origin: Origin { file: "xs-app.json".into(), line: 1, column: 1 },
        cache_control: None,
        identity_provider: None,
        dynamic_identity_provider: false,
        passes_session_cookies: false,
        prefer_local: false,
    };
    let both = [(public, AuthenticationType::None), ("^/(.*)$", AuthenticationType::Jwt)];
    Routes::compile(both.into_iter().enumerate().map(spec).collect(), None).unwrap()
}

/// Whether the public route gets a request; `None` where it is no request at all.
fn is_public(routes: &Routes, target: &str) -> Option<bool> {
    let target = Target::parse(target).ok()?;
    let picked = routes.pick(&Method::GET, &target, false);
    let Picked::Route(matched) = picked else { panic!("{target}: {picked:?}") };
    Some(matched.route.is_public())
}

#[test]
fn a_query_completes_no_public_pattern() {
    let patterns = [
        r".*\.css$",
        r"\.css",
        r"\.css($|\?)",
        r"(?<=\.css)",
        r"^/(admin\?)?.*\.css",
        r"^/[^?]*(\?.*)?\.css$",
        r"(?:^/public/|\.css)",
        r"^(.*)(.css)(.*)$",
    ];
    let hidden = [
        "/admin?x=.css",
        "/admin?.css",
        "/admin?x=1&y=/public/a.css",
        "/admin??.css",
        "/admin?/public/.css",
        "/admin?x=.CSS",
        "/admin/?.css?.css",
    ];
    for source in patterns {
        let routes = routes(source);
        for target in hidden {
            assert_eq!(is_public(&routes, target), Some(false), "{source} and {target}");
        }
        assert_eq!(is_public(&routes, "/style.css"), Some(true), "{source} still does what it is for");
    }
}

#[test]
fn a_fragment_is_no_request() {
    let routes = routes(r"\.css$");
    for target in ["/admin#.css", "/admin?x#.css", "/#/a.css"] {
        assert_eq!(is_public(&routes, target), None, "{target}");
    }
}

#[test]
fn a_pattern_that_only_a_query_can_complete_never_matches() {
    let routes = routes(r"^/a\?key=.*");
    assert_eq!(is_public(&routes, "/a?key=1"), Some(false));
}

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
        let routes = security_13_path_forms::routes(table);
        for form in forms {
            assert_eq!(sent_by_anybody(&routes, form), None, "{table:?}: {form}");
        }
    }
}

#[test]
fn what_is_public_stays_so_with_a_query() {
    let routes = security_13_path_forms::routes(&[
        (r".*\.css$", true),
        (r"^/login(\?.*)?$", true),
        ("^/(.*)$", false),
    ]);
    for target in ["/a.css", "/a/b.css", "/login", "/login?next=x"] {
        assert_eq!(sent_by_anybody(&routes, target).as_deref(), Some(target));
    }
    assert_eq!(sent_by_anybody(&routes, "/a.css?v=1"), None, "the pattern ends with the path");
}
