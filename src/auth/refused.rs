//! Why a caller was not admitted, and what `WWW-Authenticate` says about it.
//!
//! The words follow RFC 6750 §3 and are fixed texts: nothing of a token, a claim or an issuer gets
//! into them. Statuses are not decided here; the crate's one table from reason to status is `error`.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;

use super::login::LoginError;
use super::{AuthenticationType, TokenError};

/// Why [`admit`](super::admit) refused.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refused {
    /// The route needs a caller and none was presented: 401, or a login.
    #[error("no credentials were presented")]
    Unauthenticated,
    /// Several or unreadable credentials: 401.
    #[error("the credentials are ambiguous or cannot be read")]
    MalformedCredentials,
    /// A token that this tenant's issuer did not issue, or that is not valid now: 401.
    #[error("the token is refused")]
    InvalidToken(#[source] TokenError),
    /// The caller is known and may not: 403.
    #[error("the caller has none of the scopes that the route asks for")]
    MissingScope {
        /// What `WWW-Authenticate` says; it names the route's scopes.
        challenge: HeaderValue,
    },
    /// The route needs user and password: 401.
    #[error("no user and password were presented")]
    PasswordNeeded {
        /// What `WWW-Authenticate` says; it names the tenant.
        challenge: HeaderValue,
    },
    /// The issuer does not know user and password: 401.
    #[error("the issuer does not accept user and password")]
    WrongPassword {
        /// What `WWW-Authenticate` says; it names the tenant.
        challenge: HeaderValue,
    },
    /// The issuer, asked about user and password, did not answer usefully.
    #[error("the issuer could not be asked")]
    Issuer(#[source] Arc<LoginError>),
    /// A session's caller has to repeat its CSRF token: 403.
    #[error("the request does not repeat the CSRF token of its session")]
    CsrfRequired,
    /// Another site made the browser send it: 403.
    #[error("another site sent the request")]
    CrossSite,
    /// The issuer's keys cannot be had now: 503.
    #[error("the keys of the issuer are not available")]
    KeysUnavailable {
        /// What `Retry-After` says.
        retry_after: Duration,
    },
    /// The tenant has no issuer, so no token can be its: 401.
    #[error("the tenant has no issuer")]
    NoIssuer,
    /// An authentication type that is not served yet; the configuration refuses it before this can: 500.
    #[error("authenticationType {0:?} is not supported yet")]
    NotSupported(AuthenticationType),
}

impl Refused {
    /// What `WWW-Authenticate` says, where the refusal has one.
    #[must_use]
    pub fn challenge(&self) -> Option<HeaderValue> {
        match self {
            Self::Unauthenticated | Self::NoIssuer => Some(HeaderValue::from_static("Bearer")),
            Self::MalformedCredentials => Some(HeaderValue::from_static(
                "Bearer error=\"invalid_request\", error_description=\"The credentials are malformed\"",
            )),
            Self::InvalidToken(reason) => Some(HeaderValue::from_static(reason.challenge())),
            Self::MissingScope { challenge }
            | Self::PasswordNeeded { challenge }
            | Self::WrongPassword { challenge } => Some(challenge.clone()),
            Self::KeysUnavailable { .. }
            | Self::NotSupported(_)
            | Self::CsrfRequired
            | Self::CrossSite
            | Self::Issuer(_) => None,
        }
    }

    /// What `Retry-After` says, where the refusal passes with time.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::KeysUnavailable { retry_after } => Some(*retry_after),
            Self::Unauthenticated
            | Self::MalformedCredentials
            | Self::InvalidToken(_)
            | Self::MissingScope { .. }
            | Self::NoIssuer
            | Self::PasswordNeeded { .. }
            | Self::WrongPassword { .. }
            | Self::Issuer(_)
            | Self::CsrfRequired
            | Self::CrossSite
            | Self::NotSupported(_) => None,
        }
    }
}
