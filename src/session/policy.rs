//! How sessions live, and how their cookies look.
//!
//! A [`Policy`] is compiled with the configuration; the [`CookieScope`] is what one request adds to it:
//! whether the outside is https, and the path that the tenant's cookies are bound to. Nothing here reads
//! a cookie.

use std::time::Duration;

/// How sessions of one configuration live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The session cookie's name: `SESSION_COOKIE_NAME`, else `JSESSIONID`.
    pub cookie: Box<str>,
    /// Whether the cookie is sent from other sites: `COOKIES`.
    pub same_site: SameSite,
    /// Whether the cookie is kept apart for each embedding site: `COOKIES`.
    pub partitioned: bool,
    /// Whether the cookie is for https only: `SECURE_SESSION_COOKIE`.
    pub secure: Secure,
    /// How long a session lives without a request: `sessionTimeout`, `SESSION_TIMEOUT`.
    pub idle: Duration,
    /// How long a session lives at most.
    pub absolute: Duration,
    /// How long before its end a token is refreshed: `JWT_REFRESH`; zero never refreshes.
    pub refresh_ahead: Duration,
    /// Whether services that hand on a caller's credentials have to repeat a CSRF token where sessions
    /// have to: `SVC2AR_STORE_CSRF_IN_EXTERNAL_SESSION`.
    pub service_csrf: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            cookie: "JSESSIONID".into(),
            same_site: SameSite::Lax,
            partitioned: false,
            secure: Secure::Outside,
            idle: Duration::from_mins(15),
            absolute: Duration::from_hours(12),
            refresh_ahead: Duration::from_mins(5),
            service_csrf: false,
        }
    }
}

/// `SameSite` of our cookies (RFC 6265bis §5.6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// With navigations from other sites only; the default.
    Lax,
    /// Never from other sites.
    Strict,
    /// Always; needs `Secure`.
    None,
}

/// Whether our cookies are for https only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secure {
    /// Where the request came by https; the default.
    Outside,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What a request adds to the cookies that its answer sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieScope {
    /// Whether the client sent the request by https, as far as is known.
    pub https: bool,
    /// `Path`: `/`, or the tenant's prefix.
    pub path: Box<str>,
}
