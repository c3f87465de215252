//! How a WebSocket ends, and what each side is told.
//!
//! A side that is to be told gets a Close frame (RFC 6455 §5.5.1) with a code of §7.4 and a word for
//! people; which of our reasons it was is for the log alone.

use super::frames::Fault;

/// Why we end a WebSocket that nobody else has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The process stops.
    Drained,
    /// The session that opened it has ended.
    SessionEnded,
    /// The token that opened it has expired, and there is no other.
    TokenExpired,
    /// Its tenant is suspended or gone.
    TenantGone,
    /// Its tenant is in maintenance.
    Maintenance,
    /// Nothing has passed for long.
    Idle,
    /// One side has taken nothing of what waits for it for long.
    Stuck,
    /// It is as old as one may get.
    TooOld,
}

/// How a WebSocket ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Both sides said so, or one did and the other left.
    Closed,
    /// A connection ended without a word.
    BrokeOff,
    /// The client sent what is no frame.
    ClientFault(Fault),
    /// The backend did.
    BackendFault(Fault),
    /// We ended it.
    Ordered(Order),
}

/// A code, and a word for people.
pub(super) type Words = (u16, &'static str);

const GOING_AWAY: u16 = 1001;
const PROTOCOL_ERROR: u16 = 1002;
const POLICY: u16 = 1008;
const SERVER_ERROR: u16 = 1011;
const TRY_AGAIN: u16 = 1013;

impl Ending {
    /// The word of the log and the metrics.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::BrokeOff => "broke_off",
            Self::ClientFault(_) => "client_protocol_error",
            Self::BackendFault(_) => "backend_protocol_error",
            Self::Ordered(order) => order.code(),
        }
    }

    /// What the client and the backend are told; nothing where both know.
    pub(super) fn words(self) -> Option<(Words, Words)> {
        match self {
            Self::Closed | Self::BrokeOff => None,
            Self::ClientFault(_) => Some(((PROTOCOL_ERROR, "protocol error"), (GOING_AWAY, "client error"))),
            Self::BackendFault(_) => {
                Some(((SERVER_ERROR, "application error"), (PROTOCOL_ERROR, "protocol error")))
            }
            Self::Ordered(order) => Some((order.words(), (GOING_AWAY, order.words().1))),
        }
    }
}

impl Order {
    fn code(self) -> &'static str {
        match self {
            Self::Drained => "drained",
            Self::SessionEnded => "session_ended",
            Self::TokenExpired => "token_expired",
            Self::TenantGone => "tenant_gone",
            Self::Maintenance => "tenant_maintenance",
            Self::Idle => "idle",
            Self::Stuck => "stuck",
            Self::TooOld => "too_old",
        }
    }

    fn words(self) -> Words {
        match self {
            Self::Drained => (GOING_AWAY, "restarting"),
            Self::SessionEnded => (POLICY, "session ended"),
            Self::TokenExpired => (POLICY, "token expired"),
            Self::TenantGone => (POLICY, "tenant not served"),
            Self::Maintenance => (TRY_AGAIN, "maintenance"),
            Self::Idle => (GOING_AWAY, "idle"),
            Self::Stuck => (GOING_AWAY, "too slow"),
            Self::TooOld => (GOING_AWAY, "open for too long"),
        }
    }
}

/// The Close frame that says `words`; `mask` as towards a server.
pub(super) fn close_frame((code, reason): Words, mask: Option<[u8; 4]>) -> Vec<u8> {
    let payload = [&code.to_be_bytes()[..], reason.as_bytes()].concat();
    // Our words are short: a control frame has at most 125 bytes.
    let length = u8::try_from(payload.len()).unwrap_or(0).min(125);
    let Some(mask) = mask else { return [&[0x88, length][..], &payload].concat() };
    let masked = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
    [0x88, 0x80 | length].into_iter().chain(mask).chain(masked).collect()
}

#[cfg(test)]
mod tests {
    use super::super::frames::Follower;
    use super::*;

    #[test]
    fn close_frames_are_in_order_on_either_side() {
        let plain = close_frame((1001, "restarting"), None);
        assert_eq!(plain, b"\x88\x0c\x03\xe9restarting");
        let mut server = Follower::new(false, false);
        assert_eq!((server.follow(&plain).passed, server.is_closed()), (plain.len(), true));
        let masked = close_frame((1008, "x"), Some([1, 2, 3, 4]));
        let mut client = Follower::new(true, false);
        assert_eq!((client.follow(&masked).passed, client.is_closed()), (masked.len(), true));
        assert_eq!(masked, [0x88, 0x83, 1, 2, 3, 4, 0x03 ^ 1, 0xf0 ^ 2, b'x' ^ 3]);
    }
}
