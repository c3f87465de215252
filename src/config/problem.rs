//! What is wrong with a configuration, and where.
//!
//! A [`Finding`] is made where something is noticed and knows only a place in a text ([`Mark`]); file,
//! line, column and dotted key are worked out once, when all findings become [`Problems`]. So decoding
//! carries no paths around, and a problem found while compiling says its key as exactly as one found
//! while reading. Every problem of every file is reported at once.

use std::fmt;

use serde::Serialize;

use super::text::{Mark, Spot, Texts};

/// How much a problem matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The configuration is refused.
    Error,
    /// It works, but is probably not meant.
    Warning,
    /// Worth knowing: a route without authentication, a key that is not supported yet.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

/// The code of a key that is known, was checked, and does nothing yet: `serve` refuses to start with one.
pub const NOT_SUPPORTED_YET: &str = "not_supported_yet";

/// One problem, as people and programs read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How much it matters.
    pub severity: Severity,
    /// What kind it is, for programs; stable.
    pub code: &'static str,
    /// The file as the working directory names it, or `environment`.
    pub file: String,
    /// 1-based.
    pub line: u32,
    /// 1-based, in characters.
    pub column: u32,
    /// The dotted key: `routes[3].source`; empty for the whole file.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}: ", self.file, self.line, self.column, self.severity)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{} [{}]", self.message, self.code)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// All problems of one configuration, in the order of files and places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Whether the configuration is refused.
    #[must_use]
    pub fn refuse(&self) -> bool {
        self.0.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// The problems of keys that are not supported yet.
    pub fn unsupported(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter().filter(|problem| problem.code == NOT_SUPPORTED_YET)
    }

    /// The problems that `serve` does not start with: errors, and what is not supported yet.
    pub fn preventing_start(&self) -> impl Iterator<Item = &Problem> {
        self.0
            .iter()
            .filter(|problem| problem.severity == Severity::Error || problem.code == NOT_SUPPORTED_YET)
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|problem| writeln!(f, "{problem}"))
    }
}

/// A problem as it was noticed.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    severity: Severity,
    code: &'static str,
    mark: Mark,
    message: String,
    hint: Option<String>,
}

impl Finding {
    /// Adds what to do about it.
    pub(crate) fn hint(&mut self, hint: impl Into<String>) {
        self.hint = Some(hint.into());
    }
}

/// The texts that were read and what was noticed in them.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Where marks point.
    pub(crate) texts: Texts,
    found: Vec<Finding>,
    errors: usize,
    contained: usize,
}

impl Findings {
    /// Notices an error.
    pub(crate) fn error(
        &mut self,
        mark: Mark,
        code: &'static str,
        message: impl Into<String>,
    ) -> &mut Finding {
        self.errors += 1;
        self.push(Severity::Error, mark, code, message.into())
    }

    /// Notices what is probably not meant.
    pub(crate) fn warning(
        &mut self,
        mark: Mark,
        code: &'static str,
        message: impl Into<String>,
    ) -> &mut Finding {
        self.push(Severity::Warning, mark, code, message.into())
    }

    /// Notices something worth knowing.
    pub(crate) fn note(
        &mut self,
        mark: Mark,
        code: &'static str,
        message: impl Into<String>,
    ) -> &mut Finding {
        self.push(Severity::Note, mark, code, message.into())
    }

    /// Notices a key that is understood and does nothing yet.
    pub(crate) fn unsupported(&mut self, mark: Mark, what: &str) {
        self.note(mark, NOT_SUPPORTED_YET, format!("{what} is not supported yet"));
    }

    /// Sets the errors since there were `before` aside, as those of one tenant; says whether there were any.
    pub(crate) fn contain(&mut self, before: usize) -> bool {
        let any = self.errors > before;
        self.contained += self.errors.saturating_sub(before);
        self.errors = before;
        any
    }

    /// How many errors there are so far that are those of one tenant.
    pub(crate) fn contained(&self) -> usize {
        self.contained
    }

    /// How many errors there are so far, except those of one tenant.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// The problems with file, line, column and key.
    pub(crate) fn into_problems(mut self) -> Problems {
        self.found.sort_by_key(|finding| finding.mark);
        let spots = self.texts.locate(self.found.iter().map(|finding| finding.mark));
        Problems(self.found.into_iter().zip(spots).map(|(finding, spot)| problem(finding, spot)).collect())
    }

    fn push(&mut self, severity: Severity, mark: Mark, code: &'static str, message: String) -> &mut Finding {
        let place = self.found.len();
        self.found.push(Finding { severity, code, mark, message, hint: None });
        &mut self.found[place]
    }
}

fn problem(finding: Finding, spot: Spot) -> Problem {
    let Finding { severity, code, mark: _, message, hint } = finding;
    let Spot { file, line, column, key } = spot;
    Problem { severity, code, file, line, column, key, message, hint }
}
