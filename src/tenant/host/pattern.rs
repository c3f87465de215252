//! `TENANT_HOST_PATTERN`, as it is found in the wild.
//!
//! The first group is the key, and the pattern must match the whole host, with or without the port.
//! Extra quotes, unescaped dots and missing anchors are accepted with a warning; placeholders of
//! templates that nobody filled in are refused, because such a pattern would silently match nobody.

use std::borrow::Cow;

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Hir, HirKind};

use super::placeholder;
use super::shape::Shape;
use crate::request::Host;
use crate::tenant::is_key;

/// The most memory a compiled pattern may take, in bytes.
const LARGEST: usize = 1 << 20;

/// A pattern that reads a tenant's key from a host.
#[derive(Clone, Debug)]
pub struct HostPattern {
    source: Box<str>,
    matcher: Matcher,
    warnings: Vec<HostPatternWarning>,
}

#[derive(Clone, Debug)]
enum Matcher {
    Shape(Shape),
    Regex(Box<Regex>),
}

impl HostPattern {
    /// Compiles `source`. With `anchored` it must match the whole host; without, it is searched in it.
    ///
    /// # Errors
    /// Why it could never name a tenant.
    pub fn compile(source: &str, anchored: bool) -> Result<Self, HostPatternError> {
        let mut warnings = Vec::new();
        let source = unquoted(source.trim(), &mut warnings);
        if source.is_empty() {
            return Err(HostPatternError::Empty);
        }
        if let Some(found) = placeholder::find(source) {
            return Err(HostPatternError::Placeholder(found.into()));
        }
        let hir = regex_syntax::parse(source).map_err(syntax)?;
        if hir.properties().explicit_captures_len() == 0 {
            return Err(HostPatternError::NoGroup);
        }
        if let Some(never) = impossible(&hir) {
            return Err(HostPatternError::Impossible(never));
        }
        if has_lone_dot(&hir) {
            warnings.push(HostPatternWarning::UnescapedDot);
        }
        if !anchored {
            warnings.push(HostPatternWarning::Unanchored);
        }
        let shape = if anchored { Shape::of(&hir) } else { None };
        let matcher = match shape {
            Some(shape) => Matcher::Shape(shape),
            None => Matcher::Regex(Box::new(compile(source, anchored)?)),
        };
        Ok(Self { source: source.into(), matcher, warnings })
    }

    /// The pattern's text, without extra quotes.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What works but is probably not meant.
    #[must_use]
    pub fn warnings(&self) -> &[HostPatternWarning] {
        &self.warnings
    }

    /// The key that the pattern reads from a host, tried without the port and then with it.
    pub(super) fn name<'h>(&self, host: &'h str, port: Option<u16>) -> Option<Cow<'h, str>> {
        if let Some(key) = self.read(host) {
            return Some(Cow::Borrowed(key));
        }
        let with_port = format!("{host}:{}", port?);
        self.read(&with_port).map(|key| Cow::Owned(key.to_owned()))
    }

    /// The same for commands and destinations, which keep what they read.
    #[must_use]
    pub fn captured(&self, host: &Host, port: Option<u16>) -> Option<String> {
        self.name(host.as_str(), port).map(Cow::into_owned)
    }

    fn read<'h>(&self, host: &'h str) -> Option<&'h str> {
        let group = match &self.matcher {
            Matcher::Shape(shape) => shape.group(host),
            Matcher::Regex(regex) => Some(regex.captures(host)?.get(1)?.as_str()),
        };
        group.filter(|key| is_key(key))
    }

    /// Whether it needs the expression.
    #[cfg(test)]
    fn is_dear(&self) -> bool {
        matches!(self.matcher, Matcher::Regex(_))
    }
}

/// Why a host pattern cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostPatternError {
    /// Nothing there.
    #[error("the pattern is empty")]
    Empty,
    /// A template's placeholder that was not replaced.
    #[error("`{0}` looks like a placeholder that was not filled in")]
    Placeholder(Box<str>),
    /// No parentheses around the tenant.
    #[error("the pattern has no group: put the tenant's part in parentheses, as in ^(.*)\\.example\\.com$")]
    NoGroup,
    /// A character that every match would need and no host has.
    #[error("the pattern asks for {0:?}, which no host contains, so it would never match")]
    Impossible(char),
    /// `(?=…)`, `(?<!…)` and their like.
    #[error("look-around is not supported in a host pattern")]
    LookAround,
    /// `\1`.
    #[error("back-references are not supported in a host pattern")]
    BackReference,
    /// Not a regular expression.
    #[error("not a regular expression: {message}, at character {offset}")]
    Syntax {
        /// What is wrong.
        message: Box<str>,
        /// Where, counted from 1.
        offset: usize,
    },
    /// Too large when compiled.
    #[error("the compiled pattern is larger than 1 MiB")]
    TooLarge,
}

/// What works but is probably not meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum HostPatternWarning {
    /// The value is in quotes once more.
    #[error("the pattern is wrapped in an extra pair of quotes, which are ignored")]
    Quoted,
    /// A dot that stands for any character.
    #[error("a dot is not escaped, so it stands for any character: write \\.")]
    UnescapedDot,
    /// `anchored: false`.
    #[error("the pattern is searched anywhere in the host, so other hosts may name a tenant too")]
    Unanchored,
}

fn unquoted<'s>(source: &'s str, warnings: &mut Vec<HostPatternWarning>) -> &'s str {
    let inner = ['"', '\''].into_iter().find_map(|quote| source.strip_prefix(quote)?.strip_suffix(quote));
    if inner.is_some() {
        warnings.push(HostPatternWarning::Quoted);
    }
    inner.unwrap_or(source).trim()
}

/// Hosts have no case, so neither does the pattern.
#[expect(clippy::wildcard_enum_match_arm, reason = "regex may add errors; all others are of the syntax")]
fn compile(source: &str, anchored: bool) -> Result<Regex, HostPatternError> {
    let whole = if anchored { format!("^(?:{source})$") } else { source.to_owned() };
    let built = RegexBuilder::new(&whole).case_insensitive(true).size_limit(LARGEST).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => HostPatternError::TooLarge,
        other => HostPatternError::Syntax { message: other.to_string().into(), offset: 1 },
    })
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "regex_syntax may add kinds; all others mean the same here"
)]
fn syntax(error: regex_syntax::Error) -> HostPatternError {
    use regex_syntax::ast::ErrorKind;
    match error {
        regex_syntax::Error::Parse(error) => match error.kind() {
            ErrorKind::UnsupportedLookAround => HostPatternError::LookAround,
            ErrorKind::UnsupportedBackreference => HostPatternError::BackReference,
            kind => HostPatternError::Syntax {
                message: kind.to_string().into(),
                offset: error.span().start.offset + 1,
            },
        },
        other => HostPatternError::Syntax { message: other.to_string().into(), offset: 1 },
    }
}

/// The first character that every match needs and no host has: the sign of a placeholder such as
/// `YOUR_APP`, or of a star that was escaped.
fn impossible(hir: &Hir) -> Option<char> {
    match hir.kind() {
        HirKind::Literal(literal) => {
            let text = String::from_utf8_lossy(&literal.0);
            text.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '-' | ':' | '[' | ']'))
        }
        HirKind::Capture(capture) => impossible(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => impossible(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().find_map(impossible),
        HirKind::Repetition(_)
        | HirKind::Alternation(_)
        | HirKind::Empty
        | HirKind::Class(_)
        | HirKind::Look(_) => None,
    }
}

/// Whether a dot that stands for any one character is somewhere between the pattern's parts.
fn has_lone_dot(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Class(_) => super::shape::is_dot(hir),
        HirKind::Capture(capture) => has_lone_dot(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(has_lone_dot),
        HirKind::Repetition(_) | HirKind::Literal(_) | HirKind::Empty | HirKind::Look(_) => false,
    }
}

#[cfg(test)]
mod tests;
