//! A logged-in browser: what it may be taken for, and for how long.
//!
//! A [`Session`] is made by a login and opens for its [`Realm`] alone: one tenant, one issuer, one
//! client. The realm is part of every key and of every seal, so that a cookie of one tenant is noise at
//! another. This stage keeps and finds sessions; it knows neither tokens' insides nor how they are
//! fetched, and it is asked for nothing where a request brings no session cookie.

pub mod identity;
pub mod policy;
pub mod realm;
pub mod redis;

use std::sync::Arc;

use http::HeaderValue;

pub use identity::Identity;
pub use policy::{CookieScope, Policy, SameSite, Secure};
pub use realm::Realm;

/// What a login gave; immutable, a refresh makes a new one.
#[derive(Debug)]
pub struct Session {
    /// What it opens for.
    pub realm: Arc<Realm>,
    /// Who is logged in.
    pub identity: Identity,
    /// The issuer's name for this login, for back-channel logout (`sid`).
    pub issuer_session: Option<Box<str>>,
    /// The token that gets the next one; wiped with the session.
    pub refresh_token: Option<crate::secret::Secret>,
    /// The ID token as it came, where the issuer wants it back at logout.
    pub id_token: Option<crate::secret::Secret>,
    /// What unsafe requests have to repeat in `x-csrf-token`.
    pub csrf_token: HeaderValue,
    /// When the login was, in seconds since the epoch.
    pub begun: u64,
    /// When it ends whatever happens, in seconds since the epoch.
    pub ends: u64,
}
