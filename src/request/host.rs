//! The host a request names, parsed once and by one parser.
//!
//! Letters, digits, hyphens and dots, or an IP literal; lower-cased, one trailing dot removed. User
//! information, escapes, underscores and empty labels are refused, and so is a name that ends in a
//! number without being an IPv4 address, because browsers read those as one (WHATWG URL §3.5).

use std::net::{Ipv4Addr, Ipv6Addr};

use http::header::HOST;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Version};

use super::{Malformed, Peer};

/// The longest host, in bytes (RFC 1035 §2.3.4).
const LONGEST: usize = 253;
/// The longest label of a host, in bytes.
const LONGEST_LABEL: usize = 63;

/// An external host: lower case, without port and trailing dot; letters, digits, hyphens and dots, or
/// an IP literal (IPv6 in brackets, in its shortest form).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Host(Box<str>);

impl Host {
    /// The host in `text`, which has no port.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, HostFault> {
        let bytes = text.as_bytes();
        if bytes.first() == Some(&b'[') { literal(bytes) } else { name(bytes) }
    }

    /// The host's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A host and the port beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// The host.
    pub host: Host,
    /// The port, where one is named.
    pub port: Option<u16>,
}

impl Authority {
    /// The host and port in `bytes`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, HostFault> {
        let split = match bytes.first() {
            Some(b'[') => memchr::memchr(b']', bytes).ok_or(HostFault::Address)? + 1,
            _ => memchr::memchr(b':', bytes).unwrap_or(bytes.len()),
        };
        let (host, rest) = bytes.split_at(split);
        let host = if bytes.first() == Some(&b'[') { literal(host)? } else { name(host)? };
        Ok(Self { host, port: port(rest)? })
    }
}

/// What is wrong with a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostFault {
    /// Nothing there.
    #[error("it is empty")]
    Empty,
    /// More than 253 bytes, or a label above 63.
    #[error("it is too long")]
    TooLong,
    /// An empty label: a leading dot, two in a row or two at the end.
    #[error("it has an empty label")]
    EmptyLabel,
    /// Something other than letters, digits, hyphens and dots.
    #[error("the byte {0:#04x} has no place in it")]
    Byte(u8),
    /// An IP literal that is none, or a name that ends in a number.
    #[error("it is not a valid IP address")]
    Address,
    /// A port that is not a number from 1 to 65535.
    #[error("its port is not a number from 1 to 65535")]
    Port,
}

/// The host the client itself named, with the value to tell a backend.
pub(super) fn named(parts: &Parts, peer: &Peer) -> Result<Option<(Authority, HeaderValue)>, Malformed> {
    let field = field(&parts.headers)?;
    if field.is_none() && parts.version == Version::HTTP_11 {
        return Err(Malformed::HostMissing);
    }
    let from_field =
        field.map(|value| Authority::parse(value.as_bytes())).transpose().map_err(Malformed::Host)?;
    let written = parts.uri.authority();
    let from_target =
        written.map(|a| Authority::parse(a.as_str().as_bytes())).transpose().map_err(Malformed::Host)?;
    if let (Some(a), Some(b)) = (&from_field, &from_target)
        && !same(a, b, parts.uri.scheme_str())
    {
        return Err(Malformed::AuthorityDiffers);
    }
    let value = field.cloned().or_else(|| HeaderValue::from_str(written?.as_str()).ok());
    let Some(named) = from_field.or(from_target).zip(value) else {
        return if parts.version == Version::HTTP_10 { Ok(None) } else { Err(Malformed::HostMissing) };
    };
    match &peer.server_name {
        Some(asked) if *asked != named.0.host => Err(Malformed::Misdirected),
        _ => Ok(Some(named)),
    }
}

/// The only `Host` field.
fn field(headers: &HeaderMap) -> Result<Option<&HeaderValue>, Malformed> {
    let mut fields = headers.get_all(HOST).iter();
    match (fields.next(), fields.next()) {
        (only, None) => Ok(only),
        _ => Err(Malformed::HostRepeated),
    }
}

/// Whether two authorities are one, the scheme's own port counting as unnamed.
fn same(a: &Authority, b: &Authority, scheme: Option<&str>) -> bool {
    let default = if scheme == Some("https") { 443 } else { 80 };
    a.host == b.host && a.port.unwrap_or(default) == b.port.unwrap_or(default)
}

/// A registered name or an IPv4 address.
fn name(bytes: &[u8]) -> Result<Host, HostFault> {
    let bytes = bytes.strip_suffix(b".").unwrap_or(bytes);
    if bytes.is_empty() {
        return Err(HostFault::Empty);
    }
    if bytes.len() > LONGEST {
        return Err(HostFault::TooLong);
    }
    check_labels(bytes)?;
    let text = std::str::from_utf8(bytes).map_err(|_| HostFault::Byte(0xff))?;
    if ends_in_number(text) && text.parse::<Ipv4Addr>().is_err() {
        return Err(HostFault::Address);
    }
    Ok(Host(text.to_ascii_lowercase().into_boxed_str()))
}

/// One pass over the bytes: only letters, digits, hyphens, and dots between labels of 1 to 63.
fn check_labels(bytes: &[u8]) -> Result<(), HostFault> {
    let mut label = 0;
    for &byte in bytes {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => label += 1,
            b'.' if label == 0 => return Err(HostFault::EmptyLabel),
            b'.' if label > LONGEST_LABEL => return Err(HostFault::TooLong),
            b'.' => label = 0,
            other => return Err(HostFault::Byte(other)),
        }
    }
    match label {
        0 => Err(HostFault::EmptyLabel),
        1..=LONGEST_LABEL => Ok(()),
        _ => Err(HostFault::TooLong),
    }
}

/// Whether the last label is one that URL parsers read as part of an IPv4 address.
fn ends_in_number(text: &str) -> bool {
    let last = text.rsplit('.').next().unwrap_or(text);
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    last.bytes().all(|b| b.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// An IPv6 address in brackets, without a zone.
fn literal(bytes: &[u8]) -> Result<Host, HostFault> {
    let inner =
        bytes.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")).ok_or(HostFault::Address)?;
    let text = std::str::from_utf8(inner).map_err(|_| HostFault::Address)?;
    let address: Ipv6Addr = text.parse().map_err(|_| HostFault::Address)?;
    Ok(Host(format!("[{address}]").into_boxed_str()))
}

/// The port behind a host: nothing, or a colon and 1 to 5 digits.
fn port(rest: &[u8]) -> Result<Option<u16>, HostFault> {
    let Some((&first, digits)) = rest.split_first() else { return Ok(None) };
    if first != b':' {
        return Err(HostFault::Byte(first));
    }
    if digits.is_empty() || digits.len() > 5 {
        return Err(HostFault::Port);
    }
    let number = digits.iter().try_fold(0u32, |sum, digit| {
        digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')).ok_or(HostFault::Port)
    })?;
    u16::try_from(number).ok().filter(|port| *port != 0).map(Some).ok_or(HostFault::Port)
}

#[cfg(test)]
mod tests;
