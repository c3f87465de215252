//! Follows the frames of one direction of a WebSocket, without looking into them.
//!
//! It reads heads and counts payloads (RFC 6455 §5.2), so that a message of any length passes as it
//! comes, and so that we know where a frame of our own may stand. A head is held back until it is whole
//! and known to be in order; nothing of a frame that is not reaches the other side.

/// The longest head: two bytes, eight of length, four of mask.
pub(super) const LONGEST_HEAD: usize = 14;
/// How many empty fragments may follow each other: each costs both sides work and says nothing.
const MOST_EMPTY: u8 = 100;

/// The operation of a Close frame.
const CLOSE: u8 = 8;

/// Why a frame may not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// An operation that there is none of.
    #[error("a reserved operation")]
    Operation,
    /// A reserved bit that no extension asked for.
    #[error("a reserved bit")]
    Reserved,
    /// A client's frame without a mask, or a server's with one.
    #[error("masked by the wrong side")]
    Mask,
    /// A control frame in pieces or of more than 125 bytes.
    #[error("a control frame that is too large or in pieces")]
    Control,
    /// A continuation of nothing, or a message within a message.
    #[error("fragments out of order")]
    Fragment,
    /// A length of 2⁶³ or more, or one that is written longer than it has to be.
    #[error("a length that is none")]
    Length,
    /// A Close frame with one byte, which is no code.
    #[error("a Close frame without a whole code")]
    Close,
    /// Empty fragments without end.
    #[error("too many empty fragments")]
    Empty,
}

/// How far a direction has come.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "two say who sends how, two where in a message it is")]
pub(super) struct Follower {
    /// Who sends: a client masks, a server does not.
    masked: bool,
    /// Whether an extension may use the reserved bits.
    extended: bool,
    /// How much of the payload is still to come.
    left: u64,
    /// Whether a message has begun that has not ended.
    fragmented: bool,
    empty: u8,
    /// Whether the frame under way, or the last, is a Close frame.
    closing: bool,
}

/// What may pass of what came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Followed {
    /// So many bytes; what is behind them is a head's beginning, or nothing that may pass.
    pub(super) passed: usize,
    /// What is wrong with the frame behind them.
    pub(super) fault: Option<Fault>,
}

/// The head of a frame.
struct Head {
    length: usize,
    payload: u64,
    last: bool,
    operation: u8,
}

impl Follower {
    /// Follows a client's frames, or a server's; `extended` says that both agreed on an extension.
    pub(super) fn new(of_a_client: bool, extended: bool) -> Self {
        Self { masked: of_a_client, extended, left: 0, fragmented: false, empty: 0, closing: false }
    }

    /// Whether another frame may stand here.
    pub(super) fn is_between_frames(&self) -> bool {
        self.left == 0
    }

    /// Whether a whole Close frame has passed; nothing may come behind it.
    pub(super) fn is_closed(&self) -> bool {
        self.closing && self.left == 0
    }

    /// Looks at what came; a head that is not whole has to be shown again, with what follows it.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> Followed {
        let mut passed = 0;
        while !self.is_closed() {
            let rest = bytes.get(passed..).unwrap_or_default();
            if self.left > 0 {
                let n = usize::try_from(self.left).unwrap_or(usize::MAX).min(rest.len());
                self.left -= n as u64;
                passed += n;
                if self.left > 0 {
                    break;
                }
                continue;
            }
            match self.head(rest) {
                Ok(None) => break,
                Ok(Some(head)) => {
                    passed += head.length;
                    self.enter(&head);
                }
                Err(fault) => return Followed { passed, fault: Some(fault) },
            }
        }
        Followed { passed, fault: None }
    }

    fn enter(&mut self, head: &Head) {
        self.left = head.payload;
        self.closing = head.operation == CLOSE;
        if head.operation < CLOSE {
            self.fragmented = !head.last;
            self.empty = if head.payload == 0 && !head.last { self.empty + 1 } else { 0 };
        }
    }

    /// The head that `bytes` begin with; nothing where it is not whole. What is wrong is said as soon as
    /// it is there.
    fn head(&self, bytes: &[u8]) -> Result<Option<Head>, Fault> {
        let Some(&first) = bytes.first() else { return Ok(None) };
        let (last, operation) = (first & 0x80 != 0, first & 0x0f);
        self.check_first(first, last, operation)?;
        let Some(&second) = bytes.get(1) else { return Ok(None) };
        if (second & 0x80 != 0) != self.masked {
            return Err(Fault::Mask);
        }
        let short = second & 0x7f;
        if operation >= CLOSE && short > 125 {
            return Err(Fault::Control);
        }
        if operation == CLOSE && short == 1 {
            return Err(Fault::Close);
        }
        let Some((written, payload)) = length(short, bytes.get(2..).unwrap_or_default())? else {
            return Ok(None);
        };
        let length = 2 + written + if self.masked { 4 } else { 0 };
        if bytes.len() < length {
            return Ok(None);
        }
        Ok(Some(Head { length, payload, last, operation }))
    }

    fn check_first(&self, first: u8, last: bool, operation: u8) -> Result<(), Fault> {
        match operation {
            0 if !self.fragmented => return Err(Fault::Fragment),
            1 | 2 if self.fragmented => return Err(Fault::Fragment),
            8..=10 if !last => return Err(Fault::Control),
            0..=2 | 8..=10 => {}
            _ => return Err(Fault::Operation),
        }
        if first & 0x70 != 0 && !self.extended {
            return Err(Fault::Reserved);
        }
        if self.empty > MOST_EMPTY { Err(Fault::Empty) } else { Ok(()) }
    }
}

/// How many bytes write a payload's length behind its short form, and the length; nothing where they
/// are not all there. It has to be written as shortly as it can be (RFC 6455 §5.2).
fn length(short: u8, bytes: &[u8]) -> Result<Option<(usize, u64)>, Fault> {
    match short {
        126 => match bytes {
            [a, b, ..] => match u16::from_be_bytes([*a, *b]) {
                0..126 => Err(Fault::Length),
                length => Ok(Some((2, length.into()))),
            },
            _ => Ok(None),
        },
        127 => match bytes {
            // Said before the rest is there: nobody sends so much.
            [first, ..] if first & 0x80 != 0 => Err(Fault::Length),
            _ => match bytes.first_chunk().map(|bytes| u64::from_be_bytes(*bytes)) {
                Some(0..0x1_0000) => Err(Fault::Length),
                Some(length) => Ok(Some((8, length))),
                None => Ok(None),
            },
        },
        length => Ok(Some((0, length.into()))),
    }
}

#[cfg(test)]
mod tests;
