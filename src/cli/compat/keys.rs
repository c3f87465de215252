//! Walks through the keys of a file or of a variable's value, and looks each up in the table.
//!
//! Knows the table's notation and nothing of what keys mean. A key that nobody documents is reported with
//! the nearest one that somebody does. Surprising: names of properties contain dots themselves
//! (`HTML5.Timeout`), so a key is looked up as it is before it is taken for a step.

use super::finding::{Finding, Kind, Outcome, Spot};
use super::variables::Files;
use crate::config::document::{Content, Value};
use crate::config::documented::{self, Place};

/// A walk through one file or value.
pub(super) struct Walk<'a> {
    /// Which part of the table counts.
    pub(super) place: Place,
    /// The file, as the project's folder names it.
    pub(super) file: &'a str,
    /// Where everything stands when the value is a text inside of a file.
    pub(super) fixed: Option<&'a Spot>,
    /// Whether keys outside of the table are reported.
    pub(super) strict: bool,
    pub(super) findings: &'a mut Vec<Finding>,
}

/// Every key of `xs-app.json`.
pub(super) fn application(files: &Files, findings: &mut Vec<Finding>) {
    let Some(app) = &files.app else { return };
    let mut walk = Walk { place: Place::App, file: &files.app_name, fixed: None, strict: true, findings };
    walk.object(app, "", "");
}

impl Walk<'_> {
    /// The keys of an object at `pattern` in the table, called `name` by people.
    pub(super) fn object(&mut self, value: &Value, pattern: &str, name: &str) {
        for entry in value.entries().iter().filter(|entry| !is_remark(&entry.key)) {
            let spot = self.spot(entry.line, entry.column);
            let name = joined(name, &entry.key);
            let Some(pattern) = self.known(pattern, &entry.key) else {
                if self.strict {
                    self.unknown(pattern, &entry.key, name, spot);
                }
                continue;
            };
            self.row(&pattern, &entry.value, &name, spot);
            self.below(&entry.value, &pattern, &name);
        }
    }

    /// What is inside of a value.
    pub(super) fn below(&mut self, value: &Value, pattern: &str, name: &str) {
        match &value.content {
            Content::Map(_) if !is_reference(value) && self.goes_on(pattern, ".") => {
                self.object(value, pattern, name);
            }
            Content::List(items) if self.goes_on(pattern, "[].") => {
                for (place, item) in items.iter().enumerate() {
                    self.object(item, &format!("{pattern}[]"), &format!("{name}[{place}]"));
                }
            }
            Content::Map(_) | Content::List(_) | Content::Text(_) | Content::Word(_) => {}
        }
    }

    /// Adds the row of a key with this value.
    pub(super) fn row(&mut self, pattern: &str, value: &Value, name: &str, spot: Spot) {
        if let Some(row) = documented::find(self.place, pattern, value.as_text()) {
            let name = row.value().map_or(name.to_owned(), |value| format!("{name}: {value}"));
            self.findings.push(Finding::of(self.place, row, name, spot));
        }
    }

    fn spot(&self, line: u32, column: u32) -> Spot {
        let own = || Spot { file: self.file.to_owned(), line, column };
        self.fixed.cloned().unwrap_or_else(own)
    }

    /// How the table calls a key of the object at `pattern`: by its own name, else as any.
    fn known(&self, pattern: &str, key: &str) -> Option<String> {
        let own = joined(pattern, key);
        let any = joined(pattern, "*");
        // `URL.headers.x` is one property with dots, not three steps.
        let family = key.rsplit_once('.').map(|(family, _)| joined(pattern, &format!("{family}.*")));
        [Some(own), Some(any), family].into_iter().flatten().find(|candidate| self.is_there(candidate))
    }

    fn is_there(&self, pattern: &str) -> bool {
        documented::rows(self.place).iter().any(|row| row.key() == pattern)
            || self.goes_on(pattern, ".")
            || self.goes_on(pattern, "[]")
    }

    /// Whether the table has keys below this one.
    fn goes_on(&self, pattern: &str, step: &str) -> bool {
        documented::rows(self.place)
            .iter()
            .any(|row| row.key().strip_prefix(pattern).is_some_and(|rest| rest.starts_with(step)))
    }

    fn unknown(&mut self, pattern: &str, key: &str, name: String, spot: Spot) {
        let siblings = documented::rows(self.place).iter().filter_map(|row| {
            let rest = if pattern.is_empty() {
                row.key()
            } else {
                row.key().strip_prefix(pattern)?.strip_prefix('.')?
            };
            rest.split(['.', '[']).next()
        });
        let nearest = siblings.min_by_key(|sibling| strsim::damerau_levenshtein(sibling, key));
        let near = nearest.filter(|near| strsim::damerau_levenshtein(near, key) <= 1 + near.len() / 4);
        let instead = match (near, elsewhere(key)) {
            (Some(near), _) => format!("if `{near}` is meant, write that; else take it away"),
            (None, Some(place)) => format!("`{key}` is {place}: write it there"),
            (None, None) => "take it away; remarks begin with `_`".to_owned(),
        };
        let finding = Finding::new(Kind::from(self.place), Outcome::Unknown, name, spot);
        self.findings.push(finding.because("this is not documented, and refused at start").instead(instead));
    }
}

/// What a key is where it is documented.
fn elsewhere(key: &str) -> Option<&'static str> {
    let places = [
        (Place::App, "a key of the whole file"),
        (Place::Destination, "a key of a destination"),
        (Place::Variable, "a variable of the environment"),
    ];
    places.into_iter().find(|(place, _)| documented::find(*place, key, None).is_some()).map(|(_, what)| what)
}

fn joined(pattern: &str, key: &str) -> String {
    if pattern.is_empty() { key.to_owned() } else { format!("{pattern}.{key}") }
}

/// Whether a key is for people, not for the program.
fn is_remark(key: &str) -> bool {
    key.starts_with('_') || key == "$schema"
}

/// Whether it is a string that stands elsewhere: `{"env": …}`, `{"file": …}`.
fn is_reference(value: &Value) -> bool {
    matches!(value.entries(), [only] if only.key == "env" || only.key == "file")
}
