//! Strict JSON, and what is said when a text is not JSON.
//!
//! The parser that keeps places lets a few things pass that JSON does not allow, such as a comma missing
//! before an object, so a second strict parser has the last word. The causes seen in the wild (an empty
//! file, a merge conflict, a template that was not rendered, a comment) are named instead of the token
//! that happened to surprise the parser.

use jsonc_parser::ast::Value;
use jsonc_parser::{ParseOptions, parse_to_ast};

/// Why a text is not JSON, and where.
#[derive(Debug)]
pub(crate) struct SyntaxError {
    /// In bytes.
    pub(crate) offset: usize,
    /// What kind of problem it is.
    pub(crate) code: &'static str,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do.
    pub(crate) hint: Option<&'static str>,
}

impl SyntaxError {
    /// An error at a byte offset.
    pub(crate) fn at(offset: usize, code: &'static str, message: impl Into<String>) -> Self {
        Self { offset, code, message: message.into(), hint: None }
    }

    /// Adds what to do about it, where that is not said yet.
    pub(crate) fn or_hint(self, hint: &'static str) -> Self {
        Self { hint: self.hint.or(Some(hint)), ..self }
    }

    /// Adds what to do about it.
    pub(crate) fn hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }
}

const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// The value that `content` is, with the place of each part.
pub(crate) fn parse(content: &str) -> Result<Value<'_>, SyntaxError> {
    let parsed = parse_to_ast(content, &jsonc_parser::CollectOptions::default(), &STRICT);
    let error = match parsed {
        Ok(result) => match (result.value, strictly(content)) {
            (Some(value), Ok(())) => return Ok(value),
            (None, _) => {
                return Err(SyntaxError::at(0, "empty_file", "there is nothing here; JSON is expected"));
            }
            (Some(_), Err(error)) => error,
        },
        Err(error) => {
            let message = lower_first(&error.kind().to_string());
            SyntaxError::at(error.range().start, "invalid_json", message)
        }
    };
    Err(explained(content, error))
}

/// Refuses what JSON does not allow.
fn strictly(content: &str) -> Result<(), SyntaxError> {
    serde_json::from_str::<serde::de::IgnoredAny>(content).map(drop).map_err(|error| {
        let line_start =
            content.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
        let text = error.to_string();
        let message = text.split(" at line ").next().unwrap_or_default().to_owned();
        SyntaxError::at(line_start + error.column().saturating_sub(1), "invalid_json", message)
    })
}

/// The error as a person would name it.
fn explained(content: &str, error: SyntaxError) -> SyntaxError {
    if let Some(offset) = line_that_starts(content, "<<<<<<< ") {
        return SyntaxError::at(
            offset,
            "merge_conflict",
            "this file has a merge conflict that is not resolved",
        );
    }
    let bytes = content.as_bytes();
    let mut offset = error.offset.min(content.len());
    while !content.is_char_boundary(offset) {
        offset -= 1;
    }
    let line_start = content[..offset].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = content[offset..].find('\n').map_or(content.len(), |length| offset + length);
    let line = &content[line_start..line_end];
    if let Some(place) = ["<%", "{{", "${", "{%"].iter().find_map(|opening| line.find(opening)) {
        return SyntaxError::at(line_start + place, "template", "this is a template, not JSON")
            .hint("give the file that the template renders");
    }
    let hint = match bytes.get(offset) {
        Some(b'/' | b'#') => Some("JSON has no comments; keys that begin with `_` are ignored"),
        Some(b',') => Some("JSON has no comma after the last element"),
        Some(b'\'') => Some("JSON strings stand in double quotes"),
        None => Some("the file ends too early; a bracket or quote is not closed"),
        Some(_) if error.message.contains("comma") => Some("put a comma before this"),
        Some(_) if error.message.contains("escape") => Some("write a backslash as two: \"\\\\\""),
        Some(_) => None,
    };
    SyntaxError { offset, hint, ..error }
}

fn line_that_starts(content: &str, with: &str) -> Option<usize> {
    if content.starts_with(with) {
        return Some(0);
    }
    content.match_indices(with).map(|(place, _)| place).find(|place| content[..*place].ends_with('\n'))
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}
