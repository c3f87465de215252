//! HTTP/2 with prior knowledge, frame by frame, so that what no library would send can be sent.
//!
//! Header blocks are written without compression. Of answers only the status is decoded, which needs
//! the static table and the code of ten digits; the rest of a block is left alone.

use std::net::SocketAddr;

use super::client::{Client, NoReply};

/// A frame.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// Its type: 0 DATA, 1 HEADERS, 3 `RST_STREAM`, 4 SETTINGS, 6 PING, 7 GOAWAY.
    pub(crate) kind: u8,
    /// Its flags: 1 end of stream (or acknowledgement), 4 end of headers.
    pub(crate) flags: u8,
    /// The stream.
    pub(crate) stream: u32,
    /// What it carries.
    pub(crate) payload: Vec<u8>,
}

/// What became of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// An answer with this status, and its whole body.
    Answer(u16, Vec<u8>),
    /// The stream was reset with this code.
    Reset(u32),
    /// The connection was ended with this code, or closed (`None`).
    Gone(Option<u32>),
}

/// A connection.
pub(crate) struct H2 {
    client: Client,
    next: u32,
}

impl H2 {
    /// Connects, and sends preface and settings.
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::over(Client::connect(address))
    }

    /// Begins on a connection.
    pub(crate) fn over(mut client: Client) -> Self {
        client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        let mut h2 = Self { client, next: 1 };
        h2.send(4, 0, 0, &[]);
        h2
    }

    /// Writes a frame.
    pub(crate) fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut bytes = vec![length[1], length[2], length[3], kind, flags];
        bytes.extend(stream.to_be_bytes());
        bytes.extend_from_slice(payload);
        self.client.send(bytes);
    }

    /// Opens a stream with these fields, and returns it.
    pub(crate) fn open(&mut self, fields: &[(&str, &str)], end: bool) -> u32 {
        let stream = self.next;
        self.next += 2;
        self.send(1, 4 | u8::from(end), stream, &block(fields));
        stream
    }

    /// Sends a request and waits for what becomes of it.
    pub(crate) fn ask(&mut self, fields: &[(&str, &str)], body: &[u8]) -> Outcome {
        let stream = self.open(fields, body.is_empty());
        if !body.is_empty() {
            self.send(0, 1, stream, body);
        }
        self.outcome(stream)
    }

    /// The next frame, settings acknowledged and pings answered on the way.
    pub(crate) fn frame(&mut self) -> Result<Frame, NoReply> {
        loop {
            let head = self.client.exactly(9)?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let stream = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
            let payload = self.client.exactly(length as usize)?;
            let frame = Frame { kind: head[3], flags: head[4], stream, payload };
            match (frame.kind, frame.flags & 1) {
                (4, 0) => self.send(4, 1, 0, &[]),
                (6, 0) => self.send(6, 1, 0, &frame.payload),
                (4 | 6 | 8, _) => {}
                _ => return Ok(frame),
            }
        }
    }

    /// Reads frames until the stream has ended one way or another.
    pub(crate) fn outcome(&mut self, stream: u32) -> Outcome {
        let (mut status, mut body) = (0, Vec::new());
        loop {
            let frame = match self.frame() {
                Ok(frame) => frame,
                Err(NoReply::Silent) => panic!("stream {stream} got no answer"),
                Err(NoReply::Closed | NoReply::Cut) => return Outcome::Gone(None),
            };
            match frame.kind {
                7 => return Outcome::Gone(Some(word(&frame.payload[4..]))),
                3 if frame.stream == stream => {
                    if status == 0 {
                        return Outcome::Reset(word(&frame.payload));
                    }
                    return Outcome::Answer(status, body);
                }
                1 if frame.stream == stream => {
                    let found = decode_status(&frame.payload);
                    status = if found >= 200 || status == 0 { found.max(status) } else { status };
                }
                0 if frame.stream == stream => {
                    body.extend_from_slice(&frame.payload);
                    let size = u32::try_from(frame.payload.len()).unwrap();
                    if size > 0 {
                        self.send(8, 0, 0, &size.to_be_bytes());
                    }
                }
                _ => continue,
            }
            if frame.stream == stream && frame.flags & 1 == 1 && status >= 200 {
                return Outcome::Answer(status, body);
            }
        }
    }
}

fn word(bytes: &[u8]) -> u32 {
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// A header block of literals that are neither indexed nor compressed.
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in fields {
        bytes.push(0);
        for text in [name, value] {
            integer(&mut bytes, text.chars().count());
            bytes.extend(super::from_latin1(text));
        }
    }
    bytes
}

fn integer(bytes: &mut Vec<u8>, mut value: usize) {
    if value < 127 {
        bytes.push(u8::try_from(value).unwrap());
        return;
    }
    bytes.push(127);
    value -= 127;
    while value >= 128 {
        bytes.push(u8::try_from(value % 128).unwrap() | 128);
        value /= 128;
    }
    bytes.push(u8::try_from(value).unwrap());
}

/// The status at the beginning of a header block; 0 for a block without one (trailers).
fn decode_status(block: &[u8]) -> u16 {
    const INDEXED: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
    let mut rest = block;
    // Changes of the table's size come first.
    while rest.first().is_some_and(|byte| byte & 0xe0 == 0x20) {
        rest = &rest[1..];
    }
    match rest {
        [index @ 0x88..=0x8e, ..] => INDEXED[usize::from(index - 0x88)],
        [0x48 | 0x08 | 0x18, length, text @ ..] if length & 0x80 == 0 => {
            String::from_utf8_lossy(&text[..usize::from(*length)]).parse().unwrap()
        }
        [0x48 | 0x08 | 0x18, length, text @ ..] => decode_digits(&text[..usize::from(length & 0x7f)]),
        _ => 0,
    }
}

/// Three digits in the code of RFC 7541, appendix B: 0–2 have five bits, 3–9 six.
fn decode_digits(bytes: &[u8]) -> u16 {
    let bits = bytes.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
    let mut left = 8 * bytes.len();
    let mut number = 0;
    for _ in 0..3 {
        let five = (bits >> (left - 5)) & 31;
        let (digit, length) = if five < 3 { (five, 5) } else { (((bits >> (left - 6)) & 63) - 25 + 3, 6) };
        left -= length;
        number = number * 10 + u16::try_from(digit).unwrap();
    }
    number
}

#[test]
fn statuses_are_decoded() {
    assert_eq!(decode_status(&[0x8d]), 404);
    assert_eq!(decode_status(&[0x48, 3, b'4', b'2', b'1']), 421);
    // 403 from the examples' code: 011010 00000 011001, padded with ones.
    assert_eq!(decode_status(&[0x48, 0x83, 0b0110_1000, 0b0000_1100, 0b1111_1111]), 403);
}
