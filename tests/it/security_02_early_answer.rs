//! Class 2, desync by an early answer or `Expect`.
//!
//! Recipe: the backend answers before it has read the body; then a second request on the same client
//! connection; odd values of `Expect`. Must happen: no answer goes to the wrong request, a backend
//! connection with an unread body is never used again, an unknown expectation is 417.

use super::harness::backend::Next;
use super::harness::{Backend, Setup};

/// Answers `/early` on its head alone, everything else after its body.
fn hasty() -> Backend {
    Backend::answering(|exchange| {
        let target = exchange.head.target.clone();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{target}", target.len());
        if target.starts_with("/early") {
            exchange.write(answer);
            return Next::Watch;
        }
        if exchange.body().is_err() {
            return Next::Close;
        }
        exchange.write(answer);
        Next::Keep
    })
}

#[test]
fn an_early_answer_never_pairs_with_the_next_request() {
    let backend = hasty();
    let server = Setup::open(backend.address).start();
    let hidden = b"GET /hidden HTTP/1.1\r\nHost: app.example.com\r\n\r\n";
    for round in 0..20 {
        let mut client = server.connect();
        let length = hidden.len() * 100;
        client.send(format!(
            "POST /early-{round} HTTP/1.1\r\nHost: a.example\r\nContent-Length: {length}\r\n\r\n"
        ));
        let reply = client.read().unwrap();
        assert_eq!((reply.status, reply.text()), (200, format!("/early-{round}")));
        for _ in 0..100 {
            client.send(hidden);
        }
        client.send(format!("GET /next-{round} HTTP/1.1\r\nHost: a.example\r\n\r\n"));
        // Closed is right, and so is the answer of this very request.
        if let Ok(reply) = client.read() {
            assert_eq!(reply.text(), format!("/next-{round}"));
        }
    }
    let seen = backend.requests();
    assert!(seen.iter().all(|request| !request.head.target.contains("hidden")), "{seen:#?}");
    for early in seen.iter().filter(|request| request.head.target.starts_with("/early")) {
        let later = seen.iter().filter(|r| r.connection == early.connection && r.number > early.number);
        assert_eq!(later.count(), 0, "a connection with an unread body was used again");
    }
}

#[test]
fn a_client_that_waits_for_100_gets_it_and_its_body_arrives() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let mut client = server.connect();
    client.send("POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    let interim = client.exactly(25).unwrap();
    assert_eq!(interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hello");
    assert_eq!(client.read().unwrap().status, 200);
    assert_eq!(backend.only().body, b"hello");
}

#[test]
fn unknown_expectations_are_417_and_go_nowhere() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    for value in ["101-switching", "100-continue, x", "x", "100-continue;q=1", "100-continue x", "200-ok"] {
        let mut client = server.connect();
        client.send(format!(
            "POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\nExpect: {value}\r\n\r\nhello"
        ));
        assert_eq!(client.read().unwrap().status, 417, "{value:?}");
    }
    let twice = "POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\nExpect: 100-continue\r\nExpect: x\r\n\r\n";
    let mut client = server.connect();
    client.send(twice);
    assert_eq!(client.read().unwrap().status, 417);
    assert_eq!(backend.requests().len(), 0);
}

#[test]
fn the_expectation_itself_is_never_sent_on() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let mut client = server.connect();
    client.send("POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\nExpect: 100-CONTINUE\r\n\r\nhi");
    assert_eq!(client.read().unwrap().status, 200);
    assert_eq!(backend.only().all("expect"), Vec::<&str>::new());
}
