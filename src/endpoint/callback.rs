//! Ends a login: where the issuer sends the browser back to.
//!
//! The flow that this browser began is found by the `state` that the issuer gives back; what it says of
//! the way there and back is believed, the request is not. A session always begins under a new id. A
//! browser that is logged in already, by another tab for one, simply goes where it wanted to. Whatever
//! goes wrong, the person is told what to do, and nobody is sent to and fro by themselves.

use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode, percent_encode};

use super::{Context, login};
use crate::auth::Issuer;
use crate::auth::login::{Callback, LoginError};
use crate::clock::Clock;
use crate::error::{FailedLogin, Failure, LoginFault};
use crate::forward::body::Body;
use crate::session::cookie;
use crate::session::flow::{self, Flow};
use crate::session::{Opened, Realm, ReturnPath, SetCookies};

/// What may not stand in a fragment as it is (URL Standard, fragment percent-encode set).
const NOT_IN_FRAGMENTS: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'\\');
/// The longest fragment that is kept, in bytes.
const LONGEST_FRAGMENT: usize = 3_000;

/// Answers a browser that comes back from the issuer.
pub(super) async fn serve(context: &Context<'_>, parts: &Parts) -> Result<Response<Body>, Failure> {
    if parts.method != Method::GET {
        return Err(Failure::Method(HeaderValue::from_static("GET")));
    }
    let issuer = context.issuer.ok_or(Failure::NoRoute)?;
    let realm = issuer.realm().ok_or(Failure::NoRoute)?;
    let root = ReturnPath::root(context.outside.prefix());
    let callback = parsed(context.request.target.query())
        .ok_or_else(|| FailedLogin::at(LoginFault::Ambiguous, &root))?;
    let found = flow(context, realm, &parts.headers, callback.state.as_deref());
    if context.session.is_some() {
        let return_to = found.map_or(root, |flow| flow.return_to);
        return Ok(returned(context, &parts.headers, callback.state.as_deref(), &return_to, None));
    }
    let flow = found.map_err(|fault| failed(context, fault, &callback, &root))?;
    let opened = finished(context, issuer, realm, &flow, &callback)
        .await
        .map_err(|fault| failed(context, fault, &callback, &flow.return_to))?;
    context.logged_in(&opened.session);
    Ok(returned(context, &parts.headers, Some(&flow.state), &flow.return_to, Some(opened)))
}

/// The login that this browser began with `state`.
fn flow(
    context: &Context<'_>,
    realm: &Realm,
    headers: &HeaderMap,
    state: Option<&str>,
) -> Result<Flow, LoginFault> {
    let state = state.filter(|state| !state.is_empty()).ok_or(LoginFault::StateMissing)?;
    Flow::open(context.sessions, realm, &context.snapshot.sessions, headers, state).map_err(LoginFault::Flow)
}

/// The session that the login makes.
async fn finished(
    context: &Context<'_>,
    issuer: &std::sync::Arc<Issuer>,
    realm: &Realm,
    flow: &Flow,
    callback: &Callback,
) -> Result<Opened, LoginFault> {
    if !context.sessions.use_state(realm, &flow.state).await {
        return Err(LoginFault::Replayed);
    }
    let redirect_uri = context.redirect_uri();
    let finish = context.logins.finish(issuer, context.tenant, flow, callback, &redirect_uri);
    let new = finish.await.map_err(LoginFault::Login)?;
    let least = context.snapshot.login.minimum_validity.as_secs();
    if least > 0 && new.identity.expires < Clock::System.seconds().saturating_add(least) {
        let reason = LoginError::MalformedAnswer("the token is good for less than MINIMUM_TOKEN_VALIDITY");
        return Err(LoginFault::Login(reason));
    }
    let policy = &context.snapshot.sessions;
    context.sessions.begin(new, policy, &context.outside.scope).await.map_err(LoginFault::Store)
}

/// 302 to where the person wanted to go, with the fragment that the page kept, and without what the
/// login needed.
fn returned(
    context: &Context<'_>,
    headers: &HeaderMap,
    state: Option<&str>,
    return_to: &ReturnPath,
    opened: Option<Opened>,
) -> Response<Body> {
    let fragment = state.and_then(|state| fragment(context, headers, state));
    let location = format!("{}{}", return_to.as_str(), fragment.as_deref().unwrap_or_default());
    let mut response =
        login::redirect(HeaderValue::try_from(location).unwrap_or_else(|_| return_to.location()));
    let mut cookies = opened.map(|opened| opened.set_cookies).unwrap_or_default();
    cookies.extend(state.into_iter().flat_map(|state| leftovers(context, state, fragment.is_some())));
    response.headers_mut().extend(cookies.into_iter().map(|cookie| (SET_COOKIE, cookie)));
    response
}

/// What removes the cookies of the login with `state`.
fn leftovers(context: &Context<'_>, state: &str, has_fragment: bool) -> SetCookies {
    let policy = &context.snapshot.sessions;
    let name = flow::fragment_cookie_name(policy, state);
    let fragment = has_fragment.then(|| login::fragment_cookie(context, &name, 0)).flatten();
    Flow::removal(state, policy, &context.outside.scope).into_iter().chain(fragment).collect()
}

/// What the login's page kept of the address, as it may stand in a `Location`.
fn fragment(context: &Context<'_>, headers: &HeaderMap, state: &str) -> Option<String> {
    let name = flow::fragment_cookie_name(&context.snapshot.sessions, state);
    let (_, value) = cookie::pairs(headers).find(|(found, _)| *found == name.as_bytes())?;
    let decoded: Vec<u8> = percent_decode(value).collect();
    let fits = decoded.first() == Some(&b'#') && decoded.len() <= LONGEST_FRAGMENT;
    fits.then(|| percent_encode(&decoded, NOT_IN_FRAGMENTS).to_string())
}

/// A login that failed for `fault`; its flow is over, unless it may be another's.
fn failed(context: &Context<'_>, fault: LoginFault, callback: &Callback, again: &ReturnPath) -> Failure {
    let mut failed = FailedLogin::at(fault, again);
    if let (Some(state), true) = (&callback.state, failed.reason.is_final()) {
        failed.set_cookies = leftovers(context, state, true);
    }
    failed.into()
}

/// What the issuer says, decoded; nothing where a parameter that counts is there twice or unreadable
/// (RFC 6749 §3.1).
fn parsed(query: &str) -> Option<Callback> {
    let mut callback = Callback::default();
    for pair in query.trim_start_matches('?').split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let place = match name {
            "state" => &mut callback.state,
            "code" => &mut callback.code,
            "iss" => &mut callback.issuer,
            "error" => &mut callback.error,
            _ => continue,
        };
        let value = value.replace('+', " ");
        let value = percent_decode(value.as_bytes()).decode_utf8().ok()?;
        if place.replace(value.into_owned()).is_some() {
            return None;
        }
    }
    Some(callback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_issuer_says_is_read_strictly() {
        let callback = |state: Option<&str>, code: Option<&str>| Callback {
            state: state.map(Into::into),
            code: code.map(Into::into),
            ..Callback::default()
        };
        for (query, expected, shows) in [
            ("?state=a&code=b", Some(callback(Some("a"), Some("b"))), "as it is"),
            ("?state=a%20b+c&x=y", Some(callback(Some("a b c"), None)), "decoded; others are left out"),
            ("", Some(callback(None, None)), "nothing"),
            ("?state", Some(callback(Some(""), None)), "a name alone"),
            ("?state=a&state=a", None, "twice is ambiguous, the same or not"),
            ("?code=a&state=s&code=b", None, "two codes"),
            ("?state=%ff", None, "no text"),
        ] {
            assert_eq!(parsed(query), expected, "{query}: {shows}");
        }
    }
}
