//! Tests of `auth::keys`: tables, each row with what it shows.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RsaKeyPair};
use base64::engine::general_purpose::STANDARD;

use super::*;

const ED: &str =
    r#"{"kty":"OKP","crv":"Ed25519","kid":"e","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

#[test]
fn sets_are_usable_or_refused_whole() {
    let many: Vec<String> = (0..300).map(|n| ED.replace("\"e\"", &format!("\"e{n}\""))).collect();
    let rows = [
        (format!(r#"{{"keys":[{ED}]}}"#), None, "one key"),
        (format!(r#"{{"keys":[{ED}],"more":1}}"#), None, "unknown members do not matter"),
        (
            format!(r#"{{"keys":[{ED},5,{{"kty":"EC","crv":"P-521"}}]}}"#),
            None,
            "what is not understood is passed over",
        ),
        (r#"{"keys":[]}"#.into(), Some(KeySetError::NoUsableKey), "no key"),
        (r#"{"keys":{}}"#.into(), Some(KeySetError::Malformed), "keys is a list"),
        (ED.into(), Some(KeySetError::Malformed), "a key is no key set"),
        (format!("[{ED}]"), Some(KeySetError::Malformed), "a list is no key set"),
        (format!(r#"{{"keys":[{ED}],"keys":[]}}"#), Some(KeySetError::Malformed), "keys twice"),
        (
            r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AAAA"}]}"#.into(),
            Some(KeySetError::NoUsableKey),
            "a short key",
        ),
        (
            r#"{"keys":[{"kty":"OKP","crv":"X25519","x":"AAAA"}]}"#.into(),
            Some(KeySetError::NoUsableKey),
            "a curve for other things",
        ),
        (
            r#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#.into(),
            Some(KeySetError::NoUsableKey),
            "a tiny modulus",
        ),
        (
            r#"{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}"#.into(),
            Some(KeySetError::NoUsableKey),
            "half a point",
        ),
        (format!(r#"{{"keys":[{}]}}"#, many.join(",")), Some(KeySetError::TooManyKeys), "three hundred keys"),
        (format!(r#"{{"keys":[{}]}}"#, vec![ED; 300].join(",")), None, "one key three hundred times"),
    ];
    for (set, expected, shows) in rows {
        assert_eq!(KeySet::parse(set.as_bytes()).err(), expected, "{shows}");
    }
}

#[test]
fn a_key_is_found_by_id_or_because_it_is_the_only_one() {
    let set =
        |keys: &[&str]| KeySet::parse(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes()).unwrap();
    let other = ED.replace("\"e\"", "\"f\"").replace("11qY", "21qY");
    let nameless = ED.replace(r#""kid":"e","#, "");
    let (one, two, anonymous) = (set(&[ED]), set(&[ED, &other]), set(&[&nameless]));
    let rows = [
        (&one, Some("e"), Algorithm::EdDsa, None, "by id"),
        (&one, Some("x"), Algorithm::EdDsa, Some(TokenError::UnknownKey), "another id"),
        (&one, None, Algorithm::EdDsa, None, "no id, one key"),
        (&one, Some("e"), Algorithm::Rs256, Some(TokenError::UnknownKey), "another algorithm"),
        (&two, Some("f"), Algorithm::EdDsa, None, "by id among two"),
        (&two, None, Algorithm::EdDsa, Some(TokenError::AmbiguousKey), "no id, two keys"),
        (&anonymous, Some("any"), Algorithm::EdDsa, None, "a key without an id fits any"),
    ];
    for (set, id, algorithm, expected, shows) in rows {
        assert_eq!(set.find(id, algorithm).err(), expected, "{shows}");
    }
}

#[test]
fn pem_survives_the_loss_of_its_line_breaks() {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    let body = STANDARD.encode(der.as_ref());
    let rows = [
        format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"),
        format!("-----BEGIN PUBLIC KEY-----{body}-----END PUBLIC KEY-----"),
        format!("-----BEGIN PUBLIC KEY-----\\n{body}\\n-----END PUBLIC KEY-----"),
        format!(
            "-----BEGIN PUBLIC KEY-----\r\n{}\r\n{}\r\n-----END PUBLIC KEY-----",
            &body[..64],
            &body[64..]
        ),
    ];
    for pem in rows {
        assert!(KeySet::from_rsa_pem(&pem).unwrap().find(Some("any"), Algorithm::Rs256).is_ok(), "{pem}");
    }
    for pem in ["", "-----BEGIN PUBLIC KEY-----", "-----BEGIN PUBLIC KEY-----AAAA-----END PUBLIC KEY-----"] {
        assert_eq!(KeySet::from_rsa_pem(pem).err(), Some(KeySetError::MalformedPem), "{pem}");
    }
}
