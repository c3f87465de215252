//! Which address of a binding a route means.
//!
//! An endpoint by its name, else the `url` or `uri` of the service as a whole. Bindings in the wild write
//! an endpoint as an object or as the address alone. Surprising: where the authorization server is not
//! set apart in `uaa`, `url` is the server's, and only `uri` is the service's.

use std::time::Duration;

use super::super::super::decode::nearest;
use super::super::super::file::bindings::Binding;
use super::super::super::text::Mark;
use super::super::Compiler;
use crate::secret::Secret;

/// An address, and what else the binding says of it.
#[derive(Debug, Default)]
pub(super) struct Place {
    pub(super) url: String,
    pub(super) timeout: Option<Duration>,
    pub(super) members: Vec<(Box<str>, Secret)>,
}

/// The address of `endpoint`, or of the service as a whole; `None` where there is none, which is noticed.
pub(super) fn find(
    compiler: &mut Compiler<'_>,
    binding: &Binding,
    endpoint: Option<&str>,
    mark: Mark,
) -> Option<Place> {
    let endpoints = binding.part("endpoints");
    if endpoints.is_none() && binding.credentials.contains_key("endpoints") {
        let message = format!("`endpoints` of `{}` is not an object", binding.name);
        compiler.findings.error(binding.mark, "malformed_credential", message);
        return None;
    }
    let known: Vec<&str> = endpoints.iter().flat_map(|part| part.credentials.keys()).map(|k| &**k).collect();
    let Some(name) = endpoint else {
        let keys: &[&str] = if binding.credentials.contains_key("uaa") { &["url", "uri"] } else { &["uri"] };
        let url = keys.iter().find_map(|key| binding.credential(key));
        if url.is_none() {
            let keys = keys.join("` or `");
            let message =
                format!("the binding of `{}` has no `{keys}`, so an endpoint is needed", binding.name);
            let hint = format!("`endpoint`: one of {}", known.join(", "));
            let finding = compiler.findings.error(mark, "missing_endpoint", message);
            if !known.is_empty() {
                finding.hint(hint);
            }
        }
        return url.map(|url| Place { url: url.to_owned(), ..Place::default() });
    };
    let Some(part) = endpoints.as_ref().filter(|part| part.credentials.contains_key(name)) else {
        // Older bindings have it among the credentials.
        if let Some(url) = binding.credential(name).filter(|text| text.starts_with("http")) {
            return Some(Place { url: url.to_owned(), ..Place::default() });
        }
        let message = format!("the binding of `{}` has no endpoint `{name}`", binding.name);
        let hint = nearest(name, &known).map(|nearest| format!("did you mean `{nearest}`?"));
        let finding = compiler.findings.error(mark, "unknown_endpoint", message);
        if let Some(hint) = hint {
            finding.hint(hint);
        }
        return None;
    };
    place(compiler, part, name)
}

/// What `endpoints` says of `name`.
fn place(compiler: &mut Compiler<'_>, endpoints: &Binding, name: &str) -> Option<Place> {
    let Some(object) = endpoints.part(name) else {
        let url = super::super::bound::required(compiler, endpoints, name)?;
        return Some(Place { url, ..Place::default() });
    };
    let url = super::super::bound::required(compiler, &object, "url")?;
    let timeout = match object.credential("timeout") {
        None => None,
        Some(text) => {
            if let Some(milliseconds) = text.parse::<u64>().ok().filter(|milliseconds| *milliseconds > 0) {
                Some(Duration::from_millis(milliseconds))
            } else {
                let message = format!("`timeout` of the endpoint `{name}` is not a positive integer");
                compiler.findings.error(endpoints.mark, "out_of_range", message);
                return None;
            }
        }
    };
    let members = object.credentials.iter().map(|(key, secret)| (key.clone(), secret.value.clone()));
    Some(Place { url, timeout, members: members.collect() })
}
