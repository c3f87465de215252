//! What single steps of a request cost: `cargo bench --bench micro`.
//!
//! Ratios within one run count, absolute numbers drift with the machine. What a whole request costs beside
//! other proxies is measured by `benches/compare`.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be set up should stop")]

fn main() {
    divan::main();
}

/// Choosing a route, with its groups, and rewriting the path.
mod route {
    use divan::{Bencher, black_box};
    use http::Method;
    use vestibule::auth::{AuthenticationType, Requirement};
    use vestibule::request::Target;
    use vestibule::route::{Action, DestinationName, Origin, Picked, RouteSpec, Routes};

    /// Tables of this many routes.
    const SIZES: [usize; 4] = [10, 50, 100, 1000];

    fn table(sources: impl Iterator<Item = String>) -> Routes {
        let spec = |(index, source)| RouteSpec {
            index,
            source,
            match_case: true,
            methods: None,
            target: Some("/v1/$1".into()),
            action: Action::Destination(DestinationName::Fixed("backend".into())),
            requirement: Requirement { kind: AuthenticationType::Jwt, scope: None, csrf: true },
            origin: Origin { file: "xs-app.json".into(), line: 1, column: 1 },
            cache_control: None,
            identity_provider: None,
            dynamic_identity_provider: false,
            passes_session_cookies: false,
            prefer_local: false,
        };
        Routes::compile(sources.enumerate().map(spec).collect(), None).unwrap()
    }

    fn pick(bencher: Bencher<'_, '_>, routes: &Routes, target: &str, found: bool) {
        let target = Target::parse(target).unwrap();
        assert_eq!(matches!(routes.pick(&Method::GET, &target, false), Picked::Route(_)), found);
        bencher.bench_local(|| {
            let picked = routes.pick(black_box(&Method::GET), black_box(&target), false);
            matches!(picked, Picked::Route(_))
        });
    }

    #[divan::bench(args = SIZES)]
    fn last_of(bencher: Bencher<'_, '_>, size: usize) {
        let routes = table((0..size).map(|n| format!("^/service{n}/(.*)$")));
        pick(bencher, &routes, &format!("/service{}/v4/Books(1)?$expand=author", size - 1), true);
    }

    #[divan::bench(args = SIZES)]
    fn none_of(bencher: Bencher<'_, '_>, size: usize) {
        let routes = table((0..size).map(|n| format!("^/service{n}/(.*)$")));
        pick(bencher, &routes, "/elsewhere/v4/Books(1)?$expand=author", false);
    }

    #[divan::bench(args = SIZES)]
    fn last_of_expressions(bencher: Bencher<'_, '_>, size: usize) {
        let routes = table((0..size).map(|n| format!("^/service{n}/([^/]+)/(.*)$")));
        pick(bencher, &routes, &format!("/service{}/v4/Books(1)?$expand=author", size - 1), true);
    }

    #[divan::bench(args = SIZES)]
    fn last_of_unanchored(bencher: Bencher<'_, '_>, size: usize) {
        let routes = table((0..size).map(|n| format!("/service{n}/(.*)")));
        pick(bencher, &routes, &format!("/app/service{}/v4/Books(1)?$expand=author", size - 1), true);
    }

    #[divan::bench(args = SIZES)]
    fn last_of_look_aheads(bencher: Bencher<'_, '_>, size: usize) {
        let routes = table((0..size).map(|n| format!("^/service{n}/(?!admin)(.*)$")));
        pick(bencher, &routes, &format!("/service{}/v4/Books(1)?$expand=author", size - 1), true);
    }

    #[divan::bench]
    fn rewrite(bencher: Bencher<'_, '_>) {
        let routes = table(["^/service/(.*)$".to_owned()].into_iter());
        let target = Target::parse("/service/v4/Books(1)?$expand=author").unwrap();
        let Picked::Route(matched) = routes.pick(&Method::GET, &target, false) else { return };
        bencher.bench_local(|| black_box(&matched).rewritten(black_box("")).unwrap());
    }

    #[divan::bench]
    fn give_up(bencher: Bencher<'_, '_>) {
        let routes = table(["^/(?=(a+)+$)(.*)".to_owned()].into_iter());
        pick(bencher, &routes, &format!("/{}!", "a".repeat(60)), false);
    }
}
