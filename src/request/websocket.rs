//! What a request asks for that wants a WebSocket.
//!
//! There are two ways to ask: HTTP/1.1 by `Upgrade` (RFC 6455 §4.1), HTTP/2 by an extended CONNECT
//! (RFC 8441 §4), which is taken for the `GET` that it stands for. A handshake is read strictly, and
//! nothing of it is passed on but what was read here. Surprising: a request that has a WebSocket's key
//! and asks for nothing, or for another protocol beside, is refused instead of taken for an ordinary one.

use http::header::{
    CONNECTION, CONTENT_LENGTH, ORIGIN, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};

use super::CanonicalRequest;
use super::origin::{Origin, OriginRule};

/// The only version there is (RFC 6455 §4.1).
const VERSION: &[u8] = b"13";

/// A handshake that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The client's key; `None` where it has none, because it asked by HTTP/2.
    pub key: Option<HeaderValue>,
}

/// Why a WebSocket is not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unopened {
    /// None is.
    #[error("WebSockets are not enabled")]
    Disabled,
    /// Not a `GET`.
    #[error("the handshake is no GET")]
    Method,
    /// HTTP/1.0.
    #[error("the handshake is not one of HTTP/1.1")]
    Old,
    /// `Upgrade` names nothing or something else as well.
    #[error("Upgrade is not `websocket` alone")]
    Upgrade,
    /// `Connection` does not name `Upgrade`.
    #[error("Connection does not name Upgrade")]
    Connection,
    /// No key, several, or something else than 16 bytes in base64.
    #[error("Sec-WebSocket-Key is not one key")]
    Key,
    /// The request has a body.
    #[error("the handshake has a body")]
    Body,
    /// Another version than 13, or none.
    #[error("Sec-WebSocket-Version is not 13")]
    Version,
    /// No `Origin`.
    #[error("there is no Origin")]
    NoOrigin,
    /// `Origin` is `null`, several or not of the right place.
    #[error("the Origin is not allowed")]
    Origin,
    /// As many are open as there may be.
    #[error("too many WebSockets are open")]
    TooMany,
}

/// Whether a request asks for a WebSocket, rightly or not.
#[must_use]
pub fn is_asked(parts: &Parts) -> bool {
    parts.headers.contains_key(SEC_WEBSOCKET_KEY)
        || is_named(&parts.headers, &UPGRADE, b"websocket")
        || is_extended_connect(parts)
}

/// Whether a request is an extended CONNECT for a WebSocket.
pub(super) fn is_extended_connect(parts: &Parts) -> bool {
    parts.method == Method::CONNECT
        && parts.version == Version::HTTP_2
        && parts
            .extensions
            .get::<hyper::ext::Protocol>()
            .is_some_and(|protocol| protocol.as_ref() == b"websocket")
}

impl Handshake {
    /// The handshake of a request that [asks for one](is_asked).
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(parts: &Parts) -> Result<Self, Unopened> {
        let headers = &parts.headers;
        let key = if is_extended_connect(parts) { None } else { Some(upgrade(parts)?) };
        let length = headers.get_all(CONTENT_LENGTH).iter().any(|length| length != "0");
        if length || headers.contains_key(TRANSFER_ENCODING) {
            return Err(Unopened::Body);
        }
        match only(headers, &SEC_WEBSOCKET_VERSION) {
            Some(version) if version.as_bytes() == VERSION => Ok(Self { key }),
            Some(_) | None => Err(Unopened::Version),
        }
    }
}

/// The key of a handshake by `Upgrade`.
fn upgrade(parts: &Parts) -> Result<HeaderValue, Unopened> {
    let headers = &parts.headers;
    if parts.method != Method::GET {
        return Err(Unopened::Method);
    }
    if parts.version != Version::HTTP_11 {
        return Err(Unopened::Old);
    }
    match only(headers, &UPGRADE) {
        Some(protocol) if protocol.as_bytes().eq_ignore_ascii_case(b"websocket") => {}
        Some(_) | None => return Err(Unopened::Upgrade),
    }
    if !is_named(headers, &CONNECTION, b"upgrade") {
        return Err(Unopened::Connection);
    }
    let key = only(headers, &SEC_WEBSOCKET_KEY).filter(|key| is_key(key.as_bytes()));
    key.cloned().ok_or(Unopened::Key)
}

/// The value of a field that is there once.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// Whether a list names `word`, in any case.
#[must_use]
pub fn is_named(headers: &HeaderMap, name: &HeaderName, word: &[u8]) -> bool {
    let mut words = headers.get_all(name).iter().flat_map(|line| line.as_bytes().split(|b| *b == b','));
    words.any(|named| named.trim_ascii().eq_ignore_ascii_case(word))
}

/// 16 bytes in base64: 22 signs, of which the last has two bits, and the padding.
fn is_key(text: &[u8]) -> bool {
    let is_sign = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    let Some((signs, b"==")) = text.split_at_checked(22) else { return false };
    signs.iter().all(is_sign) && matches!(signs.last(), Some(b'A' | b'Q' | b'g' | b'w'))
}

/// Refuses a page of another origin: of any other than the request's own, or, where there are `rules`,
/// of any that none of them allows.
///
/// # Errors
/// Why the origin does not do.
pub fn check_origin(
    headers: &HeaderMap,
    request: &CanonicalRequest,
    rules: Option<&[OriginRule]>,
) -> Result<(), Unopened> {
    if !headers.contains_key(ORIGIN) {
        return Err(Unopened::NoOrigin);
    }
    let origin = only(headers, &ORIGIN).and_then(|origin| Origin::parse(origin.as_bytes()));
    let origin = origin.ok_or(Unopened::Origin)?;
    let allowed = match rules {
        Some(rules) => rules.iter().any(|rule| rule.allows(&origin)),
        None => origin.is_own(request),
    };
    if allowed { Ok(()) } else { Err(Unopened::Origin) }
}

#[cfg(test)]
mod tests;
