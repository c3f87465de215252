//! The demo's sample application: it shows what a backend behind the router gets to see.
//!
//! It believes the tenant header without a check, as an application behind the router may: nobody else
//! can reach it, and nobody else can set that header. The page carries a token of each tenant, minted on
//! the spot, so that the browser can try the wrong one too; a real application would never do that.

use std::fmt::Write;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, HeaderName, Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use super::TENANTS;
use super::http::{Answer, answer, events, json as json_answer, serve};
use super::issuer::{Issuer, Subject};

/// How much of a body is echoed, in bytes.
const ECHO_LIMIT: usize = 64 * 1024;
/// What Vestibule tells the backend of the tenant.
const TENANT_HEADERS: [&str; 3] = ["x-tenant", "x-tenant-id", "tenantid"];

/// Answers on `listener`, for ever.
pub(super) async fn run(listener: TcpListener, issuer: Arc<Issuer>) {
    serve(listener, move |request| respond(request, Arc::clone(&issuer))).await;
}

async fn respond(request: Request<Incoming>, issuer: Arc<Issuer>) -> Answer {
    let (parts, body) = request.into_parts();
    match parts.uri.path() {
        "/events" => events(header(&parts.headers, "x-tenant").to_owned()),
        path if path.starts_with("/api/") => echo(&parts, body).await,
        _ => answer(StatusCode::OK, "text/html; charset=utf-8", page(&parts, &issuer)),
    }
}

/// Everything that arrived, as JSON.
async fn echo(parts: &Parts, body: Incoming) -> Answer {
    let Ok(body) = Limited::new(body, ECHO_LIMIT).collect().await else {
        return json_answer(
            StatusCode::PAYLOAD_TOO_LARGE,
            &json!({"message": "the echo takes at most 64 KiB"}),
        );
    };
    let received = json!({
        "tenant": header(&parts.headers, "x-tenant"),
        "method": parts.method.as_str(),
        "path": parts.uri.path(),
        "query": parts.uri.query(),
        "headers": headers(&parts.headers),
        "body": String::from_utf8_lossy(&body.to_bytes()),
    });
    json_answer(StatusCode::OK, &received)
}

/// Headers as an object; a repeated one shows all its values.
fn headers(headers: &HeaderMap) -> Value {
    let all = |name| headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let joined = |name| Value::from(all(name).collect::<Vec<_>>().join(", "));
    headers.keys().map(|name| (name.to_string(), joined(name))).collect::<Map<_, _>>().into()
}

/// The page at the root.
fn page(parts: &Parts, issuer: &Issuer) -> String {
    let tenant = header(&parts.headers, "x-tenant");
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    include_str!("page.html")
        .replace("{{hue}}", &hue(tenant).to_string())
        .replace("{{method}}", parts.method.as_str())
        .replace("{{id}}", &escape(header(&parts.headers, "x-tenant-id")))
        .replace("{{tokens}}", &tokens(issuer).to_string())
        .replace("{{tenant}}", &escape(tenant))
        .replace("{{target}}", &escape(target))
        .replace("{{headers}}", &rows(&parts.headers))
}

/// The table of headers, the tenant's first.
fn rows(headers: &HeaderMap) -> String {
    let is_ours = |name: &HeaderName| TENANT_HEADERS.contains(&name.as_str());
    let (ours, others): (Vec<_>, Vec<_>) = headers.iter().partition(|(name, _)| is_ours(name));
    ours.into_iter().chain(others).fold(String::new(), |mut rows, (name, value)| {
        let class = if is_ours(name) { " class=\"ours\"" } else { "" };
        let value = escape(&String::from_utf8_lossy(value.as_bytes()));
        // Writing to a String does not fail.
        let _ = write!(rows, "<tr{class}><th>{name}</th><td>{value}</td></tr>");
        rows
    })
}

/// A token of every tenant, by its key.
fn tokens(issuer: &Issuer) -> Value {
    let subject = Subject { user: "alice".to_owned(), scope: String::new() };
    TENANTS
        .iter()
        .map(|&tenant| (tenant.to_owned(), issuer.mint(tenant, &subject).into()))
        .collect::<Map<_, _>>()
        .into()
}

/// A colour that stays the tenant's, in degrees.
fn hue(tenant: &str) -> u32 {
    tenant.bytes().fold(226, |hue, byte| (hue * 7 + u32::from(byte)) % 360)
}

/// The text of a header, or nothing.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// `text` as it may stand between tags and in attributes.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_headers_as_text_never_as_markup() {
        let issuer = Issuer::new("http://127.0.0.1:9".into(), &TENANTS).expect("keys");
        let request = Request::get("/").header("x-tenant", "acme").header("x", "<script>");
        let (parts, ()) = request.body(()).expect("valid").into_parts();
        let page = page(&parts, &issuer);
        assert!(page.contains("<h1>acme</h1>"));
        assert!(page.contains("&lt;script&gt;"));
        assert!(!page.contains("{{"), "a placeholder is left");
    }

    #[test]
    fn repeated_headers_are_all_shown() {
        let mut map = HeaderMap::new();
        map.append("x-a", "1".parse().expect("valid"));
        map.append("x-a", "2".parse().expect("valid"));
        assert_eq!(headers(&map), json!({"x-a": "1, 2"}));
    }
}
