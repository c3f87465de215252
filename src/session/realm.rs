//! What a session belongs to.
//!
//! Tenant, issuer and client together; two realms that differ in anything share nothing. It is written
//! into seals and keys in one form that no two realms have in common: each part is preceded by its
//! length, and an absent tenant is not an empty one.

use std::sync::Arc;

use crate::tenant::{Tenant, TenantKey};

/// The one tenant, issuer and client that a session opens for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Realm {
    /// The tenant; `None` is the provider of a configuration without tenants.
    pub tenant: Option<TenantKey>,
    /// The issuer, as its tokens name it.
    pub issuer: Arc<str>,
    /// The client that the tokens were issued to.
    pub client: Arc<str>,
}

impl Realm {
    /// The realm of `tenant` at `issuer` as `client`.
    #[must_use]
    pub fn new(tenant: &Tenant, issuer: &str, client: &str) -> Self {
        Self { tenant: tenant.key.clone(), issuer: issuer.into(), client: client.into() }
    }

    /// The realm as bytes that no other realm has.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let tenant = self.tenant.as_ref().map(TenantKey::as_str);
        let mut bytes = vec![u8::from(tenant.is_some())];
        for part in [tenant.unwrap_or(""), &self.issuer, &self.client] {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part.as_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn realm(tenant: Option<&str>, issuer: &str, client: &str) -> Realm {
        Realm { tenant: tenant.and_then(TenantKey::parse), issuer: issuer.into(), client: client.into() }
    }

    #[test]
    fn no_two_realms_have_the_same_bytes() {
        let realms = [
            realm(None, "ab", "c"),
            realm(None, "a", "bc"),
            realm(Some("a"), "b", "c"),
            realm(Some("ab"), "", "c"),
            realm(Some("a"), "bc", ""),
        ];
        for (place, one) in realms.iter().enumerate() {
            for other in &realms[place + 1..] {
                assert_ne!(one.bytes(), other.bytes(), "{one:?} and {other:?}");
            }
        }
    }
}
