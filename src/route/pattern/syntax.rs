//! What a pattern says, as a tree, and how it can fail to say anything.
//!
//! The tree has JavaScript's meaning and no trace of its spelling: escapes are resolved, classes are sets
//! of characters, and where case is ignored every letter is already the set of its forms, so that no
//! engine needs to know about case except for back-references. The messages of [`Reason`] are those
//! JavaScript engines give, because that is what people search the web for.

use thiserror::Error;

use super::class::CharSet;

/// A pattern, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// Matches nothing and always.
    Empty,
    /// One character.
    Char(char),
    /// One character of a set.
    Set(CharSet),
    /// `^`
    Start,
    /// `$`
    End,
    /// `\b`, or `\B` where negated.
    WordBoundary { negated: bool },
    /// A capturing group, counted from 1.
    Capture { group: u32, body: Box<Node> },
    /// `(?=…)`, `(?!…)`, `(?<=…)`, `(?<!…)`
    Look { ahead: bool, negated: bool, body: Box<Node> },
    /// `\1` or `\k<name>`; matches the empty text where the group has not taken part.
    BackReference { group: u32, ignore_case: bool },
    /// One after the other.
    Concat(Vec<Node>),
    /// The first that lets the rest match.
    Alternate(Vec<Node>),
    /// `body` between `min` and `max` times; no `max` is as often as possible.
    Repeat { body: Box<Node>, min: u32, max: Option<u32>, greedy: bool },
}

impl Node {
    /// The nodes directly inside this one.
    pub(super) fn children(&self) -> &[Self] {
        match self {
            Self::Concat(nodes) | Self::Alternate(nodes) => nodes,
            Self::Capture { body, .. } | Self::Look { body, .. } | Self::Repeat { body, .. } => {
                std::slice::from_ref(body)
            }
            Self::Empty
            | Self::Char(_)
            | Self::Set(_)
            | Self::Start
            | Self::End
            | Self::WordBoundary { .. }
            | Self::BackReference { .. } => &[],
        }
    }

    /// The first and last group inside, if there is any. Groups are numbered in the order of their opening,
    /// so those inside of one node follow each other.
    pub(super) fn groups(&self) -> Option<(u32, u32)> {
        let own = if let Self::Capture { group, .. } = self { Some((*group, *group)) } else { None };
        let inner = self.children().iter().filter_map(Self::groups);
        own.into_iter().chain(inner).reduce(|(low, high), (first, last)| (low.min(first), high.max(last)))
    }

    /// Whether it can match the empty text. A yes may be wrong, a no never is.
    pub(super) fn nullable(&self) -> bool {
        match self {
            Self::Char(_) | Self::Set(_) => false,
            Self::Capture { body, .. } => body.nullable(),
            Self::Concat(parts) => parts.iter().all(Self::nullable),
            Self::Alternate(branches) => branches.iter().any(Self::nullable),
            Self::Repeat { body, min, .. } => *min == 0 || body.nullable(),
            Self::Empty
            | Self::Start
            | Self::End
            | Self::WordBoundary { .. }
            | Self::Look { .. }
            | Self::BackReference { .. } => true,
        }
    }
}

/// Why a pattern cannot be used, and where.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{reason} (at offset {offset})")]
pub struct PatternError {
    /// What is wrong.
    pub reason: Reason,
    /// Where, in bytes from the beginning of the pattern.
    pub offset: usize,
}

/// What can be wrong with a pattern.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Reason {
    /// `*`, `a**`, `^*`
    #[error("Nothing to repeat")]
    NothingToRepeat,
    /// `(?<=a)*`
    #[error("Invalid quantifier")]
    InvalidQuantifier,
    /// `a{2,1}`
    #[error("numbers out of order in {{}} quantifier")]
    RepeatOutOfOrder,
    /// `(a`
    #[error("Unterminated group")]
    UnterminatedGroup,
    /// `a)`
    #[error("Unmatched ')'")]
    UnmatchedParenthesis,
    /// `(?a)`
    #[error("Invalid group")]
    InvalidGroup,
    /// `(?<1>a)`
    #[error("Invalid capture group name")]
    InvalidGroupName,
    /// `(?<a>x)(?<a>y)`
    #[error("Duplicate capture group name")]
    DuplicateGroupName,
    /// `\k` without a name where groups have names.
    #[error("Invalid named reference")]
    InvalidNamedReference,
    /// `\k<b>` without a group of that name.
    #[error("Invalid named capture referenced")]
    UnknownNamedReference,
    /// `[a`
    #[error("Unterminated character class")]
    UnterminatedClass,
    /// `[b-a]`
    #[error("Range out of order in character class")]
    RangeOutOfOrder,
    /// `a\`
    #[error("\\ at end of pattern")]
    TrailingBackslash,
    /// Longer than any URL that could match it; JavaScript would accept it.
    #[error("the pattern is longer than {} bytes", super::SOURCE_LIMIT)]
    TooLong,
    /// Groups inside of groups without end; JavaScript would accept it.
    #[error("groups are nested deeper than {}", super::NESTING_LIMIT)]
    TooDeep,
    /// Compiled it would take too much memory, mostly by `{n,m}`; JavaScript would accept it.
    #[error("Regular expression too large")]
    TooLarge,
}
