//! What answers without a route: the plugins as JSON, and the allowlist against clickjacking.
//!
//! Both are paths that everyone may ask, and everything below them; what they say is made here, once.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use super::super::file::route::{AUTHENTICATION, Action, Authentication, Route, Scope};
use super::super::text::Located;
use super::Compiler;
use super::cors::origin_rule;
use super::login::endpoint;
use crate::snapshot::{Framing, PluginMetadata};

/// The plugins, where they are to be told.
#[expect(clippy::option_option, reason = "absent and broken are different, and a broken one is noticed here")]
pub(super) fn plugin_metadata(compiler: &mut Compiler<'_>) -> Option<Option<PluginMetadata>> {
    let written = compiler.model.app.as_ref().and_then(|app| app.plugin_metadata.as_ref());
    let Some(written) = written else { return Some(None) };
    let path = below_root(compiler, written)?;
    let message = "everyone may read here what the plugins are called and where they lead";
    compiler.findings.note(written.mark, "public_endpoint", message);
    let plugins: Vec<Plugin<'_>> = compiler.model.settings.plugins.iter().map(Plugin::of).collect();
    // Texts, flags and lists of texts always become JSON.
    let text = serde_json::to_string_pretty(&plugins).unwrap_or_default();
    Some(Some(PluginMetadata { path, body: text.into() }))
}

/// The allowlist, where there is one.
#[expect(clippy::option_option, reason = "absent and broken are different, and a broken one is noticed here")]
pub(super) fn framing(compiler: &mut Compiler<'_>) -> Option<Option<Framing>> {
    let written = compiler.model.app.as_ref().and_then(|app| app.allowlist.as_ref());
    let origins = compiler.model.settings.framing_origins.as_ref();
    let Some(written) = written else {
        if let Some(origins) = origins {
            let message = "nothing asks this: `whitelistService` of xs-app.json is not there";
            compiler.findings.warning(origins.mark, "unused_variable", message);
        }
        return Some(None);
    };
    let path = below_root(compiler, written)?;
    let origins = origins.map(|origins| {
        let rules = origins.value.iter().filter_map(|origin| origin_rule(compiler, origin));
        rules.collect::<Arc<[_]>>()
    });
    Some(Some(Framing { path, origins }))
}

/// The path of an endpoint, without a slash at its end. The root would take every request.
fn below_root(compiler: &mut Compiler<'_>, written: &Located<Box<str>>) -> Option<Box<str>> {
    let path = endpoint(compiler, written)?;
    let path = path.trim_end_matches('/');
    if path.is_empty() {
        compiler.findings.error(written.mark, "unusable_path", "this would take every request");
        return None;
    }
    Some(path.into())
}

/// A plugin as the SAP application router tells it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Plugin<'p> {
    name: Option<&'p str>,
    source: Option<String>,
    destination: Option<&'p str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'p str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authentication_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_protection: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<Value>,
}

impl<'p> Plugin<'p> {
    fn of(plugin: &'p Route) -> Self {
        Self {
            name: plugin.name.as_deref(),
            source: plugin.source.as_ref().map(|source| escaped(&source.pattern.value)),
            destination: plugin.action.as_ref().and_then(|action| destination(&action.value)),
            target: plugin.target.as_ref().map(|target| &*target.value),
            authentication_type: plugin.authentication.map(|kind| word(kind.value)),
            csrf_protection: (!plugin.csrf).then_some(false),
            scope: plugin.scope.as_ref().map(scope),
        }
    }
}

/// A pattern as JavaScript prints one: its slashes escaped.
fn escaped(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len() + 8);
    let mut is_escaped = false;
    for sign in pattern.chars() {
        if sign == '/' && !is_escaped {
            text.push('\\');
        }
        is_escaped = sign == '\\' && !is_escaped;
        text.push(sign);
    }
    text
}

fn destination(action: &Action) -> Option<&str> {
    match action {
        Action::Destination(name) => Some(name),
        Action::LocalDir(_) | Action::Service(_) => None,
    }
}

fn scope(scope: &Scope) -> Value {
    let list = |scopes: &[Box<str>]| match scopes {
        [only] => json!(only),
        several => json!(several),
    };
    match scope {
        Scope::Any(scopes) => list(scopes),
        Scope::ByMethod(rules) => {
            rules.iter().map(|(method, scopes)| (method.to_string(), list(scopes))).collect()
        }
    }
}

/// As the configuration writes it.
fn word(kind: Authentication) -> &'static str {
    AUTHENTICATION.iter().find(|(_, known)| *known == kind).map_or("", |(word, _)| word)
}
