//! The application as a client of a bound service's authorization server.
//!
//! Made when the configuration compiles, from what a binding says. Two that say the same are the same,
//! across reloads, and what is remembered under one is found under the other; a new secret makes a new
//! one. It knows nothing of the service itself.

use aws_lc_rs::digest;

use super::super::ClientAuthentication;
use super::super::issuer::checked_url;
use super::super::xsuaa::XsuaaBinding;
use crate::tenant::TenantKey;

/// What a binding says of the authorization server of its service.
#[derive(Clone, Debug)]
pub struct ServiceCredentialsSpec {
    /// `clientid`.
    pub client_id: String,
    /// The secret, or the certificate.
    pub authentication: ClientAuthentication,
    /// Where tokens are.
    pub server: TokenServer,
    /// What each request says besides, such as `resource` (RFC 8707).
    pub parameters: Vec<(String, String)>,
}

/// Where a service's tokens are.
#[derive(Clone, Debug)]
pub enum TokenServer {
    /// At an XSUAA.
    Xsuaa {
        /// `url`: the host of the subaccount that the service was bound in.
        url: String,
        /// `certurl`: the same for clients that show their certificate.
        cert_url: Option<String>,
        /// `uaadomain`: the domain below which each tenant has its own host.
        uaa_domain: Option<String>,
        /// Whether each tenant is asked for at its own host: `https://<tenant>.<uaadomain>`.
        zones: bool,
    },
    /// At one token endpoint for everybody.
    At(String),
}

/// Why a binding's authorization server cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceCredentialsError {
    /// Not an absolute http or https URL without user or fragment.
    #[error("\"{0}\" is not an absolute http or https URL")]
    MalformedUrl(String),
    /// No `clientid`.
    #[error("the client has no name")]
    NoClient,
    /// Neither a secret nor a certificate.
    #[error("there is neither a client secret nor a certificate")]
    NoProof,
}

/// The application as a client of a service's authorization server.
#[derive(Debug)]
pub struct ServiceCredentials {
    id: [u8; 32],
    spec: ServiceCredentialsSpec,
}

impl PartialEq for ServiceCredentials {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for ServiceCredentials {}

impl ServiceCredentials {
    /// Checks what a binding says, for each tenant that there can be.
    pub fn compile(spec: ServiceCredentialsSpec) -> Result<Self, ServiceCredentialsError> {
        if spec.client_id.is_empty() {
            return Err(ServiceCredentialsError::NoClient);
        }
        match &spec.authentication {
            ClientAuthentication::Secret(_) | ClientAuthentication::Certificate(_) => {}
            ClientAuthentication::None | ClientAuthentication::PrivateKey(_) => {
                return Err(ServiceCredentialsError::NoProof);
            }
        }
        let made = Self { id: identity(&spec), spec };
        for key in [None, TenantKey::parse("tenant")] {
            let url = made.token_url(key.as_ref());
            checked_url(&url).map_err(|_| ServiceCredentialsError::MalformedUrl(url))?;
        }
        Ok(made)
    }

    /// The same client at the host of the subaccount that the service was bound in, whoever the tenant is.
    #[must_use]
    pub fn of_provider(&self) -> Self {
        let mut spec = self.spec.clone();
        if let TokenServer::Xsuaa { zones, .. } = &mut spec.server {
            *zones = false;
        }
        Self { id: identity(&spec), spec }
    }

    /// What tells it from others.
    #[must_use]
    pub fn id(&self) -> [u8; 32] {
        self.id
    }

    /// `clientid`.
    pub(super) fn client_id(&self) -> &str {
        &self.spec.client_id
    }

    /// How it proves to be the client.
    pub(super) fn authentication(&self) -> &ClientAuthentication {
        &self.spec.authentication
    }

    /// What each request says besides.
    pub(super) fn parameters(&self) -> &[(String, String)] {
        &self.spec.parameters
    }

    /// Where the tokens of the tenant with `key` are.
    pub(super) fn token_url(&self, key: Option<&TenantKey>) -> String {
        let key = key.map(TenantKey::as_str);
        let TokenServer::Xsuaa { url, cert_url, uaa_domain, zones } = &self.spec.server else {
            let TokenServer::At(address) = &self.spec.server else { return String::new() };
            return address.clone();
        };
        let binding = XsuaaBinding {
            client_id: String::new(),
            xsappname: String::new(),
            uaa_domain: uaa_domain.clone(),
            shared: *zones,
            cert_url: cert_url.clone(),
            verification_key: None,
        };
        let by_certificate = matches!(self.spec.authentication, ClientAuthentication::Certificate(_));
        let base = if by_certificate { binding.cert_base(key) } else { None };
        format!("{}/oauth/token", base.unwrap_or_else(|| binding.base(url, key)))
    }
}

/// A digest of everything that decides about tokens.
fn identity(spec: &ServiceCredentialsSpec) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    let mut add = |part: &[u8]| {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    };
    add(spec.client_id.as_bytes());
    match &spec.authentication {
        ClientAuthentication::Secret(secret) => add(secret.expose().as_bytes()),
        ClientAuthentication::Certificate(certificate) => {
            certificate.chain().for_each(&mut add);
        }
        ClientAuthentication::None | ClientAuthentication::PrivateKey(_) => {}
    }
    match &spec.server {
        TokenServer::Xsuaa { url, cert_url, uaa_domain, zones } => {
            let texts = [Some(url), cert_url.as_ref(), uaa_domain.as_ref()];
            for text in texts {
                add(text.map_or(&[], |text| text.as_bytes()));
            }
            add(if *zones { b"zones" } else { b"one" });
        }
        TokenServer::At(address) => add(address.as_bytes()),
    }
    for (name, value) in &spec.parameters {
        add(name.as_bytes());
        add(value.as_bytes());
    }
    let mut id = [0; 32];
    id.copy_from_slice(context.finish().as_ref());
    id
}
