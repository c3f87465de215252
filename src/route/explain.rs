//! Says why routes were passed over.
//!
//! It asks every route anew, without the index, so that an answer that contradicts the choice would show
//! a fault of the index instead of repeating it.

use http::Method;
use thiserror::Error;

use super::pattern::{Exhausted, Steps};
use super::{Fit, Route, Routes};
use crate::request::Target;

/// A route that did not get a request.
#[derive(Debug)]
pub struct PassedOver<'a> {
    /// The route.
    pub route: &'a Route,
    /// Why it did not.
    pub reason: Reason,
}

/// Why a route does not get a request.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Reason {
    /// `source` is not found.
    #[error("its source does not match")]
    SourceDoesNotMatch,
    /// It is public, and `source` is found only with the help of the query.
    #[error(
        "its source matches only with the query, and a route without authentication must match the path alone"
    )]
    MatchesOnlyWithQuery,
    /// It is public, but the path, once letters are decoded, slashes joined and parameters cut off, is not.
    #[error("it is public, but the path in its normal form belongs to a route that is not")]
    OpenOnlyAsSpelt,
    /// `httpMethods` does not name the method.
    #[error("its source matches, but not for this method")]
    MethodNotAllowed,
    /// The pattern was given up.
    #[error("its source could not be decided within the steps that a request may take")]
    Undecided,
    /// It would match, but another comes first.
    #[error("an earlier route matches")]
    Later,
}

impl Routes {
    /// Every route before the one at `before` in the table, or all, with the reason why it is not the one.
    #[must_use]
    pub fn passed_over(
        &self,
        method: &Method,
        target: &Target,
        before: Option<&Route>,
    ) -> Vec<PassedOver<'_>> {
        let mut steps = Steps::default();
        let earlier =
            self.all().iter().take_while(|route| before.is_none_or(|end| !std::ptr::eq(*route, end)));
        earlier
            .map(|route| PassedOver {
                route,
                reason: match route.fit(target, &mut steps) {
                    Err(Exhausted) => Reason::Undecided,
                    Ok(Fit::No) => Reason::SourceDoesNotMatch,
                    Ok(Fit::OnlyWithQuery) => Reason::MatchesOnlyWithQuery,
                    Ok(Fit::Yes(_)) if !route.takes(method) => Reason::MethodNotAllowed,
                    Ok(Fit::Yes(_)) if !self.stays_public(route, method, target) => Reason::OpenOnlyAsSpelt,
                    Ok(Fit::Yes(_)) => Reason::Later,
                },
            })
            .collect()
    }
}
