//! One line for each request.
//!
//! The line is formatted straight into the worker's output buffer; nothing is allocated and nobody waits.
//! It says who asked for what and what became of it, never a header, a body, a token or a query: the path
//! is cut at its `?` even if a caller forgets to. Surprising: at the levels `warning` and `error` only
//! answers of 500 and above have a line.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use super::log::Level;
use super::sink::{Format, Lines, Sink};
use super::text::{number, push_milliseconds, text, word};

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
            Format::Json => lines.add(|line, now| entry.json(line, now)),
            Format::Readable => lines.add(|line, now| entry.readable(line, now)),
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

    fn json(&self, line: &mut String, now: &str) {
        line.push_str("{\"timestamp\":\"");
        line.push_str(now);
        line.push_str("\",\"level\":\"");
        line.push_str(self.level());
        line.push_str("\",\"message\":\"request\"");
        text(line, ",\"id\":", Some(self.id));
        text(line, ",\"tenant\":", self.tenant);
        text(line, ",\"method\":", Some(self.method));
        text(line, ",\"path\":", Some(self.path()));
        number(line, ",\"route\":", self.route_number());
        text(line, ",\"destination\":", self.destination);
        number(line, ",\"status\":", Some(u64::from(self.status)));
        text(line, ",\"code\":", self.code);
        milliseconds(line, ",\"total_ms\":", Some(self.total));
        milliseconds(line, ",\"upstream_ms\":", self.upstream);
        number(line, ",\"received\":", Some(self.received));
        number(line, ",\"sent\":", Some(self.sent));
        write!(line, ",\"peer\":\"{}\"}}", self.peer).ok();
    }

    fn readable(&self, line: &mut String, now: &str) {
        let colour = match self.status {
            500.. => "31",
            400.. => "33",
            _ => "32",
        };
        write!(line, "{now} \u{1b}[{colour}m{}\u{1b}[0m ", self.status).ok();
        word(line, "", Some(self.method));
        word(line, " ", Some(self.path()));
        milliseconds(line, " \u{1b}[2m", Some(self.total));
        word(line, " ms tenant=", Some(self.tenant.unwrap_or("-")));
        number(line, " route=", self.route_number());
        word(line, " to=", self.destination);
        word(line, " code=", self.code);
        word(line, " id=", Some(self.id));
        line.push_str("\u{1b}[0m");
    }

    fn route_number(&self) -> Option<u64> {
        self.route.and_then(|index| u64::try_from(index).ok())
    }
}

/// Adds `name` and a duration, if there is one.
fn milliseconds(line: &mut String, name: &str, value: Option<Duration>) {
    if let Some(value) = value {
        line.push_str(name);
        push_milliseconds(line, value);
    }
}

#[cfg(test)]
mod tests;
