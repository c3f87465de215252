//! What works but is probably not meant is a warning at its place; open routes are notes.

use std::fs;

use vestibule::config::{Environment, Severity};

use super::{XSUAA, folder, load};

const BE: (&str, &str) = ("destinations", r#"[{"name": "be", "url": "http://127.0.0.1:1"}]"#);

struct Case {
    shows: &'static str,
    app: &'static str,
    tenants: Option<&'static str>,
    variables: Vec<(&'static str, &'static str)>,
    /// The severity, code and key that are expected among the problems.
    expected: (Severity, &'static str, &'static str),
}

fn route(shows: &'static str, app: &'static str, expected: (Severity, &'static str, &'static str)) -> Case {
    Case { shows, app, tenants: None, variables: vec![BE], expected }
}

const OPEN: &str = r#"{"authenticationMethod": "none", "routes": [{"source": "^/", "destination": "be"}]}"#;

fn of_routes() -> Vec<Case> {
    vec![
        route("every open route", OPEN, (Severity::Note, "public_route", "routes[0].source")),
        route(
            "an open route that also matches elsewhere",
            r#"{"authenticationMethod": "none", "routes": [{"source": "/a", "destination": "be"}]}"#,
            (Severity::Warning, "unanchored_source", "routes[0].source"),
        ),
        route(
            "a route that an earlier one hides",
            r#"{"authenticationMethod": "none", "routes": [
                {"source": "^/(.*)$", "destination": "be"}, {"source": "^/a$", "destination": "be"}]}"#,
            (Severity::Warning, "unreachable_route", "routes[1].source"),
        ),
        route(
            "a group that is not there",
            r#"{"authenticationMethod": "none", "routes": [{"source": "^/(a)", "target": "/$2", "destination": "be"}]}"#,
            (Severity::Warning, "no_such_group", "routes[0].target"),
        ),
        route(
            "a destination out of a group that is not there",
            r#"{"authenticationMethod": "none", "routes": [{"source": "^/a", "destination": "$1"}]}"#,
            (Severity::Warning, "no_such_group", "routes[0].destination"),
        ),
        route(
            "a destination with a group in its name",
            r#"{"authenticationMethod": "none", "routes": [{"source": "^/(a)", "destination": "be$1"}]}"#,
            (Severity::Warning, "unknown_destination", "routes[0].destination"),
        ),
        route(
            "a destination that nothing leads to",
            r#"{"authenticationMethod": "none", "routes": []}"#,
            (Severity::Warning, "unused_destination", "destinations[0]"),
        ),
        route(
            "a type that `authenticationMethod` makes void",
            r#"{"authenticationMethod": "none", "routes": [
                {"source": "^/", "destination": "be", "authenticationType": "jwt"}]}"#,
            (Severity::Warning, "open_in_spite", "routes[0].authenticationType"),
        ),
        route(
            "a scope that nobody can have",
            r#"{"authenticationMethod": "none", "routes": [{"source": "^/", "destination": "be", "scope": "a"}]}"#,
            (Severity::Warning, "scope_on_public_route", "routes[0]"),
        ),
    ]
}

fn of_answers() -> Vec<Case> {
    let with = |shows, app, variables: &[(&'static str, &'static str)], expected| {
        let variables = std::iter::once(BE).chain(variables.iter().copied()).collect();
        Case { variables, ..route(shows, app, expected) }
    };
    vec![
        route(
            "pages of everyone, with credentials",
            r#"{"cors": [{"uriPattern": "^/", "allowedOrigin": [{"host": "*"}]}], "routes": []}"#,
            (Severity::Warning, "any_origin", "cors[0].allowedOrigin[0].host"),
        ),
        route(
            "an origin where a host is meant",
            r#"{"cors": [{"uriPattern": "^/", "allowedOrigin": [{"host": "https://a.test"}]}], "routes": []}"#,
            (Severity::Warning, "host_matches_nothing", "cors[0].allowedOrigin[0].host"),
        ),
        route(
            "a star where headers are named",
            r#"{"cors": [{"uriPattern": "^/", "allowedOrigin": [{"host": "a.test"}], "allowedHeaders": ["*"]}], "routes": []}"#,
            (Severity::Warning, "unusable_header", "cors[0].allowedHeaders[0]"),
        ),
        with(
            "a variable that the file goes before",
            r#"{"cors": [{"uriPattern": "^/", "allowedOrigin": [{"host": "a.test"}]}], "routes": []}"#,
            &[("CORS", r#"[{"uriPattern": "^/", "allowedOrigin": [{"host": "b.test"}]}]"#)],
            (Severity::Warning, "ignored_variable", "CORS"),
        ),
        with(
            "a list that nobody asks",
            OPEN,
            &[("CJ_PROTECT_WHITELIST", r#"[{"host": "a.test"}]"#)],
            (Severity::Warning, "unused_variable", "CJ_PROTECT_WHITELIST"),
        ),
        with(
            "a header that nobody is trusted to write",
            OPEN,
            &[("EXTERNAL_REVERSE_PROXY", "true")],
            (Severity::Warning, "nobody_trusted", "EXTERNAL_REVERSE_PROXY"),
        ),
        route(
            "plugins that everyone reads",
            r#"{"pluginMetadataEndpoint": "/plugins", "routes": []}"#,
            (Severity::Note, "public_endpoint", "pluginMetadataEndpoint"),
        ),
        with(
            "a secret in a page",
            r#"{"authenticationMethod": "none", "routes": [{"source": "^/", "localDir": "web",
                "replace": {"pathSuffixes": [".html"], "vars": ["API_PASSWORD"]}}]}"#,
            &[("API_PASSWORD", "x")],
            (Severity::Warning, "secret_in_file", "routes[0].replace.vars[0]"),
        ),
        route(
            "options of a client that is not here",
            r#"{"outgoingRequestOptions": {}, "routes": []}"#,
            (Severity::Note, "ignored_key", "outgoingRequestOptions"),
        ),
    ]
}

fn of_hosts() -> Vec<Case> {
    let pattern = |shows, source, code| Case {
        shows,
        app: OPEN,
        tenants: None,
        variables: vec![BE, ("TENANT_HOST_PATTERN", source)],
        expected: (Severity::Warning, code, "TENANT_HOST_PATTERN"),
    };
    let mut cases = vec![
        pattern("a dot that stands for any character", "^(.*).localhost$", "host_pattern"),
        pattern("extra quotes", "\"^(.*)\\.localhost$\"", "host_pattern"),
    ];
    let mut application =
        pattern("no route of the application", r"^(.*)\.other\.test$", "host_pattern_matches_no_route");
    application.variables.push(("VCAP_APPLICATION", r#"{"application_uris": ["acme-app.cfapps.test/x"]}"#));
    let mut anchored = pattern("a search in the host", r"^(.*)\.other\.test$", "host_pattern");
    anchored.tenants = Some(r#"{"tenancy": {"anchored": false}}"#);
    cases.extend([application, anchored]);
    cases
}

fn of_tenants() -> Vec<Case> {
    let jwt = r#"{"routes": [{"source": "^/", "destination": "be", "authenticationType": "jwt"}]}"#;
    let issuer = r#"{"url": "https://idp.test", "clientId": "c"}"#;
    let some_without: &'static str = Box::leak(
        format!(r#"{{"tenants": {{"acme": {{"issuer": {issuer}}}, "globex": {{}}}}}}"#).into_boxed_str(),
    );
    let of_file = |shows, tenants, code, key| Case {
        shows,
        app: OPEN,
        tenants: Some(tenants),
        variables: vec![BE],
        expected: (Severity::Warning, code, key),
    };
    vec![
        of_file(
            "a tenant's destination that nothing leads to",
            r#"{"tenants": {"acme": {"destinations": {"eb": {"url": "http://127.0.0.1:1"}}}}}"#,
            "unused_destination",
            "tenants.acme.destinations.eb",
        ),
        of_file(
            "a certificate that is not verified",
            r#"{"tenants": {"acme": {"destinations": {"be": {"url": "https://be.test", "strictSSL": false}}}}}"#,
            "unverified_destination",
            "tenants.acme.destinations.be",
        ),
        of_file(
            "an issuer whose keys anyone could replace",
            r#"{"defaults": {"issuer": {"url": "http://idp.test/{tenant}", "clientId": "c"}}}"#,
            "cleartext_issuer",
            "defaults.issuer.url",
        ),
        of_file(
            "proxies that are everyone",
            r#"{"trustedProxies": ["::/0"]}"#,
            "everyone_trusted",
            "trustedProxies[0]",
        ),
        Case {
            shows: "a tenant that nobody can log in to",
            app: jwt,
            tenants: Some(some_without),
            variables: vec![BE],
            expected: (Severity::Warning, "no_issuer", "tenants.globex"),
        },
        Case {
            shows: "a shared binding without a rule",
            app: jwt,
            tenants: None,
            variables: vec![BE, ("VCAP_SERVICES", XSUAA)],
            expected: (Severity::Warning, "no_tenant_rule", "VCAP_SERVICES.xsuaa[0]"),
        },
        Case {
            shows: "a host of a tenant that is not there",
            app: OPEN,
            tenants: Some(
                r#"{"hosts": [{"host": "crm.acme.test", "tenant": "acmee"}], "tenants": {"acme": {}}}"#,
            ),
            variables: vec![BE],
            expected: (Severity::Warning, "unknown_tenant", "hosts[0].tenant"),
        },
    ]
}

#[test]
fn what_is_odd_is_said_where_it_stands_and_refuses_nothing() {
    for case in of_routes().into_iter().chain(of_answers()).chain(of_hosts()).chain(of_tenants()) {
        let folder = folder(case.app);
        if let Some(tenants) = case.tenants {
            fs::write(folder.path().join("xs-tenants.json"), tenants).unwrap();
        }
        let loaded = load(folder.path(), Environment::from_iter(case.variables));
        let (severity, code, key) = case.expected;
        let found = loaded.problems.iter().any(|p| p.severity == severity && p.code == code && p.key == key);
        assert!(found, "{}: expected {code} at {key}, found\n{}", case.shows, loaded.problems);
        assert!(loaded.snapshot.is_some(), "{}: {}", case.shows, loaded.problems);
    }
}
