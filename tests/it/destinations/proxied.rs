//! `proxyHost` and `proxyPort`, at a real forward proxy.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::harness::proxy::ForwardProxy;
use crate::harness::standin::{Asked, StandIn, answer};
use crate::harness::tls::Identity;
use crate::harness::websocket::{Echo, Socket};
use crate::harness::{Backend, Server, Setup};

/// A router whose only destination is at `url`, through `proxy`.
fn through(proxy: &ForwardProxy, url: &str, more: &Value) -> Setup {
    let mut destination = json!({"name": "backend", "url": url,
        "proxyHost": "localhost", "proxyPort": proxy.address.port().to_string()});
    for (key, value) in more.as_object().unwrap() {
        destination[key] = value.clone();
    }
    let route = json!({"source": "^/(.*)$", "destination": "backend", "authenticationType": "none"});
    Setup::new(&json!({"authenticationMethod": "none", "routes": [route]})).destination_with(&destination)
}

fn encrypted(identity: &Identity) -> StandIn {
    StandIn::start(identity.server_asking(&Identity::new(&["nobody"])), |_| {
        |asked: &Asked| answer(200, &json!({"what": asked.what, "host": asked.host}))
    })
}

fn get(server: &Server, path: &str) -> (u16, String) {
    let reply = server.ask(&format!("GET {path}"), &[("Host", "app.example")]);
    (reply.status, reply.code())
}

#[test]
fn cleartext_is_asked_for_by_its_whole_address() {
    let (proxy, backend) = (ForwardProxy::start(), Backend::start());
    let url = format!("http://localhost:{}/base", backend.address.port());
    let server = through(&proxy, &url, &json!({})).start();
    for _ in 0..3 {
        assert_eq!(get(&server, "/a?b=c").0, 200);
    }
    let address = format!("localhost:{}", backend.address.port());
    assert_eq!(proxy.lines(), vec![format!("GET http://{address}/base/a?b=c HTTP/1.1"); 3]);
    let seen = backend.requests();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|seen| seen.head.target == "/base/a?b=c" && seen.header("host") == address));
}

#[test]
fn a_websocket_goes_through_a_tunnel() {
    let (proxy, echo) = (ForwardProxy::start(), Echo::start());
    let route = json!({"source": "^/(.*)$", "destination": "backend", "authenticationType": "none"});
    let application = json!({"websockets": {"enabled": true}, "routes": [route]}).to_string();
    let url = format!("ws://localhost:{}", echo.address.port());
    let server = through(&proxy, &url, &json!({})).file("xs-app.json", application).start();
    Socket::open(server.address, "app.example", "/chat", &[]).unwrap().echo("hello");
    assert_eq!(proxy.lines(), [format!("CONNECT localhost:{} HTTP/1.1", echo.address.port())]);
    assert_eq!(echo.take()[0].target, "/chat");
}

#[test]
fn nothing_of_the_client_speaks_to_the_proxy() {
    let (proxy, backend) = (ForwardProxy::start(), Backend::start());
    let server = through(&proxy, &format!("http://{}", backend.address), &json!({})).start();
    let spoofed = [
        ("Host", "app.example"),
        ("Proxy-Authorization", "Basic eDp5"),
        ("Proxy-Connection", "keep-alive"),
        ("SAP-Connectivity-Authentication", "Bearer forged"),
        ("SAP-Connectivity-SCC-Location_ID", "elsewhere"),
        ("sap_connectivity_authentication", "Bearer forged"),
    ];
    assert_eq!(server.ask("GET /x", &spoofed).status, 200);
    let head = proxy.heads().remove(0).to_ascii_lowercase();
    for name in ["proxy-authorization", "proxy-connection", "sap-connectivity", "sap_connectivity"] {
        assert!(!head.contains(name), "{name}: {head}");
    }
}

#[test]
fn bodies_pass_through_a_proxy() {
    let (proxy, backend) = (ForwardProxy::start(), Backend::start());
    let server = through(&proxy, &format!("http://{}", backend.address), &json!({})).start();
    let body = vec![b'x'; 300_000];
    let reply = server.connect().ask("POST /up", &[("Host", "app.example")], &body);
    assert_eq!(reply.status, 200);
    assert_eq!(backend.only().body.len(), body.len());
}

#[test]
fn encrypted_backends_are_reached_through_a_tunnel() {
    let identity = Identity::new(&["localhost"]);
    let (proxy, backend) = (ForwardProxy::start(), encrypted(&identity));
    let url = format!("https://localhost:{}", backend.address.port());
    let setup = through(&proxy, &url, &json!({})).file("trusted.pem", &identity.certificate);
    let trusted = setup.path().join("trusted.pem").to_string_lossy().into_owned();
    let server = setup.variable("XS_CACERT_PATH", trusted).start();
    assert_eq!(get(&server, "/secret?x=1").0, 200);
    let address = format!("localhost:{}", backend.address.port());
    assert_eq!(proxy.lines(), [format!("CONNECT {address} HTTP/1.1")]);
    assert_eq!(proxy.last_header("host"), address);
    assert!(!proxy.heads()[0].contains("secret"), "the proxy sees the address alone");
    assert_eq!(backend.asked_for("GET /secret").len(), 1);
}

#[test]
fn the_certificate_behind_a_tunnel_is_the_backends() {
    let identity = Identity::new(&["elsewhere.example"]);
    let (proxy, backend) = (ForwardProxy::start(), encrypted(&identity));
    let url = format!("https://localhost:{}", backend.address.port());
    let setup = through(&proxy, &url, &json!({})).file("trusted.pem", &identity.certificate);
    let trusted = setup.path().join("trusted.pem").to_string_lossy().into_owned();
    let server = setup.variable("XS_CACERT_PATH", trusted).start();
    assert_eq!(get(&server, "/x"), (502, "backend_unreachable".into()), "the name does not fit");
    assert!(backend.asked().is_empty());
}

#[test]
fn a_proxy_that_makes_no_tunnel_is_a_bad_gateway() {
    let backend = encrypted(&Identity::new(&["localhost"]));
    let url = format!("https://localhost:{}", backend.address.port());
    let rows: [(&str, &str); 4] = [
        ("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "it asks who we are"),
        ("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy", "it is busy"),
        ("HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example/\r\n\r\n", "it sends us elsewhere"),
        ("SSH-2.0-OpenSSH\r\n\r\n", "it is none"),
    ];
    for (said, shows) in rows {
        let proxy = ForwardProxy::answering(said);
        let server = through(&proxy, &url, &json!({"strictSSL": false})).start();
        assert_eq!(get(&server, "/x"), (502, "backend_unreachable".into()), "{shows}");
    }
    assert!(backend.asked().is_empty());
}

#[test]
fn a_proxy_that_is_not_there_is_a_bad_gateway() {
    let backend = Backend::start();
    let gone = Arc::new(ForwardProxy::start());
    let setup = through(&gone, &format!("http://{}", backend.address), &json!({}));
    drop(gone);
    assert_eq!(get(&setup.start(), "/x"), (502, "backend_unreachable".into()));
    assert!(backend.requests().is_empty(), "nobody goes around it");
}

#[test]
fn http2_without_tls_asks_for_a_tunnel() {
    let proxy = ForwardProxy::answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    let server = through(&proxy, "http://grpc.example:50051", &json!({"http2": true})).start();
    assert_eq!(get(&server, "/x"), (502, "backend_unreachable".into()));
    assert_eq!(proxy.lines(), ["CONNECT grpc.example:50051 HTTP/1.1"], "the name is the proxy's to resolve");
}

#[test]
fn a_malformed_proxy_is_refused_at_start() {
    for (host, port, says) in [
        ("http://proxy", json!(80), "no host name"),
        ("user@proxy", json!("80"), "no host name"),
        ("proxy", json!("http"), "is not a port"),
        ("proxy", json!(0), "1"),
    ] {
        let destination = json!({"name": "backend", "url": "http://h", "proxyHost": host, "proxyPort": port});
        let (code, log) = Setup::new(&json!({"authenticationMethod": "none", "routes": [
            {"source": "^/(.*)$", "destination": "backend", "authenticationType": "none"}]}))
        .destination_with(&destination)
        .refuse();
        assert_eq!(code, Some(1), "{host}:{port}");
        assert!(log.contains(says), "{host}:{port}: {log}");
    }
}
