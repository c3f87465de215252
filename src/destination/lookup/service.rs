//! The bound Destination service, and what its destinations may need of other bindings.
//!
//! Made when the configuration compiles. Two that say the same are the same, across reloads, so that what
//! was found stays found; a new secret or certificate makes a new one.

use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::digest;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::particulars::{Connectivity, IasClient};
use super::super::{DestinationError, DestinationSpec};
use crate::auth::{ClientCertificate, ServiceCredentials};

/// Where the service is asked for a destination by name.
const FIND: &str = "/destination-configuration/v1/destinations/";
/// The longest name of a destination, in bytes.
const MAX_NAME: usize = 200;
/// What of a name stands in a path as it is.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What destinations may need of other bindings.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The Connectivity proxy: `OnPremise`.
    pub connectivity: Option<Connectivity>,
    /// The certificate of the authorization server: `forwardAuthCertificates`.
    pub certificate: Option<Arc<ClientCertificate>>,
    /// Who exchanges tokens for dependencies: `IASDependencyName`.
    pub ias: Option<IasClient>,
}

/// What a binding says of the Destination service.
#[derive(Clone, Debug)]
pub struct DestinationServiceSpec {
    /// `uri`.
    pub uri: String,
    /// Who the application is to it.
    pub credentials: Arc<ServiceCredentials>,
    /// What its destinations may need.
    pub surroundings: Surroundings,
}

/// The bound Destination service.
#[derive(Debug)]
pub struct DestinationService {
    id: [u8; 32],
    /// Where destinations are asked for, up to the name.
    base: Box<str>,
    credentials: Arc<ServiceCredentials>,
    provider: Arc<ServiceCredentials>,
    /// What its destinations may need.
    pub(super) surroundings: Surroundings,
    /// Whether the service runs on this machine, as it does in development; then its destinations may too.
    pub(super) is_here: bool,
}

impl DestinationService {
    /// Checks what a binding says.
    pub fn compile(spec: DestinationServiceSpec) -> Result<Self, DestinationError> {
        let place = DestinationSpec::new("", &spec.uri).compile()?;
        if place.base.contains('?') {
            return Err(DestinationError::Path);
        }
        let base = format!("{}://{}{}{FIND}", place.scheme.as_str(), place.authority, place.base);
        let provider = Arc::new(spec.credentials.of_provider());
        Ok(Self {
            id: identity(&base, &spec),
            base: base.into(),
            is_here: is_this_machine(&place.endpoint.host),
            credentials: spec.credentials,
            provider,
            surroundings: spec.surroundings,
        })
    }

    /// What tells it from others.
    pub(super) fn id(&self) -> [u8; 32] {
        self.id
    }

    /// Who the application is to it; in the provider's own subaccount where `local` says so.
    pub(super) fn credentials(&self, local: bool) -> &Arc<ServiceCredentials> {
        if local { &self.provider } else { &self.credentials }
    }

    /// Where the destination called `name` is asked for.
    pub(super) fn address(&self, name: &str) -> String {
        format!("{}{}", self.base, utf8_percent_encode(name, IN_PATH))
    }
}

/// Whether a destination can be called `name`. One that the configuration names may have any sign; one
/// that a request names has those of SAP's rule for names, and is no dot segment.
pub(super) fn is_name(name: &str, captured: bool) -> bool {
    let fits = (1..=MAX_NAME).contains(&name.len()) && name.bytes().any(|b| b != b'.');
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    fits && (!captured || name.bytes().all(plain))
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A digest of everything that decides what is found.
fn identity(base: &str, spec: &DestinationServiceSpec) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    let mut add = |part: &[u8]| {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    };
    add(base.as_bytes());
    add(&spec.credentials.id());
    let Surroundings { connectivity, certificate, ias } = &spec.surroundings;
    if let Some(connectivity) = connectivity {
        add(connectivity.proxy.host.as_bytes());
        add(&connectivity.proxy.port.to_be_bytes());
        add(&connectivity.credentials.id());
    }
    add(b"certificate");
    certificate.iter().flat_map(|certificate| certificate.chain()).for_each(&mut add);
    if let Some(dependency) = ias.as_ref().and_then(|ias| ias.dependency("")) {
        add(&dependency.id());
    }
    let mut id = [0; 32];
    id.copy_from_slice(context.finish().as_ref());
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_a_request_is_a_name() {
        let long = "a".repeat(201);
        let rows = [
            ("backend", true, true, "a name"),
            ("My_dest-2.v1", true, true, "every sign that a name may have"),
            ("", false, false, "nothing"),
            (".", false, false, "a dot segment"),
            ("..", false, false, "two dots"),
            ("...", false, false, "only dots"),
            (&*long, false, false, "too long"),
            ("a/b", false, true, "a slash"),
            ("a b", false, true, "a blank"),
            ("a%2e", false, true, "an escape"),
            ("a?x", false, true, "a query"),
            ("a@b:80", false, true, "an authority"),
            ("ä", false, true, "beyond ASCII"),
        ];
        for (name, captured, written, shows) in rows {
            assert_eq!(is_name(name, true), captured, "{shows}");
            assert_eq!(is_name(name, false), written, "{shows}: written in the configuration");
        }
    }
}
