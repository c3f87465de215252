//! What has ended before its time, for sessions that nobody keeps.
//!
//! A denial names a session, an issuer's session, a subject or a tenant, and stands until what it names
//! would have ended anyway. Each change has a version, so that what was compared once need not be again.
//! Where there is no room for another denial, all that had begun has ended: a list that forgets would
//! let somebody in.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::Realm;
use super::key::Digest;
use super::realm::sha256;
use super::sealed::Content;
use super::store::Denial;
use crate::tenant::TenantKey;

/// How many denials there may be.
const MAX: usize = 1_000_000;

/// The denials that this process knows.
#[derive(Debug, Default)]
pub(super) struct Denials {
    version: AtomicU64,
    /// Milliseconds since the epoch: what began until then has ended.
    all_until: AtomicU64,
    list: Mutex<HashMap<Digest, Term>>,
}

/// For what began when, and how long.
#[derive(Clone, Copy, Debug)]
struct Term {
    begun_until: u64,
    until: u64,
}

impl Denials {
    /// Changes whenever something is denied.
    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Adds `denial` at `now`, in milliseconds since the epoch.
    pub(super) fn add(&self, denial: Denial, now: u64) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        if list.len() >= MAX {
            list.retain(|_, term| term.until.saturating_mul(1_000) > now);
        }
        if list.len() >= MAX {
            list.clear();
            self.all_until.fetch_max(now, Ordering::AcqRel);
            tracing::error!("the list of ended sessions is full: every session has ended");
        }
        let term = list.entry(denial.name).or_insert(Term { begun_until: 0, until: 0 });
        term.begun_until = term.begun_until.max(denial.begun_until);
        term.until = term.until.max(denial.until);
        self.version.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether `content` has ended.
    pub(super) fn denies(&self, content: &Content) -> bool {
        if content.begun <= self.all_until.load(Ordering::Acquire) {
            return true;
        }
        let list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        !list.is_empty()
            && names(content)
                .any(|name| list.get(&name).is_some_and(|term| content.begun <= term.begun_until))
    }

    /// Forgets what would have ended by `now`, in seconds since the epoch.
    pub(super) fn sweep(&self, now: u64) {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, term| term.until > now);
    }
}

/// Every name under which `content` can be denied.
fn names(content: &Content) -> impl Iterator<Item = Digest> {
    let (realm, session) = (&content.session.realm, &content.session);
    let (named, subject) = (session.issuer_session.as_deref(), session.identity.subject.as_deref());
    let both = named.zip(subject).and_then(|(named, subject)| name(realm, Some(named), Some(subject)));
    [
        Some(content.key.digest),
        Some(tenant_name(realm.tenant())),
        named.and_then(|named| name(realm, Some(named), None)),
        subject.and_then(|subject| name(realm, None, Some(subject))),
        both,
    ]
    .into_iter()
    .flatten()
}

/// The name of what the issuer of `realm` names.
pub(super) fn name(realm: &Realm, issuer_session: Option<&str>, subject: Option<&str>) -> Option<Digest> {
    Some(match (issuer_session, subject) {
        (Some(issuer_session), Some(subject)) => {
            let both = [&sha256(issuer_session.as_bytes())[..], subject.as_bytes()].concat();
            Digest::of("deny-both", realm, &both)
        }
        (Some(issuer_session), None) => Digest::of("deny-session", realm, issuer_session.as_bytes()),
        (None, Some(subject)) => Digest::of("deny-subject", realm, subject.as_bytes()),
        (None, None) => return None,
    })
}

/// The name of a tenant, whatever its issuer.
pub(super) fn tenant_name(tenant: Option<&TenantKey>) -> Digest {
    // Keys have no such characters, so the provider is nobody's key.
    let key = tenant.map_or("(provider)", TenantKey::as_str);
    Digest(sha256(format!("deny-tenant {key}").as_bytes()))
}

#[cfg(test)]
mod tests;
