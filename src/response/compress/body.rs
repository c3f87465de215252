//! An answer's body, compressed while it is sent.
//!
//! Nothing is waited for: as soon as the source has nothing more to give, what it gave is flushed, so that
//! a slow stream arrives piece by piece as it was written. A source that always has more gives way after
//! [`SLICE`] bytes, so that one large answer does not keep a worker from all others. What it holds
//! is one encoder, one piece of the source and one of the output; the encoder goes with the last byte of
//! the source. Trailers follow the content as they came.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf as _, Bytes};
use http::HeaderMap;
use http_body::{Body as _, Frame, SizeHint};

use super::encoder::Encoder;
use super::room::Place;
use crate::forward::body::{Body, BodyError};

/// How many bytes are given at once.
const PIECE: usize = 16 * 1024;

/// How many bytes of the source are taken before others have their turn.
const SLICE: usize = 64 * 1024;

/// A compressed body.
pub(super) struct Squeezed {
    source: Body,
    /// What the source gave and was not taken yet.
    input: Bytes,
    /// There until the source's end has been given.
    working: Option<Working>,
    stage: Stage,
    trailers: Option<HeaderMap>,
    output: Box<[u8]>,
    /// How much of `output` is to be given.
    filled: usize,
    /// How many bytes were taken since others had their turn.
    taken: usize,
}

struct Working {
    encoder: Encoder,
    _place: Place,
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Bytes are taken, and the encoder holds none of them back.
    Fresh,
    /// Bytes are taken, and the encoder may hold some of them back.
    Taking,
    /// What the encoder holds is given, as nothing comes in.
    Flushing,
    /// The source has ended, and the end is given.
    Finishing,
    /// All is given but trailers.
    Over,
}

impl Squeezed {
    /// `source` through `encoder`, which `place` was taken for.
    pub(super) fn new(source: Body, encoder: Encoder, place: Place) -> Self {
        Self {
            source,
            input: Bytes::new(),
            working: Some(Working { encoder, _place: place }),
            stage: Stage::Fresh,
            trailers: None,
            output: vec![0; PIECE].into_boxed_slice(),
            filled: 0,
            taken: 0,
        }
    }

    /// Works until there is something to give, or nothing to be done.
    fn poll_filled(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BodyError>> {
        while self.filled < PIECE {
            match self.stage {
                Stage::Over => break,
                Stage::Finishing => self.empty().map_err(BodyError::Coding)?,
                Stage::Flushing => {
                    self.empty().map_err(BodyError::Coding)?;
                    if self.stage == Stage::Fresh && self.filled > 0 {
                        break;
                    }
                }
                Stage::Fresh | Stage::Taking if self.input.is_empty() => match self.poll_source(cx) {
                    Poll::Ready(asked) => asked?,
                    Poll::Pending if self.filled > 0 => break,
                    Poll::Pending => return Poll::Pending,
                },
                Stage::Fresh | Stage::Taking if self.taken < SLICE => {
                    self.take().map_err(BodyError::Coding)?;
                }
                Stage::Fresh | Stage::Taking if self.filled > 0 => break,
                Stage::Fresh | Stage::Taking => {
                    self.taken = 0;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Asks the source for more; pending only where nothing is held back.
    fn poll_source(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BodyError>> {
        let Poll::Ready(frame) = Pin::new(&mut self.source).poll_frame(cx) else {
            self.taken = 0;
            if self.stage == Stage::Fresh {
                return Poll::Pending;
            }
            self.stage = Stage::Flushing;
            return Poll::Ready(Ok(()));
        };
        match frame.transpose()?.map(Frame::into_data) {
            Some(Ok(data)) => self.input = data,
            Some(Err(trailers)) => {
                self.trailers = trailers.into_trailers().ok();
                self.stage = Stage::Finishing;
            }
            None => self.stage = Stage::Finishing,
        }
        Poll::Ready(Ok(()))
    }

    /// Takes some of what the source gave.
    fn take(&mut self) -> io::Result<()> {
        let Some(working) = &mut self.working else { return Ok(()) };
        let most = self.input.len().min(SLICE - self.taken);
        let (taken, given) = working.encoder.take(&self.input[..most], &mut self.output[self.filled..])?;
        self.input.advance(taken);
        self.taken += taken;
        self.filled += given;
        self.stage = Stage::Taking;
        Ok(())
    }

    /// Gives what the encoder holds back.
    fn empty(&mut self) -> io::Result<()> {
        let Some(working) = &mut self.working else { return Ok(()) };
        let (room, finishing) = (&mut self.output[self.filled..], self.stage == Stage::Finishing);
        let emptied = if finishing { working.encoder.finish(room) } else { working.encoder.flush(room) };
        let (given, all) = emptied?;
        self.filled += given;
        if all && finishing {
            self.working = None;
        }
        if all {
            self.stage = if finishing { Stage::Over } else { Stage::Fresh };
        }
        Ok(())
    }

    /// What is to be given.
    fn given(&mut self) -> Option<Frame<Bytes>> {
        if self.filled == 0 {
            return self.trailers.take().map(Frame::trailers);
        }
        let piece = Bytes::copy_from_slice(&self.output[..self.filled]);
        self.filled = 0;
        Some(Frame::data(piece))
    }
}

impl http_body::Body for Squeezed {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        match this.poll_filled(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(())) => Poll::Ready(this.given().map(Ok)),
            Poll::Ready(Err(error)) => {
                // A body that broke off has no end.
                (this.stage, this.filled, this.working) = (Stage::Over, 0, None);
                Poll::Ready(Some(Err(error)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.stage == Stage::Over && self.filled == 0 && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

#[cfg(test)]
mod tests;
