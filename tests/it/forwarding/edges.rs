//! Edges: limits and their statuses, who is said to have asked, ids, addresses that are joined, and
//! connections that idle.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::raw;
use crate::harness::backend::Next;
use crate::harness::h2::{H2, Outcome, block};
use crate::harness::{Backend, Client, DEADLINE, Setup};

#[test]
fn what_is_too_large_is_refused_by_its_own_status() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let fields = |count: usize| "X: y\r\n".repeat(count);
    let rows = [
        (format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(16 * 1024 - 10)), 200, "a long address"),
        (format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(16 * 1024 + 10)), 414, "one too long"),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", fields(120)), 200, "many fields"),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", fields(128)), 431, "too many fields"),
        (format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "y".repeat(31 * 1024)), 200, "a large field"),
        (format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "y".repeat(33 * 1024)), 431, "one too large"),
    ];
    for (request, status, shows) in rows {
        let mut client = server.connect();
        assert_eq!(raw(&mut client, &request).status, status, "{shows}");
    }
    let long = format!("/{}", "a".repeat(17 * 1024));
    let mut h2 = H2::connect(server.address);
    let fields = [(":method", "GET"), (":scheme", "http"), (":path", &long), (":authority", "a.example")];
    let block = block(&fields);
    let (first, rest) = block.split_at(16_000);
    h2.send(1, 1, 1, first);
    h2.send(9, 4, 1, rest);
    assert!(matches!(h2.outcome(1), Outcome::Answer(414, _)), "over HTTP/2");
}

fn two_tenants(limits: &Value) -> Value {
    json!({"hosts": ["{tenant}.localhost"], "tenants": {"acme": {"limits": limits}, "globex": {}}})
}

const ACME: (&str, &str) = ("Host", "acme.localhost");
const GLOBEX: (&str, &str) = ("Host", "globex.localhost");

#[test]
fn a_tenant_over_its_rate_is_429_and_the_other_is_not() {
    let backend = Backend::start();
    let table = two_tenants(&json!({"requestsPerSecond": 1, "burst": 3}));
    let server = Setup::open(backend.address).tenants(&table).start();
    let mut client = server.connect();
    let statuses: Vec<u16> = (0..4).map(|_| client.ask("GET /x", &[ACME], b"").status).collect();
    assert_eq!(statuses, [200, 200, 200, 429]);
    let reply = client.ask("GET /x", &[ACME], b"");
    assert_eq!((reply.status, reply.code().as_str()), (429, "rate_limited"));
    assert!(reply.header("retry-after").parse::<u32>().is_ok_and(|seconds| (1..=2).contains(&seconds)));
    assert_eq!(client.ask("GET /x", &[GLOBEX], b"").status, 200);
    assert_eq!(backend.take().len(), 4, "what is refused goes nowhere");
}

#[test]
fn a_tenant_with_too_much_in_flight_is_429_until_something_has_ended() {
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let held = Arc::clone(&gate);
    let backend = Backend::answering(move |exchange| {
        exchange.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no");
        if exchange.head.target == "/held" {
            let closed = held.0.lock().unwrap();
            drop(held.1.wait_timeout_while(closed, DEADLINE, |open| !*open).unwrap());
        }
        exchange.write("k");
        Next::Keep
    });
    let server = Setup::open(backend.address).tenants(&two_tenants(&json!({"concurrent": 2}))).start();
    let mut busy: Vec<Client> = (0..2).map(|_| server.connect()).collect();
    for client in &mut busy {
        client.send("GET /held HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
    }
    backend.wait("two requests", |seen| seen.len() == 2);
    let mut client = server.connect();
    let reply = client.ask("GET /x", &[ACME], b"");
    assert_eq!((reply.status, reply.code().as_str()), (429, "rate_limited"));
    assert!(!reply.header("retry-after").is_empty());
    assert_eq!(client.ask("GET /x", &[GLOBEX], b"").status, 200);
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    for client in &mut busy {
        assert_eq!(client.read().unwrap().text(), "ok");
    }
    // An answer has ended at its client a moment before its place is free.
    let free = (0..200).any(|_| client.ask("GET /x", &[ACME], b"").status == 200);
    assert!(free, "the places are free again");
}

const FORWARDED: [(&str, &str); 5] = [
    ("X-Forwarded-For", "203.0.113.7"),
    ("X-Forwarded-Host", "shop.example"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Path", "/evil"),
    ("Forwarded", "for=203.0.113.7"),
];

#[test]
fn who_asked_is_said_by_us_or_by_a_proxy_that_is_trusted() {
    let rows = [
        (json!([]), ["127.0.0.1", "app.example.com", "http", "/a/b", "-"]),
        (
            json!(["127.0.0.0/8"]),
            ["203.0.113.7, 127.0.0.1", "shop.example", "https", "/a/b", "for=203.0.113.7"],
        ),
    ];
    for (proxies, expected) in rows {
        let backend = Backend::start();
        let server = Setup::open(backend.address).tenants(&json!({"trustedProxies": proxies})).start();
        for headers in [&FORWARDED[..], &[]] {
            assert_eq!(server.ask("GET /a/b?c=d", headers).status, 200);
        }
        let seen = backend.take();
        for (name, value) in FORWARDED.iter().map(|(name, _)| *name).zip(expected) {
            assert_eq!(seen[0].header(name), value, "{name} with {proxies}");
        }
        let alone = ["127.0.0.1", "app.example.com", "http", "/a/b", "-"];
        for (name, value) in FORWARDED.iter().map(|(name, _)| *name).zip(alone) {
            assert_eq!(seen[1].header(name), value, "{name} with {proxies}, and nothing said");
        }
    }
}

#[test]
fn a_chain_of_proxies_is_kept_whole() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).tenants(&json!({"trustedProxies": ["127.0.0.0/8"]})).start();
    let lines = [("X-Forwarded-For", "203.0.113.7, 10.0.0.1"), ("X-Forwarded-For", "10.0.0.2")];
    assert_eq!(server.ask("GET /x", &lines).status, 200);
    assert_eq!(backend.only().header("x-forwarded-for"), "203.0.113.7, 10.0.0.1, 10.0.0.2, 127.0.0.1");
}

#[test]
fn ids_are_continued_where_they_are_usable_and_begun_where_not() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let reply = server
        .ask("GET /x", &[("X-Request-Id", "mine-1"), ("X-CorrelationID", "theirs"), ("traceparent", trace)]);
    let seen = backend.only();
    assert_eq!(reply.header("x-request-id"), "mine-1");
    assert_eq!(
        (seen.header("x-request-id"), seen.header("x-correlationid")),
        ("mine-1".to_owned(), "theirs".to_owned())
    );
    assert_eq!(seen.header("traceparent"), trace);
    for odd in [&[][..], &[("X-Request-Id", "two words"), ("traceparent", "00-0-0-01")]] {
        let reply = server.ask("GET /x", odd);
        let seen = backend.only();
        let id = seen.header("x-request-id");
        assert_eq!((id.len(), reply.header("x-request-id")), (36, id.clone()));
        assert_eq!(seen.header("x-correlationid"), id);
        assert_eq!((seen.header("traceparent").len(), &seen.header("traceparent")[..3]), (55, "00-"));
    }
}

#[test]
fn the_destinations_path_and_the_routes_target_are_joined() {
    let rows = [
        ("", "/$1", "/a/b?c=d", "/a/b?c=d"),
        ("/", "/$1", "/a/b", "/a/b"),
        ("/base", "/$1", "/a/b?c=d", "/base/a/b?c=d"),
        ("/base/", "/$1", "/a/b", "/base/a/b"),
        ("/base", "$1", "/a", "/base/a"),
        ("/base", "/", "/a?c=d", "/base/"),
        ("/base", "/x/$1", "/%C3%A4%20b", "/base/x/%C3%A4%20b"),
    ];
    for (base, target, asked, expected) in rows {
        let backend = Backend::start();
        let server = Setup::new(&json!({"authenticationMethod": "none", "routes": [
            {"source": "^/(.*)$", "target": target, "destination": "to", "authenticationType": "none"}]}))
        .destination_with(&json!({"name": "to", "url": format!("http://{}{base}", backend.address)}))
        .start();
        assert_eq!(server.ask(&format!("GET {asked}"), &[]).status, 200);
        let request = backend.only();
        assert_eq!(request.head.target, expected, "{base:?} + {target:?}, asked for {asked}");
        assert_eq!(request.header("host"), backend.address.to_string());
    }
}

#[test]
fn a_connection_that_idled_goes_on() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let mut client = server.connect();
    let mut silent = server.connect();
    let mut old = server.connect();
    assert_eq!(old.ask("POST /x", &[("Content-Length", "5")], b"hello\r\n").status, 200);
    let mut h2 = H2::connect(server.address);
    let fields = [(":method", "GET"), (":scheme", "http"), (":path", "/x"), (":authority", "a.example")];
    for round in 0..2 {
        assert_eq!(client.ask("GET /x", &[], b"").status, 200, "round {round}");
        assert!(matches!(h2.ask(&fields, b""), Outcome::Answer(200, _)), "round {round}");
        // Idling for longer than it takes to be parked is what is tested.
        std::thread::sleep(Duration::from_secs(6));
    }
    client.send("POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\n");
    client.send("hello");
    assert_eq!(client.read().unwrap().json()["body"], "hello", "in two pieces");
    assert_eq!(silent.ask("GET /x", &[], b"").status, 200, "one that had said nothing yet");
    assert_eq!(old.ask("GET /x", &[], b"").status, 200, "one with an empty line behind its body");
}

#[test]
fn the_first_bytes_may_come_one_by_one() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let mut client = server.connect();
    for byte in b"PUT /x HTTP/1.1\r\nHost: a.example\r\n\r\n" {
        client.send([*byte]);
    }
    assert_eq!(client.read().unwrap().status, 200);
    let mut client = server.connect();
    for byte in &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..14] {
        client.send([*byte]);
        std::thread::yield_now();
    }
    client.send(&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[14..]);
    client.send([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    assert_eq!(client.exactly(9).unwrap()[3], 4, "SETTINGS, so it is HTTP/2");
    let mut client = server.connect();
    client.send("P");
    client.finish();
    assert!(client.until_closed().len() < 4096, "it ends, whatever it says");
}
