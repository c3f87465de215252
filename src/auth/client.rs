//! The application as a client of an issuer: under which name, and how it proves to be it.
//!
//! What is needed to prove it is read when the configuration compiles, so that a login never meets a
//! broken key. Tenants that share the defaults share the proof too. It knows no flow: what is asked of
//! an issuer is decided in [`login`](super::login).

use std::sync::Arc;

use jsonwebtoken::{Algorithm, EncodingKey};

use super::fetch::normal_pem;
pub use super::fetch::{ClientCertificate, ClientCertificateError};
use super::issuer::IssuerSpec;
use crate::secret::Secret;
use crate::session::Realm;
use crate::tenant::TenantKey;

/// How the application proves to an issuer that it is the client.
#[derive(Clone, Debug, Default)]
pub enum ClientAuthentication {
    /// Not at all: a public client, whose logins PKCE alone protects.
    #[default]
    None,
    /// `clientSecret`: in the header, or in the form where the issuer takes it only there.
    Secret(Secret),
    /// `clientKey`: by a token that it signs (`private_key_jwt`, RFC 7523 §2.2).
    PrivateKey(Arc<SigningKey>),
    /// The certificate of a binding: by mutual TLS (RFC 8705 §2).
    Certificate(Arc<ClientCertificate>),
}

impl PartialEq for ClientAuthentication {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::None, Self::None) => true,
            (Self::Secret(one), Self::Secret(other)) => one.expose() == other.expose(),
            (Self::PrivateKey(one), Self::PrivateKey(other)) => one == other,
            (Self::Certificate(one), Self::Certificate(other)) => one == other,
            (Self::None | Self::Secret(_) | Self::PrivateKey(_) | Self::Certificate(_), _) => false,
        }
    }
}

impl Eq for ClientAuthentication {}

/// The key is not one that can sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a private RSA, P-256, P-384 or Ed25519 key in PEM (EC and Ed25519 as PKCS#8)")]
pub struct SigningKeyError;

/// A private key with the algorithm that its type says.
#[derive(Clone)]
pub struct SigningKey {
    key: EncodingKey,
    algorithm: Algorithm,
    pem: Secret,
}

/// Makes a key from PEM.
type Reader = fn(&[u8]) -> jsonwebtoken::errors::Result<EncodingKey>;

impl SigningKey {
    /// The private key in `pem`.
    pub fn from_pem(pem: &Secret) -> Result<Self, SigningKeyError> {
        const KINDS: [(Algorithm, Reader); 4] = [
            (Algorithm::RS256, EncodingKey::from_rsa_pem),
            (Algorithm::ES256, EncodingKey::from_ec_pem),
            (Algorithm::ES384, EncodingKey::from_ec_pem),
            (Algorithm::EdDSA, EncodingKey::from_ed_pem),
        ];
        let pem = normal_pem(pem);
        for (algorithm, read) in KINDS {
            let Ok(key) = read(pem.expose().as_bytes()) else { continue };
            // Reading says nothing of the curve; only a signature shows that the key is good for it.
            if jsonwebtoken::crypto::sign(b"?", &key, algorithm).is_ok() {
                return Ok(Self { key, algorithm, pem });
            }
        }
        Err(SigningKeyError)
    }

    /// The name of its algorithm.
    pub(super) fn algorithm(&self) -> &'static str {
        if self.algorithm == Algorithm::RS256 {
            "RS256"
        } else if self.algorithm == Algorithm::ES256 {
            "ES256"
        } else if self.algorithm == Algorithm::ES384 {
            "ES384"
        } else {
            "EdDSA"
        }
    }

    /// The signature of `message` in base64url; `None` where the system gave no randomness.
    pub(super) fn sign(&self, message: &[u8]) -> Option<String> {
        jsonwebtoken::crypto::sign(message, &self.key, self.algorithm).ok()
    }
}

impl PartialEq for SigningKey {
    fn eq(&self, other: &Self) -> bool {
        self.pem.expose() == other.pem.expose()
    }
}

impl Eq for SigningKey {}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey")
    }
}

/// The application at one tenant's issuer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Client {
    /// What its sessions open for.
    pub(super) realm: Arc<Realm>,
    pub(super) authentication: ClientAuthentication,
    /// `scope` of a login, parts separated by blanks; empty asks for what the issuer thinks fit.
    pub(super) scopes: Box<str>,
    pub(super) endpoints: EndpointSource,
    pub(super) dialect: Dialect,
}

impl Client {
    /// The application as the client `id` of the issuer called `issuer`, for the tenant with `key`.
    pub(super) fn new(
        spec: &IssuerSpec,
        key: Option<&str>,
        (issuer, id): (&str, &str),
        endpoints: EndpointSource,
        dialect: Dialect,
    ) -> Self {
        let tenant = key.and_then(TenantKey::parse);
        let realm = Arc::new(Realm::of(tenant, issuer, id));
        let scopes = match dialect {
            Dialect::Xsuaa => spec.scopes.join(" "),
            Dialect::Oidc | Dialect::Ias => openid(&spec.scopes),
        };
        Self { realm, authentication: spec.authentication.clone(), scopes: scopes.into(), endpoints, dialect }
    }
}

/// `scopes` with the one that makes the answer OpenID Connect's.
fn openid(scopes: &[String]) -> String {
    let others = scopes.iter().map(String::as_str).filter(|scope| *scope != "openid");
    std::iter::once("openid").chain(others).collect::<Vec<_>>().join(" ")
}

/// Where an issuer's endpoints are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum EndpointSource {
    /// In the discovery document of this issuer.
    Discovered(Box<str>),
    /// Known: an XSUAA's follow from its binding.
    Known(Arc<Endpoints>),
}

/// Where an issuer is asked for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoints {
    pub(super) authorization: Box<str>,
    pub(super) token: Box<str>,
    /// The token endpoint for mutual TLS, where it is another one (RFC 8705 §5).
    pub(super) token_by_certificate: Option<Box<str>>,
    pub(super) end_session: Option<Box<str>>,
    /// Whether every answer of the authorization endpoint names the issuer (RFC 9207 §3).
    pub(super) names_issuer: bool,
    /// Whether the client's secret goes into the form.
    pub(super) secret_in_form: bool,
}

/// In which way an issuer departs from OpenID Connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Dialect {
    /// Not at all.
    Oidc,
    /// The ID token is also the bearer token.
    Ias,
    /// The access token says who the user is; there need not be an ID token.
    Xsuaa,
}

#[cfg(test)]
mod tests;
