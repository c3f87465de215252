//! Class 36, refusals that say too much.
//!
//! Recipe: one request for each 4xx and 5xx that can be had, with a token, a cookie and a query that
//! must not come back. Must happen: no token, no cookie, no backend address, no path of a file, no other
//! tenant and no trace of the code in the answer; a code and an id instead, and the id is in the log.

use std::net::TcpListener;

use serde_json::json;

use super::harness::backend::Next;
use super::harness::fixture::{Tenancy, routes};
use super::harness::{Backend, Server};

/// An address that nobody listens at any more.
fn closed() -> std::net::SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn server(tenancy: &Tenancy, backend: &Backend) -> Server {
    let mut xs_app = routes();
    let list = xs_app["routes"].as_array_mut().unwrap();
    for (path, name) in [("dead", "dead"), ("slow", "slow"), ("bad", "bad"), ("dyn/([^/]*)", "$1")] {
        list.push(json!({"source": format!("^/{path}/"), "destination": name, "authenticationType": "none"}));
    }
    list.push(json!({"source": "^/get/", "destination": "backend", "authenticationType": "none", "httpMethods": ["GET"]}));
    list.push(
        json!({"source": "^/files/(.*)$", "target": "$1", "localDir": "web", "authenticationType": "none"}),
    );
    let slow = json!({"name": "slow", "url": format!("http://{}", backend.address), "timeout": 200});
    let setup = tenancy.setup(backend.address).file("xs-app.json", xs_app.to_string()).file("web/a", "x");
    setup.destination("dead", closed()).destination_with(&slow).destination("bad", backend.address).start()
}

#[test]
fn no_refusal_says_more_than_its_code() {
    let backend = Backend::answering(|exchange| match exchange.head.target.split('/').nth(1) {
        Some("bad") => {
            exchange.write("garbage\r\n\r\n");
            Next::Close
        }
        _ => Next::Watch,
    });
    let tenancy = Tenancy::new();
    let server = server(&tenancy, &backend);
    let token = tenancy.acme.token(&json!({}));
    let foreign = tenancy.globex.token(&json!({}));
    let (acme, port) = ("acme.localhost", backend.address.port().to_string());
    let cases = [
        ("GET /pub/%2e%2e/x", acme, "", 400),
        ("GET /jwt/x", acme, "", 401),
        ("GET /jwt/x", acme, foreign.as_str(), 401),
        ("GET /jwt/x", acme, "s3cret.s3cret.s3cret", 401),
        ("GET /scoped/x", acme, token.as_str(), 403),
        ("GET /pub/x", "sleepy.localhost", "", 403),
        ("GET /nowhere", acme, "", 404),
        ("GET /files/none", acme, "", 404),
        ("GET /pub/x", "nobody.localhost", "", 404),
        ("GET /pub/x", "other.example", "", 404),
        ("POST /get/x", acme, "", 405),
        ("GET /dead/x", acme, "", 502),
        ("GET /bad/x", acme, "", 502),
        ("GET /slow/x", acme, "", 504),
        ("GET /dyn/unknown/x", acme, "", 500),
    ];
    for (line, host, token, status) in cases {
        for accept in ["application/json", "text/html"] {
            let authorization = format!("Bearer {token}");
            let mut headers = vec![("Host", host), ("Cookie", "JSESSIONID=c00kie"), ("Accept", accept)];
            if !token.is_empty() {
                headers.push(("Authorization", authorization.as_str()));
            }
            let reply = server.ask(&format!("{line}?q=qu3ry"), &headers);
            assert_eq!(reply.status, status, "{line}: {}", reply.text());
            let whole = format!("{:?}\n{}", reply.headers, reply.text()).to_lowercase();
            let own_tenant = if host.starts_with("acme") { "globex" } else { "acme" };
            let folder = server.path().to_string_lossy().to_lowercase();
            let forbidden = [
                "s3cret",
                "c00kie",
                "qu3ry",
                "127.0.0.1",
                port.as_str(),
                own_tenant,
                "idp.",
                ".rs",
                "panicked",
                "hyper",
                "eyj",
                folder.as_str(),
                "os error",
                "refused (",
            ];
            for word in forbidden {
                assert!(!whole.contains(word), "{line}: `{word}` in {whole}");
            }
            if accept.ends_with("json") && !line.contains("/files/") {
                let body = reply.json();
                let id = body["id"].as_str().unwrap_or_else(|| panic!("{line}: no id in {body}"));
                assert!(body["code"].is_string() && body["status"] == status, "{body}");
                server.await_line(id);
            }
        }
    }
    let log = server.log();
    for word in ["s3cret", "c00kie", "qu3ry", token.as_str(), foreign.as_str()] {
        assert!(!log.contains(word), "`{word}` is in the log:\n{log}");
    }
}

#[test]
fn a_page_of_the_application_says_what_is_written_in_it_and_no_more() {
    let backend = Backend::start();
    let tenancy = Tenancy::new();
    let mut xs_app = routes();
    xs_app["errorPage"] =
        json!([{"status": [401, 404], "file": "err.html"}, {"status": 400, "path": "/bad"}]);
    let setup = tenancy.setup(backend.address).file("xs-app.json", xs_app.to_string());
    let server = setup.file("err.html", "<p>{{path}} {{id}}</p>").start();
    let secrets = [
        ("Host", "acme.localhost"),
        ("Cookie", "JSESSIONID=c00kie"),
        ("Authorization", "Bearer s3cret.s3cret.s3cret"),
        ("Accept", "text/html"),
    ];
    for (line, status, location, body) in [
        ("GET /jwt/pa7h?q=qu3ry", 401, "", "<p>{{path}} {{id}}</p>"),
        ("GET /pa7h?q=qu3ry", 404, "", "<p>{{path}} {{id}}</p>"),
        ("GET /pub/%2e%2e/pa7h?q=qu3ry", 302, "/bad", ""),
    ] {
        let reply = server.ask(line, &secrets);
        let found = (reply.status, reply.header("location"), reply.text());
        assert_eq!(found, (status, location.to_owned(), body.to_owned()), "{line}");
        let headers = format!("{:?}", reply.headers);
        for word in ["c00kie", "s3cret", "qu3ry", "pa7h", "globex"] {
            assert!(!headers.contains(word), "{line}: `{word}` in {headers}");
        }
    }
}
