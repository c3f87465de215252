//! Identifies the caller, and later admits it to a route.
//!
//! [`identify`] never refuses: it says what the caller presented. What is required is a property of the
//! route, so [`admit`] comes after the route and is the only maker of [`Admitted`], without which
//! nothing is forwarded. Tokens are verified only when a route asks for them, with one exception:
//! `x-approuter-authorization` is a claim about the whole request, so a wrong one is refused even on
//! routes that are open to everyone.

use std::sync::Arc;

use http::HeaderMap;

use crate::request::CanonicalRequest;
use crate::session::{Identity, Session};
use crate::tenant::Tenant;
use presented::{HandedOn, UserPassword};

pub mod assertion;
pub mod basic;
mod cache;
mod claims;
pub mod client;
mod discovery;
mod distinct;
pub mod fetch;
pub(crate) mod forgery;
pub mod issuer;
pub(crate) mod json;
pub mod keys;
pub mod login;
pub mod presented;
pub mod refused;
pub mod scope;
pub mod service;
pub mod store;
pub mod token;
pub mod verifier;
pub mod xsuaa;

pub use crate::clock::Clock;
pub use assertion::Assertions;
pub use basic::Passwords;
pub use client::{
    ClientAuthentication, ClientCertificate, ClientCertificateError, SigningKey, SigningKeyError,
};
pub use forgery::Invited;
pub use issuer::{Issuer, IssuerError, IssuerKind, IssuerSpec, Issuers, IssuersBuilder, KeySource};
pub use login::{Ask, Callback, LoginError, Logins, LogoutToken, LogoutTokenError, Start};
pub use presented::{Presented, identify};
pub use refused::Refused;
pub use scope::{Scope, ScopeError, ScopeSpec};
pub use service::{
    ServiceCredentials, ServiceCredentialsError, ServiceCredentialsSpec, ServiceTokenError, ServiceTokens,
    TokenServer,
};
pub use store::{KeyStore, KeyStoreSettings};
pub use token::{Algorithm, TokenError};
pub use verifier::Verifier;
pub use xsuaa::XsuaaBinding;

/// `authenticationType` of a route (SPEC section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuthenticationType {
    /// A session or bearer token of the tenant's XSUAA.
    Xsuaa,
    /// A session or bearer token of the tenant's IAS.
    Ias,
    /// A session or bearer token of the tenant's OpenID Connect issuer.
    Oidc,
    /// A bearer token of the tenant's issuer, no session.
    Jwt,
    /// User and password by the bound authorization server.
    Basic,
    /// The tenant's own user and password.
    TenantBasic,
    /// An opaque token that the tenant's coordinator vouches for.
    TenantToken,
    /// Everyone.
    None,
}

/// What a route asks of its callers.
#[derive(Clone, Debug)]
pub struct Requirement {
    /// How the caller proves who it is.
    pub kind: AuthenticationType,
    /// What the caller must be allowed to do; `None` asks for nothing.
    pub scope: Option<Scope>,
    /// Whether callers with a session need a CSRF token; bearer callers never do.
    pub csrf: bool,
}

/// Proof that the route's requirement was met. Only [`admit`] makes one.
#[derive(Debug)]
pub struct Admitted {
    who: Who,
}

/// Who was admitted, by what it presented.
#[derive(Debug)]
enum Who {
    /// Nobody asked.
    Anybody,
    /// A token.
    Token(Arc<Identity>),
    /// Another service, in whose hands the caller's token or password is.
    HandedOn(Arc<Identity>),
    /// User and password.
    User(Arc<Identity>),
    /// A session's cookie.
    Session(Arc<Session>),
}

impl Who {
    fn caller(&self) -> Option<&Identity> {
        match self {
            Self::Anybody => None,
            Self::Token(identity) | Self::HandedOn(identity) | Self::User(identity) => Some(identity),
            Self::Session(session) => Some(&session.identity),
        }
    }
}

impl Admitted {
    /// The verified caller; `None` on a route that is open to everyone.
    #[must_use]
    pub fn caller(&self) -> Option<&Identity> {
        self.who.caller()
    }

    /// The session that the caller was admitted by.
    #[must_use]
    pub fn session(&self) -> Option<&Arc<Session>> {
        match &self.who {
            Who::Session(session) => Some(session),
            Who::Anybody | Who::Token(_) | Who::HandedOn(_) | Who::User(_) => None,
        }
    }

    /// The caller whose credentials another service handed on.
    #[must_use]
    pub fn handed_on(&self) -> Option<&Identity> {
        match &self.who {
            Who::HandedOn(identity) => Some(identity),
            Who::Anybody | Who::Token(_) | Who::User(_) | Who::Session(_) => None,
        }
    }
}

/// What admission looks at, besides what the route asks for.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// Whose the request is.
    pub tenant: &'a Tenant,
    /// Who vouches for the tenant's people.
    pub issuer: Option<&'a Arc<Issuer>>,
    /// What came in.
    pub request: &'a CanonicalRequest,
    /// With these headers.
    pub headers: &'a HeaderMap,
    /// The credentials among them.
    pub presented: &'a Presented,
    /// Checks user and password; `None` where nobody is to be asked.
    pub passwords: Option<&'a Passwords>,
    /// The session that its cookie opens; its token has not expired.
    pub session: Option<&'a Arc<Session>>,
    /// What the page may do that asks, where it is another site's.
    pub invited: Invited,
    /// Whether services that hand on a caller's credentials have to repeat a CSRF token as well.
    pub service_csrf: bool,
}

/// Decides whether the caller may take the route: type first, then scope, then whether the request is
/// the caller's own will. A token goes before a session, because it was presented on purpose.
pub async fn admit(
    verifier: &Verifier,
    requirement: &Requirement,
    asking: &Asking<'_>,
) -> Result<Admitted, Refused> {
    let presented = asking.presented;
    let who = match (requirement.kind, presented.handed_on()?) {
        (kind @ (AuthenticationType::TenantBasic | AuthenticationType::TenantToken), _) => {
            return Err(Refused::NotSupported(kind));
        }
        (_, HandedOn::Token(token)) => Who::HandedOn(verified(verifier, asking, token).await?),
        (_, HandedOn::User(typed)) => Who::HandedOn(user(asking, &typed).await?),
        (
            AuthenticationType::Xsuaa | AuthenticationType::Ias | AuthenticationType::Oidc,
            HandedOn::Nothing,
        ) => match (presented.bearer()?, asking.session) {
            (Some(token), _) => Who::Token(verified(verifier, asking, token).await?),
            (None, Some(session)) => Who::Session(Arc::clone(session)),
            (None, None) => return Err(Refused::Unauthenticated),
        },
        (AuthenticationType::Jwt, HandedOn::Nothing) => {
            let token = presented.bearer()?.ok_or(Refused::Unauthenticated)?;
            Who::Token(verified(verifier, asking, token).await?)
        }
        (AuthenticationType::None, HandedOn::Nothing) => Who::Anybody,
        (AuthenticationType::Basic, HandedOn::Nothing) => {
            let typed = presented.basic()?.ok_or_else(|| password_needed(asking))?;
            Who::User(user(asking, &typed).await?)
        }
    };
    if let Some(scope) = &requirement.scope {
        scope.admit(&asking.request.method, who.caller())?;
    }
    match &who {
        Who::Session(session) => forgery::refuse(asking, requirement.csrf, session)?,
        // Browsers send passwords along as they do cookies.
        Who::User(_) => forgery::refuse_foreign(asking)?,
        Who::HandedOn(caller) if asking.service_csrf && requirement.csrf => {
            forgery::refuse_unshown(asking, caller)?;
        }
        Who::Anybody | Who::Token(_) | Who::HandedOn(_) => {}
    }
    Ok(Admitted { who })
}

/// The token's verified content, or why this tenant's issuer did not issue it.
async fn verified(verifier: &Verifier, asking: &Asking<'_>, token: &[u8]) -> Result<Arc<Identity>, Refused> {
    let issuer = asking.issuer.ok_or(Refused::NoIssuer)?;
    verifier.verify(issuer, asking.tenant, token).await
}

/// Who the user is that `typed` names, as the issuer says.
async fn user(asking: &Asking<'_>, typed: &UserPassword) -> Result<Arc<Identity>, Refused> {
    let issuer = asking.issuer.ok_or(Refused::NoIssuer)?;
    let passwords = asking.passwords.ok_or_else(|| password_needed(asking))?;
    Box::pin(passwords.check(issuer, asking.tenant, typed)).await
}

fn password_needed(asking: &Asking<'_>) -> Refused {
    Refused::PasswordNeeded { challenge: basic::challenge(asking.tenant) }
}

#[cfg(test)]
mod tests;
