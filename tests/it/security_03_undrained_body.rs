//! Class 3, a body that a local answer does not read.
//!
//! Recipe: requests that are answered here (401, 403, 404, 405, redirect, file) carry a body that is a
//! whole request. Must happen: the body is never parsed as a request, and a large one neither is read to
//! its end nor holds the connection open.

use super::harness::fixture::{ACME, Tenancy, bearer, routes};
use super::harness::{Backend, Server};
use serde_json::json;

const HIDDEN: &str = "GET /pub/hidden HTTP/1.1\r\nHost: acme.localhost\r\n\r\n";

fn server(backend: &Backend) -> (Server, Tenancy) {
    let tenancy = Tenancy::new();
    let mut xs_app = routes();
    xs_app["welcomeFile"] = json!("/pub/index.html");
    let list = xs_app["routes"].as_array_mut().unwrap();
    list.push(
        json!({"source": "^/files/(.*)$", "target": "$1", "localDir": "web", "authenticationType": "none"}),
    );
    list.push(json!({"source": "^/get/", "destination": "backend", "authenticationType": "none",
                     "httpMethods": ["GET"]}));
    let setup = tenancy.setup(backend.address).file("xs-app.json", xs_app.to_string());
    (setup.file("web/a.txt", "hello").start(), tenancy)
}

#[test]
fn a_body_is_never_parsed_as_a_request() {
    let backend = Backend::start();
    let (server, tenancy) = server(&backend);
    let token = bearer(&tenancy.acme.token(&json!({})));
    let cases = [
        ("POST /jwt/x", ACME, "", 401, "no token"),
        ("POST /jwt/x", ACME, "Bearer a.b.c", 401, "a bad token"),
        ("POST /scoped/x", ACME, token.as_str(), 403, "without the scope"),
        ("POST /nowhere", ACME, "", 404, "no route"),
        ("POST /", ACME, "", 302, "the welcome redirect"),
        ("POST /get/x", ACME, "", 405, "another method"),
        ("POST /files/a.txt", ACME, "", 405, "a file"),
        ("GET /files/a.txt", ACME, "", 200, "a file, read with a body"),
        ("POST /pub/x", ("Host", "nobody.localhost"), "", 404, "an unknown tenant"),
        ("POST /pub/x", ("Host", "sleepy.localhost"), "", 403, "a suspended tenant"),
        ("POST /pub/%2e%2e/x", ACME, "", 400, "a path that is refused"),
    ];
    for (line, host, token, status, shows) in cases {
        for framing in ["length", "chunks"] {
            let mut client = server.connect();
            let body = match framing {
                "length" => format!("Content-Length: {}\r\n\r\n{HIDDEN}", HIDDEN.len()),
                _ => format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len()),
            };
            let authorization =
                if token.is_empty() { String::new() } else { format!("Authorization: {token}\r\n") };
            client.send(format!("{line} HTTP/1.1\r\nHost: {}\r\n{authorization}{body}", host.1));
            assert_eq!(client.read().unwrap().status, status, "{shows}, {framing}");
            client.send("GET /pub/after HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
            if let Ok(after) = client.read() {
                assert!(after.text().contains("/pub/after"), "{shows}, {framing}: {}", after.text());
            }
            let seen = backend.take();
            assert!(seen.iter().all(|r| r.head.target == "/pub/after"), "{shows}, {framing}: {seen:#?}");
        }
    }
}

#[test]
fn a_large_body_is_not_read_to_its_end() {
    let backend = Backend::start();
    let (server, _) = server(&backend);
    let mut client = server.connect();
    client.send("POST /jwt/x HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: 1000000000\r\n\r\n");
    assert_eq!(client.read().unwrap().status, 401);
    // What is drained is bounded, so the connection ends long before the body does.
    let block = vec![b'x'; 1 << 20];
    let mut written = 0;
    while std::io::Write::write_all(&mut client.stream(), &block).is_ok() {
        written += block.len();
        assert!(written < 200 << 20, "the whole body is being read");
    }
}

#[test]
fn a_refused_client_is_not_asked_for_its_body() {
    let backend = Backend::start();
    let (server, _) = server(&backend);
    let mut client = server.connect();
    client.send(
        "POST /jwt/x HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
    );
    let reply = client.read().unwrap();
    assert_eq!((reply.status, reply.interim.len()), (401, 0));
}
