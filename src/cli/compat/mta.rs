//! The approuter modules of an `mta.yaml`.
//!
//! A module of type `approuter.nodejs`, or one of Node.js whose `package.json` depends on
//! `@sap/approuter`. Its `properties` are variables, the properties of what it requires as well, and those
//! with a `group` are an element of the list that is the variable of that name: so `destinations` are made.
//! `~{…}` and `${…}` stay as they are written, since only the deployer knows them.

use std::path::Path;

use super::finding::{Finding, Spot};
use super::keys::Walk;
use super::project::{self, Bound, Router, Setting};
use crate::config::document::{Content, Entry, Value};
use crate::config::documented::Place;

const FILE: &str = "mta.yaml";

/// What kind of service a resource's type means, where it has one of its own.
const TYPES: [(&str, &str); 4] = [
    ("com.sap.xs.uaa", "xsuaa"),
    ("com.sap.xs.uaa-space", "xsuaa"),
    ("com.sap.xs.html5-apps-repo", "html5-apps-repo"),
    ("com.sap.xs.redis", "redis-cache"),
];

/// The routers of the project's `mta.yaml`.
pub(super) fn routers(directory: &Path, findings: &mut Vec<Finding>) -> Vec<Router> {
    let Some(text) = project::read(directory, FILE) else { return Vec::new() };
    match Value::from_yaml(&text) {
        Ok(mta) => modules(directory, &mta),
        Err(error) => {
            findings.push(project::unreadable(FILE, error));
            Vec::new()
        }
    }
}

fn modules(directory: &Path, mta: &Value) -> Vec<Router> {
    let modules = mta.at(&["modules"]).map_or(&[][..], Value::items);
    modules.iter().filter_map(|module| router(directory, mta, module)).collect()
}

fn router(directory: &Path, mta: &Value, module: &Value) -> Option<Router> {
    let text = |key: &str| module.at(&[key]).and_then(Value::as_text);
    let name = text("name")?;
    let kind = text("type").unwrap_or_default();
    let folder = project::below(text("path").unwrap_or(name))?;
    let is_router = kind == "approuter.nodejs"
        || (kind.contains("nodejs") && project::has_approuter(&directory.join(&folder)));
    if !is_router {
        return None;
    }
    let mut router = Router { name: name.to_owned(), folder, ..Router::default() };
    for entry in module.at(&["properties"]).map_or(&[][..], Value::entries) {
        router.settings.push(setting(entry));
    }
    if let Some(command) = module.at(&["parameters", "command"]) {
        router.command = command.as_text().map(|text| (text.to_owned(), spot(command)));
    }
    for required in module.at(&["requires"]).map_or(&[][..], Value::items) {
        require(&mut router, mta, required);
    }
    Some(router)
}

/// Adds what a module requires: a service, properties, or an element of a group.
fn require(router: &mut Router, mta: &Value, required: &Value) {
    let Some(name) = required.at(&["name"]) else { return };
    if let Some(resource) = name.as_text().and_then(|name| resource(mta, name)) {
        let label = label(resource);
        if label.as_deref() == Some("destination") {
            initial_destinations(router, resource);
        }
        router.bound.push(Bound { name: name.to_text(), label, spot: spot(name) });
    }
    let Some(properties) = required.at(&["properties"]) else { return };
    match required.at(&["group"]).and_then(Value::as_text) {
        Some(group) => add_to_group(router, group, properties),
        None => router.settings.extend(properties.entries().iter().map(setting)),
    }
}

fn add_to_group(router: &mut Router, group: &str, element: &Value) {
    let earlier = router.settings.iter_mut().find(|setting| setting.name == group);
    match earlier.map(|setting| &mut setting.value.content) {
        Some(Content::List(elements)) => elements.push(element.clone()),
        Some(_) => {}
        None => {
            let value = Value { content: Content::List(vec![element.clone()]), ..*element };
            router.settings.push(Setting { name: group.to_owned(), value, spot: spot(element) });
        }
    }
}

fn resource<'m>(mta: &'m Value, name: &str) -> Option<&'m Value> {
    let resources = mta.at(&["resources"])?.items().iter();
    let mut named =
        resources.filter(|resource| resource.at(&["name"]).and_then(Value::as_text) == Some(name));
    named.next()
}

fn label(resource: &Value) -> Option<String> {
    let own = resource.at(&["parameters", "service"]).and_then(Value::as_text);
    let kind = resource.at(&["type"]).and_then(Value::as_text);
    let typed = || TYPES.iter().find(|(known, _)| Some(*known) == kind).map(|(_, label)| *label);
    own.or_else(typed).map(str::to_owned)
}

/// The destinations that are made together with the service.
fn initial_destinations(router: &mut Router, resource: &Value) {
    for level in ["subaccount", "instance"] {
        let keys = ["parameters", "config", "init_data", level, "destinations"];
        for destination in resource.at(&keys).map_or(&[][..], Value::items) {
            let name = destination.at(&["Name"]).map_or_else(String::new, Value::to_text);
            let findings = &mut router.findings;
            Walk { place: Place::DestinationService, file: FILE, fixed: None, strict: false, findings }
                .object(destination, "", &name);
        }
    }
}

fn setting(entry: &Entry) -> Setting {
    let spot = Spot { file: FILE.to_owned(), line: entry.line, column: entry.column };
    Setting { name: entry.key.clone(), value: entry.value.clone(), spot }
}

fn spot(value: &Value) -> Spot {
    Spot { file: FILE.to_owned(), line: value.line, column: value.column }
}
