//! Files and environment become a snapshot, or a list of everything that is wrong with them.
//!
//! Four steps, four types: text ([`text`]), the file model ([`file`]), compiling ([`compile`]), and the
//! [`crate::snapshot::Snapshot`] that the stages read. Only [`compile`] knows both the file model and the
//! stages. Nothing is looked up in the process environment except by [`Environment::of_process`].

mod compile;
mod decode;
pub mod document;
pub mod documented;
mod env;
mod file;
mod problem;
mod read;
mod reference;
pub mod schema;
mod store;
mod text;

use std::path::PathBuf;

use decode::{Decoder, Node};
pub use env::Environment;
use file::app::XsApp;
use file::tenants::XsTenants;
use problem::Findings;
pub use problem::{NOT_SUPPORTED_YET, Problem, Problems, Severity};
use reference::References;
pub use store::{Place, Redis, SessionStore};

use crate::snapshot::Snapshot;

/// Where a configuration comes from.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The working directory.
    pub folder: PathBuf,
    /// The environment.
    pub environment: Environment,
    /// Where bindings are mounted that `$SERVICE_BINDING_ROOT` does not name.
    pub secrets: PathBuf,
    /// Whether a tenant whose own part is broken answers 503 while the others are served, as on a reload;
    /// otherwise its problems refuse the configuration, as at start.
    pub contain_tenants: bool,
    /// The issuer that stands in for every bound or written one; `None` is as configured.
    pub development: Option<Development>,
}

/// An issuer on a developer's machine, with a realm for each tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Development {
    /// Its address; each tenant's realm is below it, by the tenant's key.
    pub url: String,
    /// The client that it knows the application as.
    pub client_id: String,
}

impl Sources {
    /// The sources of a server that starts in `folder`.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, environment: Environment) -> Self {
        let secrets = PathBuf::from("/etc/secrets/sapbtp");
        Self { folder: folder.into(), environment, secrets, contain_tenants: false, development: None }
    }
}

/// What came of a configuration.
#[derive(Debug)]
pub struct Loaded {
    /// What the stages read; `None` where the configuration is refused.
    pub snapshot: Option<Snapshot>,
    /// Where sessions are kept; there wherever the snapshot is. It counts at start alone.
    pub store: Option<SessionStore>,
    /// Everything that was noticed.
    pub problems: Problems,
    /// The files and folders that it was read from, or would have been, were they there.
    pub watched: Vec<PathBuf>,
}

/// Reads and compiles a configuration.
#[must_use]
pub fn load(sources: &Sources) -> Loaded {
    let mut findings = Findings::default();
    let mut watched = Vec::new();
    let model = read::read(sources, &mut findings, &mut watched);
    let cloud_foundry = sources.environment.is_cloud_foundry();
    let compiled = compile::compile(&model, &sources.folder, cloud_foundry, &mut findings);
    let refused = findings.errors() > 0 || (findings.contained() > 0 && !sources.contain_tenants);
    let problems = findings.into_problems();
    let (snapshot, store) = compiled.filter(|_| !refused).unzip();
    Loaded { snapshot, store, problems, watched }
}

/// The variables in force: those that are set, and those that `default-env.json` stands in for.
#[must_use]
pub fn variables(sources: &Sources) -> Environment {
    read::variables(sources)
}

/// Reads the text of an `xs-app.json` alone: its syntax, keys and values. Touches no file.
#[must_use]
pub fn parse_xs_app(content: &str) -> Problems {
    parse_alone("xs-app.json", content, |d, node| drop(XsApp::decode(d, node)))
}

/// Reads the text of an `xs-tenants.json` alone: its syntax, keys and values. Touches no file.
#[must_use]
pub fn parse_xs_tenants(content: &str) -> Problems {
    parse_alone("xs-tenants.json", content, |d, node| drop(XsTenants::decode(d, node)))
}

fn parse_alone(name: &str, content: &str, decode: impl Fn(&mut Decoder<'_, '_>, Node<'_>)) -> Problems {
    let mut findings = Findings::default();
    let (text, content) = findings.texts.add(name, content);
    let mut references = References::default();
    let mut d = Decoder { findings: &mut findings, references: &mut references };
    match text::parse(&content) {
        Ok(value) => decode(&mut d, Node { value: &value, text }),
        Err(error) => d.syntax_error(text, error),
    }
    findings.into_problems()
}

#[cfg(test)]
mod tests;
