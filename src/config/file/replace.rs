//! `replace` of a route: what the tags in its files stand for.
//!
//! The values of variables are read together with the file, and are secrets from there on, because
//! nobody knows which of them are. Which service is meant is decided where the bindings are known.

use super::super::decode::{Decoder, Fields, Node};
use super::super::text::{Located, Mark};
use crate::secret::Secret;

/// The keys of `replace`.
pub(crate) const KEYS: &[&str] = &["pathSuffixes", "vars", "services"];
/// The properties that a service is found by.
pub(crate) const QUERY: &[&str] = &["name", "label", "tag", "plan"];

/// What is replaced, and where.
#[derive(Debug)]
pub(crate) struct Replace {
    /// Where it begins.
    pub(crate) mark: Mark,
    /// The ends of the paths of its files.
    pub(crate) suffixes: Vec<Located<Box<str>>>,
    /// The variables that tags may name.
    pub(crate) variables: Vec<Variable>,
    /// The services whose credentials tags may name.
    pub(crate) services: Vec<ServiceQuery>,
}

/// A variable that tags may name.
#[derive(Debug)]
pub(crate) struct Variable {
    pub(crate) name: Located<Box<str>>,
    /// `None` where it is not set.
    pub(crate) value: Option<Secret>,
}

/// How a bound service is found.
#[derive(Debug)]
pub(crate) struct ServiceQuery {
    /// What tags call it.
    pub(crate) name: Located<Box<str>>,
    /// Which property must have which value.
    pub(crate) properties: Vec<(&'static str, Box<str>)>,
}

impl Replace {
    /// Reads the key of a route.
    pub(crate) fn decode(d: &mut Decoder<'_, '_>, fields: &Fields<'_>) -> Option<Self> {
        let node = fields.take("replace")?;
        if fields.take("localDir").is_none() {
            d.findings.error(node.mark(), "needs_local_dir", "`replace` works on the files of a `localDir`");
        }
        let replace = d.fields(node, KEYS)?;
        let suffixes = d.required(&replace, "pathSuffixes").and_then(|node| d.list(node, Decoder::text));
        let services = replace.take("services").map(|node| decode_services(d, node)).unwrap_or_default();
        let variables = replace.take("vars").and_then(|node| d.list(node, decode_variable));
        let variables = variables.unwrap_or_default();
        for service in &services {
            if variables.iter().any(|variable| variable.name.value == service.name.value) {
                let message = format!("`{}` is both a variable and a service", service.name.value);
                d.findings.error(service.name.mark, "duplicate_name", message);
            }
        }
        Some(Self { mark: node.mark(), suffixes: suffixes.unwrap_or_default(), variables, services })
    }
}

fn decode_variable(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Variable> {
    let name = d.text(node)?;
    let value = d.references.variable(&name.value).ok().map(Secret::new);
    Some(Variable { name, value })
}

fn decode_services(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Vec<ServiceQuery> {
    let Some(services) = d.map(node) else { return Vec::new() };
    let mut queries = Vec::new();
    for (name, mark, node) in services.entries() {
        let Some(fields) = d.fields(node, QUERY) else { continue };
        let wanted = QUERY.iter().filter_map(|key| Some((*key, fields.take(key)?)));
        let properties = wanted.filter_map(|(key, node)| Some((key, d.text(node)?.value))).collect();
        queries.push(ServiceQuery { name: Located { value: name.into(), mark }, properties });
    }
    queries
}
