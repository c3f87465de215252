//! Identifies the caller, and later admits it to a route.
//!
//! [`identify`] never refuses: it says what the caller presented. What is required is a property of the
//! route, so [`admit`] comes after the route and is the only maker of [`Admitted`], without which
//! nothing is forwarded.

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

/// What a route demands of its caller.
#[derive(Clone, Debug)]
pub struct Requirement {
    /// How the caller proves who it is.
    pub kind: AuthenticationType,
    /// Whether callers with a session need a CSRF token; bearer callers never do.
    pub csrf: bool,
}
