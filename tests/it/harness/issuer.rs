//! An issuer of tokens with keys of its own: RSA and elliptic curve, as a static key set.
//!
//! Keys are made once a process, for they are dear; issuers differ in their `iss` only, which is
//! what a confusion of tenants would overlook.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256};
use serde_json::{Value, json};

/// The keys of an issuer.
struct Keys {
    rsa: KeyPair,
    curve: KeyPair,
}

fn make() -> Keys {
    Keys {
        rsa: KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap(),
        curve: KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap(),
    }
}

fn own() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(make)
}

/// An issuer.
#[derive(Clone)]
pub(crate) struct Issuer {
    url: String,
    keys: &'static Keys,
}

impl Issuer {
    /// An issuer whose `iss` is `url`.
    pub(crate) fn new(url: &str) -> Self {
        Self { url: url.to_owned(), keys: own() }
    }

    /// The part of `xs-tenants.json` that trusts it, for the client and audience `app`.
    pub(crate) fn configuration(&self) -> Value {
        json!({"url": self.url, "clientId": "app", "audience": ["app"], "jwks": self.key_set()})
    }

    /// Its public keys: `r1` and `e1`.
    pub(crate) fn key_set(&self) -> Value {
        let (modulus, exponent) = rsa_parts(self.keys.rsa.public_key_raw());
        let point = &self.keys.curve.public_key_raw()[1..];
        json!({"keys": [
            {"kty": "RSA", "kid": "r1", "use": "sig", "alg": "RS256",
             "n": base64url(&modulus), "e": base64url(&exponent)},
            {"kty": "EC", "kid": "e1", "use": "sig", "alg": "ES256", "crv": "P-256",
             "x": base64url(&point[..32]), "y": base64url(&point[32..])},
        ]})
    }

    /// The public RSA key in PEM.
    pub(crate) fn public_pem(&self) -> String {
        self.keys.rsa.public_key_pem()
    }

    /// Claims of a good token for `app`, one hour long, with `more` on top.
    pub(crate) fn claims(&self, more: &Value) -> Value {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let mut claims = json!({"iss": self.url, "aud": "app", "sub": "u1", "azp": "app",
                                "iat": now, "exp": now + 3600});
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }

    /// A good RS256 token.
    pub(crate) fn token(&self, more: &Value) -> String {
        self.token_of(&self.claims(more))
    }

    /// An RS256 token of these claims.
    pub(crate) fn token_of(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some("r1".to_owned());
        let key = EncodingKey::from_rsa_pem(self.keys.rsa.serialize_pem().as_bytes()).unwrap();
        encode(&header, claims, &key).unwrap()
    }
}

/// Modulus and exponent of a DER `RSAPublicKey`.
fn rsa_parts(der: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (sequence, _) = element(der);
    let (modulus, rest) = element(sequence);
    let (exponent, _) = element(rest);
    let unsigned = |bytes: &[u8]| bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
    (unsigned(modulus), unsigned(exponent))
}

/// The content of the first DER element, and what follows it.
fn element(der: &[u8]) -> (&[u8], &[u8]) {
    let (length, start) = match der[1] {
        short if short < 0x80 => (usize::from(short), 2),
        long => {
            let bytes = usize::from(long & 0x7f);
            let length = der[2..2 + bytes].iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (length, 2 + bytes)
        }
    };
    (&der[start..start + length], &der[start + length..])
}

/// Base64 for URLs, without padding.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            let index = (word >> (18 - 6 * place)) & 63;
            text.push(char::from(LETTERS[index as usize]));
        }
    }
    text
}
