//! User and password, checked by the tenant's issuer.
//!
//! The issuer is asked by a password grant (RFC 6749 §4.3), and what it says of right ones is remembered
//! for a minute: clients send them with every request. What is kept is a digest under a key of this
//! process, over tenant, issuer and client as well, so that neither what was typed nor another tenant's
//! can be found in it. Wrong ones are not remembered; how often they may be tried is the issuer's affair.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::hmac;
use http::HeaderValue;

use super::login::{LoginError, Logins};
use super::presented::UserPassword;
use super::{Issuer, Refused};
use crate::clock::Clock;
use crate::session::{Identity, Realm};
use crate::tenant::Tenant;

/// For how many seconds right ones are remembered.
const REMEMBERED: u64 = 60;
/// How many are remembered.
const MAX_REMEMBERED: usize = 10_000;

type Digest = [u8; 32];

/// Checks users and passwords, and remembers right ones for a while.
pub struct Passwords {
    logins: Arc<Logins>,
    clock: Clock,
    key: hmac::Key,
    known: Mutex<HashMap<Digest, Known>>,
}

/// Who it was, until when in seconds since the epoch.
struct Known {
    identity: Arc<Identity>,
    until: u64,
}

impl Passwords {
    /// With nothing remembered; nothing where the system gives no randomness for a key.
    #[must_use]
    pub fn new(logins: Arc<Logins>, clock: Clock) -> Option<Self> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &aws_lc_rs::rand::SystemRandom::new()).ok()?;
        Some(Self { logins, clock, key, known: Mutex::default() })
    }

    /// Who `typed` is at `issuer`.
    pub(super) async fn check(
        &self,
        issuer: &Arc<Issuer>,
        tenant: &Tenant,
        typed: &UserPassword,
    ) -> Result<Arc<Identity>, Refused> {
        let realm = issuer.realm().ok_or(Refused::NoIssuer)?;
        let digest = self.digest(realm, typed);
        let now = self.clock.seconds();
        if let Some(known) = self.known().get(&digest).filter(|known| known.until > now) {
            return Ok(Arc::clone(&known.identity));
        }
        let granted = self.logins.password(issuer, tenant, &typed.user, &typed.password).await;
        let identity = Arc::new(granted.map_err(|reason| refused(reason, tenant))?.identity);
        let until = identity.expires.min(now.saturating_add(REMEMBERED));
        self.remember(digest, Known { identity: Arc::clone(&identity), until }, now);
        Ok(identity)
    }

    fn digest(&self, realm: &Realm, typed: &UserPassword) -> Digest {
        let mut context = hmac::Context::with_key(&self.key);
        let parts = [realm.digest().as_slice(), typed.user.as_bytes(), typed.password.expose().as_bytes()];
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut digest = Digest::default();
        digest.copy_from_slice(context.sign().as_ref());
        digest
    }

    fn remember(&self, digest: Digest, known: Known, now: u64) {
        let mut all = self.known();
        if all.len() >= MAX_REMEMBERED {
            all.retain(|_, known| known.until > now);
        }
        if all.len() < MAX_REMEMBERED {
            all.insert(digest, known);
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Digest, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused(reason: LoginError, tenant: &Tenant) -> Refused {
    match reason {
        LoginError::GrantRefused => Refused::WrongPassword { challenge: challenge(tenant) },
        LoginError::NoClient => Refused::NoIssuer,
        reason @ (LoginError::NoRandomness
        | LoginError::WrongState
        | LoginError::IssuerMismatch
        | LoginError::Denied
        | LoginError::Refused(_)
        | LoginError::NoCode
        | LoginError::ClientRefused(_)
        | LoginError::MalformedAnswer(_)
        | LoginError::InvalidToken(_)
        | LoginError::NonceMismatch
        | LoginError::OtherSubject
        | LoginError::IssuerUnreachable { .. }) => Refused::Issuer(Arc::new(reason)),
    }
}

/// What asks for user and password of `tenant` (RFC 7617 §2). Keys are DNS labels, so nothing has to be
/// escaped.
pub(super) fn challenge(tenant: &Tenant) -> HeaderValue {
    let realm = tenant.key.as_ref().map_or("application", |key| key.as_str());
    HeaderValue::try_from(format!("Basic realm=\"{realm}\", charset=\"UTF-8\""))
        .unwrap_or(HeaderValue::from_static("Basic realm=\"application\""))
}
