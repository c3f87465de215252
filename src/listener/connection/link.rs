//! What is known of one connection, shared between its socket, its turns and its clock.
//!
//! A request reads it for the peer and the verdict on the connection's bytes; it knows nothing of what
//! is asked.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderValue, Response};
use http_body::{Frame, SizeHint};
use hyper::upgrade::OnUpgrade;

use super::switch::{self, Answered, Tunnel};
use crate::request::Verdict;

/// How long a client may take nothing of an answer.
const STUCK: Duration = Duration::from_mins(5);

/// One client connection.
#[derive(Debug)]
pub struct Link {
    /// The socket's other end; an IPv4-mapped address is unmapped.
    pub address: IpAddr,
    /// The same as text, for `x-forwarded-for`.
    pub forwarded_for: HeaderValue,
    /// Whether the connection is encrypted.
    pub secure: bool,
    /// The name the client asked for in TLS.
    pub server_name: Option<Box<str>>,
    turns: AtomicU32,
    busy: AtomicU32,
    header_begun: AtomicBool,
    http_1_0: AtomicBool,
    write_blocked: AtomicBool,
    written: AtomicU32,
    verdict: Arc<Verdict>,
    tunnel: Mutex<Option<Box<dyn Tunnel>>>,
}

impl Link {
    pub(super) fn new(address: IpAddr, secure: bool, server_name: Option<Box<str>>) -> Self {
        let address = address.to_canonical();
        let text = HeaderValue::from_str(&address.to_string());
        Self {
            address,
            forwarded_for: text.unwrap_or_else(|_| HeaderValue::from_static("unknown")),
            secure,
            server_name,
            turns: AtomicU32::new(0),
            busy: AtomicU32::new(0),
            header_begun: AtomicBool::new(false),
            http_1_0: AtomicBool::new(false),
            write_blocked: AtomicBool::new(false),
            written: AtomicU32::new(0),
            verdict: Arc::default(),
            tunnel: Mutex::default(),
        }
    }

    /// What was noted of the connection's bytes.
    #[must_use]
    pub fn verdict(&self) -> &Arc<Verdict> {
        &self.verdict
    }

    /// How many requests have come in.
    pub(super) fn turns(&self) -> u32 {
        self.turns.load(Relaxed)
    }

    pub(super) fn note_http_1_0(&self) {
        self.http_1_0.store(true, Relaxed);
    }

    /// Whether the client may take the connection's end for an answer's: HTTP/1.0 knows no chunks.
    pub(super) fn ends_tell_lengths(&self) -> bool {
        self.http_1_0.load(Relaxed)
    }

    pub(super) fn heard(&self) {
        if self.busy.load(Relaxed) == 0 {
            self.header_begun.store(true, Relaxed);
        }
    }

    pub(super) fn wrote(&self, blocked: bool) {
        self.write_blocked.store(blocked, Relaxed);
        if !blocked {
            self.written.fetch_add(1, Relaxed);
        }
    }

    /// What the connection has become by its last answer, where that is no longer HTTP/1.1.
    pub(super) fn switched(&self) -> Option<Box<dyn Tunnel>> {
        self.tunnel.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether no request is under way and none has begun to come in.
    pub(super) fn is_quiet(&self) -> bool {
        self.is_idle() && !self.header_begun.load(Relaxed)
    }

    fn is_idle(&self) -> bool {
        self.busy.load(Relaxed) == 0 && !self.write_blocked.load(Relaxed)
    }
}

/// One request, from its header to the last byte of its answer.
pub(super) struct Turn(Arc<Link>);

impl Turn {
    pub(super) fn begin(link: &Arc<Link>) -> Self {
        link.turns.fetch_add(1, Relaxed);
        link.busy.fetch_add(1, Relaxed);
        link.header_begun.store(false, Relaxed);
        Self(Arc::clone(link))
    }

    /// The answer, whose body keeps the turn going; the connection becomes what it says.
    pub(super) fn carry<B>(self, answered: Answered<B>) -> Response<Carried<B>> {
        let Answered { response, tunnel } = answered;
        if tunnel.is_some() {
            *self.0.tunnel.lock().unwrap_or_else(PoisonError::into_inner) = tunnel;
        }
        response.map(|body| Carried { body, _turn: self })
    }

    /// The same for a request that came on a stream of its own, which becomes what the answer says.
    pub(super) fn carry_stream<B>(
        self,
        answered: Answered<B>,
        switch: Option<OnUpgrade>,
    ) -> Response<Carried<B>> {
        let Answered { response, tunnel } = answered;
        if let Some((tunnel, switch)) = tunnel.zip(switch) {
            // The connection is busy for as long as one of its streams is.
            let busy = Self::begin(&self.0);
            tokio::spawn(switch::carry(tunnel, switch, busy));
        }
        response.map(|body| Carried { body, _turn: self })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Relaxed);
    }
}

/// A body that keeps its turn going.
pub(super) struct Carried<B> {
    body: B,
    _turn: Turn,
}

impl<B: http_body::Body + Unpin> http_body::Body for Carried<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What a look at a connection shows.
pub(super) enum Look {
    /// Something goes on, or has a moment ago.
    Busy,
    /// Nothing has happened since the last look.
    Idle,
    /// A header began too long ago.
    HeaderLate,
    /// The client has taken nothing of an answer for too long.
    Stuck,
}

/// What was seen at the last look.
pub(super) struct Outlook {
    turns: Option<u32>,
    quiet: u32,
    patience: u32,
    written: Option<u32>,
    stuck: u32,
    stuck_patience: u32,
}

impl Outlook {
    /// Looks come every `tick`; what is waited for may take `patience`.
    pub(super) fn new(patience: Duration, tick: Duration) -> Self {
        let ticks = |time: Duration| {
            u32::try_from(time.as_millis().div_ceil(tick.as_millis().max(1))).unwrap_or(u32::MAX)
        };
        Self {
            turns: None,
            quiet: 0,
            patience: ticks(patience),
            written: None,
            stuck: 0,
            stuck_patience: ticks(STUCK),
        }
    }

    /// What a look at an HTTP/1.1 connection shows.
    pub(super) fn look(&mut self, link: &Link) -> Look {
        if self.is_stuck(link) {
            return Look::Stuck;
        }
        if !self.is_quiet(link) {
            return Look::Busy;
        }
        if !link.header_begun.load(Relaxed) {
            return Look::Idle;
        }
        if self.quiet >= self.patience { Look::HeaderLate } else { Look::Busy }
    }

    /// Whether nothing has been asked for as long as the patience lasts.
    pub(super) fn idled(&mut self, link: &Link) -> bool {
        self.is_quiet(link) && self.quiet >= self.patience
    }

    /// Whether the client has taken nothing of what waits for it, for too long.
    pub(super) fn is_stuck(&mut self, link: &Link) -> bool {
        let written = link.written.load(Relaxed);
        let same = self.written.replace(written) == Some(written);
        self.stuck = if same && link.write_blocked.load(Relaxed) { self.stuck + 1 } else { 0 };
        self.stuck >= self.stuck_patience
    }

    /// Whether nothing has happened since the last look.
    pub(super) fn is_quiet(&mut self, link: &Link) -> bool {
        let turns = link.turns();
        let quiet = self.turns.replace(turns) == Some(turns) && link.is_idle();
        self.quiet = if quiet { self.quiet + 1 } else { 0 };
        quiet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_secs(1);

    fn link() -> Link {
        Link::new(IpAddr::from([127, 0, 0, 1]), false, None)
    }

    #[test]
    fn a_client_that_takes_nothing_is_given_up() {
        let (link, mut outlook) = (link(), Outlook::new(TICK, TICK));
        link.wrote(true);
        for _ in 0..STUCK.as_secs() {
            assert!(!outlook.is_stuck(&link));
        }
        assert!(outlook.is_stuck(&link));
        assert!(matches!(outlook.look(&link), Look::Stuck));
    }

    #[test]
    fn a_client_that_takes_a_little_is_not() {
        let (link, mut outlook) = (link(), Outlook::new(TICK, TICK));
        for _ in 0..2 * STUCK.as_secs() {
            link.wrote(false);
            link.wrote(true);
            assert!(!outlook.is_stuck(&link));
        }
    }

    #[test]
    fn a_header_that_began_is_late_at_last_and_silence_is_idle() {
        let (link, mut outlook) = (link(), Outlook::new(3 * TICK, TICK));
        link.heard();
        let looks: Vec<Look> = (0..4).map(|_| outlook.look(&link)).collect();
        assert!(matches!(looks[..], [Look::Busy, Look::Busy, Look::Busy, Look::HeaderLate]));
        drop(Turn::begin(&Arc::new(link)));
        let (link, mut outlook) = (self::link(), Outlook::new(3 * TICK, TICK));
        assert!(matches!([outlook.look(&link), outlook.look(&link)], [Look::Busy, Look::Idle]));
    }
}
