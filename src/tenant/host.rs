//! Rules that read a tenant's key from the host.
//!
//! Exact names first, then globs in their order, then `TENANT_HOST_PATTERN`. Each sees the canonical
//! host: lower case, no port, no trailing dot. What a rule reads is a key only if it is a DNS label;
//! anything else, `a.b` or nothing at all, names nobody.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{TenantKey, is_key};
use crate::request::Host;

mod pattern;
mod placeholder;
mod shape;

pub use pattern::{HostPattern, HostPatternError, HostPatternWarning};

/// How many globs may be asked before remembering the answer is cheaper.
const CHEAP_GLOBS: usize = 8;

/// Every rule that reads a key from the host.
#[derive(Debug, Default)]
pub(super) struct HostRules {
    pub(super) exact: HashMap<Box<str>, TenantKey, foldhash::fast::RandomState>,
    pub(super) globs: Vec<HostGlob>,
    pub(super) pattern: Option<HostPattern>,
}

impl HostRules {
    pub(super) fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.globs.is_empty() && self.pattern.is_none()
    }

    /// Whether asking costs more than remembering.
    pub(super) fn is_dear(&self) -> bool {
        self.globs.len() > CHEAP_GLOBS || self.pattern.is_some()
    }

    /// The key that the first rule reads from the host.
    pub(super) fn name<'a>(&'a self, host: &'a Host, port: Option<u16>) -> Option<Cow<'a, str>> {
        let host = host.as_str();
        if !self.exact.is_empty()
            && let Some(key) = self.exact.get(host)
        {
            return Some(Cow::Borrowed(key.as_str()));
        }
        let by_glob = self.globs.iter().find_map(|glob| glob.name(host)).map(Cow::Borrowed);
        by_glob.or_else(|| self.pattern.as_ref()?.name(host, port))
    }
}

/// A host with one `{tenant}` in it, such as `{tenant}.example.test`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostGlob {
    prefix: Box<str>,
    suffix: Box<str>,
}

impl HostGlob {
    /// The glob in `text`, without a port.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, HostGlobError> {
        let lower = text.to_ascii_lowercase();
        let text = lower.strip_suffix('.').unwrap_or(&lower);
        let (prefix, suffix) = text.split_once("{tenant}").ok_or(HostGlobError::NoTenant)?;
        if suffix.contains("{tenant}") {
            return Err(HostGlobError::Twice);
        }
        // What a tenant's host would be must be a host.
        Host::parse(&format!("{prefix}a{suffix}")).map_err(HostGlobError::Host)?;
        Ok(Self { prefix: prefix.into(), suffix: suffix.into() })
    }

    fn name<'h>(&self, host: &'h str) -> Option<&'h str> {
        host.strip_prefix(&*self.prefix)?.strip_suffix(&*self.suffix).filter(|key| is_key(key))
    }

    /// The host of the tenant `key`, where this glob would read it back.
    #[must_use]
    pub fn host_of(&self, key: &TenantKey) -> String {
        format!("{}{key}{}", self.prefix, self.suffix)
    }
}

/// What is wrong with a host glob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostGlobError {
    /// `{tenant}` is missing.
    #[error("a host without {{tenant}} must say whose it is: {{\"host\": …, \"tenant\": …}}")]
    NoTenant,
    /// `{tenant}` stands there more than once.
    #[error("{{tenant}} may stand in a host only once")]
    Twice,
    /// With a tenant's key in its place the text is no host.
    #[error("it is no host: {0}")]
    Host(crate::request::HostFault),
}

#[cfg(test)]
mod tests;
