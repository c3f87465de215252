//! Class 6, HTTP/2 requests that do not survive being written as HTTP/1.1.
//!
//! Recipe: control bytes in names, values and pseudo-headers, connection headers, lengths that differ
//! from the data, doubled, missing, late and unknown pseudo-headers, `:authority` beside another `host`,
//! odd methods, schemes and paths. Must happen: the stream is reset or refused and nothing arrives; or
//! exactly one clean message does.

use super::harness::h2::{H2, Outcome};
use super::harness::{Backend, Setup};

type Fields = Vec<(&'static str, &'static str)>;

const HIDDEN: &str = "\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a.example\r\n\r\n";

fn with(more: &[(&'static str, &'static str)]) -> Fields {
    let mut fields =
        vec![(":method", "POST"), (":scheme", "http"), (":path", "/case"), (":authority", "a.example")];
    fields.extend_from_slice(more);
    fields
}

fn pseudo(name: &'static str, value: &'static str) -> Fields {
    with(&[]).into_iter().map(|(n, v)| if n == name { (n, value) } else { (n, v) }).collect()
}

fn without(name: &str) -> Fields {
    with(&[]).into_iter().filter(|(n, _)| *n != name).collect()
}

fn must_be_refused() -> Vec<(Fields, &'static str)> {
    vec![
        (with(&[("x", HIDDEN)]), "a request in a value"),
        (with(&[("x", "a\rb")]), "CR in a value"),
        (with(&[("x", "a\nb")]), "LF in a value"),
        (with(&[("x", "a\0b")]), "NUL in a value"),
        (with(&[("x\r\ny", "a")]), "CR LF in a name"),
        (with(&[("x: a\r\ny", "a")]), "a whole field in a name"),
        (with(&[("x y", "a")]), "a space in a name"),
        (with(&[("x:y", "a")]), "a colon in a name"),
        (with(&[("", "a")]), "an empty name"),
        (with(&[("X-Upper", "a")]), "an upper-case name"),
        (with(&[("transfer-encoding", "chunked")]), "a transfer coding"),
        (with(&[("connection", "close")]), "a connection header"),
        (with(&[("connection", "x-tenant")]), "a connection header that names ours"),
        (with(&[("keep-alive", "1")]), "keep-alive"),
        (with(&[("proxy-connection", "close")]), "proxy-connection"),
        (with(&[("upgrade", "websocket")]), "upgrade"),
        (with(&[("te", "gzip")]), "te other than trailers"),
        (with(&[("content-length", "5, 6")]), "two lengths in one"),
        (with(&[("content-length", "x")]), "a length that is no number"),
        (with(&[("content-length", "+4")]), "a length with a sign"),
        (with(&[("content-length", "4"), ("content-length", "5")]), "two lengths"),
        (with(&[("content-length", "40")]), "a length above the data"),
        (with(&[("content-length", "1")]), "a length below the data"),
        (with(&[(":path", "/hidden")]), "two paths"),
        (with(&[(":method", "GET")]), "two methods"),
        (with(&[(":authority", "b.example")]), "two authorities"),
        (with(&[("x", "y"), (":path", "/hidden")]), "a pseudo-header behind a header"),
        (with(&[(":unknown", "x")]), "an unknown pseudo-header"),
        (with(&[(":status", "200")]), "an answer's pseudo-header"),
        (with(&[(":protocol", "websocket")]), "an extended CONNECT that was not offered"),
        (with(&[("host", "b.example")]), "host beside another authority"),
        (with(&[("host", "a.example"), ("host", "b.example")]), "two hosts"),
        (pseudo(":path", "/case HTTP/1.1\r\nX: y"), "a line break in the path"),
        (pseudo(":path", "/ca se"), "a space in the path"),
        (pseudo(":path", "/case\\x"), "a backslash"),
        (pseudo(":path", "http://b.example/case"), "an absolute path"),
        (pseudo(":path", "case"), "no slash"),
        (pseudo(":path", ""), "an empty path"),
        (pseudo(":path", "*"), "an asterisk"),
        (pseudo(":path", "/x/../case"), "a dot segment"),
        (pseudo(":path", "/\u{e9}"), "a byte above 0x7f in the path"),
        (pseudo(":method", "GET /hidden HTTP/1.1\r\nX:"), "a request line in the method"),
        (pseudo(":method", "GE T"), "a space in the method"),
        (pseudo(":method", ""), "an empty method"),
        (pseudo(":method", "TRACE"), "TRACE"),
        (pseudo(":method", "CONNECT"), "CONNECT with a path"),
        (pseudo(":authority", "a.example\r\nX: y"), "a line break in the authority"),
        (pseudo(":authority", "u@a.example"), "user information"),
        (pseudo(":authority", "a.example/x"), "a slash in the authority"),
        (pseudo(":authority", ""), "an empty authority"),
        (pseudo(":scheme", "ht tp"), "a space in the scheme"),
        (pseudo(":scheme", "http://b.example/?"), "a URL in the scheme"),
        (without(":method"), "no method"),
        (without(":path"), "no path"),
        (without(":scheme"), "no scheme"),
        (without(":authority"), "no authority"),
    ]
}

#[test]
fn what_cannot_be_written_clearly_is_refused() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let mut wrong = Vec::new();
    for (fields, shows) in must_be_refused() {
        let outcome = H2::connect(server.address).ask(&fields, b"data");
        let refused = match &outcome {
            Outcome::Answer(status, _) => (400..502).contains(status),
            Outcome::Reset(_) | Outcome::Gone(_) => true,
        };
        let whole = backend.take().into_iter().filter(|request| request.complete).count();
        if !refused || whole > 0 {
            wrong.push(format!("{shows}: {outcome:?}, {whole} arrived"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_clear_arrives_once() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let cases: [(Fields, &str); 7] = [
        // h2 cuts a fragment off before anybody can see it; what is matched is still what is sent.
        (pseudo(":path", "/case#x"), "a fragment"),
        (with(&[]), "a body without a length"),
        (with(&[("content-length", "4")]), "the right length"),
        (with(&[("host", "a.example")]), "host equal to the authority"),
        (with(&[("te", "trailers")]), "te: trailers"),
        (with(&[("cookie", "a=1"), ("cookie", "b=2")]), "cookies in two fields"),
        (with(&[("x", "a\tb")]), "a tab in a value"),
    ];
    for (fields, shows) in cases {
        let outcome = H2::connect(server.address).ask(&fields, b"data");
        assert!(matches!(outcome, Outcome::Answer(200, _)), "{shows}: {outcome:?}");
        let request = backend.only();
        assert_eq!(
            (request.head.target.as_str(), request.body.as_slice()),
            ("/case", b"data".as_slice()),
            "{shows}"
        );
        assert_eq!(request.all("te"), Vec::<&str>::new(), "{shows}");
        if shows.starts_with("cookies") {
            assert_eq!(request.header("cookie"), "a=1; b=2");
        }
    }
}

#[test]
fn streams_of_one_connection_do_not_mix() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let mut h2 = H2::connect(server.address);
    let paths: Vec<String> = (0..50).map(|n| format!("/stream-{n}")).collect();
    let streams: Vec<u32> = paths
        .iter()
        .map(|path| {
            let fields =
                [(":method", "GET"), (":scheme", "http"), (":path", path), (":authority", "a.example")];
            h2.open(&fields, true)
        })
        .collect();
    let mut bodies = std::collections::BTreeMap::<u32, Vec<u8>>::new();
    let mut ended = 0;
    while ended < streams.len() {
        let frame = h2.frame().unwrap();
        assert!(matches!(frame.kind, 0 | 1), "{frame:?}");
        if frame.kind == 0 {
            bodies.entry(frame.stream).or_default().extend_from_slice(&frame.payload);
        }
        ended += usize::from(frame.flags & 1 == 1);
    }
    for (stream, path) in streams.iter().zip(&paths) {
        let text = String::from_utf8(bodies[stream].clone()).unwrap();
        assert!(text.contains(&format!("\"{path}\"")), "{path}: {text}");
    }
}
