//! Writes a refusal: a problem document, or a page.
//!
//! A browser that prefers HTML gets a small page without any outside resource; everyone else gets
//! `application/problem+json` (RFC 9457) with `title`, `status`, `code`, `detail` and `id`. It decides
//! nothing: status, words and headers are the caller's, and what they say must be fit for strangers. All
//! that is inserted into the page is escaped.

mod accept;

use bytes::Bytes;
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use serde_json::json;

use super::page;
use crate::error::Action;

const PAGE: &str = include_str!("refusal/page.html");

/// The page may use its own style sheet, told by its digest, and nothing else.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'sha256-u4tuPBc+6tLzzbCOOk6vGNWPjnO5q/Yx0gPa9qwkSUQ='; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
);

/// What no cache may keep.
pub const NO_STORE: HeaderValue = HeaderValue::from_static("no-cache, no-store, must-revalidate");

/// Whether the client with `headers` takes a page at all; it may prefer something else.
#[must_use]
pub fn allows_html(headers: &HeaderMap) -> bool {
    accept::allows_html(headers)
}

/// One refusal, in words that a stranger may read.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a> {
    /// The status.
    pub status: StatusCode,
    /// The stable code.
    pub code: &'a str,
    /// What it is called.
    pub title: &'a str,
    /// What the caller can make of it.
    pub detail: &'a str,
    /// The request's id, under which the log knows more.
    pub id: &'a str,
    /// What a person can do about it; only on the page.
    pub action: Option<&'a Action>,
    /// What else the status asks for: `Retry-After`, `WWW-Authenticate`, `Allow`, …
    pub headers: &'a [(HeaderName, HeaderValue)],
}

impl Refusal<'_> {
    /// The answer to a request with `method` and `headers`. One to `HEAD` has the length of the body that
    /// it leaves out.
    #[must_use]
    pub fn response(&self, method: &Method, headers: &HeaderMap) -> Response<Bytes> {
        let is_page = accept::prefers_html(headers);
        let body = Bytes::from(if is_page { self.page() } else { self.problem() });
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        self.dress(response.headers_mut(), is_page);
        let length = HeaderValue::from(response.body().len());
        response.headers_mut().insert(header::CONTENT_LENGTH, length);
        if *method == Method::HEAD {
            response.body_mut().clear();
        }
        response
    }

    fn dress(&self, headers: &mut HeaderMap, is_page: bool) {
        let kind = if is_page { "text/html; charset=utf-8" } else { "application/problem+json" };
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::CACHE_CONTROL, NO_STORE);
        headers.insert(header::VARY, HeaderValue::from_static("Accept"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if is_page {
            headers.insert(header::CONTENT_SECURITY_POLICY, PAGE_POLICY);
            headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        }
        for (name, value) in self.headers {
            headers.append(name, value.clone());
        }
    }

    fn problem(&self) -> String {
        json!({
            "title": self.title,
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
            "id": self.id,
        })
        .to_string()
    }

    fn page(&self) -> String {
        page::filled(PAGE, |page, name| match name {
            "style" => page.push_str(page::STYLE),
            "action" => {
                if let Some(action) = self.action {
                    page::action(page, action.label, &action.address);
                }
            }
            _ => page::escape(page, self.field(name)),
        })
    }

    fn field(&self, name: &str) -> &str {
        match name {
            "status" => self.status.as_str(),
            "code" => self.code,
            "title" => self.title,
            "detail" => self.detail,
            "id" => self.id,
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests;
