//! Attack class 32: patterns that take for ever.
//!
//! Recipe: patterns known to explode, against texts as long as a URL can be; patterns too large to hold.
//! Must happen: bounded time, whatever the text; refused when the configuration compiles where it cannot
//! be; and a pattern that was given up lets nobody through to a later route.

use std::time::{Duration, Instant};

use http::Method;
use vestibule::auth::{AuthenticationType, Requirement};
use vestibule::request::Target;
use vestibule::route::pattern::{Pattern, Steps};
use vestibule::route::{Action, DestinationName, Origin, Picked, RouteSpec, Routes};

/// Far above what a search takes without optimisation, far below what an exploding one would.
const BOUNDED: Duration = Duration::from_secs(2);

fn spec(index: usize, source: &str, kind: AuthenticationType) -> RouteSpec {
    RouteSpec {
        index,
        source: source.into(),
        match_case: true,
        methods: None,
        target: Some("/$1".into()),
        action: Action::Destination(DestinationName::Fixed("backend".into())),
        requirement: Requirement { kind, scope: None, csrf: false },
        origin: Origin { file: "xs-app.json".into(), line: 1, column: 1 },
        cache_control: None,
        identity_provider: None,
        dynamic_identity_provider: false,
        passes_session_cookies: false,
        prefer_local: false,
    }
}

#[test]
fn no_text_makes_a_pattern_run_for_ever() {
    let patterns = [
        "(a+)+$",
        "^(a+)+$",
        "(a|aa)+$",
        "(a|a?)+$",
        "(.*a){20}$",
        "(a*)*$",
        "(?:a|(b)|a)*$",
        "^(([a-z])+.)+[A-Z]([a-z])+$",
        "(a+)+\\1$",
        "(.*)\\1\\1!",
        "(?=(a+)+$)b",
        "(?!(a|aa)+$).*!$",
        "(?<=(a+)+)x",
        "(?<!^(.*)*)a",
        "(?:(?:(?:a*)*)*)*x",
        "((a*)*)*\\2x",
    ];
    let long = format!("/{}!", "a".repeat(16_000));
    let texts =
        [long, format!("/{}!", "ab".repeat(8_000)), format!("/{}", "a".repeat(40)), "/".repeat(16_000)];
    for source in patterns {
        let pattern = Pattern::compile(source, true).unwrap();
        for text in &texts {
            let began = Instant::now();
            let _ = pattern.find(text, &mut Steps::default());
            let _ = pattern.is_match(text, &mut Steps::default());
            assert!(began.elapsed() < BOUNDED, "{source} took {:?}", began.elapsed());
        }
    }
}

#[test]
fn all_routes_of_a_request_share_the_same_steps() {
    let specs =
        (0..1000).map(|index| spec(index, &format!("^/a.*(?=(a+)+{index}$)"), AuthenticationType::Jwt));
    let routes = Routes::compile(specs.collect(), None).unwrap();
    let target = Target::parse(&format!("/{}!", "a".repeat(200))).unwrap();
    let began = Instant::now();
    assert!(matches!(routes.pick(&Method::GET, &target, false), Picked::Undecided(_)));
    assert!(began.elapsed() < BOUNDED, "took {:?}", began.elapsed());
}

#[test]
fn a_pattern_that_was_given_up_opens_no_later_door() {
    let specs =
        vec![spec(0, "^/(?=(a+)+$)", AuthenticationType::Jwt), spec(1, "^/(.*)$", AuthenticationType::None)];
    let routes = Routes::compile(specs, None).unwrap();
    let target = Target::parse(&format!("/{}!", "a".repeat(60))).unwrap();
    let picked = routes.pick(&Method::GET, &target, false);
    assert!(matches!(picked, Picked::Undecided(route) if route.index == 0), "{picked:?}");
}

#[test]
fn what_cannot_be_bounded_does_not_compile() {
    let rows = [
        ("a".repeat(1024 * 1024), "a megabyte"),
        ("(".repeat(40_000) + &")".repeat(20_000), "groups in groups"),
        ("(?:a{1000}){1000}".to_owned(), "a million letters"),
        ("(?=(?:a{1000}){1000})".to_owned(), "and the same, looked ahead for"),
        (r"[\w-]{1,65535}@".to_owned(), "counted without need"),
    ];
    for (source, shows) in rows {
        let began = Instant::now();
        assert!(Pattern::compile(&source, true).is_err(), "{shows}");
        assert!(began.elapsed() < BOUNDED, "{shows} took {:?}", began.elapsed());
    }
}
