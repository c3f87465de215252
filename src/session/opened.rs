//! What asking for a session gives.
//!
//! An [`Opened`] is a session together with what the answer has to tell the browser. It can be made by
//! [`Sessions`](super::Sessions) alone, so whoever holds one knows that it was found under its realm.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use smallvec::SmallVec;

use super::identity::Identity;
use super::jar::Jar;
use super::key::Key;
use super::{Realm, Session};
use crate::secret::Secret;

/// Values of `Set-Cookie`.
pub type SetCookies = SmallVec<[HeaderValue; 2]>;

/// A session that was found or begun.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The session.
    pub session: Arc<Session>,
    /// What the answer sets; empty for most.
    pub set_cookies: SetCookies,
    pub(super) handle: Handle,
    pub(super) brought: Brought,
}

/// What is known of the cookies of backends when a session is found.
#[derive(Clone, Default)]
pub(super) enum Brought {
    /// There are none.
    #[default]
    Nothing,
    /// These, which lie beside the session.
    Jar(Arc<Jar>),
    /// What the browser has of them: all, sealed; or how new those that are kept here have to be.
    Cookie(Box<[u8]>),
}

impl std::fmt::Debug for Brought {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Jar(_) => "Jar",
            Self::Cookie(_) => "Cookie",
        })
    }
}

/// A session that ended unasked, and what backends had set in it.
#[derive(Debug)]
pub struct Ended {
    /// The session.
    pub session: Arc<Session>,
    /// The cookies of backends.
    pub jar: Option<Arc<Jar>>,
}

/// By what the stores know an opened session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handle {
    pub(super) key: Key,
    /// How often it was refreshed, for sessions that live in cookies.
    pub(super) generation: u32,
    /// Milliseconds since the epoch at which it began, for sessions that live in cookies.
    pub(super) begun: u64,
    /// How many cookies it lies in.
    pub(super) chunks: usize,
}

/// What a login gave, before it is a session.
#[derive(Debug)]
pub struct NewSession {
    /// What it opens for.
    pub realm: Arc<Realm>,
    /// Who is logged in.
    pub identity: Identity,
    /// The issuer's name for this login (`sid`).
    pub issuer_session: Option<Box<str>>,
    /// The token that gets the next one.
    pub refresh_token: Option<Secret>,
    /// The ID token, where the issuer wants it back at logout.
    pub id_token: Option<Secret>,
}

/// What a refresh gave.
#[derive(Debug)]
pub struct Renewal {
    /// Who is logged in, by the new token.
    pub identity: Identity,
    /// The next refresh token; `None` keeps the one there is.
    pub refresh_token: Option<Secret>,
    /// The new ID token; `None` keeps the one there is.
    pub id_token: Option<Secret>,
}

/// Why there is no renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenewalFailed {
    /// The issuer refuses: the login has ended.
    Refused,
    /// The issuer does not answer, or not usefully.
    Unreachable {
        /// When to ask again.
        retry_after: Duration,
    },
}

/// What became of a session that was to be refreshed.
#[derive(Clone, Debug)]
pub enum Refreshed {
    /// It has a new token.
    Renewed(Opened),
    /// It is as it was: the issuer does not answer, and the token still holds.
    Kept(Opened),
    /// It has ended; what the answer sets to remove it.
    Ended(SetCookies),
    /// The issuer does not answer, and the token holds no longer; the session is kept for later.
    Unreachable {
        /// When to ask again.
        retry_after: Duration,
    },
}

/// The store of sessions does not answer; logins wait, and so do sessions that only it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Unavailable {
    /// What is not there, for the log.
    pub why: &'static str,
    /// When to ask again.
    pub retry_after: Duration,
}
