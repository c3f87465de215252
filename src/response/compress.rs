//! Compresses answers, where the client takes it and it is worth while.
//!
//! [`Squeeze::apply`] decides by the answer's headers alone and leaves the work to its body. Left as they are:
//! parts of a whole (206), what must arrive at once (server-sent events, gRPC), what may not be changed
//! (`no-transform`, digests), and answers that set a session or tell a CSRF token, as their length would
//! tell of secrets that stand in them (BREACH). A strong `ETag` becomes weak, as the bytes are others then
//! (RFC 9110 §8.8.3.3). What is in the request's body is nobody's business here.

mod body;
mod encoder;
mod kind;
mod room;

use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    SET_COOKIE, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body::Body as _;

use crate::forward::body::Body;
use crate::request::coding::{Accepted, Coding};
use crate::session::csrf;
use crate::snapshot::Compression;
use body::Squeezed;
use encoder::{Encoder, Plan};

pub use room::Room;

/// What says how the bytes have to be: compressed they would be others (RFC 9530, RFC 9421).
const SEALS: [HeaderName; 5] = [
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("signature"),
];

/// What of a request decides whether its answer is compressed; taken before its headers are sent on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    coding: Option<Coding>,
    head: bool,
}

impl Asked {
    /// What a request with `method` and `headers` takes.
    #[must_use]
    pub fn of(method: &Method, headers: &HeaderMap) -> Self {
        let coding = Accepted::of(headers).preferred().filter(|_| !forbids_transformation(headers));
        Self { coding, head: *method == Method::HEAD }
    }
}

/// How one answer may be compressed.
#[derive(Debug)]
pub struct Squeeze<'a> {
    /// What the configuration asks for.
    pub rules: &'a Compression,
    /// What the client takes.
    pub asked: Asked,
    /// What the session's cookie is called; ours begin with it.
    pub session_cookie: &'a str,
    /// How much may be compressed at once.
    pub room: &'a Room,
}

impl Squeeze<'_> {
    /// Compresses the answer, or leaves it; either way it says on what that depends.
    #[must_use]
    pub fn apply(&self, mut response: Response<Body>) -> Response<Body> {
        let status = response.status();
        let headers = response.headers_mut();
        if status == StatusCode::NOT_MODIFIED {
            self.confirm(headers);
            return response;
        }
        let is_squeezable =
            headers.get(CONTENT_TYPE).is_some_and(|kind| kind::is_squeezable(kind, self.rules));
        if !is_squeezable || forbids_transformation(headers) {
            return response;
        }
        vary(headers);
        let Some(coding) = self.asked.coding.filter(|_| !self.asked.head && self.may_change(status, headers))
        else {
            return response;
        };
        self.squeezed(response, coding)
    }

    /// A 304 says what the 200 did, or the client could not tell which answer it may go on using.
    fn confirm(&self, headers: &mut HeaderMap) {
        vary(headers);
        if self.asked.coding.is_some() {
            weaken(headers);
        }
    }

    fn may_change(&self, status: StatusCode, headers: &HeaderMap) -> bool {
        status != StatusCode::PARTIAL_CONTENT
            && status != StatusCode::NO_CONTENT
            && !headers.contains_key(CONTENT_RANGE)
            && headers.get_all(CONTENT_ENCODING).iter().all(|coding| coding == "identity")
            && !SEALS.iter().any(|name| headers.contains_key(name))
            && !self.sets_secret(headers)
    }

    /// Whether the answer sets a session, ours or a backend's, or tells a token against forgery.
    fn sets_secret(&self, headers: &HeaderMap) -> bool {
        let sets_session = |cookie: &HeaderValue| {
            let cookie = cookie.as_bytes();
            cookie.starts_with(self.session_cookie.as_bytes()) || !is_persistent(cookie)
        };
        headers.contains_key(csrf::HEADER) || headers.get_all(SET_COOKIE).iter().any(sets_session)
    }

    fn squeezed(&self, response: Response<Body>, coding: Coding) -> Response<Body> {
        let size = response.body().size_hint().exact();
        if size.is_some_and(|size| size < self.rules.min_size) {
            return response;
        }
        let plan = Plan::of(coding, size);
        let Some(place) = self.room.take(plan.cost()) else { return response };
        let encoder = Encoder::new(plan);
        let (mut parts, body) = response.into_parts();
        parts.headers.insert(CONTENT_ENCODING, coding.value());
        parts.headers.remove(CONTENT_LENGTH);
        // A range would be one of the bytes before they are compressed.
        parts.headers.remove(ACCEPT_RANGES);
        weaken(&mut parts.headers);
        Response::from_parts(parts, Body::transformed(Squeezed::new(body, encoder, place)))
    }
}

/// Whether `Cache-Control` says `no-transform`, in a request or an answer (RFC 9111 §5.2).
fn forbids_transformation(headers: &HeaderMap) -> bool {
    let says = |value: &HeaderValue| {
        let mut words = value.as_bytes().split(|byte| *byte == b',');
        words.any(|word| word.trim_ascii().eq_ignore_ascii_case(b"no-transform"))
    };
    headers.get_all(CACHE_CONTROL).iter().any(says)
}

/// Whether a cookie outlives the browser's session.
fn is_persistent(cookie: &[u8]) -> bool {
    let attributes = cookie.split(|byte| *byte == b';').skip(1);
    attributes.map(<[u8]>::trim_ascii_start).any(|attribute| {
        [&b"max-age="[..], b"expires="]
            .iter()
            .any(|name| attribute.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name)))
    })
}

/// Says that the answer depends on what codings the client takes.
fn vary(headers: &mut HeaderMap) {
    let names = |value: &HeaderValue| {
        let mut names = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        names.any(|name| name == b"*" || name.eq_ignore_ascii_case(b"accept-encoding"))
    };
    if !headers.get_all(VARY).iter().any(names) {
        headers.append(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
}

/// Makes a strong `ETag` weak; what is no tag at all is left out.
fn weaken(headers: &mut HeaderMap) {
    let Some(tag) = headers.get(ETAG) else { return };
    if tag.as_bytes().starts_with(b"W/") {
        return;
    }
    let weak = [b"W/", tag.as_bytes()].concat();
    match HeaderValue::from_maybe_shared(bytes::Bytes::from(weak)) {
        Ok(weak) if tag.as_bytes().starts_with(b"\"") => headers.insert(ETAG, weak),
        Ok(_) | Err(_) => headers.remove(ETAG),
    };
}

#[cfg(test)]
mod tests;
