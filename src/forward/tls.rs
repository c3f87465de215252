//! How backends' certificates are judged.
//!
//! The Mozilla authorities are built in, so that the binary runs in an empty root directory; those of
//! `XS_CACERT_PATH` are added. `strictSSL: false` exists because the SAP application router has it; it
//! still encrypts, and still checks that the peer holds the key of the certificate it shows.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::destination::TlsPolicy;

/// The two ways to speak TLS to a backend.
#[derive(Clone, Debug)]
pub struct BackendTls {
    verified: Arc<ClientConfig>,
    unverified: Arc<ClientConfig>,
}

impl BackendTls {
    /// Trusts the built-in authorities and `authorities`.
    pub fn new(authorities: &[CertificateDer<'static>]) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for authority in authorities {
            roots.add(authority.clone())?;
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = || {
            ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()
        };
        let mut verified = builder()?.with_root_certificates(roots).with_no_client_auth();
        let anyone = Arc::new(Unverified(Arc::clone(&provider)));
        let mut unverified =
            builder()?.dangerous().with_custom_certificate_verifier(anyone).with_no_client_auth();
        for config in [&mut verified, &mut unverified] {
            config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        }
        Ok(Self { verified: Arc::new(verified), unverified: Arc::new(unverified) })
    }

    pub(super) fn client(&self, policy: TlsPolicy) -> Arc<ClientConfig> {
        match policy {
            TlsPolicy::Verified => Arc::clone(&self.verified),
            TlsPolicy::Unverified => Arc::clone(&self.unverified),
        }
    }
}

/// Takes any certificate, but not any signature.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
