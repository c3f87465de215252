//! Class 21, what is one tenant's at another: 50 × 50.
//!
//! Recipe: fifty tenants with an issuer each, whose users, sessions and keys have the same names
//! everywhere; a session's cookie, a bearer token, a refresh, a callback, a logout, a logout token and a
//! WebSocket of each at each. Must happen: 0 of 2,450 pass, of every kind, with sessions in memory and in cookies.
//! A random walk through logins and logouts then keeps asking the same of whatever state that leads to.

use std::thread;

use serde_json::{Value, json};

use super::harness::websocket::Socket;
use super::harness::{Backend, Issuer, Provider, Server, Setup, Tab};

const TENANTS: usize = 50;
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

struct Stage {
    server: Server,
    backend: Backend,
    providers: Vec<Provider>,
}

fn key(tenant: usize) -> String {
    format!("t{tenant:02}")
}

fn host(tenant: usize) -> String {
    format!("{}.localhost", key(tenant))
}

impl Stage {
    fn set(in_cookies: bool) -> Self {
        let backend = Backend::start();
        let providers: Vec<Provider> = (0..TENANTS).map(|_| Provider::start()).collect();
        let mut tenants = json!({});
        for (tenant, provider) in providers.iter().enumerate() {
            tenants[key(tenant)] = json!({"issuer": provider.configuration()});
        }
        let setup = Setup::new(&application())
            .destination("backend", backend.address)
            .tenants(&json!({"hosts": ["{tenant}.localhost"], "tenants": tenants}))
            .variable("ACCESS_LOG", "off");
        let secret = "of fifty tenants, the secret is one";
        let setup = if in_cookies { setup.variable("SESSION_SECRET", secret) } else { setup };
        Self { server: setup.start(), backend, providers }
    }

    fn log_in(&self, tenant: usize) -> Tab<'_> {
        let mut browser = Tab::at(&self.server, &host(tenant));
        let reply = browser.log_in(&self.providers[tenant], "/app/start");
        assert_eq!(reply.status, 302, "{}", reply.text());
        browser
    }

    /// What all providers together have counted.
    fn counted(&self, count: impl Fn(&Provider) -> usize) -> usize {
        self.providers.iter().map(count).sum()
    }

    fn tell(&self, tenant: usize, token: &str) -> u16 {
        let headers = [("Host", &*host(tenant)), ("Content-Type", "application/x-www-form-urlencoded")];
        let body = format!("logout_token={token}");
        self.server.connect().ask("POST /backchannel", &headers, body.as_bytes()).status
    }
}

/// How many of all pairs of different tenants `passes` says yes to, asked from two threads.
fn passing(passes: impl Fn(usize, usize) -> bool + Sync) -> usize {
    let half = |parity: usize| {
        let pairs = (0..TENANTS).flat_map(|from| (0..TENANTS).map(move |to| (from, to)));
        let asked = pairs.filter(|(from, to)| from != to && from % 2 == parity);
        asked.filter(|(from, to)| passes(*from, *to)).count()
    };
    thread::scope(|scope| {
        let odd = scope.spawn(|| half(1));
        half(0) + odd.join().unwrap()
    })
}

fn application() -> Value {
    json!({
        "websockets": {"enabled": true},
        "logout": {"logoutEndpoint": "/logout", "backChannelLogoutEndpoint": "/backchannel"},
        "destinations": {"backend": {"logoutPath": "/told"}},
        "routes": [
            {"source": "^/app/(.*)$", "destination": "backend", "authenticationType": "oidc"},
            {"source": "^/jwt/(.*)$", "destination": "backend", "authenticationType": "jwt"},
        ]
    })
}

fn is_in(browser: &Tab<'_>) -> bool {
    browser.clone().fetch("GET /app/x", &[]).status == 200
}

/// A token that ends every session of the one user.
fn logout_token(issuer: &Issuer, id: &str) -> String {
    let mut claims = issuer.claims(&json!({"events": {EVENT: {}}, "jti": id}));
    claims.as_object_mut().unwrap().remove("azp");
    issuer.token_of(&claims)
}

fn matrix(store: &str, in_cookies: bool) {
    let stage = Stage::set(in_cookies);
    // So short that whoever uses a session refreshes it first.
    stage.providers.iter().for_each(|provider| provider.desk().life = 200);
    let sessions: Vec<Tab<'_>> = (0..TENANTS).map(|tenant| stage.log_in(tenant)).collect();
    let lies_in_cookies = sessions.iter().all(|browser| browser.cookies["JSESSIONID"].len() > 500);
    assert_eq!(lies_in_cookies, in_cookies, "{store} is where they are kept");
    stage.providers.iter().for_each(|provider| provider.desk().life = 3600);
    let begun: Vec<(Tab<'_>, String)> = (0..TENANTS)
        .map(|tenant| {
            let mut browser = Tab::at(&stage.server, &host(tenant));
            let callback = browser.begin(&stage.providers[tenant], "/app/x");
            (browser, callback)
        })
        .collect();
    let tokens: Vec<String> =
        stage.providers.iter().map(|provider| provider.issuer().token(&json!({}))).collect();
    let logouts: Vec<String> =
        stage.providers.iter().map(|provider| logout_token(&provider.issuer(), "j1")).collect();
    let logins = stage.counted(|provider| provider.desk().logins);
    stage.backend.take();

    let cookie = passing(|from, to| {
        let reply = sessions[from].moved_to(&host(to)).fetch("GET /app/x", &[]);
        reply.status != 401
    });
    let refresh = stage.counted(|provider| provider.desk().refreshes);
    let bearer = passing(|from, to| {
        let token = format!("Bearer {}", tokens[from]);
        ["/app/x", "/jwt/x"].iter().any(|path| {
            let mut machine = Tab::at(&stage.server, &host(to));
            machine.fetch(&format!("GET {path}"), &[("Authorization", &token)]).status != 401
        })
    });
    let callback = passing(|from, to| {
        let (browser, callback) = &begun[from];
        let mut moved = browser.moved_to(&host(to));
        let reply = moved.navigate(callback);
        reply.status != 400 || moved.cookies.contains_key("JSESSIONID")
    });
    let exchanged = stage.counted(|provider| provider.desk().logins) - logins;
    let logout = passing(|from, to| {
        let reply = sessions[from].moved_to(&host(to)).navigate("/logout");
        assert_eq!(reply.status, 302, "there is only the way to {to}'s own issuer");
        reply.header("location").contains("id_token_hint")
    });
    let back_channel = passing(|from, to| stage.tell(to, &logouts[from]) != 400);
    let websocket = passing(|from, to| {
        let cookie = sessions[from].cookies.iter().map(|(name, value)| format!("{name}={value}"));
        let (cookie, token) = (cookie.collect::<Vec<_>>().join("; "), format!("Bearer {}", tokens[from]));
        let opens = |path: &str, header| {
            let opened = Socket::open(stage.server.address, &host(to), path, &[header]);
            opened.map_or_else(|reply| reply.status, |socket| socket.answer.status) != 401
        };
        opens("/app/x", ("Cookie", &cookie))
            || opens("/app/x", ("Authorization", &token))
            || opens("/jwt/x", ("Authorization", &token))
    });
    let reached = stage.backend.take().len();
    let all = TENANTS * (TENANTS - 1);
    eprintln!(
        "{store}: of {all} each: cookie {cookie}, bearer {bearer}, refresh {refresh}, callback {callback} \
         ({exchanged} codes exchanged), logout {logout}, logout token {back_channel}, WebSocket {websocket}; \
         {reached} requests reached the backend"
    );
    let passed = [cookie, bearer, refresh, callback, exchanged, logout, back_channel, websocket, reached];
    assert_eq!(passed, [0; 9]);
    at_home(&stage, &sessions, &begun, &tokens, &logouts);
}

/// Everything that passed nowhere else is good where it belongs: nothing was used up or ended.
fn at_home(
    stage: &Stage,
    sessions: &[Tab<'_>],
    begun: &[(Tab<'_>, String)],
    tokens: &[String],
    logouts: &[String],
) {
    for tenant in 0..TENANTS {
        let cookie = format!("JSESSIONID={}", sessions[tenant].cookies["JSESSIONID"]);
        let opened = Socket::open(stage.server.address, &host(tenant), "/app/x", &[("Cookie", &cookie)]);
        assert!(opened.is_ok(), "{tenant}: a WebSocket of its own");
        assert!(is_in(&sessions[tenant]), "{tenant}: its cookie, after {} logouts", TENANTS - 1);
        assert_eq!(stage.providers[tenant].desk().refreshes, 1, "{tenant}: and its refresh");
        let token = format!("Bearer {}", tokens[tenant]);
        let mut machine = Tab::at(&stage.server, &host(tenant));
        assert_eq!(
            machine.fetch("GET /jwt/x", &[("Authorization", &token)]).status,
            200,
            "{tenant}: its token"
        );
        let (browser, callback) = &begun[tenant];
        let mut browser = browser.clone();
        assert_eq!(browser.navigate(callback).header("location"), "/app/x", "{tenant}: its callback");
        assert!(is_in(&browser));
    }
    for (tenant, token) in logouts.iter().enumerate() {
        assert_eq!(stage.tell(tenant, token), 200, "{tenant}: its logout token");
    }
    assert!(!sessions.iter().any(is_in), "the logout tokens ended what they named");
}

#[test]
fn nothing_of_one_tenant_passes_at_another_with_sessions_in_memory() {
    matrix("memory", false);
}

#[test]
fn nothing_of_one_tenant_passes_at_another_with_sessions_in_cookies() {
    matrix("cookie", true);
}

/// The property: whatever happened before, a cookie opens exactly the session that it was given for, at
/// exactly its tenant, for as long as nobody ended that.
#[test]
fn a_random_walk_never_crosses() {
    for in_cookies in [false, true] {
        let stage = Stage::set(in_cookies);
        let seed = fastrand::u64(..);
        let mut random = fastrand::Rng::with_seed(seed);
        let mut known: Vec<(usize, Tab<'_>, bool)> = Vec::new();
        let mut told = 0;
        for step in 0..600 {
            let at = random.usize(..TENANTS);
            match random.u8(..20) {
                0..4 => known.push((at, stage.log_in(at), true)),
                4 => {
                    told += 1;
                    let token = logout_token(&stage.providers[at].issuer(), &format!("j{told}"));
                    let by = random.usize(..TENANTS);
                    let status = stage.tell(by, &token);
                    assert_eq!(status == 200, by == at, "seed {seed}, step {step}");
                    known.iter_mut().filter(|(of, ..)| *of == at && by == at).for_each(|it| it.2 = false);
                }
                5 | 6 if !known.is_empty() => {
                    let (of, browser, lives) = random.choice(known.iter_mut()).unwrap();
                    let by = if random.bool() { *of } else { at };
                    browser.moved_to(&host(by)).navigate("/logout");
                    *lives &= by != *of;
                }
                _ if !known.is_empty() => {
                    let (of, browser, lives) = random.choice(known.iter()).unwrap();
                    let by = if random.bool() { *of } else { at };
                    let status = browser.moved_to(&host(by)).fetch("GET /app/x", &[]).status;
                    let expected = if *lives && by == *of { 200 } else { 401 };
                    assert_eq!(status, expected, "seed {seed}, step {step}: {of}'s at {by}, lives: {lives}");
                }
                _ => {}
            }
        }
    }
}

/// What a tenant's backend has set for nobody in particular lies sealed in the browser.
#[test]
fn no_backend_gets_what_one_of_another_tenant_set() {
    let backend = Backend::start();
    let tenants: Value =
        (0..TENANTS).map(|tenant| (key(tenant), json!({}))).collect::<serde_json::Map<_, _>>().into();
    let routes = json!([{"source": "^/", "destination": "backend", "authenticationType": "none"}]);
    let server = Setup::new(&json!({"routes": routes}))
        .destination("backend", backend.address)
        .tenants(&json!({"hosts": ["{tenant}.localhost"], "tenants": tenants}))
        .variable("ACCESS_LOG", "off")
        .start();
    let browsers: Vec<Tab<'_>> = (0..TENANTS)
        .map(|tenant| {
            let mut browser = Tab::at(&server, &host(tenant));
            let echo =
                json!({"headers": [["set-cookie", format!("bs={}; Path=/", key(tenant))]]}).to_string();
            assert_eq!(browser.fetch("GET /x", &[("x-echo", &echo)]).status, 200);
            assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["ARBE"]);
            browser
        })
        .collect();
    backend.take();
    for (tenant, browser) in browsers.iter().enumerate() {
        browser.clone().fetch("GET /x", &[]);
        assert_eq!(backend.only().header("cookie"), format!("bs={}", key(tenant)), "its own");
        backend.take();
    }
    let passed = (0..TENANTS).flat_map(|from| (0..TENANTS).map(move |to| (from, to)));
    let passed = passed.filter(|(from, to)| from != to).filter(|(from, to)| {
        backend.take();
        browsers[*from].moved_to(&host(*to)).fetch("GET /x", &[]);
        backend.only().header("cookie") != "-"
    });
    assert_eq!(passed.count(), 0);
}
