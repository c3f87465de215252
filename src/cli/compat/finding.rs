//! One thing that is written in a project, where, and what becomes of it.
//!
//! Most findings are a row of the table at a place. The others are what the table cannot know: a key
//! that nobody documents, a service whose kind is only known where it is bound, a problem of the program.

use std::cmp::Ordering;

use crate::config::documented::{Documented, Place, Verdict};

/// Where something is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    /// As the project's folder names it, or `environment`.
    pub(super) file: String,
    /// 1-based.
    pub(super) line: u32,
    /// 1-based, in characters.
    pub(super) column: u32,
}

/// What becomes of it; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// See [`Verdict::Refused`].
    Refused,
    /// Nobody documents it, so it is refused as a misspelling.
    Unknown,
    /// See [`Verdict::Differs`].
    Differs,
    /// It cannot be told from these files.
    Open,
    /// See [`Verdict::Ignored`].
    Ignored,
    /// See [`Verdict::Works`].
    Works,
}

impl Outcome {
    /// All of them, the worst first.
    pub(super) const ALL: [Self; 6] =
        [Self::Refused, Self::Unknown, Self::Differs, Self::Open, Self::Ignored, Self::Works];

    /// As it is printed.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::Differs => "differs",
            Self::Open => "open",
            Self::Ignored => "ignored",
            Self::Works => "works",
        }
    }

    /// Whether the project cannot go on as it is.
    pub(super) const fn refuses(self) -> bool {
        matches!(self, Self::Refused | Self::Unknown)
    }
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Refused => Self::Refused,
            Verdict::Differs => Self::Differs,
            Verdict::Ignored => Self::Ignored,
            Verdict::Works => Self::Works,
        }
    }
}

/// What kind of thing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A key of a file.
    Key,
    /// A variable, or a key of its value.
    Variable,
    /// A key of a destination.
    Destination,
    /// A bound service, or a credential of one.
    Binding,
    /// How the router is started.
    Start,
    /// What a start file does with it.
    Extension,
    /// A file as a whole.
    File,
    /// What the program says when it reads everything together.
    Check,
}

impl Kind {
    /// As it is printed.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Variable => "variable",
            Self::Destination => "destination",
            Self::Binding => "binding",
            Self::Start => "start",
            Self::Extension => "extension",
            Self::File => "file",
            Self::Check => "check",
        }
    }
}

impl From<Place> for Kind {
    fn from(place: Place) -> Self {
        match place {
            Place::App => Self::Key,
            Place::Variable => Self::Variable,
            Place::Destination | Place::DestinationService => Self::Destination,
            Place::Binding | Place::Credential => Self::Binding,
            Place::Start => Self::Start,
            Place::Extension => Self::Extension,
        }
    }
}

/// One thing that was found.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) kind: Kind,
    /// As it is written, with the places of elements.
    pub(super) name: String,
    /// What it is an example of: findings of one topic are printed together.
    pub(super) topic: String,
    pub(super) outcome: Outcome,
    pub(super) spot: Spot,
    /// How it differs, or why it is ignored or refused.
    pub(super) words: String,
    /// What to do instead.
    pub(super) instead: String,
}

impl Finding {
    /// A row of the table, found at a place.
    pub(super) fn of(place: Place, row: &Documented, name: String, spot: Spot) -> Self {
        Self {
            kind: place.into(),
            name,
            topic: row.name.to_owned(),
            outcome: row.verdict.into(),
            spot,
            words: row.words.to_owned(),
            instead: row.instead.to_owned(),
        }
    }

    /// Something that is not in the table.
    pub(super) fn new(kind: Kind, outcome: Outcome, name: impl Into<String>, spot: Spot) -> Self {
        let name = name.into();
        Self { kind, topic: name.clone(), name, outcome, spot, words: String::new(), instead: String::new() }
    }

    /// Adds why.
    pub(super) fn because(self, words: impl Into<String>) -> Self {
        Self { words: words.into(), ..self }
    }

    /// Adds what to do instead.
    pub(super) fn instead(self, instead: impl Into<String>) -> Self {
        Self { instead: instead.into(), ..self }
    }

    /// By file and place, so that a file is read from top to bottom.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        (&self.spot, self.kind, &self.name).cmp(&(&other.spot, other.kind, &other.name))
    }
}
