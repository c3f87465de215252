//! Problems as SARIF 2.1.0, the form that code scanning reads.
//!
//! One run, one rule for each kind of problem that occurred. Columns are counted in characters, which
//! SARIF wants to be told (§3.14.17). A problem of the environment has no file, so it has only a logical
//! location.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use crate::config::{Problem, Problems, Severity};

/// What a path must not contain as a URI (RFC 3986 §3.3).
const NOT_IN_A_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}');

/// The whole log.
pub(super) fn log(problems: &Problems) -> Value {
    let mut codes: Vec<&str> = problems.iter().map(|problem| problem.code).collect();
    codes.sort_unstable();
    codes.dedup();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "vestibule", "version": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(|code| json!({"id": code})).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": problems.iter().map(|problem| result(problem, &codes)).collect::<Vec<_>>(),
        }],
    })
}

fn result(problem: &Problem, codes: &[&str]) -> Value {
    json!({
        "ruleId": problem.code,
        "ruleIndex": codes.iter().position(|code| *code == problem.code),
        "level": level(problem.severity),
        "message": {"text": message(problem)},
        "locations": [location(problem)],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn message(problem: &Problem) -> String {
    match &problem.hint {
        Some(hint) => format!("{}\nHint: {hint}", problem.message),
        None => problem.message.clone(),
    }
}

fn location(problem: &Problem) -> Value {
    let logical = json!([{"fullyQualifiedName": problem.key, "kind": "member"}]);
    if problem.file == "environment" {
        return json!({"logicalLocations": logical});
    }
    json!({
        "physicalLocation": {
            "artifactLocation": {"uri": utf8_percent_encode(&problem.file, NOT_IN_A_PATH).to_string()},
            "region": {"startLine": problem.line.max(1), "startColumn": problem.column.max(1)},
        },
        "logicalLocations": logical,
    })
}
