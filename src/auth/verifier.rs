//! Verifies tokens and remembers them, for one worker.
//!
//! A remembered token costs a hash and a comparison. One that is new is judged from the cheap to the
//! dear: form, header, claims, keys, signature. It knows no routes: what a caller may do is decided by
//! [`admit`](super::admit).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::cache::{Cache, Freshness, Remembered};
use super::claims::{self, LEEWAY};
use super::issuer::{Issuer, Keys};
use super::json::{Map, Value};
use super::keys::KeySet;
use super::store::{KeyStore, Unavailable};
use super::token::Purpose;
use super::token::Unverified;
use super::{Algorithm, Refused, TokenError};
use crate::session::Identity;
use crate::tenant::Tenant;

/// Verifies tokens for one worker.
#[derive(Debug)]
pub struct Verifier {
    store: Arc<KeyStore>,
    cache: Mutex<Cache>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// How often a token was remembered, and how often not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheCounts {
    /// Remembered.
    pub hits: u64,
    /// Verified anew.
    pub misses: u64,
}

impl Verifier {
    /// A verifier with nothing remembered, whose keys are in `store`.
    #[must_use]
    pub fn new(store: Arc<KeyStore>) -> Self {
        Self { store, cache: Mutex::default(), hits: 0.into(), misses: 0.into() }
    }

    /// How often a token was remembered, and how often not.
    #[must_use]
    pub fn counts(&self) -> CacheCounts {
        CacheCounts { hits: self.hits.load(Ordering::Relaxed), misses: self.misses.load(Ordering::Relaxed) }
    }

    /// The content of `token`, if `issuer` issued it for `tenant` and it is valid now.
    pub async fn verify(
        &self,
        issuer: &Arc<Issuer>,
        tenant: &Tenant,
        token: &(impl AsRef<[u8]> + ?Sized),
    ) -> Result<Arc<Identity>, Refused> {
        let token = token.as_ref();
        let now = self.store.clock().milliseconds();
        if let Some(known) = self.cache().find(issuer, tenant, token, now) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(known);
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        let (verified, freshness) = Box::pin(self.verify_anew(issuer, tenant, token, now / 1000)).await?;
        let verified = Arc::new(verified);
        let until = verified.expires.saturating_add(LEEWAY).saturating_mul(1000);
        let remembered = Remembered { verified: verified.clone(), until, freshness };
        self.cache().remember(issuer, tenant, token, remembered);
        Ok(verified)
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn verify_anew(
        &self,
        issuer: &Issuer,
        tenant: &Tenant,
        token: &[u8],
        now: u64,
    ) -> Result<(Identity, Freshness), Refused> {
        let token = std::str::from_utf8(token).map_err(|_| Refused::InvalidToken(TokenError::NotBase64))?;
        let judge = |claims: &Map<String, Value>| claims::judge(claims, issuer, tenant, now);
        let (unverified, claims) =
            judged(issuer, token, Purpose::Access, judge).map_err(Refused::InvalidToken)?;
        let verified = claims::identity(&claims, token).map_err(Refused::InvalidToken)?;
        let freshness = self.check_signature(issuer, &unverified).await?;
        Ok((verified, freshness))
    }

    /// The claims of a `token` that `issuer` signed for `purpose`, as far as `judge` lets them pass.
    /// Nothing of it is remembered: such tokens come once.
    pub(super) async fn claims(
        &self,
        issuer: &Issuer,
        token: &str,
        purpose: Purpose,
        judge: impl Fn(&Map<String, Value>) -> Result<(), TokenError>,
    ) -> Result<Map<String, Value>, Refused> {
        let (unverified, claims) = judged(issuer, token, purpose, judge).map_err(Refused::InvalidToken)?;
        self.check_signature(issuer, &unverified).await?;
        Ok(claims)
    }

    /// Verifies the signature, and says for how long that holds.
    async fn check_signature(&self, issuer: &Issuer, token: &Unverified<'_>) -> Result<Freshness, Refused> {
        let (source, fallback) = match &issuer.keys {
            Keys::Inline(keys) => {
                check(keys, token).map_err(Refused::InvalidToken)?;
                return Ok(Freshness::Fixed);
            }
            Keys::Fetched { source, fallback } => (source, fallback),
        };
        let slot = self.store.slot(source);
        let current = match (slot.current().await, fallback) {
            (Ok(current), _) => current,
            (Err(_), Some(keys)) => {
                check(keys, token).map_err(Refused::InvalidToken)?;
                return Ok(Freshness::Keys { slot, generation: 0 });
            }
            (Err(Unavailable { retry_after }), None) => return Err(Refused::KeysUnavailable { retry_after }),
        };
        let generation = match check(&current.keys, token) {
            Ok(()) => current.generation,
            Err(TokenError::UnknownKey) => {
                let newer = slot.newer(current.generation).await;
                let newer = newer.ok_or(Refused::InvalidToken(TokenError::UnknownKey))?;
                check(&newer.keys, token).map_err(Refused::InvalidToken)?;
                newer.generation
            }
            Err(reason) => return Err(Refused::InvalidToken(reason)),
        };
        Ok(Freshness::Keys { slot, generation })
    }
}

/// `token` in parts and its claims; everything judged but the signature.
fn judged<'t>(
    issuer: &Issuer,
    token: &'t str,
    purpose: Purpose,
    judge: impl Fn(&Map<String, Value>) -> Result<(), TokenError>,
) -> Result<(Unverified<'t>, Map<String, Value>), TokenError> {
    let unverified = Unverified::parse_as(token, purpose)?;
    if !issuer.algorithms.contains(&unverified.algorithm) {
        return Err(TokenError::AlgorithmNotAllowed(unverified.algorithm));
    }
    let claims = unverified.claims()?;
    judge(&claims)?;
    Ok((unverified, claims))
}

/// Verifies the signature with the one key that fits.
fn check(keys: &KeySet, token: &Unverified<'_>) -> Result<(), TokenError> {
    let key = keys.find(token.key_id.as_deref(), token.algorithm)?;
    let message = token.message.as_bytes();
    match jsonwebtoken::crypto::verify(token.signature, message, key, library_name(token.algorithm)) {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(TokenError::WrongSignature),
    }
}

/// What the library calls `algorithm`.
fn library_name(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::Rs384 => jsonwebtoken::Algorithm::RS384,
        Algorithm::Rs512 => jsonwebtoken::Algorithm::RS512,
        Algorithm::Ps256 => jsonwebtoken::Algorithm::PS256,
        Algorithm::Ps384 => jsonwebtoken::Algorithm::PS384,
        Algorithm::Ps512 => jsonwebtoken::Algorithm::PS512,
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::Es384 => jsonwebtoken::Algorithm::ES384,
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
    }
}
