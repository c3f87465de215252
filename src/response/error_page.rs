//! The application's own pages in place of refusals: `errorPage`.
//!
//! A file's content goes out under the refusal's own status, with the headers that the status asks for, to
//! everyone. A path is for browsers alone: whoever waits for a page is sent there, every other client gets
//! the refusal, as its status is what it understands. Nobody is sent on from where such a path leads, nor
//! where the browser itself is to ask for user and password.

use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Method, Response, StatusCode};

use super::refusal::NO_STORE;
use crate::error::Verdict;
use crate::forward::body::Body;
use crate::snapshot::{ErrorPage, ErrorPages};

/// What of a request decides how it is refused.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    /// The method.
    pub method: &'a Method,
    /// The tenant's prefix of the path; empty where there is none.
    pub prefix: &'a str,
    /// The path behind it.
    pub path: &'a str,
    /// Whether a browser shows the answer as a page.
    pub navigation: bool,
}

/// The application's answer in place of `verdict`, where it has one.
#[must_use]
pub fn answer(pages: &ErrorPages, verdict: &Verdict, request: &Refused<'_>) -> Option<Response<Body>> {
    match pages.of(verdict.status)? {
        ErrorPage::File { content, kind } => {
            let body =
                if *request.method == Method::HEAD { Body::empty() } else { Body::full(content.clone()) };
            let mut response = Response::new(body);
            *response.status_mut() = verdict.status;
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, kind.clone());
            headers.insert(CONTENT_LENGTH, HeaderValue::from(content.len()));
            headers.insert(CACHE_CONTROL, NO_STORE);
            headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            for (name, value) in &verdict.headers {
                headers.append(name, value.clone());
            }
            Some(response)
        }
        ErrorPage::Path(page) => {
            let is_there = pages.paths().any(|page| page.target().path() == request.path);
            if !request.navigation || is_there || asks_for_password(verdict) {
                return None;
            }
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::FOUND;
            response.headers_mut().insert(LOCATION, page.location_behind(request.prefix));
            response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
            Some(response)
        }
    }
}

/// Whether the browser asks for user and password, which it does where it reads the challenge.
fn asks_for_password(verdict: &Verdict) -> bool {
    let asks = |value: &HeaderValue| {
        value.as_bytes().get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic"))
    };
    verdict.headers.iter().any(|(name, value)| *name == WWW_AUTHENTICATE && asks(value))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::auth::Refused as Reason;
    use crate::error::Failure;
    use crate::route::welcome::Welcome;

    #[test]
    fn a_browser_that_is_to_ask_for_a_password_is_sent_nowhere() {
        let mut pages = ErrorPages::default();
        let path = Welcome::compile("/login.html").expect("a path");
        pages.add(StatusCode::UNAUTHORIZED, Arc::new(ErrorPage::Path(path)));
        let request = Refused { method: &Method::GET, prefix: "/t/acme", path: "/x", navigation: true };
        let mut verdict = Failure::Refused(Reason::Unauthenticated).verdict();
        verdict.headers.clear();
        for (challenge, expected) in [
            (None, Some("/t/acme/login.html")),
            (Some("Bearer realm=\"app\""), Some("/t/acme/login.html")),
            (Some("Basic realm=\"app\""), None),
        ] {
            let mut verdict = verdict.clone();
            verdict.headers.extend(challenge.map(|it| (WWW_AUTHENTICATE, HeaderValue::from_static(it))));
            let location =
                answer(&pages, &verdict, &request).and_then(|it| it.headers().get(LOCATION).cloned());
            assert_eq!(location.as_ref().and_then(|it| it.to_str().ok()), expected, "{challenge:?}");
        }
    }
}
