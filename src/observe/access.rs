//! One line for each request.
//!
//! The line is formatted straight into the worker's output buffer; nothing is allocated and nobody waits.
//! It says who asked for what and what became of it, never a header, a body, a token or a query: the path
//! is cut at its `?` even if a caller forgets to. Surprising: at the levels `warning` and `error` only
//! answers of 500 and above have a line.

use std::fmt::{Result, Write};
use std::net::IpAddr;
use std::time::Duration;

use super::log::Level;
use super::sink::{Format, Lines, Sink};
use super::text::{Json, Now, Plain};

/// What a request's line says.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The request's id, as it was sent on and answered.
    pub id: &'a str,
    /// The tenant's key, when one was resolved.
    pub tenant: Option<&'a str>,
    /// The method.
    pub method: &'a str,
    /// The path; a query is cut off.
    pub path: &'a str,
    /// The route's index, when one was picked.
    pub route: Option<usize>,
    /// The destination's name, when the request was forwarded.
    pub destination: Option<&'a str>,
    /// The status that was sent.
    pub status: u16,
    /// The refusal's code, when we refused.
    pub code: Option<&'static str>,
    /// From the request's head to the end of the answer.
    pub total: Duration,
    /// What the destination's answer's head took of it.
    pub upstream: Option<Duration>,
    /// Bytes of the request's body that were read.
    pub received: u64,
    /// Bytes of the answer's body that were sent.
    pub sent: u64,
    /// The address of the socket's other end.
    pub peer: IpAddr,
}

/// One worker's access log.
#[derive(Clone, Debug)]
pub struct AccessLog(Option<(Lines, Level)>);

impl AccessLog {
    /// Lines into `sink`, as many as `level` asks for; one for each worker.
    #[must_use]
    pub fn new(sink: &Sink, level: Level) -> Self {
        Self(Some((sink.lines(), level)))
    }

    /// No lines at all.
    #[must_use]
    pub fn off() -> Self {
        Self(None)
    }

    /// Adds the line of one request.
    pub fn record(&self, entry: &Entry<'_>) {
        let Some((lines, level)) = &self.0 else { return };
        if entry.status < 500 && *level < Level::Info {
            return;
        }
        match lines.format() {
            Format::Json => lines.add(|line| entry.json(line)),
            Format::Readable => lines.add(|line| entry.readable(line)),
        }
    }
}

impl Entry<'_> {
    fn path(&self) -> &str {
        self.path.split_once('?').map_or(self.path, |(path, _)| path)
    }

    fn level(&self) -> &'static str {
        if self.status < 500 { "INFO" } else { "ERROR" }
    }

    fn json(&self, line: &mut String) -> Result {
        write!(line, "{{\"timestamp\":\"{Now}\",\"level\":\"{}\",\"message\":\"request\"", self.level())?;
        write!(line, ",\"id\":{}", Json(self.id))?;
        optional(line, "tenant", self.tenant.map(Json))?;
        write!(line, ",\"method\":{},\"path\":{}", Json(self.method), Json(self.path()))?;
        optional(line, "route", self.route)?;
        optional(line, "destination", self.destination.map(Json))?;
        write!(line, ",\"status\":{}", self.status)?;
        optional(line, "code", self.code.map(Json))?;
        write!(line, ",\"total_ms\":{}", Milliseconds(self.total))?;
        optional(line, "upstream_ms", self.upstream.map(Milliseconds))?;
        write!(line, ",\"received\":{},\"sent\":{},\"peer\":\"{}\"}}", self.received, self.sent, self.peer)
    }

    fn readable(&self, line: &mut String) -> Result {
        let colour = match self.status {
            500.. => "31",
            400.. => "33",
            _ => "32",
        };
        write!(line, "{Now} \u{1b}[{colour}m{}\u{1b}[0m ", self.status)?;
        write!(line, "{} {} ", Plain(self.method), Plain(self.path()))?;
        write!(line, "\u{1b}[2m{} ms", Milliseconds(self.total))?;
        word(line, "tenant", self.tenant.map(Plain))?;
        word(line, "route", self.route)?;
        word(line, "to", self.destination.map(Plain))?;
        word(line, "code", self.code)?;
        write!(line, " id={}\u{1b}[0m", Plain(self.id))
    }
}

/// A duration in milliseconds with three digits after the point.
struct Milliseconds(Duration);

impl std::fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> Result {
        let microseconds = self.0.as_micros();
        write!(f, "{}.{:03}", microseconds / 1000, microseconds % 1000)
    }
}

/// Adds a member to a JSON object, if there is a value.
fn optional(line: &mut String, name: &str, value: Option<impl std::fmt::Display>) -> Result {
    value.map_or(Ok(()), |value| write!(line, ",\"{name}\":{value}"))
}

/// Adds a word to a plain line, if there is a value.
fn word(line: &mut String, name: &str, value: Option<impl std::fmt::Display>) -> Result {
    value.map_or(Ok(()), |value| write!(line, " {name}={value}"))
}

#[cfg(test)]
mod tests;
