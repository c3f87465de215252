//! Watches a connection's bytes below hyper, for what hyper lets through.
//!
//! hyper normalises before it shows a request: bare line feeds, folded lines, a length beside a
//! transfer coding, a fragment are gone by then, although two parsers may have read them differently
//! (RFC 9112 §2.2, §5.2, §6.3). [`Guarded`] reads the same bytes and notes a [`Violation`] in the
//! connection's [`Verdict`] before hyper hands the request over; it changes nothing on the wire. On
//! HTTP/2 it counts the frames that h2 does not limit. Surprising: each read goes through a buffer of
//! the thread, because what hyper's own buffer received cannot be seen without unsafe code.

mod flood;
mod http1;

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};

pub use crate::request::wire::{Verdict, Violation};

use flood::Flood;
use http1::Http1;

/// How much is read at once, at most.
const SCRATCH: usize = 64 * 1024;

thread_local! {
    /// One buffer a worker, not one a connection: it is only used while a read is under way.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH].into_boxed_slice());
}

/// A connection whose incoming bytes are watched.
#[derive(Debug)]
pub struct Guarded<IO> {
    io: IO,
    watch: Watch,
    verdict: Arc<Verdict>,
}

#[derive(Debug)]
enum Watch {
    Http1(Http1),
    Http2(Flood),
}

impl<IO> Guarded<IO> {
    /// Watches HTTP/1 requests, from the beginning of one.
    #[must_use]
    pub fn http1(io: IO, verdict: Arc<Verdict>) -> Self {
        Self { io, watch: Watch::Http1(Http1::default()), verdict }
    }

    /// Watches HTTP/2 frames, from the preface.
    #[must_use]
    pub fn http2(io: IO, verdict: Arc<Verdict>) -> Self {
        Self { io, watch: Watch::Http2(Flood::new()), verdict }
    }

    /// The connection, no longer watched.
    #[must_use]
    pub fn into_inner(self) -> IO {
        self.io
    }

    fn see(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        match &mut self.watch {
            Watch::Http1(_) if self.verdict.is_released() => Ok(()),
            Watch::Http1(http1) => http1.see(bytes, &self.verdict),
            Watch::Http2(flood) => flood.see(bytes).inspect_err(|violation| self.verdict.note(*violation)),
        }
    }

    fn wrote(&mut self, poll: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let (Watch::Http2(flood), Poll::Ready(Ok(n))) = (&mut self.watch, &poll) {
            flood.carried(*n);
        }
        poll
    }
}

impl<IO: Read + Unpin> Read for Guarded<IO> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut out: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        BUFFER.with_borrow_mut(|buffer| {
            let room = out.remaining().min(SCRATCH);
            let mut scratch = ReadBuf::new(buffer.get_mut(..room).unwrap_or_default());
            ready!(Pin::new(&mut this.io).poll_read(cx, scratch.unfilled()))?;
            this.see(scratch.filled())
                .map_err(|violation| io::Error::new(io::ErrorKind::InvalidData, violation))?;
            out.put_slice(scratch.filled());
            Poll::Ready(Ok(()))
        })
    }
}

impl<IO: Write + Unpin> Write for Guarded<IO> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let poll = Pin::new(&mut this.io).poll_write(cx, buf);
        this.wrote(poll)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let poll = Pin::new(&mut this.io).poll_write_vectored(cx, bufs);
        this.wrote(poll)
    }
}

#[cfg(test)]
mod tests;
