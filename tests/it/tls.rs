//! TLS: in front with a certificate that may change, and towards backends that are judged or not.
//!
//! The client is rustls on a blocking socket, so that what is sent with what can be chosen; HTTP/2 is
//! hyper's.

mod behind;
mod front;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};

use super::harness::DEADLINE;
use super::harness::tls::Identity;

/// What a client trusts and offers.
fn offering(
    identity: &Identity,
    versions: &[&'static SupportedProtocolVersion],
    alpn: &[&str],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate(identity)).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_protocol_versions(versions).unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

/// The certificate itself.
fn certificate(identity: &Identity) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap()
}

/// An encrypted connection for HTTP/1.1.
struct Encrypted(StreamOwned<ClientConnection, TcpStream>);

impl Encrypted {
    /// Connects to the server and asks for the host `name`.
    fn connect(address: SocketAddr, config: Arc<ClientConfig>, name: &'static str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let name = ServerName::try_from(name).unwrap();
        Self(StreamOwned::new(ClientConnection::new(config, name).unwrap(), stream))
    }

    /// Status and body of the answer to a request for `host`.
    fn ask(&mut self, host: &str) -> (u16, String) {
        self.0.write_all(request(host).as_bytes()).unwrap();
        self.answer()
    }

    /// Status and body of the next answer.
    fn answer(&mut self) -> (u16, String) {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            self.0.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        self.0.read_exact(&mut body).unwrap();
        (head[9..12].parse().unwrap(), String::from_utf8(body).unwrap())
    }

    /// The certificate that the server showed.
    fn shown(&mut self) -> CertificateDer<'static> {
        while self.0.conn.is_handshaking() {
            self.0.conn.complete_io(&mut self.0.sock).unwrap();
        }
        self.0.conn.peer_certificates().unwrap()[0].clone().into_owned()
    }
}

fn request(host: &str) -> String {
    format!("GET /x HTTP/1.1\r\nHost: {host}\r\n\r\n")
}
