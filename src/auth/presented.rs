//! What the caller presented, unjudged.
//!
//! [`identify`] reads `Authorization` and `x-approuter-authorization` and nothing else; it refuses
//! nothing and verifies nothing. Two headers of one name are ambiguous (which one would the backend
//! read?) and count as malformed. The token's own bytes are neither copied nor looked at: whoever
//! verifies it reads them all anyway.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::Refused;
use crate::secret::Secret;

/// The header in which another service hands on its caller's token.
pub const ROUTER_AUTHORIZATION: HeaderName = HeaderName::from_static("x-approuter-authorization");

/// The longest name of a scheme that is looked for.
const MAX_SCHEME: usize = 32;

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
    /// `Basic`, with the offset at which user and password begin.
    Basic(HeaderValue, usize),
    /// A scheme that nothing here reads.
    Other,
    /// Several headers, no scheme, or a scheme without a credential.
    Malformed,
}

/// What another service hands on of its caller.
#[derive(Debug)]
pub enum HandedOn<'a> {
    /// No such header.
    Nothing,
    /// A token.
    Token(&'a [u8]),
    /// User and password.
    User(UserPassword),
}

/// What a person typed.
#[derive(Debug)]
pub struct UserPassword {
    /// The user; it has no colon.
    pub user: String,
    /// The password.
    pub password: Secret,
}

impl UserPassword {
    fn decode(encoded: &[u8]) -> Option<Self> {
        let text = String::from_utf8(STANDARD.decode(encoded.trim_ascii()).ok()?).ok()?;
        let (user, password) = text.split_once(':')?;
        let plain = !text.chars().any(char::is_control);
        plain.then(|| Self { user: user.to_owned(), password: Secret::new(password) })
    }
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
    /// The bearer token of `Authorization`.
    pub fn bearer(&self) -> Result<Option<&[u8]>, Refused> {
        self.authorization.bearer()
    }

    /// User and password of `Authorization`, if they were presented (RFC 7617 §2). What cannot be read as
    /// them is asked for again.
    pub fn basic(&self) -> Result<Option<UserPassword>, Refused> {
        match &self.authorization {
            Credential::Absent | Credential::Bearer(..) | Credential::Other => Ok(None),
            Credential::Malformed => Err(Refused::MalformedCredentials),
            Credential::Basic(value, start) => {
                let encoded = value.as_bytes().get(*start..).unwrap_or_default();
                Ok(UserPassword::decode(encoded))
            }
        }
    }

    /// What `x-approuter-authorization` hands on; it goes before `Authorization`.
    pub fn handed_on(&self) -> Result<HandedOn<'_>, Refused> {
        let malformed = Refused::MalformedCredentials;
        match &self.router {
            Credential::Absent => Ok(HandedOn::Nothing),
            Credential::Bearer(..) => self.router.bearer()?.map(HandedOn::Token).ok_or(malformed),
            Credential::Basic(value, start) => {
                let encoded = value.as_bytes().get(*start..).unwrap_or_default();
                UserPassword::decode(encoded).map(HandedOn::User).ok_or(malformed)
            }
            Credential::Other | Credential::Malformed => Err(malformed),
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

    /// `scheme SP credential`, the scheme in any case (RFC 9110 §11.4).
    fn parse(value: &HeaderValue) -> Self {
        let bytes = value.as_bytes();
        if bytes.is_empty() {
            return Self::Absent;
        }
        let Some(blank) = bytes.iter().take(MAX_SCHEME).position(|byte| *byte == b' ') else {
            return Self::Malformed;
        };
        let (scheme, rest) = bytes.split_at(blank);
        let start = bytes.len() - rest.trim_ascii_start().len();
        if start == bytes.len() {
            return Self::Malformed;
        }
        let mut value = value.clone();
        value.set_sensitive(true);
        if scheme.eq_ignore_ascii_case(b"bearer") {
            Self::Bearer(value, start)
        } else if scheme.eq_ignore_ascii_case(b"basic") {
            Self::Basic(value, start)
        } else {
            Self::Other
        }
    }

    fn bearer(&self) -> Result<Option<&[u8]>, Refused> {
        match self {
            Self::Absent | Self::Basic(..) | Self::Other => Ok(None),
            Self::Malformed => Err(Refused::MalformedCredentials),
            Self::Bearer(value, start) => {
                value.as_bytes().get(*start..).map(Some).ok_or(Refused::MalformedCredentials)
            }
        }
    }
}

#[cfg(test)]
mod tests;
