//! Messages: framing kept right, the forms of an answer without a body, trailers, HTTP/1.0, pipelining.

use serde_json::json;

use super::raw;
use crate::harness::backend::Next;
use crate::harness::h2::{H2, Outcome};
use crate::harness::wire::Framing;
use crate::harness::{Backend, Setup};

#[test]
fn a_body_arrives_framed_as_it_was() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let rows = [
        ("POST", "Content-Length: 5\r\n\r\nhello", Framing::Length(5), "hello", "a length"),
        (
            "POST",
            "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
            Framing::Chunked,
            "hello",
            "chunks",
        ),
        ("POST", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Framing::Chunked, "", "no chunk"),
        ("POST", "Content-Length: 0\r\n\r\n", Framing::Length(0), "", "an empty body is said to be empty"),
        ("PUT", "\r\n", Framing::Length(0), "", "no body where one is usual"),
        ("GET", "\r\n", Framing::None, "", "no body"),
        ("DELETE", "\r\n", Framing::None, "", "no body where none is usual"),
        ("GET", "Content-Length: 2\r\n\r\nhi", Framing::Length(2), "hi", "a body where none is usual"),
    ];
    let mut client = server.connect();
    for (method, rest, framing, body, shows) in rows {
        assert_eq!(
            raw(&mut client, &format!("{method} /x HTTP/1.1\r\nHost: a.example\r\n{rest}")).status,
            200
        );
        let request = backend.only();
        assert_eq!((request.head.framing, request.body.as_slice()), (framing, body.as_bytes()), "{shows}");
    }
}

#[test]
fn an_answer_arrives_framed_as_it_was() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let mut client = server.connect();
    let rows = [
        (json!({"body": "hello"}), "5", "", "a length"),
        (json!({"body": ""}), "0", "", "an empty one"),
        (json!({"body": "hello", "chunked": true}), "", "chunked", "chunks"),
        (json!({"body": "", "chunked": true}), "", "chunked", "no chunk"),
    ];
    for (echo, length, coding, shows) in rows {
        let reply = client.ask("GET /x", &[("x-echo", &echo.to_string())], b"");
        assert_eq!(reply.text(), echo["body"].as_str().unwrap(), "{shows}");
        assert_eq!(
            (reply.header("content-length").as_str(), reply.header("transfer-encoding").as_str()),
            (length, coding),
            "{shows}"
        );
    }
    let until_closed = Backend::answering(|exchange| {
        exchange.write("HTTP/1.1 200 OK\r\n\r\nto the end");
        Next::Close
    });
    let server = Setup::open(until_closed.address).start();
    let mut client = server.connect();
    for _ in 0..2 {
        // The end of the backend's connection is the end of the body, not of the client's connection.
        assert_eq!(client.ask("GET /x", &[], b"").text(), "to the end");
    }
}

#[test]
fn answers_without_a_body_keep_the_connection_in_step() {
    let backend = Backend::answering(|exchange| {
        exchange.write(match exchange.head.target.as_str() {
            "/length" => "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n",
            "/chunks" => "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "/none" => "HTTP/1.1 204 No Content\r\nx-none: 1\r\n\r\n",
            "/same" => "HTTP/1.1 304 Not Modified\r\netag: \"e\"\r\ncontent-length: 7\r\n\r\n",
            _ => "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        });
        Next::Keep
    });
    let server = Setup::open(backend.address).start();
    let mut client = server.connect();
    let rows = [
        ("HEAD /length", 200, "7", "the length is what GET would get"),
        ("HEAD /chunks", 200, "", "a length that nobody knows"),
        ("GET /none", 204, "", "204 has no length (RFC 9110 §8.6)"),
        ("HEAD /none", 204, "", "204 to HEAD"),
        ("GET /same", 304, "", "304 needs none"),
    ];
    for (line, status, length, shows) in rows {
        let reply = client.ask(line, &[], b"");
        assert_eq!((reply.status, reply.header("content-length").as_str()), (status, length), "{shows}");
        assert_eq!(
            reply.header("transfer-encoding"),
            if line == "HEAD /chunks" { reply.header("transfer-encoding") } else { String::new() }
        );
        assert_eq!(client.ask("GET /x", &[], b"").text(), "ok", "after {line}");
    }
    let mut h2 = H2::connect(server.address);
    for (line, status, ..) in rows {
        let (method, path) = line.split_once(' ').unwrap();
        let fields = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "a.example")];
        assert_eq!(h2.ask(&fields, b""), Outcome::Answer(status, Vec::new()), "{line}");
    }
}

#[test]
fn announced_trailers_pass_in_both_directions() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let mut client = server.connect();
    let echo = json!({"body": "hello", "headers": [["trailer", "x-sum, set-cookie"]],
                      "trailers": {"x-sum": "down", "set-cookie": "a=1", "x-unannounced": "1"}});
    let reply = raw(
        &mut client,
        &format!(
            "POST /x HTTP/1.1\r\nHost: a.example\r\nTE: trailers\r\nConnection: TE\r\nX-Echo: {echo}\r\n\
             Trailer: X-Sum, Authorization\r\nTransfer-Encoding: chunked\r\n\r\n\
             5\r\nhello\r\n0\r\nX-Sum: up\r\nAuthorization: no\r\n\r\n"
        )
        .replace("X-Echo", "x-echo"),
    );
    assert_eq!((reply.status, reply.text().as_str()), (200, "hello"));
    assert_eq!(reply.trailers, [("x-sum".to_owned(), "down".to_owned())]);
    assert_eq!(reply.header("trailer"), "x-sum");
    let request = backend.only();
    assert_eq!(request.trailers, [("x-sum".to_owned(), "up".to_owned())]);
    assert_eq!((request.header("trailer"), request.header("te")), ("X-Sum".to_owned(), "-".to_owned()));
    // Who does not take trailers gets none, and the connection goes on.
    let reply = client.ask("GET /x", &[("x-echo", &echo.to_string())], b"");
    assert_eq!((reply.text().as_str(), reply.trailers.len()), ("hello", 0));
    assert_eq!(client.ask("GET /x", &[], b"").status, 200);
}

#[test]
fn a_client_of_http_1_0_is_answered_in_its_own_way() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    for (echo, shows) in
        [(json!({"body": "hello"}), "a length"), (json!({"body": "hello", "chunked": true}), "chunks")]
    {
        let mut client = server.connect();
        let reply =
            raw(&mut client, &format!("GET /x HTTP/1.0\r\nHost: a.example\r\nx-echo: {echo}\r\n\r\n"));
        assert_eq!((reply.status, reply.text().as_str()), (200, "hello"), "{shows}");
        assert_eq!(reply.header("transfer-encoding"), "", "{shows}");
        assert!(client.until_closed().is_empty(), "{shows}");
        assert_eq!(backend.only().head.target, "/x");
    }
    let mut client = server.connect();
    for _ in 0..2 {
        let line = "GET /x HTTP/1.0\r\nHost: a.example\r\nConnection: keep-alive\r\n\r\n";
        assert_eq!(raw(&mut client, line).header("connection"), "keep-alive");
    }
    let mut client = server.connect();
    client.send("GET /x HTTP/1.0\r\n\r\n");
    assert_eq!(client.read().unwrap().status, 200, "where there is one tenant, none need be named");
}

#[test]
fn half_an_answer_to_http_1_0_does_not_look_whole() {
    let half = Backend::answering(|exchange| {
        exchange.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n");
        Next::Close
    });
    let server = Setup::open(half.address).start();
    let mut client = server.connect();
    client.send("GET /x HTTP/1.0\r\nHost: a.example\r\n\r\n");
    let ended = std::io::Read::read_to_end(&mut client.stream(), &mut Vec::new());
    // Without length and chunks only a reset tells that something is missing.
    assert_eq!(ended.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let mut client = server.connect();
    client.send(
        "GET /1 HTTP/1.1\r\nHost: a.example\r\n\r\n\
         POST /2 HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello\
         POST /3 HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n\
         GET /4 HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n",
    );
    for (number, body) in [("/1", ""), ("/2", "hello"), ("/3", "hi"), ("/4", "")] {
        let reply = client.read().unwrap();
        assert_eq!((reply.json()["url"].as_str(), reply.json()["body"].as_str()), (Some(number), Some(body)));
    }
    assert!(client.until_closed().is_empty());
    let connections = backend.take().iter().map(|request| request.connection).max();
    assert_eq!(connections, Some(0), "one connection to the backend is enough");
}

#[test]
fn an_interim_answer_of_the_backend_is_no_answer() {
    let backend = Backend::answering(|exchange| {
        exchange.write("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n");
        exchange.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
        Next::Keep
    });
    let server = Setup::open(backend.address).start();
    let mut client = server.connect();
    for _ in 0..2 {
        let reply = client.ask("GET /x", &[], b"");
        assert_eq!((reply.status, reply.text().as_str()), (200, "ok"));
    }
}

#[test]
fn the_clients_body_is_asked_for_when_the_backend_is_there() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let mut client = server.connect();
    client.send("POST /x HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    assert_eq!(client.exactly(25).unwrap(), b"HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hello");
    assert_eq!(client.read().unwrap().json()["body"], "hello");
    let request = backend.only();
    assert_eq!((request.header("expect"), request.body.as_slice()), ("-".to_owned(), &b"hello"[..]));
}
