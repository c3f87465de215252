//! WebSockets: whether there are any (`xs-app.json`), whose pages may open them (`WS_ALLOWED_ORIGINS`),
//! and how long they stay (`xs-tenants.json`).
//!
//! The list of origins has the form of `CJ_PROTECT_WHITELIST`; whether a host can be used is not judged
//! here.

use super::super::decode::{Decoder, Node};
use super::super::text::{Located, Mark};
use super::later::port_number;

/// The keys of `websockets` in `xs-app.json`.
pub(crate) const WEBSOCKETS: &[&str] = &["enabled"];
/// The keys of `websockets` in `xs-tenants.json`.
pub(crate) const LIMITS: &[&str] = &["idleSeconds", "ageSeconds"];
/// The keys of an origin.
const ORIGIN: &[&str] = &["protocol", "host", "port"];

/// The longest time that can be meant, in seconds: a year.
const LONGEST: u64 = 366 * 24 * 60 * 60;

/// An origin that is allowed.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) protocol: Option<Box<str>>,
    pub(crate) host: Located<Box<str>>,
    pub(crate) port: Option<u16>,
}

/// How long WebSockets stay, in seconds; 0 is for ever.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) idle: Option<Located<u64>>,
    pub(crate) age: Option<Located<u64>>,
}

/// Where WebSockets are enabled, if they are.
pub(crate) fn enabled(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Mark> {
    let fields = d.fields(node, WEBSOCKETS)?;
    let enabled = d.required(&fields, "enabled")?;
    d.boolean(enabled)?.then(|| enabled.mark())
}

/// `WS_ALLOWED_ORIGINS`.
pub(crate) fn origins(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Located<Vec<Origin>>> {
    let value = d.list(node, |d, node| {
        let fields = d.fields(node, ORIGIN)?;
        let protocol = fields.take("protocol").and_then(|node| d.text(node));
        let port = fields.take("port").and_then(|node| port_number(d, node));
        let host = d.required(&fields, "host").and_then(|node| d.text(node))?;
        Some(Origin { protocol: protocol.map(|protocol| protocol.value), host, port })
    })?;
    Some(Located { value, mark: node.mark() })
}

/// `websockets` of `xs-tenants.json`.
pub(crate) fn limits(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Limits> {
    let fields = d.fields(node, LIMITS)?;
    let seconds = |d: &mut Decoder<'_, '_>, key| {
        let node = fields.take(key)?;
        Some(Located { value: d.integer(node, 0..=LONGEST)?, mark: node.mark() })
    };
    Some(Limits { idle: seconds(d, "idleSeconds"), age: seconds(d, "ageSeconds") })
}
