//! What works but is probably not meant.
//!
//! Lints say what they see; whether and how it is told belongs to the configuration. They are careful in
//! one direction: a route is called unreachable only where that is certain.

use thiserror::Error;

use super::target::{missing_groups, sample};
use super::{Route, Routes};
use crate::request::{Malformed, Target};

/// Something odd about a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lint {
    /// [`Route::index`] of the route.
    pub index: usize,
    /// What is odd.
    pub finding: Finding,
}

/// What can be odd about a route.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Finding {
    /// Everyone gets in, and `source` may match in the middle of a path or in the query.
    #[error(
        "the source of a route without authentication is not anchored: it also matches in the middle of a path"
    )]
    UnanchoredPublic,
    /// `target` names a group that `source` does not have.
    #[error("{reference} is no group of the source and stays as it is")]
    GroupMissing {
        /// As it was written: `$2`.
        reference: String,
    },
    /// `target` makes a path that is refused, whatever is requested.
    #[error("the target makes a path that is refused: {0}")]
    TargetRefused(Malformed),
    /// An earlier route takes everything that this one could.
    #[error("route {by} takes everything that this one could")]
    Unreachable {
        /// [`Route::index`] of the earlier one.
        by: usize,
    },
}

impl Routes {
    /// What is odd about the routes.
    #[must_use]
    pub fn lints(&self) -> Vec<Lint> {
        let mut lints = Vec::new();
        for (place, route) in self.all().iter().enumerate() {
            let mut add = |finding| lints.push(Lint { index: route.index, finding });
            if route.is_public() && !route.pattern.is_anchored() {
                add(Finding::UnanchoredPublic);
            }
            for reference in missing_groups(route.target().unwrap_or_default(), &route.pattern) {
                add(Finding::GroupMissing { reference: reference.to_owned() });
            }
            if let Some(fault) = refused_target(route) {
                add(Finding::TargetRefused(fault));
            }
            if let Some(earlier) = self.all()[..place].iter().find(|earlier| earlier.covers(route)) {
                add(Finding::Unreachable { by: earlier.index });
            }
        }
        lints
    }
}

impl Route {
    /// Whether it certainly gets every request that `later` could.
    fn covers(&self, later: &Self) -> bool {
        let methods = match (&self.methods, &later.methods) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(others)) => others.iter().all(|method| own.contains(method)),
        };
        // A public route does not get what matches only with the query.
        let public = self.is_public() && !later.is_public() && !self.pattern.is_prefix();
        methods && !public && self.pattern.covers(&later.pattern)
    }
}

/// Why what the target makes of a harmless request is refused.
fn refused_target(route: &Route) -> Option<Malformed> {
    let path = sample(route.template.as_ref()?);
    Target::parse(&format!("/{}", path.trim_start_matches('/'))).err()
}
