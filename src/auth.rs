//! Identifies the caller, and later admits it to a route.
//!
//! [`identify`] never refuses: it says what the caller presented. What is required is a property of the
//! route, so [`admit`] comes after the route and is the only maker of [`Admitted`], without which
//! nothing is forwarded. Tokens are verified only when a route asks for them, with one exception:
//! `x-approuter-authorization` is a claim about the whole request, so a wrong one is refused even on
//! routes that are open to everyone.

use std::sync::Arc;

use crate::request::CanonicalRequest;
use crate::session::Identity;
use crate::tenant::Tenant;

pub mod assertion;
mod cache;
mod claims;
pub mod client;
mod discovery;
mod distinct;
mod fetch;
pub mod issuer;
mod json;
pub mod keys;
pub mod login;
pub mod presented;
pub mod refused;
pub mod scope;
pub mod store;
pub mod token;
pub mod verifier;
pub mod xsuaa;

pub use crate::clock::Clock;
pub use assertion::Assertions;
pub use client::{
    ClientAuthentication, ClientCertificate, ClientCertificateError, SigningKey, SigningKeyError,
};
pub use issuer::{Issuer, IssuerError, IssuerKind, IssuerSpec, Issuers, IssuersBuilder, KeySource};
pub use login::{Ask, Callback, LoginError, Logins, LogoutToken, LogoutTokenError, Start};
pub use presented::{Presented, identify};
pub use refused::Refused;
pub use scope::{Scope, ScopeError, ScopeSpec};
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
    caller: Option<Arc<Identity>>,
}

impl Admitted {
    /// The verified caller; `None` on a route that is open to everyone.
    #[must_use]
    pub fn caller(&self) -> Option<&Identity> {
        self.caller.as_deref()
    }
}

/// Decides whether the caller may take the route: type first, then scope.
pub async fn admit(
    verifier: &Verifier,
    issuer: Option<&Arc<Issuer>>,
    tenant: &Tenant,
    requirement: &Requirement,
    presented: &Presented,
    request: &CanonicalRequest,
) -> Result<Admitted, Refused> {
    let caller = match requirement.kind {
        AuthenticationType::Xsuaa
        | AuthenticationType::Ias
        | AuthenticationType::Oidc
        | AuthenticationType::Jwt => {
            let token = presented.bearer()?.ok_or(Refused::Unauthenticated)?;
            Some(verified(verifier, issuer, tenant, token).await?)
        }
        AuthenticationType::None => match presented.router_bearer()? {
            Some(token) => Some(verified(verifier, issuer, tenant, token).await?),
            None => None,
        },
        kind @ (AuthenticationType::Basic
        | AuthenticationType::TenantBasic
        | AuthenticationType::TenantToken) => return Err(Refused::NotSupported(kind)),
    };
    if let Some(scope) = &requirement.scope {
        scope.admit(&request.method, caller.as_deref())?;
    }
    Ok(Admitted { caller })
}

/// The token's verified content, or why this tenant's issuer did not issue it.
async fn verified(
    verifier: &Verifier,
    issuer: Option<&Arc<Issuer>>,
    tenant: &Tenant,
    token: &[u8],
) -> Result<Arc<Identity>, Refused> {
    let issuer = issuer.ok_or(Refused::NoIssuer)?;
    verifier.verify(issuer, tenant, token).await
}

#[cfg(test)]
mod tests;
