//! How backends' certificates are judged.
//!
//! The Mozilla authorities are built in, so that the binary runs in an empty root directory; those of
//! `XS_CACERT_PATH` are added. `strictSSL: false` exists because the SAP application router has it; it
//! still encrypts, and still checks that the peer holds the key of the certificate it shows. What has
//! certificates of its own gets a configuration of its own, so that no ticket resumes another's session.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::auth::ClientCertificate;
use crate::destination::{Endpoint, TlsPolicy};

/// How many configurations with certificates of their own are kept; beyond that the oldest is made anew.
const PARTICULAR: usize = 64;

/// The two ways to speak TLS to a backend, made when the first backend needs them.
#[derive(Clone, Debug)]
pub struct BackendTls(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    authorities: Vec<CertificateDer<'static>>,
    verified: OnceLock<Arc<ClientConfig>>,
    unverified: OnceLock<Arc<ClientConfig>>,
    /// Those with certificates of their own, in the order in which they were made.
    particular: Mutex<Vec<(Particular, Arc<ClientConfig>)>>,
}

/// What a configuration with certificates of its own is for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Particular {
    policy: TlsPolicy,
    /// What is shown.
    certificate: Option<Arc<ClientCertificate>>,
    /// Who vouches for the backend, alone.
    authorities: Option<Arc<[CertificateDer<'static>]>>,
}

impl BackendTls {
    /// Trusts the built-in authorities and `authorities`, each of which must be usable.
    pub fn new(authorities: &[CertificateDer<'static>]) -> Result<Self, rustls::Error> {
        let mut probe = RootCertStore::empty();
        authorities.iter().try_for_each(|authority| probe.add(authority.clone()))?;
        let authorities = authorities.to_vec();
        let (verified, unverified) = (OnceLock::new(), OnceLock::new());
        Ok(Self(Arc::new(Inner { authorities, verified, unverified, particular: Mutex::default() })))
    }

    /// How TLS is spoken with `endpoint`, judged by `policy`.
    pub(super) fn towards(
        &self,
        endpoint: &Endpoint,
        policy: TlsPolicy,
    ) -> Result<Arc<ClientConfig>, rustls::Error> {
        if endpoint.certificate.is_none() && endpoint.authorities.is_none() {
            return self.client(policy);
        }
        let wanted = Particular {
            policy,
            certificate: endpoint.certificate.clone(),
            authorities: endpoint.authorities.clone(),
        };
        let mut particular = self.0.particular.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, config)) = particular.iter().find(|(known, _)| *known == wanted) {
            return Ok(Arc::clone(config));
        }
        let mut config = self.0.make(policy, wanted.authorities.as_deref())?;
        if let Some(certificate) = &wanted.certificate {
            config.client_auth_cert_resolver = certificate.resolver();
        }
        let config = Arc::new(config);
        if particular.len() >= PARTICULAR {
            particular.remove(0);
        }
        particular.push((wanted, Arc::clone(&config)));
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
        let made = Arc::new(self.0.make(policy, None)?);
        Ok(Arc::clone(place.get_or_init(|| made)))
    }
}

impl Inner {
    fn make(
        &self,
        policy: TlsPolicy,
        authorities: Option<&[CertificateDer<'static>]>,
    ) -> Result<ClientConfig, rustls::Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions()?;
        let mut config = match policy {
            TlsPolicy::Verified => {
                builder.with_root_certificates(self.roots(authorities)?).with_no_client_auth()
            }
            TlsPolicy::Unverified => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Unverified(provider)))
                .with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    fn roots(&self, only: Option<&[CertificateDer<'static>]>) -> Result<RootCertStore, rustls::Error> {
        let mut roots = match only {
            None => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
            Some(_) => RootCertStore::empty(),
        };
        let added = only.unwrap_or(&self.authorities);
        added.iter().try_for_each(|authority| roots.add(authority.clone()))?;
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
