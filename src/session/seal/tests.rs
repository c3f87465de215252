//! Seals open with the same key, realm and purpose only.

use super::*;
use crate::tenant::TenantKey;

fn ring(secrets: &[&str]) -> KeyRing {
    KeyRing::new(&secrets.iter().copied().map(Secret::new).collect::<Vec<_>>()).unwrap()
}

fn realm(key: &str) -> Realm {
    Realm::of(TenantKey::parse(key), "https://issuer.example", "client")
}

#[test]
fn what_is_sealed_opens_with_the_same_key_realm_and_purpose_only() {
    let seal = ring(&["one"]).seal("session").unwrap();
    let sealed = seal.seal(&realm("acme"), b"text".to_vec()).unwrap();
    let rows: [(&[&str], &'static str, &str, bool, &str); 6] = [
        (&["one"], "session", "acme", true, "all the same"),
        (&["two", "one"], "session", "acme", true, "an older key, listed behind the new one"),
        (&["two"], "session", "acme", false, "another key"),
        (&[], "session", "acme", false, "a random key"),
        (&["one"], "session", "globex", false, "another tenant"),
        (&["one"], "flow", "acme", false, "another purpose"),
    ];
    for (secrets, purpose, key, opens, shows) in rows {
        let opened = ring(secrets).seal(purpose).unwrap().open(&realm(key), &sealed);
        assert_eq!(opened.as_deref(), opens.then_some(&b"text"[..]), "{shows}");
    }
    assert!(ring(&["one"]).bound("session", b"id").unwrap().open(&realm("acme"), &sealed).is_none());
}

#[test]
fn no_flipped_bit_and_no_shorter_text_opens() {
    let seal = ring(&["secret"]).seal("session").unwrap();
    let acme = realm("acme");
    let text: Vec<u8> = (0..1_300_u16).map(|n| n.to_le_bytes()[0]).collect();
    let sealed = seal.seal(&acme, text.clone()).unwrap();
    assert!(sealed.len() * 8 > 10_000, "ten thousand bits are flipped at least");
    for bit in 0..sealed.len() * 8 {
        let mut flipped = sealed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(seal.open(&acme, &flipped), None, "bit {bit}");
    }
    for length in 0..sealed.len() {
        assert_eq!(seal.open(&acme, &sealed[..length]), None, "{length} bytes");
        assert_eq!(seal.open(&acme, &sealed[sealed.len() - length..]), None, "the last {length} bytes");
    }
    let longer = [&sealed[..], b"x"].concat();
    assert_eq!(seal.open(&acme, &longer), None, "a byte more");
    assert_eq!(seal.open(&acme, &sealed), Some(text));
}

#[test]
fn the_same_text_is_never_sealed_the_same() {
    let seal = ring(&["secret"]).seal("session").unwrap();
    let acme = realm("acme");
    assert_ne!(seal.seal(&acme, b"text".to_vec()), seal.seal(&acme, b"text".to_vec()));
}

#[test]
fn an_empty_secret_is_none() {
    let refused = KeyRing::new(&[Secret::new("good"), Secret::new("")]);
    assert!(matches!(refused, Err(SessionsError::EmptySecret)));
}

#[test]
fn no_key_is_printed() {
    let ring = ring(&["hunter2"]);
    let seal = ring.seal("session").unwrap();
    assert!(!format!("{ring:?} {seal:?}").contains("hunter2"));
}
