//! Class 26, handshakes and frames that are none: 60 of them, and what else a hostile side tries.
//!
//! Recipe: origins missing, null, with a prefix or suffix; no or another `Upgrade`; odd versions and keys;
//! false 101s; frames with lengths of 2⁶³, reserved bits, the wrong mask, fragments without end; readers
//! that do not read. Must happen: 403 or 400 before the backend is dialled, 502 for a false answer, 1002
//! for what is no frame, of which nothing passes; memory is bounded.

use std::io::Write;
use std::net::TcpStream;

use super::harness::backend::Next;
use super::harness::websocket::{ACCEPT, Echo, KEY, Socket, handshake, masked};
use super::harness::{Backend, Client};
use super::websockets::open;

/// Handshakes that open nothing: what is changed in a good one, and the status.
const BAD_HANDSHAKES: [(&[(&str, &str)], u16, &str); 26] = [
    (&[("Origin", "")], 403, "no origin"),
    (&[("Origin", "null")], 403, "a null origin"),
    (&[("Origin", "http://a.example.evil.example")], 403, "the host as a prefix"),
    (&[("Origin", "http://evil-a.example")], 403, "the host as a suffix"),
    (&[("Origin", "http://x.a.example")], 403, "a host below"),
    (&[("Origin", "https://a.example")], 403, "another scheme"),
    (&[("Origin", "http://a.example"), ("origin", "http://evil.example")], 403, "two origins"),
    (&[("Origin", "http://a.example http://evil.example")], 403, "two in one"),
    (&[("Origin", "http://a.example, http://evil.example")], 403, "two in a list"),
    (&[("Origin", "http://evil.example/http://a.example")], 403, "the host in a path"),
    (&[("Origin", "http://a.example\t.evil.example")], 403, "a tab"),
    (&[("Upgrade", "")], 400, "no Upgrade"),
    (&[("Upgrade", "h2c")], 400, "another protocol"),
    (&[("Upgrade", "websocket, h2c")], 400, "one beside another"),
    (&[("Upgrade", "websocket"), ("upgrade", "h2c")], 400, "the same in two fields"),
    (&[("Connection", "")], 400, "no Connection"),
    (&[("Connection", "close")], 400, "Connection without Upgrade"),
    (&[("Sec-WebSocket-Key", "")], 400, "no key"),
    (&[("Sec-WebSocket-Key", "x")], 400, "a short key"),
    (&[("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==, eA==")], 400, "two keys"),
    (&[("Sec-WebSocket-Version", "")], 403, "no version"),
    (&[("Sec-WebSocket-Version", "8")], 403, "an old version"),
    (&[("Sec-WebSocket-Version", "13, 13")], 403, "two versions"),
    (&[("Content-Length", "5")], 400, "a body"),
    (&[("Transfer-Encoding", "chunked")], 400, "a body in chunks"),
    (&[("Host", "b.example")], 403, "the origin of another host"),
];

#[test]
fn bad_handshakes_are_refused_before_the_backend_is_dialled() {
    let echo = Echo::start();
    let server = open(echo.address).start();
    for (changes, status, shows) in BAD_HANDSHAKES {
        let mut client = server.connect();
        let origin = changes.iter().any(|(name, _)| *name == "Host");
        let more = [changes, if origin { &[("Origin", "http://a.example")][..] } else { &[] }].concat();
        client.send(handshake("a.example", "/x", &more));
        let reply = client.read().unwrap();
        assert_eq!(reply.status, status, "{shows}");
        assert_eq!(reply.header("connection"), "close", "{shows}: what follows is no HTTP");
        if reply.code() == "websocket_version" {
            assert_eq!(reply.header("sec-websocket-version"), "13", "{shows}");
        }
        client.send(masked(0x81, b"GET /hidden HTTP/1.1\r\nHost: a.example\r\n\r\n"));
        assert!(client.until_closed().is_empty(), "{shows}");
    }
    for (line, status) in [("POST /x HTTP/1.1", 400), ("GET /x HTTP/1.0", 400), ("get /x HTTP/1.1", 405)] {
        let mut client = server.connect();
        client.send(handshake("a.example", "/x", &[]).replacen("GET /x HTTP/1.1", line, 1));
        assert_eq!(client.read().unwrap().status, status, "{line}");
    }
    assert_eq!(echo.connections(), 0);
}

/// What a client may send that is no frame: the bytes behind a good message.
fn bad_frames() -> Vec<(Vec<u8>, &'static str)> {
    let head = |bytes: &[u8]| [bytes, &[1, 2, 3, 4]].concat();
    vec![
        (b"\x81\x05hello".to_vec(), "no mask"),
        (masked(0x83, b"x"), "operation 3"),
        (masked(0x84, b"x"), "operation 4"),
        (masked(0x87, b"x"), "operation 7"),
        (masked(0x8b, b"x"), "operation 11"),
        (masked(0x8f, b"x"), "operation 15"),
        (masked(0xc1, b"x"), "a reserved bit without an extension"),
        (masked(0xa1, b"x"), "another"),
        (masked(0x91, b"x"), "the third"),
        (masked(0xf1, b"x"), "all of them"),
        (masked(0x09, b"x"), "a ping in pieces"),
        (masked(0x08, b""), "a close in pieces"),
        (masked(0x89, &[b'x'; 126]), "a ping of 126 bytes"),
        (masked(0x88, &[b'x'; 200]), "a close of 200 bytes"),
        (masked(0x88, b"x"), "half a code"),
        (masked(0x80, b"x"), "a continuation of nothing"),
        (masked(0x00, b"x"), "the first of many"),
        ([masked(0x01, b"x"), masked(0x81, b"y")].concat(), "a message within a message"),
        ([masked(0x02, b"x"), masked(0x02, b"y")].concat(), "two beginnings"),
        (head(b"\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00"), "2^63 bytes"),
        (head(b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff"), "2^64 - 1 bytes"),
        (head(b"\x82\xff\x00\x00\x00\x00\x00\x00\xff\xff"), "a length in 64 bits that fits 16"),
        (head(b"\x82\xfe\x00\x7d"), "a length in 16 bits that fits 7"),
        ([masked(0x01, b""), masked(0x00, b"").repeat(300)].concat(), "empty fragments without end"),
        (b"GET /hidden HTTP/1.1\r\nHost: a.example\r\n\r\n".to_vec(), "a request"),
        (b"\r\n\r\n".to_vec(), "empty lines"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), "the preface of HTTP/2"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), "a TLS handshake"),
    ]
}

#[test]
fn bad_frames_end_it_and_do_not_pass() {
    let echo = Echo::start();
    let server = open(echo.address).start();
    let bad = bad_frames();
    assert!(BAD_HANDSHAKES.len() + 3 + bad.len() + 6 >= 60, "60 were asked for");
    for (bytes, shows) in bad {
        let mut socket = Socket::open(server.address, "a.example", "/x", &[]).unwrap();
        socket.echo("good");
        socket.raw(bytes);
        assert_eq!(socket.closed(), Some((1002, "protocol error".to_owned())), "{shows}");
        assert_eq!(echo.await_end(), Some(1001), "{shows}: the backend is told that it ends");
        // tungstenite would have found it, had it come.
        assert_eq!(echo.faults(), Vec::<String>::new(), "{shows}");
    }
}

#[test]
fn bytes_one_by_one_are_the_same_frames() {
    let echo = Echo::start();
    let server = open(echo.address).start();
    let mut socket = Socket::open(server.address, "a.example", "/x", &[]).unwrap();
    for byte in [masked(0x01, b"he"), masked(0x89, b"?"), masked(0x80, &[b'l'; 200])].concat() {
        socket.raw([byte]);
    }
    assert_eq!(socket.frame(), Some((0x8a, b"?".to_vec())));
    let (first, text) = socket.frame().unwrap();
    assert_eq!((first, text.len()), (0x81, 202));
}

/// A backend whose handshake is good and who then sends `bytes`.
fn sends(bytes: Vec<u8>) -> Backend {
    Backend::answering(move |exchange| {
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
        );
        exchange.write([head.as_bytes(), &bytes].concat());
        Next::Watch
    })
}

#[test]
fn a_backend_that_sends_no_frames_is_cut_off() {
    for (bytes, shows) in [
        (masked(0x81, b"x"), "a mask"),
        (b"\x83\x01x".to_vec(), "operation 3"),
        (b"\xc1\x01x".to_vec(), "a reserved bit"),
        (b"\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00".to_vec(), "2^63 bytes"),
        (b"\x80\x01x".to_vec(), "a continuation of nothing"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".to_vec(), "an answer"),
    ] {
        let backend = sends([b"\x81\x04good".to_vec(), bytes].concat());
        let server = open(backend.address).start();
        let mut socket = Socket::open(server.address, "a.example", "/x", &[]).unwrap();
        assert_eq!(socket.frame(), Some((0x81, b"good".to_vec())), "{shows}: sent with the 101, and held");
        assert_eq!(socket.closed(), Some((1011, "application error".to_owned())), "{shows}");
        assert!(socket.is_over(), "{shows}");
    }
}

#[test]
fn a_false_101_is_none() {
    let good = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", ACCEPT)];
    let cases: [(&[(&str, &str)], &str); 14] = [
        (&[("Sec-WebSocket-Accept", "")], "no answer to the key"),
        (&[("Sec-WebSocket-Accept", KEY)], "the key itself"),
        (&[("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xO0=")], "a wrong one"),
        (&[("Sec-WebSocket-Accept", ACCEPT), ("sec-websocket-accept", ACCEPT)], "two"),
        (&[("Upgrade", "")], "no protocol"),
        (&[("Upgrade", "h2c")], "another protocol"),
        (&[("Upgrade", "websocket, h2c")], "two protocols"),
        (&[("Connection", "")], "no Connection"),
        (&[("Connection", "close")], "another Connection"),
        (&[("Sec-WebSocket-Protocol", "other")], "a subprotocol that was not offered"),
        (&[("Sec-WebSocket-Protocol", "chat, v2")], "two subprotocols"),
        (&[("Sec-WebSocket-Extensions", "permessage-deflate")], "an extension that was not offered"),
        (&[("Content-Length", "2")], "a body"),
        (&[("Transfer-Encoding", "chunked")], "a body in chunks"),
    ];
    for (changes, shows) in cases {
        let is_changed = |name: &str| changes.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
        let kept = good.iter().filter(|(name, _)| !is_changed(name)).chain(changes);
        let lines: String = kept
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let backend = Backend::answering(move |exchange| {
            exchange.write(format!("HTTP/1.1 101 Switching Protocols\r\n{lines}\r\n\x01\x02"));
            Next::Watch
        });
        let server = open(backend.address).start();
        let mut client = server.connect();
        client.send(handshake("a.example", "/x", &[("Sec-WebSocket-Protocol", "chat, v2")]));
        let reply = client.read().unwrap();
        assert_eq!(reply.status, 502, "{shows}");
        assert!(client.until_closed().is_empty(), "{shows}: and nothing of what came behind");
        assert_eq!(backend.take().len(), 1, "{shows}");
    }
}

#[test]
fn a_backend_that_declines_is_answered_by_its_status() {
    for (status, expected) in
        [(200, 502), (204, 502), (302, 502), (401, 401), (403, 403), (404, 404), (426, 426), (503, 503)]
    {
        let backend = Backend::answering(move |exchange| {
            exchange.write(format!(
                "HTTP/1.1 {status} As Asked\r\nset-cookie: a=b\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n"
            ));
            Next::Keep
        });
        let server = open(backend.address).start();
        let mut client: Client = server.connect();
        client.send(handshake("a.example", "/x", &[]));
        let reply = client.read().unwrap();
        assert_eq!((reply.status, reply.code().as_str()), (expected, "backend_declined_websocket"));
        assert_eq!((reply.header("set-cookie"), reply.header("location")), (String::new(), String::new()));
        assert!(client.until_closed().is_empty());
    }
}

#[test]
fn a_writer_that_nobody_reads_is_stopped() {
    // A backend that never reads: the client's bytes fill what the kernel keeps, and no more of ours.
    let (done, is_done) = std::sync::mpsc::channel::<()>();
    let is_done = std::sync::Mutex::new(is_done);
    let backend = Backend::answering(move |exchange| {
        exchange.write(format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
        ));
        // Nobody sends: it ends with the test.
        let _ = is_done.lock().unwrap().recv();
        Next::Close
    });
    let server = open(backend.address).start();
    let mut socket = Socket::open(server.address, "a.example", "/x", &[]).unwrap();
    socket.raw(b"\x82\xff\x00\x00\x00\x00\x7f\xff\xff\xff\x01\x02\x03\x04");
    let stream: &TcpStream = socket.stream();
    stream.set_write_timeout(Some(std::time::Duration::from_millis(300))).unwrap();
    let (mut writer, mut written) = (stream, 0_usize);
    let piece = vec![b'x'; 65_536];
    while let Ok(n) = writer.write(&piece) {
        written += n;
        assert!(written < 64 << 20, "{written} bytes were taken that nobody reads");
    }
    assert_eq!(server.ask_admin("GET /healthz").status, 200);
    drop(done);
}
