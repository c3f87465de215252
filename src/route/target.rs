//! What a route's `target` makes of a match: the replacement of JavaScript's `String.replace`.
//!
//! `$1` to `$99`, `$&`, `` $` ``, `$'`, `$$` and, where the pattern has named groups, `$<name>`. Everything
//! else is text: `$0`, `$5` of a pattern with four groups, a `$` at the end. That is why the template of
//! the `regex` crate is not used: it drops what it does not know, and reads `$1_v2` as a name.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use thiserror::Error;

use super::pattern::{Groups, Pattern};

/// A compiled `target`.
#[derive(Debug, PartialEq, Eq)]
pub struct Template {
    pieces: Box<[Piece]>,
}

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(Box<str>),
    Group(usize),
    Before,
    After,
}

impl Template {
    /// Reads `target` for `pattern`, whose groups decide what is a reference and what is text.
    #[must_use]
    pub fn compile(target: &str, pattern: &Pattern) -> Self {
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut rest = target;
        while let Some(dollar) = rest.find('$') {
            text.push_str(&rest[..dollar]);
            rest = &rest[dollar..];
            let (piece, length) = reference(rest, pattern);
            match piece {
                Some(Piece::Text(literal)) => text.push_str(&literal),
                Some(piece @ (Piece::Group(_) | Piece::Before | Piece::After)) => {
                    flush(&mut text, &mut pieces);
                    pieces.push(piece);
                }
                None => text.push_str(&rest[..length]),
            }
            rest = &rest[length..];
        }
        text.push_str(rest);
        flush(&mut text, &mut pieces);
        Self { pieces: pieces.into() }
    }

    /// Appends to `out` what takes the place of the match.
    pub fn expand(&self, text: &str, groups: &Groups, out: &mut String) {
        let (start, end) = groups.span(0).unwrap_or((0, 0));
        for piece in &self.pieces {
            match piece {
                Piece::Text(literal) => out.push_str(literal),
                Piece::Group(group) => out.push_str(groups.of(text, *group).unwrap_or("")),
                Piece::Before => out.push_str(&text[..start]),
                Piece::After => out.push_str(&text[end..]),
            }
        }
    }

    /// `text` with the match replaced: what stands before and after it stays.
    #[must_use]
    pub fn replace(&self, text: &str, groups: &Groups) -> String {
        let (start, end) = groups.span(0).unwrap_or((0, 0));
        let mut out = String::with_capacity(text.len() + 32);
        out.push_str(&text[..start]);
        self.expand(text, groups, &mut out);
        out.push_str(&text[end..]);
        out
    }
}

/// The references in `target` to groups that `pattern` does not have, which stay as they are: `$2`.
pub(super) fn missing_groups<'t>(target: &'t str, pattern: &Pattern) -> Vec<&'t str> {
    let mut missing = Vec::new();
    let mut rest = target;
    while let Some(dollar) = rest.find('$') {
        rest = &rest[dollar..];
        let (piece, length) = reference(rest, pattern);
        let digits = rest[1..].bytes().take(2).take_while(u8::is_ascii_digit).count();
        if piece.is_none() && digits > 0 && !rest.starts_with("$0") {
            missing.push(&rest[..=digits]);
        }
        rest = &rest[length..];
    }
    missing
}

fn flush(text: &mut String, pieces: &mut Vec<Piece>) {
    if !text.is_empty() {
        pieces.push(Piece::Text(std::mem::take(text).into()));
    }
}

/// What `rest`, which begins with `$`, refers to, and how long the reference is.
fn reference(rest: &str, pattern: &Pattern) -> (Option<Piece>, usize) {
    match rest.as_bytes().get(1) {
        Some(b'$') => (Some(Piece::Text("$".into())), 2),
        Some(b'&') => (Some(Piece::Group(0)), 2),
        Some(b'`') => (Some(Piece::Before), 2),
        Some(b'\'') => (Some(Piece::After), 2),
        Some(b'<') if pattern.has_named_groups() => named(rest, pattern),
        Some(b'0'..=b'9') => numbered(rest, pattern),
        Some(_) | None => (None, 1),
    }
}

/// `$<name>`: a name that no group has is replaced by nothing.
fn named(rest: &str, pattern: &Pattern) -> (Option<Piece>, usize) {
    let Some(end) = rest.find('>') else { return (None, 1) };
    let piece = pattern.group_named(&rest[2..end]).map_or(Piece::Text("".into()), Piece::Group);
    (Some(piece), end + 1)
}

/// Two digits where there are so many groups, else one, else text.
fn numbered(rest: &str, pattern: &Pattern) -> (Option<Piece>, usize) {
    for length in [3, 2] {
        let number = rest.get(1..length).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
        let group = number.and_then(|digits| digits.parse::<usize>().ok());
        if let Some(group) = group.filter(|group| (1..=pattern.group_count()).contains(group)) {
            return (Some(Piece::Group(group)), length);
        }
    }
    (None, 1)
}

/// What may not stand in a path or query as it is; `#` and `\` are left, for the check that refuses them.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`');

/// `text` with everything escaped that no path or query may hold.
pub(super) fn encoded(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, ESCAPED).into()
}

/// A target that cannot be used.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum TargetError {
    /// It begins with `//` or a scheme.
    #[error("must be a path: it may begin neither with `//` nor with a scheme")]
    NotAPath,
}

/// The template of a route: a path, its text escaped where it could not be sent as it is.
pub(super) fn for_route(target: &str, pattern: &Pattern) -> Result<Template, TargetError> {
    if target.starts_with("//") || has_scheme(target) {
        return Err(TargetError::NotAPath);
    }
    let mut template = Template::compile(target, pattern);
    for piece in &mut template.pieces {
        if let Piece::Text(text) = piece {
            *text = encoded(text).into();
        }
    }
    Ok(template)
}

/// What `template` makes of a request in which every reference stands for a harmless `x`.
pub(super) fn sample(template: &Template) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.to_string(),
        Piece::Group(_) | Piece::Before | Piece::After => "x".to_owned(),
    };
    template.pieces.iter().map(piece).collect()
}

/// RFC 3986 §3.1.
fn has_scheme(target: &str) -> bool {
    let Some((scheme, _)) = target.split_once(':') else { return false };
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

#[cfg(test)]
mod tests;
