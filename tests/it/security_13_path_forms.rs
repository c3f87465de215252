//! Class 13: what is matched is what is sent, and no spelling of a protected path opens it.

use http::Method;
use vestibule::auth::{AuthenticationType, Requirement};
use vestibule::request::Target;
use vestibule::route::{Action, DestinationName, Origin, Picked, RouteSpec, Routes};

/// Routes as (source, public).
pub(crate) fn routes(sources: &[(&str, bool)]) -> Routes {
    let spec = |(index, (source, public)): (usize, &(&str, bool))| RouteSpec {
        index,
        source: (*source).to_owned(),
        match_case: true,
        methods: None,
        target: None,
        action: Action::Destination(DestinationName::Fixed("backend".into())),
        requirement: Requirement {
            kind: if *public { AuthenticationType::None } else { AuthenticationType::Jwt },
            scope: None,
            csrf: false,
        },
        origin: Origin { file: "xs-app.json".into(), line: 1, column: 1 },
        cache_control: None,
        identity_provider: None,
        dynamic_identity_provider: false,
        passes_session_cookies: false,
        prefer_local: false,
    };
    Routes::compile(sources.iter().enumerate().map(spec).collect(), None).unwrap()
}

/// Whether anybody may send `target`, and then what the backend receives.
pub(crate) fn sent_by_anybody(routes: &Routes, target: &str) -> Option<String> {
    let target = Target::parse(target).ok()?;
    match routes.pick(&Method::GET, &target, false) {
        Picked::Route(matched) if matched.route.is_public() => {
            Some(matched.rewritten("").map_or_else(|_| String::new(), |sent| sent.to_string()))
        }
        Picked::Route(_)
        | Picked::Welcome(_)
        | Picked::MethodNotAllowed(_)
        | Picked::NotFound
        | Picked::Undecided(_) => None,
    }
}

/// How lenient servers read a path: parameters cut off, decoded once, slashes joined, dots resolved.
fn as_a_lenient_server(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let cut: Vec<_> = path.split('/').map(|segment| segment.split(';').next().unwrap_or_default()).collect();
    let decoded = percent_encoding::percent_decode_str(&cut.join("/")).decode_utf8_lossy().replace('\\', "/");
    let mut segments = Vec::new();
    for segment in decoded.split(['/', ';', '\0']) {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            other => segments.push(other),
        }
    }
    format!("/{}", segments.join("/"))
}

/// Ways to write the slash, the dots and the letters of a path that climbs out of a public folder, or
/// that names a protected one differently.
const FORMS: [&str; 47] = [
    "/public/../admin/x",
    "/public/./../admin/x",
    "/public/%2e%2e/admin/x",
    "/public/%2E%2E/admin/x",
    "/public/.%2e/admin/x",
    "/public/%2e./admin/x",
    "/public/..%2fadmin/x",
    "/public/..%2Fadmin/x",
    "/public%2f..%2fadmin/x",
    "/public/..%5cadmin/x",
    "/public/..%5Cadmin/x",
    "/public/..\\admin/x",
    "/public\\..\\admin/x",
    "/public/..;/admin/x",
    "/public/..;x=y/admin/x",
    "/public/.;/../admin/x",
    "/public/;/../admin/x",
    "/public/;x/..;y/admin/x",
    "/public/%2e%2e;/admin/x",
    "/public/..%3b/admin/x",
    "/public/%252e%252e/admin/x",
    "/public/..%252fadmin/x",
    "/public/%c0%ae%c0%ae/admin/x",
    "/public/%e0%80%ae%e0%80%ae/admin/x",
    "/public/..%c0%afadmin/x",
    "/public/..%00/admin/x",
    "/public/%00/../admin/x",
    "/public/..%0d%0a/admin/x",
    "/public/..#/admin/x",
    "/public/../admin#x",
    "/public/..%23/admin/x",
    "/public/..%3f/admin/x",
    "//admin/x",
    "/.//admin/x",
    "/./admin/x",
    "///admin///x",
    "/;/admin/x",
    "/;x=y/admin/x",
    "/admin;/x",
    "/admin;x=y/x",
    "/admin%3b/x",
    "/%61dmin/x",
    "/%61%64%6d%69%6e/x",
    "/adm%69n/x",
    "/admin//x",
    "/admin%2fx",
    "/admin/x",
];

#[test]
fn no_spelling_opens_a_protected_path() {
    let tables: [&[(&str, bool)]; 4] = [
        &[("^/admin/(.*)$", false), ("^/public/(.*)$", true), ("^/(.*)$", false)],
        &[("^/admin/(.*)$", false), ("^/(.*)$", true)],
        &[("^/public/(.*)$", true), ("^/admin/(.*)$", false)],
        &[("^/admin", false), ("/public/", true), (".*", true)],
    ];
    for table in tables {
        let routes = routes(table);
        for form in FORMS {
            if let Some(sent) = sent_by_anybody(&routes, form) {
                let read = as_a_lenient_server(&sent);
                assert!(!read.starts_with("/admin/"), "{table:?}: {form} opens {read}");
                assert_eq!(sent, form, "{table:?}: sent as it was matched");
            }
        }
    }
}

#[test]
fn honest_paths_of_public_routes_stay_open() {
    let routes = routes(&[("^/admin/(.*)$", false), ("^/(.*)$", true)]);
    let open =
        ["/", "/a", "/a//b", "/a;jsessionid=1", "/%C3%A4%20b", "/a%2Db", "/public/%252e", "/a?x=/admin/"];
    for target in open {
        assert_eq!(sent_by_anybody(&routes, target).as_deref(), Some(target));
    }
}

#[test]
fn separators_in_disguise_are_refused_everywhere() {
    for escape in
        ["%2f", "%2F", "%5c", "%5C", "%00", "%0d", "%0D", "%0a", "%0A", "\\", "#", " ", "\t", "\u{7f}"]
    {
        for target in [format!("/{escape}"), format!("/a{escape}b"), format!("/a/{escape}?q")] {
            assert!(Target::parse(&target).is_err(), "{target:?}");
        }
    }
}
