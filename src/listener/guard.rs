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
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};

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

/// What has been noted of a connection; shared with whoever answers its requests.
#[derive(Debug, Default)]
pub struct Verdict(AtomicU8);

/// Nothing noted.
const CLEAN: u8 = 0;
/// The connection no longer speaks HTTP.
const RELEASED: u8 = u8::MAX;

impl Verdict {
    /// What was noted first. Once there is something it stays: the request is to be refused with 400
    /// and the connection closed.
    #[must_use]
    pub fn violation(&self) -> Option<Violation> {
        let noted = self.0.load(Ordering::Acquire);
        Violation::ALL.into_iter().find(|violation| violation.code() == noted)
    }

    /// The connection is no longer HTTP/1 from the next byte on: a `101` is about to be sent.
    pub fn release(&self) {
        // A violation noted before stays.
        let _ = self.0.compare_exchange(CLEAN, RELEASED, Ordering::AcqRel, Ordering::Acquire);
    }

    fn is_released(&self) -> bool {
        self.0.load(Ordering::Acquire) == RELEASED
    }

    fn note(&self, violation: Violation) {
        let _ = self.0.compare_exchange(CLEAN, violation.code(), Ordering::AcqRel, Ordering::Acquire);
    }
}

/// What makes a connection's bytes ambiguous or hostile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Violation {
    /// A line that ends in a line feed alone.
    #[error("a bare line feed")]
    BareLineFeed,
    /// A carriage return that ends no line.
    #[error("a bare carriage return")]
    BareCarriageReturn,
    /// Not method, target and version with one space between.
    #[error("a malformed request line")]
    RequestLine,
    /// `#` in the target.
    #[error("a fragment in the target")]
    Fragment,
    /// A field that goes on in the next line.
    #[error("a folded header line")]
    Folded,
    /// No colon, no name, or white space before the colon.
    #[error("a malformed header name")]
    FieldName,
    /// Repeated, or not a number.
    #[error("an unusable Content-Length")]
    ContentLength,
    /// Not exactly one `chunked`, or in HTTP/1.0.
    #[error("an unusable Transfer-Encoding")]
    TransferEncoding,
    /// Both ways to frame a body at once.
    #[error("Content-Length and Transfer-Encoding together")]
    BothFramings,
    /// A chunk's length that is no hexadecimal number.
    #[error("a malformed chunk size")]
    ChunkSize,
    /// A control byte in a chunk extension.
    #[error("a control byte in a chunk extension")]
    ChunkExtension,
    /// A chunk that does not end where it said.
    #[error("a chunk without its line end")]
    ChunkEnd,
    /// Longer than anything sensible.
    #[error("a line that is too long")]
    LineTooLong,
    /// Too many control frames.
    #[error("too many HTTP/2 control frames")]
    Flood,
}

impl Violation {
    const ALL: [Self; 14] = [
        Self::BareLineFeed,
        Self::BareCarriageReturn,
        Self::RequestLine,
        Self::Fragment,
        Self::Folded,
        Self::FieldName,
        Self::ContentLength,
        Self::TransferEncoding,
        Self::BothFramings,
        Self::ChunkSize,
        Self::ChunkExtension,
        Self::ChunkEnd,
        Self::LineTooLong,
        Self::Flood,
    ];

    /// How the verdict stores it: its place, from 1.
    const fn code(self) -> u8 {
        self as u8 + 1
    }
}

#[cfg(test)]
mod tests;
