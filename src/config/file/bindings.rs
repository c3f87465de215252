//! Service bindings, whatever form they come in.
//!
//! `VCAP_SERVICES` on Cloud Foundry, folders of one file a key on Kubernetes (servicebinding.io, and the
//! older `/etc/secrets/sapbtp`), `default-services.json` on a developer's machine: all become
//! [`Binding`]s. Every credential is a secret, also those that are not, so that none is ever printed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::decode::{Decoder, Fields, Node};
use super::super::text::{Located, Mark};
use crate::secret::Secret;

/// One bound service.
#[derive(Debug)]
pub(crate) struct Binding {
    pub(crate) mark: Mark,
    /// What kind of service it is: `xsuaa`, `identity`, `saas-registry`.
    pub(crate) label: Box<str>,
    pub(crate) name: Box<str>,
    pub(crate) plan: Box<str>,
    pub(crate) tags: Vec<Box<str>>,
    pub(crate) credentials: BTreeMap<Box<str>, Located<Secret>>,
}

impl Binding {
    /// A credential's text, where it is not empty.
    pub(crate) fn credential(&self, key: &str) -> Option<&str> {
        self.credentials.get(key).map(|secret| secret.value.expose()).filter(|text| !text.is_empty())
    }

    /// The credentials that stand in an object of their own under `key`, as a binding; `None` where there is
    /// no such object.
    pub(crate) fn part(&self, key: &str) -> Option<Self> {
        let secret = self.credentials.get(key)?;
        let members: serde_json::Map<String, Value> = serde_json::from_str(secret.value.expose()).ok()?;
        let text = |value: Value| match value {
            Value::String(text) => text,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                value.to_string()
            }
        };
        let credentials = members.into_iter().map(|(name, value)| {
            (name.into(), Located { value: Secret::new(text(value)), mark: secret.mark })
        });
        Some(Self {
            mark: secret.mark,
            label: self.label.clone(),
            name: self.name.clone(),
            plan: self.plan.clone(),
            tags: Vec::new(),
            credentials: credentials.collect(),
        })
    }

    /// Whether it is of a kind, by label or tag.
    pub(crate) fn is(&self, kind: &str) -> bool {
        &*self.label == kind || self.tags.iter().any(|tag| &**tag == kind)
    }
}

/// Reads `VCAP_SERVICES`: lists of bindings by label.
pub(crate) fn decode_vcap(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Vec<Binding>> {
    let labels = d.map(node)?;
    let mut bindings = Vec::new();
    for (label, _, node) in labels.entries() {
        bindings.extend(d.list(node, |d, node| decode_binding(d, label, node)).unwrap_or_default());
    }
    Some(bindings)
}

fn decode_binding(d: &mut Decoder<'_, '_>, label: &str, node: Node<'_>) -> Option<Binding> {
    let fields = d.map(node)?;
    let text = |key| fields.take(key).and_then(Node::as_str);
    let tags = fields.take("tags").and_then(|node| d.list(node, |_, node| node.as_str().map(Box::from)));
    let credentials = fields.take("credentials").and_then(|node| d.map(node));
    Some(Binding {
        mark: fields.mark(),
        label: text("label").unwrap_or(label).into(),
        name: text("name").unwrap_or(label).into(),
        plan: text("plan").unwrap_or_default().into(),
        tags: tags.unwrap_or_default(),
        credentials: credentials.map(|fields| decode_credentials(d, &fields)).unwrap_or_default(),
    })
}

fn decode_credentials(d: &mut Decoder<'_, '_>, fields: &Fields<'_>) -> BTreeMap<Box<str>, Located<Secret>> {
    let credential = |(key, mark, node): (&str, Mark, Node<'_>)| {
        let text = node.as_str().unwrap_or_else(|| d.findings.texts.source(node));
        (key.into(), Located { value: Secret::new(text), mark })
    };
    fields.entries().map(credential).collect()
}

/// Reads `default-services.json`: credentials by name. `uaa` is the authorization server.
pub(crate) fn decode_default_services(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Vec<Binding>> {
    let services = d.map(node)?;
    let mut bindings = Vec::new();
    for (name, mark, node) in services.entries() {
        let Some(fields) = d.map(node) else { continue };
        let label = match name {
            "uaa" => "xsuaa",
            "ias" => "identity",
            _ => name,
        };
        bindings.push(Binding {
            mark,
            label: label.into(),
            name: name.into(),
            plan: Box::default(),
            tags: Vec::new(),
            credentials: decode_credentials(d, &fields),
        });
    }
    Some(bindings)
}

/// Reads the bindings of `root/<name>/` (servicebinding.io: the file `type` says what it is).
pub(crate) fn read_binding_root(d: &mut Decoder<'_, '_>, root: &Path) -> Vec<Binding> {
    folders(root).iter().map(|folder| read_folder(d, folder, None)).collect()
}

/// Reads the bindings of `root/<service>/<instance>/`.
pub(crate) fn read_secret_root(d: &mut Decoder<'_, '_>, root: &Path) -> Vec<Binding> {
    let services = folders(root);
    let instances = services.iter().flat_map(|service| {
        let label = file_name(service);
        folders(service).into_iter().map(move |instance| (label.clone(), instance))
    });
    instances.map(|(label, instance)| read_folder(d, &instance, Some(&label))).collect()
}

fn read_folder(d: &mut Decoder<'_, '_>, folder: &Path, label: Option<&str>) -> Binding {
    let (text, _) = d.findings.texts.add(folder.display().to_string(), "");
    let mark = text.at(0);
    let mut credentials = BTreeMap::new();
    for path in files(folder) {
        if let Ok(value) = d.references.file(&path.to_string_lossy()) {
            credentials.insert(file_name(&path), Located { value: Secret::new(value), mark });
        } else {
            let message = format!("`{}` cannot be read as text", path.display());
            d.findings.warning(mark, "unreadable_credential", message);
        }
    }
    let told = |key: &str| credentials.get(key).map(|secret| secret.value.expose().to_owned());
    let label = label.map(str::to_owned).or_else(|| told("label")).or_else(|| told("type"));
    let tags = told("tags").map(|tags| split_tags(&tags)).unwrap_or_default();
    Binding {
        mark,
        label: label.unwrap_or_default().into(),
        name: told("instance_name").map_or_else(|| file_name(folder), Into::into),
        plan: told("plan").unwrap_or_default().into(),
        tags,
        credentials,
    }
}

/// Tags as a JSON list or separated by commas.
fn split_tags(tags: &str) -> Vec<Box<str>> {
    let bare = tags.trim_start_matches('[').trim_end_matches(']');
    bare.split(',').map(|tag| tag.trim().trim_matches('"').into()).collect()
}

fn folders(root: &Path) -> Vec<PathBuf> {
    visible(root).into_iter().filter(|path| path.is_dir()).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    visible(folder).into_iter().filter(|path| path.is_file()).collect()
}

/// What is in a folder, in order of name; Kubernetes' `..data` and its like are not.
fn visible(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| !file_name(path).starts_with('.'));
    paths.sort();
    paths
}

fn file_name(path: &Path) -> Box<str> {
    path.file_name().map(|name| name.to_string_lossy().into()).unwrap_or_default()
}
