//! TLS to backends.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::certificate;
use crate::harness::Setup;
use crate::harness::tls::Identity;

/// A backend that speaks TLS, and HTTP as ALPN says.
struct Encrypted {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Parts>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Encrypted {
    fn start(identity: &Identity, alpn: &[&str]) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let seen: Arc<Mutex<Vec<Parts>>> = Arc::default();
        let (stop, stopped) = oneshot::channel();
        let (shared, acceptor) = (Arc::clone(&seen), acceptor(identity, alpn));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    () = accept(listener, acceptor, shared) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, seen, stop: Some(stop), thread: Some(thread) }
    }

    /// A server that forwards everything to it, by name.
    fn setup(&self, more: &Value) -> Setup {
        let mut destination =
            json!({"name": "tls", "url": format!("https://localhost:{}/base", self.address.port())});
        for (key, value) in more.as_object().unwrap() {
            destination[key] = value.clone();
        }
        Setup::new(&json!({"authenticationMethod": "none", "routes": [
            {"source": "^/(.*)$", "destination": "tls", "authenticationType": "none"}]}))
        .destination_with(&destination)
        .variable("VESTIBULE_WORKERS", "1")
    }
}

impl Drop for Encrypted {
    fn drop(&mut self) {
        drop(self.stop.take());
        let joined = self.thread.take().unwrap().join();
        assert!(joined.is_ok() || std::thread::panicking());
    }
}

fn acceptor(identity: &Identity, alpn: &[&str]) -> TlsAcceptor {
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let mut config = builder.with_single_cert(vec![certificate(identity)], key).unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

async fn accept(listener: tokio::net::TcpListener, acceptor: TlsAcceptor, seen: Arc<Mutex<Vec<Parts>>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(serve(stream, acceptor.clone(), Arc::clone(&seen)));
    }
}

/// A router that refuses the certificate just goes away.
async fn serve(stream: tokio::net::TcpStream, acceptor: TlsAcceptor, seen: Arc<Mutex<Vec<Parts>>>) {
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let (parts, body) = request.into_parts();
        seen.lock().unwrap().push(parts);
        async move { Ok::<_, hyper::Error>(Response::new(Full::<Bytes>::new(body.collect().await?.to_bytes()))) }
    });
    let io = TokioIo::new(stream);
    // How a connection ends is the router's business.
    if http2 {
        let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(io, service)
            .await;
    } else {
        let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
    }
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused_unless_told_otherwise() {
    let identity = Identity::new(&["localhost"]);
    let elsewhere = Identity::new(&["elsewhere.test"]);
    let rows = [
        (&identity, json!({}), None, 502, "nobody vouches for it"),
        (&identity, json!({"strictSSL": true}), None, 502, "the same, spelt out"),
        (&identity, json!({"strictSSL": false}), None, 200, "told not to look"),
        (&identity, json!({}), Some("plain"), 200, "a file of authorities vouches"),
        (&identity, json!({"strictSSL": true}), Some("list"), 200, "one of several files does"),
        (&elsewhere, json!({}), Some("plain"), 502, "vouched for under another name"),
        (&elsewhere, json!({"strictSSL": false}), None, 200, "another name, told not to look"),
    ];
    for (identity, more, authorities, status, shows) in rows {
        let backend = Encrypted::start(identity, &["http/1.1"]);
        let mut setup = backend.setup(&more).file("ca.pem", &identity.certificate);
        let path = setup.path().join("ca.pem").to_str().unwrap().to_owned();
        match authorities {
            Some("list") => setup = setup.variable("XS_CACERT_PATH", json!([path])),
            Some(_) => setup = setup.variable("XS_CACERT_PATH", path),
            None => {}
        }
        let server = setup.start();
        let reply = server.connect().ask("POST /x", &[], b"hello");
        assert_eq!(reply.status, status, "{shows}: {}", reply.text());
        let expected = usize::from(status == 200);
        assert_eq!(backend.seen.lock().unwrap().len(), expected, "{shows}");
    }
}

#[test]
fn what_tls_agreed_on_decides_how_the_request_is_written() {
    let identity = Identity::new(&["localhost"]);
    let rows = [
        (&[][..], json!({}), Version::HTTP_11),
        (&["http/1.1"], json!({}), Version::HTTP_11),
        (&["http/1.1"], json!({"http2": true}), Version::HTTP_11),
        (&["h2"], json!({}), Version::HTTP_2),
        (&["h2", "http/1.1"], json!({"http2": true}), Version::HTTP_2),
    ];
    for (alpn, more, version) in rows {
        let backend = Encrypted::start(&identity, alpn);
        let setup = backend.setup(&more).file("ca.pem", &identity.certificate);
        let path = setup.path().join("ca.pem").to_str().unwrap().to_owned();
        let server = setup.variable("XS_CACERT_PATH", path).start();
        let mut client = server.connect();
        for body in ["", "hello", "again"] {
            let reply =
                client.ask("POST /a?b=c", &[("TE", "trailers"), ("Connection", "TE")], body.as_bytes());
            assert_eq!((reply.status, reply.text().as_str()), (200, body), "{alpn:?}");
        }
        for parts in backend.seen.lock().unwrap().drain(..) {
            assert_eq!(parts.version, version, "{alpn:?}");
            assert_eq!(parts.uri.path_and_query().unwrap().as_str(), "/base/a?b=c");
            let authority = format!("localhost:{}", backend.address.port());
            if version == Version::HTTP_2 {
                assert_eq!(parts.uri.authority().unwrap().as_str(), authority);
                assert_eq!(parts.headers.get("te").unwrap(), "trailers");
            } else {
                assert_eq!(parts.uri.scheme(), None, "origin-form (RFC 9112 §3.2.1)");
                assert_eq!(parts.headers.get("host").unwrap(), authority.as_str());
                assert_eq!(parts.headers.get("te"), None);
            }
        }
    }
}
