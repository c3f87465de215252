//! The tenant assertion: what the router vouches for towards backends.
//!
//! A JWT of 60 seconds over tenant, user and route, signed with Ed25519. The key is made by the
//! process and never leaves it; backends read its public half from `/jwks` of the admin port. A
//! backend that checks it need not trust the network between itself and the router.

use std::sync::OnceLock;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;

use super::Clock;
use super::json::{Map, Value};
use crate::session::Identity;
use crate::tenant::Tenant;

/// How long an assertion holds, in seconds.
pub const LIFETIME: u64 = 60;

/// Who signs, as `iss` names it.
const ISSUER: &str = "vestibule";

/// Signs assertions.
pub struct Assertions {
    clock: Clock,
    /// Made when first needed; `None` inside where the system gave no randomness.
    signer: OnceLock<Option<Signer>>,
}

/// The key, and what follows from it.
struct Signer {
    key: Ed25519KeyPair,
    /// The encoded header and its dot, the same for every assertion.
    header: Box<str>,
    key_set: Box<str>,
}

impl Signer {
    fn generate() -> Result<Self, Unspecified> {
        let key = Ed25519KeyPair::generate()?;
        let x = URL_SAFE_NO_PAD.encode(key.public_key().as_ref());
        // The thumbprint of RFC 7638: members in this order, without blanks.
        let thumbprint = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        let id = URL_SAFE_NO_PAD.encode(digest(&SHA256, thumbprint.as_bytes()));
        let header = format!(r#"{{"alg":"EdDSA","kid":"{id}","typ":"JWT"}}"#);
        let header = format!("{}.", URL_SAFE_NO_PAD.encode(header)).into();
        let key_set = format!(
            r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{x}","kid":"{id}","use":"sig","alg":"EdDSA"}}]}}"#
        );
        Ok(Self { key, header, key_set: key_set.into() })
    }
}

impl Assertions {
    /// With a key that is made when it is first needed: gathering randomness takes longer than all the
    /// rest of a start.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, signer: OnceLock::new() }
    }

    /// With a key that is made now.
    pub fn generate(clock: Clock) -> Result<Self, Unspecified> {
        Ok(Self { clock, signer: OnceLock::from(Some(Signer::generate()?)) })
    }

    fn signer(&self) -> Option<&Signer> {
        self.signer.get_or_init(|| Signer::generate().ok()).as_ref()
    }

    /// The public key, as the JSON of a key set.
    #[must_use]
    pub fn key_set(&self) -> &str {
        self.signer().map_or(r#"{"keys":[]}"#, |signer| &signer.key_set)
    }

    /// An assertion that `caller` takes `route` of `tenant`, from now.
    #[must_use]
    pub fn sign(&self, tenant: &Tenant, caller: Option<&Identity>, route: &str) -> Option<HeaderValue> {
        let signer = self.signer()?;
        let claims = Value::Object(self.claims(tenant, caller, route)).to_string();
        let mut assertion = String::with_capacity(signer.header.len() + claims.len() * 4 / 3 + 96);
        assertion.push_str(&signer.header);
        URL_SAFE_NO_PAD.encode_string(claims, &mut assertion);
        let signature = signer.key.sign(assertion.as_bytes());
        assertion.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut assertion);
        let mut assertion = HeaderValue::try_from(assertion).ok()?;
        assertion.set_sensitive(true);
        Some(assertion)
    }

    fn claims(&self, tenant: &Tenant, caller: Option<&Identity>, route: &str) -> Map<String, Value> {
        let now = self.clock.seconds();
        let mut claims = Map::new();
        claims.insert("iss".into(), ISSUER.into());
        claims.insert("iat".into(), now.into());
        claims.insert("exp".into(), (now + LIFETIME).into());
        claims.insert("route".into(), route.into());
        let mut named = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                claims.insert(name.into(), value.into());
            }
        };
        named("tenant", tenant.key.as_ref().map(crate::tenant::TenantKey::as_str));
        named("tenant_id", tenant.id.as_deref());
        named("sub", caller.and_then(|caller| caller.subject.as_deref()));
        named("user_name", caller.and_then(|caller| caller.user_name.as_ref()?.to_str().ok()));
        named("email", caller.and_then(|caller| caller.email.as_ref()?.to_str().ok()));
        claims
    }
}

impl std::fmt::Debug for Assertions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assertions").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
