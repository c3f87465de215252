//! The texts a configuration is read from, as strict JSON with places.
//!
//! Knows bytes, lines and JSON; nothing of what the keys mean. The parser is run with every leniency
//! off; a byte order mark is accepted, a key given twice is not, since readers disagree on which one
//! counts. Surprising: the dotted key of a place is found again by parsing the text a second time,
//! only for texts that have problems.

use std::sync::Arc;

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged;

use super::decode::Node;

mod syntax;

pub(crate) use syntax::{SyntaxError, parse};

/// The longest text that is read, in bytes.
const LONGEST: usize = 256 * 1024 * 1024;

/// A place in one of the texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Mark {
    text: u32,
    offset: u32,
}

/// One of the texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TextId(u32);

impl TextId {
    /// The place `offset` bytes into this text.
    pub(crate) fn at(self, offset: usize) -> Mark {
        Mark { text: self.0, offset: u32::try_from(offset).unwrap_or(u32::MAX) }
    }
}

/// A value and where it was written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Located<T> {
    /// The value.
    pub(crate) value: T,
    /// Where it begins.
    pub(crate) mark: Mark,
}

/// Every text that was read.
#[derive(Debug, Default)]
pub(crate) struct Texts(Vec<Text>);

/// A text, what people call it, and what its keys are part of.
struct Text {
    name: String,
    prefix: String,
    content: Arc<str>,
}

impl std::fmt::Debug for Text {
    /// The name alone: the content may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Text").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Texts {
    /// Adds the text of a file, named as people name it; a byte order mark is dropped.
    pub(crate) fn add(&mut self, name: impl Into<String>, content: &str) -> (TextId, Arc<str>) {
        self.add_under(name, "", content)
    }

    /// Adds a text whose keys are all part of `prefix`: the value of an environment variable.
    pub(crate) fn add_under(
        &mut self,
        name: impl Into<String>,
        prefix: &str,
        content: &str,
    ) -> (TextId, Arc<str>) {
        let id = TextId(u32::try_from(self.0.len()).unwrap_or(u32::MAX));
        let content: Arc<str> = content.strip_prefix('\u{feff}').unwrap_or(content).into();
        self.0.push(Text { name: name.into(), prefix: prefix.to_owned(), content: Arc::clone(&content) });
        (id, content)
    }

    /// A value as it is written.
    pub(crate) fn source(&self, node: Node<'_>) -> &str {
        let content = self.0.get(node.text.0 as usize).map_or("", |text| &text.content);
        content.get(node.value.start()..node.value.end()).unwrap_or_default()
    }

    /// File, 1-based line and 1-based column in characters.
    pub(crate) fn place(&self, mark: Mark) -> (&str, u32, u32) {
        let Some(text) = self.0.get(mark.text as usize) else { return ("", 1, 1) };
        let (line, column) = position(&text.content, mark.offset as usize);
        (&text.name, line, column)
    }

    /// Files, places and dotted keys of `marks`, which are sorted: each text is walked and parsed once,
    /// however many problems it has.
    pub(crate) fn locate(&self, marks: impl Iterator<Item = Mark>) -> Vec<Spot> {
        let mut reader = Reader::default();
        marks.map(|mark| reader.spot(self, mark)).collect()
    }
}

/// A place, for people.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) key: String,
}

/// Walks through one text after the other.
#[derive(Default)]
struct Reader<'t> {
    text: Option<(u32, Option<Value<'t>>)>,
    offset: usize,
    line: u32,
    column: u32,
}

impl<'t> Reader<'t> {
    fn spot(&mut self, texts: &'t Texts, mark: Mark) -> Spot {
        let Some(text) = texts.0.get(mark.text as usize) else {
            return Spot { file: String::new(), line: 1, column: 1, key: String::new() };
        };
        if self.text.as_ref().is_none_or(|(id, _)| *id != mark.text) {
            *self =
                Self { text: Some((mark.text, parse(&text.content).ok())), offset: 0, line: 1, column: 1 };
        }
        self.walk(&text.content, mark.offset as usize);
        let mut key = text.prefix.clone();
        if let Some((_, Some(value))) = &self.text {
            descend(value, mark.offset as usize, &mut key);
        }
        Spot { file: text.name.clone(), line: self.line, column: self.column, key }
    }

    fn walk(&mut self, content: &str, offset: usize) {
        let (lines, column) = position(content.get(self.offset..).unwrap_or_default(), offset - self.offset);
        self.column = if lines == 1 { self.column + column - 1 } else { column };
        self.line += lines - 1;
        self.offset = offset.min(content.len());
    }
}

/// The 1-based line and column (in characters) of a byte offset.
pub(crate) fn position(content: &str, offset: usize) -> (u32, u32) {
    let mut offset = offset.min(content.len());
    while !content.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &content[..offset];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = 1 + memchr::memchr_iter(b'\n', before.as_bytes()).count();
    let column = 1 + before[line_start..].chars().count();
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

/// Appends to `key` the way from `value` to the innermost key or element at `offset`.
fn descend(value: &Value<'_>, offset: usize, key: &mut String) {
    use std::fmt::Write as _;
    let mut value = value;
    loop {
        value = match value {
            Value::Object(object) => {
                let Some(property) = part_at(&object.properties, offset) else { return };
                if !key.is_empty() {
                    key.push('.');
                }
                key.push_str(property.name.as_str());
                &property.value
            }
            Value::Array(array) => {
                let Some(place) = place_at(&array.elements, offset) else { return };
                // Writing to a `String` cannot fail.
                let _ = write!(key, "[{place}]");
                &array.elements[place]
            }
            Value::StringLit(_) | Value::NumberLit(_) | Value::BooleanLit(_) | Value::NullKeyword(_) => {
                return;
            }
        };
    }
}

fn place_at<T: Ranged>(parts: &[T], offset: usize) -> Option<usize> {
    let place = parts.partition_point(|part| part.start() <= offset).checked_sub(1)?;
    (offset < parts[place].end()).then_some(place)
}

fn part_at<T: Ranged>(parts: &[T], offset: usize) -> Option<&T> {
    place_at(parts, offset).map(|place| &parts[place])
}

/// The offsets of keys that stand earlier in the same object.
pub(crate) fn repeated<'v>(object: &'v Object<'_>) -> Vec<&'v jsonc_parser::ast::ObjectProp<'v>> {
    let properties = &object.properties;
    let mut seen = foldhash::HashSet::default();
    if properties.len() <= 24 {
        let earlier = |place: usize| {
            properties[..place].iter().any(|p| p.name.as_str() == properties[place].name.as_str())
        };
        return (0..properties.len())
            .filter(|place| earlier(*place))
            .map(|place| &properties[place])
            .collect();
    }
    properties.iter().filter(|property| !seen.insert(property.name.as_str())).collect()
}

/// What a file holds as text, or the syntax error of its first byte that is not UTF-8.
pub(crate) fn decode(bytes: &[u8]) -> Result<&str, SyntaxError> {
    if bytes.len() > LONGEST {
        return Err(SyntaxError::at(0, "too_long", "the file is longer than 256 MiB"));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        SyntaxError::at(error.valid_up_to(), "not_utf8", "this is not UTF-8")
            .hint("save the file as UTF-8; a byte order mark is fine")
    })
}

#[cfg(test)]
mod tests;
