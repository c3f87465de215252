//! A client that writes bytes as they are and reads one answer at a time.
//!
//! It never normalises, retries or pools. What it reads is strict: an answer that is not well framed
//! fails the test, because our own framing is part of what is tested.

use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use super::{DEADLINE, latin1};

/// A connection.
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// The answer that was being read when the connection ended.
    pub(crate) broken: Option<Reply>,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// The status code.
    pub(crate) status: u16,
    /// Names in lower case with values, in order.
    pub(crate) headers: Vec<(String, String)>,
    /// The body, without chunk framing.
    pub(crate) body: Vec<u8>,
    /// Trailers, where the body was chunked.
    pub(crate) trailers: Vec<(String, String)>,
    /// Statuses of interim answers that came first.
    pub(crate) interim: Vec<u16>,
}

impl Reply {
    /// The values of a header, joined with `, `; empty when there is none.
    pub(crate) fn header(&self, name: &str) -> String {
        self.all(name).join(", ")
    }

    /// Each value of a header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        latin1(&self.body)
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// The `code` of a refusal, `-` where the body is none.
    pub(crate) fn code(&self) -> String {
        let body: Option<serde_json::Value> = serde_json::from_slice(&self.body).ok();
        body.and_then(|body| body["code"].as_str().map(str::to_owned)).unwrap_or_else(|| "-".to_owned())
    }
}

/// Why no answer could be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoReply {
    /// The connection ended before an answer began.
    Closed,
    /// The connection ended, or broke, within an answer.
    Cut,
    /// Nothing came in time.
    Silent,
}

impl Client {
    /// Connects.
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect_timeout(&address, DEADLINE).unwrap())
    }

    /// Takes over a connected socket.
    pub(crate) fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::new(), broken: None }
    }

    /// The socket.
    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Writes bytes; a connection that the other end has closed is not an error here, the answer is
    /// what counts.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref());
    }

    /// Says that nothing more will be written.
    pub(crate) fn finish(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Sends a request and reads its answer. `Host: app.example.com` and `Content-Length` are added
    /// where `headers` have none (of the latter, where there is a body).
    pub(crate) fn ask(&mut self, request_line: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        self.try_ask(request_line, headers, body).unwrap_or_else(|e| panic!("{request_line}: {e:?}"))
    }

    /// As [`Client::ask`], where there may be no answer.
    pub(crate) fn try_ask(
        &mut self,
        line: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Reply, NoReply> {
        let has = |name: &str| headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        let mut text = format!("{line} HTTP/1.1\r\n");
        if !has("host") {
            text.push_str("Host: app.example.com\r\n");
        }
        if !body.is_empty() && !has("content-length") && !has("transfer-encoding") {
            let _ = write!(text, "Content-Length: {}\r\n", body.len());
        }
        for (name, value) in headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(body);
        self.send(bytes);
        self.reply(line.starts_with("HEAD "))
    }

    /// Reads an answer to a request that was not `HEAD`.
    pub(crate) fn read(&mut self) -> Result<Reply, NoReply> {
        self.reply(false)
    }

    /// Reads an answer, to `HEAD` if so said.
    pub(crate) fn read_to(&mut self, head_only: bool) -> Result<Reply, NoReply> {
        self.reply(head_only)
    }

    fn reply(&mut self, head_only: bool) -> Result<Reply, NoReply> {
        let mut interim = Vec::new();
        loop {
            let (status, headers) = self.head()?;
            if (100..200).contains(&status) && status != 101 {
                interim.push(status);
                continue;
            }
            let mut reply = Reply { status, headers, body: Vec::new(), trailers: Vec::new(), interim };
            let bodied = !head_only && !matches!(status, 101 | 204 | 304);
            if bodied && let Err(why) = self.body(&mut reply) {
                self.broken = Some(reply);
                return Err(why);
            }
            return Ok(reply);
        }
    }

    /// Reads status and headers of an answer, and leaves the rest.
    pub(crate) fn head(&mut self) -> Result<(u16, Vec<(String, String)>), NoReply> {
        let block = self.until(b"\r\n\r\n", NoReply::Closed)?;
        let text = latin1(&block);
        let mut lines = text.trim_end_matches("\r\n").split("\r\n");
        let first = lines.next().unwrap_or_default();
        let status = first.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.unwrap_or_else(|| panic!("not a status line: {first:?}"));
        Ok((status, lines.map(split_field).collect()))
    }

    fn body(&mut self, reply: &mut Reply) -> Result<(), NoReply> {
        if reply.header("transfer-encoding").eq_ignore_ascii_case("chunked") {
            assert_eq!(reply.header("content-length"), "", "both framings in {reply:?}");
            return self.chunks(reply);
        }
        match reply.all("content-length").as_slice() {
            [] => self.rest(reply),
            [length] => {
                let length = length.parse().unwrap();
                reply.body = self.exactly(length)?;
                Ok(())
            }
            several => panic!("lengths {several:?}"),
        }
    }

    /// Reads one chunk; the last one is empty, and trailers follow.
    pub(crate) fn chunk(&mut self) -> Result<Vec<u8>, NoReply> {
        let line = latin1(&self.until(b"\r\n", NoReply::Cut)?);
        let size = usize::from_str_radix(line.trim_end(), 16);
        let size = size.unwrap_or_else(|_| panic!("not a chunk size: {line:?}"));
        if size == 0 {
            return Ok(Vec::new());
        }
        let mut chunk = self.exactly(size + 2)?;
        assert!(chunk.ends_with(b"\r\n"), "a chunk without its end");
        chunk.truncate(size);
        Ok(chunk)
    }

    fn chunks(&mut self, reply: &mut Reply) -> Result<(), NoReply> {
        loop {
            let chunk = self.chunk()?;
            if chunk.is_empty() {
                break;
            }
            reply.body.extend_from_slice(&chunk);
        }
        loop {
            let line = latin1(&self.until(b"\r\n", NoReply::Cut)?);
            if line == "\r\n" {
                return Ok(());
            }
            reply.trailers.push(split_field(line.trim_end_matches("\r\n")));
        }
    }

    fn rest(&mut self, reply: &mut Reply) -> Result<(), NoReply> {
        while self.fill()? {}
        reply.body = std::mem::take(&mut self.buffer);
        Ok(())
    }

    fn until(&mut self, end: &[u8], on_close: NoReply) -> Result<Vec<u8>, NoReply> {
        loop {
            if let Some(at) = self.buffer.windows(end.len()).position(|window| window == end) {
                return Ok(self.buffer.drain(..at + end.len()).collect());
            }
            if !self.fill()? {
                return Err(if self.buffer.is_empty() { on_close } else { NoReply::Cut });
            }
        }
    }

    /// Exactly so many bytes.
    pub(crate) fn exactly(&mut self, length: usize) -> Result<Vec<u8>, NoReply> {
        while self.buffer.len() < length {
            if !self.fill()? {
                return Err(NoReply::Cut);
            }
        }
        Ok(self.buffer.drain(..length).collect())
    }

    /// Reads what comes next; false at the end of the connection.
    fn fill(&mut self) -> Result<bool, NoReply> {
        let mut bytes = [0; 16 * 1024];
        match self.stream.read(&mut bytes) {
            Ok(0) => Ok(false),
            Ok(length) => {
                self.buffer.extend_from_slice(&bytes[..length]);
                Ok(true)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Err(NoReply::Silent)
            }
            Err(_) => Ok(false),
        }
    }

    /// What comes until the other end closes; fails when it stays open and silent.
    pub(crate) fn until_closed(&mut self) -> Vec<u8> {
        loop {
            match self.fill() {
                Ok(true) => {}
                Ok(false) => return std::mem::take(&mut self.buffer),
                Err(NoReply::Silent | NoReply::Closed | NoReply::Cut) => {
                    panic!("still open after {DEADLINE:?}, having sent {:?}", latin1(&self.buffer))
                }
            }
        }
    }
}

/// A header line as name in lower case and value.
fn split_field(line: &str) -> (String, String) {
    let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("not a header line: {line:?}"));
    (name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned())
}
