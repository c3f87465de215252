//! Class 30, trailers.
//!
//! Recipe: `Trailer` without chunks, with a length, naming framing; trailers that repeat framing,
//! routing and identity headers; in requests and in answers, HTTP/1.1 and HTTP/2. Must happen: no crash,
//! `Trailer` itself is never sent on, and nothing that matters passes as a trailer.

use super::harness::h2::{H2, Outcome};
use super::harness::{Backend, Setup};

const DANGEROUS: [&str; 12] = [
    "content-length",
    "transfer-encoding",
    "host",
    "connection",
    "x-tenant",
    "x_tenant",
    "authorization",
    "cookie",
    "x-forwarded-host",
    "tenantid",
    "set-cookie",
    "trailer",
];

#[test]
fn a_trailer_header_alone_changes_nothing() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    for fields in [
        "Trailer: X-Tenant\r\n",
        "Trailer: X-Tenant\r\nContent-Length: 5\r\n",
        "Trailer: Content-Length, Transfer-Encoding\r\nContent-Length: 5\r\n",
        "Trailer: \r\nContent-Length: 5\r\n",
        "Trailer: a\r\nTrailer: b\r\nContent-Length: 5\r\n",
    ] {
        let mut client = server.connect();
        let body = if fields.contains("Length: 5") { "hello" } else { "" };
        client.send(format!("POST /x HTTP/1.1\r\nHost: a.example\r\n{fields}\r\n{body}"));
        let status = client.read().unwrap().status;
        assert!(matches!(status, 200 | 400), "{fields}: {status}");
        assert_eq!(client.ask("GET /after", &[], b"").status, 200, "{fields}");
        for request in backend.take() {
            assert_eq!(request.alike("trailer"), Vec::<&str>::new(), "{fields}");
        }
    }
}

#[test]
fn dangerous_trailers_of_a_request_do_not_arrive() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    for name in DANGEROUS {
        let mut client = server.connect();
        client.send(format!(
            "POST /x HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\nTrailer: {name}\r\n\r\n\
             2\r\nhi\r\n0\r\n{name}: 7\r\nx-checksum: abc\r\n\r\n"
        ));
        assert_eq!(client.read().unwrap().status, 200, "{name}");
        let request = backend.only();
        assert_eq!(request.body, b"hi", "{name}");
        assert!(request.trailers.iter().all(|(n, _)| n == "x-checksum"), "{name}: {:?}", request.trailers);
    }
}

#[test]
fn dangerous_trailers_of_an_answer_do_not_arrive() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    for name in DANGEROUS {
        let echo = format!(r#"{{"trailers": {{"{name}": "7", "x-checksum": "abc"}}}}"#);
        let reply = server.ask("GET /x", &[("x-echo", &echo)]);
        assert_eq!(reply.status, 200, "{name}");
        assert!(reply.trailers.iter().all(|(n, _)| n == "x-checksum"), "{name}: {:?}", reply.trailers);
    }
}

#[test]
fn dangerous_trailers_over_http2_do_not_arrive() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    for name in DANGEROUS.into_iter().chain([":path", ":authority", "X-Tenant"]) {
        let mut h2 = H2::connect(server.address);
        let fields = [(":method", "POST"), (":scheme", "http"), (":path", "/x"), (":authority", "a.example")];
        let stream = h2.open(&fields, false);
        h2.send(0, 0, stream, b"hi");
        h2.send(1, 5, stream, &super::harness::h2::block(&[(name, "7")]));
        let outcome = h2.outcome(stream);
        for request in backend.take() {
            assert_eq!(request.head.target, "/x", "{name}");
            assert_eq!(request.trailers, [], "{name}");
        }
        assert!(!matches!(outcome, Outcome::Answer(502.., _)), "{name}: {outcome:?}");
    }
    assert_eq!(server.ask("GET /alive", &[]).status, 200);
}
