//! Patterns with JavaScript's meaning: a search, not a whole match, in path and query.
//!
//! A pattern compiles when the configuration does and picks its engine then: the common forms, a literal
//! beginning with or without the rest of the text, are compared directly ([`direct`]); what the `regex`
//! crate means as JavaScript does goes there; look-around, back-references and the few repetitions that
//! differ run on an engine that counts its steps ([`steps`]). Surprising: that engine may give up, and
//! then a pattern has neither matched nor not matched, so a caller must refuse.

mod class;
mod direct;
mod literal;
mod parse;
mod steps;
mod syntax;
mod translate;

use smallvec::SmallVec;
use thiserror::Error;

use direct::Direct;
use steps::Program;
use syntax::Node;

pub(super) use literal::Literals;
pub use syntax::{PatternError, Reason};

/// The longest pattern, in bytes: four times the longest URL.
const SOURCE_LIMIT: usize = 64 * 1024;

/// How deep groups may be nested.
const NESTING_LIMIT: usize = 128;

/// The same for the `regex` crate, which counts a group up to four times.
const DEEPEST: u32 = 4 * 128;

/// What a compiled pattern may take, in bytes.
const SIZE_LIMIT: usize = 1024 * 1024;

/// A compiled pattern.
#[derive(Debug)]
pub struct Pattern {
    source: Box<str>,
    groups: u32,
    names: Box<[(Box<str>, u32)]>,
    literals: Literals,
    ignore_case: bool,
    anchored: bool,
    engine: Engine,
}

#[derive(Debug)]
enum Engine {
    Direct(Direct),
    Regular(regex::Regex),
    Stepped(Program),
}

/// The pattern was given up: it took more steps than a request may take.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the pattern was given up after {STEPS} steps")]
pub struct Exhausted;

/// How many steps all patterns together may take for one request; a little more than a
/// millisecond.
const STEPS: u32 = 500_000;

/// What is left of the steps that one request may take.
#[derive(Debug)]
pub struct Steps(u32);

impl Default for Steps {
    fn default() -> Self {
        Self(STEPS)
    }
}

impl Steps {
    fn take(&mut self, number: u32) -> Result<(), Exhausted> {
        self.0 = self.0.checked_sub(number).ok_or(Exhausted)?;
        Ok(())
    }
}

/// Where the match and its groups are, as byte offsets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups(SmallVec<[Option<(u32, u32)>; 6]>);

impl Groups {
    /// The group's begin and end; group 0 is the whole match; `None` where it did not take part.
    #[must_use]
    pub fn span(&self, group: usize) -> Option<(usize, usize)> {
        self.0.get(group).copied().flatten().map(|(start, end)| (start as usize, end as usize))
    }

    /// The group's part of `text`, in which it was found.
    #[must_use]
    pub fn of<'t>(&self, text: &'t str, group: usize) -> Option<&'t str> {
        self.span(group).and_then(|(start, end)| text.get(start..end))
    }
}

impl Pattern {
    /// Compiles `source` as `new RegExp(source, match_case ? '' : 'i')` would.
    pub fn compile(source: &str, match_case: bool) -> Result<Self, PatternError> {
        let parsed = parse::parse(source, !match_case)?;
        let anchored = literal::is_anchored(&parsed.node);
        Ok(Self {
            source: source.into(),
            groups: parsed.groups,
            names: parsed.names.into(),
            literals: Literals::of(&parsed.node),
            ignore_case: !match_case,
            anchored,
            engine: Engine::of(&parsed.node, parsed.groups, anchored)?,
        })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it can only match where the text begins.
    #[must_use]
    pub fn is_anchored(&self) -> bool {
        self.anchored
    }

    /// Whether it is a literal beginning of a path, with anything behind it: such a pattern matches the path
    /// alone whenever it matches path and query.
    pub(super) fn is_prefix(&self) -> bool {
        match &self.engine {
            Engine::Direct(direct) => direct.is_prefix(),
            Engine::Regular(_) | Engine::Stepped(_) => false,
        }
    }

    /// Whether it certainly matches all that `other` matches in one line, from its beginning on.
    pub(super) fn covers(&self, other: &Self) -> bool {
        if self.source == other.source && self.ignore_case == other.ignore_case {
            return true;
        }
        match &self.engine {
            Engine::Direct(direct) => direct.covers(&other.literals),
            Engine::Regular(_) | Engine::Stepped(_) => false,
        }
    }

    pub(super) fn literals(&self) -> &Literals {
        &self.literals
    }

    /// How many groups it has.
    #[must_use]
    pub fn group_count(&self) -> usize {
        self.groups as usize
    }

    /// The number of the group with this name.
    #[must_use]
    pub fn group_named(&self, name: &str) -> Option<usize> {
        self.names.iter().find(|(known, _)| **known == *name).map(|(_, group)| *group as usize)
    }

    /// Whether any group has a name.
    #[must_use]
    pub fn has_named_groups(&self) -> bool {
        !self.names.is_empty()
    }

    /// Whether it matches anywhere in `text`.
    pub fn is_match(&self, text: &str, steps: &mut Steps) -> Result<bool, Exhausted> {
        match &self.engine {
            Engine::Direct(direct) => Ok(direct.span(text).is_some()),
            Engine::Regular(regex) => Ok(regex.is_match(text)),
            Engine::Stepped(program) => program.find(text, steps).map(|found| found.is_some()),
        }
    }

    /// The first match in `text` and its groups.
    pub fn find(&self, text: &str, steps: &mut Steps) -> Result<Option<Groups>, Exhausted> {
        match &self.engine {
            Engine::Direct(direct) => Ok(direct.find(text)),
            Engine::Regular(regex) => Ok(find_regular(regex, text)),
            Engine::Stepped(program) => program.find(text, steps),
        }
    }
}

impl Engine {
    fn of(node: &Node, groups: u32, anchored: bool) -> Result<Self, PatternError> {
        let too_large = PatternError { reason: Reason::TooLarge, offset: 0 };
        if let Some(direct) = Direct::of(node) {
            return Ok(Self::Direct(direct));
        }
        if translate::is_regular(node) {
            let builder = regex::RegexBuilder::new(&translate::regex_syntax(node))
                .size_limit(SIZE_LIMIT)
                .nest_limit(DEEPEST)
                .build();
            return builder.map(Self::Regular).map_err(|_| too_large);
        }
        Program::compile(node, groups, anchored).map(Self::Stepped).map_err(|_| too_large)
    }
}

fn find_regular(regex: &regex::Regex, text: &str) -> Option<Groups> {
    let span = |found: regex::Match<'_>| (to_u32(found.start()), to_u32(found.end()));
    let captures = regex.captures(text)?;
    Some(Groups(captures.iter().map(|group| group.map(span)).collect()))
}

fn to_u32(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
