//! Destinations: what everyone shares, and what a tenant has of its own.
//!
//! Knows what keys of a destination mean; URLs are understood by the stage. A tenant's own destination
//! that does not compile breaks that tenant alone. Surprising: `ws` and `wss` become `http` and `https`,
//! because a WebSocket begins as an HTTP request.

use std::borrow::Cow;
use std::time::Duration;

use super::super::file::destinations::Destination as Written;
use super::Compiler;
use super::tenants::Rows;
use crate::destination::{Destination, DestinationSpec, Table};
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
    let shared = written.iter().filter_map(|destination| compile_one(compiler, destination)).collect();
    Table::new(shared, overrides)
}

/// The destinations that tenants have of their own.
pub(super) fn overrides(compiler: &mut Compiler<'_>, rows: &mut Rows<'_>) -> Vec<(TenantIndex, Destination)> {
    let mut overrides = Vec::new();
    for row in rows.iter_mut().filter(|row| !row.written.destinations.is_empty()) {
        let before = compiler.findings.errors();
        let own =
            row.written.destinations.iter().filter_map(|destination| compile_one(compiler, destination));
        overrides.extend(own.map(|destination| (row.index, destination)));
        row.broken |= compiler.findings.contain(before);
    }
    overrides
}

fn compile_one(compiler: &mut Compiler<'_>, written: &Written) -> Option<Destination> {
    let spec = DestinationSpec {
        name: written.name.as_ref().into(),
        url: over_http(&written.url.value).into_owned(),
        timeout: written.timeout.map(Duration::from_millis),
        strict_ssl: written.strict_ssl,
        set_x_forwarded_headers: written.set_x_forwarded_headers,
        forward_auth_token: written.forward_auth_token,
        http2: written.http2,
    };
    match spec.compile() {
        Ok(destination) => Some(destination),
        Err(error) => {
            compiler.findings.error(written.url.mark, "unusable_url", error.to_string());
            None
        }
    }
}

/// A WebSocket begins as HTTP.
fn over_http(url: &str) -> Cow<'_, str> {
    match (url.strip_prefix("ws://"), url.strip_prefix("wss://")) {
        (Some(rest), _) => format!("http://{rest}").into(),
        (None, Some(rest)) => format!("https://{rest}").into(),
        (None, None) => url.into(),
    }
}
