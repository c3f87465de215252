//! Any bytes, read as what one side of a WebSocket sends.
//!
//! For fuzzing and for nothing else. What it holds true: however the bytes were cut the same of them passes
//! and the same fault is found; no more is held back than a head; and what passes is whole frames but for
//! the payload of the last, as a second, plainer reader sees them.

use super::frames::{Fault, Follower, LONGEST_HEAD};

/// Reads `bytes`, of which the first chooses the side, the extension and the cut.
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    let Some((&choice, bytes)) = bytes.split_first() else { return };
    let (of_a_client, extended) = (choice & 1 != 0, choice & 2 != 0);
    let cut = usize::from(choice >> 2) + 1;
    let mut whole = Follower::new(of_a_client, extended);
    let followed = whole.follow(bytes);
    let (passed, fault) = in_pieces(Follower::new(of_a_client, extended), bytes, cut);
    assert_eq!((followed.passed, followed.fault), (passed, fault), "in pieces of {cut}");
    let frames = bytes.get(..passed).unwrap_or_default();
    assert!(are_frames(frames, of_a_client), "what passes are no frames");
}

fn in_pieces(mut pieces: Follower, bytes: &[u8], cut: usize) -> (usize, Option<Fault>) {
    let (mut passed, mut end) = (0, 0);
    while end < bytes.len() && !pieces.is_closed() {
        end = (end + cut).min(bytes.len());
        let followed = pieces.follow(bytes.get(passed..end).unwrap_or_default());
        passed += followed.passed;
        if followed.fault.is_some() {
            return (passed, followed.fault);
        }
        assert!(pieces.is_closed() || end - passed < LONGEST_HEAD, "{} bytes are held", end - passed);
    }
    (passed, None)
}

/// Whether `bytes` are frames, of which the last may lack some of its payload.
fn are_frames(mut bytes: &[u8], masked: bool) -> bool {
    while let Some((_, rest)) = bytes.split_first() {
        let Some((&second, rest)) = rest.split_first() else { return false };
        let written = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let Some((length, rest)) = rest.split_at_checked(written) else { return false };
        let short = u64::from(second & 0x7f);
        let long = length.iter().fold(0, |sum: u64, byte| sum << 8 | u64::from(*byte));
        let payload = if written == 0 { short } else { long };
        let mask = if masked { 4 } else { 0 };
        let Some((_, rest)) = rest.split_at_checked(mask) else { return false };
        bytes = rest.get(usize::try_from(payload).unwrap_or(usize::MAX)..).unwrap_or_default();
    }
    true
}
