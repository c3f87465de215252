//! Sends a person to the login of their tenant.
//!
//! The flow that has just begun is remembered by a cookie of its own. What a URL has behind its `#`
//! never reaches a server, so a small page keeps it in a cookie before it goes on; it needs no script
//! to be of use, for it has a link as well. With `PRESERVE_FRAGMENT=false` it is a plain redirect.

use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY,
    SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};

use super::Context;
use crate::auth::login::Ask;
use crate::error::{FailedLogin, Failure, LoginFault};
use crate::forward::body::Body;
use crate::response::page;
use crate::response::refusal::NO_STORE;
use crate::session::cookie::{self, Attributes};
use crate::session::flow::{self, Flow};
use crate::session::{ReturnPath, SameSite};
use crate::tenant::TenantKey;

const PAGE: &str = include_str!("login/page.html");
const SCRIPT: &str = include_str!("login/page.js");

/// The page may use its own style sheet and script, told by their digests, and nothing else.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'sha256-u4tuPBc+6tLzzbCOOk6vGNWPjnO5q/Yx0gPa9qwkSUQ='; script-src 'sha256-oELFLizewv3UWcr/L0177yUuprY3vrG6vVyrouf9aOY='; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
);
/// The same where other sites may embed the application.
const EMBEDDED_PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'sha256-u4tuPBc+6tLzzbCOOk6vGNWPjnO5q/Yx0gPa9qwkSUQ='; script-src 'sha256-oELFLizewv3UWcr/L0177yUuprY3vrG6vVyrouf9aOY='; base-uri 'none'; form-action 'none'",
);

/// A login that a request is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where the person is to be afterwards.
    pub return_to: ReturnPath,
    /// At which of the issuer's identity providers they log in.
    pub identity_provider: Option<Box<str>>,
}

/// Begins the login that is `wanted` by the request with `parts`.
pub async fn begin(context: &Context<'_>, wanted: &Wanted, parts: &Parts) -> Result<Response<Body>, Failure> {
    let failed = |reason| FailedLogin::at(LoginFault::Login(reason), &wanted.return_to);
    let issuer = context.issuer.ok_or(Failure::NoRoute)?;
    let ask = Ask {
        redirect_uri: context.redirect_uri(),
        return_to: wanted.return_to.clone(),
        identity_provider: wanted.identity_provider.clone(),
    };
    let start = context.logins.start(issuer, ask).await.map_err(failed)?;
    let policy = &context.snapshot.sessions;
    let mut response = if context.snapshot.login.preserve_fragment {
        page(context, &start.flow, &start.location)
    } else {
        redirect(start.location)
    };
    let realm = issuer.realm().ok_or(Failure::NoRoute)?;
    let cookies = start.flow.seal(context.sessions, realm, policy, &context.outside.scope, &parts.headers);
    response.headers_mut().extend(cookies.into_iter().map(|cookie| (SET_COOKIE, cookie)));
    if parts.method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    Ok(response)
}

/// 302 to `location`, which nobody may keep.
pub(super) fn redirect(location: HeaderValue) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    let headers = response.headers_mut();
    headers.insert(LOCATION, location);
    headers.insert(CACHE_CONTROL, NO_STORE);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn page(context: &Context<'_>, flow: &Flow, location: &HeaderValue) -> Response<Body> {
    let policy = &context.snapshot.sessions;
    let name = flow::fragment_cookie_name(policy, &flow.state);
    let attributes = fragment_attributes(context, &name);
    let location = String::from_utf8_lossy(location.as_bytes());
    let tenant = context.tenant.name.as_deref().or(context.tenant.key.as_ref().map(TenantKey::as_str));
    let text = page::filled(PAGE, |page, placeholder| match placeholder {
        "style" => page.push_str(page::STYLE),
        "script" => page.push_str(SCRIPT),
        "tenant" => page::escape(page, tenant.unwrap_or("this application")),
        "location" => page::escape(page, &location),
        "cookie" => page::escape(page, &name),
        "attributes" => page::escape(page, &attributes),
        _ => {}
    });
    let length = text.len();
    let mut response = Response::new(Body::full(text));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(CACHE_CONTROL, NO_STORE);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let embedded = !context.snapshot.frame_options;
    headers.insert(CONTENT_SECURITY_POLICY, if embedded { EMBEDDED_PAGE_POLICY } else { PAGE_POLICY });
    response
}

/// What the script writes behind the value of the cookie called `name`: as our other cookies, but the
/// script has to be allowed to set it.
fn fragment_attributes(context: &Context<'_>, name: &str) -> String {
    let set = fragment_cookie(context, name, flow::LIFE.as_secs());
    let text = set.as_ref().and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (_, attributes) = text.split_once('=').unwrap_or_default();
    attributes.replace("; HttpOnly", "")
}

/// `Set-Cookie` for the fragment's cookie without a value; `max_age` 0 removes it.
pub(super) fn fragment_cookie(context: &Context<'_>, name: &str, max_age: u64) -> Option<HeaderValue> {
    let policy = &context.snapshot.sessions;
    let same_site = match policy.same_site {
        SameSite::None => SameSite::None,
        SameSite::Lax | SameSite::Strict => SameSite::Lax,
    };
    let attributes = Attributes { max_age: Some(max_age), same_site };
    cookie::set(name, "", attributes, policy, &context.outside.scope)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::{SHA256, digest};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn the_policies_allow_the_pages_own_style_and_script_alone() {
        let script = STANDARD.encode(digest(&SHA256, format!("\n{SCRIPT}").as_bytes()));
        for policy in [PAGE_POLICY, EMBEDDED_PAGE_POLICY] {
            let text = policy.to_str().expect("ASCII");
            assert!(text.starts_with("default-src 'none'; ") && !text.contains("unsafe"));
            assert!(text.contains(&format!("style-src {};", page::STYLE_SOURCE)), "{}", page::STYLE_SOURCE);
            assert!(text.contains(&format!("script-src 'sha256-{script}';")), "the script is {script}");
        }
        assert!(
            PAGE.contains("<style>\n{{style}}</style>") && PAGE.contains("<script>\n{{script}}</script>")
        );
    }

    #[test]
    fn the_page_needs_nothing_from_outside() {
        for forbidden in ["http:", "https:", "src=", "@import", "url(", "style=\"", "onload"] {
            assert!(!PAGE.contains(forbidden), "{forbidden}");
        }
    }
}
