//! Whether a person waits for a page.
//!
//! Only a navigation is sent to log in; a script, which could not follow, is told 401. Browsers say
//! which it is (Fetch Metadata §2.3); of those that do not, a plain request that takes HTML counts.

use http::header::HeaderName;
use http::{HeaderMap, HeaderValue, Method};

use super::visitor::return_path;
use super::{Decision, Door};
use crate::auth::{AuthenticationType, Refused};
use crate::endpoint::login::Wanted;
use crate::error::{FailedLogin, Failure, LoginFault};
use crate::response::refusal;
use crate::route::Route;
use crate::session::cookie;

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const X_REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");

/// The query parameter that chooses the identity provider, where that is allowed.
const SAP_IDP: &str = "sap_idp";

/// The login that a request is answered with instead of `failure`, where nobody asks for a page of
/// `route` that somebody may have.
pub(super) fn login_or(
    failure: Failure,
    door: &Door<'_>,
    route: &Route,
    headers: &HeaderMap,
) -> Result<Decision, Failure> {
    let by_session = match route.requirement.kind {
        AuthenticationType::Xsuaa | AuthenticationType::Ias | AuthenticationType::Oidc => true,
        AuthenticationType::Jwt
        | AuthenticationType::Basic
        | AuthenticationType::TenantBasic
        | AuthenticationType::TenantToken
        | AuthenticationType::None => false,
    };
    let is_nobody = matches!(failure, Failure::Refused(Refused::Unauthenticated));
    let has_login = door.issuer.is_some_and(|issuer| issuer.can_log_in());
    if !is_nobody || !by_session || !has_login || !is_navigation(&door.request.method, headers) {
        return Err(failure);
    }
    let return_to = return_path(door.request, &door.outside());
    if cookie::is_twice(headers, &door.snapshot.sessions.cookie) {
        // A login would change nothing, and the person would be sent round and round.
        return Err(FailedLogin::at(LoginFault::CookieTwice, &return_to).into());
    }
    let may_choose = door.snapshot.login.dynamic_identity_provider || route.dynamic_identity_provider;
    let chosen = may_choose.then(|| chosen(door.request.target.query())).flatten();
    Ok(Decision::Login(Wanted {
        return_to,
        identity_provider: chosen.or_else(|| route.identity_provider.clone()),
    }))
}

/// Whether a browser shows the answer as a page.
pub(super) fn is_navigation(method: &Method, headers: &HeaderMap) -> bool {
    if let Some(mode) = headers.get(SEC_FETCH_MODE) {
        return mode == "navigate";
    }
    let by_script = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"XMLHttpRequest");
    *method == Method::GET
        && !headers.get_all(X_REQUESTED_WITH).iter().any(by_script)
        && refusal::allows_html(headers)
}

/// The identity provider that the query names.
fn chosen(query: &str) -> Option<Box<str>> {
    let mut pairs = query.trim_start_matches('?').split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == SAP_IDP)?;
    let value = percent_encoding::percent_decode(value.as_bytes()).decode_utf8().ok()?;
    if value.is_empty() { None } else { Some(value.as_ref().into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_page_that_somebody_waits_for_is_a_navigation() {
        let html = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        let navigate = ("sec-fetch-mode", "navigate");
        for (method, headers, expected, shows) in [
            ("GET", vec![navigate], true, "the browser says so"),
            ("GET", vec![navigate, ("accept", "application/json")], true, "whatever it takes"),
            ("GET", vec![("sec-fetch-mode", "cors"), html], false, "a script, whatever it takes"),
            ("GET", vec![("sec-fetch-mode", "no-cors"), html], false, "an image"),
            ("GET", vec![("sec-fetch-mode", "websocket")], false, "a socket"),
            ("GET", vec![], true, "nothing said"),
            ("GET", vec![("accept", "*/*")], true, "anything taken"),
            ("GET", vec![html], true, "an old browser"),
            ("GET", vec![("accept", "application/json")], false, "a program"),
            ("GET", vec![("accept", "text/html;q=0, */*")], false, "no HTML, please"),
            ("GET", vec![("x-requested-with", "XMLHttpRequest"), html], false, "an old script"),
            ("GET", vec![("x-requested-with", "xmlhttprequest")], false, "in any case"),
            ("GET", vec![("x-requested-with", "com.example.browser"), html], true, "an Android web view"),
            ("HEAD", vec![html], false, "nobody sees an answer without a page"),
            ("POST", vec![html], false, "what it sends would be lost"),
            ("POST", vec![navigate], true, "a form: a person sees the answer"),
            ("OPTIONS", vec![], false, "no page"),
        ] {
            let map: HeaderMap = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
            let method: Method = method.parse().expect("a method");
            assert_eq!(is_navigation(&method, &map), expected, "{method} {headers:?}: {shows}");
        }
    }

    #[test]
    fn the_query_names_an_identity_provider() {
        for (query, expected) in [
            ("?sap_idp=corp", Some("corp")),
            ("?a=b&sap_idp=a%20b", Some("a b")),
            ("?sap_idp=", None),
            ("?xsap_idp=a", None),
            ("", None),
        ] {
            assert_eq!(chosen(query).as_deref(), expected, "{query}");
        }
    }
}
