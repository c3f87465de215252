//! Class 4, an upgrade that one side believes in.
//!
//! Recipe: upgrade requests with a request or frames pipelined behind them; backends that answer 200, 403,
//! nothing for a while, 101 unasked, 101 with a wrong `Sec-WebSocket-Accept` and an answer pipelined behind
//! it. Must happen: what follows is never parsed as a request, nothing of it reaches a backend before its
//! own 101, a false 101 is 502 and no connection that was asked for an upgrade is ever used again.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use super::harness::backend::Next;
use super::harness::websocket::{ACCEPT, Echo, handshake, masked};
use super::harness::{Backend, Client, DEADLINE, Setup};
use super::websockets::open;

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Origin: http://a.example\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: a.example\r\n\r\n";

#[test]
fn bytes_behind_a_refused_upgrade_are_no_request() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let forms = [
        UPGRADE.to_owned(),
        UPGRADE.replace("websocket", "WebSocket"),
        UPGRADE.replace("Connection: Upgrade", "Connection: keep-alive, Upgrade"),
        UPGRADE.replace("Upgrade: websocket", "Upgrade: websocket, h2c"),
        UPGRADE.replace("Upgrade: websocket", "Upgrade: h2c\r\nUpgrade: websocket"),
    ];
    for form in forms {
        let mut client = server.connect();
        client.send(format!("GET /upgrade HTTP/1.1\r\nHost: a.example\r\n{form}\r\n"));
        client.send(HIDDEN);
        assert_eq!(client.read().unwrap().status, 403, "{form}");
        assert!(client.until_closed().is_empty(), "{form}");
        assert_eq!(backend.take().len(), 0, "{form}");
    }
}

#[test]
fn other_protocols_are_never_asked_of_a_backend() {
    let backend = Backend::start();
    for server in [Setup::open(backend.address).start(), open(backend.address).start()] {
        for protocol in ["TLS/1.3", "h2c", "IRC/6.9", "websockets", ""] {
            let headers = [("Connection", "keep-alive, Upgrade"), ("Upgrade", protocol)];
            assert_eq!(server.ask("GET /x", &headers).status, 200, "{protocol}");
            let request = backend.only();
            assert_eq!(request.alike("upgrade"), Vec::<&str>::new(), "{protocol}");
            let connection = request.all("connection").join(",").to_ascii_lowercase();
            assert!(!connection.contains("upgrade"), "{protocol}: {connection}");
        }
    }
}

#[test]
fn a_101_nobody_asked_for_is_502() {
    for accept in [ACCEPT, "wrong", ""] {
        let backend = Backend::answering(move |exchange| {
            if exchange.head.target == "/plain" {
                exchange.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
                return Next::Keep;
            }
            exchange.write(format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {accept}\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nbad"
            ));
            Next::Keep
        });
        let server = open(backend.address).start();
        for _ in 0..3 {
            assert_eq!(server.ask("GET /switch", &[]).status, 502);
        }
        let plain = server.ask("GET /plain", &[]);
        assert_eq!((plain.status, plain.text()), (200, "ok".to_owned()));
        let seen = backend.requests();
        let mut connections: Vec<usize> = seen.iter().map(|request| request.connection).collect();
        connections.dedup();
        assert_eq!(connections.len(), seen.len(), "a connection that said 101 was used again");
    }
}

/// A backend for one connection: what it had received by the time it was told to answer, and afterwards.
fn watched(answer: &str, early: &[u8]) -> (Vec<u8>, Vec<u8>, Client) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = open(listener.local_addr().unwrap()).start();
    let mut client = server.connect();
    client.send([handshake("a.example", "/x", &[]).as_bytes(), early].concat());
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let (mut before, mut bytes) = (Vec::new(), [0; 4096]);
    while !before.windows(4).any(|window| window == b"\r\n\r\n") {
        let n = stream.read(&mut bytes).unwrap();
        before.extend_from_slice(&bytes[..n]);
    }
    // Whatever should not come has time to.
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    while let Ok(n @ 1..) = stream.read(&mut bytes) {
        before.extend_from_slice(&bytes[..n]);
    }
    stream.write_all(answer.as_bytes()).unwrap();
    let mut after = Vec::new();
    while let Ok(n @ 1..) = stream.read(&mut bytes) {
        after.extend_from_slice(&bytes[..n]);
    }
    let end = before.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    // The server ends here, and with it the connection that the client is still to read.
    let answered = client.read().unwrap().status;
    assert_eq!(answered == 101, answer.contains(" 101 ") && answer.contains(ACCEPT), "{answer}");
    (before.split_off(end), after, client)
}

#[test]
fn nothing_reaches_the_backend_before_its_own_101() {
    let switching = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
    );
    for (answer, shows) in [
        (switching.as_str(), "its own 101, late"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "200"),
        ("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n", "403"),
        (&switching.replace(ACCEPT, "wrong"), "a wrong answer to the key"),
    ] {
        let (before, after, _client) = watched(answer, &[]);
        assert_eq!((before, after), (Vec::new(), Vec::new()), "{shows}");
    }
}

#[test]
fn a_request_behind_the_handshake_is_no_frame_and_no_request() {
    let switching = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
    );
    let (before, after, mut client) = watched(&switching, HIDDEN.as_bytes());
    assert_eq!(before, Vec::<u8>::new(), "it was held");
    // What the backend gets is the Close frame of ours alone: 1001, masked.
    assert_eq!(after.first(), Some(&0x88), "{after:x?}");
    assert!(!after.windows(4).any(|window| window == b"hidd"), "{after:x?}");
    let told = client.until_closed();
    assert_eq!(told, b"\x88\x10\x03\xeaprotocol error", "{told:x?}");
}

#[test]
fn frames_behind_the_handshake_are_refused_or_held() {
    let echo = Echo::start();
    let server = open(echo.address).start();
    for early in [masked(0x81, b"early"), masked(0x82, &[b'\n'; 40]), vec![0x81]] {
        let mut client = server.connect();
        client.send([handshake("a.example", "/x", &[]).as_bytes(), &early].concat());
        // The bytes stand where a request would, and are none; where they do not yet tell, they are held.
        let status = client.read().unwrap().status;
        assert!([400, 101].contains(&status), "{status}");
        if status == 400 {
            assert!(client.until_closed().is_empty());
        }
    }
}
