//! The bound Destination service, and what destinations may need of other bindings.
//!
//! The Connectivity proxy, the certificate and the IAS that exchanges tokens are the same for the
//! destinations of the configuration and for those that the service knows.

use std::sync::Arc;

use super::super::file::bindings::Binding;
use super::Compiler;
use super::bound::{self, Bound};
use super::credentials;
use crate::destination::lookup::{DestinationServiceSpec, Surroundings};
use crate::destination::particulars::{Connectivity, IasClient};
use crate::destination::{DestinationService, DestinationSpec, Proxy};

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
    let credentials = credentials::at(compiler, bound, binding, &["url"]);
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
    let credentials = credentials::at(compiler, bound, binding, &["token_service_url", "url"]);
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
