//! The user API: says who the caller is.
//!
//! `/currentUser` and `/attributes` of a route with the service `sap-approuter-userapi`, in the form that
//! user interfaces written for the SAP application router read. It says what session or token say, and
//! no more; a name that nobody knows is left out.

use std::borrow::Cow;

use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderValue, Method, Response};
use percent_encoding::percent_decode;
use serde::Serialize;

use super::Context;
use crate::auth::Refused;
use crate::error::Failure;
use crate::forward::body::Body;
use crate::session::Identity;

/// What the methods of this endpoint are.
const ALLOW: HeaderValue = HeaderValue::from_static("GET, HEAD");

/// A caller, as user interfaces read it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Described<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    firstname: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lastname: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    scopes: &'a [Box<str>],
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
}

/// Answers who the admitted caller is.
pub(super) fn serve(context: &Context<'_>, parts: &Parts) -> Result<Response<Body>, Failure> {
    let caller = context.caller.ok_or(Failure::Refused(Refused::Unauthenticated))?;
    let path = context.path.split_once('?').map_or(context.path, |(path, _)| path);
    let mut described = described(caller);
    match path {
        "/currentUser" => described.display_name = display_name(&described),
        "/attributes" => {}
        _ => return Err(Failure::NoRoute),
    }
    match parts.method {
        Method::GET => Ok(answer(&described, false)),
        Method::HEAD => Ok(answer(&described, true)),
        _ => Err(Failure::Method(ALLOW)),
    }
}

fn described(caller: &Identity) -> Described<'_> {
    Described {
        firstname: caller.given_name.as_deref(),
        lastname: caller.family_name.as_deref(),
        email: caller.email.as_ref().map(decoded),
        name: caller.user_name.as_ref().map(decoded),
        scopes: caller.scopes(),
        display_name: None,
    }
}

/// A name as it was before it had to fit into a header.
fn decoded(value: &HeaderValue) -> Cow<'_, str> {
    percent_decode(value.as_bytes()).decode_utf8_lossy()
}

/// `First Last (address)`, as far as it is known.
fn display_name(of: &Described<'_>) -> Option<String> {
    let names: Vec<&str> = of.firstname.into_iter().chain(of.lastname).collect();
    let address = of.email.as_ref().map(|email| format!("({email})"));
    let words: Vec<&str> = names.into_iter().chain(address.as_deref()).collect();
    if words.is_empty() { of.name.as_deref().map(str::to_owned) } else { Some(words.join(" ")) }
}

fn answer(described: &Described<'_>, head: bool) -> Response<Body> {
    // Names and lists of names always become JSON.
    let text = serde_json::to_string_pretty(described).unwrap_or_default();
    let length = HeaderValue::from(text.len());
    let mut response = Response::new(if head { Body::empty() } else { Body::full(text) });
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(CONTENT_LENGTH, length);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(given: Option<&str>, family: Option<&str>, email: Option<&'static str>) -> Identity {
        Identity {
            subject: Some("u1".into()),
            user_name: Some(HeaderValue::from_static("ada")),
            email: email.map(HeaderValue::from_static),
            given_name: given.map(Into::into),
            family_name: family.map(Into::into),
            client: None,
            expires: 0,
            bearer: HeaderValue::from_static("Bearer x"),
            scopes: Box::new(["app.read".into(), "openid".into()]),
        }
    }

    #[test]
    fn a_display_name_is_made_of_what_is_known() {
        for (given, family, email, name) in [
            (Some("Ada"), Some("Lovelace"), Some("ada@acme.test"), "Ada Lovelace (ada@acme.test)"),
            (Some("Ada"), None, None, "Ada"),
            (None, None, Some("ada@acme.test"), "(ada@acme.test)"),
            (None, None, Some("J%C3%BCrgen@acme.test"), "(Jürgen@acme.test)"),
            (None, None, None, "ada"),
        ] {
            let caller = caller(given, family, email);
            assert_eq!(display_name(&described(&caller)).as_deref(), Some(name));
        }
    }

    #[test]
    fn the_form_is_the_documented_one() {
        let caller = caller(Some("Ada"), None, Some("ada@acme.test"));
        let text = serde_json::to_string_pretty(&described(&caller)).expect("JSON");
        assert_eq!(
            text,
            "{\n  \"firstname\": \"Ada\",\n  \"email\": \"ada@acme.test\",\n  \"name\": \"ada\",\n  \"scopes\": [\n    \"app.read\",\n    \"openid\"\n  ]\n}"
        );
    }
}
