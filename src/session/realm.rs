//! What a session belongs to.
//!
//! Tenant, issuer and client together; two realms that differ in anything share nothing. Its digest is
//! part of every key and every seal: it is taken over one form that no two realms have in common, in
//! which each part is preceded by its length and an absent tenant is not an empty one.

use std::sync::Arc;

use aws_lc_rs::digest;

use crate::tenant::{Tenant, TenantKey};

/// The one tenant, issuer and client that a session opens for.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Realm {
    tenant: Option<TenantKey>,
    issuer: Arc<str>,
    client: Arc<str>,
    digest: [u8; 32],
}

impl Realm {
    /// The realm of `tenant` at `issuer` as `client`.
    #[must_use]
    pub fn new(tenant: &Tenant, issuer: &str, client: &str) -> Self {
        Self::of(tenant.key.clone(), issuer, client)
    }

    /// The realm of the tenant with `key` at `issuer` as `client`; no key is the provider of a
    /// configuration without tenants.
    #[must_use]
    pub fn of(key: Option<TenantKey>, issuer: &str, client: &str) -> Self {
        let digest = digest_of(key.as_ref(), issuer, client);
        Self { tenant: key, issuer: issuer.into(), client: client.into(), digest }
    }

    /// The tenant; `None` is the provider of a configuration without tenants.
    #[must_use]
    pub fn tenant(&self) -> Option<&TenantKey> {
        self.tenant.as_ref()
    }

    /// The issuer, as its tokens name it.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The client that the tokens were issued to.
    #[must_use]
    pub fn client(&self) -> &str {
        &self.client
    }

    /// What no other realm has.
    #[must_use]
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

impl std::fmt::Debug for Realm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Realm")
            .field("tenant", &self.tenant)
            .field("issuer", &self.issuer)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

fn digest_of(tenant: Option<&TenantKey>, issuer: &str, client: &str) -> [u8; 32] {
    let mut bytes = vec![u8::from(tenant.is_some())];
    for part in [tenant.map_or("", TenantKey::as_str), issuer, client] {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    sha256(&bytes)
}

/// SHA-256 of `bytes`.
pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn realm(tenant: Option<&str>, issuer: &str, client: &str) -> Realm {
        Realm::of(tenant.and_then(TenantKey::parse), issuer, client)
    }

    #[test]
    fn no_two_realms_have_the_same_digest() {
        let realms = [
            realm(None, "ab", "c"),
            realm(None, "a", "bc"),
            realm(Some("a"), "b", "c"),
            realm(Some("ab"), "", "c"),
            realm(Some("a"), "bc", ""),
        ];
        for (place, one) in realms.iter().enumerate() {
            for other in &realms[place + 1..] {
                assert_ne!(one.digest(), other.digest(), "{one:?} and {other:?}");
            }
        }
    }
}
