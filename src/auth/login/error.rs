//! Why a login, or a logout that the issuer asks for, came to nothing.
//!
//! One variant a reason; the sources are for the log. Statuses and codes are not decided here: that is
//! the crate's one table, `error`. What an issuer says in its errors is bounded and only logged.

use std::time::Duration;

use super::super::{Refused, TokenError};

/// Why a login failed.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The application is no client of the tenant's issuer: `no_login`.
    #[error("the application is not a client of the tenant's issuer")]
    NoClient,
    /// The system gives no randomness to begin a login with.
    #[error("the system gives no randomness")]
    NoRandomness,
    /// The flow was begun with another `state`: `login_state_unknown`.
    #[error("the state is not that of the login")]
    WrongState,
    /// The answer names another issuer, or none though it must (RFC 9207 §2.4): `login_issuer_mismatch`.
    #[error("the answer is another issuer's, or does not say whose")]
    IssuerMismatch,
    /// The user or the issuer said no (`error=access_denied`): `login_denied`.
    #[error("the issuer denied access")]
    Denied,
    /// The issuer answered with another error: `login_refused`.
    #[error("the issuer refused the login: {0}")]
    Refused(Box<str>),
    /// The answer has neither a code nor an error: `login_code_missing`.
    #[error("the answer has no code")]
    NoCode,
    /// The token endpoint does not accept the code, refresh token or password: `code_refused`.
    #[error("the issuer does not accept the grant")]
    GrantRefused,
    /// The token endpoint refused for a reason that is not the user's, such as `invalid_client`:
    /// `client_refused`.
    #[error("the token endpoint refused: {0}")]
    ClientRefused(Box<str>),
    /// The answer of the token endpoint cannot be understood, or lacks a token that it must have:
    /// `login_token_invalid`.
    #[error("the answer of the token endpoint is unusable: {0}")]
    MalformedAnswer(&'static str),
    /// A token of the answer is not what it has to be: `login_token_invalid`.
    #[error("a token of the answer is refused")]
    InvalidToken(#[source] TokenError),
    /// The ID token is another login's: `nonce_mismatch`.
    #[error("the nonce is not that of the login")]
    NonceMismatch,
    /// A refresh gave the tokens of somebody else.
    #[error("the tokens are another user's")]
    OtherSubject,
    /// The issuer, or its keys, cannot be had now: `issuer_unreachable`.
    #[error("the issuer cannot be reached")]
    IssuerUnreachable {
        /// What `Retry-After` says.
        retry_after: Duration,
    },
}

impl From<Refused> for LoginError {
    /// What the verification of a token says of the login that brought it.
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::InvalidToken(reason) => Self::InvalidToken(reason),
            Refused::KeysUnavailable { retry_after } => Self::IssuerUnreachable { retry_after },
            Refused::Unauthenticated
            | Refused::MalformedCredentials
            | Refused::MissingScope { .. }
            | Refused::NoIssuer
            | Refused::PasswordNeeded { .. }
            | Refused::WrongPassword { .. }
            | Refused::Issuer(_)
            | Refused::CsrfRequired
            | Refused::CrossSite
            | Refused::NotSupported(_) => Self::NoClient,
        }
    }
}

/// Why a logout token is refused (OpenID Connect Back-Channel Logout 1.0 §2.6): `logout_token_invalid`.
#[derive(Debug, thiserror::Error)]
pub enum LogoutTokenError {
    /// The application is no client of the tenant's issuer.
    #[error("the application is not a client of the tenant's issuer")]
    NoClient,
    /// Form, signature, issuer, audience or time is wrong.
    #[error("the token is refused")]
    InvalidToken(#[source] TokenError),
    /// `iat` is missing, or too long ago to be meant now.
    #[error("iat is missing, or long ago")]
    Stale,
    /// `events` does not say that this is a logout token.
    #[error("events does not name a logout")]
    NoLogoutEvent,
    /// A nonce, which only ID tokens have.
    #[error("there is a nonce, so that it may be an ID token")]
    HasNonce,
    /// Neither `sid` nor `sub`.
    #[error("neither sid nor sub says whose session ends")]
    NoSession,
    /// No `jti`, so that a replay could not be told.
    #[error("there is no jti")]
    NoId,
    /// The issuer's keys cannot be had now.
    #[error("the issuer's keys cannot be had")]
    KeysUnavailable {
        /// What `Retry-After` says.
        retry_after: Duration,
    },
}
