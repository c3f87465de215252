//! The token that unsafe requests repeat, so that another site cannot send them.
//!
//! It is made with the session and lives as long. It is compared in constant time; where a request
//! repeats it, or does so twice, is for the pipeline to refuse.

use aws_lc_rs::{constant_time, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::realm::sha256;
use super::{Identity, Session};

/// The header of the token, and of the request for one (`Fetch`).
pub const HEADER: HeaderName = HeaderName::from_static("x-csrf-token");

/// A session's token, `<16 hex>-<27 base64url>`. It lies in the session itself and takes no room beside.
#[derive(Clone)]
pub struct Token([u8; LENGTH]);

/// How many bytes a token has.
const LENGTH: usize = 16 + 1 + 27;

impl Token {
    /// One that nobody can guess; nothing where the system gives no randomness.
    pub(super) fn random() -> Option<Self> {
        let mut bytes = [0; 28];
        rand::fill(&mut bytes).ok()?;
        Self::of_bytes(bytes)
    }

    fn of_bytes(bytes: [u8; 28]) -> Option<Self> {
        let (name, secret) = bytes.split_first_chunk::<8>()?;
        let text = format!("{:016x}-{}", u64::from_be_bytes(*name), URL_SAFE_NO_PAD.encode(secret));
        Self::read(text.as_bytes())
    }

    /// The one of a caller without a session: it belongs to its token, and lives as long. Who does not know
    /// the token cannot know this.
    #[must_use]
    pub fn of_caller(caller: &Identity) -> Option<Self> {
        let digest = sha256(&[b"csrf token of ", caller.bearer.as_bytes()].concat());
        Self::of_bytes(digest.get(..28)?.try_into().ok()?)
    }

    /// The token that was written as `text`.
    #[must_use]
    pub fn read(text: &[u8]) -> Option<Self> {
        text.try_into().ok().map(Self)
    }

    /// Its text.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What an answer tells the session that asks for it.
    #[must_use]
    pub fn header(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_bytes(&self.0).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// Whether the request repeats the session's token, once.
#[must_use]
pub fn matches(session: &Session, headers: &HeaderMap) -> bool {
    is_repeated(&session.csrf_token, headers)
}

/// Whether the request repeats the token of a caller without a session, once.
#[must_use]
pub fn repeats(caller: &Identity, headers: &HeaderMap) -> bool {
    Token::of_caller(caller).is_some_and(|token| is_repeated(&token, headers))
}

fn is_repeated(token: &Token, headers: &HeaderMap) -> bool {
    let mut sent = headers.get_all(HEADER).into_iter();
    let (Some(shown), None) = (sent.next(), sent.next()) else { return false };
    constant_time::verify_slices_are_equal(shown.as_bytes(), token.as_bytes()).is_ok()
}

/// Whether the request asks for the token.
#[must_use]
pub fn is_fetch(headers: &HeaderMap) -> bool {
    headers.get(HEADER).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"fetch"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_the_form_that_clients_know() {
        let token = Token::random().unwrap();
        let header = token.header().unwrap();
        let text = header.to_str().unwrap();
        let (hex, secret) = text.split_once('-').unwrap();
        assert_eq!((hex.len(), secret.len()), (16, 27), "{text}");
        assert!(hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        assert!(header.is_sensitive() && format!("{token:?}") == "[secret]");
    }
}
