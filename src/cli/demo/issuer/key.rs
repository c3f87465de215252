//! The development issuer's signing keys, made at start and never written down.
//!
//! ES256 (RFC 7518 §3.4): such a key is made in no time, so the demo starts at once. This file signs
//! only; the verifying side is [`crate::auth`], which learns of these keys from the published key set
//! like of any other issuer's.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The bytes of one coordinate of a P-256 point.
const COORDINATE: usize = 32;

/// One realm's key pair.
pub(super) struct SigningKey {
    id: String,
    pair: EcdsaKeyPair,
}

impl SigningKey {
    /// Makes a new key pair that is published as `id`.
    pub(super) fn generate(id: String) -> Result<Self, Unspecified> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        Ok(Self { id, pair })
    }

    /// The public half as a JSON Web Key (RFC 7517).
    pub(super) fn public(&self) -> Value {
        // An uncompressed point: one byte of form, then x and y.
        let point = self.pair.public_key().as_ref();
        let (x, y) = point[1..].split_at(COORDINATE);
        json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.id,
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        })
    }

    /// `claims` as a signed token (RFC 7515, compact form).
    pub(super) fn sign(&self, claims: &Value) -> Result<String, Unspecified> {
        let header = json!({"typ": "JWT", "alg": "ES256", "kid": self.id});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};

    #[test]
    fn the_published_key_verifies_what_the_key_signs() {
        let key = SigningKey::generate("acme-1".into()).expect("generated");
        let token = key.sign(&json!({"sub": "alice", "exp": 4_102_444_800_u64})).expect("signed");
        let public = serde_json::from_value(key.public()).expect("a JWK");
        let decoding = DecodingKey::from_jwk(&public).expect("usable");
        let claims =
            decode::<Value>(&token, &decoding, &Validation::new(Algorithm::ES256)).expect("verified");
        assert_eq!(claims.claims["sub"], "alice");
    }
}
