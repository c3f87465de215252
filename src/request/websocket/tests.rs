//! Which requests ask for a WebSocket, and which only seem to.

use http::Request;

use super::*;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

fn parts(method: &str, fields: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri("/chat");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(()).expect("a request").into_parts().0
}

fn good() -> Vec<(&'static str, &'static str)> {
    vec![
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-key", KEY),
        ("sec-websocket-version", "13"),
    ]
}

fn with(name: &'static str, value: &'static str) -> Vec<(&'static str, &'static str)> {
    let mut fields = good();
    fields.retain(|(known, _)| *known != name);
    fields.push((name, value));
    fields
}

fn twice(name: &'static str, value: &'static str) -> Vec<(&'static str, &'static str)> {
    [good(), vec![(name, value)]].concat()
}

fn without(name: &str) -> Vec<(&'static str, &'static str)> {
    good().into_iter().filter(|(known, _)| *known != name).collect()
}

#[test]
fn a_good_handshake_is_read() {
    for fields in [good(), with("content-length", "0"), twice("sec-websocket-protocol", "chat, v2")] {
        let handshake = Handshake::read(&parts("GET", &fields)).expect("good");
        assert_eq!(handshake.key.expect("a key"), KEY, "{fields:?}");
    }
}

#[test]
fn a_handshake_is_read_strictly() {
    for (method, fields, fault, shows) in [
        ("POST", good(), Unopened::Method, "another method"),
        ("HEAD", good(), Unopened::Method, "no body to switch to"),
        ("GET", without("upgrade"), Unopened::Upgrade, "nothing asked for"),
        ("GET", with("upgrade", "h2c"), Unopened::Upgrade, "another protocol"),
        ("GET", with("upgrade", "websocket, h2c"), Unopened::Upgrade, "another beside it"),
        ("GET", twice("upgrade", "websocket"), Unopened::Upgrade, "asked for twice"),
        ("GET", with("upgrade", "websocket/13"), Unopened::Upgrade, "with a version"),
        ("GET", without("connection"), Unopened::Connection, "not for this hop"),
        ("GET", with("connection", "keep-alive"), Unopened::Connection, "not for this hop"),
        ("GET", with("connection", "xupgrade"), Unopened::Connection, "another word"),
        ("GET", without("sec-websocket-key"), Unopened::Key, "no key"),
        ("GET", with("sec-websocket-key", "x"), Unopened::Key, "a short one"),
        ("GET", with("sec-websocket-key", ""), Unopened::Key, "an empty one"),
        ("GET", with("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZS=="), Unopened::Key, "bits behind its end"),
        ("GET", with("sec-websocket-key", "dGhlIHNhbXBsZSBub25j!Q=="), Unopened::Key, "not base64"),
        ("GET", with("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==="), Unopened::Key, "a long one"),
        ("GET", twice("sec-websocket-key", KEY), Unopened::Key, "two keys"),
        ("GET", without("sec-websocket-version"), Unopened::Version, "no version"),
        ("GET", with("sec-websocket-version", "8"), Unopened::Version, "an old one"),
        ("GET", with("sec-websocket-version", "13, 8"), Unopened::Version, "two in one"),
        ("GET", twice("sec-websocket-version", "13"), Unopened::Version, "twice"),
        ("GET", with("content-length", "4"), Unopened::Body, "a body"),
        ("GET", with("transfer-encoding", "chunked"), Unopened::Body, "a body in chunks"),
    ] {
        let parts = parts(method, &fields);
        assert!(is_asked(&parts), "{shows}: {fields:?}");
        assert_eq!(Handshake::read(&parts), Err(fault), "{shows}: {fields:?}");
    }
    let mut old = parts("GET", &good());
    old.version = Version::HTTP_10;
    assert_eq!(Handshake::read(&old), Err(Unopened::Old));
}

#[test]
fn an_extended_connect_stands_for_a_handshake() {
    let mut connect = parts("CONNECT", &[("sec-websocket-version", "13")]);
    connect.version = Version::HTTP_2;
    assert!(!is_asked(&connect), "without a protocol it is a plain CONNECT");
    connect.extensions.insert(hyper::ext::Protocol::from_static("websocket"));
    assert!(is_asked(&connect));
    assert_eq!(Handshake::read(&connect), Ok(Handshake { key: None }));
    connect.headers.remove(SEC_WEBSOCKET_VERSION);
    assert_eq!(Handshake::read(&connect), Err(Unopened::Version));
    connect.extensions.insert(hyper::ext::Protocol::from_static("connect-udp"));
    assert!(!is_asked(&connect), "another protocol");
}

#[test]
fn other_requests_ask_for_nothing() {
    for fields in
        [vec![], vec![("upgrade", "h2c"), ("connection", "upgrade")], vec![("upgrade", "websockets")]]
    {
        assert!(!is_asked(&parts("GET", &fields)), "{fields:?}");
    }
}
