//! One tenant's realm: its name, its key, and who is logged in.
//!
//! Realms share nothing, so that a code or token of one is noise at another.

use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::error::Unspecified;

use super::PROVIDER;
use super::key::SigningKey;
use super::ledger::Ledger;

/// One tenant's realm.
pub(super) struct Realm {
    /// The tenant's key.
    pub(super) name: String,
    /// What `iss` says.
    pub(super) url: String,
    /// What signs its tokens.
    pub(super) key: SigningKey,
    ledger: Mutex<Ledger>,
}

impl Realm {
    /// A realm of the issuer at `base`, with a fresh key.
    pub(super) fn new(name: &str, base: &str) -> Result<Self, Unspecified> {
        Ok(Self {
            name: name.to_owned(),
            url: format!("{base}/{name}"),
            key: SigningKey::generate(format!("{name}-1"))?,
            ledger: Mutex::default(),
        })
    }

    /// Who is logged in, and what was handed out.
    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tenant; none where the configuration has no tenants.
    pub(super) fn tenant(&self) -> Option<&str> {
        (self.name != PROVIDER).then_some(self.name.as_str())
    }

    /// The cookie that keeps the browser logged in.
    pub(super) fn cookie_name(&self) -> String {
        format!("vestibule-issuer-{}", self.name)
    }
}
