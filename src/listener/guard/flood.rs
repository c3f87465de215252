//! Counts the HTTP/2 frames that cost the sender nothing.
//!
//! h2 limits resets, CONTINUATION, empty DATA and header bombs by itself, but takes any number of
//! SETTINGS, PING, PRIORITY and `WINDOW_UPDATE`. A connection has a budget of them in a span of time;
//! requests and bytes carried either way earn more, because honest clients acknowledge and probe in
//! proportion to what they transfer.

use std::time::{Duration, Instant};

use super::Violation;

/// How many frames are free in a span.
const FREE: u64 = 1000;
/// How long a span is.
const SPAN: Duration = Duration::from_secs(10);
/// How many bytes, in either direction, earn one frame.
const BYTES_PER_FRAME: u64 = 512;
/// How many frames a request earns.
const FRAMES_PER_REQUEST: u64 = 4;
/// The client's part of the preface, before the first frame (RFC 9113 §3.4).
const PREFACE: u64 = 24;

/// A frame's header (RFC 9113 §4.1).
const HEADER: usize = 9;
/// The type of HEADERS frames.
const HEADERS: u8 = 1;

/// What one HTTP/2 connection has sent.
#[derive(Debug)]
pub(super) struct Flood {
    /// Bytes until the next frame begins.
    skip: u64,
    header: [u8; HEADER],
    have: usize,
    spent: u64,
    earned: u64,
    bytes: u64,
    since: Instant,
}

impl Flood {
    pub(super) fn new() -> Self {
        Self {
            skip: PREFACE,
            header: [0; HEADER],
            have: 0,
            spent: 0,
            earned: 0,
            bytes: 0,
            since: Instant::now(),
        }
    }

    /// Bytes that were sent to the client.
    pub(super) fn carried(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }

    /// Bytes that the client sent.
    pub(super) fn see(&mut self, mut bytes: &[u8]) -> Result<(), Violation> {
        self.carried(bytes.len());
        while !bytes.is_empty() {
            if self.skip > 0 {
                let n = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
                self.skip -= n as u64;
                bytes = bytes.get(n..).unwrap_or_default();
                continue;
            }
            bytes = self.collect(bytes);
            if self.have == HEADER {
                self.frame()?;
            }
        }
        Ok(())
    }

    /// Takes what the frame header still lacks; returns the rest.
    fn collect<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let (taken, rest) = bytes.split_at(bytes.len().min(HEADER - self.have));
        for (place, byte) in self.header.iter_mut().skip(self.have).zip(taken) {
            *place = *byte;
        }
        self.have += taken.len();
        rest
    }

    fn frame(&mut self) -> Result<(), Violation> {
        let [high, middle, low, kind, ..] = self.header;
        self.have = 0;
        self.skip = u64::from(u32::from_be_bytes([0, high, middle, low]));
        match kind {
            HEADERS => self.earned = self.earned.saturating_add(FRAMES_PER_REQUEST),
            // PRIORITY, SETTINGS, PING, WINDOW_UPDATE, and every type that nobody has defined.
            2 | 4 | 6 | 8 | 10.. => return self.spend(),
            // DATA, RST_STREAM, PUSH_PROMISE, GOAWAY and CONTINUATION are h2's to judge.
            0 | 3 | 5 | 7 | 9 => {}
        }
        Ok(())
    }

    /// The clock is read only when a span's budget is gone.
    fn spend(&mut self) -> Result<(), Violation> {
        self.spent += 1;
        if self.spent <= FREE + self.earned + self.bytes / BYTES_PER_FRAME {
            return Ok(());
        }
        if self.since.elapsed() < SPAN {
            return Err(Violation::Flood);
        }
        (self.spent, self.earned, self.bytes, self.since) = (0, 0, 0, Instant::now());
        Ok(())
    }
}
