//! Serves one connection: TLS, HTTP version, turns, idling, the end.
//!
//! The first bytes decide between HTTP/1.1 and HTTP/2 with prior knowledge; over TLS, ALPN does. A
//! connection that idles is *parked*: hyper's buffers are given back and only the socket is kept, to be
//! watched until it speaks again. No clock is read per request; a slow tick looks at what has changed
//! since the last one. What a request means is the business of whoever implements [`Answer`].

mod link;
mod socket;
mod switch;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Version};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustix::net::RecvFlags;
use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

pub use link::Link;
use link::{Outlook, Turn};
use socket::{Metered, Socket};
pub use switch::{Answered, Duplex, Tunnel};

use super::drained;
use super::guard::Guarded;

/// How often a connection is looked at.
const TICK: Duration = Duration::from_millis(2500);
/// How long TLS may take to begin.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The largest header block, in bytes (SPEC section 8).
const HEADER_BLOCK: usize = 32 * 1024;
/// The largest number of header fields.
const HEADER_FIELDS: usize = 128;
/// How HTTP/2 begins (RFC 9113 §3.4), as far as it is told from every method.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";
/// What a client is told that did not finish its header in time, as far as it still listens.
const HEADER_TIMEOUT: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// How long a client may take for what is only polite, and a first request to arrive while we stop.
const FAREWELL: Duration = Duration::from_secs(1);

/// Answers requests.
pub trait Answer: Clone + Send + Sync + 'static {
    /// What answers carry.
    type Body: http_body::Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Send
        + Unpin
        + 'static;

    /// The answer to `request`, which came over `link`.
    fn answer(
        &self,
        link: &Arc<Link>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Answered<Self::Body>> + Send + 'static;
}

/// How long a connection may do what.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Between two requests.
    pub idle: Duration,
    /// From a request's first byte to the end of its header.
    pub header: Duration,
}

/// What all connections of a worker have in common.
#[derive(Clone)]
pub struct Serving<A> {
    /// Who answers.
    pub answer: A,
    /// TLS, where it is spoken.
    pub tls: Option<TlsAcceptor>,
    /// Time limits.
    pub timing: Timing,
    /// Says when to stop.
    pub drain: watch::Receiver<bool>,
}

/// How one stretch of HTTP/1.1 on a connection ended.
enum Stretch<S> {
    /// The connection is over.
    Over,
    /// Nothing has happened for a while: the socket, to be parked.
    Idle(S),
    /// It is no longer HTTP: the socket, what came on it already, and what carries it on.
    Switched(S, Bytes, Box<dyn Tunnel>),
}

impl<A: Answer> Serving<A> {
    /// Serves `stream` to its end.
    pub async fn serve(mut self, stream: TcpStream, peer: std::net::SocketAddr) {
        // A socket that is gone already fails at its first read.
        drop(stream.set_nodelay(true));
        // Boxed by what the connection turns out to be: what idles should be as small as it can.
        match self.tls.take() {
            None => self.cleartext(stream, peer).await,
            Some(tls) => Box::pin(self.encrypted(tls, stream, peer)).await,
        }
    }

    async fn cleartext(mut self, stream: TcpStream, peer: std::net::SocketAddr) {
        let link = Arc::new(Link::new(peer.ip(), false, None));
        if !self.speaks(&stream, &link).await {
            return;
        }
        match timeout(self.timing.header, speaks_http2(&stream)).await {
            Ok(Ok(true)) => Box::pin(self.http2(stream, link)).await,
            Ok(Ok(false)) => self.http1(stream, link).await,
            Ok(Err(_)) | Err(_) => {}
        }
    }

    async fn encrypted(self, tls: TlsAcceptor, stream: TcpStream, peer: std::net::SocketAddr) {
        let Ok(Ok(stream)) = timeout(HANDSHAKE, tls.accept(stream)).await else { return };
        let session = stream.get_ref().1;
        let http2 = session.alpn_protocol() == Some(b"h2");
        let link = Arc::new(Link::new(peer.ip(), true, session.server_name().map(Into::into)));
        if http2 { Box::pin(self.http2(stream, link)).await } else { self.http1(stream, link).await }
    }

    /// Over TLS the first request may be in the session's buffer already: the first stretch begins at once.
    async fn http1<S: Socket>(mut self, mut socket: S, link: Arc<Link>) {
        loop {
            match Box::pin(self.stretch(socket, &link)).await {
                Stretch::Idle(parked) => socket = parked,
                Stretch::Switched(socket, early, tunnel) => {
                    return tunnel.carry(Box::new(socket), early).await;
                }
                Stretch::Over => return,
            }
            if !self.speaks(&socket, &link).await {
                // A client that is gone need not be told.
                drop(timeout(FAREWELL, socket.shutdown()).await);
                return;
            }
        }
    }

    /// Waits for the client's next bytes; false when they do not come in time. What has come is served
    /// even while we stop.
    async fn speaks<S: Socket>(&mut self, socket: &S, link: &Link) -> bool {
        tokio::select! {
            biased;
            spoke = timeout(self.timing.idle, socket.readable()) => spoke.is_ok_and(|ok| ok.is_ok()),
            () = given_up(&mut self.drain, link.turns() > 0) => false,
        }
    }

    /// Serves requests until the connection ends or idles.
    async fn stretch<S: Socket>(&mut self, socket: S, link: &Arc<Link>) -> Stretch<S> {
        let service = service_fn(|request: Request<Incoming>| {
            let turn = Turn::begin(link);
            if request.version() == Version::HTTP_10 {
                link.note_http_1_0();
            }
            let answer = self.answer.answer(link, request);
            async move { Ok::<_, std::convert::Infallible>(turn.carry(answer.await)) }
        });
        let mut builder = http1::Builder::new();
        builder.max_headers(HEADER_FIELDS).max_header_size(HEADER_BLOCK);
        let metered = Metered::new(TokioIo::new(socket), Arc::clone(link));
        let io = Guarded::http1(metered, Arc::clone(link.verdict()));
        let mut connection = builder.serve_connection(io, service);
        let mut outlook = Outlook::new(self.timing.header, TICK);
        let mut drain = self.drain.clone();
        let mut draining = false;
        let mut tick = std::pin::pin!(tokio::time::sleep(TICK));
        loop {
            tokio::select! {
                biased;
                ended = Pin::new(&mut connection) => {
                    let tunnel = link.switched();
                    if ended.is_err() && link.ends_tell_lengths() {
                        connection.into_parts().io.into_inner().into_inner().into_inner().break_off();
                    } else if let (Ok(()), Some(tunnel)) = (ended, tunnel) {
                        let parts = connection.into_parts();
                        let socket = parts.io.into_inner().into_inner().into_inner();
                        return Stretch::Switched(socket, parts.read_buf, tunnel);
                    }
                    return Stretch::Over;
                }
                () = drained(&mut drain), if !draining => {
                    if link.is_quiet() {
                        break;
                    }
                    Pin::new(&mut connection).graceful_shutdown();
                    draining = true;
                }
                () = tick.as_mut() => {
                    tick.as_mut().reset(tokio::time::Instant::now() + TICK);
                    match outlook.look(link) {
                        link::Look::Busy => {}
                        link::Look::Idle => break,
                        link::Look::Stuck => return Stretch::Over,
                        link::Look::HeaderLate => return reject(connection.into_parts().io).await,
                    }
                }
            }
        }
        let parts = connection.into_parts();
        // Old clients write an empty line behind a body (RFC 9112 §2.2).
        if !parts.read_buf.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            return reject(parts.io).await;
        }
        Stretch::Idle(parts.io.into_inner().into_inner().into_inner())
    }

    async fn http2<S: Socket>(self, socket: S, link: Arc<Link>) {
        let service = service_fn(|mut request: Request<Incoming>| {
            let turn = Turn::begin(&link);
            // Whether it will be switched is known by who answers.
            let switch = (request.method() == Method::CONNECT).then(|| hyper::upgrade::on(&mut request));
            let answer = self.answer.answer(&link, request);
            async move { Ok::<_, std::convert::Infallible>(turn.carry_stream(answer.await, switch)) }
        });
        let metered = Metered::new(TokioIo::new(socket), Arc::clone(&link));
        let io = Guarded::http2(metered, Arc::clone(link.verdict()));
        let mut connection = std::pin::pin!(http2_builder().serve_connection(io, service));
        let mut outlook = Outlook::new(self.timing.idle, TICK);
        let mut drain = self.drain.clone();
        let mut draining = false;
        loop {
            tokio::select! {
                biased;
                _ = connection.as_mut() => return,
                () = drained(&mut drain), if !draining => {
                    connection.as_mut().graceful_shutdown();
                    draining = true;
                }
                () = tokio::time::sleep(TICK) => {
                    // Who has been told goodbye and asks nothing more may be gone without a word.
                    if outlook.is_stuck(&link) || (draining && outlook.is_quiet(&link)) {
                        return;
                    }
                    if !draining && outlook.idled(&link) {
                        connection.as_mut().graceful_shutdown();
                        draining = true;
                    }
                }
            }
        }
    }
}

fn http2_builder() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(100)
        .initial_stream_window_size(256 * 1024)
        .initial_connection_window_size(1024 * 1024)
        .max_pending_accept_reset_streams(20)
        .max_header_list_size(32 * 1024)
        // RFC 8441: it may ask for WebSockets; whether there are any is decided by who answers.
        .enable_connect_protocol()
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

/// Tells the client that its header came too late, and hangs up.
async fn reject<S: Socket>(io: Guarded<Metered<TokioIo<S>>>) -> Stretch<S> {
    let mut socket = io.into_inner().into_inner().into_inner();
    let farewell = async { socket.write_all(HEADER_TIMEOUT).await.and(socket.shutdown().await) };
    // The client may be gone; there is nobody to tell.
    drop(timeout(FAREWELL, farewell).await);
    Stretch::Over
}

/// Resolves when a silent connection has to go because we stop: at once where it has been served, after
/// a moment where its first request may be on its way.
async fn given_up(drain: &mut watch::Receiver<bool>, served: bool) {
    drained(drain).await;
    if !served {
        tokio::time::sleep(FAREWELL).await;
    }
}

/// Whether the client's first bytes are those of HTTP/2; waits for as many as it takes to know.
async fn speaks_http2(stream: &TcpStream) -> io::Result<bool> {
    loop {
        let ready = stream.ready(Interest::READABLE).await?;
        // Saying that reading would block makes the next turn wait for more than is there already.
        match stream.try_io(Interest::READABLE, || begins_http2(stream)) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            Err(_) if ready.is_read_closed() => return Ok(false),
            Err(_) => {}
            Ok(http2) => return Ok(http2),
        }
    }
}

/// Whether what has come begins HTTP/2; would block where that cannot be told yet.
fn begins_http2(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0; PREFACE.len()];
    let (seen, _) = rustix::net::recv(stream, &mut first, RecvFlags::PEEK)?;
    let undecided = 0 < seen && seen < PREFACE.len() && first[..seen] == PREFACE[..seen];
    if undecided { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(first == PREFACE) }
}
