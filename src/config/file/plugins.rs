//! The `plugins` variable: routes that are tried before those of `xs-app.json`.
//!
//! A plugin is a route with fewer keys and becomes one, so that nothing after this file knows the
//! difference.

use super::super::decode::{Decoder, Node};
use super::super::text::Located;
use super::route::{AUTHENTICATION, Action, Route, Scope, Source};

/// The keys of a plugin.
pub(crate) const KEYS: &[&str] =
    &["name", "source", "target", "destination", "csrfProtection", "scope", "authenticationType"];

/// Reads the variable.
pub(crate) fn decode(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Vec<Route>> {
    d.list(node, |d, node| {
        let fields = d.fields(node, KEYS)?;
        let name = d.required(&fields, "name").and_then(|node| d.text(node));
        let destination = d.required(&fields, "destination").and_then(|node| d.text(node));
        Some(Route {
            endpoint: None,
            mark: fields.mark(),
            name: name.map(|name| name.value),
            source: d.required(&fields, "source").and_then(|node| Source::decode(d, node)),
            methods: None,
            target: fields.take("target").and_then(|node| d.string(node)),
            action: destination
                .map(|name| Located { value: Action::Destination(name.value), mark: name.mark }),
            authentication: fields.take("authenticationType").and_then(|node| d.word(node, &AUTHENTICATION)),
            csrf: fields.take("csrfProtection").and_then(|node| d.boolean(node)).unwrap_or(true),
            scope: fields.take("scope").and_then(|node| Scope::decode(d, node)),
            cache_control: None,
            identity_provider: None,
            dynamic_identity_provider: false,
            passes_session_cookies: false,
            replace: None,
            prefer_local: false,
        })
    })
}
