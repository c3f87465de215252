//! What works but is probably not meant.
//!
//! Lints say what they see; whether and how it is told belongs to the configuration. They are careful in
//! one direction: a route is called unreachable only where that is certain.

use thiserror::Error;

use super::Routes;

/// Something odd about a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lint {
    /// The route's place in the table.
    pub place: usize,
    /// What is odd.
    pub finding: Finding,
}

/// What can be odd about a route.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Finding {
    /// `source` may match in the middle of a path or in the query.
    #[error("the source is not anchored: it also matches in the middle of a path")]
    Unanchored,
}

impl Routes {
    /// What is odd about the routes.
    #[must_use]
    pub fn lints(&self) -> Vec<Lint> {
        let routes = self.all().iter().enumerate();
        routes
            .filter(|(_, route)| !route.pattern.is_anchored())
            .map(|(place, _)| Lint { place, finding: Finding::Unanchored })
            .collect()
    }
}
