//! The keys of `xs-app.json` whose features are not there yet: checked, then noted.
//!
//! A value that asks for nothing beyond what happens anyway (`compression: {"enabled": false}`) is not
//! noted. Each check moves out of here when its feature comes.

use super::super::decode::{Decoder, Node};
use super::super::text::Located;
use super::route::METHODS;

pub(crate) const SERVICE: &[&str] = &["endpoint", "logoutPath", "logoutMethod"];
pub(crate) const RESPONSE_HEADER: &[&str] = &["name", "value"];
pub(crate) const COMPRESSION: &[&str] = &["enabled", "minSize", "compressResponseMixedTypeContent"];
pub(crate) const ENDPOINT: &[&str] = &["endpoint"];
pub(crate) const CORS: &[&str] = &[
    "uriPattern",
    "allowedOrigin",
    "allowedMethods",
    "maxAge",
    "allowedHeaders",
    "exposeHeaders",
    "allowedCredentials",
];

pub(crate) fn services(d: &mut Decoder<'_, '_>, node: Node<'_>) {
    let Some(sections) = d.map(node) else { return };
    for (_, mark, node) in sections.entries() {
        d.findings.unsupported(mark, "a service's section");
        let Some(fields) = d.fields(node, SERVICE) else { continue };
        for key in SERVICE {
            if let Some(node) = fields.take(key) {
                d.text(node);
            }
        }
    }
}

pub(crate) fn response_headers(d: &mut Decoder<'_, '_>, node: Node<'_>) {
    let headers = d.list(node, |d, node| {
        let fields = d.fields(node, RESPONSE_HEADER)?;
        if let Some(value) = d.required(&fields, "value") {
            d.string(value);
        }
        let name = d.required(&fields, "name").and_then(|node| d.text(node))?;
        header_name(d, &name);
        Some(())
    });
    if headers.is_some_and(|headers| !headers.is_empty()) {
        d.findings.unsupported(node.mark(), "`responseHeaders`");
    }
}

/// Refuses names that additional headers may not have.
pub(crate) fn header_name(d: &mut Decoder<'_, '_>, name: &Located<Box<str>>) {
    if ["set-cookie", "cookie"].iter().any(|cookie| name.value.eq_ignore_ascii_case(cookie)) {
        d.findings.error(name.mark, "unusable_header", "cookies cannot be set by an additional header");
    }
}

pub(crate) fn compression(d: &mut Decoder<'_, '_>, node: Node<'_>) {
    let Some(fields) = d.fields(node, COMPRESSION) else { return };
    let enabled = fields.take("enabled").and_then(|node| d.boolean(node));
    if let Some(node) = fields.take("minSize") {
        d.integer(node, 1..=u64::MAX);
    }
    if let Some(node) = fields.take("compressResponseMixedTypeContent") {
        d.boolean(node);
    }
    if enabled != Some(false) {
        d.findings.unsupported(node.mark(), "`compression`");
    }
}

pub(crate) fn plugin_metadata_endpoint(d: &mut Decoder<'_, '_>, node: Node<'_>) {
    if d.text(node).is_some() {
        d.findings.unsupported(node.mark(), "`pluginMetadataEndpoint`");
    }
}

pub(crate) fn whitelist_service(d: &mut Decoder<'_, '_>, node: Node<'_>) {
    d.findings.unsupported(node.mark(), "`whitelistService`");
    let Some(fields) = d.fields(node, ENDPOINT) else { return };
    if let Some(endpoint) = d.required(&fields, "endpoint") {
        d.text(endpoint);
    }
}

/// Entries may hold further keys, which mean nothing: files in the wild do.
pub(crate) fn error_page(d: &mut Decoder<'_, '_>, node: Node<'_>) {
    let pages = d.list(node, |d, node| {
        let fields = d.map(node)?;
        if let Some(file) = fields.take("file") {
            d.text(file);
        }
        let status = d.required(&fields, "status")?;
        if status.is_list() {
            d.filled_list(status, |d, node| d.integer(node, 100..=599)).map(drop)
        } else {
            d.integer(status, 100..=599).map(drop)
        }
    });
    if pages.is_some_and(|pages| !pages.is_empty()) {
        d.findings.unsupported(node.mark(), "`errorPage`");
    }
}

/// The `uriPattern`s.
pub(crate) fn cors(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Vec<Located<Box<str>>> {
    d.findings.unsupported(node.mark(), "`cors`");
    let methods: Vec<(&str, ())> = METHODS.iter().map(|method| (*method, ())).collect();
    let patterns = d.filled_list(node, |d, node| {
        let fields = d.fields(node, CORS)?;
        if let Some(origins) = d.required(&fields, "allowedOrigin") {
            d.filled_list(origins, origin);
        }
        if let Some(node) = fields.take("allowedMethods") {
            d.filled_list(node, |d, node| d.word(node, &methods));
        }
        if let Some(node) = fields.take("maxAge") {
            d.integer(node, 0..=u64::MAX);
        }
        for key in ["allowedHeaders", "exposeHeaders"] {
            if let Some(node) = fields.take(key) {
                d.list(node, Decoder::text);
            }
        }
        if let Some(node) = fields.take("allowedCredentials") {
            d.boolean(node);
        }
        d.required(&fields, "uriPattern").and_then(|node| d.text(node))
    });
    patterns.unwrap_or_default()
}

/// An allowed origin; further keys mean nothing.
fn origin(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<()> {
    let fields = d.map(node)?;
    if let Some(protocol) = fields.take("protocol") {
        d.text(protocol);
    }
    if let Some(port) = fields.take("port") {
        port_number(d, port);
    }
    d.required(&fields, "host").and_then(|node| d.text(node)).map(drop)
}

/// A port as a number, or as a number in a string, as files in the wild have it.
pub(crate) fn port_number(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<u16> {
    let Some(text) = node.as_str() else {
        return d.integer(node, 1..=65535).and_then(|port| u16::try_from(port).ok());
    };
    let port = text.parse::<u16>().ok().filter(|port| *port != 0);
    if port.is_none() {
        d.findings.error(node.mark(), "out_of_range", format!("`{text}` is not a port"));
    }
    port
}

pub(crate) fn outgoing_request_options(d: &mut Decoder<'_, '_>, node: Node<'_>) {
    if d.map(node).is_some() {
        d.findings.unsupported(node.mark(), "`outgoingRequestOptions`");
    }
}
