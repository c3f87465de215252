//! Ends a session because its person wants to: here, at the backends and at the issuer.
//!
//! In this order: the backends hear of it while the session's token still means something, the session
//! ends, and the browser goes to the issuer, which sends it on to `logoutPage`. Backends that do not
//! answer keep nobody from leaving; neither does a browser that goes before it has its answer. Where the
//! browser goes comes from the configuration, the issuer and this very host, never from the request:
//! its query is added behind a `?` and can change nothing else.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY,
    SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use super::Context;
use super::farewell::{self, Parting};
use crate::auth::forgery;
use crate::error::Failure;
use crate::forward::body::Body;
use crate::observe::audit::{Entry, Event};
use crate::response::page;
use crate::response::refusal::NO_STORE;
use crate::session::{Holder, Opened, Session, SetCookies, Unavailable, cookie, csrf};
use crate::snapshot::{LogoutMethod, LogoutPage};
use crate::tenant::TenantKey;

/// How long an issuer may take to say where people log out.
const PATIENCE: Duration = Duration::from_secs(3);

const PAGE: &str = include_str!("logout/page.html");

/// The page may use its own style sheet, told by its digest, and nothing else.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'sha256-u4tuPBc+6tLzzbCOOk6vGNWPjnO5q/Yx0gPa9qwkSUQ='; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
);
/// An address is no page.
const TEXT_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; sandbox; frame-ancestors 'self'");

/// The program ends while somebody logs out.
const STOPPING: Unavailable =
    Unavailable { why: "the program is stopping", retry_after: Duration::from_secs(2) };

/// Logs the person of the request out.
pub(super) async fn serve(context: &Context<'_>, parts: &Parts) -> Result<Response<Body>, Failure> {
    expect_method(context, &parts.method)?;
    let opened = found(context, &parts.headers).await?;
    refuse_forgery(context, &parts.headers, opened.as_ref())?;
    let session = opened.as_ref().map(|opened| Arc::clone(&opened.session));
    let cookies = match opened {
        Some(opened) => end(context, &parts.headers, opened).await?,
        None => cookie::removal(&parts.headers, &context.snapshot.sessions, &context.outside.scope),
    };
    let mut response = answer(context, &parts.method, session.as_deref()).await;
    response.headers_mut().extend(cookies.into_iter().map(|cookie| (SET_COOKIE, cookie)));
    Ok(response)
}

fn expect_method(context: &Context<'_>, method: &Method) -> Result<(), Failure> {
    let expected = match context.snapshot.logout.method {
        LogoutMethod::Get => Method::GET,
        LogoutMethod::Post => Method::POST,
    };
    if *method == expected {
        return Ok(());
    }
    Err(Failure::Method(match context.snapshot.logout.method {
        LogoutMethod::Get => HeaderValue::from_static("GET"),
        LogoutMethod::Post => HeaderValue::from_static("POST"),
    }))
}

/// The session that ends: its token need not hold any more, so it is not refreshed for this.
async fn found(context: &Context<'_>, headers: &HeaderMap) -> Result<Option<Opened>, Failure> {
    let Some(realm) = context.issuer.and_then(|issuer| issuer.realm()) else { return Ok(None) };
    let (policy, scope) = (&context.snapshot.sessions, &context.outside.scope);
    Ok(context.sessions.find(realm, policy, scope, headers).await?)
}

/// Whoever has no session cannot lose one, whichever site made the request.
fn refuse_forgery(
    context: &Context<'_>,
    headers: &HeaderMap,
    opened: Option<&Opened>,
) -> Result<(), Failure> {
    let Some(opened) = opened else { return Ok(()) };
    match context.snapshot.logout.method {
        LogoutMethod::Get => forgery::refuse_embedded(context.request, headers)?,
        LogoutMethod::Post => {
            let shown = csrf::matches(&opened.session, headers);
            forgery::judge(context.request, headers, context.snapshot.logout.csrf, shown)?;
        }
    }
    Ok(())
}

/// Tells the backends, then ends the session, whether or not the browser waits for it; what removes the
/// session's cookies.
async fn end(context: &Context<'_>, headers: &HeaderMap, opened: Opened) -> Result<SetCookies, Failure> {
    let session = Arc::clone(&opened.session);
    let jar = context.sessions.jar(Holder::Session(&opened), headers).await;
    let parting = Parting {
        snapshot: context.snapshot,
        assertions: context.assertions,
        tokens: context.tokens,
        lookups: context.lookups,
        tenant: context.tenant,
        session: &session,
        jar: jar.as_deref(),
        correlation: context.correlation,
        request: Some((context.request, headers)),
    };
    let letters = farewell::letters(&parting).await;
    let (client, sessions) = (context.client.clone(), context.sessions.clone());
    let (policy, scope) = (context.snapshot.sessions.clone(), context.outside.scope.clone());
    let names = Arc::clone(&context.snapshot.headers);
    let ending = tokio::spawn(async move {
        farewell::send(&client, letters, &names).await;
        sessions.end(&opened, &policy, &scope).await
    });
    // The task ends before it is done only together with the whole worker.
    let cookies = ending.await.unwrap_or(Err(STOPPING))?;
    let subject = session.identity.subject.as_deref();
    context.audit.record(&Entry { subject, ..context.entry(Event::Logout) });
    Ok(cookies)
}

async fn answer(context: &Context<'_>, method: &Method, session: Option<&Session>) -> Response<Body> {
    let query = context.request.target.query().trim_start_matches('?');
    if skips_redirect(query) {
        return plain(Body::empty(), 0);
    }
    match next(context, query, session).await {
        next if *method == Method::POST => text(next.as_ref()),
        Some(location) => redirect(location),
        None => farewell_page(context),
    }
}

/// Where the browser goes from here; nothing where neither issuer nor configuration says so.
async fn next(context: &Context<'_>, query: &str, session: Option<&Session>) -> Option<HeaderValue> {
    let back = context.snapshot.logout.page.as_ref().map(|page| back(context, page, query));
    if let Some(issuer) = context.issuer {
        let asked = context.logins.end_session_url(issuer, session, back.as_deref(), None);
        // An issuer that says nothing keeps nobody from leaving.
        if let Ok(Some(address)) = tokio::time::timeout(PATIENCE, asked).await {
            return Some(address);
        }
    }
    back.and_then(|back| HeaderValue::try_from(back).ok())
}

/// The address of `logoutPage`, with the request's own query.
fn back(context: &Context<'_>, page: &LogoutPage, query: &str) -> String {
    let address = match page {
        LogoutPage::Local(path) => context.outside.address(path),
        LogoutPage::Elsewhere(url) => url.to_string(),
    };
    with_query(&address, query)
}

/// `address` with `query` behind its own, before its fragment.
fn with_query(address: &str, query: &str) -> String {
    let (before, fragment) = address.split_once('#').map_or((address, None), |(a, f)| (a, Some(f)));
    let mark = match (query.is_empty(), before.contains('?')) {
        (true, _) => "",
        (false, true) => "&",
        (false, false) => "?",
    };
    let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    format!("{before}{mark}{query}{fragment}")
}

/// Whether the query has `skip-redirect`, with any value.
fn skips_redirect(query: &str) -> bool {
    query.split('&').any(|pair| pair.split('=').next() == Some("skip-redirect"))
}

fn redirect(location: HeaderValue) -> Response<Body> {
    let mut response = plain(Body::empty(), 0);
    *response.status_mut() = StatusCode::FOUND;
    response.headers_mut().insert(LOCATION, location);
    response
}

/// The address as the text of the answer: a script that posted goes there by itself.
fn text(address: Option<&HeaderValue>) -> Response<Body> {
    let address = address.map(|address| Bytes::copy_from_slice(address.as_bytes())).unwrap_or_default();
    let length = address.len();
    let mut response = plain(Body::full(address), length);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, TEXT_POLICY);
    response
}

fn farewell_page(context: &Context<'_>) -> Response<Body> {
    let root = context.outside.path("/");
    let tenant = context.tenant.name.as_deref().or(context.tenant.key.as_ref().map(TenantKey::as_str));
    let text = page::filled(PAGE, |page, placeholder| match placeholder {
        "style" => page.push_str(page::STYLE),
        "tenant" => page::escape(page, tenant.unwrap_or("this application")),
        "action" => page::action(page, "Log in again", &root),
        _ => {}
    });
    let length = text.len();
    let mut response = plain(Body::full(text), length);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, PAGE_POLICY);
    response
}

/// An answer that nobody may keep, or pass on where it came from.
fn plain(body: Body, length: usize) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(CACHE_CONTROL, NO_STORE);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_added_and_changes_nothing_else() {
        for (address, query, expected, shows) in [
            ("https://a.test/bye", "", "https://a.test/bye", "none"),
            ("https://a.test/bye", "x=1", "https://a.test/bye?x=1", "the first"),
            ("https://a.test/bye?y=2", "x=1", "https://a.test/bye?y=2&x=1", "behind its own"),
            ("https://a.test/bye#end", "x=1", "https://a.test/bye?x=1#end", "before the fragment"),
            ("https://a.test/bye#a?b", "x=1", "https://a.test/bye?x=1#a?b", "a fragment has no query"),
            ("https://a.test/bye", "@evil.test/", "https://a.test/bye?@evil.test/", "no user"),
        ] {
            assert_eq!(with_query(address, query), expected, "{shows}");
        }
    }

    #[test]
    fn skip_redirect_is_a_name_of_its_own() {
        for (query, skips) in [
            ("skip-redirect", true),
            ("skip-redirect=false", true),
            ("a=b&skip-redirect=", true),
            ("", false),
            ("skip-redirects", false),
            ("a=skip-redirect", false),
        ] {
            assert_eq!(skips_redirect(query), skips, "{query}");
        }
    }

    #[test]
    fn the_page_has_its_own_style_and_nothing_from_outside() {
        let policy = PAGE_POLICY;
        assert!(policy.to_str().expect("ASCII").contains(&format!("style-src {};", page::STYLE_SOURCE)));
        for forbidden in ["http:", "https:", "src=", "@import", "url(", "style=\"", "<script"] {
            assert!(!PAGE.contains(forbidden), "{forbidden}");
        }
    }
}
