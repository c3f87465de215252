//! What of an observed case must agree, and how it is compared.
//!
//! Status; which backend saw which method and URL, with the forwarding headers' values; names and
//! attributes of cookies; CSRF, CORS and `Allow`; where a redirect goes; the body of what is not a
//! refusal. Not: reason phrases, order and case of headers, spelling of an `ETag`, the text of refusals,
//! `Connection` towards a backend, compression. An IPv4 address is compared without its mapping.
//! Of a login: our `state`, `nonce` and PKCE, which are always there, and the cookies in which a login's
//! state is kept, there by three names and here by one for each tab; of the session's cookie,
//! `SameSite=Lax`, and in which words it is removed.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::super::harness::{Recorded, Reply};

/// Headers of the forwarded request that must agree.
const FORWARDED: [&str; 10] = [
    "host",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-for",
    "x-forwarded-path",
    "tenantid",
    "authorization",
    "cookie",
    "x-correlationid",
    "sap-statistics",
];

/// Headers of the answer that must agree.
const ANSWERED: [&str; 18] = [
    "location",
    "allow",
    "x-csrf-token",
    "www-authenticate",
    "content-range",
    "accept-ranges",
    "last-modified",
    "content-type",
    "set-cookie",
    "sec-websocket-accept",
    "sec-websocket-protocol",
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-expose-headers",
    "access-control-max-age",
    "sap-statistics-approuter",
];

/// What differs, in words; empty when nothing does.
pub(super) fn differences(expected: &Value, reply: Option<&Reply>, seen: &[(u16, Recorded)]) -> Vec<String> {
    let mut found = Vec::new();
    let Some(reply) = reply else { return vec![format!("no answer, {} was expected", expected["status"])] };
    let mut note = |what: &str, expected: String, actual: String| {
        if !fits(&expected, &actual) {
            found.push(format!("{what}: {actual:?}, observed {expected:?}"));
        }
    };
    note("status", expected["status"].to_string(), reply.status.to_string());
    let headers = expected["headers"].as_object().cloned().unwrap_or_default();
    let ours = reply.header("content-type") == "application/problem+json";
    let worded = reply.status >= 400 && (ours || expected["upstream"].is_null());
    let redirect = (300..400).contains(&reply.status);
    let is_page = expected["body"]["kind"] == "login-html";
    for name in ANSWERED {
        if (worded || redirect || is_page)
            && matches!(name, "content-type" | "last-modified" | "accept-ranges")
        {
            continue;
        }
        let observed = observed(&headers, name);
        // A challenge that the SAP router leaves out is no disagreement (RFC 9110 §15.5.2 wants it).
        if name == "www-authenticate" && observed.is_empty() {
            continue;
        }
        note(name, observed, normal(name, &reply.all(name).join("\n")));
    }
    if let (Some(body), false) = (expected["body"].as_str(), worded || redirect) {
        note("body", body.to_owned(), reply.text());
    }
    upstream(&expected["upstream"], seen, &mut note);
    found
}

fn upstream(expected: &Value, seen: &[(u16, Recorded)], note: &mut impl FnMut(&str, String, String)) {
    let line = |backend: &str, method: &str, url: &str| format!("{backend} {method} {url}");
    let mut actual: Vec<String> = seen
        .iter()
        .map(|(port, request)| line(&port.to_string(), &request.head.method, &request.head.target))
        .collect();
    // A safe request may be asked again, once, where a rested connection broke (RFC 9110 §9.2.2).
    actual.dedup();
    if expected.is_null() {
        note("upstream", String::new(), actual.join(", "));
        return;
    }
    let text = |key: &str| expected[key].as_str().unwrap_or_default();
    note("upstream", line(text("backend"), text("method"), text("url")), actual.join(", "));
    let Some((_, request)) = seen.first() else { return };
    let headers = expected["headers"].as_object().cloned().unwrap_or_default();
    for name in FORWARDED {
        note(
            &format!("upstream {name}"),
            observed(&headers, name),
            normal(name, &request.all(name).join("\n")),
        );
    }
}

/// The observed value of a header, `""` for none.
fn observed(headers: &Map<String, Value>, name: &str) -> String {
    let text = match headers.get(name) {
        None => String::new(),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"),
        Some(value) => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    };
    normal(name, &text)
}

/// A value without what need not agree.
fn normal(name: &str, value: &str) -> String {
    match name {
        "x-forwarded-for" => value.replace("::ffff:", ""),
        "host" => value.replace("127.0.0.1", "localhost"),
        "set-cookie" => {
            let mut cookies: Vec<String> = value.split('\n').filter_map(cookie).collect();
            cookies.sort_unstable();
            cookies.join("\n")
        }
        // What a realm is called is each one's own affair.
        "www-authenticate" => value.split(' ').next().unwrap_or_default().to_owned(),
        "location" => location(value),
        "content-type" => value.to_ascii_lowercase().replace("; ", ";"),
        "allow" => {
            let mut methods: Vec<&str> = value.split(',').map(str::trim).collect();
            methods.sort_unstable();
            methods.join(",")
        }
        _ => value.to_owned(),
    }
}

/// What is added to a login's address, always.
const ADDED: [&str; 5] = ["state=", "nonce=", "code_challenge=", "code_challenge_method=", "scope="];

/// A redirect to the issuer with its parameters in order and readable; any other as it is.
fn location(value: &str) -> String {
    let Some((address, query)) = value.split_once('?') else { return value.to_owned() };
    if !["/oauth/authorize", "/logout.do"].iter().any(|path| address.ends_with(path)) {
        return value.to_owned();
    }
    let pairs = query.split('&').filter(|pair| !ADDED.iter().any(|added| pair.starts_with(added)));
    let mut pairs: Vec<_> = pairs.map(|pair| percent_decode_str(pair).decode_utf8_lossy()).collect();
    pairs.sort_unstable();
    format!("{address}?{}", pairs.join("&"))
}

/// A cookie without what need not agree; `None` for those of a login on its way.
fn cookie(line: &str) -> Option<String> {
    const ON_ITS_WAY: [&str; 5] =
        ["locationAfterLogin", "fragmentAfterLogin", "signature", "JSESSIONID-flow-", "JSESSIONID-fragment-"];
    if ON_ITS_WAY.iter().any(|name| line.starts_with(name)) {
        return None;
    }
    if line.starts_with("JSESSIONID=;") {
        let path = line.split("; ").find(|attribute| attribute.starts_with("Path=")).unwrap_or_default();
        return Some(format!("JSESSIONID is removed, {path}"));
    }
    if line.starts_with("JSESSIONID=") {
        return Some(line.replace("JSESSIONID=s%3A", "JSESSIONID=").replace("; SameSite=Lax", ""));
    }
    Some(line.to_owned())
}

/// Whether a value is what was observed, `{*}` standing for anything.
fn fits(expected: &str, actual: &str) -> bool {
    let mut parts = expected.split("{*}");
    let Some(mut rest) = actual.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut open = false;
    for part in parts {
        open = true;
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.is_empty() || (open && expected.ends_with("{*}"))
}
