//! Class 25, a dynamic destination that names its own host.
//!
//! Recipe: a route whose destination is `$1`, asked for URLs, user information, dot segments, loopback
//! and link-local addresses in every spelling, and for destinations of other names. Must happen: only
//! destinations that the configuration names are ever connected to.

use std::net::TcpListener;

use serde_json::json;

use super::harness::{Backend, Setup};

#[test]
fn only_configured_destinations_are_reached() {
    let backend = Backend::start();
    let victim = TcpListener::bind("127.0.0.1:0").unwrap();
    victim.set_nonblocking(true).unwrap();
    let port = victim.local_addr().unwrap().port();
    let xs_app = json!({"authenticationMethod": "none", "routes": [
        {"source": "^/to/([^/]*)/(.*)$", "destination": "$1", "target": "/$2"},
    ]});
    let server = Setup::new(&xs_app).destination("known", backend.address).start();
    assert_eq!(server.ask("GET /to/known/x", &[]).status, 200);
    assert_eq!(backend.only().head.target, "/x");
    let names = [
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}"),
        format!("http:127.0.0.1:{port}"),
        format!("known@127.0.0.1:{port}"),
        format!("127.0.0.1:{port}@known"),
        format!("[::1]:{port}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        format!("2130706433:{port}"),
        format!("0x7f000001:{port}"),
        format!("0x7f.1:{port}"),
        format!("017700000001:{port}"),
        format!("127.1:{port}"),
        format!("0:{port}"),
        "169.254.169.254".to_owned(),
        "169.254.169.254.nip.io".to_owned(),
        "metadata.google.internal".to_owned(),
        "known.evil.example".to_owned(),
        "KNOWN".to_owned(),
        "known%20".to_owned(),
        "%6bnown".to_owned(),
        "known;x".to_owned(),
        "known:80".to_owned(),
        "*".to_owned(),
        "$1".to_owned(),
        String::new(),
        "constructor".to_owned(),
        "__proto__".to_owned(),
    ];
    for name in names {
        let mut client = server.connect();
        client.send(format!("GET /to/{name}/x HTTP/1.1\r\nHost: a.example\r\n\r\n"));
        let status = client.read().unwrap().status;
        assert!((400..=500).contains(&status), "{name}: {status}");
    }
    assert_eq!(backend.requests().len(), 0);
    assert!(victim.accept().is_err(), "somebody was connected to");
}

#[test]
fn the_rest_of_the_path_cannot_change_the_host() {
    let backend = Backend::start();
    let xs_app = json!({"authenticationMethod": "none", "routes": [
        {"source": "^/cut(.*)$", "destination": "known", "target": "$1"},
        {"source": "^/to/([^/]*)(.*)$", "destination": "$1", "target": "$2"},
    ]});
    let server = Setup::new(&xs_app).destination("known", backend.address).start();
    let host = backend.address.to_string();
    let targets = [
        "/cut@evil.example/x",
        "/cut:80@evil.example/",
        "/cut//evil.example/x",
        "/cut.evil.example/",
        "/cut:1/x",
        "/cut?@evil.example/",
        "/cuthttp://evil.example/",
        "/to/known@evil.example/",
        "/to/known//evil.example/",
    ];
    for target in targets {
        let reply = server.ask(&format!("GET {target}"), &[]);
        for request in backend.take() {
            assert_eq!(request.header("host"), host, "{target}");
            assert!(request.head.target.starts_with('/'), "{target} became {}", request.head.target);
        }
        assert!(reply.status == 200 || (400..=500).contains(&reply.status), "{target}: {}", reply.status);
    }
}
