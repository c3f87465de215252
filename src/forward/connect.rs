//! Opens a connection to a backend: name, socket, proxy, TLS, HTTP version.
//!
//! Everything counts against one limit of two seconds for the socket, as long again for a proxy's tunnel
//! and as long again for TLS. Where there is a proxy only its name is resolved here. Over TLS, ALPN
//! chooses between HTTP/1.1 and HTTP/2; over cleartext the destination says. Certificates are judged by the built-in authorities and those of `XS_CACERT_PATH`; `strictSSL: false` judges nothing
//! and is named in a warning when the configuration compiles.

mod stream;
mod tunnel;

use std::net::SocketAddr;
use std::time::Duration;

use http::StatusCode;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::body::Upload;
use super::resolve::{ResolveError, Resolver};
use super::tls::BackendTls;
use crate::destination::{Endpoint, TlsPolicy};

pub(super) use stream::Stream;

/// How long the socket, and again TLS, may take to open.
const CONNECT: Duration = Duration::from_secs(2);

/// How ALPN calls HTTP/1.1.
const HTTP_1: &[u8] = b"http/1.1";

/// Why a backend could not be reached.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The host name has no address.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// No address took the connection.
    #[error("connecting failed")]
    Refused(#[source] std::io::Error),
    /// The socket did not open in time.
    #[error("connecting took longer than {} s", CONNECT.as_secs())]
    Timeout,
    /// TLS failed.
    #[error("TLS failed")]
    Tls(#[source] std::io::Error),
    /// The address is one where the backend may not be.
    #[error("its address is one of this machine or of its link")]
    OutOfReach,
    /// The proxy made no tunnel.
    #[error("the proxy answered {0} instead of making a tunnel")]
    NoTunnel(StatusCode),
    /// The backend's host and port are no authority.
    #[error("the backend's host and port make no authority")]
    NoTunnelTo,
    /// The proxy broke off, or does not speak HTTP.
    #[error("the proxy broke off")]
    Proxy(#[source] hyper::Error),
    /// HTTP did not begin.
    #[error("HTTP did not begin")]
    Handshake(#[source] hyper::Error),
}

/// A fresh connection, by what it speaks.
pub(super) enum Protocol {
    Http1(http1::SendRequest<Upload>),
    Http2(http2::SendRequest<Upload>),
}

/// Opens connections.
pub struct Connector {
    tls: BackendTls,
    resolver: Resolver,
}

impl Connector {
    /// A connector that judges certificates by `tls`.
    #[must_use]
    pub fn new(tls: BackendTls) -> Self {
        Self { tls, resolver: Resolver::default() }
    }

    pub(super) async fn connect(&self, endpoint: &Endpoint) -> Result<Protocol, ConnectError> {
        let opened = tokio::time::timeout(CONNECT, self.open(endpoint));
        let stream = opened.await.map_err(|_| ConnectError::Timeout)??;
        if endpoint.is_tunnelled() {
            let tunnel = tokio::time::timeout(CONNECT, tunnel::through(stream, endpoint));
            let stream = tunnel.await.map_err(|_| ConnectError::Timeout)??;
            return self.speak(endpoint, stream).await;
        }
        self.speak(endpoint, stream).await
    }

    async fn speak<S>(&self, endpoint: &Endpoint, stream: S) -> Result<Protocol, ConnectError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        match endpoint.tls {
            None if endpoint.http2 => http2(stream).await,
            None => http1(stream).await,
            Some(policy) => self.connect_tls(endpoint, policy, stream).await,
        }
    }

    /// A connection on which nothing was said yet and that is for HTTP/1.1, whatever the endpoint prefers:
    /// only there an upgrade can be asked for by `Upgrade`. A proxy makes a tunnel (RFC 6455 §4.1), unless
    /// it is to read the request itself: `openly`.
    pub(super) async fn dial(&self, endpoint: &Endpoint, openly: bool) -> Result<Stream, ConnectError> {
        let opened = tokio::time::timeout(CONNECT, self.open(endpoint));
        let stream = opened.await.map_err(|_| ConnectError::Timeout)??;
        if endpoint.proxy.is_none() || openly {
            return match endpoint.tls {
                None => Ok(Stream::Plain(stream)),
                Some(policy) => {
                    Ok(Stream::other(self.encrypted(endpoint, policy, stream, Some(HTTP_1)).await?))
                }
            };
        }
        let tunnel = tokio::time::timeout(CONNECT, tunnel::through(stream, endpoint));
        let stream = tunnel.await.map_err(|_| ConnectError::Timeout)??;
        match endpoint.tls {
            None => Ok(Stream::other(stream)),
            Some(policy) => Ok(Stream::other(self.encrypted(endpoint, policy, stream, Some(HTTP_1)).await?)),
        }
    }

    async fn connect_tls<S>(
        &self,
        endpoint: &Endpoint,
        policy: TlsPolicy,
        stream: S,
    ) -> Result<Protocol, ConnectError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let stream = self.encrypted(endpoint, policy, stream, None).await?;
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            http2(stream).await
        } else {
            http1(stream).await
        }
    }

    /// TLS over `stream`; `only` is the protocol to be spoken in it, where there is no choice.
    async fn encrypted<S>(
        &self,
        endpoint: &Endpoint,
        policy: TlsPolicy,
        stream: S,
        only: Option<&[u8]>,
    ) -> Result<TlsStream<S>, ConnectError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let unusable =
            |error: Box<dyn std::error::Error + Send + Sync>| ConnectError::Tls(std::io::Error::other(error));
        let name = ServerName::try_from(endpoint.host.to_string()).map_err(|error| unusable(error.into()))?;
        let tls = self.tls.towards(endpoint, policy).map_err(|error| unusable(error.into()))?;
        let connector = TlsConnector::from(tls);
        let handshake = match only {
            Some(only) => connector.with_alpn(vec![only.to_vec()]).connect(name, stream),
            None => connector.connect(name, stream),
        };
        let handshake = tokio::time::timeout(CONNECT, handshake);
        handshake.await.map_err(|_| ConnectError::Timeout)?.map_err(ConnectError::Tls)
    }

    /// Each address gets its share of the time, so that one that is dead does not hide the next.
    async fn open(&self, endpoint: &Endpoint) -> Result<TcpStream, ConnectError> {
        let (host, port) = match &endpoint.proxy {
            Some(proxy) => (&proxy.host, proxy.port),
            None => (&endpoint.host, endpoint.port),
        };
        let addresses = self.resolver.addresses(host).await?;
        let share = CONNECT / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
        let mut failure = ConnectError::Refused(std::io::Error::other("no address"));
        for address in addresses {
            // Whoever may not name this machine may name a proxy's neighbours: those are the proxy's affair.
            if endpoint.proxy.is_none() && !endpoint.reach.allows(address) {
                failure = ConnectError::OutOfReach;
                continue;
            }
            let connected = TcpStream::connect(SocketAddr::new(address, port));
            match tokio::time::timeout(share, connected).await {
                Ok(Ok(stream)) => {
                    stream.set_nodelay(true).map_err(ConnectError::Refused)?;
                    return Ok(stream);
                }
                Ok(Err(error)) => failure = ConnectError::Refused(error),
                Err(_) => failure = ConnectError::Timeout,
            }
        }
        Err(failure)
    }
}

async fn http1<S>(stream: S) -> Result<Protocol, ConnectError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let handshake = http1::Builder::new().max_header_size(64 * 1024).handshake(TokioIo::new(stream));
    let (sender, connection) = handshake.await.map_err(ConnectError::Handshake)?;
    // A failure reaches the exchange through its sender; here it is the end of the connection.
    tokio::spawn(async move { drop(connection.await) });
    Ok(Protocol::Http1(sender))
}

async fn http2<S>(stream: S) -> Result<Protocol, ConnectError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let handshake = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .initial_stream_window_size(256 * 1024)
        .initial_connection_window_size(1024 * 1024)
        .keep_alive_interval(Duration::from_secs(30))
        .max_header_list_size(64 * 1024)
        .handshake(TokioIo::new(stream));
    let (sender, connection) = handshake.await.map_err(ConnectError::Handshake)?;
    tokio::spawn(async move { drop(connection.await) });
    Ok(Protocol::Http2(sender))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destination::{DestinationSpec, Reach};

    #[tokio::test]
    async fn what_somebody_else_names_is_not_looked_for_on_this_machine() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connector = Connector::new(BackendTls::new(&[]).unwrap());
        for (host, reach, reached) in [
            ("127.0.0.1", Reach::Anywhere, true),
            ("localhost", Reach::Anywhere, true),
            ("127.0.0.1", Reach::OtherMachines, false),
            ("localhost", Reach::OtherMachines, false),
            ("[::ffff:127.0.0.1]", Reach::OtherMachines, false),
        ] {
            let url = format!("http://{host}:{port}");
            let spec = DestinationSpec { reach, ..DestinationSpec::new("be", &url) };
            let endpoint = spec.compile().unwrap().endpoint;
            match connector.connect(&endpoint).await {
                Ok(_) => assert!(reached, "{host}"),
                Err(ConnectError::OutOfReach) => assert!(!reached, "{host}"),
                Err(error) => panic!("{host}: {error}"),
            }
        }
    }
}
