//! The properties of a destination as the service has them: texts by name.
//!
//! Flags and numbers are written as text, or as what they are. An empty text is as good as none.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::auth::json::{Map, Value};

/// The properties of a destination.
pub(super) struct Properties<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Properties<'a> {
    /// A property's text.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
    }

    /// A whole number, be it written as text.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.0.get(name).and_then(Value::as_u64).or_else(|| self.text(name)?.parse().ok())
    }

    /// Whether a flag is set.
    pub(super) fn is_on(&self, name: &str) -> bool {
        self.flag(name) == Some(true)
    }

    /// Whether a flag is not set, and said to be.
    pub(super) fn is_off(&self, name: &str) -> bool {
        self.flag(name) == Some(false)
    }

    fn flag(&self, name: &str) -> Option<bool> {
        match self.0.get(name)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
            Value::String(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
            Value::String(_) | Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// The properties whose names begin with `prefix`, by the rest of their names.
    pub(super) fn behind(&self, prefix: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str()?)))
    }

    /// Whether the Connectivity proxy is on the way; `None` where the word is not known.
    pub(super) fn proxy_type(&self) -> Option<bool> {
        let Some(word) = self.text("ProxyType") else { return Some(false) };
        let plain: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
        match plain.to_ascii_lowercase().as_str() {
            "internet" | "privatelink" => Some(false),
            "onpremise" => Some(true),
            _ => None,
        }
    }

    /// Whether the Connectivity proxy is on the way.
    pub(super) fn is_on_premise(&self) -> bool {
        self.proxy_type() == Some(true)
    }
}

/// `Authorization` by user and password (RFC 7617 §2).
pub(super) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
