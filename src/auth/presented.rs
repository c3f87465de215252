//! What the caller presented, unjudged.
//!
//! [`identify`] reads `Authorization` and `x-approuter-authorization` and nothing else; it refuses
//! nothing and verifies nothing. Two headers of one name are ambiguous (which one would the backend
//! read?) and count as malformed. Values are kept as shared `HeaderValue`s, so identifying copies
//! no token.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::Refused;

/// The header in which another service hands on its caller's token.
pub const ROUTER_AUTHORIZATION: HeaderName = HeaderName::from_static("x-approuter-authorization");

/// The credentials of a request, as presented.
#[derive(Debug, Default)]
pub struct Presented {
    authorization: Credential,
    router: Credential,
}

/// One header's credential.
#[derive(Debug, Default)]
enum Credential {
    /// There is no such header, or it is empty.
    #[default]
    Absent,
    /// `Bearer`, with the offset at which the token begins.
    Bearer(HeaderValue, usize),
    /// `Basic`.
    Basic,
    /// A scheme that nothing here reads.
    Other,
    /// Several headers, no scheme, or bytes that no credential has.
    Malformed,
}

/// Reads the credentials of `headers`.
#[must_use]
pub fn identify(headers: &HeaderMap) -> Presented {
    Presented {
        authorization: Credential::of(headers, &AUTHORIZATION),
        router: Credential::of(headers, &ROUTER_AUTHORIZATION),
    }
}

impl Presented {
    /// The bearer token, if one was presented: `x-approuter-authorization` wins.
    pub fn bearer(&self) -> Result<Option<&str>, Refused> {
        match self.router_bearer()? {
            Some(token) => Ok(Some(token)),
            None => self.authorization.bearer(),
        }
    }

    /// The token of `x-approuter-authorization`, where any scheme but `Bearer` is malformed.
    pub fn router_bearer(&self) -> Result<Option<&str>, Refused> {
        match &self.router {
            Credential::Basic | Credential::Other => Err(Refused::MalformedCredentials),
            Credential::Absent | Credential::Bearer(..) | Credential::Malformed => self.router.bearer(),
        }
    }
}

impl Credential {
    fn of(headers: &HeaderMap, name: &HeaderName) -> Self {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Self::Absent,
            (Some(value), None) => Self::parse(value),
            (Some(_), Some(_)) => Self::Malformed,
        }
    }

    /// `scheme SP token`, the scheme in any case (RFC 9110 §11.4).
    fn parse(value: &HeaderValue) -> Self {
        let Ok(text) = value.to_str() else { return Self::Malformed };
        if text.is_empty() {
            return Self::Absent;
        }
        let Some((scheme, rest)) = text.split_once(' ') else { return Self::Malformed };
        if scheme.eq_ignore_ascii_case("bearer") {
            return Self::parse_bearer(value, rest.trim_start_matches(' '));
        }
        if scheme.eq_ignore_ascii_case("basic") { Self::Basic } else { Self::Other }
    }

    fn parse_bearer(value: &HeaderValue, token: &str) -> Self {
        if token.is_empty() || !token.bytes().all(is_token_byte) {
            return Self::Malformed;
        }
        let mut value = value.clone();
        value.set_sensitive(true);
        let start = value.len() - token.len();
        Self::Bearer(value, start)
    }

    fn bearer(&self) -> Result<Option<&str>, Refused> {
        match self {
            Self::Absent | Self::Basic | Self::Other => Ok(None),
            Self::Malformed => Err(Refused::MalformedCredentials),
            Self::Bearer(value, start) => {
                let text = value.to_str().map_err(|_| Refused::MalformedCredentials)?;
                text.get(*start..).map(Some).ok_or(Refused::MalformedCredentials)
            }
        }
    }
}

/// The alphabet of `b64token` (RFC 6750 §2.1).
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}

#[cfg(test)]
mod tests;
