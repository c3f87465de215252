//! What goes in comes out, when it went in, in each coding.

use std::collections::VecDeque;
use std::task::Waker;

use compression_codecs::core::util::{PartialBuffer, WriteBuffer};
use compression_codecs::{BrotliDecoder, DecodeV2, GzipDecoder, ZlibDecoder, ZstdDecoder};
use http::HeaderValue;

use super::super::encoder::Plan;
use super::super::room::Room;
use super::*;
use crate::request::coding::Coding;

/// A body that gives what it is told, and waits in between.
struct Script(VecDeque<Option<Result<Frame<Bytes>, BodyError>>>);

impl http_body::Body for Script {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.0.pop_front() {
            Some(Some(frame)) => Poll::Ready(Some(frame)),
            Some(None) => Poll::Pending,
            None => Poll::Ready(None),
        }
    }
}

/// A piece of a source; nothing is a source that has none yet.
type Piece = Option<Result<Frame<Bytes>, BodyError>>;

#[expect(clippy::unnecessary_wraps, reason = "one of the pieces of a script, some of which are none")]
fn data(bytes: impl Into<Bytes>) -> Piece {
    Some(Ok(Frame::data(bytes.into())))
}

fn squeezed(coding: Coding, script: Vec<Piece>) -> Squeezed {
    let plan = Plan::of(coding, None);
    let place = Room::default().take(plan.cost()).expect("there is room");
    Squeezed::new(Body::transformed(Script(script.into())), Encoder::new(plan), place)
}

fn poll(body: &mut Squeezed) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
    http_body::Body::poll_frame(Pin::new(body), &mut Context::from_waker(Waker::noop()))
}

/// What can be read of `bytes` so far.
fn read(coding: Coding, bytes: &[u8]) -> Vec<u8> {
    let mut decoder: Box<dyn DecodeV2> = match coding {
        Coding::Gzip => Box::new(GzipDecoder::new()),
        Coding::Deflate => Box::new(ZlibDecoder::new()),
        Coding::Brotli => Box::new(BrotliDecoder::new()),
        Coding::Zstd => Box::new(ZstdDecoder::new()),
    };
    let (mut text, mut input) = (Vec::new(), PartialBuffer::new(bytes));
    loop {
        let mut piece = vec![0; 64 * 1024];
        let mut output = WriteBuffer::new_initialized(&mut piece);
        let ended = decoder.decode(&mut input, &mut output).expect("what was coded can be read");
        text.extend_from_slice(output.written());
        if ended || (input.unwritten().is_empty() && !output.has_no_spare_space()) {
            return text;
        }
    }
}

/// All that is given until the end, or the next wait of the source.
fn given(body: &mut Squeezed) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    loop {
        match poll(body) {
            Poll::Ready(Some(frame)) => bytes.extend(frame.expect("no error").into_data().expect("data")),
            Poll::Ready(None) => return (bytes, true),
            Poll::Pending => return (bytes, false),
        }
    }
}

/// Text that does not get small at once.
fn text(length: usize) -> Vec<u8> {
    let mut state = 7_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b'a' + u8::try_from(state >> 28).expect("four bits")
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[test]
fn what_went_in_comes_out() {
    for coding in Coding::ALL {
        for length in [0, 1, 1_000, 70_000, 400_000] {
            let whole = text(length);
            let pieces = whole.chunks(33_333).map(|piece| data(piece.to_vec())).collect();
            let mut body = squeezed(coding, pieces);
            let mut bytes = Vec::new();
            loop {
                let (some, ended) = given(&mut body);
                bytes.extend(some);
                if ended {
                    break;
                }
            }
            assert_eq!(read(coding, &bytes), whole, "{coding:?}, {length} bytes");
            assert!(http_body::Body::is_end_stream(&body));
            assert!(
                length < 1_000 || bytes.len() < length * 3 / 4,
                "{coding:?}: {length} became {}",
                bytes.len()
            );
        }
    }
}

#[test]
fn a_slow_source_is_never_held_back() {
    for coding in Coding::ALL {
        // It is asked again after it was flushed.
        let script =
            [data("one, "), None, None, data("two, "), data("three, "), None, None, None, data("four")];
        let script = Vec::from(script);
        let mut body = squeezed(coding, script);
        let mut bytes = Vec::new();
        for (so_far, ends) in [("one, ", false), ("one, two, three, ", false), ("one, two, three, ", false)] {
            let (some, ended) = given(&mut body);
            bytes.extend(some);
            let readable = read(coding, &bytes);
            assert_eq!((String::from_utf8_lossy(&readable).as_ref(), ended), (so_far, ends), "{coding:?}");
        }
        let (some, ended) = given(&mut body);
        bytes.extend(some);
        assert!(ended);
        assert_eq!(read(coding, &bytes), b"one, two, three, four", "{coding:?}");
    }
}

#[test]
fn a_source_that_always_has_more_gives_way() {
    for coding in Coding::ALL {
        let whole = Bytes::from(vec![b'x'; 1024 * 1024]);
        let mut body = squeezed(coding, vec![data(whole)]);
        let mut waits = 0;
        loop {
            match poll(&mut body) {
                Poll::Ready(Some(frame)) => drop(frame),
                Poll::Pending => waits += 1,
                Poll::Ready(None) => break,
            }
            assert!(body.output.len() == PIECE && body.taken <= SLICE);
        }
        assert!(waits >= 1024 / 64 - 1, "{coding:?}: others had {waits} turns");
    }
}

#[test]
fn trailers_follow_as_they_came() {
    let trailers = HeaderMap::from_iter([("x-sum".parse().expect("a name"), HeaderValue::from_static("1"))]);
    let mut body = squeezed(Coding::Gzip, vec![data("text"), Some(Ok(Frame::trailers(trailers.clone())))]);
    let mut frames = Vec::new();
    while let Poll::Ready(Some(frame)) = poll(&mut body) {
        frames.push(frame.expect("no error"));
    }
    let last = frames.pop().and_then(|frame| frame.into_trailers().ok());
    assert_eq!(last, Some(trailers));
    let bytes: Vec<u8> = frames.into_iter().flat_map(|frame| frame.into_data().expect("data")).collect();
    assert_eq!(read(Coding::Gzip, &bytes), b"text");
}

#[test]
fn a_source_that_breaks_off_is_no_shorter_body() {
    let mut body = squeezed(Coding::Gzip, vec![data("text"), Some(Err(BodyError::Ambiguous))]);
    assert!(matches!(poll(&mut body), Poll::Ready(Some(Err(BodyError::Ambiguous)))));
}

#[test]
fn the_encoder_goes_with_the_end_of_the_source() {
    let plan = Plan::of(Coding::Gzip, Some(100));
    let room = Room::of(plan.cost());
    let place = room.take(plan.cost()).expect("there is room");
    let source = Body::transformed(Script(vec![data(text(100))].into()));
    let mut body = Squeezed::new(source, Encoder::new(plan), place);
    assert!(matches!(poll(&mut body), Poll::Ready(Some(Ok(_)))));
    assert!(room.take(plan.cost()).is_some(), "its place is free, though the answer still lives");
}
