//! A router whose Redis is away, is somebody else's, or comes back.

use std::time::{Duration, Instant};

use super::super::harness::{DEADLINE, Tab};
use super::*;

/// No request may take longer.
const BOUND: Duration = Duration::from_secs(2);

/// The log, once it has a line with `text`.
fn said(server: &Server, text: &str) -> String {
    if !server.log().contains(text) {
        server.await_line(text);
    }
    server.log()
}

#[test]
fn a_redis_that_cannot_be_trusted_is_named_and_logins_wait() {
    let (backend, provider) = (Backend::start(), Provider::start());
    let options = Options { password: Some("sesame"), ..Options::default() };
    let redis = Redis::start_tls(options);
    let server = start(&backend, &provider, &redis.url());
    let said = said(&server, "no connection to Redis");
    assert!(said.contains("UnknownIssuer") && said.contains("localhost"), "{said}");
    let mut tab = Tab::at(&server, HOST);
    let callback = tab.begin(&provider, "/app/x");
    let begun = Instant::now();
    let reply = tab.navigate(&callback);
    assert_eq!((reply.status, reply.header("retry-after").is_empty()), (503, false), "{}", reply.text());
    assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
    assert!(!server.log().contains("sesame"), "the password is nobody's business");
}

#[test]
fn a_wrong_password_is_named() {
    let (backend, provider) = (Backend::start(), Provider::start());
    let redis = Redis::start_with(Options { password: Some("sesame"), ..Options::default() });
    let url = redis.url().replace("sesame", "simsalabim");
    let server = start(&backend, &provider, &url);
    let said = said(&server, "no connection to Redis");
    assert!(said.contains("refuses the connection"), "{said}");
    assert!(!server.log().contains("simsalabim"), "the password is nobody's business");
}

#[test]
fn a_frozen_redis_holds_nobody_up() {
    let (backend, provider) = (Backend::start(), Provider::start());
    let redis = Redis::start();
    let server = start(&backend, &provider, &redis.url());
    let mut tab = Tab::at(&server, HOST);
    assert_eq!(tab.log_in(&provider, "/app/x").status, 302);
    assert_eq!(tab.fetch("GET /app/x", &[]).status, 200);
    let mut stranger = Tab::at(&server, HOST);
    let callback = stranger.begin(&provider, "/app/x");
    redis.freeze();
    let bounded = |ask: &mut dyn FnMut() -> u16, expected: u16, what: &str| {
        let begun = Instant::now();
        assert_eq!(ask(), expected, "{what}");
        assert!(begun.elapsed() < BOUND, "{what}: {:?}", begun.elapsed());
    };
    bounded(&mut || tab.fetch("GET /app/x", &[]).status, 200, "who was seen");
    bounded(&mut || stranger.navigate(&callback).status, 503, "who logs in");
    redis.thaw();
    let deadline = Instant::now() + DEADLINE;
    let mut again = Tab::at(&server, HOST);
    while again.log_in(&provider, "/app/x").status != 302 {
        assert!(Instant::now() < deadline, "logins go on when Redis does");
    }
}

#[test]
fn a_logout_at_one_instance_ends_the_session_at_the_other() {
    let (backend, provider) = (Backend::start(), Provider::start());
    let redis = Redis::start();
    for store in ["redis", "cookie"] {
        let servers = [(); 2].map(|()| match store {
            "redis" => start(&backend, &provider, &redis.url()),
            _ => cookies_beside(&backend, &provider, &redis),
        });
        let mut tab = Tab::at(&servers[0], HOST);
        assert_eq!(tab.log_in(&provider, "/app/x").status, 302, "{store}");
        let mut other = tab.sent_to(&servers[1]);
        assert_eq!(other.fetch("GET /app/x", &[]).status, 200, "{store}");
        assert_eq!(tab.navigate("/logout").status, 302, "{store}");
        let ended = Instant::now();
        while other.clone().fetch("GET /app/x", &[]).status != 401 {
            assert!(ended.elapsed() < BOUND, "{store}: the other instance never hears of it");
        }
    }
}

/// Sessions in cookies, with a bound Redis for what has ended.
fn cookies_beside(backend: &Backend, provider: &Provider, redis: &Redis) -> Server {
    let credentials = json!({"hostname": "127.0.0.1", "port": redis.address.port(), "tls": false});
    setup(backend, provider, "cookie")
        .variable("EXT_SESSION_MGT", json!({"instanceName": "cache", "storageType": "redis", "sessionSecret": "a secret of all instances"}))
        .variable(
            "VCAP_SERVICES",
            json!({"redis-cache": [{"name": "cache", "label": "redis-cache", "tags": ["redis"],
                                    "credentials": credentials}]}),
        )
        .start()
}
