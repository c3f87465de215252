//! The development issuer's signing keys, made at start and never written down.
//!
//! ES256 (RFC 7518 §3.4): such a key is made in no time, so the issuer starts at once. What it verifies
//! are its own tokens when they come back; the router learns of these keys from the published key set
//! like of any other issuer's.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
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

    /// `claims` as a signed token of the type `typ` (RFC 7515, compact form).
    pub(super) fn sign(&self, typ: &str, claims: &Value) -> Result<String, Unspecified> {
        let header = json!({"typ": typ, "alg": "ES256", "kid": self.id});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The claims of a token that this key signed; whether it has expired is not looked at.
    pub(super) fn verified(&self, token: &str) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.pair.public_key().as_ref());
        public.verify(signed.as_bytes(), &signature).ok()?;
        let claims = URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?;
        serde_json::from_slice(&claims).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};

    #[test]
    fn the_published_key_verifies_what_the_key_signs() {
        let key = SigningKey::generate("acme-1".into()).expect("generated");
        let token = key.sign("JWT", &json!({"sub": "alice", "exp": 4_102_444_800_u64})).expect("signed");
        let public = serde_json::from_value(key.public()).expect("a JWK");
        let decoding = DecodingKey::from_jwk(&public).expect("usable");
        let claims =
            decode::<Value>(&token, &decoding, &Validation::new(Algorithm::ES256)).expect("verified");
        assert_eq!(claims.claims["sub"], "alice");
        assert_eq!(key.verified(&token).map(|claims| claims["sub"].clone()), Some("alice".into()));
    }

    #[test]
    fn what_another_key_signed_is_not_its_own() {
        let [ours, theirs] = ["a", "b"].map(|id| SigningKey::generate(id.into()).expect("generated"));
        let token = theirs.sign("JWT", &json!({"sub": "alice"})).expect("signed");
        assert_eq!(ours.verified(&token), None);
        assert_eq!(theirs.verified(&token.replace(".ey", ".eY")), None, "changed on the way");
    }
}
