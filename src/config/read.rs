//! Reads every source of a configuration into the file model.
//!
//! Knows which files there are and when they count; nothing of what they mean together. It reads on
//! after a problem, so that the problems of all files are reported at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jsonc_parser::ast::Value;

use super::decode::{Decoder, Fields, Node};
use super::env::settings::Settings;
use super::env::{Environment, Variables};
use super::file::app::XsApp;
use super::file::bindings::{self, Binding};
use super::file::tenants::XsTenants;
use super::problem::Findings;
use super::reference::References;
use super::text::{Mark, TextId, decode, parse};
use super::{Development, Sources};

/// Everything that was read.
#[derive(Debug)]
pub(crate) struct Model {
    /// `xs-app.json`; `None` where it could not be read.
    pub(crate) app: Option<XsApp>,
    /// `xs-tenants.json`; `None` where there is none, or it could not be read.
    pub(crate) tenants: Option<XsTenants>,
    /// What the environment says.
    pub(crate) settings: Settings,
    /// Where problems of `xs-app.json` as a whole stand.
    pub(crate) app_mark: Mark,
    /// The issuer that stands in for every other.
    pub(crate) development: Option<Development>,
}

/// Reads everything; what is to be watched is added to `watched`.
pub(crate) fn read(sources: &Sources, findings: &mut Findings, watched: &mut Vec<PathBuf>) -> Model {
    let mut open = |findings: &mut Findings, name: &str| {
        watched.push(sources.folder.join(name));
        open(findings, &sources.folder, name)
    };
    let app = open(findings, "xs-app.json");
    let tenants = open(findings, "xs-tenants.json");
    let local = !sources.environment.is_cloud_foundry();
    let default_env = if local { open(findings, "default-env.json") } else { Opened::Absent };
    let default_services = if local { open(findings, "default-services.json") } else { Opened::Absent };
    let app_mark = app.mark(findings);
    if let Opened::Absent = app {
        let folder = sources.folder.display();
        findings
            .error(app_mark, "missing_file", format!("there is no xs-app.json in {folder}"))
            .hint("name another folder with `-w DIR`");
    }
    let default_env_value = default_env.parse(findings);
    let defaults = default_env_value.as_ref().and_then(|(text, value)| variables_of(findings, *text, value));
    let merged = sources.environment.or(defaults.as_ref());
    let mut references = References::new(&merged, &sources.folder);
    references.without_issuers = sources.development.is_some();
    let mut d = Decoder { findings, references: &mut references };
    let variables = Variables { environment: &sources.environment, defaults };
    let mut settings = Settings::decode(&mut d, &variables);
    let model_app = app.parse(d.findings).and_then(|(text, value)| XsApp::decode(&mut d, node(&value, text)));
    let tenants =
        tenants.parse(d.findings).and_then(|(text, value)| XsTenants::decode(&mut d, node(&value, text)));
    let stand_ins = default_services
        .parse(d.findings)
        .and_then(|(text, value)| bindings::decode_default_services(&mut d, node(&value, text)));
    add_bindings(&mut settings.bindings, stand_ins.unwrap_or_default());
    read_mounted(&mut d, sources, &merged, &mut settings.bindings, watched);
    watched.extend(references.into_read());
    Model { app: model_app, tenants, settings, app_mark, development: sources.development.clone() }
}

/// The environment with what `default-env.json` stands in for, where that counts. What is wrong with that
/// file is said when everything is read.
pub(crate) fn variables(sources: &Sources) -> Environment {
    let mut merged = sources.environment.clone();
    if merged.is_cloud_foundry() {
        return merged;
    }
    let mut findings = Findings::default();
    let opened = open(&mut findings, &sources.folder, "default-env.json");
    let value = opened.parse(&mut findings);
    let defaults = value.as_ref().and_then(|(text, value)| variables_of(&mut findings, *text, value));
    for (name, _, node) in defaults.iter().flat_map(Fields::entries) {
        if merged.value(name).is_none_or(str::is_empty) {
            merged.set(name, node.as_str().unwrap_or_else(|| findings.texts.source(node)));
        }
    }
    merged
}

fn node<'v>(value: &'v Value<'v>, text: TextId) -> Node<'v> {
    Node { value, text }
}

fn variables_of<'v>(findings: &mut Findings, text: TextId, value: &'v Value<'v>) -> Option<Fields<'v>> {
    Decoder { findings, references: &mut References::default() }.map(node(value, text))
}

/// Adds stand-ins for services that are not bound.
fn add_bindings(bindings: &mut Vec<Binding>, stand_ins: Vec<Binding>) {
    for stand_in in stand_ins {
        if !bindings.iter().any(|binding| binding.label == stand_in.label || binding.name == stand_in.name) {
            bindings.push(stand_in);
        }
    }
}

/// Reads bindings that are mounted as folders.
fn read_mounted(
    d: &mut Decoder<'_, '_>,
    sources: &Sources,
    environment: &Environment,
    bindings: &mut Vec<Binding>,
    watched: &mut Vec<PathBuf>,
) {
    if let Some(root) = environment.value("SERVICE_BINDING_ROOT") {
        watched.push(PathBuf::from(root));
        bindings.extend(bindings::read_binding_root(d, Path::new(root)));
    }
    if sources.secrets.is_dir() {
        watched.push(sources.secrets.clone());
        bindings.extend(bindings::read_secret_root(d, &sources.secrets));
    }
}

/// A file that was looked for.
enum Opened {
    Absent,
    Unreadable(TextId),
    Text(TextId, Arc<str>),
}

impl Opened {
    /// Where the file as a whole stands.
    fn mark(&self, findings: &mut Findings) -> Mark {
        match self {
            Self::Unreadable(text) | Self::Text(text, _) => text.at(0),
            Self::Absent => findings.texts.add("xs-app.json", "").0.at(0),
        }
    }

    fn parse(&self, findings: &mut Findings) -> Option<(TextId, Value<'_>)> {
        let Self::Text(text, content) = self else { return None };
        match parse(content) {
            Ok(value) => Some((*text, value)),
            Err(error) => {
                Decoder { findings, references: &mut References::default() }.syntax_error(*text, error);
                None
            }
        }
    }
}

fn open(findings: &mut Findings, folder: &Path, name: &str) -> Opened {
    let bytes = match std::fs::read(folder.join(name)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Opened::Absent,
        Err(error) => {
            let (text, _) = findings.texts.add(name, "");
            findings.error(text.at(0), "unreadable_file", format!("this cannot be read: {error}"));
            return Opened::Unreadable(text);
        }
    };
    match decode(&bytes) {
        Ok(content) => {
            let (text, content) = findings.texts.add(name, content);
            Opened::Text(text, content)
        }
        Err(error) => {
            let readable = bytes.get(..error.offset).unwrap_or_default();
            let (text, _) = findings.texts.add(name, &String::from_utf8_lossy(readable));
            Decoder { findings, references: &mut References::default() }.syntax_error(text, error);
            Opened::Unreadable(text)
        }
    }
}
