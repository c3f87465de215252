//! Which route a request gets, and what becomes of its path.

#![allow(clippy::panic, reason = "what fails here fails a test, and says where")]

use proptest::prelude::*;

use super::explain::Reason;
use super::lint::Finding;
use super::*;

fn spec(index: usize, source: &str) -> RouteSpec {
    RouteSpec {
        index,
        source: source.into(),
        match_case: true,
        methods: None,
        target: None,
        action: Action::Destination(DestinationName::Fixed("backend".into())),
        requirement: Requirement { kind: AuthenticationType::Jwt, scope: None, csrf: false },
        origin: Origin { file: "xs-app.json".into(), line: 1, column: 1 },
        cache_control: None,
        identity_provider: None,
        dynamic_identity_provider: false,
        passes_session_cookies: false,
        prefer_local: false,
    }
}

fn public(mut spec: RouteSpec) -> RouteSpec {
    spec.requirement.kind = AuthenticationType::None;
    spec
}

fn with_methods(mut spec: RouteSpec, methods: &[Method]) -> RouteSpec {
    spec.methods = Some(methods.to_vec());
    spec
}

fn with_target(mut spec: RouteSpec, target: &str) -> RouteSpec {
    spec.target = Some(target.into());
    spec
}

fn routes(specs: Vec<RouteSpec>) -> Routes {
    Routes::compile(specs, None).unwrap()
}

fn numbered(sources: &[&str]) -> Vec<RouteSpec> {
    sources.iter().enumerate().map(|(index, source)| spec(index, source)).collect()
}

/// The picked route's index, or the status that is answered instead.
fn picked(routes: &Routes, method: &Method, target: &str) -> Result<usize, String> {
    match routes.pick(method, &Target::parse(target).unwrap(), false) {
        Picked::Route(matched) => Ok(matched.route.index),
        Picked::Welcome(welcome) => Err(format!("302 {}", welcome.location().to_str().unwrap())),
        Picked::MethodNotAllowed(allow) => Err(format!("405 {}", allow.to_str().unwrap())),
        Picked::NotFound => Err("404".to_owned()),
        Picked::Undecided(route) => Err(format!("500 {}", route.index)),
    }
}

/// What the backend is asked for by a route with this source and target.
fn upstream(source: &str, target: Option<&str>, base: &str, request: &str) -> Result<String, RewriteError> {
    let mut spec = spec(0, source);
    spec.target = target.map(Into::into);
    let routes = routes(vec![spec]);
    let target = Target::parse(request).unwrap();
    let Picked::Route(matched) = routes.pick(&Method::GET, &target, false) else {
        panic!("{source} on {request}")
    };
    matched.rewritten(base).map(|path| path.to_string())
}

#[test]
fn the_first_that_matches_wins() {
    let table = routes(numbered(&["^/a/(.*)$", "^/a/b/(.*)$", "/c", "^/C/(.*)$", "^/(?!d)[^/]*$", "^(.*)$"]));
    let rows = [
        ("/a/x", 0, "the only one"),
        ("/a/b/x", 0, "a more exact one that comes later is never reached"),
        ("/a", 4, "not the one that wants a slash"),
        ("/b/c", 2, "in the middle of the path"),
        ("/b?u=/c", 2, "or in the query"),
        ("/C/x", 3, "upper case is another letter"),
        ("/x?y", 4, "by a look-ahead, query included"),
        ("/d", 5, "what is left"),
    ];
    for (target, expected, shows) in rows {
        assert_eq!(picked(&table, &Method::GET, target), Ok(expected), "{target}: {shows}");
    }
}

#[test]
fn a_method_that_no_matching_route_takes_is_refused_with_those_it_would_take() {
    let table = routes(vec![
        with_methods(spec(0, "^/m/"), &[Method::GET, Method::POST]),
        with_methods(spec(1, "^/m/"), &[Method::PUT, Method::GET]),
        with_methods(spec(2, "^/n/"), &[Method::GET]),
        spec(3, "^/n/"),
    ]);
    let propfind = Method::from_bytes(b"PROPFIND").unwrap();
    let rows = [
        (Method::GET, "/m/a", Ok(0), "the first"),
        (Method::PUT, "/m/a", Ok(1), "the second, because the first does not take it"),
        (Method::HEAD, "/m/a", Err("405 GET, POST, PUT".to_owned()), "HEAD does not follow from GET"),
        (propfind, "/n/a", Ok(3), "a route without methods takes all"),
        (Method::GET, "/o/a", Err("404".to_owned()), "no route: not a matter of methods"),
    ];
    for (method, target, expected, shows) in rows {
        assert_eq!(picked(&table, &method, target), expected, "{shows}");
    }
}

#[test]
fn a_query_opens_no_door() {
    let table =
        routes(vec![public(spec(0, r".*\.css$")), public(spec(1, "^/open(\\?.*)?$")), spec(2, "^(.*)$")]);
    let rows = [
        ("/a.css", 0, "the path matches"),
        ("/admin?x=.css", 2, "only the query does"),
        ("/a.css?v=1", 2, "the whole does not end so, as JavaScript says"),
        ("/a.css?x=.css", 0, "the path alone does too"),
        ("/admin;.css", 2, "nor does a parameter, which backends cut off"),
        ("/a;x=1.css;y.css", 2, "however many"),
        ("/open", 1, "without a query"),
        ("/open?a", 1, "with a query the path still matches alone"),
    ];
    for (target, expected, shows) in rows {
        assert_eq!(picked(&table, &Method::GET, target), Ok(expected), "{target}: {shows}");
    }
}

#[test]
fn the_matched_part_is_replaced_and_joined_to_the_base() {
    let rows = [
        (
            "/contains",
            Some("/C"),
            "",
            "/pre/contains/post?x=1",
            "/pre/C/post?x=1",
            "only the match is replaced",
        ),
        ("/contains", Some("/C"), "", "/x?u=/contains", "/x?u=/C", "in the query too"),
        ("^/qpre", Some("/QP"), "", "/qprenot/abc?x=y", "/QPnot/abc?x=y", "what follows stays"),
        ("^/troot/(.*)$", Some("/"), "", "/troot/a?q=1", "/", "a query in the match is gone with it"),
        ("^/miss/(.*)$", Some("/m/$1/$5"), "", "/miss/a", "/m/a/$5", "no such group"),
        ("^/opt/(x)?(.*)$", Some("/o/$1-$2"), "", "/opt/a?b", "/o/-a?b", "a group that took no part"),
        (
            "^/dol/(.*)$",
            Some("/d/$0/$$/$11/$1"),
            "",
            "/dol/a",
            "/d/$0/$/a1/a",
            "what JavaScript makes of dollars",
        ),
        (
            "^/tq/(.*)$",
            Some("/tq/$1?fixed=1"),
            "",
            "/tq/a?b=c",
            "/tq/a?b=c?fixed=1",
            "queries are not merged",
        ),
        ("^/base/(.*)$", Some("?z=1"), "/base/p", "/base/a", "/base/p/?z=1", "a query behind the base"),
        ("^/nl/(.*)$", Some("nl/$1"), "", "/nl/a", "/nl/a", "one slash is added"),
        ("^/b/(.*)$", Some("$1"), "/base/p", "/b/a", "/base/p/a", "behind the base too"),
        ("^/b/(.*)$", Some("/$1"), "/base/p", "/b/a", "/base/p/a", "and not a second one"),
        ("^/b/", None, "/base/p", "/b/a?x", "/base/p/b/a?x", "without a target the path stays"),
        ("^/e/(.*)$", Some("/$1"), "", "/e//a", "/a", "slashes at the beginning become one"),
        ("^/e/(.*)$", Some("/$1"), "", "/e/a//b", "/a//b", "others stay"),
        ("/a", None, "", "//a", "/a", "without a target as well"),
        ("^/q/(.*)$", Some("/$1"), "/base?k=v", "/q/a?x=1", "/base?k=v/a?x=1", "a base with a query is text"),
        ("^/e/", None, "", "/e/a?", "/e/a", "a query without anything is left out"),
        ("^/e/(.*)$", Some("/$1"), "", "/e/a??x", "/a??x", "but only then"),
        ("^/sp/(.*)$", Some("/a b/ü/$1"), "", "/sp/x", "/a%20b/%C3%BC/x", "what no URL can hold is escaped"),
        (
            "mid/(\\d+)",
            Some("/MID/$1"),
            "",
            "/midx/mid/5?mid/7",
            "/midx//MID/5?mid/7",
            "once, at the first match",
        ),
    ];
    for (source, target, base, request, expected, shows) in rows {
        assert_eq!(upstream(source, target, base, request).unwrap(), expected, "{shows}");
    }
}

#[test]
fn a_rewrite_makes_nothing_that_a_client_could_not_have_sent() {
    let rows = [
        ("^/t/(.*)$", "/x/../$1", "/t/a", "dots in the target"),
        ("^/t/(.*)$", "/$1./secret", "/t/.a/.", "never: refused before"),
        ("^/t/\\.?a(.*)$", "/$1", "/t/a./b", "a single dot put together"),
        ("^/t/a(.*)$", "/.$1", "/t/a./b", "two dots put together"),
        ("^/t/(.*)$", "/%2$1", "/t/fetc", "an escaped slash put together"),
        ("^/t/(.*)$", "/%$1", "/t/zz", "half an escape"),
        ("^/t/(%)25(2e/.*)$", "/$1$2", "/t/%252e/x", "a dot that was escaped twice"),
        ("^/t\\?(.*)$", "/$1", "/t?../a", "a query that becomes a path"),
        ("^/t\\?(.*)$", "/$1", "/t?a%2f..", "and its escapes"),
        ("^/t\\?(.*)$", "/$1", "/t?a\\..\\b", "and its backslashes"),
        ("^/t/(.*)$", "/a#$1", "/t/a", "a fragment"),
    ];
    for (source, target, request, shows) in rows {
        // What is not even a request cannot be rewritten.
        if Target::parse(request).is_err() {
            continue;
        }
        let refused = upstream(source, Some(target), "/base", request);
        assert!(matches!(refused, Err(RewriteError::NotCanonical(_))), "{shows}: {refused:?}");
    }
}

#[test]
fn the_root_leads_to_the_welcome_file() {
    let welcome = |file: &str| Some(Welcome::compile(file).unwrap());
    let table = Routes::compile(numbered(&["^/$", "^/w/(.*)$"]), welcome("w/i.html")).unwrap();
    assert_eq!(picked(&table, &Method::DELETE, "/"), Err("302 /w/i.html".to_owned()), "any method");
    assert_eq!(
        picked(&table, &Method::GET, "/?a=b"),
        Err("302 /w/i.html".to_owned()),
        "the query is dropped"
    );
    assert_eq!(picked(&table, &Method::GET, "//"), Err("404".to_owned()), "exactly the root");
    let root = Target::parse("/").unwrap();
    let Picked::Route(matched) = table.pick(&Method::GET, &root, true) else { panic!("served in place") };
    assert_eq!((matched.route.index, matched.target().as_str()), (1, "/w/i.html"));

    let rows = [
        ("https://other.example/x y?ü", "/https://other.example/x%20y?%C3%BC", "stays on this host"),
        ("//evil.test", "/evil.test", "as does this"),
        ("/\\evil.test", "/evil.test", "and this, which browsers read like the one before"),
    ];
    for (file, location, shows) in rows {
        assert_eq!(Welcome::compile(file).unwrap().location(), location, "{shows}");
    }
    assert!(Welcome::compile("/../x").is_err(), "what no request could name");
    assert_eq!(Welcome::compile("/x").unwrap().location_behind("/t/acme/"), "/t/acme/x");
}

#[test]
fn a_pattern_that_cannot_be_decided_refuses_instead_of_passing_on() {
    let table = routes(numbered(&["^/(?=(a+)+$)", "^(.*)$"]));
    let long = format!("/{}!", "a".repeat(40));
    assert_eq!(picked(&table, &Method::GET, "/x"), Ok(1), "decided: no match");
    assert_eq!(picked(&table, &Method::GET, &long), Err("500 0".to_owned()), "given up");
}

#[test]
fn what_does_not_compile_is_named_all_at_once() {
    let errors = Routes::compile(vec![spec(0, "("), spec(1, "a"), with_target(spec(2, "a"), "//x")], None)
        .unwrap_err();
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let expected = [
        "route 0: source: Unterminated group (at offset 1)",
        "route 2: target: must be a path: it may begin neither with `//` nor with a scheme",
    ];
    assert_eq!(told, expected);
}

#[test]
fn earlier_routes_are_explained() {
    let table = routes(vec![
        spec(0, "^/x"),
        public(spec(1, "b$")),
        with_methods(spec(2, "^/a"), &[Method::PUT]),
        spec(3, "^/a"),
        spec(4, "^/a"),
    ]);
    let target = Target::parse("/a?b").unwrap();
    let reasons = |before| -> Vec<Reason> {
        table.passed_over(&Method::GET, &target, before).iter().map(|passed| passed.reason).collect()
    };
    let Picked::Route(matched) = table.pick(&Method::GET, &target, false) else { panic!("a route") };
    let earlier = [Reason::SourceDoesNotMatch, Reason::MatchesOnlyWithQuery, Reason::MethodNotAllowed];
    assert_eq!(reasons(Some(matched.route)), earlier);
    assert_eq!(reasons(None)[3..], [Reason::Later, Reason::Later]);
}

#[test]
fn odd_routes_are_noticed() {
    let unreachable = |by| Some(Finding::Unreachable { by });
    let get = |spec| with_methods(spec, &[Method::GET]);
    let rows = [
        (vec![spec(0, "^/a/(.*)$"), spec(1, "^/a/b/(.*)$")], unreachable(0), "below an earlier one"),
        (vec![spec(0, "^/a/b"), spec(1, "^/a/(.*)$")], None, "above an earlier one"),
        (vec![spec(0, "^(.*)$"), spec(1, "x")], unreachable(0), "behind one that takes all"),
        (vec![spec(0, "^/a?$"), spec(1, "^/a?$")], unreachable(0), "the same source"),
        (vec![get(spec(0, "^/a")), spec(1, "^/a")], None, "the same, but the first takes fewer methods"),
        (vec![spec(0, "^/a"), get(spec(1, "^/a"))], unreachable(0), "the same, and the first takes more"),
        (vec![spec(0, "^/a"), spec(1, "^/[aA]x")], None, "only half of what it matches"),
        (vec![public(spec(0, "^/a\\?x")), spec(1, "^/a\\?x")], None, "public ones do not match by query"),
        (vec![public(spec(0, "^/a")), spec(1, "^/ab")], unreachable(0), "but beginnings are in the path"),
        (vec![public(spec(0, "/a"))], Some(Finding::UnanchoredPublic), "anything may contain it"),
        (vec![spec(0, "/a")], None, "no matter where one must authenticate"),
        (
            vec![with_target(spec(0, "^/a/(.*)"), "/$1/$2")],
            Some(Finding::GroupMissing { reference: "$2".into() }),
            "no second group",
        ),
        (
            vec![with_target(spec(0, "^/a/(.*)"), "/x/../$1")],
            Some(Finding::TargetRefused(crate::request::Malformed::DotSegment)),
            "always refused",
        ),
    ];
    for (specs, expected, shows) in rows {
        let findings: Vec<Finding> = routes(specs).lints().into_iter().map(|lint| lint.finding).collect();
        assert_eq!(findings, expected.into_iter().collect::<Vec<_>>(), "{shows}");
    }
}

/// Sources that overlap in every way the index tells apart.
fn source() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\^/[ab]{1,3}(/[ab]{1,2})?(/\\(\\.\\*\\))?\\$?",
        "\\^/\\([ab]{1,2}\\|[ab]{1,2}\\)/?",
        "/?[ab]{1,3}/?(\\(\\.\\*\\))?",
        "\\^/[ab]\\?[ab]",
        "\\^/\\(\\?![ab]\\)[ab.]{1,2}",
        "\\[\\^/\\]\\+/[ab]{2}",
        "\\^\\(\\.\\*\\)\\$",
    ]
}

proptest! {
    #[test]
    fn the_index_chooses_what_trying_all_in_order_would(
        sources in prop::collection::vec((source(), any::<bool>(), any::<bool>()), 0..80),
        targets in prop::collection::vec("/[abAB]{0,3}(/[ab]{1,3})?(\\?[ab/]{0,3})?", 8),
    ) {
        let specs = sources.iter().enumerate().map(|(index, (source, match_case, open))| {
            let spec = RouteSpec { match_case: *match_case, ..spec(index, source) };
            if *open { public(spec) } else { spec }
        });
        let table = routes(specs.collect());
        for target in targets {
            let parsed = Target::parse(&target).unwrap();
            let in_order = table.passed_over(&Method::GET, &parsed, None);
            let first = in_order.iter().find(|passed| passed.reason == Reason::Later);
            let expected = first.map(|passed| passed.route.index).ok_or("404".to_owned());
            prop_assert_eq!(picked(&table, &Method::GET, &target), expected, "{}", target);
        }
    }
}
