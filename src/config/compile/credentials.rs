//! The application as a client of a bound service's authorization server: what a binding says of it.
//!
//! Some bindings have an object `uaa`, others say the same among their own credentials. Whether each
//! tenant has a host of its own there follows from the application's own XSUAA, because its tenants are
//! what tokens are asked for.

use std::sync::Arc;

use super::super::file::bindings::Binding;
use super::Compiler;
use super::bound::Bound;
use crate::auth::{
    ClientAuthentication, ClientCertificate, ServiceCredentials, ServiceCredentialsSpec, TokenServer,
};
use crate::secret::Secret;

/// The part of a binding's credentials that is about its authorization server, by this name.
const UAA: &str = "uaa";

/// What `binding` says of its authorization server, which each tenant has a host of its own at where
/// tenants are zones; `None` where that does not compile.
pub(super) fn service(
    compiler: &mut Compiler<'_>,
    bound: &Bound,
    binding: &Binding,
) -> Option<Arc<ServiceCredentials>> {
    let part = if binding.credentials.contains_key(UAA) {
        let Some(part) = binding.part(UAA) else {
            let message = format!("`{UAA}` of `{}` is not an object", binding.name);
            compiler.findings.error(binding.mark, "malformed_credential", message);
            return None;
        };
        Some(part)
    } else {
        None
    };
    at(compiler, bound, part.as_ref().unwrap_or(binding), &["url"])
}

/// What `server` says, whose address is under the first of `keys` that it has.
pub(super) fn at(
    compiler: &mut Compiler<'_>,
    bound: &Bound,
    server: &Binding,
    keys: &[&str],
) -> Option<Arc<ServiceCredentials>> {
    let text = |key| server.credential(key).map(str::to_owned);
    let client_id = super::bound::required(compiler, server, "clientid");
    let key = keys.iter().find(|key| server.credential(key).is_some()).or(keys.last())?;
    let url = super::bound::required(compiler, server, key);
    let authentication = authentication(compiler, server);
    let own = bound.xsuaa.as_ref().map(|application| application.shared);
    let zones = own.unwrap_or_else(|| server.credential("tenantmode") == Some("shared"));
    let spec = ServiceCredentialsSpec {
        client_id: client_id?,
        authentication: authentication?,
        server: TokenServer::Xsuaa {
            url: url?,
            cert_url: text("certurl"),
            uaa_domain: text("uaadomain"),
            zones,
        },
        parameters: Vec::new(),
    };
    match ServiceCredentials::compile(spec) {
        Ok(credentials) => Some(Arc::new(credentials)),
        Err(error) => {
            let message = format!("the credentials of `{}` cannot be used: {error}", server.name);
            compiler.findings.error(server.mark, "unusable_credential", message);
            None
        }
    }
}

/// How the application proves to be the client: by its secret, else by its certificate.
pub(super) fn authentication(compiler: &mut Compiler<'_>, server: &Binding) -> Option<ClientAuthentication> {
    if let Some(secret) = server.credential("clientsecret") {
        return Some(ClientAuthentication::Secret(Secret::new(secret)));
    }
    let (Some(certificate), Some(key)) = (server.credential("certificate"), server.credential("key")) else {
        let message = format!(
            "the credentials of `{}` have neither `clientsecret` nor `certificate` and `key`",
            server.name
        );
        compiler.findings.error(server.mark, "missing_credential", message);
        return None;
    };
    match ClientCertificate::from_pem(&Secret::new(certificate), &Secret::new(key)) {
        Ok(certificate) => Some(ClientAuthentication::Certificate(Arc::new(certificate))),
        Err(error) => {
            let message = format!("the certificate of `{}` cannot be used: {error}", server.name);
            compiler.findings.error(server.mark, "unusable_certificate", message);
            None
        }
    }
}
