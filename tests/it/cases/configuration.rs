//! Starts a named configuration of the observed cases.
//!
//! Two echo backends, a stand-in XSUAA that logs everybody in and a port that nobody listens at stand for
//! the placeholders. A route that we refuse at start is taken out; what remains is what the case was
//! about, or the case is listed.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::super::harness::backend::{Exchange, Next};
use super::super::harness::echo;
use super::super::harness::tls::TlsBackend;
use super::super::harness::{Backend, Issuer, Recorded, Reply, Server, Setup};

/// A configuration that runs.
pub(super) struct Running {
    /// The server.
    pub(super) server: Server,
    backends: [Backend; 2],
    _uaa: Uaa,
    placeholders: Vec<(&'static str, String)>,
}

/// What stands at `{UAA}`: the key set, or TLS that nobody trusts where a route goes there by https.
enum Uaa {
    Keys(Backend),
    Tls(TlsBackend),
}

impl Uaa {
    fn start(over_tls: bool, issuer: &Issuer) -> Self {
        if over_tls {
            return Self::Tls(TlsBackend::start("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"));
        }
        let issuer = issuer.clone();
        Self::Keys(Backend::answering(move |exchange| {
            if exchange.body().is_err() {
                return Next::Close;
            }
            let answer = if exchange.head.target.starts_with("/oauth/token") {
                let own = exchange.head.lines.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
                let port = own.and_then(|(_, host)| host.rsplit_once(':')).unwrap().1.parse().unwrap();
                json!({"access_token": issuer.token(&claims(port)), "token_type": "bearer",
                       "refresh_token": "r", "expires_in": 3600})
            } else {
                issuer.key_set()
            };
            let answer = answer.to_string();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}",
                answer.len()
            );
            exchange.write(format!("{head}\r\n\r\n{answer}"));
            Next::Keep
        }))
    }

    fn address(&self) -> SocketAddr {
        match self {
            Self::Keys(backend) => backend.address,
            Self::Tls(backend) => backend.address,
        }
    }
}

fn configuration(name: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("../../cases/observed/configs.json")).unwrap();
    all[name].clone()
}

/// The configuration without the routes that we refuse at start instead of with each request: those to a
/// destination whose name is only partly `$1`.
fn supported(mut configuration: Value) -> Value {
    let is_partly_dynamic = |route: &Value| {
        route["destination"].as_str().is_some_and(|it| it.contains('$') && !it.starts_with('$'))
    };
    if let Some(routes) = configuration["xsapp"].get_mut("routes").and_then(Value::as_array_mut) {
        routes.retain(|route| !is_partly_dynamic(route));
    }
    configuration
}

fn claims(uaa: u16) -> Value {
    json!({"iss": format!("http://localhost:{uaa}/oauth/token"), "zid": "zid-1", "cid": "sb-app!t1",
           "client_id": "sb-app!t1", "azp": "sb-app!t1", "aud": ["app!t1", "sb-app!t1", "openid"],
           "scope": ["openid", "uaa.user", "app!t1.viewer"], "user_name": "john@x.com",
           "email": "john@x.com", "given_name": "John", "family_name": "Doe",
           "grant_type": "authorization_code", "ext_attr": {"enhancer": "XSUAA", "zdn": "provider"}})
}

/// What a backend answers: a handshake's 101, with the first subprotocol of those that are offered; 403 to
/// the one handshake that asks for it; and what `x-echo` says to everything else.
fn answer(exchange: &mut Exchange<'_>) -> Next {
    let header = |name: &str| {
        let lines = exchange.head.lines.iter();
        lines.clone().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    };
    let Some(key) = header("sec-websocket-key").filter(|_| header("upgrade").is_some()) else {
        return echo::answer(exchange);
    };
    if exchange.head.target.ends_with("wsreject") {
        exchange
            .write("HTTP/1.1 403 Forbidden\r\ncontent-type: text/html\r\ncontent-length: 9\r\n\r\nForbidden");
        return Next::Close;
    }
    let offered = header("sec-websocket-protocol").and_then(|offered| offered.split(',').next());
    let chosen = offered.map(|chosen| format!("sec-websocket-protocol: {chosen}\r\n"));
    exchange.write(format!(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-accept: {}\r\n{}\r\n",
        derive_accept_key(key.as_bytes()),
        chosen.unwrap_or_default()
    ));
    Next::Watch
}

impl Running {
    /// Starts the configuration of this name; what the server said where it does not start.
    pub(super) fn start(name: &str) -> Result<Self, String> {
        let configuration = supported(configuration(name));
        let backends = [Backend::answering(answer), Backend::answering(answer)];
        let issuer = Issuer::new("unused");
        let over_tls = configuration.to_string().contains("https://localhost:{UAA}");
        let uaa = Uaa::start(over_tls, &issuer);
        let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let token = issuer.token(&claims(uaa.address().port()));
        let port = |address: SocketAddr| address.port().to_string();
        let mut placeholders = vec![
            ("{BACKEND}", port(backends[0].address)),
            ("{BACKEND2}", port(backends[1].address)),
            ("{UAA}", port(uaa.address())),
            ("{DEAD}", port(dead)),
            ("{JWKS_PEM}", issuer.public_pem()),
            ("{JWT}", token),
        ];
        let setup = setup(&fill_value(&configuration, &placeholders));
        let output = setup.run(&["check", "--format", "json"]);
        let refused = refusal(&output.stdout);
        if output.status.code() != Some(0) || refused.contains("not_supported_yet") {
            return Err(refused);
        }
        let server = setup.start();
        placeholders.push(("{PORT}", port(server.address)));
        Ok(Self { server, backends, _uaa: uaa, placeholders })
    }

    /// Logs a browser in, once: what the session's cookie and CSRF token stand for.
    pub(super) fn log_in(&mut self) {
        if self.placeholders.iter().any(|(name, _)| *name == "{COOKIE}") {
            return;
        }
        let begun = self.server.ask("GET /auth/x", &[]);
        let location = begun.header("location");
        let state = location.split(['?', '&']).find_map(|pair| pair.strip_prefix("state=")).unwrap();
        let callback = format!("GET /login/callback?code=c&state={state}");
        let ended = self.server.ask(&callback, &[("cookie", &cookies(&begun))]);
        assert_eq!(ended.status, 302, "{callback}: {}", ended.text());
        let cookie = cookies(&ended);
        let fetched = self.server.ask("GET /auth/x", &[("cookie", &cookie), ("x-csrf-token", "fetch")]);
        let token = fetched.header("x-csrf-token");
        self.placeholders.extend([("{COOKIE}", cookie), ("{CSRF}", token)]);
        self.seen();
    }

    /// A text with its placeholders filled in.
    pub(super) fn fill(&self, text: &str) -> String {
        fill(text, &self.placeholders)
    }

    /// A value with its placeholders filled in.
    pub(super) fn fill_value(&self, value: &Value) -> Value {
        fill_value(value, &self.placeholders)
    }

    /// What the backends saw since the last call, with the port of each.
    pub(super) fn seen(&self) -> Vec<(u16, Recorded)> {
        let of = |backend: &Backend| {
            // One destination speaks TLS to a backend that does not.
            backend.forgive_tls();
            let port = backend.address.port();
            backend.take().into_iter().map(move |request| (port, request)).collect::<Vec<_>>()
        };
        self.backends.iter().flat_map(of).collect()
    }
}

/// The cookies that an answer sets, as they are sent back; those it removes are left out.
fn cookies(reply: &Reply) -> String {
    let pairs = reply.all("set-cookie").into_iter().filter_map(|cookie| cookie.split(';').next());
    pairs.filter(|pair| !pair.ends_with('=')).collect::<Vec<_>>().join("; ")
}

fn fill(text: &str, placeholders: &[(&'static str, String)]) -> String {
    placeholders.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
}

fn fill_value(value: &Value, placeholders: &[(&'static str, String)]) -> Value {
    match value {
        Value::String(text) => Value::String(fill(text, placeholders)),
        Value::Array(list) => list.iter().map(|value| fill_value(value, placeholders)).collect(),
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.clone(), fill_value(value, placeholders))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn setup(configuration: &Value) -> Setup {
    // The sessions that were observed lay in memory.
    let mut setup = Setup::new(&configuration["xsapp"]).variable("SESSION_STORE", "memory");
    for (name, value) in configuration["env"].as_object().into_iter().flatten() {
        setup = setup.variable(name, value.clone());
    }
    let observed_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    for (name, text) in configuration["files"].as_object().into_iter().flatten() {
        setup = setup.file(name, text.as_str().unwrap());
        File::options().write(true).open(setup.path().join(name)).unwrap().set_modified(observed_at).unwrap();
    }
    setup
}

/// The problems that stop a start, one line.
fn refusal(report: &[u8]) -> String {
    let report: Value = serde_json::from_slice(report).unwrap_or_default();
    let problems = report["problems"].as_array().into_iter().flatten();
    let stopping =
        problems.filter(|problem| problem["severity"] == "error" || problem["code"] == "not_supported_yet");
    stopping
        .map(|problem| format!("{} {} {}", problem["code"], problem["key"], problem["message"]))
        .collect::<Vec<_>>()
        .join("; ")
}
