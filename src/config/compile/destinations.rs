//! Destinations: what everyone shares, and what a tenant has of its own.
//!
//! Knows what keys of a destination mean; URLs are understood by the stage. A tenant's own destination
//! that does not compile breaks that tenant alone. Surprising: `ws` and `wss` become `http` and `https`,
//! because a WebSocket begins as an HTTP request.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::super::file::destinations::Destination as Written;
use super::Compiler;
use super::tenants::Rows;
use crate::auth::{ClientCertificate, ServiceCredentials};
use crate::destination::lookup::Surroundings;
use crate::destination::particulars::{OnPremise, Principal};
use crate::destination::{Destination, DestinationError, DestinationSpec, Particulars, Reach, Table};
use crate::tenant::TenantIndex;

/// The destinations of the environment, beside those of tenants.
pub(super) fn compile(
    compiler: &mut Compiler<'_>,
    surroundings: &Surroundings,
    overrides: Vec<(TenantIndex, Destination)>,
) -> Table {
    let written = &compiler.model.settings.destinations;
    let shared = written.iter().filter_map(|destination| compile_one(compiler, surroundings, destination));
    let shared = shared.collect();
    Table::new(shared, overrides)
}

/// The destinations that tenants have of their own.
pub(super) fn overrides(
    compiler: &mut Compiler<'_>,
    surroundings: &Surroundings,
    rows: &mut Rows<'_>,
) -> Vec<(TenantIndex, Destination)> {
    let mut overrides = Vec::new();
    for row in rows.iter_mut().filter(|row| !row.written.destinations.is_empty()) {
        let before = compiler.findings.errors();
        let own = row.written.destinations.iter();
        let own = own.filter_map(|destination| compile_one(compiler, surroundings, destination));
        overrides.extend(own.map(|destination| (row.index, destination)));
        row.broken |= compiler.findings.contain(before);
    }
    overrides
}

fn compile_one(
    compiler: &mut Compiler<'_>,
    surroundings: &Surroundings,
    written: &Written,
) -> Option<Destination> {
    let particulars = particulars(compiler, surroundings, written);
    let proxy = match (&written.on_premise, &surroundings.connectivity) {
        (Some(_), Some(bound)) => Some((bound.proxy.host.to_string(), bound.proxy.port)),
        (Some(_), None) => return None,
        (None, _) => written.proxy.as_ref().map(|(host, port)| (host.value.to_string(), *port)),
    };
    let spec = DestinationSpec {
        name: written.name.as_ref().into(),
        url: over_http(&written.url.value).into_owned(),
        timeout: written.timeout.map(Duration::from_millis),
        strict_ssl: written.strict_ssl,
        set_x_forwarded_headers: written.set_x_forwarded_headers,
        forward_auth_token: forwards_token(compiler, written),
        http2: written.http2,
        proxy,
        certificate: certificate(compiler, surroundings, written),
        authorities: None,
        reach: Reach::Anywhere,
        particulars,
    };
    match spec.compile() {
        Ok(destination) => Some(destination),
        Err(error) => {
            let proxy = written.proxy.as_ref().filter(|_| error == DestinationError::Proxy);
            let mark = proxy.map_or(written.url.mark, |(host, _)| host.mark);
            compiler.findings.error(mark, "unusable_url", error.to_string());
            None
        }
    }
}

/// Whether the caller's token is sent; a Cloud Connector passes on none.
fn forwards_token(compiler: &mut Compiler<'_>, written: &Written) -> bool {
    let Some(mark) = written.on_premise.filter(|_| written.forward_auth_token) else {
        let stands_in = compiler.model.development.is_some() && written.ias_dependency.is_some();
        // Nobody exchanges the development issuer's tokens, so that they are sent as they are.
        return written.forward_auth_token || stands_in;
    };
    let message = "`forwardAuthToken` has no effect with `OnPremise`: the Cloud Connector gets the token";
    compiler.findings.warning(mark, "no_effect", message);
    false
}

/// What a destination asks for beyond an address.
fn particulars(
    compiler: &mut Compiler<'_>,
    surroundings: &Surroundings,
    written: &Written,
) -> Option<Particulars> {
    let (on_premise, dependency) =
        (on_premise(compiler, surroundings, written), dependency(compiler, surroundings, written));
    if on_premise.is_none() && dependency.is_none() {
        return None;
    }
    Some(Particulars { on_premise, dependency, ..Particulars::default() })
}

/// What the Connectivity proxy is told, where it is on the way.
fn on_premise(
    compiler: &mut Compiler<'_>,
    surroundings: &Surroundings,
    written: &Written,
) -> Option<OnPremise> {
    let mark = written.on_premise?;
    if over_http(&written.url.value).starts_with("https://") {
        let message = "the Connectivity proxy takes only http; the Cloud Connector speaks TLS by itself";
        compiler.findings.error(written.url.mark, "unusable_url", message);
    }
    if let Some((host, _)) = &written.proxy {
        let message = "`proxyHost` has no effect with `OnPremise`";
        compiler.findings.warning(host.mark, "no_effect", message);
    }
    let is_bound = compiler.model.settings.bindings.iter().any(|binding| binding.is("connectivity"));
    if !is_bound {
        let message = "`OnPremise` needs the connectivity service, which is not bound";
        compiler.findings.error(mark, "unknown_service", message);
    }
    let credentials = Arc::clone(&surroundings.connectivity.as_ref()?.credentials);
    Some(OnPremise { credentials, location: None, principal: Principal::Known })
}

/// What the caller's token is exchanged for.
fn dependency(
    compiler: &mut Compiler<'_>,
    surroundings: &Surroundings,
    written: &Written,
) -> Option<Arc<ServiceCredentials>> {
    let name = written.ias_dependency.as_ref().filter(|_| compiler.model.development.is_none())?;
    let Some(ias) = &surroundings.ias else {
        let message = "`IASDependencyName` needs the identity service, which is not bound";
        compiler.findings.error(name.mark, "unknown_service", message);
        return None;
    };
    let dependency = ias.dependency(&name.value);
    if dependency.is_none() {
        let message =
            "the bound identity service cannot exchange tokens: it has neither secret nor certificate";
        compiler.findings.error(name.mark, "missing_credential", message);
    }
    dependency
}

/// What the backend is shown, where it is to be shown something.
fn certificate(
    compiler: &mut Compiler<'_>,
    surroundings: &Surroundings,
    written: &Written,
) -> Option<Arc<ClientCertificate>> {
    let mark = written.forward_auth_certificates?;
    if !over_http(&written.url.value).starts_with("https://") {
        let message = "no certificate is shown without TLS: the URL is not https";
        compiler.findings.warning(mark, "no_effect", message);
        return None;
    }
    if surroundings.certificate.is_none() {
        let message = "no bound authorization server has `certificate` and `key`, so none is shown";
        compiler.findings.warning(mark, "missing_credential", message);
    }
    surroundings.certificate.clone()
}

/// A WebSocket begins as HTTP.
fn over_http(url: &str) -> Cow<'_, str> {
    match (url.strip_prefix("ws://"), url.strip_prefix("wss://")) {
        (Some(rest), _) => format!("http://{rest}").into(),
        (None, Some(rest)) => format!("https://{rest}").into(),
        (None, None) => url.into(),
    }
}
