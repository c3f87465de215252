//! The demo's sample application: it shows what a backend behind the router gets to see.
//!
//! It believes the tenant header without a check, as an application behind the router may: nobody else
//! can reach it, and nobody else can set that header. The page carries a token of each tenant, minted on
//! the spot, so that the browser can try the wrong one too; a real application would never do that.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderName, StatusCode};
use serde_json::{Map, Value, json};

use super::TENANTS;
use super::events::events;
use crate::cli::issuer::{Issuer, Subject, TOKEN_LIFETIME};
use crate::cli::loopback::page::{escape, hue, render};
use crate::cli::loopback::{Answer, Call, answer, json as json_answer};

/// What Vestibule tells the backend of the tenant and the user.
const TENANT_HEADERS: [&str; 5] = ["x-tenant", "x-tenant-id", "tenantid", "x-user-name", "x-user-email"];
/// How much of a header's value is shown, in characters.
const LONGEST_SHOWN: usize = 120;
/// What the pages look like.
const STYLE: &str = include_str!("style.css");

/// Answers a request.
pub(super) fn respond(call: &Call, issuer: &Issuer) -> Answer {
    match call.path.as_str() {
        "/events" => events(call.header("x-tenant").to_owned()),
        "/account" => html(account(call)),
        "/api/expiry" => json_answer(StatusCode::OK, &json!({"exp": claims(call)["exp"]})),
        path if path.starts_with("/api/") => json_answer(StatusCode::OK, &echo(call)),
        _ => html(page(call, issuer)),
    }
}

fn html(page: String) -> Answer {
    answer(StatusCode::OK, "text/html; charset=utf-8", page)
}

/// Everything that arrived.
fn echo(call: &Call) -> Value {
    json!({
        "tenant": call.header("x-tenant"),
        "method": call.method.as_str(),
        "path": call.path,
        "query": Some(&call.query).filter(|query| !query.is_empty()),
        "headers": headers(&call.headers),
        "body": String::from_utf8_lossy(&call.body),
    })
}

/// Headers as an object; a repeated one shows all its values.
fn headers(headers: &HeaderMap) -> Value {
    let all = |name| headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let joined = |name| Value::from(all(name).collect::<Vec<_>>().join(", "));
    headers.keys().map(|name| (name.to_string(), joined(name))).collect::<Map<_, _>>().into()
}

/// The page at the root.
fn page(call: &Call, issuer: &Issuer) -> String {
    let tenant = call.header("x-tenant");
    let values = [
        ("style", STYLE),
        ("hue", &hue(tenant)),
        ("method", call.method.as_str()),
        ("id", &escape(call.header("x-tenant-id"))),
        ("tokens", &tokens(issuer).to_string()),
        ("tenant", &escape(tenant)),
        ("target", &escape(&target(call))),
        ("headers", &rows(&call.headers)),
    ];
    render(include_str!("page.html"), &values)
}

/// The page of somebody who is logged in.
fn account(call: &Call) -> String {
    let (tenant, claims) = (call.header("x-tenant"), claims(call));
    let text = |name| escape(claims[name].as_str().unwrap_or_default());
    let fact = |(label, name)| format!("<tr><th>{label}</th><td>{}</td></tr>", text(name));
    let facts = [
        ("user name", "user_name"),
        ("given name", "given_name"),
        ("family name", "family_name"),
        ("subject", "sub"),
        ("scope", "scope"),
        ("issuer", "iss"),
    ];
    let values = [
        ("style", STYLE),
        ("hue", &hue(tenant)),
        ("tenant", &escape(tenant)),
        ("name", &text("name")),
        ("email", &text("email")),
        ("issuer", &text("iss")),
        ("expires", &claims["exp"].as_u64().unwrap_or_default().to_string()),
        ("facts", &facts.map(fact).concat()),
        ("method", call.method.as_str()),
        ("target", &escape(&target(call))),
        ("headers", &rows(&call.headers)),
    ];
    render(include_str!("account.html"), &values)
}

/// What the token says that Vestibule gave; it has verified it, so that nobody else need.
fn claims(call: &Call) -> Value {
    let token = call.header("authorization").strip_prefix("Bearer ").unwrap_or_default();
    let payload = token.split('.').nth(1).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    payload.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
}

/// Path and query.
fn target(call: &Call) -> String {
    let query = if call.query.is_empty() { "" } else { "?" };
    format!("{}{query}{}", call.path, call.query)
}

/// The table of headers, the tenant's first.
fn rows(headers: &HeaderMap) -> String {
    let is_ours = |name: &HeaderName| TENANT_HEADERS.contains(&name.as_str());
    let (ours, others): (Vec<_>, Vec<_>) = headers.iter().partition(|(name, _)| is_ours(name));
    ours.into_iter().chain(others).fold(String::new(), |mut rows, (name, value)| {
        let class = if is_ours(name) { " class=\"ours\"" } else { "" };
        let value = String::from_utf8_lossy(value.as_bytes());
        let shown: String = value.chars().take(LONGEST_SHOWN).collect();
        let value = escape(&if shown.len() < value.len() { shown + "…" } else { shown });
        // Writing to a String does not fail.
        let _ = write!(rows, "<tr{class}><th>{name}</th><td>{value}</td></tr>");
        rows
    })
}

/// A token of every tenant, by its key.
fn tokens(issuer: &Issuer) -> Value {
    let subject = Subject { user: "alice".to_owned(), scope: String::new(), lifetime: TOKEN_LIFETIME };
    TENANTS
        .iter()
        .map(|&tenant| (tenant.to_owned(), issuer.mint(tenant, &subject).into()))
        .collect::<Map<_, _>>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_headers_as_text_never_as_markup() {
        let issuer = Issuer::new(
            "http://127.0.0.1:9".into(),
            super::super::issuer_settings(super::super::ANYWHERE, TOKEN_LIFETIME),
        );
        let mut headers = HeaderMap::new();
        headers.insert("x-tenant", "acme".parse().expect("valid"));
        headers.insert("x", "<script>".parse().expect("valid"));
        let (path, query, body) = ("/".to_owned(), String::new(), bytes::Bytes::new());
        let page = page(&Call { method: http::Method::GET, path, query, headers, body }, &issuer);
        assert!(page.contains("<h1>acme</h1>"));
        assert!(page.contains("&lt;script&gt;"));
        assert!(!page.contains("{{"), "a placeholder is left");
    }

    #[test]
    fn the_account_page_shows_names_as_text_never_as_markup() {
        let claims = json!({"name": "<b>Eve</b>", "exp": 7, "iss": "http://127.0.0.1:9/acme"});
        let token = format!("Bearer e30.{}.x", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mut headers = HeaderMap::new();
        headers.insert("authorization", token.parse().expect("valid"));
        let (path, query, body) = ("/account".to_owned(), String::new(), bytes::Bytes::new());
        let page = account(&Call { method: http::Method::GET, path, query, headers, body });
        assert!(page.contains("&lt;b&gt;Eve&lt;/b&gt;") && page.contains("let expires = 7,"), "{page}");
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
