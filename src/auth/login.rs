//! Logs people in at their tenant's issuer, and out again.
//!
//! The authorization code flow with PKCE, `state` and `nonce` (RFC 6749, RFC 7636, OpenID Connect Core
//! 1.0 §3.1), refresh, the password grant, and what an issuer says of logouts. Whom to ask comes from
//! the tenant's [`Issuer`], never from the browser. It knows neither cookies nor pages:
//! what it is given is a flow, what it gives is a session.

mod assertion;
mod endpoints;
pub mod error;
mod exchange;
mod identity;
mod logout;
mod renewal;

use std::borrow::Cow;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use http::HeaderValue;
use oauth2::{CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl};

use self::endpoints::KnownEndpoints;
use self::exchange::{Grant, Tokens};
use self::identity::{Nonce, Person, Witness};
use super::client::{Client, Dialect, Endpoints};
use super::{Issuer, KeyStore, Verifier};
use crate::secret::Secret;
use crate::session::flow::Flow;
use crate::session::{NewSession, Renewal, RenewalFailed, ReturnPath, Session};
use crate::tenant::Tenant;

pub use error::{LoginError, LogoutTokenError};

/// Logs people in at every tenant's issuer; one for the process, it outlives snapshots.
#[derive(Debug)]
pub struct Logins {
    keys: Arc<KeyStore>,
    verifier: Verifier,
    endpoints: KnownEndpoints,
}

/// What a login is begun with.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Where the issuer sends the browser back to: the callback at the tenant's own host, absolute.
    pub redirect_uri: String,
    /// Where the user is to be after the login.
    pub return_to: ReturnPath,
    /// At which of the issuer's identity providers the user logs in: `identityProvider`, `sap_idp`.
    pub identity_provider: Option<Box<str>>,
}

/// A login that was begun.
#[derive(Clone, Debug)]
pub struct Start {
    /// Where the browser logs in.
    pub location: HeaderValue,
    /// What the browser has to remember until it comes back.
    pub flow: Flow,
}

/// What the issuer has sent the browser back with; each member as decoded from the query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Callback {
    /// `state`.
    pub state: Option<String>,
    /// `code`.
    pub code: Option<String>,
    /// `iss` (RFC 9207).
    pub issuer: Option<String>,
    /// `error`.
    pub error: Option<String>,
}

/// A logout that the issuer asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutToken {
    /// `jti`; a token that was seen before is a replay.
    pub id: Box<str>,
    /// `sid`: which login ends; `None` ends every session of the subject.
    pub issuer_session: Option<Box<str>>,
    /// `sub`.
    pub subject: Option<Box<str>>,
}

impl Logins {
    /// Logins with the clock, the runtime and the way to issuers that `keys` has.
    #[must_use]
    pub fn new(keys: Arc<KeyStore>) -> Self {
        let verifier = Verifier::new(Arc::clone(&keys));
        let endpoints = KnownEndpoints::new(Arc::clone(&keys));
        Self { keys, verifier, endpoints }
    }

    /// Begins a login at `issuer`.
    pub async fn start(&self, issuer: &Issuer, ask: Ask) -> Result<Start, LoginError> {
        let client = client_of(issuer)?;
        let endpoints = self.endpoints.of(client).await?;
        let flow =
            Flow::new(ask.return_to, ask.identity_provider, self.now()).ok_or(LoginError::NoRandomness)?;
        let location = location(client, &endpoints, &flow, ask.redirect_uri)?;
        Ok(Start { location, flow })
    }

    /// Ends the login that `flow` began, with what the browser brought back. `redirect_uri` is the one
    /// that the login was begun with.
    pub async fn finish(
        &self,
        issuer: &Arc<Issuer>,
        tenant: &Tenant,
        flow: &Flow,
        callback: &Callback,
        redirect_uri: &str,
    ) -> Result<NewSession, LoginError> {
        let client = client_of(issuer)?;
        let endpoints = self.endpoints.of(client).await?;
        let code = callback.code(issuer, &endpoints, flow)?;
        let grant = Grant::Code { code, verifier: &flow.verifier, redirect_uri };
        let tokens = self.tokens(client, &endpoints, grant).await?;
        let person = self.witness(issuer, client, tenant).person(&tokens, Nonce::Sent(&flow.nonce)).await?;
        Ok(new_session(client, person, tokens))
    }

    /// Logs a user in by name and password, without a browser.
    pub async fn password(
        &self,
        issuer: &Arc<Issuer>,
        tenant: &Tenant,
        user: &str,
        password: &Secret,
    ) -> Result<NewSession, LoginError> {
        let client = client_of(issuer)?;
        let endpoints = self.endpoints.of(client).await?;
        let tokens = self.tokens(client, &endpoints, Grant::Password { user, password }).await?;
        let person = self.witness(issuer, client, tenant).person(&tokens, Nonce::None).await?;
        Ok(new_session(client, person, tokens))
    }

    /// Gets the next token of `session`. Takes part in nothing else, so that it can go on when the
    /// request that asked for it is gone.
    pub async fn refresh(
        self: Arc<Self>,
        issuer: Arc<Issuer>,
        tenant: Arc<Tenant>,
        session: Arc<Session>,
    ) -> Result<Renewal, RenewalFailed> {
        let renewed = match (client_of(&issuer), &session.refresh_token) {
            (Ok(client), Some(token)) => {
                let witness = self.witness(&issuer, client, &tenant);
                self.renewed(witness, &session, token).await
            }
            (Err(reason), _) => Err(reason),
            (Ok(_), None) => return Err(renewal::without_token(&session, self.now())),
        };
        renewed.map_err(|reason| renewal::failed(&session, &reason))
    }

    /// Where the browser goes to end the login at `issuer` as well, and from there to `back` with
    /// `state`; `None` where the issuer has no such place, or cannot say it now.
    pub async fn end_session_url(
        &self,
        issuer: &Issuer,
        session: Option<&Session>,
        back: Option<&str>,
        state: Option<&str>,
    ) -> Option<HeaderValue> {
        let client = client_of(issuer).ok()?;
        let endpoints = self.endpoints.of(client).await.ok()?;
        let address = logout::address(endpoints.end_session.as_deref()?, client, session, back, state)?;
        HeaderValue::try_from(address).ok()
    }

    /// What the logout token `token` of `issuer` ends at `tenant`. Whether it was seen before is for
    /// the caller to know.
    pub async fn logout_token(
        &self,
        issuer: &Issuer,
        tenant: &Tenant,
        token: &str,
    ) -> Result<LogoutToken, LogoutTokenError> {
        let client = client_of(issuer).map_err(|_| LogoutTokenError::NoClient)?;
        logout::told(&self.verifier, issuer, client, tenant, token, self.now()).await
    }

    async fn renewed(
        &self,
        witness: Witness<'_>,
        session: &Session,
        token: &Secret,
    ) -> Result<Renewal, LoginError> {
        let endpoints = self.endpoints.of(witness.client).await?;
        let tokens = self.tokens(witness.client, &endpoints, Grant::Refresh(token)).await?;
        renewal::renewal(witness, session, tokens).await
    }

    async fn tokens(
        &self,
        client: &Client,
        endpoints: &Endpoints,
        grant: Grant<'_>,
    ) -> Result<Tokens, LoginError> {
        exchange::tokens(self.keys.fetcher(), client, endpoints, grant, self.now()).await
    }

    fn witness<'a>(&'a self, issuer: &'a Arc<Issuer>, client: &'a Client, tenant: &'a Tenant) -> Witness<'a> {
        Witness { verifier: &self.verifier, issuer, client, tenant, now: self.now() }
    }

    fn now(&self) -> u64 {
        self.keys.clock().seconds()
    }
}

impl Callback {
    /// The code, if this is `issuer`'s answer to the login that `flow` began.
    fn code(&self, issuer: &Issuer, endpoints: &Endpoints, flow: &Flow) -> Result<&str, LoginError> {
        let state = self.state.as_deref().unwrap_or_default();
        if verify_slices_are_equal(state.as_bytes(), flow.state.as_bytes()).is_err() {
            return Err(LoginError::WrongState);
        }
        let is_theirs = match &self.issuer {
            Some(named) => issuer.names.iter().any(|name| **name == **named),
            None => !endpoints.names_issuer,
        };
        if !is_theirs {
            return Err(LoginError::IssuerMismatch);
        }
        match (self.error.as_deref(), self.code.as_deref()) {
            (Some("access_denied"), _) => Err(LoginError::Denied),
            (Some(error), _) => Err(LoginError::Refused(exchange::bounded(error))),
            (None, Some(code)) if !code.is_empty() => Ok(code),
            (None, Some(_) | None) => Err(LoginError::NoCode),
        }
    }
}

fn client_of(issuer: &Issuer) -> Result<&Client, LoginError> {
    issuer.client.as_deref().ok_or(LoginError::NoClient)
}

/// Where the browser logs in.
fn location(
    client: &Client,
    endpoints: &Endpoints,
    flow: &Flow,
    redirect_uri: String,
) -> Result<HeaderValue, LoginError> {
    let verifier = PkceCodeVerifier::new(flow.verifier.expose().to_owned());
    let redirect = RedirectUrl::new(redirect_uri)
        .map_err(|_| LoginError::MalformedAnswer("the redirect URI is no URL"))?;
    let protocol = exchange::protocol(client, endpoints)?;
    let mut request = protocol
        .authorize_url(|| CsrfToken::new(flow.state.to_string()))
        .set_redirect_uri(Cow::Owned(redirect))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
        .add_scopes(exchange::scopes(client))
        .add_extra_param("nonce", &*flow.nonce);
    if let Some(provider) = &flow.identity_provider {
        request = request.add_extra_param("idp", &**provider);
    }
    let (address, _state) = request.url();
    HeaderValue::try_from(String::from(address))
        .map_err(|_| LoginError::MalformedAnswer("the authorization endpoint is no URL"))
}

fn new_session(client: &Client, person: Person, tokens: Tokens) -> NewSession {
    NewSession {
        realm: Arc::clone(&client.realm),
        identity: person.identity,
        issuer_session: person.issuer_session,
        refresh_token: tokens.refresh,
        id_token: kept(client, tokens.identity),
    }
}

/// The ID token, if a logout will need it and the session has it in no other place.
fn kept(client: &Client, token: Option<Secret>) -> Option<Secret> {
    match client.dialect {
        Dialect::Oidc => token,
        // An IAS' is the bearer token, and XSUAA asks for none.
        Dialect::Ias | Dialect::Xsuaa => None,
    }
}

#[cfg(test)]
mod tests;
