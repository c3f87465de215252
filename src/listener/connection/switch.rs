//! What a connection becomes that is no longer HTTP.
//!
//! Whoever answers a request may say that its connection, or its stream of HTTP/2, is to be carried on as
//! bytes. The listener hands it over once the answer has been written, and waits for nothing but its end.

use std::fmt;
use std::pin::Pin;

use bytes::Bytes;
use http::Response;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

/// A byte stream in both directions.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

/// What carries a connection on that has changed its protocol.
pub trait Tunnel: Send {
    /// Carries `io` to its end; `early` is what the client had sent by the time the answer was written.
    fn carry(self: Box<Self>, io: Box<dyn Duplex>, early: Bytes) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

impl fmt::Debug for dyn Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tunnel")
    }
}

/// An answer, and what its connection becomes with it.
#[derive(Debug)]
pub struct Answered<B> {
    /// The answer.
    pub response: Response<B>,
    /// What carries the connection on, where the answer says that its protocol changes: 101, or on
    /// HTTP/2 200 to a CONNECT.
    pub tunnel: Option<Box<dyn Tunnel>>,
}

impl<B> From<Response<B>> for Answered<B> {
    fn from(response: Response<B>) -> Self {
        Self { response, tunnel: None }
    }
}

/// Carries a stream of HTTP/2 on, once its answer has been written; `busy` says so meanwhile.
pub(super) async fn carry(tunnel: Box<dyn Tunnel>, switch: OnUpgrade, busy: impl Send) {
    // Where the client is gone before the answer there is nothing to carry.
    if let Ok(stream) = switch.await {
        tunnel.carry(Box::new(TokioIo::new(stream)), Bytes::new()).await;
    }
    drop(busy);
}
