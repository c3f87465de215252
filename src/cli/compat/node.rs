//! How a router is started, and what its start file does with it.
//!
//! `package.json` says which file is run. One of one's own is read as text, with the files that it
//! requires from its own folder: every extension point that is named in it is found with its line. Nothing
//! is run or parsed, so what is put together at run time stays hidden; what stands in a comment is skipped
//! where the line begins with it.

use std::collections::BTreeSet;
use std::path::Path;

use super::finding::{Finding, Kind, Outcome, Spot};
use super::project::{self, Router};
use crate::config::document::Value;
use crate::config::documented::{self, Documented, Place};

/// How many files of one's own are read at most.
const FILES: usize = 50;
/// The version whose behaviour the differences are told from.
const COMPARED: &str = "21.2";
/// The row of the application router started as it is.
const PLAIN: &str = "node_modules/@sap/approuter/approuter.js";
/// The row of a start file.
const CUSTOM: &str = "a start file of one's own";

/// What `package.json` says about the router.
pub(super) fn package(directory: &Path, router: &Router, findings: &mut Vec<Finding>) {
    let file = router.file("package.json");
    if directory.join(router.file("extend.json")).is_file() {
        let spot = Spot { file: router.file("extend.json"), line: 1, column: 1 };
        start_row("extend.json", "extend.json", &spot, findings);
    }
    let Some(text) = project::read(directory, &file) else { return };
    let package = match Value::from_json(&text) {
        Ok(package) => package,
        Err(error) => return findings.push(project::unreadable(&file, error)),
    };
    let Some(dependency) = package.at(&["dependencies"]).and_then(|all| all.entry("@sap/approuter")) else {
        return;
    };
    let spot = |line, column| Spot { file: file.clone(), line, column };
    let name = format!("@sap/approuter {}", dependency.value.to_text());
    let found = Finding::new(Kind::Start, Outcome::Works, name, spot(dependency.line, dependency.column));
    findings.push(found.because(format!("its behaviour is compared with version {COMPARED}")));
    let script = package.at(&["scripts"]).and_then(|all| all.entry("start"));
    let script = script.map(|entry| (entry.value.to_text(), spot(entry.line, entry.column)));
    let own = router.command.clone().filter(|(command, _)| !command.contains("npm"));
    if let Some((command, spot)) = own.or(script) {
        started(directory, router, &command, &spot, findings);
    }
}

/// What a command starts.
fn started(directory: &Path, router: &Router, command: &str, spot: &Spot, findings: &mut Vec<Finding>) {
    let words: Vec<&str> = command.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect();
    if words.iter().any(|word| word.contains("@sap/approuter") || *word == "approuter") {
        start_row(PLAIN, command, spot, findings);
        for word in words {
            match word.split('=').next().unwrap_or_default() {
                "-w" | "--workingDir" => start_row("--workingDir", word, spot, findings),
                "-p" | "--port" => start_row("--port", word, spot, findings),
                _ => {}
            }
        }
        return;
    }
    let runners = ["node", "nodemon", "ts-node", "tsx"];
    let mut rest = words.iter().skip_while(|word| !runners.contains(word)).skip(1);
    let Some(file) = rest.find(|word| !word.starts_with('-')) else { return };
    start_row(CUSTOM, file, spot, findings);
    if let Some(file) = project::below(&router.file(file)) {
        scan_all(directory, &router.folder, file, findings);
    }
}

fn start_row(row: &str, name: &str, spot: &Spot, findings: &mut Vec<Finding>) {
    if let Some(row) = documented::find(Place::Start, row, None) {
        findings.push(Finding::of(Place::Start, row, name.to_owned(), spot.clone()));
    }
}

/// Reads a start file and what it requires of its own.
fn scan_all(directory: &Path, folder: &str, file: String, findings: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![file];
    while let Some(file) = waiting.pop() {
        if seen.len() == FILES || !seen.insert(file.clone()) {
            continue;
        }
        let candidates = [file.clone(), format!("{file}.js"), format!("{file}/index.js"), typescript(&file)];
        let found = candidates.iter().find_map(|file| Some((file, project::read(directory, file)?)));
        let Some((file, text)) = found else { continue };
        scan(file, &text, findings);
        let beside = file.rsplit_once('/').map_or("", |(parent, _)| parent);
        let required = text.lines().filter_map(required).map(|path| format!("{beside}/{path}"));
        let own = required.filter_map(|path| project::below(path.trim_start_matches('/')));
        waiting.extend(own.filter(|path| folder.is_empty() || path.starts_with(folder)));
    }
}

/// The file that a compiled one was written as.
fn typescript(file: &str) -> String {
    let stem = file.strip_suffix(".js").unwrap_or(file);
    format!("{}.ts", stem.strip_prefix("dist/").unwrap_or(stem))
}

/// The path of a file of one's own that a line requires.
fn required(line: &str) -> Option<&str> {
    let at = line.find("require(").map(|at| at + 8).or_else(|| line.find(" from ").map(|at| at + 6))?;
    let path = line[at..].trim_start().trim_start_matches(['"', '\'', '`']);
    let path = path.split(['"', '\'', '`']).next()?;
    (path.starts_with("./") || path.starts_with("../")).then_some(path)
}

/// Every extension point that a text names.
fn scan(file: &str, text: &str, findings: &mut Vec<Finding>) {
    for (place, line) in text.lines().enumerate() {
        if ["//", "*", "/*"].iter().any(|remark| line.trim_start().starts_with(remark)) {
            continue;
        }
        let plain: String = line
            .chars()
            .filter(|c| !c.is_whitespace())
            .map(|c| if c == '"' || c == '`' { '\'' } else { c })
            .collect();
        for row in documented::rows(Place::Extension).iter().filter(|row| names(&plain, row)) {
            let word = row.name.trim_start_matches("on('").trim_end_matches("')");
            let column = line.find(word).map_or(1, |at| line[..at].chars().count() + 1);
            let whole = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            let spot = Spot { file: file.to_owned(), line: whole(place + 1), column: whole(column) };
            findings.push(Finding::of(Place::Extension, row, row.name.to_owned(), spot));
        }
    }
}

/// Whether a line without blanks, its quotes being `'`, names an extension point.
fn names(line: &str, row: &Documented) -> bool {
    match row.name {
        "first" => line.contains(".first.") || line.contains("first:"),
        event if event.starts_with("on('") => line.contains(event.trim_end_matches(')')),
        package if package.starts_with('@') => line.contains(package),
        word => line.match_indices(word).any(|(at, _)| stands_alone(line, at, word.len())),
    }
}

fn stands_alone(line: &str, at: usize, length: usize) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    !line[..at].ends_with(part_of_word) && !line[at + length..].starts_with(part_of_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_extension_point_is_found_in_its_own_sample() {
        for row in documented::rows(Place::Extension) {
            let mut findings = Vec::new();
            scan("start.js", &format!("// {}\n{}\n", row.name, row.sample), &mut findings);
            let found: Vec<_> =
                findings.iter().map(|found| (found.topic.as_str(), found.spot.line)).collect();
            assert!(found.contains(&(row.name, 2)), "{}: {found:?}", row.name);
            assert!(found.iter().all(|(_, line)| *line == 2), "{}: a remark counts: {found:?}", row.name);
        }
    }

    #[test]
    fn words_that_only_look_alike_are_none() {
        let mut findings = Vec::new();
        scan("start.js", "let first = list[0];\nmyGetToken();\nemitter.on('data', f);\n", &mut findings);
        assert!(findings.is_empty(), "{findings:?}");
    }

    #[test]
    fn files_of_ones_own_are_followed() {
        for (line, path) in [
            ("const a = require('./lib/a');", Some("./lib/a")),
            ("import a from \"../b.js\";", Some("../b.js")),
            ("const a = require('@sap/approuter');", None),
            ("let a = 1;", None),
        ] {
            assert_eq!(required(line), path, "{line}");
        }
    }
}
