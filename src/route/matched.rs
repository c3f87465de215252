//! A route together with the request it matched, and what the backend will be asked for.
//!
//! Rewriting replaces the matched part of path and query by the route's target and puts the destination's
//! base before it, as text: nothing is merged, decoded or normalised. What a rewrite produced must be as
//! canonical as what was received, judged by the same [`Target`], or the request is refused: otherwise a
//! target could put together the `..` that no request may carry.

use std::borrow::Cow;

use http::uri::PathAndQuery;
use thiserror::Error;

use super::Route;
use super::pattern::Groups;
use crate::request::{Malformed, Target};

/// A route that matched.
#[derive(Debug)]
pub struct Matched<'a> {
    /// The route.
    pub route: &'a Route,
    target: &'a Target,
    groups: Groups,
}

/// A rewritten path that may not be sent.
#[derive(Debug, Error)]
pub enum RewriteError {
    /// The target made of the request something that no client could have sent.
    #[error("the rewritten path is not canonical")]
    NotCanonical(#[source] Malformed),
    /// Together with the destination's base it is no path.
    #[error("the rewritten path does not follow the destination's path")]
    NotAPath(#[source] http::uri::InvalidUri),
}

impl<'a> Matched<'a> {
    pub(super) fn new(route: &'a Route, target: &'a Target, groups: Groups) -> Self {
        Self { route, target, groups }
    }

    /// What was matched: the request's own target, or that of the welcome file.
    #[must_use]
    pub fn target(&self) -> &'a Target {
        self.target
    }

    /// What a group matched. Known where the route has a target or a destination that names a group.
    #[must_use]
    pub fn group(&self, group: usize) -> Option<&'a str> {
        self.groups.of(self.target.as_str(), group)
    }

    /// Path and query for the backend, behind the `base` of its destination: `""`, `/base/p` or `/base?k=v`.
    ///
    /// # Errors
    /// Why what the target made of the request may not be sent.
    pub fn rewritten(&self, base: &str) -> Result<PathAndQuery, RewriteError> {
        let replaced = match &self.route.template {
            None => Cow::Borrowed(self.target.as_str()),
            Some(template) => Cow::Owned(template.replace(self.target.as_str(), &self.groups)),
        };
        let own = match one_slash(&replaced) {
            Cow::Borrowed(same) if same == self.target.as_str() => self.target.clone(),
            changed @ (Cow::Borrowed(_) | Cow::Owned(_)) => {
                Target::parse(&changed).map_err(RewriteError::NotCanonical)?
            }
        };
        match own.as_received() {
            Some(received) if base.is_empty() => Ok(received.clone()),
            Some(_) | None => PathAndQuery::try_from(format!("{base}{own}")).map_err(RewriteError::NotAPath),
        }
    }
}

/// `text` with exactly one slash at its beginning, and without a `?` that no query follows.
fn one_slash(text: &str) -> Cow<'_, str> {
    let text = text.strip_suffix('?').filter(|rest| !rest.contains('?')).unwrap_or(text);
    let rest = text.trim_start_matches('/');
    match text.len() - rest.len() {
        0 => Cow::Owned(format!("/{rest}")),
        slashes => Cow::Borrowed(&text[slashes - 1..]),
    }
}
