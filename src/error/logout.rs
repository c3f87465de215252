//! Logouts by the issuer that came to nothing.
//!
//! All that is wrong with a token is told in the same words: whoever may send one knows what is in it,
//! and nobody else learns who is logged in. The log knows more.

use http::StatusCode;

use super::{Failure, Verdict, told};
use crate::auth::LogoutTokenError;

/// Why an issuer's logout came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum LogoutFault {
    /// The body is no form, or has not exactly one token.
    #[error("the body is not a form with one logout_token")]
    NoToken,
    /// What the token says, or that it is not the issuer's.
    #[error(transparent)]
    Token(LogoutTokenError),
    /// The token came before.
    #[error("the token was used before")]
    Replayed,
}

impl From<LogoutFault> for Failure {
    fn from(fault: LogoutFault) -> Self {
        Self::Logout(fault)
    }
}

/// What the issuer is told.
pub(super) fn verdict(reason: &LogoutFault) -> Verdict {
    match reason {
        LogoutFault::Token(LogoutTokenError::KeysUnavailable { retry_after }) => told(
            StatusCode::SERVICE_UNAVAILABLE,
            "issuer_unreachable",
            "The keys of the identity provider cannot be had now; try again later.",
        )
        .retry_after(*retry_after),
        LogoutFault::NoToken | LogoutFault::Replayed | LogoutFault::Token(_) => told(
            StatusCode::BAD_REQUEST,
            "logout_token_invalid",
            "There is no valid logout token in the request.",
        ),
    }
}
