//! A client's proof by its own key: `private_key_jwt` (OpenID Connect Core 1.0 §9, RFC 7523 §2.2).
//!
//! The token holds for a minute, once, and for the issuer by name: one that is made for an endpoint
//! could be passed on to another issuer by whoever names that endpoint.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::client::SigningKey;
use super::super::json::{Map, Value};

/// `client_assertion_type`.
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How long it holds, in seconds.
const LIFETIME: u64 = 60;

/// The proof that the bearer is `client`, for `issuer`, by `key`; `id` is new each time. `None` where
/// the system gave no randomness to sign with.
pub(super) fn client_assertion(
    key: &SigningKey,
    client: &str,
    issuer: &str,
    id: &str,
    now: u64,
) -> Option<String> {
    let header = Map::from_iter([member("alg", key.algorithm()), member("typ", "JWT")]);
    let mut claims = Map::from_iter([
        member("iss", client),
        member("sub", client),
        member("aud", issuer),
        member("jti", id),
    ]);
    claims.insert("iat".into(), now.into());
    claims.insert("exp".into(), now.saturating_add(LIFETIME).into());
    let segment = |members| URL_SAFE_NO_PAD.encode(Value::Object(members).to_string());
    let message = format!("{}.{}", segment(header), segment(claims));
    let signature = key.sign(message.as_bytes())?;
    Some(format!("{message}.{signature}"))
}

fn member(name: &str, text: &str) -> (String, Value) {
    (name.to_owned(), text.into())
}
