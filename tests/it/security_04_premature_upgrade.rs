//! Class 4, an upgrade that one side believes in.
//!
//! Recipe: upgrade requests with a request pipelined behind them; backends that answer 101 unasked, with
//! a right or wrong `Sec-WebSocket-Accept` and an answer pipelined behind it. As long as upgrades are not
//! supported, must happen: a WebSocket is 403 and what follows it is never parsed as a request, no
//! upgrade is ever asked of a backend, its 101 is 502 and the connection is never used again.

use super::harness::backend::Next;
use super::harness::{Backend, Setup};

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

#[test]
fn bytes_behind_an_upgrade_are_no_request() {
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
        client.send("GET /hidden HTTP/1.1\r\nHost: a.example\r\n\r\n");
        assert_eq!(client.read().unwrap().status, 403, "{form}");
        assert!(client.until_closed().is_empty(), "{form}");
        assert_eq!(backend.take().len(), 0, "{form}");
    }
}

#[test]
fn other_protocols_are_never_asked_of_a_backend() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    for protocol in ["TLS/1.3", "h2c", "IRC/6.9", "websockets", ""] {
        let headers = [("Connection", "keep-alive, Upgrade"), ("Upgrade", protocol)];
        assert_eq!(server.ask("GET /x", &headers).status, 200, "{protocol}");
        let request = backend.only();
        assert_eq!(request.alike("upgrade"), Vec::<&str>::new(), "{protocol}");
        let connection = request.all("connection").join(",").to_ascii_lowercase();
        assert!(!connection.contains("upgrade"), "{protocol}: {connection}");
    }
}

#[test]
fn a_101_nobody_asked_for_is_502() {
    for accept in ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "wrong", ""] {
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
        let server = Setup::open(backend.address).start();
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
