//! The bound Destination service, and what destinations may need of other bindings.
//!
//! The Connectivity proxy, the certificate and the IAS that exchanges tokens are the same for the
//! destinations of the configuration and for those that the service knows.

use std::sync::Arc;

use super::super::file::bindings::Binding;
use super::Compiler;
use super::bound::{self, Bound};
use crate::auth::{
    ClientAuthentication, ClientCertificate, ServiceCredentials, ServiceCredentialsSpec, TokenServer,
};
use crate::destination::lookup::{DestinationServiceSpec, Surroundings};
use crate::destination::particulars::{Connectivity, IasClient};
use crate::destination::{DestinationService, DestinationSpec, Proxy};
use crate::secret::Secret;

/// The port of the Connectivity proxy where the binding says none.
const PROXY_PORT: &str = "20003";

/// The binding of the Destination service that counts.
pub(super) fn binding<'m>(compiler: &Compiler<'m>) -> Option<&'m Binding> {
    compiler.model.settings.bindings.iter().find(|binding| binding.is("destination"))
}

/// The bound Destination service; the outer `None` where it does not compile.
#[expect(clippy::option_option, reason = "absent and broken are different, and a broken one is noticed here")]
pub(super) fn compile(
    compiler: &mut Compiler<'_>,
    bound: &Bound,
    surroundings: &Surroundings,
) -> Option<Option<Arc<DestinationService>>> {
    let Some(binding) = binding(compiler) else { return Some(None) };
    let uri = bound::required(compiler, binding, "uri");
    let credentials = client(compiler, bound, binding, &["url"]);
    let spec =
        DestinationServiceSpec { uri: uri?, credentials: credentials?, surroundings: surroundings.clone() };
    match DestinationService::compile(spec) {
        Ok(service) => Some(Some(Arc::new(service))),
        Err(error) => {
            let message = format!("the `uri` of `{}` cannot be used: {error}", binding.name);
            compiler.findings.error(binding.mark, "unusable_credential", message);
            None
        }
    }
}

/// What destinations may need of other bindings.
pub(super) fn surroundings(compiler: &mut Compiler<'_>, bound: &Bound) -> Surroundings {
    let ias = bound.ias.as_ref().filter(|_| compiler.model.development.is_none());
    let ias = ias.and_then(|server| {
        Some(IasClient {
            client_id: server.issuer.client_id.clone()?,
            authentication: server.issuer.authentication.clone(),
            url: server.issuer.url.clone(),
        })
    });
    Surroundings {
        connectivity: connectivity(compiler, bound),
        certificate: bound::certificate(compiler),
        ias,
    }
}

/// The Connectivity proxy, where one is bound and some destination may be behind it.
fn connectivity(compiler: &mut Compiler<'_>, bound: &Bound) -> Option<Connectivity> {
    let settings = &compiler.model.settings;
    let own = compiler.tenants.tenants.iter().flatten().flat_map(|tenant| &tenant.destinations);
    let is_asked_for = settings.destinations.iter().chain(own).any(|written| written.on_premise.is_some());
    if !is_asked_for && self::binding(compiler).is_none() {
        return None;
    }
    let binding = settings.bindings.iter().find(|binding| binding.is("connectivity"))?;
    let host = bound::required(compiler, binding, "onpremise_proxy_host");
    let ports = ["onpremise_proxy_http_port", "onpremise_proxy_port"];
    let port = ports.into_iter().find_map(|key| binding.credential(key)).unwrap_or(PROXY_PORT);
    let credentials = client(compiler, bound, binding, &["token_service_url", "url"]);
    let proxy = proxy(&host?, port);
    if proxy.is_none() {
        let message = format!("`{}` has no usable `onpremise_proxy_host` and port", binding.name);
        compiler.findings.error(binding.mark, "unusable_credential", message);
    }
    Some(Connectivity { proxy: proxy?, credentials: credentials? })
}

/// A proxy as destinations know them.
fn proxy(host: &str, port: &str) -> Option<Proxy> {
    let proxy = Some((host.to_owned(), port.parse().ok()?));
    let spec = DestinationSpec { proxy, ..DestinationSpec::new("", "http://localhost") };
    spec.compile().ok()?.endpoint.proxy.clone()
}

/// The application as the client of a binding's authorization server, whose address is under one of
/// `keys`; in each tenant's own zone where the application's own XSUAA has zones.
fn client(
    compiler: &mut Compiler<'_>,
    bound: &Bound,
    binding: &Binding,
    keys: &[&str],
) -> Option<Arc<ServiceCredentials>> {
    let text = |key: &str| binding.credential(key).map(str::to_owned);
    let client_id = bound::required(compiler, binding, "clientid");
    let key = keys.iter().find(|key| binding.credential(key).is_some()).or(keys.last())?;
    let url = bound::required(compiler, binding, key);
    let authentication = authentication(compiler, binding);
    let spec = ServiceCredentialsSpec {
        client_id: client_id?,
        authentication: authentication?,
        server: TokenServer::Xsuaa {
            url: url?,
            cert_url: text("certurl"),
            uaa_domain: text("uaadomain"),
            zones: bound.xsuaa.as_ref().is_some_and(|server| server.shared),
        },
        parameters: Vec::new(),
    };
    match ServiceCredentials::compile(spec) {
        Ok(credentials) => Some(Arc::new(credentials)),
        Err(error) => {
            let message = format!("the credentials of `{}` cannot be used: {error}", binding.name);
            compiler.findings.error(binding.mark, "unusable_credential", message);
            None
        }
    }
}

fn authentication(compiler: &mut Compiler<'_>, binding: &Binding) -> Option<ClientAuthentication> {
    if let Some(secret) = binding.credential("clientsecret") {
        return Some(ClientAuthentication::Secret(Secret::new(secret)));
    }
    let pair = binding.credential("certificate").zip(binding.credential("key"));
    let made = pair
        .map(|(certificate, key)| ClientCertificate::from_pem(&Secret::new(certificate), &Secret::new(key)));
    match made {
        Some(Ok(certificate)) => Some(ClientAuthentication::Certificate(Arc::new(certificate))),
        Some(Err(error)) => {
            let message = format!("the certificate of `{}` cannot be used: {error}", binding.name);
            compiler.findings.error(binding.mark, "unusable_certificate", message);
            None
        }
        None => {
            let message = format!(
                "the credentials of `{}` have neither `clientsecret` nor `certificate` and `key`",
                binding.name
            );
            compiler.findings.error(binding.mark, "missing_credential", message);
            None
        }
    }
}
