//! What the program itself says when it reads the router's files with the project's environment.
//!
//! The variables of `mta.yaml` and `manifest.yml` are set where nothing else sets them, and each bound
//! service is stood in for by its example in the table, so that what would keep the program from starting
//! is known before anything is deployed. What depends on an environment that is not known here is left out.

use std::path::Path;

use serde_json::{Map, Value as Json, json};

use super::finding::{Finding, Kind, Outcome, Spot};
use super::project::Router;
use super::variables::Files;
use crate::config::documented::{self, Place, Verdict};
use crate::config::{self, Environment, NOT_SUPPORTED_YET, Problem, Severity, Sources};

/// Problems that may be the environment's, which is not known everywhere.
const OF_THE_ENVIRONMENT: [&str; 4] =
    ["unknown_destination", "no_issuer", "unknown_service", "missing_binding"];
/// Where a destination leads whose URL only the deployer knows.
const SOMEWHERE: &str = "https://placeholder.invalid";

/// Adds what keeps the program from starting and was not found yet.
pub(super) fn add(
    directory: &Path,
    router: &Router,
    files: &Files,
    environment: &Environment,
    findings: &mut Vec<Finding>,
) {
    if files.app.is_none() {
        return;
    }
    let sources = Sources::new(directory.join(&router.folder), merged(router, files, environment));
    let known = is_known(router, files, environment);
    for problem in &config::load(&sources).problems {
        let stops = problem.severity == Severity::Error || problem.code == NOT_SUPPORTED_YET;
        if !stops || (!known && OF_THE_ENVIRONMENT.contains(&problem.code)) {
            continue;
        }
        let spot = spot(router, problem);
        if !findings.iter().any(|found| says(found, &spot, problem)) {
            let name = if problem.key.is_empty() { problem.code } else { &problem.key };
            let finding = Finding::new(Kind::Check, Outcome::Refused, name, spot);
            let finding = finding.because(problem.message.clone());
            findings.push(finding.instead(problem.hint.clone().unwrap_or_default()));
        }
    }
}

/// Whether a finding of the table tells of a problem already: of its key, its service, or the whole file.
fn says(found: &Finding, spot: &Spot, problem: &Problem) -> bool {
    if !found.outcome.refuses() || found.spot.file != spot.file {
        return false;
    }
    match found.kind {
        Kind::Check => false,
        Kind::File => problem.key.is_empty(),
        Kind::Binding => problem.key.starts_with(&format!("VCAP_SERVICES.{}", found.topic)),
        Kind::Key | Kind::Variable | Kind::Destination | Kind::Start | Kind::Extension => {
            found.name.split(": ").next() == Some(problem.key.as_str())
        }
    }
}

/// Where the project has what a problem is about.
fn spot(router: &Router, problem: &Problem) -> Spot {
    if problem.file != "environment" {
        return Spot { file: router.file(&problem.file), line: problem.line, column: problem.column };
    }
    let variable = problem.key.split(['.', '[']).next().unwrap_or_default();
    let written = router.settings.iter().find(|setting| setting.name == variable);
    written.map_or_else(
        || Spot { file: problem.file.clone(), line: problem.line, column: problem.column },
        |setting| setting.spot.clone(),
    )
}

/// Whether there is anything that says where destinations and logins are.
fn is_known(router: &Router, files: &Files, environment: &Environment) -> bool {
    let set = ["destinations", "VCAP_SERVICES"].iter().any(|name| environment.value(name).is_some());
    let written = files.variables.is_some() || files.services.is_some() || set;
    written || (!router.bound.is_empty() && router.bound.iter().all(|bound| bound.label.is_some()))
}

/// The environment with what the project's files say.
fn merged(router: &Router, files: &Files, environment: &Environment) -> Environment {
    let mut merged = environment.clone();
    let default = |name: &str| files.variables.as_ref().is_some_and(|(_, value)| value.entry(name).is_some());
    let is_set = |merged: &Environment, name: &str| merged.value(name).is_some() || default(name);
    for setting in router.settings.iter().filter(|setting| !is_set(environment, &setting.name)) {
        let text = setting.value.to_text();
        if setting.name == "destinations" {
            if let Ok(list) = serde_json::from_str::<Json>(&text) {
                merged.set("destinations", somewhere(list).to_string());
            }
        } else if !is_placeholder(&text) {
            merged.set(setting.name.clone(), text);
        }
    }
    if !is_set(&merged, "VCAP_SERVICES") && !router.bound.is_empty() {
        merged.set("VCAP_SERVICES", stand_ins(router).to_string());
    }
    merged
}

/// Whether only the deployer knows a text.
fn is_placeholder(text: &str) -> bool {
    ["~{", "${", "(("].iter().any(|opening| text.contains(opening))
}

/// Destinations that lead somewhere, where only the deployer knows where.
fn somewhere(mut list: Json) -> Json {
    for destination in list.as_array_mut().into_iter().flatten().filter_map(Json::as_object_mut) {
        destination.retain(|key, value| key == "url" || !value.as_str().is_some_and(is_placeholder));
        if let Some(url) = destination.get_mut("url").filter(|url| url.as_str().is_some_and(is_placeholder)) {
            *url = SOMEWHERE.into();
        }
    }
    list
}

/// Each bound service of a documented kind, with the credentials of its example.
fn stand_ins(router: &Router) -> Json {
    let mut services: Map<String, Json> = Map::new();
    for bound in &router.bound {
        let Some(label) = bound.label.as_deref() else { continue };
        let row = documented::find(Place::Binding, label, None);
        if row.is_some_and(|row| row.verdict == Verdict::Refused) {
            continue;
        }
        let credentials = row.and_then(|row| serde_json::from_str::<Json>(row.sample).ok());
        let service = json!({"name": bound.name, "label": label, "tags": [label],
                             "credentials": credentials.unwrap_or_else(|| json!({}))});
        let list = services.entry(label.to_owned()).or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.push(service);
        }
    }
    Json::from(services)
}
