//! A TLS server with a certificate that nobody trusts, and the certificate.
//!
//! It answers every request with one fixed answer and closes; it exists so that a router can be seen to
//! refuse it, or to accept it where it is told not to check.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate for `localhost` and its names, with its key, both in PEM.
pub(crate) struct Identity {
    /// The certificate.
    pub(crate) certificate: String,
    /// The key.
    pub(crate) key: String,
    /// The certificate again, as clients trust it.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    secret: Vec<u8>,
}

impl Identity {
    /// A new certificate, signed by itself.
    pub(crate) fn new(names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        Self {
            certificate: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
            chain: vec![made.cert.der().clone()],
            secret: made.signing_key.serialize_der(),
        }
    }

    /// A server with this certificate.
    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        Arc::new(builder.with_single_cert(self.chain.clone(), self.secret()).unwrap())
    }

    /// A server with this certificate that lets clients show that of `clients`, and no other.
    pub(crate) fn server_asking(&self, clients: &Self) -> Arc<ServerConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(clients.chain[0].clone()).unwrap();
        let provider = Arc::new(default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let verifier = verifier.allow_unauthenticated().build().unwrap();
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.unwrap().with_client_cert_verifier(verifier);
        Arc::new(builder.with_single_cert(self.chain.clone(), self.secret()).unwrap())
    }

    /// A client that trusts this certificate and no other.
    pub(crate) fn trusting(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.chain[0].clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
    }

    fn secret(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.secret.clone()))
    }
}

/// A TLS server.
pub(crate) struct TlsBackend {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl TlsBackend {
    /// Answers everything with `answer`.
    pub(crate) fn start(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let ending = Arc::new(AtomicBool::new(false));
        let (config, stopped) = (Identity::new(&["localhost"]).server(), Arc::clone(&ending));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                serve(&config, stream.unwrap(), answer);
            }
        });
        Self { address, ending, thread: Some(thread) }
    }
}

/// One request and its answer; a router that refuses the certificate just goes away.
fn serve(config: &Arc<ServerConfig>, stream: TcpStream, answer: &str) {
    stream.set_read_timeout(Some(super::DEADLINE)).unwrap();
    let mut tls = StreamOwned::new(ServerConnection::new(Arc::clone(config)).unwrap(), stream);
    let mut head = Vec::new();
    let mut bytes = [0; 4096];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        match tls.read(&mut bytes) {
            Ok(length) if length > 0 => head.extend_from_slice(&bytes[..length]),
            _ => return,
        }
    }
    let _ = tls.write_all(answer.as_bytes());
    tls.conn.send_close_notify();
    let _ = tls.flush();
}

impl Drop for TlsBackend {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let joined = self.thread.take().unwrap().join();
        assert!(joined.is_ok() || std::thread::panicking());
    }
}
