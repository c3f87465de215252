//! `cors` of `xs-app.json`, and the variable `CORS`: who may ask from another origin.
//!
//! Both have the same form. What is left out stays `None`, and gets its default where it is compiled.

use super::super::decode::{Decoder, Node};
use super::super::text::Located;
use super::origin::Origin;
use super::route::METHODS;

/// The keys of a rule.
pub(crate) const KEYS: &[&str] = &[
    "uriPattern",
    "allowedOrigin",
    "allowedMethods",
    "maxAge",
    "allowedHeaders",
    "exposeHeaders",
    "allowedCredentials",
];

/// All rules, and where they stand.
pub(crate) type Rules = Located<Vec<Rule>>;

/// One rule.
#[derive(Debug)]
pub(crate) struct Rule {
    /// The paths that it holds for.
    pub(crate) pattern: Located<Box<str>>,
    /// Whose pages may ask.
    pub(crate) origins: Vec<Origin>,
    pub(crate) methods: Option<Vec<Box<str>>>,
    pub(crate) max_age: Option<MaxAge>,
    pub(crate) headers: Option<Vec<Located<Box<str>>>>,
    pub(crate) exposed: Vec<Located<Box<str>>>,
    pub(crate) credentials: bool,
}

/// For how long a preflight holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MaxAge {
    /// This many seconds.
    Seconds(u64),
    /// Nothing is said of it: a number below zero.
    Unsaid,
}

/// Reads the rules.
pub(crate) fn decode(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Rules> {
    Some(Located { value: d.filled_list(node, Rule::decode)?, mark: node.mark() })
}

impl Rule {
    fn decode(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Self> {
        let fields = d.fields(node, KEYS)?;
        let methods = METHODS.map(|method| (method, method));
        let names =
            |d: &mut Decoder<'_, '_>, key| fields.take(key).and_then(|node| d.list(node, Decoder::text));
        let (headers, exposed) = (names(d, "allowedHeaders"), names(d, "exposeHeaders"));
        let origins = d.required(&fields, "allowedOrigin");
        let origins = origins.and_then(|node| d.filled_list(node, Origin::decode_open));
        Some(Self {
            methods: fields.take("allowedMethods").and_then(|node| {
                d.filled_list(node, |d, node| d.word(node, &methods).map(|method| method.value.into()))
            }),
            max_age: fields.take("maxAge").and_then(|node| max_age(d, node)),
            headers,
            exposed: exposed.unwrap_or_default(),
            credentials: fields.take("allowedCredentials").and_then(|node| d.boolean(node)).unwrap_or(true),
            pattern: d.required(&fields, "uriPattern").and_then(|node| d.text(node))?,
            origins: origins?,
        })
    }
}

fn max_age(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<MaxAge> {
    let below_zero = node.value.as_number_lit().is_some_and(|number| number.value.starts_with('-'));
    if below_zero { Some(MaxAge::Unsaid) } else { d.integer(node, 0..=u64::MAX).map(MaxAge::Seconds) }
}
