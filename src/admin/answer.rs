//! The forms of an answer on the admin port.
//!
//! JSON for programs and for the page, which is three static files that fetch `/status`. Nothing is cached,
//! framed or sniffed, and the page may load from its own origin only.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body::Body as _;
use http_body_util::Full;
use serde_json::{Value, json};

use super::{ReloadReport, TenantPage, status};
use crate::observe::metrics::{self, ReloadResult};

/// An answer.
type Answer = Response<Full<Bytes>>;

/// Plain words.
pub(super) fn text(status: u16, words: &str) -> Answer {
    answer(status, "text/plain; charset=utf-8", words.to_owned())
}

/// A JSON document, spread over lines: it is read by people, too.
pub(super) fn json(status: u16, document: &Value) -> Answer {
    answer(status, "application/json", format!("{document:#}\n"))
}

/// What went wrong, as JSON.
pub(super) fn error(status: u16, detail: &str) -> Answer {
    json(status, &json!({ "status": status, "detail": detail }))
}

/// The counters.
pub(super) fn metrics(text: String) -> Answer {
    answer(200, metrics::CONTENT_TYPE, text)
}

/// Some tenants, and where the next ones are.
pub(super) fn tenants(page: TenantPage) -> Answer {
    let next = page.next.map(|key| format!("/tenants?after={key}"));
    json(200, &json!({ "total": page.total, "tenants": page.tenants, "next": next }))
}

/// How a reload ended: 200 if the configuration is good, 422 if it was refused.
pub(super) fn reload(report: &ReloadReport) -> Answer {
    let code = match report.result {
        ReloadResult::Applied | ReloadResult::Unchanged => 200,
        ReloadResult::Refused => 422,
    };
    json(code, &status::reload(report))
}

/// The page, its style sheet and its script.
pub(super) fn page() -> Answer {
    answer(200, "text/html; charset=utf-8", include_str!("page.html").to_owned())
}

pub(super) fn style() -> Answer {
    answer(200, "text/css; charset=utf-8", include_str!("page.css").to_owned())
}

pub(super) fn script() -> Answer {
    answer(200, "text/javascript; charset=utf-8", include_str!("page.js").to_owned())
}

fn answer(status: u16, kind: &'static str, body: String) -> Answer {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// What every answer carries.
pub(super) fn secure(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Leaves the body out and says how long it would have been.
pub(super) fn without_body(response: &mut Answer) {
    let length = response.body().size_hint().exact().unwrap_or_default();
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    *response.body_mut() = Full::default();
}
