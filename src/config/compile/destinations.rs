//! Destinations: what everyone shares, and what a tenant has of its own.
//!
//! Knows what keys of a destination mean; URLs are understood by the stage. A tenant's own destination
//! that does not compile breaks that tenant alone. Surprising: `ws` and `wss` become `http` and `https`,
//! because a WebSocket begins as an HTTP request.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

use super::super::file::destinations::Destination as Written;
use super::Compiler;
use super::bound;
use super::tenants::Rows;
use crate::auth::ClientCertificate;
use crate::destination::{Destination, DestinationError, DestinationSpec, Table};
use crate::tenant::TenantIndex;

/// The destinations of the environment, beside those of tenants.
pub(super) fn compile(compiler: &mut Compiler<'_>, overrides: Vec<(TenantIndex, Destination)>) -> Table {
    let written = &compiler.model.settings.destinations;
    let has_connectivity = compiler.model.settings.bindings.iter().any(|binding| binding.is("connectivity"));
    for mark in written.iter().filter_map(|destination| destination.on_premise) {
        if !has_connectivity {
            let message = "`OnPremise` needs the connectivity service, which is not bound";
            compiler.findings.error(mark, "unknown_service", message);
        }
    }
    let shown = Shown::new();
    let shared =
        written.iter().filter_map(|destination| compile_one(compiler, destination, &shown)).collect();
    Table::new(shared, overrides)
}

/// The destinations that tenants have of their own.
pub(super) fn overrides(compiler: &mut Compiler<'_>, rows: &mut Rows<'_>) -> Vec<(TenantIndex, Destination)> {
    let (mut overrides, shown) = (Vec::new(), Shown::new());
    for row in rows.iter_mut().filter(|row| !row.written.destinations.is_empty()) {
        let before = compiler.findings.errors();
        let own = row.written.destinations.iter();
        let own = own.filter_map(|destination| compile_one(compiler, destination, &shown));
        overrides.extend(own.map(|destination| (row.index, destination)));
        row.broken |= compiler.findings.contain(before);
    }
    overrides
}

/// The certificate that backends are shown, read when the first of them is to be.
type Shown = OnceCell<Option<Arc<ClientCertificate>>>;

fn compile_one(compiler: &mut Compiler<'_>, written: &Written, shown: &Shown) -> Option<Destination> {
    let certificate = certificate(compiler, written, shown);
    let spec = DestinationSpec {
        name: written.name.as_ref().into(),
        url: over_http(&written.url.value).into_owned(),
        timeout: written.timeout.map(Duration::from_millis),
        strict_ssl: written.strict_ssl,
        set_x_forwarded_headers: written.set_x_forwarded_headers,
        forward_auth_token: written.forward_auth_token,
        http2: written.http2,
        proxy: written.proxy.as_ref().map(|(host, port)| (host.value.to_string(), *port)),
        certificate,
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

/// What the backend is shown, where it is to be shown something.
fn certificate(
    compiler: &mut Compiler<'_>,
    written: &Written,
    shown: &Shown,
) -> Option<Arc<ClientCertificate>> {
    let mark = written.forward_auth_certificates?;
    if !over_http(&written.url.value).starts_with("https://") {
        let message = "no certificate is shown without TLS: the URL is not https";
        compiler.findings.warning(mark, "no_effect", message);
        return None;
    }
    let certificate = shown.get_or_init(|| bound::certificate(compiler)).clone();
    if certificate.is_none() {
        let message = "no bound authorization server has `certificate` and `key`, so none is shown";
        compiler.findings.warning(mark, "missing_credential", message);
    }
    certificate
}

/// A WebSocket begins as HTTP.
fn over_http(url: &str) -> Cow<'_, str> {
    match (url.strip_prefix("ws://"), url.strip_prefix("wss://")) {
        (Some(rest), _) => format!("http://{rest}").into(),
        (None, Some(rest)) => format!("https://{rest}").into(),
        (None, None) => url.into(),
    }
}
