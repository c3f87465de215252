//! What the tags in a route's files stand for.
//!
//! Only what `replace` names stands for anything, and of a service's credentials never what proves who
//! somebody is: a page is for its readers, and a password in it is for all of them. What is withheld is
//! warned of, as is a variable that sounds like a secret.

use std::collections::HashMap;

use serde_json::Value;

use super::super::super::file::bindings::Binding;
use super::super::super::file::replace::{Replace, ServiceQuery, Variable};
use super::super::super::text::Located;
use super::Compiler;
use crate::forward::files::Replacement;
use crate::secret::Secret;

/// How deep members of a credential may lie.
const DEEPEST: usize = 8;

/// Variables that hold secrets of the router itself: never in a file.
const OWN_SECRETS: [&str; 9] = [
    "ADMIN_TOKEN",
    "BACKEND_COOKIES_SECRET",
    "EXT_SESSION_MGT",
    "SESSION_SECRET",
    "SESSION_STORE",
    "STATE_PARAMETER_SECRET",
    "TLS_KEY_FILE",
    "VCAP_SERVICES",
    "destinations",
];

/// What a name holds that is a secret.
const SECRET_WORDS: [&str; 6] = ["secret", "password", "passwd", "passphrase", "privatekey", "token"];

type Values = HashMap<Box<str>, Secret>;

/// What is replaced in the files of a route.
pub(super) fn compile(compiler: &mut Compiler<'_>, written: &Replace) -> Replacement {
    let mut values = Values::new();
    for variable in &written.variables {
        add_variable(compiler, variable, &mut values);
    }
    for query in &written.services {
        if let Some(binding) = bound(compiler, query) {
            add_service(compiler, query, binding, &mut values);
        }
    }
    if written.suffixes.is_empty() {
        let message = "no path ends in nothing, so nothing is replaced";
        compiler.findings.warning(written.mark, "no_suffix", message);
    }
    Replacement::new(written.suffixes.iter().map(|suffix| suffix.value.clone()).collect(), values)
}

/// Checks that exactly one service is bound for each that `replace` looks for.
pub(super) fn check(compiler: &mut Compiler<'_>, written: &Replace) {
    for query in &written.services {
        let bindings = &compiler.model.settings.bindings;
        let problem = match bindings.iter().filter(|binding| answers(binding, query)).count() {
            1 => continue,
            0 => format!("no bound service is what `{}` looks for", query.name.value),
            more => format!("{more} bound services are what `{}` looks for", query.name.value),
        };
        compiler.findings.error(query.name.mark, "unknown_service", problem);
    }
}

fn bound<'m>(compiler: &Compiler<'m>, query: &ServiceQuery) -> Option<&'m Binding> {
    compiler.model.settings.bindings.iter().find(|binding| answers(binding, query))
}

fn answers(binding: &Binding, query: &ServiceQuery) -> bool {
    query.properties.iter().all(|(property, value)| match *property {
        "name" => binding.name == *value,
        "label" => binding.label == *value,
        "plan" => binding.plan == *value,
        _ => binding.tags.contains(value),
    })
}

fn add_variable(compiler: &mut Compiler<'_>, variable: &Variable, values: &mut Values) {
    let Located { value: name, mark } = &variable.name;
    let Some(value) = &variable.value else {
        let message = format!("`{name}` is not set, so its tags become nothing");
        compiler.findings.note(*mark, "unset_variable", message);
        return;
    };
    if OWN_SECRETS.contains(&&**name) {
        let message = format!("`{name}` holds secrets of the router, so its tags become nothing");
        compiler.findings.warning(*mark, "withheld_secret", message);
        return;
    }
    if is_secret(name, value.expose()) {
        let message = format!("`{name}` sounds like a secret; everyone whom the route lets in can read it");
        compiler.findings.warning(*mark, "secret_in_file", message);
    }
    values.insert(name.clone(), value.clone());
}

fn add_service(compiler: &mut Compiler<'_>, query: &ServiceQuery, binding: &Binding, values: &mut Values) {
    let mut withheld = Vec::new();
    for (key, credential) in &binding.credentials {
        let name = format!("{}.{key}", query.name.value);
        add_credential(name, key, credential.value.expose(), values, &mut withheld);
    }
    if !withheld.is_empty() {
        let message = format!("tags of these become nothing, as they are secrets: {}", withheld.join(", "));
        compiler.findings.warning(query.name.mark, "withheld_secret", message);
    }
}

/// Adds a credential by its dotted name, or its members where it is an object.
fn add_credential(name: String, key: &str, text: &str, values: &mut Values, withheld: &mut Vec<String>) {
    match text.starts_with(['{', '[']).then(|| serde_json::from_str::<Value>(text)) {
        Some(Ok(value)) => add_members(&name, key, &value, values, withheld, DEEPEST),
        Some(Err(_)) | None => add_text(name, key, text, values, withheld),
    }
}

fn add_members(
    name: &str,
    key: &str,
    value: &Value,
    values: &mut Values,
    withheld: &mut Vec<String>,
    depth: usize,
) {
    match value {
        Value::Object(members) if depth > 0 => {
            for (member, value) in members {
                add_members(&format!("{name}.{member}"), member, value, values, withheld, depth - 1);
            }
        }
        Value::String(text) => add_text(name.to_owned(), key, text, values, withheld),
        Value::Number(number) => add_text(name.to_owned(), key, &number.to_string(), values, withheld),
        Value::Bool(flag) => add_text(name.to_owned(), key, &flag.to_string(), values, withheld),
        // A list has no text of its own, and what lies too deep is not looked at.
        Value::Null | Value::Array(_) | Value::Object(_) => {}
    }
}

fn add_text(name: String, key: &str, text: &str, values: &mut Values, withheld: &mut Vec<String>) {
    if is_secret(key, text) {
        withheld.push(format!("`{name}`"));
    } else {
        values.insert(name.into(), Secret::new(text));
    }
}

/// Whether a credential proves who somebody is: by its name, or as a private key or an address with a
/// password in it.
fn is_secret(key: &str, text: &str) -> bool {
    if text.contains("PRIVATE KEY-----") {
        return true;
    }
    if let Some((scheme, rest)) = text.split_once("://")
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    {
        return rest.split(['/', '?', '#']).next().unwrap_or_default().contains('@');
    }
    let plain: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| plain.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proves_who_somebody_is_stays_here() {
        for (key, text, secret, shows) in [
            ("url", "https://ui5.example", false, "an address"),
            ("clientid", "sb-app!t1", false, "a name"),
            ("clientsecret", "x", true, "a client's password"),
            ("client_secret", "x", true, "in another spelling"),
            ("Password", "x", true, "in any case"),
            ("apikey", "AIza", false, "what pages send along themselves"),
            ("tokenurl", "https://uaa.example/oauth/token", false, "an address by its value"),
            ("access_token", "x", true, "a token"),
            ("uri", "postgres://user:pass@db:5432/x", true, "an address with a password"),
            ("uri", "https://a.example/@x", false, "a path with the same sign"),
            ("key", "-----BEGIN RSA PRIVATE KEY-----\n", true, "a private key by its value"),
            ("certificate", "-----BEGIN CERTIFICATE-----\n", false, "a certificate is for everyone"),
        ] {
            assert_eq!(is_secret(key, text), secret, "{key}: {shows}");
        }
    }

    #[test]
    fn members_have_dotted_names() {
        let (mut values, mut withheld) = (Values::new(), Vec::new());
        let text = r#"{"url": "http://x", "port": 1, "tls": true, "auth": {"clientsecret": "s"}, "l": [1]}"#;
        add_credential("s.endpoint".to_owned(), "endpoint", text, &mut values, &mut withheld);
        let mut known: Vec<(&str, &str)> =
            values.iter().map(|(name, value)| (&**name, value.expose())).collect();
        known.sort_unstable();
        assert_eq!(
            known,
            [("s.endpoint.port", "1"), ("s.endpoint.tls", "true"), ("s.endpoint.url", "http://x")]
        );
        assert_eq!(withheld, ["`s.endpoint.auth.clientsecret`"]);
    }
}
