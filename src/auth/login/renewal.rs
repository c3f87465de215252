//! What a refresh makes of a session, and what it means when it fails.
//!
//! The user stays who they are: an answer for somebody else ends the session. An issuer that says no
//! ends it too; one that does not answer, or does not know us for the moment, does not.

use std::time::Duration;

use http::HeaderValue;

use super::super::client::Dialect;
use super::super::store::Chain;
use super::LoginError;
use super::exchange::Tokens;
use super::identity::{Nonce, Witness};
use crate::secret::Secret;
use crate::session::{Identity, Renewal, RenewalFailed, Session};

/// After how long a refresh is tried again that failed for a reason of ours or the issuer's.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// What `tokens` make of `session`.
pub(super) async fn renewal(
    witness: Witness<'_>,
    session: &Session,
    tokens: Tokens,
) -> Result<Renewal, LoginError> {
    let identity = match (witness.client.dialect, &tokens.identity) {
        (Dialect::Oidc, None) => {
            let identity = with_bearer(&session.identity, &tokens.access)?;
            witness.with_access(identity, &tokens, session.identity.scopes.to_vec()).await?
        }
        // A refresh has no nonce of its own (Core 1.0 §12.2).
        (Dialect::Xsuaa | Dialect::Ias | Dialect::Oidc, _) => {
            witness.person(&tokens, Nonce::None).await?.identity
        }
    };
    if identity.subject != session.identity.subject {
        return Err(LoginError::OtherSubject);
    }
    Ok(Renewal {
        identity,
        refresh_token: tokens.refresh,
        id_token: super::kept(witness.client, tokens.identity),
    })
}

/// `identity` with another token to pass on; what it may do comes from the new answer.
fn with_bearer(identity: &Identity, access: &Secret) -> Result<Identity, LoginError> {
    let mut bearer = HeaderValue::try_from(format!("Bearer {}", access.expose()))
        .map_err(|_| LoginError::MalformedAnswer("the access token is not ASCII"))?;
    bearer.set_sensitive(true);
    Ok(Identity { bearer, scopes: Box::default(), ..identity.clone() })
}

/// What becomes of a session that has no refresh token: it lives as long as its token does.
pub(super) fn without_token(session: &Session, now: u64) -> RenewalFailed {
    match session.identity.expires.saturating_sub(now) {
        0 => RenewalFailed::Refused,
        left => RenewalFailed::Unreachable { retry_after: Duration::from_secs(left) },
    }
}

/// What a failed refresh means for `session`.
pub(super) fn failed(session: &Session, reason: &LoginError) -> RenewalFailed {
    tracing::info!(issuer = session.realm.issuer(), reason = %Chain(reason), "session not refreshed");
    match reason {
        LoginError::IssuerUnreachable { retry_after } => {
            RenewalFailed::Unreachable { retry_after: *retry_after }
        }
        LoginError::ClientRefused(_) | LoginError::MalformedAnswer(_) | LoginError::NoRandomness => {
            RenewalFailed::Unreachable { retry_after: RETRY_AFTER }
        }
        LoginError::NoClient
        | LoginError::WrongState
        | LoginError::IssuerMismatch
        | LoginError::Denied
        | LoginError::Refused(_)
        | LoginError::NoCode
        | LoginError::GrantRefused
        | LoginError::InvalidToken(_)
        | LoginError::NonceMismatch
        | LoginError::OtherSubject => RenewalFailed::Refused,
    }
}
