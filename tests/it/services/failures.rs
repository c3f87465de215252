//! Authorization servers that refuse, are slow, are down, or talk nonsense: a clear refusal each time.

use std::net::TcpListener;

use serde_json::json;

use super::super::harness::backend::Next;
use super::super::harness::fixture::ACME;
use super::super::harness::{Backend, Reply};
use super::Stage;

fn ask(stage: &Stage, subject: &str) -> Reply {
    let token = stage.token("acme", subject);
    stage.server.ask("GET /data/x", &[ACME, ("Authorization", &token)])
}

#[test]
fn each_failure_has_a_status_a_code_and_no_secret() {
    let rows = [
        (401, r#"{"error":"invalid_client"}"#, 502, "service_token_refused", "not this client"),
        (400, r#"{"error":"invalid_grant"}"#, 502, "service_token_refused", "not this caller"),
        (200, "<html>", 502, "service_token_invalid", "a page"),
        (200, r#"{"token_type":"bearer"}"#, 502, "service_token_invalid", "no token"),
        (200, r#"{"access_token":"a b","token_type":"bearer"}"#, 502, "service_token_invalid", "no text"),
        (500, "oops", 503, "service_token_unavailable", "broken"),
        (429, "", 503, "service_token_unavailable", "overloaded"),
        (302, "", 503, "service_token_unavailable", "a redirect, which is not followed"),
    ];
    for (status, body, expected, code, shows) in rows {
        let stage = Stage::set(&json!({}));
        stage.uaa.says(status, body);
        for subject in ["ann", "bob", "cid", "dan", "eve"] {
            let reply = ask(&stage, subject);
            assert_eq!((reply.status, reply.code().as_str()), (expected, code), "{shows}: {}", reply.text());
            assert_eq!(reply.header("retry-after").is_empty(), expected != 503, "{shows}: {reply:?}");
            for secret in ["c0untry", "sb-country", "localhost", "invalid_"] {
                assert!(!reply.text().contains(secret), "{shows}: {secret} in {}", reply.text());
            }
        }
        let asked = stage.uaa.asked();
        let expected_asked = if expected == 503 { 3 } else { 5 };
        assert_eq!(asked.len(), expected_asked, "{shows}: for each caller, unless nobody answers");
        assert!(stage.service.take().is_empty(), "{shows}: the service heard nothing");
        stage.server.await_line("for a service");
        let log = stage.server.log();
        assert!(!log.contains("c0untry"), "{shows}: {log}");
        assert!(!log.contains(asked[0]["assertion"].as_str()), "{shows}: a token in the log");
    }
}

#[test]
fn a_failure_is_remembered_for_a_moment_and_then_it_works() {
    let stage = Stage::set(&json!({}));
    stage.uaa.says(401, r#"{"error":"invalid_client"}"#);
    let token = stage.token("acme", "ann");
    let ask = || stage.server.ask("GET /data/x", &[ACME, ("Authorization", &token)]);
    for _ in 0..20 {
        assert_eq!(ask().status, 502);
    }
    assert!(stage.uaa.asked().len() <= 3, "a second's silence between two questions");
    *stage.uaa.says.lock().unwrap() = None;
    let deadline = std::time::Instant::now() + super::super::harness::DEADLINE;
    while ask().status != 200 {
        assert!(std::time::Instant::now() < deadline, "it never works again");
    }
    assert!(stage.service.only().header("authorization").starts_with("Bearer acme.user."));
}

#[test]
fn a_server_that_is_down_or_silent_is_told_apart() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let silent = Backend::answering(|exchange| {
        drop(exchange.body());
        Next::Watch
    });
    for (port, status, code) in
        [(closed, 503, "service_token_unavailable"), (silent.address.port(), 504, "service_token_timeout")]
    {
        let uaa = json!({"clientid": "c", "clientsecret": "s", "url": format!("http://localhost:{port}")});
        let stage = Stage::set(&json!({"uaa": uaa}));
        let reply = ask(&stage, "ann");
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{}", reply.text());
        assert!(!reply.header("retry-after").is_empty());
        assert!(stage.service.take().is_empty());
        let globex = stage.token("globex", "ann");
        let other = stage.server.ask("GET /health", &[ACME, ("Authorization", &globex)]);
        assert_eq!(other.status, 404, "others are served");
    }
}

#[test]
fn the_service_itself_fails_as_every_backend_does() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let stage = Stage::set(&json!({"endpoints": {
        "data": {"url": format!("http://{closed}/")}, "config": {"url": format!("http://{closed}/")}}}));
    let reply = ask(&stage, "ann");
    assert_eq!((reply.status, reply.code().as_str()), (502, "backend_unreachable"));
    stage.server.await_line("service:com.sap.country/data");
}
