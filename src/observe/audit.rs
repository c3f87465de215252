//! One line for whatever an auditor asks about: who logged in or out, and who was refused.
//!
//! Its lines go where the access log's go and are told from them by `"message": "audit"`. They are written
//! at every log level and cannot be switched off: a level says how much is told about the program, not
//! whether its owner may know who came in. No token, cookie, query or body is ever in one, only names.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::sink::{Format, Lines, Sink};
use super::text::{number, text, word};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A session was opened.
    Login,
    /// Someone came back from the identity provider, or brought a password, and got no session.
    LoginRefused,
    /// A person ended their session.
    Logout,
    /// The issuer ended sessions.
    BackChannelLogout,
    /// A session ended because nobody used it.
    SessionTimeout,
    /// A request was refused.
    Refused,
}

impl Event {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::LoginRefused => "login_refused",
            Self::Logout => "logout",
            Self::BackChannelLogout => "back_channel_logout",
            Self::SessionTimeout => "session_timeout",
            Self::Refused => "refused",
        }
    }
}

/// What a line says; what is not known is left out.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// What happened.
    pub event: Event,
    /// The request's id; a refused one's is the id that the caller was told.
    pub id: Option<&'a str>,
    /// The tenant's key.
    pub tenant: Option<&'a str>,
    /// Who it was, in the issuer's words (`sub`).
    pub subject: Option<&'a str>,
    /// The request's method.
    pub method: Option<&'a str>,
    /// The request's path; a query is cut off.
    pub path: Option<&'a str>,
    /// The status that was sent.
    pub status: Option<u16>,
    /// The stable code of a refusal.
    pub code: Option<&'static str>,
    /// The check that failed, in words.
    pub reason: Option<&'a str>,
    /// How many sessions ended.
    pub sessions: Option<usize>,
    /// The address of the socket's other end.
    pub peer: Option<IpAddr>,
}

impl Entry<'_> {
    /// A line of which nothing but the event is known.
    #[must_use]
    pub fn of(event: Event) -> Self {
        Self {
            event,
            id: None,
            tenant: None,
            subject: None,
            method: None,
            path: None,
            status: None,
            code: None,
            reason: None,
            sessions: None,
            peer: None,
        }
    }
}

/// One thread's way to the audit's lines.
#[derive(Clone, Debug)]
pub struct Audit(Option<Lines>);

impl Audit {
    /// Lines into `sink`; one for each worker.
    #[must_use]
    pub fn new(sink: &Sink) -> Self {
        Self(Some(sink.lines()))
    }

    /// No lines, for what only asks what would be.
    #[must_use]
    pub fn off() -> Self {
        Self(None)
    }

    /// Adds a line.
    pub fn record(&self, entry: &Entry<'_>) {
        let Some(lines) = &self.0 else { return };
        match lines.format() {
            Format::Json => lines.add(|line, now| entry.json(line, now)),
            Format::Readable => lines.add(|line, now| entry.readable(line, now)),
        }
    }
}

impl Entry<'_> {
    fn json(&self, line: &mut String, now: &str) {
        line.push_str("{\"timestamp\":\"");
        line.push_str(now);
        line.push_str("\",\"level\":\"INFO\",\"message\":\"audit\"");
        text(line, ",\"event\":", Some(self.event.name()));
        text(line, ",\"id\":", self.id);
        text(line, ",\"tenant\":", self.tenant);
        text(line, ",\"subject\":", self.subject);
        text(line, ",\"method\":", self.method);
        text(line, ",\"path\":", self.path());
        number(line, ",\"status\":", self.status.map(u64::from));
        text(line, ",\"code\":", self.code);
        text(line, ",\"reason\":", self.reason);
        number(line, ",\"sessions\":", self.sessions());
        if let Some(peer) = self.peer {
            write!(line, ",\"peer\":\"{peer}\"").ok();
        }
        line.push('}');
    }

    fn readable(&self, line: &mut String, now: &str) {
        write!(line, "{now} \u{1b}[35mAUDIT\u{1b}[0m {}", self.event.name()).ok();
        word(line, " tenant=", Some(self.tenant.unwrap_or("-")));
        word(line, " subject=", self.subject);
        word(line, " ", self.method);
        word(line, " ", self.path());
        number(line, " status=", self.status.map(u64::from));
        word(line, " code=", self.code);
        word(line, " reason: ", self.reason);
        number(line, " sessions=", self.sessions());
        word(line, " id=", self.id);
        if let Some(peer) = self.peer {
            write!(line, " peer={peer}").ok();
        }
    }

    fn path(&self) -> Option<&str> {
        self.path.map(|path| path.split_once('?').map_or(path, |(path, _)| path))
    }

    fn sessions(&self) -> Option<u64> {
        self.sessions.and_then(|count| u64::try_from(count).ok())
    }
}

#[cfg(test)]
mod tests;
