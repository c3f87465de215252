//! Logs people in at their tenant's issuer, and out again.
//!
//! The authorization code flow with PKCE, `state` and `nonce` (RFC 6749, RFC 7636, OpenID Connect Core
//! 1.0 §3.1), refresh, the password grant, and what an issuer says of logouts. Whom to ask comes from
//! the tenant's [`Issuer`](super::Issuer), never from the browser. It knows neither cookies nor pages:
//! what it is given is a flow, what it gives is a session.

pub mod error;

pub use error::{LoginError, LogoutTokenError};

/// What a login is begun with.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Where the issuer sends the browser back to: the callback at the tenant's own host, absolute.
    pub redirect_uri: &'a str,
    /// Where the user is to be after the login: a local path of the tenant.
    pub return_to: &'a str,
    /// At which of the issuer's identity providers the user logs in: `identityProvider`, `sap_idp`.
    pub identity_provider: Option<&'a str>,
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
