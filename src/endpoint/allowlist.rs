//! Says whether a page may be in another's frame: `whitelistService`.
//!
//! Libraries of user interfaces ask it before they show anything, and name the frame's origin. A port
//! that a rule names is compared as it is written, as by the SAP application router: the origin
//! `https://a.example` has none. What is no origin is in nobody's list, and is told back as it came.

use std::borrow::Cow;

use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Response};
use percent_encoding::percent_decode_str;
use serde::Serialize;

use super::Context;
use crate::error::Failure;
use crate::forward::body::Body;
use crate::request::origin::{Origin, OriginRule};

/// The query parameter that names the frame's origin.
const PARENT_ORIGIN: &str = "parentOrigin";

/// What is answered.
#[derive(Debug, Serialize)]
struct Told<'a> {
    version: &'static str,
    active: bool,
    origin: Cow<'a, str>,
    framing: bool,
}

/// Answers whether the page may be in that frame.
pub(super) fn serve(context: &Context<'_>) -> Result<Response<Body>, Failure> {
    let framing = context.snapshot.framing.as_ref().ok_or(Failure::NoRoute)?;
    let query = context.path.split_once('?').map_or("", |(_, query)| query);
    let told = told(framing.origins.as_deref(), query);
    // Texts and flags always become JSON.
    let text = serde_json::to_string(&told).unwrap_or_default();
    let length = HeaderValue::from(text.len());
    let mut response = Response::new(Body::full(text));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(CONTENT_LENGTH, length);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

fn told<'a>(rules: Option<&[OriginRule]>, query: &'a str) -> Told<'a> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let parent = pairs.find(|(name, _)| *name == PARENT_ORIGIN).map(|(_, value)| value);
    let origin = parent.map(|value| percent_decode_str(value).decode_utf8().unwrap_or(Cow::Borrowed(value)));
    let parsed = origin.as_ref().and_then(|origin| Origin::parse(origin.as_bytes()));
    let is_listed = |rules: &[OriginRule]| {
        parsed.as_ref().is_some_and(|origin| rules.iter().any(|rule| rule.allows_as_written(origin)))
    };
    let framing = rules.is_some_and(is_listed);
    Told { version: "1.0", active: rules.is_some(), framing, origin: origin.unwrap_or("null".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_looked_up() {
        let rule = |scheme, host, port| OriginRule::new(scheme, host, port).expect("a rule");
        let rules = [rule(Some("https"), "*.acme.com", Some(443)), rule(None, "plain.com", None)];
        for (query, origin, framing, shows) in [
            ("", "null", false, "nobody named"),
            ("parentOrigin=https://a.acme.com:443", "https://a.acme.com:443", true, "as it is listed"),
            ("parentOrigin=https%3A%2F%2Fa.acme.com%3A443", "https://a.acme.com:443", true, "escaped"),
            ("parentOrigin=https://a.acme.com", "https://a.acme.com", false, "the port is not said"),
            ("parentOrigin=http://plain.com:99", "http://plain.com:99", true, "any scheme and port"),
            ("x=1&parentOrigin=http://plain.com", "http://plain.com", true, "behind another"),
            ("parentOrigin=http://plain.com.evil", "http://plain.com.evil", false, "a longer name"),
            ("parentOrigin=http://plain.com/x", "http://plain.com/x", false, "more than an origin"),
            ("parentOrigin=%%%", "%%%", false, "no escape"),
            ("parentOrigin=%ff", "%ff", false, "no text"),
        ] {
            let told = told(Some(&rules), query);
            assert_eq!((&*told.origin, told.framing), (origin, framing), "{query}: {shows}");
            assert!(told.active);
        }
        let off = told(None, "parentOrigin=http://plain.com");
        assert!(!off.active && !off.framing, "nothing is listed where there is no list");
    }

    #[test]
    fn an_origin_is_told_back_as_json() {
        let text = serde_json::to_string(&told(None, "parentOrigin=%22%3C/script%3E")).expect("JSON");
        assert_eq!(text, r#"{"version":"1.0","active":false,"origin":"\"</script>","framing":false}"#);
    }
}
