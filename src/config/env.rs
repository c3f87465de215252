//! The environment: variables by name, as a value that is passed in.
//!
//! Only [`Environment::of_process`] looks at the process, so that everything else can be tested with a
//! map. `default-env.json` stands in for variables that are not set. Which variables are known and what
//! values they take is in [`settings`].

use std::collections::BTreeMap;

use super::decode::{Decoder, Fields, Node};
use super::text::{Located, Mark, parse};
use crate::secret::Secret;

pub(crate) mod answers;
pub(crate) mod sessions;
pub(crate) mod settings;

/// Environment variables.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The variables of this process; those that are not Unicode are left out.
    #[must_use]
    pub fn of_process() -> Self {
        let unicode = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self(unicode.collect())
    }

    /// The value of a variable.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Sets a variable.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// Whether this is Cloud Foundry: `VCAP_APPLICATION` is set.
    #[must_use]
    pub fn is_cloud_foundry(&self) -> bool {
        self.value("VCAP_APPLICATION").is_some_and(|value| !value.is_empty())
    }

    /// These variables, and the defaults' strings where they are not set.
    pub(crate) fn or(&self, defaults: Option<&Fields<'_>>) -> Self {
        let mut merged = self.clone();
        for (name, _, node) in defaults.into_iter().flat_map(Fields::entries) {
            if let Some(text) = node.as_str() {
                merged.0.entry(name.to_owned()).or_insert_with(|| text.to_owned());
            }
        }
        merged
    }
}

impl<N: Into<String>, V: Into<String>, const COUNT: usize> From<[(N, V); COUNT]> for Environment {
    fn from(variables: [(N, V); COUNT]) -> Self {
        variables.into_iter().collect()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl std::fmt::Debug for Environment {
    /// Names alone: a value may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Variables, set or stood in for.
#[derive(Clone, Copy)]
pub(crate) struct Variables<'v> {
    /// The real ones, which win.
    pub(crate) environment: &'v Environment,
    /// `default-env.json`.
    pub(crate) defaults: Option<Fields<'v>>,
}

/// Where a variable's value stands.
#[derive(Clone, Copy)]
enum Variable<'v> {
    Set(&'v str),
    Default(Node<'v>),
}

impl<'v> Variables<'v> {
    fn find(&self, name: &str) -> Option<Variable<'v>> {
        let set = self.environment.value(name).filter(|text| !text.is_empty()).map(Variable::Set);
        set.or_else(|| self.defaults?.take(name).map(Variable::Default))
    }

    /// A variable's text, which is not JSON.
    pub(crate) fn text(&self, d: &mut Decoder<'_, '_>, name: &str) -> Option<Located<Box<str>>> {
        match self.find(name)? {
            Variable::Set(text) => Some(Located { value: text.into(), mark: mark(d, name, text) }),
            Variable::Default(node) if node.is_object() || node.is_list() => d.wrong_type(node, "a string"),
            Variable::Default(node) => {
                let text = node.as_str().unwrap_or_else(|| d.findings.texts.source(node));
                Some(Located { value: text.into(), mark: node.mark() })
            }
        }
    }

    /// A variable that is one secret, or a JSON list of secrets.
    pub(crate) fn secrets(&self, d: &mut Decoder<'_, '_>, name: &str) -> Option<Located<Vec<Secret>>> {
        let is_list = match self.find(name)? {
            Variable::Set(text) => text.trim_start().starts_with('['),
            Variable::Default(node) => {
                node.is_list() || node.as_str().is_some_and(|text| text.trim_start().starts_with('['))
            }
        };
        if is_list {
            return self.json(d, name, |d, node| {
                Some(Located { value: d.list(node, Decoder::secret)?, mark: node.mark() })
            });
        }
        let text = self.text(d, name)?;
        Some(Located { value: vec![Secret::new(text.value)], mark: text.mark })
    }

    /// A variable that is JSON.
    pub(crate) fn json<T>(
        &self,
        d: &mut Decoder<'_, '_>,
        name: &str,
        decode: impl FnOnce(&mut Decoder<'_, '_>, Node<'_>) -> Option<T>,
    ) -> Option<T> {
        let text = match self.find(name)? {
            Variable::Set(text) => text,
            Variable::Default(node) => match node.as_str() {
                Some(text) => text,
                None => return decode(d, node),
            },
        };
        let (id, content) = d.findings.texts.add_under("environment", name, text);
        match parse(&content) {
            Ok(value) => decode(d, Node { value: &value, text: id }),
            Err(error) => {
                d.syntax_error(id, error.or_hint("the value of this variable is JSON"));
                None
            }
        }
    }
}

fn mark(d: &mut Decoder<'_, '_>, name: &str, text: &str) -> Mark {
    d.findings.texts.add_under("environment", name, text).0.at(0)
}
