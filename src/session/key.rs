//! Where a session is kept: a hash over its realm and its id.
//!
//! The cookie carries the id alone, 256 random bits; what is looked up is the hash, so that the id of
//! one realm names nothing in another, and whoever reads a store learns no id.

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::realm::{Realm, sha256};

/// How many characters an id has in a cookie.
pub(super) const ID_LENGTH: usize = 43;

/// The secret name of a session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Id([u8; 32]);

impl Id {
    /// An id that nobody can guess; nothing where the system gives no randomness.
    pub(super) fn random() -> Option<Self> {
        let mut bytes = [0; 32];
        rand::fill(&mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// The id of `bytes`.
    pub(super) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The id that a cookie's value spells, if it is one.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        if value.len() != ID_LENGTH {
            return None;
        }
        let mut bytes = [0; 32];
        let length = URL_SAFE_NO_PAD.decode_slice(value, &mut bytes).ok()?;
        (length == bytes.len()).then_some(Self(bytes))
    }

    /// The id as a cookie's value.
    pub(super) fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The id itself.
    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// A hash that names something without telling it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Digest(pub(super) [u8; 32]);

impl Digest {
    /// The hash of `text`, for `purpose`, in `realm`.
    pub(super) fn of(purpose: &str, realm: &Realm, text: &[u8]) -> Self {
        let mut bytes = smallvec::SmallVec::<[u8; 256]>::new();
        bytes.extend_from_slice(realm.digest());
        bytes.push(u8::try_from(purpose.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(purpose.as_bytes());
        bytes.extend_from_slice(text);
        Self(sha256(&bytes))
    }

    /// Its first eight bytes, as good as random.
    pub(super) fn place(&self) -> u64 {
        self.0.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
    }
}

/// Where a session is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    /// The secret half, for seals.
    pub(super) id: Id,
    /// The hash over realm and id, the name in stores.
    pub(super) digest: Digest,
}

impl Key {
    /// The key of `id` in `realm`.
    pub(super) fn of(realm: &Realm, id: Id) -> Self {
        Self { id, digest: Digest::of("session", realm, id.bytes()) }
    }
}
