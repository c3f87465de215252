//! A tenant's key in the path: `/t/{tenant}`.
//!
//! Read from the canonical path only, in whole segments and with case: a key that is escaped, in upper
//! case or behind an empty segment names nobody.

use super::is_key;

/// Where in the path the key stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathRule {
    /// Up to and with the `/` before the key.
    before: Box<str>,
    /// From the `/` behind the key; empty where the key ends the prefix.
    after: Box<str>,
    /// Whether the prefix is taken off before routes match.
    pub strip: bool,
}

impl PathRule {
    /// The rule of a template such as `/t/{tenant}`: begins with `/`, has `{tenant}` exactly once and
    /// as a whole segment. A slash at the end changes nothing.
    ///
    /// # Errors
    /// What is wrong with the template.
    pub fn parse(template: &str, strip: bool) -> Result<Self, PathRuleError> {
        let template = template.strip_suffix('/').unwrap_or(template);
        let (before, after) = template.split_once("{tenant}").ok_or(PathRuleError::NoTenant)?;
        if !before.starts_with('/') {
            return Err(PathRuleError::NoSlash);
        }
        if after.contains("{tenant}") {
            return Err(PathRuleError::Twice);
        }
        if !before.ends_with('/') || !(after.is_empty() || after.starts_with('/')) {
            return Err(PathRuleError::NotASegment);
        }
        if let Some(other) = [before, after].into_iter().flat_map(str::chars).find(|c| !is_plain(*c)) {
            return Err(PathRuleError::Character(other));
        }
        if before.contains("//") || after.contains("//") || has_dots(before) || has_dots(after) {
            return Err(PathRuleError::Segment);
        }
        Ok(Self { before: before.into(), after: after.into(), strip })
    }

    /// The key that `path` names, and how many of its bytes are the prefix.
    pub(super) fn name<'p>(&self, path: &'p str) -> Option<(&'p str, usize)> {
        let rest = path.strip_prefix(&*self.before)?;
        let key = rest.split('/').next().filter(|key| is_key(key))?;
        let rest = rest[key.len()..].strip_prefix(&*self.after)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| (key, path.len() - rest.len()))
    }

    /// The prefix of the tenant `key`, without a slash at its end, for redirects and cookie paths.
    #[must_use]
    pub fn prefix_of(&self, key: &super::TenantKey) -> String {
        format!("{}{key}{}", self.before, self.after)
    }
}

/// Letters, digits and what needs no escape in a path.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | '~' | '@' | '!' | '+')
}

fn has_dots(text: &str) -> bool {
    text.split('/').any(|segment| matches!(segment, "." | ".."))
}

/// What is wrong with a path template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathRuleError {
    /// `{tenant}` is missing.
    #[error("the prefix must contain {{tenant}}, as in /t/{{tenant}}")]
    NoTenant,
    /// `{tenant}` stands there more than once.
    #[error("{{tenant}} may stand in the prefix only once")]
    Twice,
    /// The first character is no slash.
    #[error("the prefix must begin with a slash")]
    NoSlash,
    /// Something else is in the key's segment.
    #[error("{{tenant}} must be a whole segment of the prefix")]
    NotASegment,
    /// Something that would have to be escaped in a path.
    #[error("the character {0:?} cannot stand in a path prefix")]
    Character(char),
    /// An empty segment, `.` or `..`: no canonical path has one there.
    #[error("the prefix has an empty or dot segment")]
    Segment,
}

#[cfg(test)]
mod tests;
