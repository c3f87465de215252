//! A file as a body.
//!
//! The first piece comes with the answer, so that a small file is never waited for twice. Every further
//! piece is read on a blocking thread while the one before is sent. Exactly the promised number of bytes is
//! sent: a file that grows is cut, one that shrinks ends the body with an error and thereby the connection.

use std::io::{self, Read as _};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::task::{JoinHandle, spawn_blocking};

use super::File;

/// The most that is read at once.
const PIECE: u64 = 128 * 1024;

/// The bytes of a file, or of a part of it.
#[derive(Debug)]
pub struct FileBody {
    next: Next,
    remaining: u64,
}

/// Where the next piece is.
#[derive(Debug)]
enum Next {
    Nowhere,
    Ready(Bytes, Option<File>),
    Reading(JoinHandle<io::Result<(Bytes, File)>>),
}

impl FileBody {
    /// No bytes.
    pub(super) fn empty() -> Self {
        Self { next: Next::Nowhere, remaining: 0 }
    }

    /// These bytes.
    pub(super) fn whole(bytes: Bytes) -> Self {
        let remaining = length(&bytes);
        let next = if bytes.is_empty() { Next::Nowhere } else { Next::Ready(bytes, None) };
        Self { next, remaining }
    }

    /// `first`, and then what follows in `file` until `length` bytes were sent.
    pub(super) fn new(first: Bytes, file: File, length: u64) -> Self {
        let next = match length {
            0 => Next::Nowhere,
            _ => Next::Ready(first, Some(file)),
        };
        Self { next, remaining: length }
    }

    /// Hands out `piece`, and begins to read the next one.
    fn hand_out(&mut self, piece: Bytes, file: Option<File>) -> Bytes {
        self.remaining = self.remaining.saturating_sub(length(&piece));
        let remaining = self.remaining;
        if let (Some(mut file), 1..) = (file, remaining) {
            let read = move || read(&mut file, remaining).map(|piece| (piece, file));
            self.next = Next::Reading(spawn_blocking(read));
        }
        piece
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let (piece, file) = match std::mem::replace(&mut self.next, Next::Nowhere) {
            Next::Nowhere => return Poll::Ready(None),
            Next::Ready(piece, file) => (piece, file),
            Next::Reading(mut reading) => match Pin::new(&mut reading).poll(context) {
                Poll::Pending => {
                    self.next = Next::Reading(reading);
                    return Poll::Pending;
                }
                Poll::Ready(read) => match read.map_err(io::Error::other).flatten() {
                    Ok((piece, file)) => (piece, Some(file)),
                    Err(error) => return Poll::Ready(Some(Err(error))),
                },
            },
        };
        Poll::Ready(Some(Ok(Frame::data(self.hand_out(piece, file)))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.next, Next::Nowhere)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}

/// Reads the next piece of the `remaining` bytes; blocks on the disk.
pub(super) fn read(file: &mut File, remaining: u64) -> io::Result<Bytes> {
    let wanted = remaining.min(PIECE);
    let mut piece = Vec::with_capacity(usize::try_from(wanted).map_err(io::Error::other)?);
    file.take(wanted).read_to_end(&mut piece)?;
    let piece = Bytes::from(piece);
    if length(&piece) < wanted { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(piece) }
}

fn length(piece: &Bytes) -> u64 {
    u64::try_from(piece.len()).unwrap_or(u64::MAX)
}
