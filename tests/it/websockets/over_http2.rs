//! WebSockets over HTTP/2 (RFC 8441), frame by frame.

use std::net::SocketAddr;

use super::handshakes::{Stage, cookies};
use super::open;
use crate::harness::h2::{Frame, H2, Outcome};
use crate::harness::websocket::{Echo, masked};

type Fields<'a> = Vec<(&'a str, &'a str)>;

fn connect<'a>(host: &'a str, origin: &'a str, path: &'a str) -> Fields<'a> {
    vec![
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "http"),
        (":path", path),
        (":authority", host),
        ("sec-websocket-version", "13"),
        ("origin", origin),
    ]
}

/// A stream that has become a WebSocket.
struct Stream {
    h2: H2,
    id: u32,
    bytes: Vec<u8>,
    over: bool,
}

impl Stream {
    fn open(address: SocketAddr, fields: &Fields<'_>) -> Self {
        let mut h2 = H2::connect(address);
        let id = h2.open(fields, false);
        let answer = h2.frame().unwrap();
        assert_eq!((answer.kind, answer.stream, answer.flags & 1), (1, id, 0), "{answer:?}");
        assert_eq!(answer.payload.first(), Some(&0x88), "200");
        Self { h2, id, bytes: Vec::new(), over: false }
    }

    fn send(&mut self, bytes: &[u8]) {
        self.h2.send(0, 0, self.id, bytes);
    }

    /// Reads until there are so many bytes, or the stream is over.
    fn take(&mut self, length: usize) -> Vec<u8> {
        while self.bytes.len() < length && !self.over {
            let Ok(Frame { kind, flags, stream, payload }) = self.h2.frame() else { break };
            match kind {
                0 if stream == self.id => {
                    let size = u32::try_from(payload.len()).unwrap().to_be_bytes();
                    if !payload.is_empty() {
                        self.h2.send(8, 0, 0, &size);
                        self.h2.send(8, 0, self.id, &size);
                    }
                    self.bytes.extend(payload);
                    self.over |= flags & 1 == 1;
                }
                3 if stream == self.id => self.over = true,
                _ => {}
            }
        }
        let length = length.min(self.bytes.len());
        self.bytes.drain(..length).collect()
    }
}

#[test]
fn an_extended_connect_opens_one() {
    let echo = Echo::start();
    let server = open(echo.address).start();
    let mut fields = connect("a.example", "http://a.example", "/chat?x=1");
    fields.push(("sec-websocket-protocol", "chat, v2"));
    let mut stream = Stream::open(server.address, &fields);
    for text in [&b"hello"[..], &vec![b'y'; 60_000], b""] {
        stream.send(&masked(0x81, text)[..masked(0x81, text).len().min(16_000)]);
        for rest in masked(0x81, text).chunks(16_000).skip(1) {
            stream.send(rest);
        }
        let head = if text.len() < 126 { 2 } else { 4 };
        assert_eq!(stream.take(head + text.len())[head..], *text);
    }
    let [seen] = echo.take().try_into().unwrap();
    assert_eq!((seen.target.as_str(), seen.header("upgrade")), ("/chat?x=1", "websocket".to_owned()));
    assert_eq!(seen.header("sec-websocket-key").len(), 24, "a key of our own");
    assert_eq!(seen.header("x-forwarded-host"), "a.example");
    stream.send(&masked(0x88, &[0x0f, 0xa1]));
    assert_eq!(echo.await_end(), Some(4001));
    assert_eq!(stream.take(4), [0x88, 2, 0x0f, 0xa1]);
    stream.take(usize::MAX);
    assert!(stream.over, "the stream has ended");
}

#[test]
fn it_passes_the_same_stages() {
    let stage = Stage::set();
    let browser = stage.logged_in();
    let cookie = cookies(&browser);
    let origin = "http://acme.localhost";
    for (host, origin, path, cookie, status) in [
        ("acme.localhost", origin, "/app/x", "", 401),
        ("globex.localhost", "http://globex.localhost", "/app/x", &*cookie, 401),
        ("acme.localhost", "http://evil.example", "/app/x", &*cookie, 403),
        ("acme.localhost", "null", "/app/x", &*cookie, 403),
        ("acme.localhost", origin, "/scoped/x", &*cookie, 403),
        ("acme.localhost", origin, "/nowhere", &*cookie, 404),
        ("nobody.localhost", "http://nobody.localhost", "/app/x", &*cookie, 404),
    ] {
        let mut fields = connect(host, origin, path);
        fields.push(("cookie", cookie));
        let outcome = H2::connect(stage.server.address).ask(&fields, b"");
        let Outcome::Answer(answered, _) = outcome else { panic!("{host}{path}: {outcome:?}") };
        assert_eq!(answered, status, "{host}{path}");
    }
    assert_eq!(stage.echo.connections(), 0, "the backend was dialled");
    let mut fields = connect("acme.localhost", origin, "/app/x");
    fields.push(("cookie", &cookie));
    let mut stream = Stream::open(stage.server.address, &fields);
    let mut browser = browser.clone();
    browser.navigate("/logout");
    let told = stream.take(usize::MAX);
    assert_eq!(told, b"\x88\x0f\x03\xf0session ended", "{told:x?}");
    assert!(stream.over);
}

#[test]
fn what_asks_wrongly_is_refused() {
    let echo = Echo::start();
    let server = open(echo.address).start();
    let good = || connect("a.example", "http://a.example", "/x");
    let with = |name, value| {
        let mut fields = good();
        fields.retain(|(known, _)| *known != name);
        fields.push((name, value));
        // Pseudo-headers come first.
        fields.sort_by_key(|(name, _)| !name.starts_with(':'));
        fields
    };
    let without = |name: &str| good().into_iter().filter(|(known, _)| *known != name).collect::<Vec<_>>();
    for (fields, status, shows) in [
        (with("sec-websocket-version", "8"), 403, "an old version"),
        (without("sec-websocket-version"), 403, "no version"),
        (without("origin"), 403, "no origin"),
        (with("origin", "http://a.example.evil.example"), 403, "a longer host"),
        (with(":protocol", "connect-udp"), 405, "another protocol"),
        (with(":path", "/x/../y"), 400, "a dot segment"),
        (with(":method", "GET"), 0, "a protocol for a GET"),
    ] {
        let outcome = H2::connect(server.address).ask(&fields, b"");
        match outcome {
            Outcome::Answer(answered, _) => assert_eq!(answered, status, "{shows}"),
            Outcome::Reset(_) | Outcome::Gone(_) => assert_eq!(status, 0, "{shows}: {outcome:?}"),
        }
    }
    assert_eq!(echo.connections(), 0, "the backend was dialled");
    let off = crate::harness::Setup::open(echo.address).start();
    let outcome = H2::connect(off.address).ask(&good(), b"");
    assert!(matches!(outcome, Outcome::Answer(403, _)), "{outcome:?}");
}

#[test]
fn many_share_a_connection_and_each_ends_alone() {
    let echo = Echo::start();
    let mut server = open(echo.address).start();
    let mut h2 = H2::connect(server.address);
    let ids: Vec<u32> =
        (0..50).map(|_| h2.open(&connect("a.example", "http://a.example", "/x"), false)).collect();
    let mut opened = 0;
    while opened < ids.len() {
        let frame = h2.frame().unwrap();
        opened += usize::from(frame.kind == 1);
    }
    h2.send(0, 0, ids[7], &masked(0x88, &[0x03, 0xe8]));
    assert_eq!(echo.await_end(), Some(1000));
    h2.send(0, 0, ids[8], &masked(0x81, b"still here"));
    let echoed = loop {
        let frame = h2.frame().unwrap();
        if frame.stream == ids[8] && frame.kind == 0 && !frame.payload.is_empty() {
            break frame.payload;
        }
    };
    assert_eq!(echoed, b"\x81\x0astill here");
    server.signal("TERM");
    let mut told = 0;
    while let Ok(frame) = h2.frame() {
        told += usize::from(frame.kind == 0 && frame.payload.starts_with(b"\x88\x0c\x03\xe9"));
    }
    assert_eq!(told, ids.len() - 1, "all that were open are told");
    assert!(server.wait().success());
}
