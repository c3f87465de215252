//! The keys of `xs-app.json` whose features are not there yet: checked, then noted.
//!
//! A value that asks for nothing beyond what happens anyway (`compression: {"enabled": false}`) is not
//! noted. Each check moves out of here when its feature comes.

use super::super::decode::{Decoder, Node};
use super::super::text::Located;
use super::route::METHODS;

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
