//! The certificate with which the application identifies itself to an issuer (RFC 8705).
//!
//! Read when the configuration compiles, and only accepted together with the key that belongs to it.
//! Bindings write PEM in one line with `\n` spelt out; that is understood. Issued certificates live for
//! days only: a new one comes with a new configuration, nothing is renewed here.

use std::sync::Arc;

use rustls::client::ResolvesClientCert;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::secret::Secret;

/// A certificate chain and its key, ready to be shown to an issuer.
#[derive(Clone)]
pub struct ClientCertificate {
    resolver: Arc<dyn ResolvesClientCert>,
    chain: Vec<CertificateDer<'static>>,
}

/// Why certificate and key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientCertificateError {
    /// No certificate in PEM.
    #[error("the certificate is not in PEM")]
    MalformedCertificate,
    /// No private key in PEM.
    #[error("the key is not a private key in PEM")]
    MalformedKey,
    /// The key is another certificate's, or of a kind that cannot sign.
    #[error("the key does not belong to the certificate")]
    Mismatch,
}

impl ClientCertificate {
    /// The certificate chain in `certificate` with the private key in `key`, both PEM.
    pub fn from_pem(certificate: &Secret, key: &Secret) -> Result<Self, ClientCertificateError> {
        let chain = CertificateDer::pem_slice_iter(normal(certificate).expose().as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| ClientCertificateError::MalformedCertificate)?;
        if chain.is_empty() {
            return Err(ClientCertificateError::MalformedCertificate);
        }
        let key = PrivateKeyDer::from_pem_slice(normal(key).expose().as_bytes())
            .map_err(|_| ClientCertificateError::MalformedKey)?;
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let certified = CertifiedKey::from_der(chain.clone(), key, &provider)
            .map_err(|_| ClientCertificateError::Mismatch)?;
        Ok(Self { resolver: Arc::new(SingleCertAndKey::from(certified)), chain })
    }

    /// It as TLS asks for it.
    #[must_use]
    pub fn resolver(&self) -> Arc<dyn ResolvesClientCert> {
        Arc::clone(&self.resolver)
    }

    /// Its chain, in DER.
    pub fn chain(&self) -> impl Iterator<Item = &[u8]> {
        self.chain.iter().map(AsRef::as_ref)
    }
}

/// PEM with its line breaks.
pub(in crate::auth) fn normal(pem: &Secret) -> Secret {
    Secret::new(pem.expose().replace("\\n", "\n"))
}

impl PartialEq for ClientCertificate {
    /// One certificate has one key.
    fn eq(&self, other: &Self) -> bool {
        self.chain == other.chain
    }
}

impl Eq for ClientCertificate {}

impl std::fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientCertificate")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_comes_with_its_own_key() {
        let made = || rcgen::generate_simple_self_signed(vec!["client.test".to_owned()]).unwrap();
        let (one, other) = (made(), made());
        let (pem, key) = (one.cert.pem(), one.signing_key.serialize_pem());
        let escaped = |pem: &str| pem.replace('\n', "\\n");
        let rows = [
            (pem.clone(), key.clone(), None, "as a file"),
            (escaped(&pem), escaped(&key), None, "as a binding writes it"),
            (key.clone(), key.clone(), Some(ClientCertificateError::MalformedCertificate), "a key twice"),
            (pem.clone(), pem.clone(), Some(ClientCertificateError::MalformedKey), "a certificate twice"),
            (pem, other.signing_key.serialize_pem(), Some(ClientCertificateError::Mismatch), "another's key"),
        ];
        for (certificate, key, expected, shows) in rows {
            let made = ClientCertificate::from_pem(&Secret::new(certificate), &Secret::new(key));
            assert_eq!(made.err(), expected, "{shows}");
        }
    }
}
