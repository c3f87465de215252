//! A logged-in browser: what it may be taken for, and for how long.
//!
//! A [`Session`] is made by a login and opens for its [`Realm`] alone: one tenant, one issuer, one
//! client. The realm is part of every key and of every seal, so that a cookie of one tenant is noise at
//! another. This stage keeps and finds sessions; it knows neither tokens' insides nor how they are
//! fetched, and it is asked for nothing where a request brings no session cookie.

pub mod cookie;
mod core;
pub mod csrf;
mod deny;
pub mod flow;
mod fuzz;
pub mod identity;
pub mod jar;
mod jars;
mod keep;
mod key;
mod memory;
mod opened;
pub mod policy;
pub mod realm;
mod record;
pub mod redis;
mod refresh;
mod return_path;
mod seal;
mod sealed;
mod sessions;
mod store;
mod used;

use std::sync::Arc;
use std::time::Duration;

pub use flow::{Flow, FlowRefused};
#[doc(hidden)]
pub use fuzz::fuzz;
pub use identity::Identity;
pub use jar::Jar;
pub use jars::{BackendAnswer, Holder};
pub use opened::{Ended, NewSession, Opened, Refreshed, Renewal, RenewalFailed, SetCookies, Unavailable};
pub use policy::{CookieScope, Policy, SameSite, Secure};
pub use realm::Realm;
pub use return_path::ReturnPath;
pub use sessions::{Sessions, SessionsError, SessionsSettings, StoreSettings};

use crate::secret::Secret;

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
    pub refresh_token: Option<Secret>,
    /// The ID token as it came, where the issuer wants it back at logout.
    pub id_token: Option<Secret>,
    /// What unsafe requests have to repeat in `x-csrf-token`.
    pub csrf_token: csrf::Token,
    /// When its token was last refreshed, in seconds since the epoch; 0 until then.
    pub refreshed: u64,
    /// When the login was, in seconds since the epoch.
    pub begun: u64,
    /// When it ends whatever happens, in seconds since the epoch.
    pub ends: u64,
}

impl Session {
    /// Whether `realm`'s issuer means this session by these names; one that is not named fits.
    fn is_named(&self, realm: &Realm, issuer_session: Option<&str>, subject: Option<&str>) -> bool {
        let fits = |name: Option<&str>, own: Option<&str>| name.is_none_or(|name| own == Some(name));
        *self.realm == *realm
            && (issuer_session.is_some() || subject.is_some())
            && fits(issuer_session, self.issuer_session.as_deref())
            && fits(subject, self.identity.subject.as_deref())
    }

    /// Whether its token is to be refreshed at `now`: it ends within `ahead`, and the last refresh does
    /// not lie less than half of the token's life back. Tokens may live shorter than `ahead`.
    #[must_use]
    pub fn wants_refresh(&self, now: u64, ahead: Duration) -> bool {
        let half = if self.refreshed == 0 {
            u64::MAX
        } else {
            self.identity.expires.saturating_sub(self.refreshed) / 2
        };
        self.identity.expires <= now.saturating_add(ahead.as_secs().min(half))
    }

    /// The same login with what a refresh gave at `now`.
    fn renewed(&self, renewal: Renewal, now: u64) -> Self {
        let Renewal { identity, refresh_token, id_token } = renewal;
        Self {
            realm: Arc::clone(&self.realm),
            identity: kept(identity),
            issuer_session: self.issuer_session.clone(),
            refresh_token: refresh_token.or_else(|| self.refresh_token.clone()),
            id_token: id_token.or_else(|| self.id_token.clone()),
            csrf_token: self.csrf_token.clone(),
            refreshed: now,
            begun: self.begun,
            ends: self.ends,
        }
    }

    /// About how many bytes it takes.
    fn weight(&self) -> usize {
        let identity = &self.identity;
        let secrets = [&self.refresh_token, &self.id_token];
        size_of::<Self>()
            + identity.bearer.len()
            + identity.scopes.iter().map(|scope| size_of::<Box<str>>() + scope.len()).sum::<usize>()
            + secrets.into_iter().flatten().map(|secret| secret.expose().len()).sum::<usize>()
            + self.issuer_session.as_ref().map_or(0, |text| text.len())
    }
}

/// `identity` as sessions keep it: unprintable, and without the client, which is the realm's.
fn kept(mut identity: Identity) -> Identity {
    identity.bearer.set_sensitive(true);
    identity.client = None;
    identity
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_token_is_refreshed_before_its_end_and_not_with_each_request() {
        let ahead = Duration::from_mins(5);
        for (refreshed, expires, now, expected, shows) in [
            (0, 3_600, 3_299, false, "long before its end"),
            (0, 3_600, 3_300, true, "five minutes before"),
            (0, 3_600, 4_000, true, "behind it"),
            (0, 300, 0, true, "a short one of the login"),
            (1_000, 1_300, 1_001, false, "a short one that has just come"),
            (1_000, 1_300, 1_149, false, "in its first half"),
            (1_000, 1_300, 1_150, true, "in its second half"),
            (1_000, 1_001, 1_000, false, "the shortest one"),
            (1_000, 1_001, 1_001, true, "the same, behind its end"),
            (1_000, 4_600, 4_299, false, "a long one"),
            (1_000, 4_600, 4_300, true, "the same, five minutes before"),
        ] {
            let identity = Identity {
                subject: None,
                user_name: None,
                email: None,
                given_name: None,
                family_name: None,
                client: None,
                expires,
                bearer: HeaderValue::from_static("Bearer t"),
                scopes: Box::default(),
            };
            let session = Session {
                realm: Arc::new(Realm::of(None, "https://issuer.example", "client")),
                identity,
                issuer_session: None,
                refresh_token: None,
                id_token: None,
                csrf_token: csrf::Token::read(&[b't'; 44]).unwrap(),
                refreshed,
                begun: 0,
                ends: 9_000,
            };
            assert_eq!(session.wants_refresh(now, ahead), expected, "{shows}");
        }
    }
}
