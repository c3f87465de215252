//! The form of a signed token (RFC 7515 compact serialisation), judged before anything it says.
//!
//! Splits, decodes and checks the header. Nothing in it becomes a URL: `jku`, `x5u` and `jwk` are not
//! read at all, and `crit` and `b64` are refused because they change what the rest means. Signature and
//! claims are judged elsewhere; this file knows neither keys nor issuers.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::json::{self, Map, Unreadable, Value};

/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN_LENGTH: usize = 16 * 1024;

/// The longest key id that is looked for, in bytes.
const MAX_KEY_ID_LENGTH: usize = 512;

/// A signature algorithm that may be allowed. There is no `none` and no HMAC: they cannot be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// Every algorithm, with its name.
    const NAMES: [(&'static str, Self); 9] = [
        ("RS256", Self::Rs256),
        ("RS384", Self::Rs384),
        ("RS512", Self::Rs512),
        ("PS256", Self::Ps256),
        ("PS384", Self::Ps384),
        ("PS512", Self::Ps512),
        ("ES256", Self::Es256),
        ("ES384", Self::Es384),
        ("EdDSA", Self::EdDsa),
    ];

    /// What an issuer may use where its configuration does not say.
    pub const DEFAULT: [Self; 4] = [Self::Rs256, Self::Es256, Self::Ps256, Self::EdDsa];

    /// The algorithm that is called `name` (RFC 7518 §3.1, RFC 8037 §3.1), in exactly this spelling.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, algorithm)| *algorithm)
    }

    /// Its registered name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }
}

/// Why a token is refused. The texts are for the log; callers learn only [`TokenError::challenge`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Longer than [`MAX_TOKEN_LENGTH`].
    #[error("longer than 16 KiB")]
    TooLong,
    /// Not three segments.
    #[error("not three segments")]
    NotThreeSegments,
    /// A segment that is not base64url without padding, in its one canonical form.
    #[error("a segment is not base64url")]
    NotBase64,
    /// The header is no JSON object.
    #[error("the header is not a JSON object")]
    MalformedHeader,
    /// The header names a member twice.
    #[error("the header names a member twice")]
    DuplicateHeader,
    /// `crit` is present; no extension is understood.
    #[error("the header has crit")]
    Critical,
    /// `b64` is present, which changes what was signed (RFC 7797).
    #[error("the header has b64")]
    UnencodedPayload,
    /// `typ` says that this is another kind of token, or is no text.
    #[error("typ is neither JWT nor at+jwt")]
    WrongType,
    /// `alg` is missing, no text, `none`, HMAC or unknown.
    #[error("alg is not a signature algorithm that is known")]
    UnknownAlgorithm,
    /// `alg` is not in the issuer's list.
    #[error("alg {} is not allowed for this issuer", .0.name())]
    AlgorithmNotAllowed(Algorithm),
    /// `kid` is no text, or too long.
    #[error("kid is not a text of at most 512 bytes")]
    MalformedKeyId,
    /// The issuer has no key of this `kid` that fits.
    #[error("the issuer has no key of this kid for this algorithm")]
    UnknownKey,
    /// Several keys fit, so that none is meant.
    #[error("several keys of the issuer fit")]
    AmbiguousKey,
    /// The signature is wrong.
    #[error("the signature is wrong")]
    WrongSignature,
    /// The claims are no JSON object.
    #[error("the claims are not a JSON object")]
    MalformedClaims,
    /// The claims name a member twice.
    #[error("the claims name a member twice")]
    DuplicateClaim,
    /// A claim has a type or value that it cannot have.
    #[error("claim {0} is malformed")]
    MalformedClaim(&'static str),
    /// There is no `exp`.
    #[error("there is no exp")]
    NoExpiry,
    /// `exp` has passed.
    #[error("expired")]
    Expired,
    /// `nbf` or `iat` is in the future.
    #[error("not valid yet")]
    NotYetValid,
    /// `iat` is after `exp`.
    #[error("issued after its expiry")]
    IssuedAfterExpiry,
    /// `iss` is not the tenant's issuer.
    #[error("iss is not the tenant's issuer")]
    WrongIssuer,
    /// `aud` does not name this application.
    #[error("aud does not name this application")]
    WrongAudience,
    /// `azp` names another client.
    #[error("azp names another client")]
    WrongAuthorizedParty,
    /// The token is another tenant's.
    #[error("the token is another tenant's, or does not say whose")]
    WrongTenant,
}

impl TokenError {
    /// What `WWW-Authenticate` says: the error code of RFC 6750 and nothing of the token.
    #[must_use]
    pub fn challenge(&self) -> &'static str {
        match self {
            Self::Expired => "Bearer error=\"invalid_token\", error_description=\"The token expired\"",
            Self::NotYetValid => {
                "Bearer error=\"invalid_token\", error_description=\"The token is not valid yet\""
            }
            Self::WrongIssuer | Self::WrongAudience | Self::WrongAuthorizedParty | Self::WrongTenant => {
                "Bearer error=\"invalid_token\", error_description=\"The token was not issued for this\""
            }
            Self::UnknownKey | Self::AmbiguousKey | Self::WrongSignature => {
                "Bearer error=\"invalid_token\", error_description=\"The token's signature was refused\""
            }
            Self::TooLong
            | Self::NotThreeSegments
            | Self::NotBase64
            | Self::MalformedHeader
            | Self::DuplicateHeader
            | Self::Critical
            | Self::UnencodedPayload
            | Self::WrongType
            | Self::UnknownAlgorithm
            | Self::AlgorithmNotAllowed(_)
            | Self::MalformedKeyId
            | Self::MalformedClaims
            | Self::DuplicateClaim
            | Self::MalformedClaim(_)
            | Self::NoExpiry
            | Self::IssuedAfterExpiry => {
                "Bearer error=\"invalid_token\", error_description=\"The token is malformed\""
            }
        }
    }
}

/// What a token is for; `typ` must not say that it is for something else (RFC 8725 §3.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To be let in (RFC 9068 §2.1).
    Access,
    /// To say who logged in (OpenID Connect Core 1.0 §2).
    Identity,
    /// To end sessions (OpenID Connect Back-Channel Logout 1.0 §2.4).
    Logout,
}

/// A token in parts, its header judged, its signature and claims not.
#[derive(Debug)]
pub struct Unverified<'a> {
    /// What was signed: header and claims as sent.
    pub message: &'a str,
    /// The signature, still in base64url.
    pub signature: &'a str,
    /// The claims, still in base64url.
    claims: &'a str,
    /// `alg`.
    pub algorithm: Algorithm,
    /// `kid`.
    pub key_id: Option<Box<str>>,
}

impl<'a> Unverified<'a> {
    /// Takes `token`, which lets somebody in, apart and judges its header.
    pub fn parse(token: &'a str) -> Result<Self, TokenError> {
        Self::parse_as(token, Purpose::Access)
    }

    /// Takes `token` apart and judges its header.
    pub fn parse_as(token: &'a str, purpose: Purpose) -> Result<Self, TokenError> {
        if token.len() > MAX_TOKEN_LENGTH {
            return Err(TokenError::TooLong);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(TokenError::NotThreeSegments)?;
        let (header, claims) = message.split_once('.').ok_or(TokenError::NotThreeSegments)?;
        if claims.contains('.') {
            return Err(TokenError::NotThreeSegments);
        }
        let header = json::object(&decode(header)?).map_err(|unreadable| match unreadable {
            Unreadable::Duplicate => TokenError::DuplicateHeader,
            Unreadable::Malformed | Unreadable::NotAnObject => TokenError::MalformedHeader,
        })?;
        let (algorithm, key_id) = judge(&header, purpose)?;
        Ok(Self { message, signature, claims, algorithm, key_id })
    }

    /// The claims. Until the signature is verified they may only be used to refuse.
    pub(super) fn claims(&self) -> Result<Map<String, Value>, TokenError> {
        json::object(&decode(self.claims)?).map_err(|unreadable| match unreadable {
            Unreadable::Duplicate => TokenError::DuplicateClaim,
            Unreadable::Malformed | Unreadable::NotAnObject => TokenError::MalformedClaims,
        })
    }
}

/// Algorithm and key id of a header that has one meaning.
fn judge(header: &Map<String, Value>, purpose: Purpose) -> Result<(Algorithm, Option<Box<str>>), TokenError> {
    if header.contains_key("crit") {
        return Err(TokenError::Critical);
    }
    if header.contains_key("b64") {
        return Err(TokenError::UnencodedPayload);
    }
    if header.get("typ").is_some_and(|typ| !fits(typ, purpose)) {
        return Err(TokenError::WrongType);
    }
    let algorithm =
        json::text(header, "alg").and_then(Algorithm::parse).ok_or(TokenError::UnknownAlgorithm)?;
    let key_id = match header.get("kid") {
        None => None,
        Some(Value::String(id)) if id.len() <= MAX_KEY_ID_LENGTH => Some(id.as_str().into()),
        Some(_) => return Err(TokenError::MalformedKeyId),
    };
    Ok((algorithm, key_id))
}

/// Whether `typ` is one of `purpose`, or says nothing more than JWT. The same keys sign other tokens for
/// other purposes (RFC 8725 §3.11).
fn fits(typ: &Value, purpose: Purpose) -> bool {
    let own = match purpose {
        Purpose::Access => "at+jwt",
        Purpose::Identity => "jwt",
        Purpose::Logout => "logout+jwt",
    };
    typ.as_str().is_some_and(|typ| {
        let name = if typ.get(..12).is_some_and(|prefix| prefix.eq_ignore_ascii_case("application/")) {
            &typ[12..]
        } else {
            typ
        };
        name.eq_ignore_ascii_case("jwt") || name.eq_ignore_ascii_case(own)
    })
}

fn decode(segment: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(segment).map_err(|_| TokenError::NotBase64)
}

/// Takes any bytes apart as a token would be; for fuzzing and for nothing else.
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(token) = Unverified::parse(text)
    {
        let _ = token.claims();
    }
    // The same bytes as a header, so that the fuzzer need not find base64url by itself.
    let header = URL_SAFE_NO_PAD.encode(bytes);
    let _ = Unverified::parse(&format!("{header}.e30.AA"));
}

#[cfg(test)]
mod tests;
