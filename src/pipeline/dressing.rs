//! What of a request its answer's dress depends on, and how the answer gets it.
//!
//! A request's headers have been sent on when its answer comes back; what they say about the answer is kept
//! here. What is not configured is not looked for.

use http::header::ACCEPT;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response};

use super::{Inner, Trail, navigation};
use crate::error::Verdict;
use crate::forward::body::Body;
use crate::response::compress::{Asked, Squeeze};
use crate::response::{self, error_page};
use crate::snapshot::Snapshot;

/// What a request says about its answer.
#[derive(Debug, Default)]
pub(super) struct Dressing {
    accept: Option<HeaderValue>,
    coding: Asked,
    navigation: bool,
}

impl Dressing {
    /// What the request with `parts` says.
    pub(super) fn of(parts: &Parts, snapshot: &Snapshot) -> Self {
        let (method, headers) = (&parts.method, &parts.headers);
        let rules = &snapshot.answers;
        Self {
            accept: headers.get(ACCEPT).cloned(),
            coding: rules.compression.map(|_| Asked::of(method, headers)).unwrap_or_default(),
            navigation: rules.error_pages.paths().next().is_some()
                && navigation::is_navigation(method, headers),
        }
    }

    /// The answer to a request that ended early.
    pub(super) fn refused(
        &self,
        verdict: &Verdict,
        id: &str,
        method: &http::Method,
        (snapshot, trail): (&Snapshot, &Trail),
    ) -> Response<Body> {
        let target = trail.request.as_ref().map_or("/", |request| request.target.path());
        let (prefix, path) = target.split_at_checked(trail.prefix_length).unwrap_or(("", target));
        let request = error_page::Refused { method, prefix, path, navigation: self.navigation };
        let page = error_page::answer(&snapshot.answers.error_pages, verdict, &request);
        page.unwrap_or_else(|| {
            let mut headers = HeaderMap::new();
            headers.extend(self.accept.clone().map(|accept| (ACCEPT, accept)));
            response::refused(verdict, id, method, &headers)
        })
    }

    /// The answer, compressed where that is due.
    pub(super) fn compressed(
        &self,
        response: Response<Body>,
        snapshot: &Snapshot,
        worker: &Inner,
    ) -> Response<Body> {
        let Some(rules) = &snapshot.answers.compression else { return response };
        let squeeze = Squeeze {
            rules,
            asked: self.coding,
            session_cookie: &snapshot.sessions.cookie,
            room: &worker.room,
        };
        squeeze.apply(response)
    }
}
