//! Follows HTTP/1 requests through a connection, line by line.
//!
//! It reads only what decides where messages begin and end, and strictly: CRLF and nothing else ends a
//! line, a body has one length (RFC 9112 §2.2, §6, §7.1). Bodies are skipped by counting. A fault in
//! a head is noted while the rest of the head still reaches hyper, so that the client gets its 400; a
//! fault in a body ends the connection at once.

use super::{Verdict, Violation};

/// The longest line of a head, in bytes: the header block's limit, and something for the request line.
const LONGEST_LINE: usize = 48 * 1024;
/// The longest line of a chunk's size and extensions, in bytes.
const LONGEST_SIZE: usize = 1024;
/// How many empty lines may precede a request (RFC 9112 §2.2 asks for one).
const MOST_EMPTY: u8 = 4;

/// Where on the connection the next byte stands.
#[derive(Debug, Default)]
pub(super) struct Http1 {
    place: Place,
    head: Head,
    /// A line's beginning, where it came in an earlier read.
    begun: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before a request line, after so many empty ones.
    Start(u8),
    /// In the header fields.
    Fields,
    /// So many bytes before the end of a body, or of a chunk.
    Data { left: u64, chunked: bool },
    /// Before the line end behind a chunk.
    ChunkEnd,
    /// Before a chunk's size.
    Size,
    /// Behind the last chunk.
    Trailers,
    /// In a head that is already refused.
    Refused(Violation),
    /// Behind it.
    Over(Violation),
}

impl Default for Place {
    fn default() -> Self {
        Self::Start(0)
    }
}

/// What a head has said of its body so far.
#[derive(Clone, Copy, Debug, Default)]
struct Head {
    length: Option<u64>,
    chunked: bool,
    /// HTTP/1.0, which has no transfer codings.
    old: bool,
}

impl Http1 {
    /// Looks at what the client sent.
    ///
    /// # Errors
    /// A violation after which nothing more may be read.
    pub(super) fn see(&mut self, mut bytes: &[u8], verdict: &Verdict) -> Result<(), Violation> {
        if let Place::Over(violation) = self.place {
            return Err(violation);
        }
        while !bytes.is_empty() {
            bytes = match self.place {
                Place::Data { left, chunked } => self.skip(bytes, left, chunked),
                Place::Over(_) => return Ok(()),
                Place::Start(_)
                | Place::Fields
                | Place::ChunkEnd
                | Place::Size
                | Place::Trailers
                | Place::Refused(_) => self.take_line(bytes, verdict)?,
            };
        }
        Ok(())
    }

    fn skip<'b>(&mut self, bytes: &'b [u8], left: u64, chunked: bool) -> &'b [u8] {
        let n = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        self.place = match left - n as u64 {
            0 if chunked => Place::ChunkEnd,
            0 => Place::Start(0),
            left => Place::Data { left, chunked },
        };
        bytes.get(n..).unwrap_or_default()
    }

    /// Takes one line, or what there is of it.
    fn take_line<'b>(&mut self, bytes: &'b [u8], verdict: &Verdict) -> Result<&'b [u8], Violation> {
        let Some(end) = memchr::memchr(b'\n', bytes) else {
            self.begun.extend_from_slice(bytes);
            check_length(self.place, self.begun.len()).inspect_err(|violation| verdict.note(*violation))?;
            return Ok(&[]);
        };
        let (line, rest) = bytes.split_at(end + 1);
        if self.begun.is_empty() {
            self.judge(line, verdict)?;
        } else {
            let mut whole = std::mem::take(&mut self.begun);
            whole.extend_from_slice(line);
            self.judge(&whole, verdict)?;
        }
        Ok(rest)
    }

    /// Looks at a whole line. What is wrong in a head is noted and the head goes on to its end, as the
    /// most lenient parser sees it.
    fn judge(&mut self, line: &[u8], verdict: &Verdict) -> Result<(), Violation> {
        let violation = match (self.place, self.line(line)) {
            (Place::Refused(violation), _) | (Place::Start(_) | Place::Fields, Err(violation)) => violation,
            (_, Ok(())) => return Ok(()),
            (_, Err(violation)) => {
                verdict.note(violation);
                return Err(violation);
            }
        };
        verdict.note(violation);
        let ends = matches!(line, b"\n" | b"\r\n");
        self.place = if ends { Place::Over(violation) } else { Place::Refused(violation) };
        Ok(())
    }

    /// One whole line with its end.
    fn line(&mut self, line: &[u8]) -> Result<(), Violation> {
        check_length(self.place, line.len() - 1)?;
        let content = line.strip_suffix(b"\r\n").ok_or(Violation::BareLineFeed)?;
        if memchr::memchr(b'\r', content).is_some() {
            return Err(Violation::BareCarriageReturn);
        }
        self.place = match self.place {
            Place::Start(empty) if content.is_empty() && empty < MOST_EMPTY => Place::Start(empty + 1),
            Place::Start(_) => {
                self.head = Head { old: request_line(content)?, ..Head::default() };
                Place::Fields
            }
            Place::Fields if content.is_empty() => self.head.body()?,
            Place::Fields => {
                self.head.field(content)?;
                Place::Fields
            }
            Place::Size => size(content)?,
            Place::ChunkEnd if content.is_empty() => Place::Size,
            Place::ChunkEnd => return Err(Violation::ChunkEnd),
            Place::Trailers if content.is_empty() => Place::Start(0),
            Place::Trailers => {
                name(content)?;
                Place::Trailers
            }
            same @ (Place::Data { .. } | Place::Refused(_) | Place::Over(_)) => same,
        };
        Ok(())
    }
}

impl Head {
    /// Notes what a field says of the body.
    fn field(&mut self, line: &[u8]) -> Result<(), Violation> {
        let (name, value) = name(line)?;
        match name.len() {
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                let length = length(value.trim_ascii()).ok_or(Violation::ContentLength)?;
                if self.length.replace(length).is_some() {
                    return Err(Violation::ContentLength);
                }
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                let chunked = value.trim_ascii().eq_ignore_ascii_case(b"chunked");
                if !chunked || self.old || std::mem::replace(&mut self.chunked, true) {
                    return Err(Violation::TransferEncoding);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What follows the head.
    fn body(self) -> Result<Place, Violation> {
        match (self.chunked, self.length) {
            (true, Some(_)) => Err(Violation::BothFramings),
            (true, None) => Ok(Place::Size),
            (false, None | Some(0)) => Ok(Place::Start(0)),
            (false, Some(left)) => Ok(Place::Data { left, chunked: false }),
        }
    }
}

/// A line may have so many bytes before its line feed; the same whether it comes in one read or in many.
fn check_length(place: Place, length: usize) -> Result<(), Violation> {
    let longest = if place == Place::Size { LONGEST_SIZE } else { LONGEST_LINE };
    if length > longest { Err(Violation::LineTooLong) } else { Ok(()) }
}

/// Method, target and version with one space between; whether it is HTTP/1.0.
fn request_line(line: &[u8]) -> Result<bool, Violation> {
    let first = memchr::memchr(b' ', line).filter(|n| *n > 0).ok_or(Violation::RequestLine)?;
    let last = memchr::memrchr(b' ', line).filter(|n| *n > first + 1).ok_or(Violation::RequestLine)?;
    let target = line.get(first + 1..last).unwrap_or_default();
    if let Some(odd) = memchr::memchr3(b' ', b'#', b'\t', target) {
        let fragment = target.get(odd) == Some(&b'#');
        return Err(if fragment { Violation::Fragment } else { Violation::RequestLine });
    }
    match line.get(last + 1..) {
        Some(b"HTTP/1.1") => Ok(false),
        Some(b"HTTP/1.0") => Ok(true),
        Some(_) | None => Err(Violation::RequestLine),
    }
}

/// A field's name and value; white space neither before the name nor between it and the colon.
fn name(line: &[u8]) -> Result<(&[u8], &[u8]), Violation> {
    if matches!(line.first(), Some(b' ' | b'\t')) {
        return Err(Violation::Folded);
    }
    let colon = memchr::memchr(b':', line).ok_or(Violation::FieldName)?;
    let (name, value) = line.split_at(colon);
    match name.last() {
        None | Some(b' ' | b'\t') => Err(Violation::FieldName),
        Some(_) => Ok((name, value.get(1..).unwrap_or_default())),
    }
}

/// Digits and nothing else, below 2⁶³.
fn length(digits: &[u8]) -> Option<u64> {
    if !(1..=18).contains(&digits.len()) {
        return None;
    }
    digits
        .iter()
        .try_fold(0u64, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u64::from(digit - b'0')))
}

/// What follows a chunk's size.
fn size(line: &[u8]) -> Result<Place, Violation> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    if !(1..=15).contains(&digits) {
        return Err(Violation::ChunkSize);
    }
    let (digits, extension) = line.split_at(digits);
    if !extension.is_empty() && !extension.trim_ascii_start().starts_with(b";") {
        return Err(Violation::ChunkSize);
    }
    if extension.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
        return Err(Violation::ChunkExtension);
    }
    let hexadecimal = |byte: &u8| char::from(*byte).to_digit(16).map_or(0, u64::from);
    match digits.iter().fold(0, |sum, digit| sum * 16 + hexadecimal(digit)) {
        0 => Ok(Place::Trailers),
        left => Ok(Place::Data { left, chunked: true }),
    }
}
