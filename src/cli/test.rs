//! `vestibule test`: the application's own expectations of its configuration.
//!
//! Reads `xs-app.test.json`, asks [`super::explain`] about each request and compares what is expected
//! with what would happen. Only what an expectation names is compared, so that a test says what it is
//! about; `null` means that there must be nothing. Nothing is sent to a destination.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::explain::{self, Explanation, Question};
use super::{CLEAN, PROBLEMS, complain};

/// The file that is read when none is named.
const FILE: &str = "xs-app.test.json";

/// One entry of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    request: Asked,
    expect: Expected,
}

/// A request as the file writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default = "get")]
    method: String,
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// A file with a bearer token, relative to the working directory.
    token: Option<PathBuf>,
}

/// What is expected: absent is anything, `null` is nothing.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Expected {
    #[serde(deserialize_with = "present")]
    tenant: Option<Value>,
    /// The route's index or its source.
    #[serde(deserialize_with = "present")]
    route: Option<Value>,
    #[serde(deserialize_with = "present")]
    status: Option<Value>,
    #[serde(deserialize_with = "present")]
    code: Option<Value>,
    #[serde(deserialize_with = "present")]
    upstream: Option<Value>,
}

fn get() -> String {
    "GET".to_owned()
}

/// A value that is there, be it `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Runs the cases of `file` on `directory`'s configuration.
pub(super) fn run(directory: &Path, file: Option<&Path>, out: &mut dyn Write) -> io::Result<ExitCode> {
    let file = file.map_or_else(|| directory.join(FILE), Path::to_path_buf);
    let cases = match read(&file) {
        Ok(cases) => cases,
        Err(problem) => {
            complain(&problem);
            return Ok(ExitCode::from(PROBLEMS));
        }
    };
    let Some(oracle) = explain::Oracle::load(directory)? else { return Ok(ExitCode::from(PROBLEMS)) };
    let mut failed = 0;
    for case in &cases {
        let differences = case.differences(directory, &oracle);
        failed += usize::from(!differences.is_empty());
        report(&case.name, &differences, out)?;
    }
    writeln!(out, "\n{} passed, {failed} failed", cases.len() - failed)?;
    Ok(ExitCode::from(if failed == 0 { CLEAN } else { PROBLEMS }))
}

/// The cases of `file`, or what is wrong with it, with line and column.
fn read(file: &Path) -> Result<Vec<Case>, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        format!("{}:{}:{}: error: {message}", file.display(), error.line(), error.column())
    })
}

fn report(name: &str, differences: &[String], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{} {name}", if differences.is_empty() { "ok    " } else { "FAILED" })?;
    differences.iter().try_for_each(|difference| writeln!(out, "         {difference}"))
}

impl Case {
    /// What is not as expected.
    fn differences(&self, directory: &Path, oracle: &explain::Oracle) -> Vec<String> {
        match self.question(directory).and_then(|question| oracle.answer(&question)) {
            Ok(explanation) => self.expect.differences(&explanation),
            Err(reason) => vec![reason],
        }
    }

    fn question(&self, directory: &Path) -> Result<Question, String> {
        let headers =
            self.request.headers.iter().map(|(name, value)| explain::header(&format!("{name}: {value}")));
        Ok(Question {
            method: self.request.method.clone(),
            url: self.request.url.clone(),
            headers: headers.collect::<Result<_, _>>()?,
            token: self.request.token.as_ref().map(|file| directory.join(file)),
        })
    }
}

impl Expected {
    fn differences(&self, explanation: &Explanation) -> Vec<String> {
        let actual = json!(explanation);
        let refusal = &actual["refusal"];
        let route = match &self.route {
            Some(Value::String(_)) => &actual["route"]["source"],
            _ if actual["route"].is_null() => &Value::Null,
            _ => &actual["route"]["index"],
        };
        let mut found = Vec::new();
        for (name, expected, actual) in [
            ("tenant", &self.tenant, &actual["tenant"]),
            ("route", &self.route, route),
            ("status", &self.status, &refusal["status"]),
            ("code", &self.code, &refusal["code"]),
            ("upstream", &self.upstream, &actual["upstream"]),
        ] {
            if let Some(expected) = expected {
                compare(name, expected, actual, &mut found);
            }
        }
        found
    }
}

/// Every member that `expected` names must be in `actual`; names ignore case, for they are header names
/// or lower case.
fn compare(place: &str, expected: &Value, actual: &Value, found: &mut Vec<String>) {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            for (name, expected) in expected {
                let value = actual.get(&name.to_ascii_lowercase()).unwrap_or(&Value::Null);
                compare(&format!("{place}.{name}"), expected, value, found);
            }
        }
        _ if expected == actual => {}
        _ => found.push(format!("{place}: expected {expected}, got {actual}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparing_names_the_place() {
        for (expected, actual, differences, shows) in [
            (
                json!({"url": "u"}),
                json!({"url": "u", "method": "GET"}),
                0,
                "what is not named is not compared",
            ),
            (
                json!({"headers": {"X-Tenant": "a"}}),
                json!({"headers": {"x-tenant": "a"}}),
                0,
                "names ignore case",
            ),
            (json!({"headers": {"x-evil": null}}), json!({"headers": {}}), 0, "null is nothing"),
            (
                json!({"headers": {"x-evil": null}}),
                json!({"headers": {"x-evil": "1"}}),
                1,
                "something is not nothing",
            ),
            (json!(null), json!({"url": "u"}), 1, "nothing was expected"),
            (json!({"url": "u"}), json!(null), 1, "something was expected"),
            (json!({"a": 1, "b": 2}), json!({"a": 2, "b": 1}), 2, "all differences are named"),
        ] {
            let mut found = Vec::new();
            compare("upstream", &expected, &actual, &mut found);
            assert_eq!(found.len(), differences, "{shows}: {found:?}");
        }
    }

    #[test]
    fn a_broken_file_is_refused_with_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(FILE);
        fs::write(&file, "[\n  {\"name\": \"x\", \"expects\": {}}\n]").expect("written");
        let problem = read(&file).err().expect("refused");
        assert!(problem.contains(":2:") && problem.contains("expects"), "{problem}");
    }
}
