//! Destinations: the `destinations` variable, and a tenant's own in `xs-tenants.json`.
//!
//! Both take the same keys; the list names each destination, the tenant's object has the names as keys.
//! Whether a URL can be used is not judged here.

use super::super::decode::{Decoder, Fields, Node};
use super::super::text::{Located, Mark};
use super::origin::port_number;

/// The keys of a destination, `name` first.
pub(crate) const KEYS: &[&str] = &[
    "name",
    "url",
    "timeout",
    "strictSSL",
    "setXForwardedHeaders",
    "forwardAuthToken",
    "forwardAuthCertificates",
    "proxyHost",
    "proxyPort",
    "proxyType",
    "IASDependencyName",
    "http2",
];

/// A named backend.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own in the file")]
pub(crate) struct Destination {
    pub(crate) mark: Mark,
    pub(crate) name: Box<str>,
    pub(crate) url: Located<Box<str>>,
    /// In milliseconds.
    pub(crate) timeout: Option<u64>,
    pub(crate) strict_ssl: bool,
    pub(crate) set_x_forwarded_headers: bool,
    pub(crate) forward_auth_token: bool,
    pub(crate) http2: bool,
    /// `proxyHost` and `proxyPort`.
    pub(crate) proxy: Option<(Located<Box<str>>, u16)>,
    /// Where `forwardAuthCertificates: true` stands.
    pub(crate) forward_auth_certificates: Option<Mark>,
    /// Where `proxyType: OnPremise` stands.
    pub(crate) on_premise: Option<Mark>,
    pub(crate) ias_dependency: Option<Located<Box<str>>>,
}

/// Reads the `destinations` variable.
pub(crate) fn decode(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Vec<Destination>> {
    let destinations = d.list(node, |d, node| {
        let fields = d.fields(node, KEYS)?;
        let name = d.required(&fields, "name").and_then(|node| d.text(node));
        let destination = decode_one(d, &fields, "");
        Some(Destination { name: name?.value, ..destination? })
    })?;
    let mut seen = std::collections::BTreeSet::new();
    for destination in &destinations {
        if !seen.insert(&destination.name) {
            let message = format!("`{}` is given twice", destination.name);
            d.findings.error(destination.mark, "duplicate_name", message);
        }
    }
    Some(destinations)
}

/// Reads a tenant's destinations, by name.
pub(crate) fn decode_map(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Vec<Destination> {
    let Some(map) = d.map(node) else { return Vec::new() };
    let mut destinations = Vec::new();
    for (name, _, node) in map.entries() {
        let Some(fields) = d.fields(node, &KEYS[1..]) else { continue };
        destinations.extend(decode_one(d, &fields, name));
    }
    destinations
}

fn decode_one(d: &mut Decoder<'_, '_>, fields: &Fields<'_>, name: &str) -> Option<Destination> {
    let url = d.required(fields, "url").and_then(|node| d.text(node));
    let flag = |d: &mut Decoder<'_, '_>, key| fields.take(key).and_then(|node| d.boolean(node));
    let timeout = fields.take("timeout").and_then(|node| d.integer(node, 1..=u64::MAX));
    let (strict_ssl, set_x_forwarded_headers) = (flag(d, "strictSSL"), flag(d, "setXForwardedHeaders"));
    let (forward_auth_token, http2) = (flag(d, "forwardAuthToken"), flag(d, "http2"));
    Some(Destination {
        mark: fields.mark(),
        name: name.into(),
        on_premise: decode_proxy_type(d, fields),
        ias_dependency: fields.take("IASDependencyName").and_then(|node| d.text(node)),
        url: url?,
        timeout,
        strict_ssl: strict_ssl.unwrap_or(true),
        set_x_forwarded_headers: set_x_forwarded_headers.unwrap_or(true),
        forward_auth_token: forward_auth_token.unwrap_or(false),
        http2: http2.unwrap_or(false),
        proxy: decode_proxy(d, fields),
        forward_auth_certificates: decode_certificates(d, fields),
    })
}

fn decode_proxy_type(d: &mut Decoder<'_, '_>, fields: &Fields<'_>) -> Option<Mark> {
    const TYPES: [(&str, bool); 3] = [("Internet", false), ("OnPremise", true), ("onPremise", true)];
    let kind = fields.take("proxyType").and_then(|node| d.word(node, &TYPES))?;
    kind.value.then_some(kind.mark)
}

/// One is nothing without the other.
fn decode_proxy(d: &mut Decoder<'_, '_>, fields: &Fields<'_>) -> Option<(Located<Box<str>>, u16)> {
    let (host, port) = (fields.take("proxyHost"), fields.take("proxyPort"));
    let alone = match (host, port) {
        (Some(host), None) => Some((host, "proxyPort")),
        (None, Some(port)) => Some((port, "proxyHost")),
        (Some(_), Some(_)) | (None, None) => None,
    };
    if let Some((node, missing)) = alone {
        d.findings.error(node.mark(), "missing_key", format!("`{missing}` must be given with this"));
    }
    let (host, port) = (host.and_then(|host| d.text(host)), port.and_then(|port| port_number(d, port)));
    host.zip(port)
}

fn decode_certificates(d: &mut Decoder<'_, '_>, fields: &Fields<'_>) -> Option<Mark> {
    let node = fields.take("forwardAuthCertificates")?;
    d.boolean(node)?.then(|| node.mark())
}
