//! Who logged in, by the tokens that the token endpoint gave.
//!
//! Every token is verified as if a stranger had sent it. What says who the user is depends on the
//! issuer: the access token at XSUAA, the ID token elsewhere; which of them backends get, too. A token
//! that says nothing to us, such as an opaque access token, is passed on as it is.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Algorithm as Hash, SHA256, SHA384, SHA512, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::claims;
use super::super::client::{Client, Dialect};
use super::super::json::{self, Map, Value};
use super::super::token::{Purpose, Unverified};
use super::super::{Algorithm, Issuer, TokenError, Verifier};
use super::LoginError;
use super::exchange::Tokens;
use crate::secret::Secret;
use crate::session::Identity;
use crate::tenant::Tenant;

/// The longest lifetime of an access token that is believed, in seconds: a year.
const LONGEST: u64 = 366 * 24 * 60 * 60;

/// What is believed of an answer, and by whom it is verified.
#[derive(Clone, Copy)]
pub(super) struct Witness<'a> {
    pub(super) verifier: &'a Verifier,
    pub(super) issuer: &'a std::sync::Arc<Issuer>,
    pub(super) client: &'a Client,
    pub(super) tenant: &'a Tenant,
    /// Seconds since the epoch.
    pub(super) now: u64,
}

/// Who logged in, and the issuer's name for the login.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) identity: Identity,
    pub(super) issuer_session: Option<Box<str>>,
}

/// What an ID token must repeat.
#[derive(Clone, Copy, Debug)]
pub(super) enum Nonce<'a> {
    /// What the login sent.
    Sent(&'a str),
    /// Nothing was sent: there was no browser.
    None,
}

impl Witness<'_> {
    /// Who the user is, by `tokens`.
    pub(super) async fn person(&self, tokens: &Tokens, nonce: Nonce<'_>) -> Result<Person, LoginError> {
        match (self.client.dialect, &tokens.identity, nonce) {
            // A password grant is OAuth's; not every issuer makes OpenID Connect of it.
            (Dialect::Xsuaa, _, _) | (Dialect::Oidc, None, Nonce::None) => self.by_access_token(tokens).await,
            (Dialect::Oidc | Dialect::Ias, Some(token), _) => self.by_id_token(tokens, token, nonce).await,
            (Dialect::Oidc | Dialect::Ias, None, Nonce::Sent(_) | Nonce::None) => {
                Err(LoginError::MalformedAnswer("there is no ID token"))
            }
        }
    }

    async fn by_access_token(&self, tokens: &Tokens) -> Result<Person, LoginError> {
        let verified = self.verifier.verify(self.issuer, self.tenant, tokens.access.expose()).await?;
        let mut identity = Identity::clone(&verified);
        identity.expires = identity.expires.min(self.until(tokens).unwrap_or(u64::MAX));
        Ok(Person { identity, issuer_session: None })
    }

    async fn by_id_token(
        &self,
        tokens: &Tokens,
        token: &Secret,
        nonce: Nonce<'_>,
    ) -> Result<Person, LoginError> {
        let claims = self.id_claims(token, &tokens.access).await?;
        check_nonce(&claims, nonce)?;
        let issuer_session = json::text(&claims, "sid").map(Into::into);
        let bearer = match self.client.dialect {
            Dialect::Ias => token,
            Dialect::Oidc | Dialect::Xsuaa => &tokens.access,
        };
        let identity = claims::identity(&claims, bearer.expose()).map_err(LoginError::InvalidToken)?;
        check_subject(&identity).map_err(LoginError::InvalidToken)?;
        let identity = match self.client.dialect {
            Dialect::Ias => identity,
            Dialect::Oidc | Dialect::Xsuaa => self.with_access(identity, tokens, self.asked()).await?,
        };
        Ok(Person { identity, issuer_session })
    }

    /// The verified claims of an ID token that came with `access`.
    async fn id_claims(&self, token: &Secret, access: &Secret) -> Result<Map<String, Value>, LoginError> {
        let client = self.client.realm.client();
        let judge = |claims: &Map<String, Value>| {
            claims::judge_identity(claims, self.issuer, client, self.tenant, self.now)
        };
        let claims = self.verifier.claims(self.issuer, token.expose(), Purpose::Identity, judge).await?;
        check_access_hash(&claims, token.expose(), access.expose()).map_err(LoginError::InvalidToken)?;
        Ok(claims)
    }

    /// `identity` with what the access token adds: until when it is good, and for what. An answer that
    /// names no scopes grants those `expected` (RFC 6749 §5.1).
    pub(super) async fn with_access(
        &self,
        mut identity: Identity,
        tokens: &Tokens,
        expected: Vec<Box<str>>,
    ) -> Result<Identity, LoginError> {
        let mut scopes = identity.scopes.into_vec();
        scopes.extend(tokens.scopes.clone().unwrap_or(expected));
        let readable = self.verifier.verify(self.issuer, self.tenant, tokens.access.expose()).await.ok();
        let readable = readable.filter(|access| access.subject == identity.subject);
        identity.expires = match (&readable, self.until(tokens)) {
            (Some(access), until) => access.expires.min(until.unwrap_or(u64::MAX)),
            (None, Some(until)) => until,
            (None, None) => identity.expires,
        };
        if let Some(access) = readable {
            scopes.extend(access.scopes.iter().cloned());
        }
        scopes.sort_unstable();
        scopes.dedup();
        identity.scopes = scopes.into();
        Ok(identity)
    }

    /// The scopes that a login asks for.
    fn asked(&self) -> Vec<Box<str>> {
        self.client.scopes.split(' ').filter(|scope| !scope.is_empty()).map(Into::into).collect()
    }

    /// Until when the access token is good, in seconds since the epoch, as far as the answer says.
    fn until(&self, tokens: &Tokens) -> Option<u64> {
        tokens.expires_in.map(|seconds| self.now.saturating_add(seconds.min(LONGEST)))
    }
}

/// An ID token says whose it is (Core 1.0 §2); the session of nobody in particular would match that of
/// every other nobody.
fn check_subject(identity: &Identity) -> Result<(), TokenError> {
    let is_named = identity.subject.as_deref().is_some_and(|subject| !subject.is_empty());
    if is_named { Ok(()) } else { Err(TokenError::MalformedClaim("sub")) }
}

fn check_nonce(claims: &Map<String, Value>, nonce: Nonce<'_>) -> Result<(), LoginError> {
    let said = json::text(claims, "nonce");
    match nonce {
        Nonce::None => Ok(()),
        Nonce::Sent(sent) => {
            let same =
                said.is_some_and(|said| verify_slices_are_equal(said.as_bytes(), sent.as_bytes()).is_ok());
            if same { Ok(()) } else { Err(LoginError::NonceMismatch) }
        }
    }
}

/// `at_hash`, where there is one, binds the access token to the ID token (Core 1.0 §3.1.3.6).
fn check_access_hash(claims: &Map<String, Value>, token: &str, access: &str) -> Result<(), TokenError> {
    let Some(said) = claims::optional_text(claims, "at_hash")? else { return Ok(()) };
    let algorithm = Unverified::parse_as(token, Purpose::Identity)?.algorithm;
    let hash = digest(hash_of(algorithm), access.as_bytes());
    let half = &hash.as_ref()[..hash.as_ref().len() / 2];
    if URL_SAFE_NO_PAD.encode(half) == said { Ok(()) } else { Err(TokenError::MalformedClaim("at_hash")) }
}

/// The hash that `algorithm` signs.
fn hash_of(algorithm: Algorithm) -> &'static Hash {
    match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 => &SHA256,
        Algorithm::Rs384 | Algorithm::Ps384 | Algorithm::Es384 => &SHA384,
        Algorithm::Rs512 | Algorithm::Ps512 | Algorithm::EdDsa => &SHA512,
    }
}
