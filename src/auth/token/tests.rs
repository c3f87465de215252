//! Tests of `auth::token`: tables, each row with what it shows.

use super::*;

#[test]
fn names_of_algorithms_are_exact() {
    for (name, algorithm) in Algorithm::NAMES {
        assert_eq!(Algorithm::parse(name), Some(algorithm));
        assert_eq!(algorithm.name(), name);
    }
    for name in ["none", "HS256", "HS512", "rs256", "", "ES256K", "ES512", "Ed25519", "RSA1_5"] {
        assert_eq!(Algorithm::parse(name), None, "{name}");
    }
}

#[test]
fn what_callers_are_told_is_a_header_and_says_nothing_of_the_token() {
    let all = [
        TokenError::TooLong,
        TokenError::Expired,
        TokenError::NotYetValid,
        TokenError::WrongIssuer,
        TokenError::UnknownKey,
        TokenError::MalformedClaim("exp"),
        TokenError::AlgorithmNotAllowed(Algorithm::Rs512),
    ];
    for reason in all {
        let challenge = http::HeaderValue::from_static(reason.challenge());
        assert!(challenge.to_str().unwrap().starts_with("Bearer error=\"invalid_token\""), "{reason}");
    }
}

#[test]
fn the_fuzz_seeds_do_not_panic() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/token");
    let seeds: Vec<_> = std::fs::read_dir(folder).unwrap().map(|seed| seed.unwrap().path()).collect();
    assert!(seeds.len() >= 10);
    for seed in seeds {
        fuzz(&std::fs::read(seed).unwrap());
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        fuzz(&bytes);
    }

    #[test]
    fn no_text_in_three_segments_panics(text in "[A-Za-z0-9_=-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}") {
        fuzz(text.as_bytes());
    }
}
