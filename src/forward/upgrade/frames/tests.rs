//! Frames that pass and frames that do not, however they are cut.

use super::*;

/// All that passes of `bytes`, however they are cut, and the fault behind it.
fn followed(follower: &Follower, bytes: &[u8]) -> Followed {
    let whole = follower.clone().follow(bytes);
    for size in [1, 2, 3, 7] {
        let (mut follower, mut passed, mut end) = (follower.clone(), 0, 0);
        let mut fault = None;
        while end < bytes.len() && fault.is_none() {
            end = (end + size).min(bytes.len());
            let piece = follower.follow(&bytes[passed..end]);
            passed += piece.passed;
            fault = piece.fault;
            assert!(end - passed <= LONGEST_HEAD || fault.is_some() || follower.is_closed());
        }
        assert_eq!((passed, fault), (whole.passed, whole.fault), "in pieces of {size}: {bytes:x?}");
    }
    whole
}

fn client() -> Follower {
    Follower::new(true, false)
}

fn server() -> Follower {
    Follower::new(false, false)
}

const MASK: [u8; 4] = [1, 2, 3, 4];

/// A masked frame.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("a short one");
    [&[first, 0x80 | length][..], &MASK, payload].concat()
}

#[test]
fn what_is_in_order_passes_whole() {
    let long = [&[0x82, 126, 1, 0][..], &[7; 256]].concat();
    let longer = [&[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0][..], &vec![7; 65_536]].concat();
    for (follower, bytes, shows) in [
        (client(), masked(0x81, b"hello"), "a text"),
        (client(), [masked(0x01, b"he"), masked(0x80, b"llo")].concat(), "in two"),
        (
            client(),
            [masked(0x01, b"he"), masked(0x89, b"?"), masked(0x80, b"llo")].concat(),
            "a ping between",
        ),
        (client(), [masked(0x02, b""), masked(0x00, b""), masked(0x80, b"")].concat(), "empty fragments"),
        (client(), masked(0x88, b"\x03\xe8bye"), "a close"),
        (client(), masked(0x88, b""), "a close without a code"),
        (server(), b"\x81\x05hello".to_vec(), "unmasked, of a server"),
        (server(), b"\x8a\x00\x89\x01x".to_vec(), "pong and ping"),
        (server(), long, "of 256 bytes"),
        (server(), longer, "of 64 KiB"),
    ] {
        let all = bytes.len();
        assert_eq!(followed(&follower, &bytes), Followed { passed: all, fault: None }, "{shows}");
    }
}

#[test]
fn what_is_not_does_not_pass_and_what_is_before_it_does() {
    let good = masked(0x81, b"good");
    let huge = |bytes: [u8; 8]| [&[0x82, 0x80 | 127][..], &bytes, &MASK].concat();
    for (bytes, fault, shows) in [
        (masked(0x83, b""), Fault::Operation, "operation 3"),
        (masked(0x87, b""), Fault::Operation, "operation 7"),
        (masked(0x8b, b""), Fault::Operation, "operation 11"),
        (masked(0x8f, b""), Fault::Operation, "operation 15"),
        (masked(0xc1, b""), Fault::Reserved, "the first reserved bit"),
        (masked(0xa1, b""), Fault::Reserved, "the second"),
        (masked(0x91, b""), Fault::Reserved, "the third"),
        (vec![0x81, 0x05], Fault::Mask, "no mask"),
        (masked(0x09, b""), Fault::Control, "a ping in pieces"),
        (masked(0x08, b""), Fault::Control, "a close in pieces"),
        (vec![0x89, 0xfe, 0, 126], Fault::Control, "a ping of 126 bytes"),
        (vec![0x88, 0xff], Fault::Control, "a close of any length"),
        (vec![0x88, 0x81], Fault::Close, "half a code"),
        (masked(0x80, b""), Fault::Fragment, "a continuation of nothing"),
        (masked(0x00, b""), Fault::Fragment, "another"),
        (huge([0x80, 0, 0, 0, 0, 0, 0, 0]), Fault::Length, "2^63"),
        (huge([0xff; 8]), Fault::Length, "2^64 - 1"),
        (huge([0, 0, 0, 0, 0, 0, 0xff, 0xff]), Fault::Length, "64 bits for 16"),
        (vec![0x82, 0xfe, 0, 125], Fault::Length, "16 bits for 7"),
        (b"GET / HTTP/1.1\r\n".to_vec(), Fault::Operation, "a request"),
    ] {
        let both = [&good[..], &bytes].concat();
        let expected = Followed { passed: good.len(), fault: Some(fault) };
        assert_eq!(followed(&client(), &both), expected, "{shows}");
    }
    let within = [masked(0x01, b"a"), masked(0x81, b"b")].concat();
    assert_eq!(followed(&client(), &within).fault, Some(Fault::Fragment), "a message within a message");
    assert_eq!(followed(&server(), &masked(0x81, b"a")).fault, Some(Fault::Mask), "a server masks nothing");
}

#[test]
fn a_length_below_the_limit_is_followed_and_never_kept() {
    let mut follower = server();
    let head = [0x82, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    assert_eq!(follower.follow(&head), Followed { passed: 10, fault: None });
    assert!(!follower.is_between_frames());
    assert_eq!(follower.follow(&[0; 4096]).passed, 4096);
}

#[test]
fn reserved_bits_are_an_extensions() {
    let follower = Follower::new(false, true);
    assert_eq!(followed(&follower, b"\xc1\x01x").fault, None);
}

#[test]
fn nothing_passes_behind_a_close() {
    let bytes = [masked(0x88, b"\x03\xe8"), masked(0x81, b"more")].concat();
    let mut follower = client();
    assert_eq!(follower.follow(&bytes), Followed { passed: 8, fault: None });
    assert!(follower.is_closed());
    assert_eq!(follower.follow(&bytes), Followed { passed: 0, fault: None });
}

#[test]
fn empty_fragments_have_an_end() {
    let flood = [masked(0x01, b""), masked(0x00, b"").repeat(1_000)].concat();
    let found = followed(&client(), &flood);
    assert_eq!(found.fault, Some(Fault::Empty));
    assert!(found.passed <= 6 * (usize::from(MOST_EMPTY) + 2));
    let filled = [masked(0x01, b"a"), masked(0x00, b"b").repeat(1_000)].concat();
    assert_eq!(followed(&client(), &filled).fault, None, "fragments that say something");
}
