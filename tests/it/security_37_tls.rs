//! Class 37, TLS.
//!
//! Recipe: handshakes of SSL 3.0, TLS 1.0 and 1.1, of 1.2 and 1.3; a name in the handshake other than the
//! host; half a handshake; cleartext at the TLS port; a certificate that is replaced. Must happen: 1.2
//! and 1.3 only, 421 where the names differ, nothing unfinished stays, and the new certificate is used.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};

use super::harness::tls::Identity;
use super::harness::{Backend, Client, DEADLINE, Server, Setup};

const NAMES: [&str; 2] = ["a.example", "b.example"];

fn start(backend: &Backend, identity: &Identity) -> Server {
    let setup =
        Setup::open(backend.address).file("tls.crt", &identity.certificate).file("tls.key", &identity.key);
    let path = |name: &str| setup.path().join(name).to_string_lossy().into_owned();
    let (certificate, key) = (path("tls.crt"), path("tls.key"));
    setup.variable("TLS_CERT_FILE", certificate).variable("TLS_KEY_FILE", key).start()
}

/// A client that trusts this identity alone and speaks these versions.
fn trusting(identity: &Identity, versions: &[&'static SupportedProtocolVersion]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(identity.chain[0].clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

/// The answer to `GET /x` at `host`, the handshake naming `name`; an error where TLS fails.
fn ask(server: &Server, config: &Arc<ClientConfig>, name: &str, host: &str) -> std::io::Result<String> {
    let connection = ClientConnection::new(Arc::clone(config), name.to_owned().try_into().unwrap()).unwrap();
    let stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut tls = StreamOwned::new(connection, stream);
    tls.write_all(format!("GET /x HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    tls.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[test]
fn versions_1_2_and_1_3_are_spoken() {
    let (backend, identity) = (Backend::start(), Identity::new(&NAMES));
    let server = start(&backend, &identity);
    for version in [&TLS12, &TLS13] {
        let answer = ask(&server, &trusting(&identity, &[version]), "a.example", "a.example").unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{version:?}: {answer}");
        assert_eq!(backend.only().header("x-forwarded-proto"), "https");
    }
}

/// A client hello of an old version: the suites of its time, no extensions.
fn old_hello(minor: u8) -> Vec<u8> {
    let mut body = vec![3, minor];
    body.extend([7; 32]);
    body.extend([0, 0, 8, 0xc0, 0x14, 0xc0, 0x13, 0x00, 0x35, 0x00, 0x2f, 1, 0]);
    let length = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap().to_be_bytes();
    let mut handshake = vec![1, 0];
    handshake.extend(length(&body));
    handshake.extend(body);
    let mut record = vec![22, 3, minor];
    record.extend(length(&handshake));
    record.extend(handshake);
    record
}

#[test]
fn older_versions_are_refused_with_an_alert() {
    let (backend, identity) = (Backend::start(), Identity::new(&NAMES));
    let server = start(&backend, &identity);
    for minor in [0, 1, 2] {
        let mut client = server.connect();
        client.send(old_hello(minor));
        let answer = client.until_closed();
        assert!(answer.is_empty() || answer[0] == 21, "3.{minor}: {answer:?}");
    }
    assert_eq!(backend.requests().len(), 0);
}

#[test]
fn a_host_other_than_the_name_in_the_handshake_is_421() {
    let (backend, identity) = (Backend::start(), Identity::new(&NAMES));
    let server = start(&backend, &identity);
    let config = trusting(&identity, &[&TLS13]);
    for (host, status) in
        [("a.example", "200"), ("A.EXAMPLE:443", "200"), ("b.example", "421"), ("other.example", "421")]
    {
        let answer = ask(&server, &config, "a.example", host).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{host}: {answer}");
    }
    assert_eq!(backend.requests().len(), 2);
}

#[test]
fn half_a_handshake_is_closed_on_its_timer() {
    let (backend, identity) = (Backend::start(), Identity::new(&NAMES));
    let server = start(&backend, &identity);
    let begin = Instant::now();
    let hello = old_hello(3);
    let mut halves: Vec<Client> = (0..100)
        .map(|n| {
            let mut client = server.connect();
            client.send(&hello[..n % hello.len()]);
            client
        })
        .collect();
    let answer = ask(&server, &trusting(&identity, &[&TLS13]), "a.example", "a.example").unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    for client in &mut halves {
        client.until_closed();
    }
    assert!(begin.elapsed() < Duration::from_secs(18), "closed after {:?}", begin.elapsed());
}

#[test]
fn cleartext_at_the_tls_port_goes_nowhere() {
    let (backend, identity) = (Backend::start(), Identity::new(&NAMES));
    let server = start(&backend, &identity);
    for text in
        ["GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\0\0\0\0\0\0"]
    {
        let mut client = server.connect();
        client.send(text);
        let answer = client.until_closed();
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{text}");
    }
    assert_eq!(backend.requests().len(), 0);
}

#[test]
fn a_replaced_certificate_is_used_and_a_broken_one_is_not() {
    let (backend, old, new) = (Backend::start(), Identity::new(&NAMES), Identity::new(&NAMES));
    let server = start(&backend, &old);
    let write = |identity: &Identity| {
        std::fs::write(server.path().join("tls.crt"), &identity.certificate).unwrap();
        std::fs::write(server.path().join("tls.key"), &identity.key).unwrap();
        server.ask_admin("POST /reload");
    };
    let accepted =
        |identity: &Identity| ask(&server, &trusting(identity, &[&TLS13]), "a.example", "a.example").is_ok();
    assert!(accepted(&old) && !accepted(&new));
    write(&new);
    let begin = Instant::now();
    while !accepted(&new) {
        assert!(begin.elapsed() < Duration::from_secs(5), "the new certificate is not used");
    }
    std::fs::write(server.path().join("tls.key"), "broken").unwrap();
    server.ask_admin("POST /reload");
    assert!(accepted(&new), "a broken key must change nothing");
}
