//! How backends' certificates are judged.
//!
//! The Mozilla authorities are built in, so that the binary runs in an empty root directory; those of
//! `XS_CACERT_PATH` are added. `strictSSL: false` exists because the SAP application router has it; it
//! still encrypts, and still checks that the peer holds the key of the certificate it shows. A client
//! certificate gets a configuration of its own, so that no ticket of it ever resumes another's session.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::auth::ClientCertificate;
use crate::destination::{Endpoint, TlsPolicy};

/// How many configurations with a client certificate are kept; beyond that the oldest is made anew.
const SHOWING: usize = 64;

/// The two ways to speak TLS to a backend, made when the first backend needs them.
#[derive(Clone, Debug)]
pub struct BackendTls(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    authorities: Vec<CertificateDer<'static>>,
    verified: OnceLock<Arc<ClientConfig>>,
    unverified: OnceLock<Arc<ClientConfig>>,
    /// Those that show a certificate, in the order in which they were made.
    showing: Mutex<Vec<Showing>>,
}

/// A configuration that shows a certificate.
#[derive(Debug)]
struct Showing {
    policy: TlsPolicy,
    certificate: Arc<ClientCertificate>,
    config: Arc<ClientConfig>,
}

impl BackendTls {
    /// Trusts the built-in authorities and `authorities`, each of which must be usable.
    pub fn new(authorities: &[CertificateDer<'static>]) -> Result<Self, rustls::Error> {
        let mut probe = RootCertStore::empty();
        authorities.iter().try_for_each(|authority| probe.add(authority.clone()))?;
        let authorities = authorities.to_vec();
        let (verified, unverified) = (OnceLock::new(), OnceLock::new());
        Ok(Self(Arc::new(Inner { authorities, verified, unverified, showing: Mutex::default() })))
    }

    /// How TLS is spoken with `endpoint`, judged by `policy`.
    pub(super) fn towards(
        &self,
        endpoint: &Endpoint,
        policy: TlsPolicy,
    ) -> Result<Arc<ClientConfig>, rustls::Error> {
        match &endpoint.certificate {
            None => self.client(policy),
            Some(certificate) => self.showing(policy, certificate),
        }
    }

    fn showing(
        &self,
        policy: TlsPolicy,
        certificate: &Arc<ClientCertificate>,
    ) -> Result<Arc<ClientConfig>, rustls::Error> {
        let mut showing = self.0.showing.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |known: &&Showing| known.policy == policy && known.certificate == *certificate;
        if let Some(known) = showing.iter().find(is_it) {
            return Ok(Arc::clone(&known.config));
        }
        let mut config = self.0.make(policy)?;
        config.client_auth_cert_resolver = certificate.resolver();
        let config = Arc::new(config);
        if showing.len() >= SHOWING {
            showing.remove(0);
        }
        showing.push(Showing { policy, certificate: Arc::clone(certificate), config: Arc::clone(&config) });
        Ok(config)
    }

    fn client(&self, policy: TlsPolicy) -> Result<Arc<ClientConfig>, rustls::Error> {
        let place = match policy {
            TlsPolicy::Verified => &self.0.verified,
            TlsPolicy::Unverified => &self.0.unverified,
        };
        if let Some(made) = place.get() {
            return Ok(Arc::clone(made));
        }
        // Two workers may both make one; the first stays.
        let made = Arc::new(self.0.make(policy)?);
        Ok(Arc::clone(place.get_or_init(|| made)))
    }
}

impl Inner {
    fn make(&self, policy: TlsPolicy) -> Result<ClientConfig, rustls::Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions()?;
        let mut config = match policy {
            TlsPolicy::Verified => builder.with_root_certificates(self.roots()?).with_no_client_auth(),
            TlsPolicy::Unverified => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Unverified(provider)))
                .with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    fn roots(&self) -> Result<RootCertStore, rustls::Error> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        self.authorities.iter().try_for_each(|authority| roots.add(authority.clone()))?;
        Ok(roots)
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
