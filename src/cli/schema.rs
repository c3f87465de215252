//! `vestibule schema`: the JSON Schema of a configuration file, for editors.
//!
//! The schemas are files beside the code that reads the configuration; a test there keeps both alike.

use std::io::{self, Write};
use std::process::ExitCode;

use super::CLEAN;
use crate::config::schema::{XS_APP, XS_TENANTS};

/// Which file is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Schema {
    /// `xs-app.json`.
    Application,
    /// `xs-tenants.json`.
    Tenants,
}

/// Prints the schema.
pub(super) fn run(schema: Schema, out: &mut dyn Write) -> io::Result<ExitCode> {
    let text = match schema {
        Schema::Application => XS_APP,
        Schema::Tenants => XS_TENANTS,
    };
    writeln!(out, "{}", text.trim_end())?;
    Ok(ExitCode::from(CLEAN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// Every name below `properties`, however deep.
    fn keys(schema: &Value, found: &mut Vec<String>) {
        match schema {
            Value::Object(members) => {
                if let Some(Value::Object(properties)) = members.get("properties") {
                    found.extend(properties.keys().cloned());
                }
                members.values().for_each(|member| keys(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn every_key_is_documented() {
        let documentation = include_str!("../../docs/configuration.md");
        for text in [XS_APP, XS_TENANTS] {
            let schema: Value = serde_json::from_str(text).expect("JSON");
            let mut names = Vec::new();
            keys(&schema, &mut names);
            names.retain(|name| !name.starts_with('$') && !documentation.contains(name.as_str()));
            assert!(names.is_empty(), "not in docs/configuration.md: {names:?}");
        }
    }
}
