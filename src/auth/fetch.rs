//! Asks issuers over HTTP.
//!
//! One `GET` or `POST`, no redirects, at most 1 MiB, 2 s to connect and 5 s in all. TLS trusts the
//! authorities of the web and those given beside them, and shows a certificate where one is given. It
//! does not know what it fetches, and keeps no connections: they are minutes apart, and one that was
//! opened with a certificate must never serve another client.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::rt::TokioExecutor;
use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use tower_service::Service;

mod certificate;

pub(super) use certificate::normal as normal_pem;
pub use certificate::{ClientCertificate, ClientCertificateError};

/// The largest document that is read, in bytes.
const MAX_DOCUMENT: usize = 1024 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
pub(super) const TOTAL_TIMEOUT: Duration = Duration::from_secs(5);

/// Finds the addresses of a host name.
pub type Resolver = Arc<dyn Fn(&str) -> Addresses + Send + Sync>;

/// Addresses, once they are found; their ports do not matter.
pub type Addresses = Pin<Box<dyn Future<Output = std::io::Result<Vec<SocketAddr>>> + Send>>;

/// The extra certificates cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("a certificate authority cannot be used")]
pub struct UnusableRoots(#[from] rustls::Error);

/// Why a document could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The address.
    #[error("the address is malformed")]
    MalformedAddress(#[source] http::Error),
    /// No answer in time.
    #[error("no answer within 5 s")]
    TimedOut,
    /// No connection, or one that broke.
    #[error("the issuer cannot be reached")]
    Unreachable(#[source] hyper_util::client::legacy::Error),
    /// An answer that says nothing of the request.
    #[error("the issuer answered {0}")]
    Status(StatusCode),
    /// Before anything was asked.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    /// The answer's body.
    #[error("the answer is longer than 1 MiB, or broke off")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A client of issuers.
#[derive(Clone, Debug)]
pub struct Fetcher {
    roots: Arc<RootCertStore>,
    lookup: Lookup,
    client: HttpClient,
}

type HttpClient = Client<HttpsConnector<HttpConnector<Lookup>>, Full<Bytes>>;

impl Fetcher {
    /// A client that also trusts `extra_roots`, and finds hosts with `resolver` or as the system does.
    pub(super) fn new(
        extra_roots: &[CertificateDer<'static>],
        resolver: Option<Resolver>,
    ) -> Result<Self, UnusableRoots> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for certificate in extra_roots {
            roots.add(certificate.clone())?;
        }
        let (roots, lookup) = (Arc::new(roots), Lookup(resolver));
        let client = http_client(Arc::clone(&roots), lookup.clone(), None)?;
        Ok(Self { roots, lookup, client })
    }

    /// A client that shows `certificate` to whom it asks.
    pub(super) fn with_certificate(&self, certificate: &ClientCertificate) -> Result<Self, FetchError> {
        let client = http_client(Arc::clone(&self.roots), self.lookup.clone(), Some(certificate))
            .map_err(|UnusableRoots(error)| FetchError::Tls(error))?;
        Ok(Self { client, ..self.clone() })
    }

    /// The document at `url`.
    pub(super) async fn get(&self, url: &str) -> Result<Bytes, FetchError> {
        let request =
            Request::get(Uri::try_from(url).map_err(|error| FetchError::MalformedAddress(error.into()))?)
                .header("accept", "application/json")
                .body(Vec::new())
                .map_err(FetchError::MalformedAddress)?;
        let answer = self.ask(request).await?;
        if answer.status() == StatusCode::OK {
            return Ok(answer.into_body().into());
        }
        Err(FetchError::Status(answer.status()))
    }

    /// The answer to `request`, unless it says nothing of the request itself: a redirect, an overloaded
    /// or a broken server.
    pub async fn ask(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
        match tokio::time::timeout(TOTAL_TIMEOUT, self.exchange(request)).await {
            Ok(answer) => answer,
            Err(_elapsed) => Err(FetchError::TimedOut),
        }
    }

    async fn exchange(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
        let (mut parts, body) = request.into_parts();
        let agent = HeaderValue::from_static(concat!("vestibule/", env!("CARGO_PKG_VERSION")));
        parts.headers.insert(http::header::USER_AGENT, agent);
        let request = Request::from_parts(parts, Full::new(body.into()));
        let answer = self.client.request(request).await.map_err(FetchError::Unreachable)?;
        let status = answer.status();
        let is_about_the_request = status.is_success() || status.is_client_error();
        if !is_about_the_request || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(FetchError::Status(status));
        }
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, MAX_DOCUMENT).collect().await.map_err(FetchError::Body)?;
        Ok(Response::from_parts(parts, body.to_bytes().into()))
    }
}

fn http_client(
    roots: Arc<RootCertStore>,
    lookup: Lookup,
    certificate: Option<&ClientCertificate>,
) -> Result<HttpClient, UnusableRoots> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    let tls = match certificate {
        Some(certificate) => tls.with_client_cert_resolver(certificate.resolver()),
        None => tls.with_no_client_auth(),
    };
    let mut tcp = HttpConnector::new_with_resolver(lookup);
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    tcp.set_nodelay(true);
    let connector =
        HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(tcp);
    Ok(Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector))
}

/// The resolver as `hyper_util` wants it.
#[derive(Clone)]
struct Lookup(Option<Resolver>);

impl std::fmt::Debug for Lookup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Lookup(own)" } else { "Lookup(system)" })
    }
}

impl Service<Name> for Lookup {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = std::io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        if let Some(resolver) = &self.0 {
            let addresses = resolver(name.as_str());
            return Box::pin(async move { Ok(addresses.await?.into_iter()) });
        }
        let mut system = GaiResolver::new();
        Box::pin(async move { Ok(system.call(name).await?.collect::<Vec<_>>().into_iter()) })
    }
}
