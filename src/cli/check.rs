//! `vestibule check`: compiles the configuration and prints every problem.
//!
//! The same [`config::load`] that the server starts with; this file counts and chooses the form. Only
//! errors make the exit code 1: a warning or a note never breaks a build.

mod human;
mod sarif;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::{CLEAN, PROBLEMS};
use crate::config::{self, Environment, Problem, Problems, Severity, Sources};

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// For people.
    Human,
    /// One object, for programs.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

/// Prints the problems of `directory`'s configuration.
pub(super) fn run(directory: &Path, format: Format, out: &mut dyn Write) -> io::Result<ExitCode> {
    let problems = config::load(&Sources::new(directory, Environment::of_process())).problems;
    match format {
        Format::Human => {
            human::print(&problems.iter().collect::<Vec<_>>(), directory, super::in_colour(), out)?;
        }
        Format::Json => writeln!(out, "{:#}", as_json(&problems))?,
        Format::Sarif => writeln!(out, "{:#}", sarif::log(&problems))?,
    }
    Ok(ExitCode::from(if problems.refuse() { PROBLEMS } else { CLEAN }))
}

/// Prints the errors that keep a command from its work, for people.
pub(super) fn complain(problems: &Problems, directory: &Path) {
    let errors: Vec<&Problem> =
        problems.iter().filter(|problem| problem.severity == Severity::Error).collect();
    // Nobody is left to tell when standard error is gone.
    let _ = human::print(&errors, directory, false, &mut io::stderr());
}

fn as_json(problems: &Problems) -> Value {
    json!({"problems": problems.iter().map(problem).collect::<Vec<_>>()})
}

fn problem(problem: &Problem) -> Value {
    json!({
        "severity": problem.severity.to_string(), "code": problem.code,
        "file": problem.file, "line": problem.line, "column": problem.column,
        "key": problem.key, "message": problem.message, "hint": problem.hint,
    })
}
