//! The judge of what a router writes: a strict reader of HTTP/1.1 requests.
//!
//! It accepts only what every parser reads alike. Whatever two parsers could read differently is a
//! violation, kept with the bytes: bare line feeds, a second length, a length beside chunks, a space
//! where none belongs, bytes between requests.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;

use super::latin1;

/// Names as written, with values, in order.
pub(crate) type Fields = Vec<(String, String)>;

/// The bytes of one connection, in the order they came.
pub(crate) struct Intake {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Everything that ever came.
    pub(crate) all: Vec<u8>,
}

/// How a body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// No body.
    None,
    /// `Content-Length`.
    Length(usize),
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

/// The head of a request, as it was written.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    /// The method.
    pub(crate) method: String,
    /// The request target.
    pub(crate) target: String,
    /// Names as written, with values, in order.
    pub(crate) lines: Vec<(String, String)>,
    /// How its body is delimited.
    pub(crate) framing: Framing,
}

/// Why reading stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The connection ended between requests.
    End,
    /// The connection ended within a request.
    Cut,
    /// The bytes have more than one meaning.
    Violation(String),
}

impl Intake {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, buffer: Vec::new(), all: Vec::new() }
    }

    fn fill(&mut self) -> Result<(), Stop> {
        let mut bytes = vec![0; 64 * 1024];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => return Err(if self.buffer.is_empty() { Stop::End } else { Stop::Cut }),
                Ok(length) => {
                    self.buffer.extend_from_slice(&bytes[..length]);
                    self.all.extend_from_slice(&bytes[..length.min(1 << 20)]);
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(if self.buffer.is_empty() { Stop::End } else { Stop::Cut }),
            }
        }
    }

    fn line(&mut self) -> Result<Vec<u8>, Stop> {
        loop {
            if let Some(at) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=at).collect();
                let Some(line) = line.strip_suffix(b"\r\n") else {
                    return Err(Stop::Violation(format!("a bare line feed after {:?}", latin1(&line))));
                };
                if line.iter().any(|byte| (*byte < 0x20 && *byte != b'\t') || *byte == 0x7f) {
                    return Err(Stop::Violation(format!("a control byte in {:?}", latin1(line))));
                }
                return Ok(line.to_vec());
            }
            self.fill()?;
        }
    }

    fn exactly(&mut self, length: usize) -> Result<Vec<u8>, Stop> {
        while self.buffer.len() < length {
            self.fill().map_err(|stop| if matches!(stop, Stop::End) { Stop::Cut } else { stop })?;
        }
        Ok(self.buffer.drain(..length).collect())
    }

    /// Waits for more bytes; false at the end of the connection.
    pub(crate) fn more(&mut self) -> bool {
        self.fill().is_ok()
    }

    /// The next head.
    pub(crate) fn head(&mut self) -> Result<Head, Stop> {
        let first = latin1(&self.line()?);
        let (method, target) = request_line(&first)?;
        let mut lines = Vec::new();
        loop {
            let line =
                self.line().map_err(|stop| if matches!(stop, Stop::End) { Stop::Cut } else { stop })?;
            if line.is_empty() {
                break;
            }
            lines.push(field(&latin1(&line))?);
        }
        let framing = framing(&lines)?;
        Ok(Head { method, target, lines, framing })
    }

    /// The body that belongs to a head, and its trailers.
    pub(crate) fn body(&mut self, framing: Framing) -> Result<(Vec<u8>, Fields), Stop> {
        match framing {
            Framing::None => Ok((Vec::new(), Vec::new())),
            Framing::Length(length) => Ok((self.exactly(length)?, Vec::new())),
            Framing::Chunked => self.chunks(),
        }
    }

    fn chunks(&mut self) -> Result<(Vec<u8>, Fields), Stop> {
        let mut body = Vec::new();
        loop {
            let line = latin1(&self.line()?);
            let digits = (1..=8).contains(&line.len()) && line.bytes().all(|byte| byte.is_ascii_hexdigit());
            let size = digits.then(|| usize::from_str_radix(&line, 16).ok()).flatten();
            let Some(size) = size else { return violation("a chunk size", &line) };
            if size == 0 {
                break;
            }
            body.extend(self.exactly(size)?);
            if self.exactly(2)? != b"\r\n" {
                return violation("the end of a chunk", "");
            }
        }
        let mut trailers = Vec::new();
        loop {
            let line = latin1(&self.line()?);
            if line.is_empty() {
                return Ok((body, trailers));
            }
            trailers.push(field(&line)?);
        }
    }
}

fn violation<T>(what: &str, text: &str) -> Result<T, Stop> {
    Err(Stop::Violation(format!("{what} is ambiguous: {text:?}")))
}

fn request_line(line: &str) -> Result<(String, String), Stop> {
    let parts: Vec<&str> = line.split(' ').collect();
    let [method, target, "HTTP/1.1"] = parts.as_slice() else { return violation("the request line", line) };
    let plain = |byte: u8| (0x21..0x7f).contains(&byte) && byte != b'#' && byte != b'\\';
    if method.is_empty() || !method.bytes().all(is_token) {
        return violation("the method", line);
    }
    if !target.starts_with('/') || !target.bytes().all(plain) {
        return violation("the target", line);
    }
    Ok(((*method).to_owned(), (*target).to_owned()))
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn field(line: &str) -> Result<(String, String), Stop> {
    let Some((name, value)) = line.split_once(':') else { return violation("a header line", line) };
    if name.is_empty() || !name.bytes().all(is_token) {
        return violation("a header name", line);
    }
    Ok((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()))
}

fn framing(lines: &[(String, String)]) -> Result<Framing, Stop> {
    let all = |name: &str| -> Vec<&str> {
        lines.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str()).collect()
    };
    let host = all("host");
    if host.len() != 1 || host[0].is_empty() {
        return violation("Host", &host.join("|"));
    }
    let look_alike =
        |name: &str| matches!(name.replace('_', "-").as_str(), "content-length" | "transfer-encoding");
    if lines.iter().any(|(name, _)| name.contains('_') && look_alike(&name.to_ascii_lowercase())) {
        return violation("a name like those of framing", "");
    }
    let (lengths, codings) = (all("content-length"), all("transfer-encoding"));
    match (lengths.as_slice(), codings.as_slice()) {
        ([], []) => Ok(Framing::None),
        ([], ["chunked"]) => Ok(Framing::Chunked),
        ([length], []) if !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit()) => length
            .parse()
            .map_or_else(|_| violation("a length", length), |length| Ok(Framing::Length(length))),
        _ => violation("the framing", &format!("lengths {lengths:?}, codings {codings:?}")),
    }
}
