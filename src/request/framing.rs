//! What the header block itself must satisfy: size, framing, expectation, method.
//!
//! hyper is a codec, not a policy: it lets transfer codings other than `chunked`, repeated lengths and
//! odd expectations through. Bytes that hyper normalises before it shows them are watched one layer
//! below, in the listener.

use http::header::{CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, Method, Version};

use super::{Malformed, websocket};

/// The most header fields.
const MOST_FIELDS: usize = 128;
/// The largest header block in bytes, each field counted with `: ` and its line end.
const LARGEST_BLOCK: usize = 32 * 1024;

/// All of it, cheapest first.
pub(super) fn check(parts: &Parts) -> Result<(), Malformed> {
    check_version(parts.version)?;
    check_method(parts)?;
    check_size(&parts.headers)?;
    check_length(parts)?;
    check_coding(parts)?;
    check_expectation(parts)
}

fn check_version(version: Version) -> Result<(), Malformed> {
    match version {
        Version::HTTP_10 | Version::HTTP_11 | Version::HTTP_2 => Ok(()),
        _ => Err(Malformed::VersionRefused),
    }
}

/// A method in lower case is another method to us and may be the same one to a lenient backend, so that
/// a scope for `DELETE` would not guard `delete`.
/// Of all that CONNECT can ask for, a WebSocket alone is served.
fn check_method(parts: &Parts) -> Result<(), Malformed> {
    let method = &parts.method;
    match *method {
        Method::CONNECT if websocket::is_extended_connect(parts) => Ok(()),
        Method::CONNECT | Method::TRACE => Err(Malformed::MethodRefused(method.clone())),
        _ if method.as_str().bytes().any(|byte| byte.is_ascii_lowercase()) => {
            Err(Malformed::MethodRefused(method.clone()))
        }
        _ => Ok(()),
    }
}

fn check_size(headers: &HeaderMap) -> Result<(), Malformed> {
    if headers.len() > MOST_FIELDS {
        return Err(Malformed::TooManyHeaders);
    }
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if size > LARGEST_BLOCK { Err(Malformed::HeadersTooLarge) } else { Ok(()) }
}

/// At most one `Content-Length`, and that a plain number (RFC 9112 §6.3).
fn check_length(parts: &Parts) -> Result<(), Malformed> {
    let mut values = parts.headers.get_all(CONTENT_LENGTH).iter();
    let Some(only) = values.next() else { return Ok(()) };
    let digits = only.as_bytes();
    let number = (1..=19).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    if values.next().is_some() || !number {
        return Err(Malformed::ContentLength);
    }
    if parts.headers.contains_key(TRANSFER_ENCODING) { Err(Malformed::BothFramings) } else { Ok(()) }
}

/// No transfer coding, or `chunked` once and nothing else, in HTTP/1.1 only (RFC 9112 §6.1, RFC 9113
/// §8.2.2).
fn check_coding(parts: &Parts) -> Result<(), Malformed> {
    let mut values = parts.headers.get_all(TRANSFER_ENCODING).iter();
    let Some(only) = values.next() else { return Ok(()) };
    let chunked = only.as_bytes().eq_ignore_ascii_case(b"chunked");
    if chunked && values.next().is_none() && parts.version == Version::HTTP_11 {
        Ok(())
    } else {
        Err(Malformed::TransferEncoding)
    }
}

/// An HTTP/1.0 client's expectation is ignored (RFC 9110 §10.1.1).
fn check_expectation(parts: &Parts) -> Result<(), Malformed> {
    let mut values = parts.headers.get_all(EXPECT).iter();
    let Some(only) = values.next() else { return Ok(()) };
    let known = only.as_bytes().eq_ignore_ascii_case(b"100-continue") && values.next().is_none();
    if known || parts.version == Version::HTTP_10 { Ok(()) } else { Err(Malformed::ExpectationFailed) }
}
