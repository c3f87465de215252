//! A JSON or YAML file as a tree with the place of every value, whatever its keys mean.
//!
//! For files that are not configuration of ours (`mta.yaml`, `manifest.yml`, `package.json`) and for
//! looking at those that are without compiling them. JSON is read as strictly as everywhere; of YAML the
//! first document counts. Surprising: numbers and words are texts here, since that is what becomes of
//! them as the value of a variable.

use jsonc_parser::ast;
use jsonc_parser::common::Ranged as _;
use saphyr::{LoadableYamlNode as _, MarkedYaml, Scalar, YamlData};

use super::text;

/// How deep a file may be nested: more is nobody's configuration, and would cost the stack.
const DEEPEST: usize = 200;

/// A value and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// 1-based.
    pub line: u32,
    /// 1-based, in characters.
    pub column: u32,
    /// What it is.
    pub content: Content,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A string.
    Text(String),
    /// A number, `true`, `false` or `null`, as it is written in JSON.
    Word(String),
    /// A list.
    List(Vec<Value>),
    /// An object.
    Map(Vec<Entry>),
}

/// A key of an object and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands; 1-based.
    pub line: u32,
    /// 1-based, in characters.
    pub column: u32,
    /// Its value.
    pub value: Value,
}

/// Why a text could not be read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// 1-based.
    pub line: u32,
    /// 1-based, in characters.
    pub column: u32,
    /// What is wrong.
    pub message: String,
}

impl Value {
    /// Reads JSON.
    pub fn from_json(content: &str) -> Result<Self, Unreadable> {
        let content = content.strip_prefix('\u{feff}').unwrap_or(content);
        let lines = Lines::of(content);
        text::parse(content).map(|value| json(&lines, &value)).map_err(|error| {
            let (line, column) = lines.place(error.offset);
            Unreadable { line, column, message: error.message }
        })
    }

    /// Reads the first document of a YAML file.
    pub fn from_yaml(content: &str) -> Result<Self, Unreadable> {
        if nesting(content) > DEEPEST {
            return Err(Unreadable { line: 1, column: 1, message: "this is nested too deeply".to_owned() });
        }
        let documents = MarkedYaml::load_from_str(content).map_err(|error| {
            let at = error.marker();
            let column = whole(at.col() + 1);
            Unreadable { line: whole(at.line()).max(1), column, message: error.info().to_owned() }
        })?;
        Ok(documents.first().map_or_else(Self::nothing, yaml))
    }

    fn nothing() -> Self {
        Self { line: 1, column: 1, content: Content::Word("null".to_owned()) }
    }

    /// The entries of an object; none of anything else.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        match &self.content {
            Content::Map(entries) => entries,
            Content::Text(_) | Content::Word(_) | Content::List(_) => &[],
        }
    }

    /// The elements of a list; none of anything else.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match &self.content {
            Content::List(items) => items,
            Content::Text(_) | Content::Word(_) | Content::Map(_) => &[],
        }
    }

    /// The entry of a key.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The value at a chain of keys.
    #[must_use]
    pub fn at(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |value, key| value.entry(key).map(|entry| &entry.value))
    }

    /// A string's text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            Content::Word(_) | Content::List(_) | Content::Map(_) => None,
        }
    }

    /// The value as a variable's text: a string or word as it is, the rest as JSON.
    #[must_use]
    pub fn to_text(&self) -> String {
        match &self.content {
            Content::Text(text) | Content::Word(text) => text.clone(),
            Content::List(_) | Content::Map(_) => self.to_json().to_string(),
        }
    }

    /// The value as JSON without places.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match &self.content {
            Content::Text(text) => text.clone().into(),
            Content::Word(word) => serde_json::from_str(word).unwrap_or_else(|_| word.clone().into()),
            Content::List(items) => items.iter().map(Self::to_json).collect(),
            Content::Map(entries) => {
                entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect()
            }
        }
    }
}

/// Where the lines of a text begin, so that many places cost one walk.
struct Lines<'t> {
    content: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn of(content: &'t str) -> Self {
        let ends = memchr::memchr_iter(b'\n', content.as_bytes()).map(|end| end + 1);
        Self { content, starts: std::iter::once(0).chain(ends).collect() }
    }

    /// The 1-based line and column of a byte offset.
    fn place(&self, offset: usize) -> (u32, u32) {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or_default();
        let before = self.content.get(start..offset).unwrap_or_default();
        (whole(line), whole(before.chars().count() + 1))
    }
}

fn whole(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn json(lines: &Lines<'_>, value: &ast::Value<'_>) -> Value {
    let content = match value {
        ast::Value::StringLit(text) => Content::Text(text.value.clone().into_owned()),
        ast::Value::NumberLit(number) => Content::Word(number.value.to_owned()),
        ast::Value::BooleanLit(flag) => Content::Word(flag.value.to_string()),
        ast::Value::NullKeyword(_) => Content::Word("null".to_owned()),
        ast::Value::Array(array) => {
            Content::List(array.elements.iter().map(|value| json(lines, value)).collect())
        }
        ast::Value::Object(object) => {
            let entry = |property: &ast::ObjectProp<'_>| {
                let (line, column) = lines.place(property.start());
                let key = property.name.as_str().to_owned();
                Entry { key, line, column, value: json(lines, &property.value) }
            };
            Content::Map(object.properties.iter().map(entry).collect())
        }
    };
    let (line, column) = lines.place(value.start());
    Value { line, column, content }
}

fn yaml(node: &MarkedYaml<'_>) -> Value {
    let (line, column) = spot(node);
    let content = match &node.data {
        YamlData::Representation(text, ..) => Content::Text(text.clone().into_owned()),
        YamlData::Value(scalar) => scalar_content(scalar),
        YamlData::Sequence(items) => Content::List(items.iter().map(yaml).collect()),
        YamlData::Mapping(entries) => Content::Map(entries.iter().map(|(k, v)| yaml_entry(k, v)).collect()),
        YamlData::Tagged(_, node) => yaml(node).content,
        YamlData::Alias(_) | YamlData::BadValue => Content::Word("null".to_owned()),
    };
    Value { line, column, content }
}

fn yaml_entry(key: &MarkedYaml<'_>, value: &MarkedYaml<'_>) -> Entry {
    let (line, column) = spot(key);
    Entry { key: yaml(key).to_text(), line, column, value: yaml(value) }
}

fn scalar_content(scalar: &Scalar<'_>) -> Content {
    match scalar {
        Scalar::Null => Content::Word("null".to_owned()),
        Scalar::Boolean(flag) => Content::Word(flag.to_string()),
        Scalar::Integer(number) => Content::Word(number.to_string()),
        Scalar::FloatingPoint(number) => Content::Word(number.to_string()),
        Scalar::String(text) => Content::Text(text.clone().into_owned()),
    }
}

fn spot(node: &MarkedYaml<'_>) -> (u32, u32) {
    let start = node.span.start;
    (whole(start.line()).max(1), whole(start.col() + 1))
}

/// How deep a YAML text is nested at most, roughly and never too low: brackets, dashes in one line, and
/// indentation.
fn nesting(content: &str) -> usize {
    let (mut open, mut deepest) = (0_usize, 0);
    for line in content.lines() {
        let indented = line.len() - line.trim_start().len();
        let dashes = line.matches("- ").count() + line.matches("? ").count();
        for byte in line.bytes() {
            match byte {
                b'[' | b'{' => open += 1,
                b']' | b'}' => open = open.saturating_sub(1),
                _ => {}
            }
            deepest = deepest.max(open);
        }
        deepest = deepest.max(indented / 2).max(dashes.min(DEEPEST + 1));
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(value: &Value, keys: &[&str]) -> (u32, u32, String) {
        let found = value.at(keys).unwrap_or_else(|| panic!("{keys:?}"));
        (found.line, found.column, found.to_text())
    }

    #[test]
    fn json_has_places_and_texts() {
        let text = "\u{feff}{\n  \"a\": {\"ü\": 1, \"c\": \"two\"},\n  \"d\": [true, {\"e\": null}]\n}";
        let value = Value::from_json(text).unwrap();
        assert_eq!(place(&value, &["a", "ü"]), (2, 14, "1".to_owned()));
        assert_eq!(place(&value, &["a", "c"]), (2, 22, "two".to_owned()));
        assert_eq!(place(&value, &["d"]), (3, 8, r#"[true,{"e":null}]"#.to_owned()));
        assert_eq!((value.entries()[1].line, value.entries()[1].column), (3, 3));
        let error = Value::from_json("{\n  \"a\": 1\n  \"b\"}").unwrap_err();
        assert_eq!((error.line, error.column), (2, 9), "{error:?}");
    }

    #[test]
    fn yaml_has_places_and_texts() {
        let text = "ID: x\nmodules:\n- name: router\n  properties:\n    SESSION_TIMEOUT: 40\n    \
                    SEND: false\n    TEXT: >\n      [1,\n       2]\n    LIST: [a, b]\n";
        let value = Value::from_yaml(text).unwrap();
        let module = &value.at(&["modules"]).unwrap().items()[0];
        assert_eq!(place(module, &["name"]), (3, 9, "router".to_owned()));
        let properties = module.at(&["properties"]).unwrap();
        assert_eq!(place(properties, &["SESSION_TIMEOUT"]), (5, 22, "40".to_owned()));
        assert_eq!(properties.at(&["SEND"]).unwrap().content, Content::Word("false".to_owned()));
        assert_eq!(properties.at(&["LIST"]).unwrap().to_text(), r#"["a","b"]"#);
        assert_eq!(
            serde_json::from_str::<Vec<u8>>(&properties.at(&["TEXT"]).unwrap().to_text()).unwrap(),
            [1, 2]
        );
        assert_eq!(properties.entry("LIST").unwrap().line, 10);
    }

    #[test]
    fn hostile_yaml_is_refused_or_bounded() {
        for (text, shows) in [
            ("[".repeat(100_000), "flow lists"),
            ("- ".repeat(100_000), "block lists in one line"),
            ("{a: ".repeat(100_000), "flow maps"),
            ((0..2_000).flat_map(|depth| ["  ".repeat(depth), "a:\n".to_owned()]).collect(), "block maps"),
            ("a: &a [x]\nb: \"".to_owned(), "a string without an end"),
            ("a: 1\na: 2\n".to_owned(), "a key given twice"),
            ("a: b: c".to_owned(), "a map in a line"),
        ] {
            let error = Value::from_yaml(&text).expect_err(shows);
            assert!(error.line >= 1 && !error.message.is_empty(), "{shows}: {error:?}");
        }
        for (text, shows) in [("", "nothing"), ("# a remark\n", "a remark"), ("---\n---\na: 1", "two")] {
            assert!(Value::from_yaml(text).is_ok(), "{shows}");
        }
    }
}
