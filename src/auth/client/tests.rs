//! Which keys sign, and with what.

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256};

use super::*;

#[test]
fn the_type_of_a_key_decides_how_it_signs() {
    let pem = |kind| KeyPair::generate_for(kind).unwrap().serialize_pem();
    let p256 = pem(&PKCS_ECDSA_P256_SHA256);
    let rows = [
        (pem(&PKCS_RSA_SHA256), Some("RS256"), "RSA"),
        (p256.clone(), Some("ES256"), "P-256"),
        (p256.replace('\n', "\\n"), Some("ES256"), "in one line, as bindings have it"),
        (pem(&PKCS_ECDSA_P384_SHA384), Some("ES384"), "P-384"),
        (pem(&PKCS_ED25519), Some("EdDSA"), "Ed25519"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".into(), None, "no key inside"),
        (String::new(), None, "nothing"),
    ];
    for (pem, expected, shows) in rows {
        let key = SigningKey::from_pem(&Secret::new(pem)).ok();
        assert_eq!(key.as_ref().map(SigningKey::algorithm), expected, "{shows}");
        assert!(key.is_none_or(|key| key.sign(b"message").is_some()), "{shows}");
    }
}
