//! What was noted of a connection's bytes before a request was made of them.
//!
//! The listener watches and writes it down; whoever answers or reads a body looks here. It knows
//! neither sockets nor requests, so that every stage may hold it.

use std::sync::atomic::{AtomicU8, Ordering};

/// What has been noted of a connection; shared with whoever answers its requests.
#[derive(Debug, Default)]
pub struct Verdict(AtomicU8);

/// Nothing noted.
const CLEAN: u8 = 0;
/// The connection no longer speaks HTTP.
const RELEASED: u8 = u8::MAX;

impl Verdict {
    /// What was noted first. Once there is something it stays: the request is to be refused with 400
    /// and the connection closed.
    #[must_use]
    pub fn violation(&self) -> Option<Violation> {
        let noted = self.0.load(Ordering::Acquire);
        Violation::ALL.into_iter().find(|violation| violation.code() == noted)
    }

    /// The connection is no longer HTTP/1 from the next byte on: a `101` is about to be sent.
    pub fn release(&self) {
        // A violation noted before stays.
        let _ = self.0.compare_exchange(CLEAN, RELEASED, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Whether the connection no longer speaks HTTP/1.
    #[must_use]
    pub fn is_released(&self) -> bool {
        self.0.load(Ordering::Acquire) == RELEASED
    }

    /// Notes a violation, unless another was noted before.
    pub fn note(&self, violation: Violation) {
        let _ = self.0.compare_exchange(CLEAN, violation.code(), Ordering::AcqRel, Ordering::Acquire);
    }
}

/// What makes a connection's bytes ambiguous or hostile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Violation {
    /// A line that ends in a line feed alone.
    #[error("a bare line feed")]
    BareLineFeed,
    /// A carriage return that ends no line.
    #[error("a bare carriage return")]
    BareCarriageReturn,
    /// Not method, target and version with one space between.
    #[error("a malformed request line")]
    RequestLine,
    /// `#` in the target.
    #[error("a fragment in the target")]
    Fragment,
    /// A field that goes on in the next line.
    #[error("a folded header line")]
    Folded,
    /// No colon, no name, or white space before the colon.
    #[error("a malformed header name")]
    FieldName,
    /// Repeated, or not a number.
    #[error("an unusable Content-Length")]
    ContentLength,
    /// Not exactly one `chunked`, or in HTTP/1.0.
    #[error("an unusable Transfer-Encoding")]
    TransferEncoding,
    /// Both ways to frame a body at once.
    #[error("Content-Length and Transfer-Encoding together")]
    BothFramings,
    /// A chunk's length that is no hexadecimal number.
    #[error("a malformed chunk size")]
    ChunkSize,
    /// A control byte in a chunk extension.
    #[error("a control byte in a chunk extension")]
    ChunkExtension,
    /// A chunk that does not end where it said.
    #[error("a chunk without its line end")]
    ChunkEnd,
    /// Longer than anything sensible.
    #[error("a line that is too long")]
    LineTooLong,
    /// Too many control frames.
    #[error("too many HTTP/2 control frames")]
    Flood,
}

impl Violation {
    /// All of them, in their order.
    pub const ALL: [Self; 14] = [
        Self::BareLineFeed,
        Self::BareCarriageReturn,
        Self::RequestLine,
        Self::Fragment,
        Self::Folded,
        Self::FieldName,
        Self::ContentLength,
        Self::TransferEncoding,
        Self::BothFramings,
        Self::ChunkSize,
        Self::ChunkExtension,
        Self::ChunkEnd,
        Self::LineTooLong,
        Self::Flood,
    ];

    /// How the verdict stores it: its place, from 1.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8 + 1
    }
}
