//! Asks a forward proxy for a tunnel (RFC 9110 §9.3.6).
//!
//! hyper reads the proxy's answer and hands the bytes over; what the proxy says besides its status is
//! read by nobody. Nothing but the backend's authority is told to the proxy: the request itself passes
//! through unseen.

use bytes::Bytes;
use http::header::HOST;
use http::uri::Authority;
use http::{HeaderValue, Method, Request, Uri};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::ConnectError;
use crate::destination::Endpoint;

/// How much a proxy may say before the tunnel begins, in bytes.
const MAX_HEAD: usize = 16 * 1024;

/// A tunnel to `endpoint` through the proxy at the other end of `stream`.
pub(super) async fn through(
    stream: TcpStream,
    endpoint: &Endpoint,
) -> Result<TokioIo<Upgraded>, ConnectError> {
    let request = request(endpoint).ok_or(ConnectError::NoTunnelTo)?;
    let builder = http1::Builder::new().max_header_size(MAX_HEAD).handshake(TokioIo::new(stream));
    let (mut sender, connection) = builder.await.map_err(ConnectError::Proxy)?;
    // A failure reaches the request; afterwards the connection is the tunnel's.
    tokio::spawn(async move { drop(connection.with_upgrades().await) });
    let answer = sender.send_request(request).await.map_err(ConnectError::Proxy)?;
    if !answer.status().is_success() {
        return Err(ConnectError::NoTunnel(answer.status()));
    }
    let upgraded = hyper::upgrade::on(answer).await.map_err(ConnectError::Proxy)?;
    Ok(TokioIo::new(upgraded))
}

fn request(endpoint: &Endpoint) -> Option<Request<Empty<Bytes>>> {
    let host = &endpoint.host;
    let authority = if host.contains(':') {
        format!("[{host}]:{}", endpoint.port)
    } else {
        format!("{host}:{}", endpoint.port)
    };
    let mut request = Request::new(Empty::new());
    *request.method_mut() = Method::CONNECT;
    request.headers_mut().insert(HOST, HeaderValue::from_str(&authority).ok()?);
    *request.uri_mut() = Uri::from(Authority::try_from(authority).ok()?);
    Some(request)
}
