//! Class 5, smuggling by an upgrade to cleartext HTTP/2.
//!
//! Recipe: `Upgrade: h2c` and `HTTP2-Settings` in every spelling, named in `Connection` or not, followed
//! by the preface of HTTP/2. Must happen: nothing of it reaches a backend, and we never switch.

use super::harness::{Backend, Server, Setup};
use super::websockets::open;

#[test]
fn nothing_of_it_reaches_a_backend() {
    for with_websockets in [false, true] {
        let backend = Backend::start();
        let setup = if with_websockets { open(backend.address) } else { Setup::open(backend.address) };
        in_every_form(&backend, &setup.start());
    }
}

fn in_every_form(backend: &Backend, server: &Server) {
    let forms = [
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
        "Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
        "Connection: upgrade,http2-settings\r\nupgrade: H2C\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n",
        "Connection: HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
        "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
        "HTTP2-Settings: AAMAAABkAAQAAP__\r\n",
        "Connection: Upgrade\r\nConnection: HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n",
        "Connection: Upgrade\r\nUpgrade: h2\r\n",
        "Connection: Upgrade\r\nUpgrade: HTTP/2.0\r\n",
    ];
    for form in forms {
        let mut client = server.connect();
        client.send(format!("GET /h2c HTTP/1.1\r\nHost: a.example\r\n{form}\r\n"));
        client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        let status = client.read().map_or(0, |reply| reply.status);
        assert_ne!(status, 101, "{form}");
        for request in backend.take() {
            assert_eq!(request.head.target, "/h2c", "{form}");
            for name in ["upgrade", "http2-settings"] {
                assert_eq!(request.alike(name), Vec::<&str>::new(), "{form}");
            }
            let connection = request.all("connection").join(",").to_ascii_lowercase();
            assert!(!connection.contains("upgrade") && !connection.contains("http2"), "{form}: {connection}");
        }
    }
}
