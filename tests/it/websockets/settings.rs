//! What may be configured, what is said of it, and what is counted.

use serde_json::json;

use super::{application, open};
use crate::harness::fixture::Tenancy;
use crate::harness::websocket::{Echo, Socket};
use crate::harness::{Server, Setup};

/// How a handshake of a page of `origin` is answered.
fn answered(server: &Server, origin: &str) -> u16 {
    let opened = Socket::open(server.address, "app.example.com", "/x", &[("Origin", origin)]);
    opened.map_or_else(|reply| reply.status, |socket| socket.answer.status)
}

#[test]
fn by_default_pages_of_the_same_host_may() {
    let echo = Echo::start();
    let server = open(echo.address).start();
    for (origin, status, shows) in [
        ("http://app.example.com", 101, "its own"),
        ("http://app.example.com:8080", 101, "at any port"),
        ("http://APP.example.com", 101, "in any case"),
        ("https://app.example.com", 403, "another scheme"),
        ("", 403, "none at all"),
        ("null", 403, "a sandboxed frame"),
        ("http://evil.example", 403, "another"),
        ("http://app.example.com.evil.example", 403, "a longer one"),
        ("http://evilapp.example.com", 403, "one that ends so"),
        ("http://example.com", 403, "the one above"),
        ("http://app.example.com@evil.example", 403, "a user"),
        ("http://app.example.com/", 403, "with a path"),
        ("app.example.com", 403, "no scheme"),
    ] {
        assert_eq!(answered(&server, origin), status, "{origin}: {shows}");
    }
    assert_eq!(echo.connections(), 3, "nobody else reached the backend");
}

#[test]
fn a_list_takes_the_place_of_the_default() {
    let echo = Echo::start();
    let list = json!([{"host": "*.acme.com", "protocol": "https"}, {"host": "one.example", "port": 8443}]);
    let server = open(echo.address).variable("WS_ALLOWED_ORIGINS", list).start();
    for (origin, status, shows) in [
        ("https://a.b.acme.com", 101, "below the domain"),
        ("https://acme.com", 403, "the domain itself"),
        ("http://a.acme.com", 403, "another scheme"),
        ("http://one.example:8443", 101, "the port"),
        ("http://one.example", 403, "another port"),
        ("http://app.example.com", 403, "the own host is not listed"),
        ("null", 403, "never"),
    ] {
        assert_eq!(answered(&server, origin), status, "{origin}: {shows}");
    }
    let nobody = open(echo.address).variable("WS_ALLOWED_ORIGINS", json!([])).start();
    assert_eq!(answered(&nobody, "http://app.example.com"), 403, "an empty list lets nobody in");
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let echo = Echo::start();
    for (variable, tenants, code, shows) in [
        (json!([{"host": "a b"}]), json!({}), "unusable_host", "no host"),
        (json!([{"host": "https://a.com"}]), json!({}), "unusable_host", "a whole origin"),
        (json!([{"protocol": "https"}]), json!({}), "missing_key", "no host at all"),
        (json!([{"host": "a.com", "hosts": []}]), json!({}), "unknown_key", "a misspelt key"),
        (json!({"host": "a.com"}), json!({}), "wrong_type", "no list"),
        (json!([{"host": "*"}]), json!({}), "any_origin", "everybody: a warning"),
        (json!([]), json!({"websockets": {"idle": 3}}), "unknown_key", "a misspelt limit"),
        (json!([]), json!({"websockets": {"idleSeconds": -1}}), "out_of_range", "no time"),
    ] {
        let setup = open(echo.address).variable("WS_ALLOWED_ORIGINS", variable);
        let output = setup.file("xs-tenants.json", tenants.to_string()).run(&["check", "--format", "json"]);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let found = report["problems"].as_array().unwrap().iter().any(|problem| problem["code"] == code);
        assert!(found, "{shows}: {report}");
    }
}

#[test]
fn explain_and_test_know_them() {
    let (echo, tenancy) = (Echo::start(), Tenancy::new());
    let setup = Setup::new(&application()).destination("backend", echo.address).tenants(&tenancy.table());
    let explain = |words: &[&str]| -> serde_json::Value {
        let output = setup.run(&[&["explain", "--format", "json"], words].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
    };
    let opened = explain(&["ws://acme.localhost/pub/x"]);
    let upstream = &opened["upstream"];
    assert_eq!(upstream["url"], format!("ws://{}/x", echo.address), "{opened}");
    assert_eq!(upstream["headers"]["upgrade"], "websocket");
    assert_eq!(upstream["headers"]["x-tenant"], "acme");
    let refused = explain(&["ws://acme.localhost/pub/x", "-H", "origin: http://evil.example"]);
    assert_eq!(
        (&refused["refusal"]["status"], &refused["refusal"]["code"]),
        (&json!(403), &json!("origin_refused"))
    );
    let login = explain(&["ws://acme.localhost/app/x"]);
    assert_eq!(login["refusal"]["status"], 401, "{login}");
    let plain = explain(&["http://acme.localhost/pub/x"]);
    assert_eq!(plain["upstream"]["headers"]["upgrade"], json!(null));
    let expectations = json!([
        {"name": "open", "request": {"url": "ws://acme.localhost/pub/x"},
         "expect": {"tenant": "acme", "upstream": {"headers": {"upgrade": "websocket"}}}},
        {"name": "closed", "request": {"url": "wss://acme.localhost/jwt/x"}, "expect": {"status": 401}},
    ]);
    let output = setup.file("xs-app.test.json", expectations.to_string()).run(&["test"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(echo.connections(), 0, "nothing is sent");
}

#[test]
fn each_has_one_line_and_is_counted() {
    let echo = Echo::start();
    let server = open(echo.address).start();
    let mut socket = Socket::open(server.address, "a.example", "/chat?secret=1", &[]).unwrap();
    socket.echo("hello");
    let metrics = || server.ask_admin("GET /metrics").text();
    assert!(metrics().contains("vestibule_websockets 1\n"), "{}", metrics());
    socket.send(0x88, &[0x03, 0xe8]);
    socket.closed();
    let line: serde_json::Value = serde_json::from_str(&server.await_line("\"path\":\"/chat\"")).unwrap();
    assert_eq!((&line["status"], &line["code"]), (&json!(101), &json!(null)), "{line}");
    // A masked text of five bytes and a Close frame of two; the same without masks.
    assert_eq!((&line["received"], &line["sent"]), (&json!(11 + 8), &json!(7 + 4)), "{line}");
    let after = metrics();
    for expected in [
        "vestibule_websockets 0\n",
        "vestibule_websockets_ended_total{reason=\"closed\"} 1\n",
        "vestibule_websocket_bytes_total{direction=\"received\"} 19\n",
        "status=\"101\"",
    ] {
        assert!(after.contains(expected), "{expected}: {after}");
    }
    assert_eq!(server.log().matches("/chat").count(), 1, "one line");
}
