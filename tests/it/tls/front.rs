//! TLS in front.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::version::{TLS12, TLS13};
use rustls_pki_types::ServerName;
use serde_json::json;

use super::{Encrypted, certificate, offering, request};
use crate::harness::tls::Identity;
use crate::harness::{Backend, DEADLINE, Server, Setup};

const NAMES: [&str; 3] = ["localhost", "acme.localhost", "globex.localhost"];

/// Replaces a file as an editor or a certificate agent does: never half of it.
fn replace(folder: &Path, name: &str, text: &str) {
    let fresh = folder.join("fresh");
    std::fs::write(&fresh, text).unwrap();
    std::fs::rename(fresh, folder.join(name)).unwrap();
}

/// The setup with TLS in front.
fn encrypted(setup: Setup, identity: &Identity) -> Server {
    let setup = setup.file("tls.crt", &identity.certificate).file("tls.key", &identity.key);
    let (chain, key) = (setup.path().join("tls.crt"), setup.path().join("tls.key"));
    let setup = setup.variable("TLS_CERT_FILE", chain.to_str().unwrap());
    setup.variable("TLS_KEY_FILE", key.to_str().unwrap()).start()
}

#[test]
fn the_client_chooses_version_and_protocol() {
    let (backend, identity) = (Backend::start(), Identity::new(&NAMES));
    let server = encrypted(Setup::open(backend.address), &identity);
    for versions in [&[&TLS12][..], &[&TLS13], &[&TLS13, &TLS12]] {
        for alpn in [&[][..], &["http/1.1"]] {
            let mut client =
                Encrypted::connect(server.address, offering(&identity, versions, alpn), "localhost");
            assert_eq!(client.ask("localhost").0, 200, "{alpn:?}");
            assert_eq!(client.ask("localhost").0, 200, "{alpn:?}, once more");
            assert_eq!(client.0.conn.alpn_protocol(), alpn.first().map(|name| name.as_bytes()));
            let seen = backend.take();
            assert_eq!((seen[0].header("x-forwarded-proto"), seen.len()), ("https".to_owned(), 2));
        }
    }
}

#[test]
fn http2_is_spoken_where_it_is_offered() {
    let (backend, identity) = (Backend::start(), Identity::new(&NAMES));
    let server = encrypted(Setup::open(backend.address), &identity);
    let config = offering(&identity, &[&TLS13], &["h2", "http/1.1"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let asked = async {
        let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
        let connector = tokio_rustls::TlsConnector::from(config);
        let stream = connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
        let (mut sender, connection) = handshake.await.unwrap();
        tokio::spawn(connection);
        for host in ["localhost", "elsewhere.localhost"] {
            let request =
                http::Request::get(format!("https://{host}/x")).body(Empty::<Bytes>::new()).unwrap();
            let answer = sender.send_request(request).await.unwrap();
            let expected = if host == "localhost" { 200 } else { 421 };
            assert_eq!(answer.status().as_u16(), expected, "{host}");
            answer.into_body().collect().await.unwrap();
        }
    };
    runtime.block_on(async { tokio::time::timeout(DEADLINE, asked).await.unwrap() });
    assert_eq!(backend.only().header("x-forwarded-proto"), "https");
}

#[test]
fn a_request_that_comes_with_the_handshakes_end_is_answered() {
    let (backend, identity) = (Backend::start(), Identity::new(&NAMES));
    let server = encrypted(Setup::open(backend.address), &identity);
    for _ in 0..20 {
        let config = offering(&identity, &[&TLS13], &[]);
        let mut client = Encrypted::connect(server.address, config, "localhost");
        // Kept by rustls until the handshake ends, and then sent in the same write.
        client.0.conn.writer().write_all(request("localhost").as_bytes()).unwrap();
        assert_eq!(client.answer().0, 200);
    }
}

#[test]
fn an_encrypted_connection_that_idled_goes_on() {
    let (backend, identity) = (Backend::start(), Identity::new(&NAMES));
    let server = encrypted(Setup::open(backend.address), &identity);
    let config = offering(&identity, &[&TLS13], &[]);
    let mut silent = Encrypted::connect(server.address, Arc::clone(&config), "localhost");
    silent.shown();
    let mut client = Encrypted::connect(server.address, config, "localhost");
    for _ in 0..2 {
        assert_eq!(client.ask("localhost").0, 200);
        // Idling for longer than it takes to be parked is what is tested.
        std::thread::sleep(Duration::from_secs(6));
    }
    assert_eq!(client.ask("localhost").0, 200);
    assert_eq!(silent.ask("localhost").0, 200, "one that had said nothing after its handshake");
}

#[test]
fn a_connection_for_one_host_does_not_serve_another() {
    let (backend, identity) = (Backend::start(), Identity::new(&NAMES));
    let table = json!({"hosts": ["{tenant}.localhost"], "tenants": {"acme": {}, "globex": {}}});
    let server = encrypted(Setup::open(backend.address).tenants(&table), &identity);
    let config = offering(&identity, &[&TLS13], &[]);
    let mut client = Encrypted::connect(server.address, config, "acme.localhost");
    assert_eq!(client.ask("acme.localhost").0, 200);
    assert_eq!(backend.only().header("x-tenant"), "acme");
    let (code, body) = client.ask("globex.localhost");
    assert_eq!(code, 421);
    assert!(body.contains("misdirected"), "{body}");
    assert_eq!(client.ask("ACME.localhost:8443").0, 200, "case and port do not matter");
}

#[test]
fn a_new_certificate_serves_new_connections_and_a_broken_one_changes_nothing() {
    let backend = Backend::start();
    let [first, second] = [(); 2].map(|()| Identity::new(&NAMES));
    let server = encrypted(Setup::open(backend.address), &first);
    let connect = |identity: &Identity| {
        Encrypted::connect(server.address, offering(identity, &[&TLS13], &[]), "localhost")
    };
    let mut early = connect(&first);
    assert_eq!(early.shown(), certificate(&first));
    assert_eq!(early.ask("localhost").0, 200);
    // A certificate without its key is broken until the key follows.
    replace(server.path(), "tls.crt", &second.certificate);
    server.await_line("the certificate cannot be read");
    assert_eq!(connect(&first).shown(), certificate(&first));
    replace(server.path(), "tls.key", &second.key);
    server.await_line("new connections get the new certificate");
    assert_eq!(connect(&second).shown(), certificate(&second));
    for broken in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", &second.key] {
        replace(server.path(), "tls.crt", broken);
        server.await_line("the certificate cannot be read");
        assert_eq!(connect(&second).shown(), certificate(&second), "{broken:?}");
    }
    assert_eq!(early.ask("localhost").0, 200, "a connection outlives its certificate");
}

#[test]
fn a_server_without_its_certificate_does_not_start() {
    let identity = Identity::new(&NAMES);
    let other = Identity::new(&NAMES);
    let backend = Backend::start();
    let rows = [
        (Some(identity.certificate.as_str()), None, "no key"),
        (Some("nonsense"), Some(identity.key.as_str()), "no certificate in the file"),
        (Some(identity.certificate.as_str()), Some(other.key.as_str()), "another's key"),
    ];
    for (chain, key, shows) in rows {
        let mut setup = Setup::open(backend.address);
        for (variable, name, text) in [("TLS_CERT_FILE", "tls.crt", chain), ("TLS_KEY_FILE", "tls.key", key)]
        {
            let path = setup.path().join(name).to_str().unwrap().to_owned();
            setup = setup.variable(variable, path);
            if let Some(text) = text {
                setup = setup.file(name, text);
            }
        }
        let (code, log) = setup.refuse();
        assert_eq!(code, Some(1), "{shows}: {log}");
        assert!(log.contains("tls."), "{shows}: the file is named: {log}");
    }
}

#[test]
fn when_it_stops_every_connection_is_told_so() {
    let (backend, identity) = (Backend::start(), Identity::new(&NAMES));
    let mut server = encrypted(Setup::open(backend.address), &identity);
    let config = offering(&identity, &[&TLS13], &[]);
    let connect = || Encrypted::connect(server.address, Arc::clone(&config), "localhost");
    let [mut idle, mut silent] = [connect(), connect()];
    silent.shown();
    assert_eq!(idle.ask("localhost").0, 200);
    server.signal("TERM");
    for (client, shows) in [(&mut idle, "one that idles"), (&mut silent, "one that never asked")] {
        // Without a last word in TLS a client must take the end for an attack (RFC 8446 §6.1).
        assert_eq!(client.0.read(&mut [0]).unwrap(), 0, "{shows}");
    }
    assert!(server.wait().success());
}
