//! Dresses the answer.
//!
//! Every answer carries the request's id and, where the backend says nothing else, what the configuration
//! adds. A refusal is written here from [`Verdict`]'s fixed words, or is the application's own page; it
//! knows neither the request's path nor why exactly it was refused.

pub mod compress;
pub mod error_page;
pub mod page;
pub mod refusal;
pub mod rewrite;

use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, Response};

use crate::error::Verdict;
use crate::forward::body::Body;
use crate::request::correlation::{Correlation, X_REQUEST_ID};
use crate::snapshot::AnswerRules;
use refusal::Refusal;

/// Adds what every answer has. What the answer says itself stays; beside a policy of a backend's own, ours
/// is a second one where that is asked for: browsers follow both (CSP Level 3 §8.1).
pub fn dress(headers: &mut HeaderMap, correlation: &Correlation, rules: &AnswerRules, from_backend: bool) {
    headers.entry(X_REQUEST_ID).or_insert_with(|| correlation.request_id.clone());
    if let Some(policy) = rules.policy_beside.as_ref().filter(|_| from_backend)
        && headers.contains_key(CONTENT_SECURITY_POLICY)
    {
        headers.append(CONTENT_SECURITY_POLICY, policy.clone());
    }
    for (name, value) in &rules.headers {
        headers.entry(name).or_insert_with(|| value.clone());
    }
}

/// Sets our own cookies, and keeps caches from keeping them with the answer.
pub fn set_cookies(headers: &mut HeaderMap, cookies: impl IntoIterator<Item = HeaderValue>) {
    let before = headers.len();
    headers.extend(cookies.into_iter().map(|cookie| (SET_COOKIE, cookie)));
    if headers.len() > before {
        keep_private(headers);
    }
}

/// Keeps shared caches from giving one caller's answer to another.
pub fn keep_private(headers: &mut HeaderMap) {
    let is_kept = |value: &HeaderValue| {
        let text = value.as_bytes().to_ascii_lowercase();
        [&b"no-store"[..], b"private"].iter().any(|word| memchr::memmem::find(&text, word).is_some())
    };
    if !headers.get_all(CACHE_CONTROL).iter().any(is_kept) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// The answer that a request with `method` and `headers` gets where it ends early.
#[must_use]
pub fn refused(verdict: &Verdict, id: &str, method: &Method, headers: &HeaderMap) -> Response<Body> {
    let refusal = Refusal {
        status: verdict.status,
        code: verdict.code,
        title: verdict.title.or(verdict.status.canonical_reason()).unwrap_or("Refused"),
        detail: verdict.detail,
        id,
        action: verdict.action.as_ref(),
        headers: &verdict.headers,
    };
    refusal.response(method, headers).map(Body::full)
}
