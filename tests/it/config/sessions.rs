//! How login and sessions are configured: what wins, what is refused, what is said.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use vestibule::config::{Environment, Loaded, Place, Severity};
use vestibule::session::{Policy, SameSite, Secure};
use vestibule::snapshot::{LogoutMethod, LogoutPage, Snapshot};

use super::{XSUAA, folder, load};

/// A configuration with one route that people log in for.
fn app(more: &Value) -> String {
    let mut app = json!({"routes": [{"source": "^/a", "destination": "be"}]});
    app.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    app.to_string()
}

/// Loads it with a bound XSUAA unless the variables say otherwise.
fn loaded(more: &Value, variables: &Value) -> Loaded {
    let folder = folder(&app(more));
    let mut environment = Environment::from([
        ("destinations", r#"[{"name": "be", "url": "http://127.0.0.1:1"}]"#),
        ("VCAP_SERVICES", XSUAA),
        ("TENANT_HOST_PATTERN", r"^(.*)\.app\.test$"),
    ]);
    for (name, value) in variables.as_object().into_iter().flatten() {
        environment.set(name, value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    load(folder.path(), environment)
}

fn snapshot(more: &Value, variables: &Value) -> Snapshot {
    let loaded = loaded(more, variables);
    loaded.snapshot.unwrap_or_else(|| panic!("{}", loaded.problems))
}

/// `severity code key` of what is worth more than a note, in order.
fn said(loaded: &Loaded) -> Vec<String> {
    let told = loaded.problems.iter().filter(|problem| problem.severity != Severity::Note);
    told.map(|problem| format!("{} {} {}", problem.severity, problem.code, problem.key)).collect()
}

#[test]
fn sessions_live_as_they_are_told() {
    let minutes = Duration::from_mins;
    let default = Policy::default;
    let rows = [
        (json!({}), json!({}), default(), "nothing is said"),
        (
            json!({}),
            json!({"SESSION_TIMEOUT": "30"}),
            Policy { idle: minutes(30), ..default() },
            "the environment",
        ),
        (
            json!({"sessionTimeout": 20}),
            json!({"SESSION_TIMEOUT": "30"}),
            Policy { idle: minutes(20), ..default() },
            "the file wins",
        ),
        (json!({"sessionTimeout": 0}), json!({}), default(), "0 is the default, as it is there"),
        (
            json!({"sessionTimeout": 1440}),
            json!({}),
            Policy { idle: minutes(1440), absolute: minutes(1440), ..default() },
            "a session does not end sooner than it may be idle",
        ),
        (
            json!({}),
            json!({"JWT_REFRESH": "0"}),
            Policy { refresh_ahead: Duration::ZERO, ..default() },
            "never ahead of time",
        ),
        (
            json!({}),
            json!({"SECURE_SESSION_COOKIE": "true", "SESSION_COOKIE_NAME": "sid"}),
            Policy { secure: Secure::Always, cookie: "sid".into(), ..default() },
            "always for https",
        ),
        (
            json!({}),
            json!({"COOKIES": {"SameSite": "None", "Partitioned": {"supportedPartitionAgents": ".*"}}}),
            Policy { same_site: SameSite::None, partitioned: true, ..default() },
            "embedded in another site",
        ),
        (
            json!({}),
            json!({"SESSION_COOKIE_NAME": "__Host-sid"}),
            Policy { secure: Secure::Always, cookie: "__Host-sid".into(), ..default() },
            "the prefix asks for `Secure`",
        ),
    ];
    for (more, variables, expected, shows) in rows {
        assert_eq!(snapshot(&more, &variables).sessions, expected, "{shows}");
    }
}

#[test]
fn what_contradicts_itself_is_said() {
    let path = json!({"path": {"prefix": "/t/{tenant}"}}).to_string();
    let rows = [
        (
            json!({"sessionTimeout": 20}),
            json!({"SESSION_TIMEOUT": "30"}),
            "warning two_timeouts SESSION_TIMEOUT",
        ),
        (json!({"sessionTimeout": 0}), json!({}), "warning no_timeout sessionTimeout"),
        (json!({"sessionTimeout": 99_999_999}), json!({}), "warning long_timeout sessionTimeout"),
        (json!({"stateProtection": false}), json!({}), "warning state_always_on stateProtection"),
        (json!({"stateProtection": true}), json!({}), ""),
        (json!({}), json!({"SESSION_COOKIE_NAME": "a b"}), "error unusable_cookie SESSION_COOKIE_NAME"),
        (json!({}), json!({"SESSION_COOKIE_NAME": "a;b"}), "error unusable_cookie SESSION_COOKIE_NAME"),
        (
            json!({}),
            json!({"SESSION_COOKIE_NAME": "__Secure-a", "SECURE_SESSION_COOKIE": "false"}),
            "error unusable_cookie SESSION_COOKIE_NAME",
        ),
        (
            json!({}),
            json!({"COOKIES": {"SameSite": "None"}, "SECURE_SESSION_COOKIE": "false"}),
            "warning insecure_cookie COOKIES",
        ),
        (json!({}), json!({"SECURE_SESSION_COOKIE": "maybe"}), "warning unknown_value SECURE_SESSION_COOKIE"),
        (
            json!({"login": {"callbackEndpoint": "/a?b=c"}}),
            json!({}),
            "warning endpoint_with_query login.callbackEndpoint",
        ),
        (
            json!({"login": {"callbackEndpoint": "/a/../b"}}),
            json!({}),
            "error unusable_path login.callbackEndpoint",
        ),
        (
            json!({"logout": {"logoutEndpoint": "login/callback"}}),
            json!({}),
            "error same_endpoint logout.logoutEndpoint",
        ),
        (
            json!({"logout": {"logoutEndpoint": "/l", "backChannelLogoutEndpoint": "l"}}),
            json!({}),
            "error same_endpoint logout.backChannelLogoutEndpoint",
        ),
    ];
    for (more, variables, expected) in rows {
        let loaded = loaded(&more, &variables);
        assert_eq!(said(&loaded).join(", "), expected, "{more} {variables}\n{}", loaded.problems);
    }
    let folder = folder(&app(&json!({})));
    fs::write(folder.path().join("xs-tenants.json"), path).unwrap();
    let loaded = load(
        folder.path(),
        Environment::from([
            ("destinations", r#"[{"name": "be", "url": "http://127.0.0.1:1"}]"#),
            ("VCAP_SERVICES", XSUAA),
            ("SESSION_COOKIE_NAME", "__Host-sid"),
        ]),
    );
    assert_eq!(said(&loaded), ["error unusable_cookie SESSION_COOKIE_NAME"], "its path has to be `/`");
}

#[test]
fn login_and_logout_are_what_the_file_says() {
    let more = json!({
        "login": {"callbackEndpoint": "custom/callback"},
        "logout": {"logoutEndpoint": "/do/logout", "logoutMethod": "POST", "logoutPage": "bye.html?x=1",
                   "backChannelLogoutEndpoint": "/do/back"},
        "destinations": {"be": {"logoutPath": "out?now", "logoutMethod": "GET"}},
        "routes": [
            {"source": "^/do/(.*)$", "destination": "be", "identityProvider": "corp"},
            {"source": "^/user-api(.*)", "target": "$1", "service": "sap-approuter-userapi"}]});
    let loaded = loaded(&more, &json!({"PRESERVE_FRAGMENT": "false", "DYNAMIC_IDENTITY_PROVIDER": "true"}));
    let noted: Vec<_> = loaded.problems.iter().map(|problem| (problem.code, problem.key.as_str())).collect();
    let note = ("endpoint_before_route", "routes[0].source");
    assert_eq!(noted, [note, note], "{}", loaded.problems);
    let snapshot = loaded.snapshot.unwrap();
    assert_eq!(&*snapshot.login.callback, "/custom/callback");
    assert!(!snapshot.login.preserve_fragment && snapshot.login.dynamic_identity_provider);
    let logout = &snapshot.logout;
    assert_eq!(logout.endpoint.as_deref(), Some("/do/logout"));
    assert_eq!((logout.method, logout.csrf), (LogoutMethod::Post, true), "a token is asked for by default");
    assert_eq!(logout.page, Some(LogoutPage::Local("/bye.html?x=1".into())));
    let [told] = &logout.backends[..] else { panic!("{:?}", logout.backends) };
    assert_eq!((&*told.destination, &*told.path, told.method.as_str()), ("be", "/out?now", "GET"));
    let routes = snapshot.routes.all();
    assert_eq!(routes[0].identity_provider.as_deref(), Some("corp"));
    assert_eq!(routes[1].action, vestibule::route::Action::UserApi);
}

const NO_SECRET: &str = r#"{"xsuaa": [{"name": "uaa", "label": "xsuaa", "credentials": {
    "clientid": "c", "url": "http://uaa.test", "xsappname": "a", "identityzone": "z"}}]}"#;

/// A Redis beside an XSUAA.
fn redis(credentials: &Value) -> String {
    let mut services: Value = serde_json::from_str(XSUAA).unwrap();
    services["redis-cache"] = json!([{"name": "cache", "label": "redis-cache", "credentials": credentials}]);
    services.to_string()
}

#[test]
fn sessions_are_kept_where_it_is_said() {
    let secret = "0123456789abcdef-first";
    let both = json!(["0123456789abcdef-first", "0123456789abcdef-second"]);
    let at = json!({"hostname": "cache.test", "port": 6380, "password": "hunter2-hunter2", "tls": true});
    let external = json!({"instanceName": "cache", "storageType": "redis", "sessionSecret": secret});
    let elsewhere = json!({"instanceName": "none", "storageType": "redis", "sessionSecret": secret});
    let rows = [
        (json!({}), "cookie 1", "the binding's secret is stable"),
        (json!({"VCAP_SERVICES": NO_SECRET}), "memory 0 sessions_in_memory missing_credential", "nothing is"),
        (
            json!({"VCAP_SERVICES": NO_SECRET, "SESSION_STORE": "memory"}),
            "memory 0 missing_credential",
            "it is meant",
        ),
        (
            json!({"VCAP_SERVICES": NO_SECRET, "SESSION_SECRET": both}),
            "cookie 2 missing_credential",
            "rotation",
        ),
        (json!({"SESSION_SECRET": secret}), "cookie 1", "instead of the binding's"),
        (json!({"SESSION_SECRET": "short"}), "- weak_secret", "it can be guessed"),
        (json!({"SESSION_SECRET": ["short", secret]}), "- weak_secret", "one can be guessed"),
        (json!({"SESSION_SECRET": []}), "- empty_value", "none"),
        (
            json!({"VCAP_SERVICES": NO_SECRET, "SESSION_STORE": "cookie"}),
            "- missing_credential no_session_secret",
            "a key of each process",
        ),
        (json!({"SESSION_STORE": "redis://cache.test/1"}), "redis cache.test 6379 false 1", "by address"),
        (json!({"SESSION_STORE": "redis"}), "- unknown_service", "none is bound"),
        (json!({"SESSION_STORE": "disk"}), "- unknown_value", "no such store"),
        (json!({"SESSION_STORE": "redis://"}), "- unusable_store", "no host"),
        (
            json!({"VCAP_SERVICES": redis(&at), "SESSION_STORE": "redis"}),
            "redis cache.test 6380 true 1",
            "bound",
        ),
        (
            json!({"VCAP_SERVICES": redis(&at), "EXT_SESSION_MGT": external}),
            "redis cache.test 6380 true 1",
            "as the SAP router names it",
        ),
        (
            json!({"VCAP_SERVICES": redis(&at), "EXT_SESSION_MGT": external, "SESSION_STORE": "cookie"}),
            "cookie cache.test 6380 true 1",
            "what ended is shared",
        ),
        (
            json!({"VCAP_SERVICES": redis(&at), "EXT_SESSION_MGT": elsewhere}),
            "- unknown_service",
            "another name",
        ),
        (
            json!({"VCAP_SERVICES": redis(&json!({"uri": "rediss://u:p@cache.test:1"})), "SESSION_STORE": "redis"}),
            "redis cache.test 1 true 1",
            "bound by its address",
        ),
        (
            json!({"VCAP_SERVICES": redis(&json!({"hostname": "h", "cluster_mode": true})), "SESSION_STORE": "redis"}),
            "- unusable_store",
            "a cluster",
        ),
        (
            json!({"VCAP_SERVICES": NO_SECRET, "SESSION_STORE": "memory", "CF_INSTANCE_INDEX": "1",
                   "VCAP_APPLICATION": "{}"}),
            "memory 0 sessions_of_one_instance missing_credential",
            "one of several",
        ),
    ];
    for (variables, expected, shows) in rows {
        let loaded = loaded(&json!({}), &variables);
        assert!(!format!("{loaded:?}").contains("hunter2"), "{shows}: a password is printed");
        let mut found = vec![loaded.store.as_ref().map_or_else(
            || "-".to_owned(),
            |store| {
                let redis = |redis: &vestibule::config::Redis| {
                    format!("{} {} {}", redis.server.host, redis.server.port, redis.server.tls)
                };
                let place = match &store.place {
                    Place::Memory => "memory".to_owned(),
                    Place::Cookie(None) => "cookie".to_owned(),
                    Place::Cookie(Some(shared)) => format!("cookie {}", redis(shared)),
                    Place::Redis(at) => format!("redis {}", redis(at)),
                };
                format!("{place} {}", store.secrets.len())
            },
        )];
        let told = loaded.problems.iter().filter(|problem| problem.severity != Severity::Note);
        let mut told: Vec<_> = told.map(|problem| problem.code.to_owned()).collect();
        told.sort_unstable_by_key(|code| expected.find(code.as_str()));
        found.extend(told);
        assert_eq!(found.join(" "), expected, "{shows}\n{}", loaded.problems);
    }
}

#[test]
fn where_nobody_logs_in_nothing_is_said_of_sessions() {
    let more = json!({"authenticationMethod": "none"});
    let variables = json!({"VCAP_SERVICES": "{}", "TENANT_HOST_PATTERN": ""});
    assert_eq!(said(&loaded(&more, &variables)), [""; 0]);
}
