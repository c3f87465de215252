//! The variables of a router: those of its files, of the project's, and of this environment; and the
//! services that are bound to it.
//!
//! Of this environment only documented variables count, because the rest is everybody's. A variable that
//! nobody documents is the application's own: it has no effect here unless `replace` names it.

use std::path::Path;

use super::finding::{Finding, Kind, Outcome, Spot};
use super::keys::Walk;
use super::project::{self, Bound, Router, Setting};
use crate::config::Environment;
use crate::config::document::{Content, Value};
use crate::config::documented::{self, Place};

/// Variables that Vestibule adds to the documented ones.
const OWN: [&str; 10] = [
    "ACCESS_LOG",
    "ADMIN_ADDRESS",
    "ADMIN_TOKEN",
    "DRAIN_TIMEOUT",
    "SESSION_COOKIE_NAME",
    "SESSION_SECRET",
    "SESSION_STORE",
    "TLS_CERT_FILE",
    "TLS_KEY_FILE",
    "VESTIBULE_WORKERS",
];

/// The files of a router's folder.
pub(super) struct Files {
    /// `xs-app.json`, as the project's folder names it.
    pub(super) app_name: String,
    pub(super) app: Option<Value>,
    /// `default-env.json`.
    pub(super) variables: Option<(String, Value)>,
    /// `default-services.json`.
    pub(super) services: Option<(String, Value)>,
}

impl Files {
    /// Reads them; what cannot be read is a finding of its own.
    pub(super) fn read(directory: &Path, router: &Router, findings: &mut Vec<Finding>) -> Self {
        let mut open = |name: &str| {
            let file = router.file(name);
            let value = Value::from_json(&project::read(directory, &file)?);
            match value {
                Ok(value) => Some((file, value)),
                Err(error) => {
                    findings.push(project::unreadable(&file, error));
                    None
                }
            }
        };
        let (variables, services) = (open("default-env.json"), open("default-services.json"));
        let app = open("xs-app.json").map(|(_, value)| value);
        let app_name = router.file("xs-app.json");
        if !directory.join(&app_name).is_file() {
            let spot = Spot { file: app_name.clone(), line: 1, column: 1 };
            let finding = Finding::new(Kind::File, Outcome::Refused, app_name.clone(), spot);
            findings.push(finding.because("there is no such file, and it is required"));
        }
        Self { app_name, app, variables, services }
    }

    /// Whether a route's `replace` writes this variable into files.
    fn replaces(&self, name: &str) -> bool {
        let routes = self.app.iter().filter_map(|app| app.at(&["routes"])).flat_map(Value::items);
        let mut replaced = routes.filter_map(|route| route.at(&["replace", "vars"])).flat_map(Value::items);
        replaced.any(|variable| variable.as_text() == Some(name))
    }
}

/// Every variable and bound service.
pub(super) fn all(router: &Router, files: &Files, environment: &Environment, findings: &mut Vec<Finding>) {
    for setting in &settings(router, files, environment) {
        variable(setting, files, findings);
    }
    for bound in &router.bound {
        findings.push(instance(bound));
    }
    if let Some((file, services)) = &files.services {
        for entry in services.entries() {
            let spot = Spot { file: file.clone(), line: entry.line, column: entry.column };
            let label = match entry.key.as_str() {
                "uaa" => "xsuaa",
                "ias" => "identity",
                other => other,
            };
            binding(&[label], &entry.key, Some(&entry.value), &spot, findings);
        }
    }
}

/// The variables, with where they are written.
fn settings(router: &Router, files: &Files, environment: &Environment) -> Vec<Setting> {
    let defaults = files.variables.iter().flat_map(|(file, value)| {
        let written = value.entries().iter().filter(|entry| !entry.key.starts_with('_'));
        written.map(|entry| Setting {
            name: entry.key.clone(),
            value: entry.value.clone(),
            spot: Spot { file: file.clone(), line: entry.line, column: entry.column },
        })
    });
    let documented = documented::rows(Place::Variable).iter().filter(|row| !row.name.contains(['.', '[']));
    let set = documented.filter_map(|row| {
        let text = environment.value(row.name).filter(|text| !text.is_empty())?;
        let value = Value { line: 1, column: 1, content: Content::Text(text.to_owned()) };
        let spot = Spot { file: "environment".to_owned(), line: 1, column: 1 };
        Some(Setting { name: row.name.to_owned(), value, spot })
    });
    defaults.chain(router.settings.iter().cloned()).chain(set).collect()
}

/// One variable and what its value says.
fn variable(setting: &Setting, files: &Files, findings: &mut Vec<Finding>) {
    let Setting { name, value, spot } = setting;
    if let Some(row) = documented::find(Place::Variable, name, value.as_text()) {
        findings.push(Finding::of(Place::Variable, row, name.clone(), spot.clone()));
    } else {
        findings.push(undocumented(name, spot, files));
        return;
    }
    let parsed = value.as_text().and_then(|text| Value::from_json(text).ok());
    let fixed = parsed.is_some().then_some(spot);
    let value = parsed.as_ref().unwrap_or(value);
    let mut walk = Walk { place: Place::Variable, file: &spot.file, fixed, strict: true, findings };
    match name.as_str() {
        "VCAP_SERVICES" => services(value, fixed, &spot.file, findings),
        "destinations" => {
            walk.place = Place::Destination;
            for (place, item) in value.items().iter().enumerate() {
                walk.object(item, "", &format!("destinations[{place}]"));
            }
        }
        "CORS" | "COMPRESSION" => {
            walk.place = Place::App;
            walk.below(value, &name.to_ascii_lowercase(), name);
        }
        _ => walk.below(value, name, name),
    }
}

fn undocumented(name: &str, spot: &Spot, files: &Files) -> Finding {
    let finding = |outcome| Finding::new(Kind::Variable, outcome, name, spot.clone());
    if OWN.contains(&name) {
        return finding(Outcome::Works).because("a variable of Vestibule's own");
    }
    if files.replaces(name) {
        return finding(Outcome::Works).because("`replace` writes it into files");
    }
    finding(Outcome::Ignored)
        .because("it is no variable of the application router, and no `replace` names it")
}

/// The services of `VCAP_SERVICES`.
fn services(value: &Value, fixed: Option<&Spot>, file: &str, findings: &mut Vec<Finding>) {
    for entry in value.entries() {
        for service in entry.value.items() {
            let own = Spot { file: file.to_owned(), line: service.line, column: service.column };
            let text = |key: &str| service.at(&[key]).and_then(Value::as_text);
            let tags = service.at(&["tags"]).map_or(&[][..], Value::items).iter().filter_map(Value::as_text);
            let label = text("label").unwrap_or(&entry.key);
            let kinds: Vec<&str> = std::iter::once(label).chain(tags).collect();
            let name = text("name").unwrap_or(label);
            binding(&kinds, name, service.at(&["credentials"]), fixed.unwrap_or(&own), findings);
        }
    }
}

/// One bound service, by its label and tags.
fn binding(
    kinds: &[&str],
    name: &str,
    credentials: Option<&Value>,
    spot: &Spot,
    findings: &mut Vec<Finding>,
) {
    let label = kinds.first().copied().unwrap_or_default();
    if let Some(row) = kinds.iter().find_map(|kind| documented::find(Place::Binding, kind, None)) {
        findings.push(Finding::of(Place::Binding, row, format!("{} ({name})", row.name), spot.clone()));
        return;
    }
    let name = format!("{label} ({name})");
    let is_business =
        |value: &&Value| ["sap.cloud.service", "endpoints"].iter().any(|key| value.entry(key).is_some());
    let Some(credentials) = credentials.filter(is_business) else {
        let finding = Finding::new(Kind::Binding, Outcome::Ignored, name, spot.clone());
        findings.push(finding.because("no service of the application router; `replace` can read it"));
        return;
    };
    let finding = Finding::new(Kind::Binding, Outcome::Works, name.clone(), spot.clone());
    findings.push(finding.because("a business service: routes with `service` lead to it"));
    let (place, file) = (Place::Credential, spot.file.as_str());
    Walk { place, file, fixed: Some(spot), strict: false, findings }.object(credentials, "", &name);
}

/// A service that is bound by the name of its instance.
fn instance(bound: &Bound) -> Finding {
    let Bound { name, label, spot } = bound;
    match label.as_deref().map(|label| (label, documented::find(Place::Binding, label, None))) {
        Some((label, Some(row))) => {
            Finding::of(Place::Binding, row, format!("{label} ({name})"), spot.clone())
        }
        Some((label, None)) => {
            let finding =
                Finding::new(Kind::Binding, Outcome::Open, format!("{label} ({name})"), spot.clone());
            finding.because(
                "routes with `service` lead to it where its credentials have `sap.cloud.service` or \
                 `endpoints`, and `replace` can read it in any case",
            )
        }
        None => {
            let finding = Finding::new(Kind::Binding, Outcome::Open, name.clone(), spot.clone());
            let mut finding =
                finding.because("what kind of service this is, is only known where it is bound");
            "a service by its name alone".clone_into(&mut finding.topic);
            finding.instead("run `vestibule compat` with its `VCAP_SERVICES` in `default-env.json`")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::OWN;

    #[test]
    fn own_variables_are_documented_as_new() {
        let page = include_str!("../../../docs/configuration.md");
        for name in OWN {
            let quoted = format!("`{name}`");
            let told = page.lines().find(|line| line.starts_with('|') && line.contains(&quoted));
            assert!(told.is_some(), "{name}");
        }
    }
}
