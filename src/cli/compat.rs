//! `vestibule compat`: what of a project's files and environment works here, coming from the SAP
//! application router, and what does not.
//!
//! Looks at a folder as it is, before anything is deployed or started: which routers are in it
//! ([`project`]), what is written for them ([`keys`], [`node`]), and what the program itself says to all
//! of it together ([`loaded`]). The words are those of the one table, [`documented`]. Values are never
//! printed, for any may be a secret.
//!
//! [`documented`]: crate::config::documented

mod finding;
mod keys;
mod loaded;
mod manifest;
mod mta;
mod node;
mod print;
mod project;
mod variables;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::{CLEAN, PROBLEMS};
use crate::config::Environment;
use finding::Finding;
use project::Router;

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// For people.
    Human,
    /// One object, for programs.
    Json,
}

/// A router and what was found about it.
struct Examined {
    router: Router,
    findings: Vec<Finding>,
}

/// Prints what becomes of the project in `directory`.
pub(super) fn run(directory: &Path, format: Format, out: &mut dyn Write) -> io::Result<ExitCode> {
    let examined = examine(directory, &Environment::of_process());
    match format {
        Format::Human => print::print(&examined, directory, super::in_colour(), out)?,
        Format::Json => writeln!(out, "{:#}", as_json(&examined))?,
    }
    let refused = examined.iter().flat_map(|one| &one.findings).any(|found| found.outcome.refuses());
    Ok(ExitCode::from(if refused || examined.is_empty() { PROBLEMS } else { CLEAN }))
}

/// Looks at every router of a project.
fn examine(directory: &Path, environment: &Environment) -> Vec<Examined> {
    let mut alone = Vec::new();
    let mut routers = project::routers(directory, &mut alone);
    alone.extend(project::other_files(directory, &routers));
    if routers.is_empty() && !alone.is_empty() {
        routers.push(Router::of(""));
    }
    let mut examined: Vec<Examined> = routers
        .into_iter()
        .map(|router| Examined { findings: about(directory, &router, environment), router })
        .collect();
    if let Some(first) = examined.first_mut() {
        first.findings.extend(alone);
    }
    for one in &mut examined {
        one.findings.sort_by(Finding::order);
    }
    examined
}

/// Everything about one router.
fn about(directory: &Path, router: &Router, environment: &Environment) -> Vec<Finding> {
    let mut findings = router.findings.clone();
    let files = variables::Files::read(directory, router, &mut findings);
    keys::application(&files, &mut findings);
    variables::all(router, &files, environment, &mut findings);
    node::package(directory, router, &mut findings);
    loaded::add(directory, router, &files, environment, &mut findings);
    findings
}

fn as_json(examined: &[Examined]) -> Value {
    let finding = |found: &Finding| {
        json!({
            "verdict": found.outcome.word(), "kind": found.kind.word(), "name": found.name,
            "file": found.spot.file, "line": found.spot.line, "column": found.spot.column,
            "why": found.words, "instead": found.instead,
        })
    };
    let router = |one: &Examined| {
        json!({
            "name": one.router.name, "folder": one.router.folder,
            "findings": one.findings.iter().map(finding).collect::<Vec<_>>(),
        })
    };
    json!({"routers": examined.iter().map(router).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests;
