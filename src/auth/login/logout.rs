//! Logouts, at the issuer and by the issuer.
//!
//! Where the browser goes to end the login at the issuer too (OpenID Connect RP-Initiated Logout 1.0;
//! `logout.do` of XSUAA), and what a logout token of the issuer's says (OpenID Connect Back-Channel
//! Logout 1.0 §2.6). Whether such a token was seen before is not known here.

use oauth2::url::Url;

use super::super::client::{Client, Dialect};
use super::super::json::{self, Map, Value};
use super::super::token::Purpose;
use super::super::{Issuer, Refused, TokenError, Verifier, claims};
use super::{LogoutToken, LogoutTokenError};
use crate::secret::Secret;
use crate::session::Session;
use crate::tenant::Tenant;

/// The member of `events` that makes a logout token.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// How old a logout token may be, in seconds.
const MAX_AGE: u64 = 10 * 60;
/// The longest `jti`, `sid` or `sub`, in bytes.
const MAX_NAME: usize = 512;

/// Where a browser goes to log out at `endpoint`, and then to `back`.
pub(super) fn address(
    endpoint: &str,
    client: &Client,
    session: Option<&Session>,
    back: Option<&str>,
    state: Option<&str>,
) -> Option<String> {
    let mut address = Url::parse(endpoint).ok()?;
    let id = client.realm.client();
    let pairs = match client.dialect {
        // XSUAA goes back only where the client says who it is, and is asked for nothing else.
        Dialect::Xsuaa => {
            let back = back.map(|back| [("redirect", back), ("client_id", id)]);
            back.into_iter().flatten().collect::<Vec<_>>()
        }
        Dialect::Oidc | Dialect::Ias => {
            let hint = session.and_then(|session| id_token(session, client.dialect));
            let hint = hint.map(|token| ("id_token_hint", token));
            let back = back.map(|back| ("post_logout_redirect_uri", back));
            let state = state.filter(|_| back.is_some()).map(|state| ("state", state));
            hint.into_iter().chain([("client_id", id)]).chain(back).chain(state).collect()
        }
    };
    if !pairs.is_empty() {
        address.query_pairs_mut().extend_pairs(pairs);
    }
    Some(address.into())
}

/// The ID token of `session`; with an IAS it is the bearer token.
fn id_token(session: &Session, dialect: Dialect) -> Option<&str> {
    match dialect {
        Dialect::Oidc | Dialect::Xsuaa => session.id_token.as_ref().map(Secret::expose),
        Dialect::Ias => session.identity.bearer.to_str().ok()?.strip_prefix("Bearer "),
    }
}

/// What the logout token `token` ends at `tenant`; `now` is in seconds since the epoch.
pub(super) async fn told(
    verifier: &Verifier,
    issuer: &Issuer,
    client: &Client,
    tenant: &Tenant,
    token: &str,
    now: u64,
) -> Result<LogoutToken, LogoutTokenError> {
    let judge = |claims: &Map<String, Value>| {
        claims::judge_logout(claims, issuer, client.realm.client(), tenant, now)
    };
    let claims = verifier.claims(issuer, token, Purpose::Logout, judge).await?;
    read(&claims, now)
}

/// What verified `claims` end.
fn read(claims: &Map<String, Value>, now: u64) -> Result<LogoutToken, LogoutTokenError> {
    let issued = claims::time(claims, "iat").map_err(LogoutTokenError::InvalidToken)?;
    if issued.is_none_or(|issued| issued + MAX_AGE < now) {
        return Err(LogoutTokenError::Stale);
    }
    let event = claims.get("events").and_then(Value::as_object).and_then(|events| events.get(EVENT));
    if !event.is_some_and(Value::is_object) {
        return Err(LogoutTokenError::NoLogoutEvent);
    }
    if claims.contains_key("nonce") {
        return Err(LogoutTokenError::HasNonce);
    }
    let [id, issuer_session, subject] = ["jti", "sid", "sub"].map(|name| named(claims, name));
    let (issuer_session, subject) = (issuer_session?, subject?);
    if issuer_session.is_none() && subject.is_none() {
        return Err(LogoutTokenError::NoSession);
    }
    Ok(LogoutToken { id: id?.ok_or(LogoutTokenError::NoId)?, issuer_session, subject })
}

/// A name of bounded length; one that is empty is none.
fn named(claims: &Map<String, Value>, name: &'static str) -> Result<Option<Box<str>>, LogoutTokenError> {
    let malformed = LogoutTokenError::InvalidToken(TokenError::MalformedClaim(name));
    match (claims.get(name), json::text(claims, name)) {
        (None, _) => Ok(None),
        (Some(_), Some(text)) if (1..=MAX_NAME).contains(&text.len()) => Ok(Some(text.into())),
        (Some(_), Some(_) | None) => Err(malformed),
    }
}

impl From<Refused> for LogoutTokenError {
    /// What the verification of a logout token says.
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::InvalidToken(reason) => Self::InvalidToken(reason),
            Refused::KeysUnavailable { retry_after } => Self::KeysUnavailable { retry_after },
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
