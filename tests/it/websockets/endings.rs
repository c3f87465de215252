//! What ends a WebSocket that nobody closes: its session, its token, its tenant, time, and the process.
//!
//! Each is told within a second of the cause, with a code, and so is the backend.

use std::time::{Duration, Instant};

use serde_json::json;

use super::handshakes::{Stage, table};
use super::{application, open};
use crate::harness::fixture::{Tenancy, bearer};
use crate::harness::websocket::{Echo, Socket};
use crate::harness::{Server, Setup};

const WITHIN: Duration = Duration::from_secs(1);

/// Waits for the Close frame, which has to come within a second of `cause`.
fn closed_within(socket: &mut Socket, cause: Instant) -> Option<(u16, String)> {
    let words = socket.closed();
    assert!(cause.elapsed() < WITHIN, "told after {:?}", cause.elapsed());
    assert!(socket.is_over());
    words
}

#[expect(clippy::unnecessary_wraps, reason = "what is compared with may be nothing")]
fn told(code: u16, words: &str) -> Option<(u16, String)> {
    Some((code, words.to_owned()))
}

fn reload(server: &Server, file: &str, text: &str) {
    std::fs::write(server.path().join(file), text).unwrap();
    let reply = server.ask_admin("POST /reload");
    assert_eq!(reply.status, 200, "{}", reply.text());
}

fn stages() -> [Stage; 2] {
    let secret = "0123456789abcdef0123456789abcdef";
    [Stage::set(), Stage::set_with(|setup| setup.variable("SESSION_SECRET", secret))]
}

#[test]
fn a_logout_ends_those_of_its_session() {
    for stage in stages() {
        let (mut browser, other) = (stage.logged_in(), stage.logged_in());
        let mut first = stage.open(&browser, "/app/1").unwrap();
        let mut second = stage.open(&browser, "/app/2").unwrap();
        let mut others = stage.open(&other, "/app/3").unwrap();
        let mut anybodys = stage.open(&browser, "/pub/4").unwrap();
        first.echo("one");
        let cause = Instant::now();
        assert_eq!(browser.navigate("/logout").status, 302);
        assert_eq!(closed_within(&mut first, cause), told(1008, "session ended"));
        assert_eq!(closed_within(&mut second, cause), told(1008, "session ended"));
        assert_eq!(stage.echo.await_end(), Some(1001), "the backend is told that its client goes");
        others.echo("another session goes on");
        anybodys.echo("and so does what needed none");
        assert_eq!(stage.open(&browser, "/app/5").err(), Some(401));
    }
}

#[test]
fn an_issuers_logout_does() {
    for stage in stages() {
        let browser = stage.logged_in();
        let mut socket = stage.open(&browser, "/app/1").unwrap();
        let issuer = stage.acme.issuer();
        let event = "http://schemas.openid.net/event/backchannel-logout";
        let mut claims = issuer.claims(&json!({"events": {event: {}}, "jti": "j1"}));
        claims.as_object_mut().unwrap().remove("azp");
        let headers = [("Host", "acme.localhost"), ("Content-Type", "application/x-www-form-urlencoded")];
        let body = format!("logout_token={}", issuer.token_of(&claims));
        let cause = Instant::now();
        let reply = stage.server.connect().ask("POST /backchannel", &headers, body.as_bytes());
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(closed_within(&mut socket, cause), told(1008, "session ended"));
    }
}

#[test]
fn a_tenant_that_is_suspended_or_gone_does_and_no_other_reload() {
    let stage = Stage::set();
    let gone = json!({"hosts": ["{tenant}.localhost"],
                      "tenants": {"globex": {"issuer": stage.globex.configuration()}}})
    .to_string();
    let active = table(&stage.acme, &stage.globex, "active");
    let cases = [
        (table(&stage.acme, &stage.globex, "suspended"), told(1008, "tenant not served")),
        (table(&stage.acme, &stage.globex, "maintenance"), told(1013, "maintenance")),
        (gone, told(1008, "tenant not served")),
    ];
    for (changed, expected) in cases {
        let mut socket = Socket::open(stage.server.address, "acme.localhost", "/pub/x", &[]).unwrap();
        let mut others = Socket::open(stage.server.address, "globex.localhost", "/pub/x", &[]).unwrap();
        let more = active.replace("\"hosts\"", "\"_remark\": 1, \"hosts\"");
        reload(&stage.server, "xs-tenants.json", &more);
        let mut without = application();
        without["routes"].as_array_mut().unwrap().remove(0);
        reload(&stage.server, "xs-app.json", &without.to_string());
        socket.echo("its route is gone, and it goes on");
        reload(&stage.server, "xs-app.json", &application().to_string());
        let cause = Instant::now();
        reload(&stage.server, "xs-tenants.json", &changed);
        assert_eq!(closed_within(&mut socket, cause), expected, "{changed}");
        others.echo("another tenant's goes on");
        reload(&stage.server, "xs-tenants.json", &active);
    }
}

#[test]
fn an_issuer_that_is_another_now_does() {
    let stage = Stage::set();
    let mut socket = stage.open(&stage.logged_in(), "/app/x").unwrap();
    let mut anybodys = Socket::open(stage.server.address, "acme.localhost", "/pub/x", &[]).unwrap();
    let cause = Instant::now();
    reload(&stage.server, "xs-tenants.json", &table(&stage.globex, &stage.acme, "active"));
    assert_eq!(closed_within(&mut socket, cause), told(1008, "session ended"));
    anybodys.echo("nobody's session was asked for");
}

#[test]
fn a_token_that_expires_does() {
    let (echo, tenancy) = (Echo::start(), Tenancy::new());
    let setup = Setup::new(&application()).destination("backend", echo.address).tenants(&tenancy.table());
    let server = setup.start();
    let now = tenancy.acme.claims(&json!({}))["iat"].as_u64().unwrap();
    let token = bearer(&tenancy.acme.token(&json!({"exp": now + 3})));
    let mut socket =
        Socket::open(server.address, "acme.localhost", "/jwt/x", &[("Authorization", &token)]).unwrap();
    socket.echo("while it lasts");
    let expires = std::time::UNIX_EPOCH + Duration::from_secs(now + 3);
    assert_eq!(socket.closed(), told(1008, "token expired"));
    let late = expires.elapsed().expect("not before");
    assert!(late < WITHIN, "told {late:?} after");
}

#[test]
fn a_sessions_token_is_refreshed_under_it_and_a_refusal_ends_it() {
    let stage = Stage::set();
    // So short that its second half has begun when the WebSocket is open.
    stage.acme.desk().life = 4;
    let browser = stage.logged_in();
    let mut socket = stage.open(&browser, "/app/x").unwrap();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(6) {
        socket.echo("tick");
    }
    let refreshes = stage.acme.desk().refreshes;
    assert!((1..10).contains(&refreshes), "{refreshes} refreshes in six seconds of tokens of four");
    stage.acme.desk().refusal = Some((400, json!({"error": "invalid_grant"})));
    assert_eq!(socket.closed(), told(1008, "session ended"));
}

#[test]
fn a_token_in_a_cookie_ends_it_and_the_next_handshake_brings_the_next() {
    let [_, stage] = stages();
    stage.acme.desk().life = 3;
    let browser = stage.logged_in();
    let mut socket = stage.open(&browser, "/app/x").unwrap();
    assert_eq!(socket.closed(), told(1008, "token expired"));
    let again = stage.open(&browser, "/app/x").unwrap();
    assert!(again.answer.header("set-cookie").starts_with("JSESSIONID="), "{:?}", again.answer);
}

#[test]
fn time_does() {
    let echo = Echo::start();
    let limits = json!({"websockets": {"idleSeconds": 1, "ageSeconds": 4}}).to_string();
    let server = open(echo.address).file("xs-tenants.json", limits).start();
    let connect = || Socket::open(server.address, "a.example", "/x", &[]).unwrap();
    let (mut idle, begun) = (connect(), Instant::now());
    assert_eq!(idle.closed(), told(1001, "idle"));
    assert!(begun.elapsed() >= Duration::from_millis(900), "after {:?}", begun.elapsed());
    let (mut busy, begun) = (connect(), Instant::now());
    let mut last = None;
    while last.is_none() {
        busy.send(0x89, b"?");
        let (first, payload) = busy.frame().unwrap();
        last = (first == 0x88).then_some(payload);
    }
    assert_eq!(&last.unwrap()[2..], b"open for too long");
    assert!(begun.elapsed() >= Duration::from_secs(4));
}

#[test]
fn stopping_does_and_the_process_ends_cleanly() {
    let stage = Stage::set();
    let mut server = stage.server;
    let mut sockets: Vec<Socket> =
        (0..20).map(|_| Socket::open(server.address, "acme.localhost", "/pub/x", &[]).unwrap()).collect();
    sockets[0].echo("before");
    let cause = Instant::now();
    server.signal("TERM");
    for socket in &mut sockets {
        assert_eq!(closed_within(socket, cause), told(1001, "restarting"));
    }
    assert_eq!(stage.echo.await_end(), Some(1001));
    assert!(server.wait().success());
    assert!(cause.elapsed() < Duration::from_secs(5), "it waited {:?}", cause.elapsed());
}

#[test]
fn a_frame_under_way_is_not_cut_by_ours() {
    let stage = Stage::set();
    let mut browser = stage.logged_in();
    let mut socket = stage.open(&browser, "/app/x").unwrap();
    // The backend's frame never ends while nobody reads it: no Close frame may stand in it.
    socket.send(0x81, b"big 50000000");
    let head = socket.stream().peek(&mut [0; 10]).unwrap();
    assert!(head > 0);
    let cause = Instant::now();
    browser.navigate("/logout");
    assert_eq!(stage.echo.await_end(), Some(1001), "towards the backend there is a place for one");
    assert!(cause.elapsed() < Duration::from_millis(1500));
    assert_eq!(socket.frame(), None, "what came ends in the middle of a frame");
}
