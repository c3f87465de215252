//! A socket that can be waited for without buffers, and one that notes what passes.
//!
//! The first is what an idle connection is parked as; the second tells the connection's clock that
//! something moved.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use rustix::net::{RecvFlags, recv};
use tokio::io::{AsyncRead, AsyncWrite, Interest};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::link::Link;

/// A byte stream over a TCP socket.
pub(super) trait Socket: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Resolves when the peer has sent something, or is gone.
    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send;

    /// Ends the connection by a reset, so that nobody takes half an answer for a whole one.
    fn break_off(self);
}

impl Socket for TcpStream {
    /// Readiness may be said too soon (a fresh socket counts as ready), so the socket is looked at too.
    async fn readable(&self) -> io::Result<()> {
        loop {
            TcpStream::readable(self).await?;
            let mut first = [0];
            match self.try_io(Interest::READABLE, || Ok(recv(self, &mut first, RecvFlags::PEEK)?)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                looked => return looked.map(drop),
            }
        }
    }

    fn break_off(self) {
        // Where this fails the connection ends all the same.
        drop(self.set_zero_linger());
    }
}

impl Socket for TlsStream<TcpStream> {
    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send {
        Socket::readable(self.get_ref().0)
    }

    fn break_off(self) {
        self.into_inner().0.break_off();
    }
}

/// Tells its [`Link`] when a request begins to come in and when the peer does not take what we write.
pub(super) struct Metered<I> {
    io: I,
    link: Arc<Link>,
}

impl<I> Metered<I> {
    pub(super) fn new(io: I, link: Arc<Link>) -> Self {
        Self { io, link }
    }

    pub(super) fn into_inner(self) -> I {
        self.io
    }
}

impl<S: AsyncRead + Unpin> Read for Metered<TokioIo<S>> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.io).poll_read(cx, buf);
        if polled.is_ready() {
            self.link.heard();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> Write for Metered<TokioIo<S>> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, buf);
        self.link.wrote(polled.is_pending());
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.link.wrote(polled.is_pending());
        polled
    }
}
