//! What is noted, wherever the bytes are cut; and what honest clients send.

use std::collections::VecDeque;
use std::task::Waker;

use proptest::prelude::*;

use super::*;

/// A connection that delivers prepared pieces and takes everything.
struct Wire(VecDeque<Vec<u8>>);

impl Read for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut out: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(piece) = self.0.front_mut() else { return Poll::Ready(Ok(())) };
        let n = piece.len().min(out.remaining());
        out.put_slice(&piece[..n]);
        piece.drain(..n);
        if piece.is_empty() {
            self.0.pop_front();
        }
        Poll::Ready(Ok(()))
    }
}

impl Write for Wire {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}

/// Reads everything; what was passed on, and whether the reading failed.
fn drain(guarded: &mut Guarded<Wire>) -> (Vec<u8>, bool) {
    let (mut context, mut passed) = (Context::from_waker(Waker::noop()), Vec::new());
    loop {
        let mut room = [0; 4096];
        let mut buffer = ReadBuf::new(&mut room);
        match Pin::new(&mut *guarded).poll_read(&mut context, buffer.unfilled()) {
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => return (passed, false),
            Poll::Ready(Ok(())) => passed.extend_from_slice(buffer.filled()),
            Poll::Ready(Err(_)) | Poll::Pending => return (passed, true),
        }
    }
}

fn over(pieces: &[&[u8]]) -> (Vec<u8>, bool, Option<Violation>) {
    let verdict = Arc::new(Verdict::default());
    let wire = Wire(pieces.iter().map(|piece| piece.to_vec()).filter(|piece| !piece.is_empty()).collect());
    let (passed, failed) = drain(&mut Guarded::http1(wire, Arc::clone(&verdict)));
    (passed, failed, verdict.violation())
}

/// The same in one piece, in two at every place, and byte by byte.
#[track_caller]
fn noted(bytes: &[u8], expected: Option<Violation>, shows: &str) {
    for at in 0..=bytes.len() {
        let (first, second) = bytes.split_at(at);
        assert_eq!(over(&[first, second]).2, expected, "{shows}, cut at {at}");
    }
    let single: Vec<_> = bytes.chunks(1).collect();
    assert_eq!(over(&single).2, expected, "{shows}, byte by byte");
}

const GET: &str = "GET /a HTTP/1.1\r\nHost: acme.test\r\n\r\n";

#[test]
fn honest_requests() {
    let table: [(String, &str); 11] = [
        (GET.to_owned(), "one"),
        (GET.repeat(3), "three on one connection"),
        (format!("\r\n\r\n{GET}"), "empty lines first"),
        ("GET / HTTP/1.0\r\n\r\n".to_owned(), "HTTP/1.0"),
        (format!("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\na\nb\rc{GET}"), "a body is not looked at"),
        (format!("POST / HTTP/1.1\r\ncontent-length:0\r\n\r\n{GET}"), "an empty body"),
        (
            format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\na\nb\rc\r\n0\r\n\r\n{GET}"),
            "chunks",
        ),
        (
            format!(
                "POST / HTTP/1.1\r\ntransfer-encoding:\tChunked \r\n\r\n00a;n=v\r\n0123456789\r\n0\r\n\r\n{GET}"
            ),
            "with an extension, leading zeros and other case",
        ),
        (
            format!(
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1 ;a=\"b c\"\r\nx\r\n0\r\nX-T: v\r\n\r\n{GET}"
            ),
            "with trailers and white space before the extension",
        ),
        ("GET /a HTTP/1.1\r\nX-Empty:\r\nX: a:b\r\n\r\n".to_owned(), "an empty value"),
        (
            "GET /{}^|\"?a=b\\c HTTP/1.1\r\nX-Long-Header-Na: v\r\n\r\n".to_owned(),
            "names as long as those that count",
        ),
    ];
    for (bytes, shows) in table {
        noted(bytes.as_bytes(), None, shows);
        let (passed, failed, _) = over(&[bytes.as_bytes()]);
        assert_eq!((passed, failed), (bytes.into_bytes(), false), "{shows}: nothing is changed");
    }
}

#[test]
fn ambiguous_lines() {
    use Violation as V;
    each_is_noted(&[
        ("GET / HTTP/1.1\nHost: a\r\n\r\n", V::BareLineFeed, "behind the request line"),
        ("GET / HTTP/1.1\r\nHost: a\n\r\n", V::BareLineFeed, "behind a field"),
        ("GET / HTTP/1.1\r\nHost: a\r\n\n", V::BareLineFeed, "at the end of the head"),
        ("GET / HTTP/1.1\nHost: a\n\n", V::BareLineFeed, "everywhere"),
        ("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", V::BareLineFeed, "before the request"),
        ("GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", V::BareCarriageReturn, "in a value"),
        ("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", V::BareCarriageReturn, "twice"),
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\r\n\r\n", V::BareCarriageReturn, "before the end of the head"),
        ("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", V::Folded, "a folded line"),
        ("GET / HTTP/1.1\r\nHost: a\r\n\tb: c\r\n\r\n", V::Folded, "with a tab and a colon"),
        ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", V::Folded, "the first field"),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", V::FieldName, "a space before the colon"),
        ("GET / HTTP/1.1\r\nHost\t: a\r\n\r\n", V::FieldName, "a tab before the colon"),
        ("GET / HTTP/1.1\r\nHost\r\n\r\n", V::FieldName, "no colon"),
        ("GET / HTTP/1.1\r\n: a\r\n\r\n", V::FieldName, "no name"),
        ("GET  / HTTP/1.1\r\n\r\n", V::RequestLine, "two spaces"),
        ("GET /  HTTP/1.1\r\n\r\n", V::RequestLine, "two spaces before the version"),
        ("GET / HTTP/1.1 \r\n\r\n", V::RequestLine, "a space at the end"),
        ("GET /a b HTTP/1.1\r\n\r\n", V::RequestLine, "a space in the target"),
        ("GET\t/ HTTP/1.1\r\n\r\n", V::RequestLine, "a tab"),
        ("GET /\tx HTTP/1.1\r\n\r\n", V::RequestLine, "a tab in the target"),
        (" GET / HTTP/1.1\r\n\r\n", V::RequestLine, "a leading space"),
        ("GET /\r\n\r\n", V::RequestLine, "HTTP/0.9"),
        ("GET / HTTP/2.0\r\n\r\n", V::RequestLine, "another version"),
        ("GET / http/1.1\r\n\r\n", V::RequestLine, "in lower case"),
        ("GET /a#b HTTP/1.1\r\n\r\n", V::Fragment, "a fragment"),
        ("GET /a?b#c HTTP/1.1\r\n\r\n", V::Fragment, "behind a query"),
    ]);
}

#[test]
fn ambiguous_framing() {
    use Violation as V;
    each_is_noted(&[
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", V::ContentLength, "twice"),
        ("POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n", V::ContentLength, "a list"),
        ("POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", V::ContentLength, "a sign"),
        ("POST / HTTP/1.1\r\nContent-Length:\r\n\r\n", V::ContentLength, "empty"),
        ("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", V::ContentLength, "too large"),
        (
            "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            V::TransferEncoding,
            "another coding",
        ),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", V::TransferEncoding, "in HTTP/1.0"),
        (
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTRANSFER-ENCODING: chunked\r\n\r\n",
            V::TransferEncoding,
            "twice",
        ),
        (
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            V::BothFramings,
            "both framings",
        ),
    ]);
}

#[track_caller]
fn each_is_noted(table: &[(&str, Violation, &str)]) {
    for (bytes, violation, shows) in table.iter().copied() {
        noted(bytes.as_bytes(), Some(violation), shows);
        noted(
            format!("{GET}{bytes}").as_bytes(),
            Some(violation),
            &format!("{shows}, second on its connection"),
        );
        assert_eq!(over(&[bytes.as_bytes()]).0, bytes.as_bytes(), "{shows}: the head reaches hyper");
    }
}

#[test]
fn ambiguous_chunks() {
    use Violation as V;
    let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    let long = format!("1;{}\r\nx\r\n0\r\n\r\n", "a".repeat(1100));
    let table: [(&str, Violation, &str); 19] = [
        ("1\nx\r\n0\r\n\r\n", V::BareLineFeed, "behind a size"),
        ("1\r\nx\n0\r\n\r\n", V::BareLineFeed, "behind a chunk"),
        ("1\r\nx\r\n0\n\r\n", V::BareLineFeed, "behind the last size"),
        ("1\r\nx\r\n0\r\n\n", V::BareLineFeed, "at the end"),
        ("1;a\nb\r\nx\r\n0\r\n\r\n", V::BareLineFeed, "in an extension"),
        ("1;a\rb\r\nx\r\n0\r\n\r\n", V::BareCarriageReturn, "in an extension"),
        ("1;a\0b\r\nx\r\n0\r\n\r\n", V::ChunkExtension, "NUL in an extension"),
        ("1;a\u{7f}\r\nx\r\n0\r\n\r\n", V::ChunkExtension, "DEL in an extension"),
        ("\r\nx\r\n", V::ChunkSize, "no size"),
        ("0x1\r\nx\r\n", V::ChunkSize, "a prefix"),
        ("+1\r\nx\r\n", V::ChunkSize, "a sign"),
        (" 1\r\nx\r\n", V::ChunkSize, "a leading space"),
        ("1 \r\nx\r\n", V::ChunkSize, "a trailing space"),
        ("1 1\r\nx\r\n", V::ChunkSize, "two numbers"),
        ("fffffffffffffffff\r\nx\r\n", V::ChunkSize, "too large"),
        ("1\r\nxy\r\n0\r\n\r\n", V::ChunkEnd, "a chunk that is longer than it says"),
        ("0\r\nX : y\r\n\r\n", V::FieldName, "a malformed trailer"),
        ("0\r\n folded\r\n\r\n", V::Folded, "a folded trailer"),
        (&long, V::LineTooLong, "a long extension"),
    ];
    for (bytes, violation, shows) in table {
        let bytes = format!("{head}{bytes}");
        noted(bytes.as_bytes(), Some(violation), shows);
        let (passed, failed, _) = over(&[head.as_bytes(), &bytes.as_bytes()[head.len()..]]);
        assert!(failed && passed == head.as_bytes(), "{shows}: the body is not passed on");
    }
}

#[test]
fn nothing_is_read_behind_a_refused_head() {
    let refused = b"GET /a#b HTTP/1.1\r\n\r\n";
    let (passed, failed, violation) = over(&[refused, GET.as_bytes()]);
    assert_eq!((passed.as_slice(), failed, violation), (&refused[..], true, Some(Violation::Fragment)));
}

#[test]
fn a_verdict_stays() {
    let verdict = Verdict::default();
    assert_eq!(verdict.violation(), None);
    for violation in Violation::ALL {
        assert_eq!(Violation::ALL.get(usize::from(violation.code()) - 1), Some(&violation));
    }
    verdict.note(Violation::Flood);
    verdict.note(Violation::Folded);
    verdict.release();
    assert_eq!(verdict.violation(), Some(Violation::Flood));
}

#[test]
fn a_released_connection_is_not_watched() {
    let verdict = Arc::new(Verdict::default());
    let wire = Wire([GET.as_bytes().to_vec(), b"\x81\x05hello\n\n\n".to_vec()].into());
    let mut guarded = Guarded::http1(wire, Arc::clone(&verdict));
    verdict.release();
    let (passed, failed) = drain(&mut guarded);
    assert_eq!((passed.len(), failed, verdict.violation()), (GET.len() + 10, false, None));
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

fn frame(kind: u8, payload: usize) -> Vec<u8> {
    let [_, a, b, c] = u32::try_from(payload).expect("small").to_be_bytes();
    let mut frame = vec![a, b, c, kind, 0, 0, 0, 0, 0];
    frame.resize(9 + payload, 0);
    frame
}

fn http2(pieces: VecDeque<Vec<u8>>) -> (bool, Option<Violation>) {
    let verdict = Arc::new(Verdict::default());
    let (_, failed) = drain(&mut Guarded::http2(Wire(pieces), Arc::clone(&verdict)));
    (failed, verdict.violation())
}

#[test]
fn floods() {
    let flood = (true, Some(Violation::Flood));
    let calm = (false, None);
    let table: [(&[(u8, usize)], usize, (bool, Option<Violation>), &str); 10] = [
        (&[(4, 0)], 2000, flood, "SETTINGS"),
        (&[(6, 8)], 2000, flood, "PING"),
        (&[(2, 5)], 2000, flood, "PRIORITY"),
        (&[(8, 4)], 2000, flood, "WINDOW_UPDATE"),
        (&[(0xbe, 0)], 2000, flood, "frames of no known type"),
        (&[(6, 8)], 900, calm, "a few"),
        (&[(1, 40), (8, 4), (8, 4)], 5000, calm, "window updates beside requests"),
        (&[(0, 1500), (8, 4), (6, 8)], 2000, calm, "probes beside data"),
        (&[(1, 40), (3, 4)], 5000, calm, "resets, which h2 itself limits"),
        (&[(4, 0), (4, 0), (4, 0), (1, 40), (4, 0), (4, 0)], 3000, flood, "few requests among many SETTINGS"),
    ];
    for (kinds, times, expected, shows) in table {
        let burst: Vec<u8> = kinds.iter().flat_map(|(kind, payload)| frame(*kind, *payload)).collect();
        let all = [PREFACE, &burst.repeat(times)].concat();
        for size in [4096, 7] {
            let pieces = all.chunks(size).map(<[u8]>::to_vec).collect();
            assert_eq!(http2(pieces), expected, "{shows}, {size} bytes at once");
        }
    }
}

#[test]
fn what_is_sent_to_the_client_earns_probes() {
    let verdict = Arc::new(Verdict::default());
    let all = [PREFACE, &frame(8, 4).repeat(3000)].concat();
    let mut guarded = Guarded::http2(Wire([all].into()), verdict);
    let mut context = Context::from_waker(Waker::noop());
    let sent = [IoSlice::new(b"x")];
    assert!(guarded.is_write_vectored(), "what the connection can do is passed on");
    assert!(Pin::new(&mut guarded).poll_write_vectored(&mut context, &sent).is_ready());
    assert!(Pin::new(&mut guarded).poll_write(&mut context, &vec![0; 2_000_000]).is_ready());
    assert!(!drain(&mut guarded).1);
}

proptest! {
    /// Wherever a stream is cut, the same is noted, and what was passed on is a beginning of it.
    #[test]
    fn cuts_change_nothing(
        parts in proptest::collection::vec("(GET / HTTP/1.1\r\n|Host: a\r\n|\r\n|\n|\r|Content-Length: 3\r\n|Transfer-Encoding: chunked\r\n|abc|3\r\n|0\r\n\r\n|;x)", 0..12),
        cuts in proptest::collection::vec(1usize..9, 1..6),
    ) {
        let bytes = parts.concat().into_bytes();
        let (whole, _, violation) = over(&[&bytes]);
        let (mut pieces, mut rest) = (Vec::new(), bytes.as_slice());
        for cut in cuts.iter().cycle().take(100) {
            let (piece, tail) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece);
            rest = tail;
        }
        pieces.push(rest);
        let (cut, _, same) = over(&pieces);
        prop_assert_eq!(violation, same);
        prop_assert!(bytes.starts_with(&whole) && bytes.starts_with(&cut));
    }

    #[test]
    fn any_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        over(&[&bytes]);
        http2([bytes].into());
    }
}
