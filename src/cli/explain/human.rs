//! An explanation for people.
//!
//! One name a line, in the order of a request; what does not apply is left out.

use std::io::{self, Write};

use serde_json::Value;

use super::{Explanation, Question};

/// Prints `explanation` of `question`.
pub(super) fn print(question: &Question, explanation: &Explanation, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{} {}\n", question.method, question.url)?;
    for (name, values) in rows(explanation) {
        for (number, value) in values.iter().enumerate() {
            writeln!(out, "{:<16}{value}", if number == 0 { name } else { "" })?;
        }
    }
    Ok(())
}

/// What is said, name by name; a name may have several lines.
fn rows(explanation: &Explanation) -> Vec<(&'static str, Vec<String>)> {
    let Explanation { tenant, route, passed_over, authentication, scope, upstream, refusal, answered } =
        explanation;
    let tenant = tenant.clone().unwrap_or_else(|| "–".to_owned());
    let passed_over = passed_over.iter().map(|passed| format!("routes[{}]  {}", passed.index, passed.reason));
    let route = route
        .iter()
        .map(|route| format!("routes[{}]  {}  {}:{}", route.index, route.source, route.file, route.line));
    let refusal =
        refusal.iter().map(|refusal| format!("{} {}: {}", refusal.status, refusal.code, refusal.reason));
    let mut rows = vec![
        ("tenant", vec![tenant]),
        ("passed over", passed_over.collect()),
        ("route", route.collect()),
        ("authentication", authentication.iter().map(ToString::to_string).collect()),
        ("scope", scope.iter().map(one_of).collect()),
        ("refused", refusal.collect()),
        ("answered", answered.iter().cloned().collect()),
    ];
    if let Some(upstream) = upstream {
        let request = format!("{} {}", upstream.method, upstream.url);
        let headers = upstream
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.as_str().unwrap_or_default()));
        rows.push(("upstream", std::iter::once(request).chain(headers).collect()));
    }
    rows
}

/// A scope, or several of which one suffices.
fn one_of(scope: &Value) -> String {
    match scope.as_str() {
        Some(scope) => scope.to_owned(),
        None if scope.as_array().is_some_and(Vec::is_empty) => {
            "nobody is admitted with this method".to_owned()
        }
        None => format!("one of {scope}"),
    }
}
