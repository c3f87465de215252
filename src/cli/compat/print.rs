//! The findings for people: what has to be done first, what works in one paragraph at the end.
//!
//! Findings of one topic are printed once, with every place; the worst come first. Lines of files are not
//! shown, for any may hold a secret.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use super::Examined;
use super::finding::{Finding, Outcome};

/// How wide a paragraph is, in characters.
const WIDTH: usize = 100;
/// How many places of one topic are printed.
const PLACES: usize = 5;

/// Prints every router.
pub(super) fn print(
    examined: &[Examined],
    directory: &Path,
    colour: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    if examined.is_empty() {
        return writeln!(out, "there is no xs-app.json in {}, nor below it", directory.display());
    }
    for Examined { router, findings } in examined {
        let folder = if router.folder.is_empty() { "this folder" } else { &router.folder };
        writeln!(out, "{}\n", bold(colour, &format!("application router `{}` in {folder}", router.name)))?;
        for outcome in Outcome::ALL {
            let found = topics(findings, outcome);
            match outcome {
                Outcome::Works => works(&found, colour, out)?,
                Outcome::Refused | Outcome::Unknown | Outcome::Differs | Outcome::Open | Outcome::Ignored => {
                    for findings in &found {
                        topic(findings, colour, out)?;
                    }
                }
            }
        }
        writeln!(out, "{}\n", sum(findings))?;
    }
    Ok(())
}

/// The findings of an outcome by what they are about, in the order of the first of each.
fn topics(findings: &[Finding], outcome: Outcome) -> Vec<Vec<&Finding>> {
    let mut order: Vec<Vec<&Finding>> = Vec::new();
    let mut places: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for found in findings.iter().filter(|found| found.outcome == outcome) {
        let place = *places.entry((&found.topic, &found.words)).or_insert(order.len());
        if place == order.len() {
            order.push(Vec::new());
        }
        order[place].push(found);
    }
    order
}

/// One topic: what, where, why, and what to do instead.
fn topic(findings: &[&Finding], colour: bool, out: &mut dyn Write) -> io::Result<()> {
    let Some(first) = findings.first() else { return Ok(()) };
    let name = if findings.len() == 1 { &first.name } else { &first.topic };
    let word = paint(colour, first.outcome, first.outcome.word());
    writeln!(out, "{word}  {} {}", first.kind.word(), bold(colour, name))?;
    let spots = findings.iter().take(PLACES).map(|found| {
        let spot = &found.spot;
        if spot.file == "environment" {
            spot.file.clone()
        } else {
            format!("{}:{}:{}", spot.file, spot.line, spot.column)
        }
    });
    let more = findings.len().saturating_sub(PLACES);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    writeln!(out, "  at {}{more}", spots.collect::<Vec<_>>().join(", "))?;
    paragraph("  ", &first.words, out)?;
    if !first.instead.is_empty() {
        paragraph("  instead: ", &first.instead, out)?;
    }
    writeln!(out)
}

/// Everything that works, in one paragraph.
fn works(topics: &[Vec<&Finding>], colour: bool, out: &mut dyn Write) -> io::Result<()> {
    if topics.is_empty() {
        return Ok(());
    }
    let names = topics.iter().filter_map(|findings| {
        let first = findings.first()?;
        let count = findings.len();
        Some(if count == 1 { first.name.clone() } else { format!("{} ({count} times)", first.topic) })
    });
    writeln!(out, "{}", paint(colour, Outcome::Works, Outcome::Works.word()))?;
    paragraph("  ", &names.collect::<Vec<_>>().join(", "), out)?;
    writeln!(out)
}

/// A text in lines of a readable length, indented as its beginning is long.
fn paragraph(beginning: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let mut line = beginning.to_owned();
    for word in text.split_whitespace() {
        if line.chars().count() + word.chars().count() >= WIDTH && line.trim() != "" {
            writeln!(out, "{}", line.trim_end())?;
            line.clear();
            line.push_str("  ");
        }
        line.push_str(word);
        line.push(' ');
    }
    writeln!(out, "{}", line.trim_end())
}

/// "2 refused, 1 differs, 30 work", by topics.
fn sum(findings: &[Finding]) -> String {
    let count = |outcome| topics(findings, outcome).len();
    let parts: Vec<String> = Outcome::ALL
        .into_iter()
        .map(|outcome| (outcome, count(outcome)))
        .filter(|(_, count)| *count > 0)
        .map(|(outcome, count)| format!("{count} {}", outcome.word()))
        .collect();
    parts.join(", ")
}

fn paint(colour: bool, outcome: Outcome, text: &str) -> String {
    let code = match outcome {
        Outcome::Refused | Outcome::Unknown => "1;31",
        Outcome::Differs | Outcome::Open => "1;33",
        Outcome::Ignored => "1;36",
        Outcome::Works => "1;32",
    };
    with(colour, code, text)
}

fn bold(colour: bool, text: &str) -> String {
    with(colour, "1", text)
}

fn with(colour: bool, code: &str, text: &str) -> String {
    if colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}
