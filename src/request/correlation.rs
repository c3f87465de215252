//! The ids under which a request can be followed: continued where the client brings usable ones, begun
//! where not.
//!
//! The correlation id is the first of `x-correlationid`, `x-correlation-id`, `x-request-id` and
//! `x-vcap-request-id`; the trace follows W3C Trace Context. Ids are for following, never for deciding,
//! so a fast generator will do. The id of a refusal is always our own, since a client could otherwise
//! make two refusals look like one.

use http::{HeaderMap, HeaderName, HeaderValue};

/// Answered to the client, and sent to the backend.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Sent to the backend.
pub const X_CORRELATIONID: HeaderName = HeaderName::from_static("x-correlationid");
/// Sent to the backend (W3C Trace Context §3.2).
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

const X_CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
const X_VCAP_REQUEST_ID: HeaderName = HeaderName::from_static("x-vcap-request-id");

/// The longest id that is continued; in characters.
const LONGEST: usize = 128;

/// The ids of one request.
#[derive(Clone, Debug)]
pub struct Correlation {
    /// `x-request-id`.
    pub request_id: HeaderValue,
    /// `x-correlationid`.
    pub correlation_id: HeaderValue,
    /// `traceparent`.
    pub traceparent: HeaderValue,
}

impl Correlation {
    /// Continues what `headers` bring, and begins the rest.
    #[must_use]
    pub fn continued(headers: &HeaderMap) -> Self {
        let first = |names: &[HeaderName]| names.iter().find_map(|name| usable(headers.get(name)?));
        let request_id = first(&[X_REQUEST_ID, X_VCAP_REQUEST_ID]);
        let correlation_id = first(&[X_CORRELATIONID, X_CORRELATION_ID]);
        let request_id = request_id.or_else(|| correlation_id.clone()).unwrap_or_else(|| value(&fresh_id()));
        let correlation_id = correlation_id.unwrap_or_else(|| request_id.clone());
        Self { request_id, correlation_id, traceparent: continued_trace(headers) }
    }
}

/// A fresh id in the form of a UUID version 4, lower case.
#[must_use]
pub fn fresh_id() -> [u8; 36] {
    let mut random = fastrand::u128(..).to_be_bytes();
    random[6] = random[6] & 0x0F | 0x40;
    random[8] = random[8] & 0x3F | 0x80;
    let mut text = [b'-'; 36];
    for (part, place) in [(&random[..4], 0), (&random[4..6], 9), (&random[6..8], 14), (&random[8..10], 19)] {
        write_hex(part, &mut text[place..]);
    }
    write_hex(&random[10..], &mut text[24..]);
    text
}

fn usable(value: &HeaderValue) -> Option<HeaderValue> {
    let fits = (1..=LONGEST).contains(&value.len());
    (fits && value.as_bytes().iter().all(u8::is_ascii_graphic)).then(|| value.clone())
}

fn continued_trace(headers: &HeaderMap) -> HeaderValue {
    let given = headers.get(TRACEPARENT).filter(|value| is_trace(value.as_bytes()));
    given.cloned().unwrap_or_else(begun_trace)
}

/// `00-` trace id `-` parent id `-` flags, neither id all zero.
fn is_trace(text: &[u8]) -> bool {
    let hex = |part: &[u8]| part.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let id = |part: &[u8]| hex(part) && part.iter().any(|b| *b != b'0');
    match text {
        [b'0', b'0', b'-', rest @ ..] if rest.len() == 52 && rest[32] == b'-' && rest[49] == b'-' => {
            id(&rest[..32]) && id(&rest[33..49]) && hex(&rest[50..])
        }
        _ => false,
    }
}

fn begun_trace() -> HeaderValue {
    let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
    write_hex(&fastrand::u128(1..).to_be_bytes(), &mut text[3..]);
    write_hex(&fastrand::u64(1..).to_be_bytes(), &mut text[36..]);
    value(&text)
}

/// Two digits for each of `bytes`, into as much of `text` as they take.
fn write_hex(bytes: &[u8], text: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (byte, pair) in bytes.iter().zip(text.chunks_exact_mut(2)) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 0xF)];
    }
}

/// `text` is made above of letters, digits and hyphens only.
fn value(text: &[u8]) -> HeaderValue {
    HeaderValue::from_bytes(text).unwrap_or_else(|_| HeaderValue::from_static("0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let value = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(value).collect()
    }

    #[test]
    fn ids_are_continued_in_the_documented_order() {
        for (sent, correlation, request, what) in [
            (&[("x-correlationid", "a"), ("x-request-id", "b")][..], "a", "b", "each its own"),
            (&[("x-correlation-id", "a")], "a", "a", "the other spelling"),
            (&[("x-request-id", "b")], "b", "b", "one for both"),
            (&[("x-vcap-request-id", "v")], "v", "v", "the platform's"),
        ] {
            let ids = Correlation::continued(&headers(sent));
            assert_eq!(
                (ids.correlation_id.as_bytes(), ids.request_id.as_bytes()),
                (correlation.as_bytes(), request.as_bytes()),
                "{what}"
            );
        }
    }

    #[test]
    fn unusable_ids_are_replaced() {
        let ids = Correlation::continued(&headers(&[("x-request-id", "a b"), ("traceparent", "00-0-0-0")]));
        assert_eq!(ids.request_id.len(), 36);
        assert!(is_trace(ids.traceparent.as_bytes()));
    }

    #[test]
    fn a_fresh_id_is_a_uuid_of_version_4() {
        let id = fresh_id();
        assert_eq!((id[14], id[8], id[13]), (b'4', b'-', b'-'));
        assert!(matches!(id[19], b'8' | b'9' | b'a' | b'b'));
    }

    #[test]
    fn a_valid_trace_is_continued() {
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(Correlation::continued(&headers(&[("traceparent", trace)])).traceparent, trace);
        assert!(!is_trace(b"00-00000000000000000000000000000000-00f067aa0ba902b7-01"), "all zero");
    }
}
