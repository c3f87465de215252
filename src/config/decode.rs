//! Takes typed values out of JSON, and notices everything that does not fit.
//!
//! Knows types, ranges and keys; nothing of what a key means. It goes on after a problem, so that all of
//! them are reported at once: what could not be read is `None`, and has been noticed. Keys that begin
//! with `_` and `$schema` are ignored; every other unknown key is an error with the nearest known one.

use std::ops::RangeInclusive;

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged as _;

use super::problem::Findings;
use super::reference::References;
use super::text::{Located, Mark, SyntaxError, TextId, repeated};
use crate::secret::Secret;

/// A value and the text it stands in. It has no `Debug`, because it may hold a secret.
#[derive(Clone, Copy)]
pub(crate) struct Node<'v> {
    pub(crate) value: &'v Value<'v>,
    pub(crate) text: TextId,
}

impl<'v> Node<'v> {
    /// Where the value begins.
    pub(crate) fn mark(self) -> Mark {
        self.text.at(self.value.start())
    }

    /// The text of a string; nothing for other values.
    pub(crate) fn as_str(self) -> Option<&'v str> {
        self.value.as_string_lit().map(|literal| literal.value.as_ref())
    }

    /// Whether it is an object.
    pub(crate) fn is_object(self) -> bool {
        self.value.as_object().is_some()
    }

    /// Whether it is an object with keys of its own, and not a string that stands elsewhere.
    pub(crate) fn has_keys(self) -> bool {
        let Some(object) = self.value.as_object() else { return false };
        let reference = |name: &str| matches!(name, "env" | "file");
        !matches!(object.properties.as_slice(), [only] if reference(only.name.as_str()))
    }

    /// Whether it is a list.
    pub(crate) fn is_list(self) -> bool {
        self.value.as_array().is_some()
    }

    fn kind(self) -> &'static str {
        match self.value {
            Value::StringLit(_) => "a string",
            Value::NumberLit(_) => "a number",
            Value::BooleanLit(_) => "true or false",
            Value::Object(_) => "an object",
            Value::Array(_) => "a list",
            Value::NullKeyword(_) => "null",
        }
    }
}

/// The keys of one object.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'v> {
    object: &'v Object<'v>,
    text: TextId,
}

impl<'v> Fields<'v> {
    /// The value of a key.
    pub(crate) fn take(&self, key: &str) -> Option<Node<'v>> {
        let property = self.object.properties.iter().find(|property| property.name.as_str() == key)?;
        Some(Node { value: &property.value, text: self.text })
    }

    /// Where the object begins.
    pub(crate) fn mark(&self) -> Mark {
        self.text.at(self.object.start())
    }

    /// Every key that counts, where it stands, and its value.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&'v str, Mark, Node<'v>)> + use<'v> {
        let text = self.text;
        self.object.properties.iter().filter(|property| !ignored(property.name.as_str())).map(
            move |property| {
                let value = Node { value: &property.value, text };
                (property.name.as_str(), text.at(property.start()), value)
            },
        )
    }
}

/// Whether a key is a remark.
fn ignored(key: &str) -> bool {
    key.starts_with('_') || key == "$schema"
}

/// Reads values and notices problems.
#[derive(Debug)]
pub(crate) struct Decoder<'c, 'e> {
    /// What was noticed.
    pub(crate) findings: &'c mut Findings,
    /// Where `{"env"}` and `{"file"}` values come from.
    pub(crate) references: &'c mut References<'e>,
}

impl Decoder<'_, '_> {
    /// The keys of an object, which may be any.
    pub(crate) fn map<'v>(&mut self, node: Node<'v>) -> Option<Fields<'v>> {
        let Some(object) = node.value.as_object() else {
            return self.wrong_type(node, "an object");
        };
        for property in repeated(object) {
            let key = property.name.as_str();
            self.findings.error(
                node.text.at(property.start()),
                "duplicate_key",
                format!("`{key}` is given twice"),
            );
        }
        Some(Fields { object, text: node.text })
    }

    /// The keys of an object, which must be among `known`.
    pub(crate) fn fields<'v>(&mut self, node: Node<'v>, known: &[&str]) -> Option<Fields<'v>> {
        let fields = self.map(node)?;
        for (key, mark, _) in fields.entries() {
            if !known.contains(&key) {
                self.unknown_key(key, mark, known);
            }
        }
        Some(fields)
    }

    fn unknown_key(&mut self, key: &str, mark: Mark, known: &[&str]) {
        let finding = self.findings.error(mark, "unknown_key", format!("`{key}` is not a known key here"));
        if let Some(nearest) = nearest(key, known) {
            finding.hint(format!("did you mean `{nearest}`?"));
        } else {
            finding.hint("keys that begin with `_` are ignored and can hold remarks");
        }
    }

    /// The value of a key that must be there.
    pub(crate) fn required<'v>(&mut self, fields: &Fields<'v>, key: &str) -> Option<Node<'v>> {
        let found = fields.take(key);
        if found.is_none() {
            self.findings.error(fields.mark(), "missing_key", format!("`{key}` is missing"));
        }
        found
    }

    /// A string that is written out, or comes from the environment or a file.
    pub(crate) fn string(&mut self, node: Node<'_>) -> Option<Located<Box<str>>> {
        let mark = node.mark();
        if node.is_object() {
            let value = self.reference(node)?.into_boxed_str();
            return Some(Located { value, mark });
        }
        match node.as_str() {
            Some(text) => Some(Located { value: text.into(), mark }),
            None => self.wrong_type(node, "a string"),
        }
    }

    /// A string of at least one character.
    pub(crate) fn text(&mut self, node: Node<'_>) -> Option<Located<Box<str>>> {
        let text = self.string(node)?;
        if text.value.is_empty() {
            self.findings.error(text.mark, "empty_value", "this must not be empty");
            return None;
        }
        Some(text)
    }

    /// A secret of at least one character.
    pub(crate) fn secret(&mut self, node: Node<'_>) -> Option<Secret> {
        self.text(node).map(|text| Secret::new(text.value.into_string()))
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&mut self, node: Node<'_>) -> Option<bool> {
        match node.value.as_boolean_lit() {
            Some(literal) => Some(literal.value),
            None => self.wrong_type(node, "true or false"),
        }
    }

    /// A whole number within `range`.
    pub(crate) fn integer(&mut self, node: Node<'_>, range: RangeInclusive<u64>) -> Option<u64> {
        let Some(literal) = node.value.as_number_lit() else {
            return self.wrong_type(node, "a whole number");
        };
        match literal.value.parse::<u64>() {
            Ok(number) if range.contains(&number) => Some(number),
            Ok(_) | Err(_) => {
                let (least, most) = (range.start(), range.end());
                let message = if *most == u64::MAX {
                    format!("`{}` is not a whole number of at least {least}", literal.value)
                } else {
                    format!("`{}` is not a whole number between {least} and {most}", literal.value)
                };
                self.findings.error(node.mark(), "out_of_range", message);
                None
            }
        }
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(&mut self, node: Node<'_>, words: &[(&str, T)]) -> Option<Located<T>> {
        let word = self.string(node)?;
        if let Some((_, value)) = words.iter().find(|(known, _)| *known == &*word.value) {
            return Some(Located { value: *value, mark: word.mark });
        }
        let known: Vec<&str> = words.iter().map(|(known, _)| *known).collect();
        let message = format!("`{}` is not one of {}", word.value, known.join(", "));
        let finding = self.findings.error(word.mark, "unknown_value", message);
        if let Some(nearest) = nearest(&word.value, &known) {
            finding.hint(format!("did you mean `{nearest}`?"));
        } else if ["{{", "<%", "${"].iter().any(|opening| word.value.contains(opening)) {
            finding.hint("this looks like a template; give the file that it renders");
        }
        None
    }

    /// A list; what could not be read is left out, and has been noticed.
    pub(crate) fn list<T>(
        &mut self,
        node: Node<'_>,
        mut item: impl FnMut(&mut Self, Node<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Some(array) = node.value.as_array() else {
            return self.wrong_type(node, "a list");
        };
        let nodes = array.elements.iter().map(|value| Node { value, text: node.text });
        Some(nodes.filter_map(|element| item(self, element)).collect())
    }

    /// A list of at least one element.
    pub(crate) fn filled_list<T>(
        &mut self,
        node: Node<'_>,
        item: impl FnMut(&mut Self, Node<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        if node.value.as_array().is_some_and(|array| array.elements.is_empty()) {
            self.findings.error(node.mark(), "empty_value", "this list must not be empty");
            return None;
        }
        self.list(node, item)
    }

    /// Notices a value of the wrong type.
    pub(crate) fn wrong_type<T>(&mut self, node: Node<'_>, expected: &str) -> Option<T> {
        let finding = self.findings.error(
            node.mark(),
            "wrong_type",
            format!("this is {}, but {expected} is expected", node.kind()),
        );
        if expected == "a string" && node.is_object() {
            finding.hint(r#"a string may also be {"env": "NAME"} or {"file": "path"}"#);
        }
        None
    }

    /// Notices that a text is not JSON.
    pub(crate) fn syntax_error(&mut self, text: TextId, error: SyntaxError) {
        let finding = self.findings.error(text.at(error.offset), error.code, error.message);
        if let Some(hint) = error.hint {
            finding.hint(hint);
        }
    }

    fn reference(&mut self, node: Node<'_>) -> Option<String> {
        let fields = self.map(node)?;
        let mut entries = fields.entries();
        let (Some((key, _, name)), None) = (entries.next(), entries.next()) else {
            return self.wrong_type(node, "a string");
        };
        let found = match (key, name.as_str()) {
            ("env", Some(name)) => self.references.variable(name),
            ("file", Some(path)) => self.references.file(path),
            ("env" | "file", None) => return self.wrong_type(name, "a string"),
            _ => return self.wrong_type(node, "a string"),
        };
        match found {
            Ok(text) => Some(text),
            Err(message) => {
                self.findings.error(name.mark(), "unresolved_reference", message);
                None
            }
        }
    }
}

/// The known word that was probably meant.
pub(crate) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let distance =
        |candidate: &str| strsim::damerau_levenshtein(&word.to_lowercase(), &candidate.to_lowercase());
    let (nearest, distance) =
        known.iter().map(|key| (*key, distance(key))).min_by_key(|(_, distance)| *distance)?;
    (distance <= 1 + nearest.len() / 4).then_some(nearest)
}
