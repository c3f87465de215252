//! Which origins are meant, as `cors` and `CJ_PROTECT_WHITELIST` write it.
//!
//! Knows the keys and what they hold; what a host with a star means is known where rules are compiled.

use super::super::decode::{Decoder, Fields, Node};
use super::super::text::Located;

/// The keys of an origin.
pub(crate) const KEYS: &[&str] = &["protocol", "host", "port"];

/// One rule.
#[derive(Debug)]
pub(crate) struct Origin {
    /// The scheme.
    pub(crate) protocol: Option<Box<str>>,
    /// A host, or a domain behind `*.`, or `*`.
    pub(crate) host: Located<Box<str>>,
    /// The port.
    pub(crate) port: Option<u16>,
}

impl Origin {
    /// Reads a rule; further keys mean nothing: files in the wild have them.
    pub(crate) fn decode_open(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Self> {
        let fields = d.map(node)?;
        Self::of(d, &fields)
    }

    /// Reads a rule.
    pub(crate) fn decode(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Self> {
        let fields = d.fields(node, KEYS)?;
        Self::of(d, &fields)
    }

    fn of(d: &mut Decoder<'_, '_>, fields: &Fields<'_>) -> Option<Self> {
        let protocol = fields.take("protocol").and_then(|node| d.text(node));
        let port = fields.take("port").and_then(|node| port_number(d, node));
        let host = d.required(fields, "host").and_then(|node| d.text(node))?;
        Some(Self { protocol: protocol.map(|protocol| protocol.value), host, port })
    }
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
