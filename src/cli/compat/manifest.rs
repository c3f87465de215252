//! The applications of a `manifest.yml` that are application routers.
//!
//! One that has an `xs-app.json`, or a `package.json` that depends on `@sap/approuter`, at its `path`. Its
//! `env` are variables. Services are bound by the names of their instances, so what kind they are is not
//! said here.

use std::path::Path;

use super::finding::{Finding, Spot};
use super::project::{self, Bound, Router, Setting};
use crate::config::document::Value;

const FILE: &str = "manifest.yml";

/// The routers of the project's `manifest.yml`.
pub(super) fn routers(directory: &Path, findings: &mut Vec<Finding>) -> Vec<Router> {
    let Some(text) = project::read(directory, FILE) else { return Vec::new() };
    match Value::from_yaml(&text) {
        Ok(manifest) => {
            let applications = manifest.at(&["applications"]).map_or(&[][..], Value::items);
            applications.iter().filter_map(|application| router(directory, application)).collect()
        }
        Err(error) => {
            findings.push(project::unreadable(FILE, error));
            Vec::new()
        }
    }
}

fn router(directory: &Path, application: &Value) -> Option<Router> {
    let text = |key: &str| application.at(&[key]).and_then(Value::as_text);
    let folder = project::below(text("path").unwrap_or("."))?;
    let path = directory.join(&folder);
    if !path.join("xs-app.json").is_file() && !project::has_approuter(&path) {
        return None;
    }
    let spot = |value: &Value| Spot { file: FILE.to_owned(), line: value.line, column: value.column };
    let variables = application.at(&["env"]).map_or(&[][..], Value::entries);
    let settings = variables.iter().map(|entry| Setting {
        name: entry.key.clone(),
        value: entry.value.clone(),
        spot: Spot { file: FILE.to_owned(), line: entry.line, column: entry.column },
    });
    let services = application.at(&["services"]).map_or(&[][..], Value::items);
    let bound = services.iter().filter_map(|service| {
        let name = service.at(&["name"]).unwrap_or(service);
        Some(Bound { name: name.as_text()?.to_owned(), label: None, spot: spot(name) })
    });
    let command = application.at(&["command"]);
    Some(Router {
        name: text("name").unwrap_or("manifest.yml").to_owned(),
        folder,
        settings: settings.collect(),
        bound: bound.collect(),
        command: command.and_then(|value| Some((value.as_text()?.to_owned(), spot(value)))),
        findings: Vec::new(),
    })
}
