//! TLS in front: one certificate that may change while we run.
//!
//! Only TLS 1.2 and 1.3, with ALPN for HTTP/2 and HTTP/1.1. A new certificate serves new connections;
//! one that cannot be read changes nothing. Which name the client asked for is kept, since a request
//! for another host on the same connection is misdirected (RFC 9110 §7.4).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

/// Where certificate chain and key are read from, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The chain, the server's own certificate first.
    pub chain: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// The certificate in use.
#[derive(Debug)]
pub struct Certificate {
    files: CertificateFiles,
    current: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    /// Reads the files.
    pub fn read(files: CertificateFiles) -> io::Result<Arc<Self>> {
        let current = RwLock::new(Arc::new(read(&files)?));
        Ok(Arc::new(Self { files, current }))
    }

    /// Reads the files again, and says whether they hold another certificate; where that fails the old
    /// one stays.
    pub fn reload(&self) -> io::Result<bool> {
        let fresh = Arc::new(read(&self.files)?);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let differs = current.cert != fresh.cert;
        *current = fresh;
        Ok(differs)
    }

    /// What to watch for changes.
    #[must_use]
    pub fn files(&self) -> [&Path; 2] {
        [&self.files.chain, &self.files.key]
    }

    /// Accepts TLS with whatever certificate is current.
    pub fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor, rustls::Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn read(files: &CertificateFiles) -> io::Result<CertifiedKey> {
    let named = |path: &Path, error: String| io::Error::other(format!("{}: {error}", path.display()));
    let chain = CertificateDer::pem_file_iter(&files.chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| named(&files.chain, error.to_string()))?;
    let key =
        PrivateKeyDer::from_pem_file(&files.key).map_err(|error| named(&files.key, error.to_string()))?;
    CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())
        .map_err(|error| named(&files.key, error.to_string()))
}
