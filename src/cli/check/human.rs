//! Problems for people: what, where, the line itself with a mark below it, and what to do.
//!
//! The line is read from the file again, for that is all that printing needs. Surprising: a line that may
//! hold a secret is not shown; a terminal is a log more often than one thinks.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::config::{Problem, Severity};

/// The widest excerpt, in characters; a longer line is cut around the mark.
const WIDTH: usize = 100;
/// The files whose lines may be shown.
const SHOWN: [&str; 3] = ["xs-app.json", "xs-tenants.json", "xs-app.test.json"];
/// A line or key that contains one of these may hold a secret.
const SECRETIVE: [&str; 6] = ["secret", "password", "privatekey", "clientkey", "token", "jwks"];

/// Prints all of them and a sum.
pub(super) fn print(
    problems: &[&Problem],
    directory: &Path,
    colour: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let read = |problem: &&Problem| (problem.file.clone(), read(&directory.join(&problem.file)));
    let texts: BTreeMap<String, String> = files(problems).iter().map(read).collect();
    let lines: BTreeMap<&str, Vec<&str>> =
        texts.iter().map(|(file, text)| (file.as_str(), text.lines().collect())).collect();
    for &problem in problems {
        let lines = lines.get(problem.file.as_str()).map_or(&[][..], Vec::as_slice);
        write!(out, "{}", Report { problem, line: shown_line(problem, lines), paint: Paint(colour) })?;
    }
    writeln!(out, "{}", sum(problems))
}

/// One problem of each file that may be shown, for there may be many of one.
fn files<'a>(problems: &[&'a Problem]) -> Vec<&'a Problem> {
    let shown = |problem: &&&Problem| SHOWN.contains(&problem.file.as_str());
    let mut files: Vec<&Problem> = problems.iter().filter(shown).copied().collect();
    files.sort_by(|one, other| one.file.cmp(&other.file));
    files.dedup_by(|one, other| one.file == other.file);
    files
}

/// A file's text; one that cannot be read has no lines to show, and a problem of its own.
fn read(path: &Path) -> String {
    let text = fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    text.trim_start_matches('\u{feff}').to_owned()
}

/// The line of the problem, where it may be shown.
fn shown_line<'a>(problem: &Problem, lines: &[&'a str]) -> Option<&'a str> {
    let line = *lines.get(usize::try_from(problem.line.checked_sub(1)?).ok()?)?;
    let secretive = |text: &str| SECRETIVE.iter().any(|word| text.to_ascii_lowercase().contains(word));
    let hidden = secretive(line) || secretive(&problem.key) || line.trim().is_empty();
    (!hidden && SHOWN.contains(&problem.file.as_str())).then_some(line)
}

/// "2 errors, 1 warning", or that all is well.
fn sum(problems: &[&Problem]) -> String {
    let count = |severity| problems.iter().filter(|problem| problem.severity == severity).count();
    let parts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .map(|severity| (severity, count(severity)))
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{count} {severity}{}", if count == 1 { "" } else { "s" }))
        .collect();
    if parts.is_empty() { "no problems".to_owned() } else { parts.join(", ") }
}

/// Colours, or none.
#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn severity(self, severity: Severity, text: &str) -> String {
        match severity {
            Severity::Error => self.with("1;31", text),
            Severity::Warning => self.with("1;33", text),
            Severity::Note => self.with("1;36", text),
        }
    }

    fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// One problem as it is printed.
struct Report<'a> {
    problem: &'a Problem,
    line: Option<&'a str>,
    paint: Paint,
}

impl std::fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { problem, line, paint } = self;
        let kind = paint.severity(problem.severity, &format!("{}[{}]", problem.severity, problem.code));
        writeln!(f, "{kind}: {}", paint.bold(&problem.message))?;
        let gutter = " ".repeat(problem.line.to_string().len());
        let place = format!("{}:{}:{}", problem.file, problem.line, problem.column);
        let key = if problem.key.is_empty() { String::new() } else { format!("  {}", problem.key) };
        writeln!(f, "{gutter}{} {place}{}", paint.faint("-->"), paint.faint(&key))?;
        if let Some(line) = line {
            self.excerpt(f, line, &gutter)?;
        }
        if let Some(hint) = &problem.hint {
            writeln!(f, "{gutter} {} {hint}", paint.faint("= hint:"))?;
        }
        writeln!(f)
    }
}

impl Report<'_> {
    fn excerpt(&self, f: &mut std::fmt::Formatter<'_>, line: &str, gutter: &str) -> std::fmt::Result {
        let Window { text, before, length } = Window::of(line, self.problem.column as usize);
        let bar = self.paint.faint("|");
        let mark = self.paint.severity(self.problem.severity, &"^".repeat(length));
        writeln!(f, "{gutter} {bar}")?;
        writeln!(f, "{} {bar} {text}", self.paint.faint(&self.problem.line.to_string()))?;
        writeln!(f, "{gutter} {bar} {}{mark}", " ".repeat(before))
    }
}

/// The part of a line that is shown, and where the mark goes.
#[derive(Debug, PartialEq, Eq)]
struct Window {
    text: String,
    /// Characters before the mark.
    before: usize,
    /// Characters below which the mark stands.
    length: usize,
}

impl Window {
    /// `column` is 1-based.
    fn of(line: &str, column: usize) -> Self {
        let characters: Vec<char> = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let at = column.saturating_sub(1).min(characters.len());
        let start = if characters.len() > WIDTH { at.saturating_sub(WIDTH / 2) } else { 0 };
        let end = characters.len().min(start + WIDTH);
        let length = token_length(&characters[at..]).clamp(1, (end - at).max(1));
        Self { text: characters[start..end].iter().collect(), before: at - start, length }
    }
}

/// How many characters the JSON token at the beginning of `text` has: a string with its quotes, a word,
/// or one sign.
fn token_length(text: &[char]) -> usize {
    match text {
        ['"', rest @ ..] => {
            let mut escaped = false;
            let closes = |&c: &char| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            };
            rest.iter().position(closes).map_or(text.len(), |end| end + 2)
        }
        text => text.iter().take_while(|c| c.is_alphanumeric() || "-+._".contains(**c)).count(),
    }
}

#[cfg(test)]
mod tests;
