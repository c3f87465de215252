//! Who may open a WebSocket: everything that counts for a request counts for a handshake.

use serde_json::json;

use super::application;
use crate::harness::fixture::{Tenancy, bearer};
use crate::harness::websocket::{Echo, Socket};
use crate::harness::{Provider, Server, Setup, Tab};

/// Tenants with a provider each, sessions in memory.
pub(super) struct Stage {
    pub(super) server: Server,
    pub(super) echo: Echo,
    pub(super) acme: Provider,
    pub(super) globex: Provider,
}

impl Stage {
    pub(super) fn set() -> Self {
        Self::set_with(|setup| setup)
    }

    pub(super) fn set_with(more: impl FnOnce(Setup) -> Setup) -> Self {
        let (echo, acme, globex) = (Echo::start(), Provider::start(), Provider::start());
        let setup = Setup::new(&application()).destination("backend", echo.address);
        let setup = setup.file("xs-tenants.json", table(&acme, &globex, "active"));
        Self { server: more(setup).start(), echo, acme, globex }
    }

    /// A browser that is logged in at acme.
    pub(super) fn logged_in(&self) -> Tab<'_> {
        let mut browser = Tab::at(&self.server, "acme.localhost");
        let callback = browser.begin(&self.acme, "/app/start");
        assert_eq!(browser.navigate(&callback).status, 302);
        browser
    }

    /// A WebSocket of acme's at `path`, opened by `browser`; or how that was answered.
    pub(super) fn open(&self, browser: &Tab<'_>, path: &str) -> Result<Socket, u16> {
        let cookie = cookies(browser);
        let opened = Socket::open(self.server.address, "acme.localhost", path, &[("Cookie", &cookie)]);
        opened.map_err(|reply| reply.status)
    }
}

pub(super) fn table(acme: &Provider, globex: &Provider, status: &str) -> String {
    json!({"hosts": ["{tenant}.localhost"], "tenants": {
        "acme": {"issuer": acme.configuration(), "status": status},
        "globex": {"issuer": globex.configuration()},
    }})
    .to_string()
}

pub(super) fn cookies(browser: &Tab<'_>) -> String {
    let pairs: Vec<String> = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("; ")
}

#[test]
fn a_handshake_needs_what_a_request_needs() {
    let stage = Stage::set();
    let browser = stage.logged_in();
    let nobody = Tab::at(&stage.server, "acme.localhost");
    for (who, path, status, shows) in [
        (&nobody, "/pub/x", 101, "a route for everyone"),
        (&nobody, "/app/x", 401, "nobody is sent to log in behind a WebSocket"),
        (&browser, "/app/x", 101, "a session"),
        (&browser, "/scoped/x", 403, "without the scope"),
        (&browser, "/jwt/x", 401, "a route that looks at no cookies"),
        (&browser, "/nowhere", 404, "no route"),
        (&browser, "/post/x", 405, "a handshake is a GET"),
        (&browser, "/login/callback", 404, "an endpoint of our own"),
        (&browser, "/logout", 404, "another, which ends no session so"),
    ] {
        let connections = stage.echo.connections();
        match stage.open(who, path) {
            Ok(mut socket) => {
                assert_eq!(status, 101, "{path}: {shows}");
                socket.echo("hello");
            }
            Err(answered) => {
                assert_eq!(answered, status, "{path}: {shows}");
                assert_eq!(stage.echo.connections(), connections, "{path}: the backend was dialled");
            }
        }
    }
    let seen = stage.echo.take();
    let targets: Vec<&str> = seen.iter().map(|seen| seen.target.as_str()).collect();
    assert_eq!(targets, ["/x", "/app/x"], "rewritten as every path");
    let of_the_session = &seen[1];
    assert_eq!(of_the_session.header("x-tenant"), "acme");
    assert_eq!(of_the_session.header("x-user-name"), "ada");
    assert!(!of_the_session.header("cookie").contains("JSESSIONID"), "our cookie is for nobody else");
}

#[test]
fn a_bearer_token_opens_for_its_tenant_alone() {
    let (echo, tenancy) = (Echo::start(), Tenancy::new());
    let setup = Setup::new(&application()).destination("backend", echo.address).tenants(&tenancy.table());
    let server = setup.start();
    let token = bearer(&tenancy.acme.token(&json!({})));
    for (host, path, status) in [
        ("acme.localhost", "/jwt/x", 101),
        ("acme.localhost", "/app/x", 101),
        ("globex.localhost", "/jwt/x", 401),
        ("globex.localhost", "/app/x", 401),
        ("sleepy.localhost", "/pub/x", 403),
        ("nobody.localhost", "/pub/x", 404),
    ] {
        let answered = Socket::open(server.address, host, path, &[("Authorization", &token)]);
        let answered = answered.map_or_else(|reply| reply.status, |socket| socket.answer.status);
        assert_eq!(answered, status, "{host}{path}");
    }
}

#[test]
fn of_two_session_cookies_none_counts() {
    let stage = Stage::set();
    let browser = stage.logged_in();
    let twice = format!("{0}; {0}", cookies(&browser));
    let answered = Socket::open(stage.server.address, "acme.localhost", "/app/x", &[("Cookie", &twice)]);
    assert_eq!(answered.err().map(|reply| reply.status), Some(401));
}

#[test]
fn identity_headers_of_the_client_do_not_pass() {
    let stage = Stage::set();
    for forged in ["x-tenant", "X-Tenant", "x_tenant", "x-tenant-id", "tenantid", "x-user-name", "x.tenant"] {
        let more = [(forged, "globex"), ("Connection", "Upgrade, X-Tenant")];
        Socket::open(stage.server.address, "acme.localhost", "/pub/x", &more).unwrap();
        let [seen] = stage.echo.take().try_into().unwrap();
        assert_eq!(seen.header("x-tenant"), "acme", "{forged}");
        let all: Vec<&String> = seen.headers.values().flatten().collect();
        assert!(!all.iter().any(|value| value.contains("globex")), "{forged}: {seen:?}");
    }
}

#[test]
fn tenants_have_as_many_as_their_limit_says() {
    let echo = Echo::start();
    let setup = Setup::new(&application()).destination("backend", echo.address).tenants(&json!({
        "hosts": ["{tenant}.localhost"],
        "tenants": {"acme": {"limits": {"concurrent": 2}}, "globex": {}},
    }));
    let setup = setup.file(
        "xs-app.json",
        json!({"websockets": {"enabled": true}, "routes": [
            {"source": "^/pub/(.*)$", "destination": "backend", "authenticationType": "none"}]})
        .to_string(),
    );
    let server = setup.start();
    let open = |host: &str| Socket::open(server.address, host, "/pub/x", &[]);
    let (first, _second) = (open("acme.localhost").unwrap(), open("acme.localhost").unwrap());
    assert_eq!(open("acme.localhost").err().map(|reply| reply.status), Some(429));
    open("globex.localhost").unwrap();
    drop(first);
    server.await_line("broke_off");
    let deadline = std::time::Instant::now() + crate::harness::DEADLINE;
    while open("acme.localhost").is_err() {
        assert!(std::time::Instant::now() < deadline, "its place was not given back");
    }
}

#[test]
fn a_session_of_one_tenant_opens_nothing_at_another() {
    let stage = Stage::set();
    let browser = stage.logged_in();
    let mut other = Tab::at(&stage.server, "globex.localhost");
    let callback = other.begin(&stage.globex, "/app/start");
    other.navigate(&callback);
    for (browser, host, status) in [
        (&browser, "acme.localhost", 101),
        (&other, "globex.localhost", 101),
        (&browser, "globex.localhost", 401),
        (&other, "acme.localhost", 401),
    ] {
        let cookie = cookies(browser);
        let answered = Socket::open(stage.server.address, host, "/app/x", &[("Cookie", &cookie)]);
        assert_eq!(
            answered.map_or_else(|reply| reply.status, |socket| socket.answer.status),
            status,
            "{host}"
        );
    }
}
