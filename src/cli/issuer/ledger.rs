//! What a realm has handed out: sessions, codes, refresh tokens.
//!
//! Pure bookkeeping with the time passed in; it knows no HTTP. A code is good once and for a minute; a
//! refresh token is good once. Whoever comes with a spent one holds a stolen copy, or somebody else does,
//! and so everything that grew from the same code ends (RFC 9700 §4.14.2, RFC 6749 §4.1.2).

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::error::Unspecified;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// How long a code is good, in seconds.
const CODE_LIFETIME: u64 = 60;
/// How long a login lasts, in seconds.
const SESSION_LIFETIME: u64 = 12 * 3600;
/// How many of each are kept.
const MOST: usize = 10_000;

/// A login at a realm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    /// `sid`.
    pub(super) id: String,
    /// What the browser's cookie holds.
    pub(super) cookie: String,
    /// The user's name.
    pub(super) user: String,
    /// The scopes that were ticked, with blanks between them.
    pub(super) scope: String,
    /// How long its tokens live, in seconds.
    pub(super) token_lifetime: u64,
    /// When the login was, in seconds since the epoch.
    pub(super) begun: u64,
}

/// What a code is bound to.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    /// Where it was sent.
    pub(super) redirect_uri: String,
    /// `code_challenge`, by S256.
    pub(super) challenge: String,
    /// `nonce`.
    pub(super) nonce: Option<String>,
    /// The scope that was asked for and granted.
    pub(super) scope: String,
}

/// What tokens are made for.
#[derive(Clone, Debug)]
pub(super) struct Granted {
    /// The login.
    pub(super) session: Session,
    /// `nonce` of the request; none on a refresh.
    pub(super) nonce: Option<String>,
    /// The scope.
    pub(super) scope: String,
    family: u64,
}

/// Why nothing is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Denied {
    #[error("the code is unknown or has expired")]
    UnknownCode,
    #[error("the code was used before; what it gave is revoked")]
    CodeReused,
    #[error("redirect_uri is not the one that the code was sent to")]
    OtherRedirect,
    #[error("code_verifier does not match code_challenge")]
    WrongVerifier,
    #[error("the refresh token is unknown")]
    UnknownRefreshToken,
    #[error("the refresh token was used before; the whole family is revoked")]
    RefreshTokenReused,
    #[error("the login has ended")]
    SessionEnded,
}

/// The books of one realm.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    sessions: Vec<Session>,
    codes: HashMap<String, Code>,
    refresh_tokens: HashMap<String, RefreshToken>,
    families: u64,
}

#[derive(Debug)]
struct Code {
    session: String,
    terms: Terms,
    family: u64,
    expires: u64,
    is_spent: bool,
}

#[derive(Debug)]
struct RefreshToken {
    session: String,
    scope: String,
    family: u64,
    is_spent: bool,
}

impl Ledger {
    /// A new login.
    pub(super) fn begin(
        &mut self,
        user: &str,
        scope: String,
        token_lifetime: u64,
        now: u64,
    ) -> Result<Session, Unspecified> {
        self.forget_old(now);
        let session = Session {
            id: secret()?,
            cookie: secret()?,
            user: user.to_owned(),
            scope,
            token_lifetime,
            begun: now,
        };
        self.sessions.push(session.clone());
        Ok(session)
    }

    /// The login of the browser with this cookie.
    pub(super) fn of_cookie(&mut self, cookie: &str, now: u64) -> Option<Session> {
        self.forget_old(now);
        self.sessions.iter().find(|session| session.cookie == cookie).cloned()
    }

    /// Every login, the latest first.
    pub(super) fn sessions(&mut self, now: u64) -> Vec<Session> {
        self.forget_old(now);
        self.sessions.iter().rev().cloned().collect()
    }

    /// Ends a login: its codes and refresh tokens are worth nothing.
    pub(super) fn end(&mut self, id: &str) -> Option<Session> {
        let place = self.sessions.iter().position(|session| session.id == id)?;
        self.codes.retain(|_, code| code.session != id);
        self.refresh_tokens.retain(|_, token| token.session != id);
        Some(self.sessions.remove(place))
    }

    /// A code for the application.
    pub(super) fn code(&mut self, session: &Session, terms: Terms, now: u64) -> Result<String, Unspecified> {
        self.forget_old(now);
        self.families += 1;
        let (code, expires) = (secret()?, now + CODE_LIFETIME);
        let entry =
            Code { session: session.id.clone(), terms, family: self.families, expires, is_spent: false };
        self.codes.insert(code.clone(), entry);
        Ok(code)
    }

    /// What a code is good for; any attempt spends it.
    pub(super) fn exchange(
        &mut self,
        code: &str,
        redirect_uri: &str,
        verifier: &str,
        now: u64,
    ) -> Result<Granted, Denied> {
        let entry = self.codes.get_mut(code).filter(|code| now < code.expires).ok_or(Denied::UnknownCode)?;
        if entry.is_spent {
            let family = entry.family;
            self.refresh_tokens.retain(|_, token| token.family != family);
            return Err(Denied::CodeReused);
        }
        entry.is_spent = true;
        if entry.terms.redirect_uri != redirect_uri {
            return Err(Denied::OtherRedirect);
        }
        if entry.terms.challenge != challenge(verifier) {
            return Err(Denied::WrongVerifier);
        }
        let session = self.sessions.iter().find(|session| session.id == entry.session);
        Ok(Granted {
            session: session.ok_or(Denied::SessionEnded)?.clone(),
            nonce: entry.terms.nonce.clone(),
            scope: entry.terms.scope.clone(),
            family: entry.family,
        })
    }

    /// A login without a browser, for the password grant.
    pub(super) fn direct(&mut self, session: Session, scope: String) -> Granted {
        self.families += 1;
        Granted { session, nonce: None, scope, family: self.families }
    }

    /// What a refresh token is good for; it is spent by that.
    pub(super) fn refresh(&mut self, token: &str, now: u64) -> Result<Granted, Denied> {
        self.forget_old(now);
        let entry = self.refresh_tokens.get_mut(token).ok_or(Denied::UnknownRefreshToken)?;
        if entry.is_spent {
            let family = entry.family;
            self.refresh_tokens.retain(|_, token| token.family != family);
            return Err(Denied::RefreshTokenReused);
        }
        entry.is_spent = true;
        let session = self.sessions.iter().find(|session| session.id == entry.session);
        Ok(Granted {
            session: session.ok_or(Denied::SessionEnded)?.clone(),
            nonce: None,
            scope: entry.scope.clone(),
            family: entry.family,
        })
    }

    /// The token that gets the next ones.
    pub(super) fn refresh_token(&mut self, granted: &Granted) -> Result<String, Unspecified> {
        let token = secret()?;
        let entry = RefreshToken {
            session: granted.session.id.clone(),
            scope: granted.scope.clone(),
            family: granted.family,
            is_spent: false,
        };
        self.refresh_tokens.insert(token.clone(), entry);
        Ok(token)
    }

    /// Drops what has ended. A developer's forgotten loop must not fill the memory either.
    fn forget_old(&mut self, now: u64) {
        self.codes.retain(|_, code| now < code.expires);
        self.sessions.retain(|session| now < session.begun + SESSION_LIFETIME);
        if self.sessions.len() >= MOST || self.codes.len() >= MOST || self.refresh_tokens.len() >= MOST {
            *self = Self { families: self.families, ..Self::default() };
        }
    }
}

/// `code_challenge` of a `code_verifier` by S256 (RFC 7636 §4.2).
pub(super) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

/// A value that nobody guesses: 256 bits.
pub(super) fn secret() -> Result<String, Unspecified> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests;
