//! Seals what leaves the process: nobody reads it, nobody makes it, and it opens in one realm only.
//!
//! AES-256-GCM-SIV (RFC 8452) with random nonces: a nonce that came twice would tell no more than that
//! two texts are equal. Keys are derived by HKDF for one purpose each; realm and purpose are
//! authenticated with the text. What does not open gives nothing, whatever the reason.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Prk, Salt};
use aws_lc_rs::rand;

use super::realm::Realm;
use super::sessions::SessionsError;
use crate::secret::Secret;

/// The first byte of what is sealed, so that another form can be told apart.
const FORM: u8 = 1;

/// The secrets that keys are derived from; the first seals, all open.
#[derive(Debug)]
pub(super) struct KeyRing(Box<[Prk]>);

impl KeyRing {
    /// The ring of `secrets`; a random one where there is none.
    pub(super) fn new(secrets: &[Secret]) -> Result<Self, SessionsError> {
        if secrets.iter().any(|secret| secret.expose().is_empty()) {
            return Err(SessionsError::EmptySecret);
        }
        let salt = Salt::new(HKDF_SHA256, b"vestibule");
        if secrets.is_empty() {
            let mut random = [0; 32];
            rand::fill(&mut random).map_err(|_| SessionsError::NoRandomness)?;
            return Ok(Self([salt.extract(&random)].into()));
        }
        Ok(Self(secrets.iter().map(|secret| salt.extract(secret.expose().as_bytes())).collect()))
    }

    /// The seal for `purpose`.
    pub(super) fn seal(&self, purpose: &'static str) -> Result<Seal, SessionsError> {
        self.bound(purpose, &[])
    }

    /// The seal for `purpose` of what only who knows `secret` may open.
    pub(super) fn bound(&self, purpose: &'static str, secret: &[u8]) -> Result<Seal, SessionsError> {
        let keys: Option<Box<[_]>> =
            self.0.iter().map(|prk| key(prk, &[purpose.as_bytes(), secret])).collect();
        Ok(Seal { keys: keys.ok_or(SessionsError::NoRandomness)?, purpose })
    }
}

fn key(prk: &Prk, info: &[&[u8]]) -> Option<RandomizedNonceKey> {
    let mut bytes = [0; 32];
    prk.expand(info, HKDF_SHA256).ok()?.fill(&mut bytes).ok()?;
    RandomizedNonceKey::new(&AES_256_GCM_SIV, &bytes).ok()
}

/// Seals and opens for one purpose.
#[derive(Debug)]
pub(super) struct Seal {
    keys: Box<[RandomizedNonceKey]>,
    purpose: &'static str,
}

impl Seal {
    /// `text`, sealed for `realm`: form, nonce, what is hidden and its tag. Nothing where the system
    /// gives no randomness.
    pub(super) fn seal(&self, realm: &Realm, text: Vec<u8>) -> Option<Vec<u8>> {
        self.seal_for(realm, &[], text)
    }

    /// The same, to be opened by who names the same `holder`.
    pub(super) fn seal_for(&self, realm: &Realm, holder: &[u8], mut text: Vec<u8>) -> Option<Vec<u8>> {
        let context = self.context(realm, holder);
        let nonce = self.keys.first()?.seal_in_place_append_tag(context, &mut text).ok()?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + text.len());
        sealed.push(FORM);
        sealed.extend_from_slice(nonce.as_ref());
        sealed.append(&mut text);
        Some(sealed)
    }

    /// What was sealed for `realm` with one of the keys.
    pub(super) fn open(&self, realm: &Realm, sealed: &[u8]) -> Option<Vec<u8>> {
        self.open_for(realm, &[], sealed)
    }

    /// What was sealed for `realm` and `holder` with one of the keys.
    pub(super) fn open_for(&self, realm: &Realm, holder: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (form, sealed) = sealed.split_first()?;
        let (nonce, hidden) = sealed.split_first_chunk::<NONCE_LEN>()?;
        if *form != FORM {
            return None;
        }
        self.keys.iter().find_map(|key| {
            let mut text = hidden.to_vec();
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let length = key.open_in_place(nonce, self.context(realm, holder), &mut text).ok()?.len();
            text.truncate(length);
            Some(text)
        })
    }

    fn context(&self, realm: &Realm, holder: &[u8]) -> Aad<Vec<u8>> {
        Aad::from([realm.digest(), self.purpose.as_bytes(), holder].concat())
    }
}

#[cfg(test)]
mod tests;
