//! Logins that came to nothing, and what the person can do about it.
//!
//! Each reason has a code of its own, and every page a link that begins anew: no login ends in a dead
//! end, and none starts by itself, so that nobody is sent in a circle.

use std::time::Duration;

use http::header::SET_COOKIE;
use http::{HeaderValue, StatusCode};

use super::{Action, Failure, Verdict, told};
use crate::auth::login::LoginError;
use crate::session::{FlowRefused, ReturnPath, SetCookies, Unavailable};

/// A login that came to nothing.
#[derive(Debug, thiserror::Error)]
#[error("the login failed")]
pub struct FailedLogin {
    /// Why.
    #[source]
    pub reason: LoginFault,
    /// Where the link leads: what asked for the login, which asks again.
    pub again: HeaderValue,
    /// What the answer removes from the browser.
    pub set_cookies: SetCookies,
}

/// Why a login came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum LoginFault {
    /// A parameter of the answer is there twice, or is no text.
    #[error("the issuer's answer can be read in more than one way")]
    Ambiguous,
    /// The answer has no `state`.
    #[error("the callback has no state")]
    StateMissing,
    /// This browser has no such login under way.
    #[error(transparent)]
    Flow(FlowRefused),
    /// The browser sends the session's cookie twice, and would do so after a login as well.
    #[error("the session's cookie comes twice")]
    CookieTwice,
    /// The login was finished before.
    #[error("the state was used before")]
    Replayed,
    /// The issuer, or what it said.
    #[error(transparent)]
    Login(LoginError),
    /// The session cannot be kept.
    #[error("the session store does not answer")]
    Store(#[source] Unavailable),
}

impl LoginFault {
    /// Whether the login cannot be finished any more, so that its cookies have no more use.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Login(_) | Self::Replayed | Self::Store(_) | Self::Flow(FlowRefused::Expired) => true,
            Self::Ambiguous
            | Self::StateMissing
            | Self::CookieTwice
            | Self::Flow(FlowRefused::Unknown | FlowRefused::Foreign) => false,
        }
    }
}

impl FailedLogin {
    /// A login that failed for `reason`, with a link to `again`.
    #[must_use]
    pub fn at(reason: LoginFault, again: &ReturnPath) -> Self {
        Self { reason, again: again.location(), set_cookies: SetCookies::new() }
    }
}

impl From<FailedLogin> for Failure {
    fn from(failed: FailedLogin) -> Self {
        Self::Login(Box::new(failed))
    }
}

/// What the person is told.
pub(super) fn verdict(failed: &FailedLogin) -> Verdict {
    let mut verdict = fault(&failed.reason);
    let again =
        verdict.status == StatusCode::SERVICE_UNAVAILABLE || matches!(failed.reason, LoginFault::CookieTwice);
    let label = if again { "Try again" } else { "Log in again" };
    verdict.title = Some("The login did not work");
    let address = failed.again.to_str().unwrap_or("/").into();
    verdict.action = Some(Action { label, address });
    verdict.headers.extend(failed.set_cookies.iter().map(|cookie| (SET_COOKIE, cookie.clone())));
    verdict
}

const BAD: StatusCode = StatusCode::BAD_REQUEST;

fn fault(reason: &LoginFault) -> Verdict {
    match reason {
        LoginFault::Ambiguous => {
            told(BAD, "login_ambiguous", "The identity provider's answer cannot be read. Log in again.")
        }
        LoginFault::CookieTwice => told(
            BAD,
            "session_cookie_twice",
            "Your browser keeps two cookies for one session, one of them set by another application of this domain. Delete the cookies of this site, then try again.",
        ),
        LoginFault::StateMissing => told(
            BAD,
            "login_state_missing",
            "The identity provider's answer does not say which login it belongs to. Log in again.",
        ),
        LoginFault::Flow(FlowRefused::Unknown) => told(
            BAD,
            "login_state_unknown",
            "This browser has not begun this login, or does not keep cookies. Log in again.",
        ),
        LoginFault::Flow(FlowRefused::Foreign) => {
            told(BAD, "login_foreign", "This login was begun somewhere else. Log in again here.")
        }
        LoginFault::Flow(FlowRefused::Expired) => {
            told(BAD, "login_expired", "The login took too long. Log in again.")
        }
        LoginFault::Replayed => {
            told(BAD, "login_state_replayed", "This login was finished before. Log in again if you need to.")
        }
        LoginFault::Login(reason) => login(reason),
        LoginFault::Store(reason) => store(reason),
    }
}

/// What is told where sessions cannot be kept or found now.
pub(super) fn store(reason: &Unavailable) -> Verdict {
    told(
        StatusCode::SERVICE_UNAVAILABLE,
        "session_store_unavailable",
        "Sessions cannot be looked up now; try again in a moment.",
    )
    .retry_after(reason.retry_after)
}

/// What is told where the issuer, or what it said, is the reason.
pub(super) fn login(reason: &LoginError) -> Verdict {
    const GATEWAY: StatusCode = StatusCode::BAD_GATEWAY;
    match reason {
        LoginError::NoClient => told(
            StatusCode::INTERNAL_SERVER_ERROR,
            "no_login",
            "Nobody can log in here: the application is not known to the identity provider.",
        ),
        LoginError::NoRandomness => told(
            StatusCode::INTERNAL_SERVER_ERROR,
            "no_randomness",
            "A login cannot be begun now. Try again in a moment.",
        ),
        LoginError::WrongState => {
            told(BAD, "login_state_unknown", "This browser has not begun this login. Log in again.")
        }
        LoginError::IssuerMismatch => told(
            BAD,
            "login_issuer_mismatch",
            "The answer did not come from your organisation's identity provider. Log in again.",
        ),
        LoginError::Denied => told(
            StatusCode::FORBIDDEN,
            "login_denied",
            "The identity provider did not let you in, or the login was cancelled. Log in again.",
        ),
        LoginError::NoCode => told(
            BAD,
            "login_code_missing",
            "The identity provider's answer is not complete. Log in again; if that does not help, ask your administrator.",
        ),
        LoginError::Refused(_) => told(
            BAD,
            "login_refused",
            "The identity provider could not finish the login. Log in again; if that does not help, ask your administrator.",
        ),
        LoginError::GrantRefused => told(
            BAD,
            "code_refused",
            "The identity provider does not accept this login any more. Log in again.",
        ),
        LoginError::ClientRefused(_) => told(
            GATEWAY,
            "client_refused",
            "The identity provider does not accept this application. Ask your administrator.",
        ),
        LoginError::MalformedAnswer(_) | LoginError::InvalidToken(_) | LoginError::OtherSubject => told(
            GATEWAY,
            "login_token_invalid",
            "The identity provider's answer is not valid for this tenant. Log in again; if that does not help, ask your administrator.",
        ),
        LoginError::NonceMismatch => {
            told(BAD, "nonce_mismatch", "The answer belongs to another login. Log in again.")
        }
        LoginError::IssuerUnreachable { retry_after } => unreachable(*retry_after),
    }
}

fn unreachable(retry_after: Duration) -> Verdict {
    told(
        StatusCode::SERVICE_UNAVAILABLE,
        "issuer_unreachable",
        "Your organisation's identity provider cannot be reached now; try again in a moment.",
    )
    .retry_after(retry_after)
}
