//! Class 4, an upgrade that one side believes in.
//!
//! Recipe: upgrade requests with a request pipelined behind them; backends that answer 101 unasked, at
//! once or slowly, with a right or wrong `Sec-WebSocket-Accept`. As long as upgrades are not supported,
//! must happen: none is ever asked of a backend, a 101 from a backend is 502 and its connection is never
//! used again, and the bytes behind an upgrade are not parsed as a request.

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
        UPGRADE.replace("Upgrade: websocket", "Upgrade: TLS/1.3"),
    ];
    for form in forms {
        let mut client = server.connect();
        client.send(format!("GET /upgrade HTTP/1.1\r\nHost: a.example\r\n{form}\r\n"));
        client.send("GET /hidden HTTP/1.1\r\nHost: a.example\r\n\r\n");
        if let Ok(reply) = client.read() {
            assert_ne!(reply.status, 101);
        }
        client.until_closed();
        for request in backend.take() {
            assert_ne!(request.head.target, "/hidden", "{form}");
            assert_eq!(request.all("upgrade"), Vec::<&str>::new(), "{form}");
            let connection = request.all("connection").join(",").to_ascii_lowercase();
            assert!(!connection.contains("upgrade"), "{form}: {connection}");
        }
    }
}

#[test]
fn a_101_nobody_asked_for_is_502() {
    let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    for accept in [accept, "wrong", ""] {
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
        let mut client = server.connect();
        client.send(format!("GET /upgrade HTTP/1.1\r\nHost: a.example\r\n{UPGRADE}\r\n"));
        assert_eq!(client.read().unwrap().status, 502);
        assert_eq!(server.ask("GET /other", &[]).status, 502);
        let plain = server.ask("GET /plain", &[]);
        assert_eq!((plain.status, plain.text()), (200, "ok".to_owned()));
        let seen = backend.requests();
        let mut connections: Vec<usize> = seen.iter().map(|request| request.connection).collect();
        connections.dedup();
        assert_eq!(connections.len(), seen.len(), "a connection that said 101 was used again");
    }
}
