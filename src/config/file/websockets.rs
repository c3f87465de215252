//! WebSockets: whether there are any (`xs-app.json`), whose pages may open them (`WS_ALLOWED_ORIGINS`),
//! and how long they stay (`xs-tenants.json`).
//!
//! The list of origins has the form of `CJ_PROTECT_WHITELIST`; whether a host can be used is not judged
//! here.

use super::super::decode::{Decoder, Node};
use super::super::text::{Located, Mark};
use super::origin::Origin;

/// The keys of `websockets` in `xs-app.json`.
pub(crate) const WEBSOCKETS: &[&str] = &["enabled"];
/// The keys of `websockets` in `xs-tenants.json`.
pub(crate) const LIMITS: &[&str] = &["idleSeconds", "ageSeconds"];

/// The longest time that can be meant, in seconds: a year.
const LONGEST: u64 = 366 * 24 * 60 * 60;

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
    let value = d.list(node, Origin::decode)?;
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
