//! Ends sessions because their issuer says so: OpenID Connect Back-Channel Logout 1.0.
//!
//! The issuer posts a signed token that names a login or a person. Only sessions of this tenant, issuer
//! and client can be meant, whatever the token says: the realm is not taken from it. A token counts once.
//! Whatever is wrong with it is told in one way, so that the endpoint says nothing about who is logged in.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response};
use percent_encoding::percent_decode;

use super::Context;
use crate::auth::LogoutTokenError;
use crate::error::{Failure, LogoutFault};
use crate::forward::body::Body;
use crate::observe::audit::{Entry, Event};
use crate::response::refusal::NO_STORE;

/// How long a logout token is remembered: longer than one is accepted after it was issued.
const REMEMBERED: Duration = Duration::from_mins(15);

/// Ends the sessions that the token in `body` names.
pub(super) async fn serve(
    context: &Context<'_>,
    parts: &Parts,
    body: &Bytes,
) -> Result<Response<Body>, Failure> {
    if parts.method != Method::POST {
        return Err(Failure::Method(HeaderValue::from_static("POST")));
    }
    let issuer = context.issuer.filter(|issuer| issuer.realm().is_some()).ok_or(Failure::NoRoute)?;
    let realm = issuer.realm().ok_or(Failure::NoRoute)?;
    let token = is_form(&parts.headers).then(|| token(body)).flatten().ok_or(LogoutFault::NoToken)?;
    let told = context.logins.logout_token(issuer, context.tenant, &token);
    let logout = told.await.map_err(fault)?;
    if !context.sessions.use_logout_token(realm, &logout.id, REMEMBERED).await {
        return Err(LogoutFault::Replayed.into());
    }
    let (issuer_session, subject) = (logout.issuer_session.as_deref(), logout.subject.as_deref());
    let ended = context
        .sessions
        .end_matching(realm, issuer_session, subject)
        .await
        .inspect_err(|_| context.sessions.forget_logout_token(realm, &logout.id))?;
    let entry = context.entry(Event::BackChannelLogout);
    context.audit.record(&Entry { subject, sessions: Some(ended), ..entry });
    let mut response = Response::new(Body::empty());
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    Ok(response)
}

fn fault(reason: LogoutTokenError) -> Failure {
    LogoutFault::Token(reason).into()
}

/// Whether the body is a form, which is what the token comes in.
fn is_form(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(kind), None) = (types.next(), types.next()) else { return false };
    let essence = kind.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}

/// `logout_token` of a form that has one.
fn token(form: &[u8]) -> Option<String> {
    let mut found = form.split(|byte| *byte == b'&').filter_map(|pair| pair.strip_prefix(b"logout_token="));
    let (token, None) = (found.next()?, found.next()) else { return None };
    // A token has neither blanks nor letters beyond ASCII: what decodes to one is refused with the rest.
    Some(percent_decode(token).decode_utf8().ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_one_token() {
        for (form, expected, shows) in [
            ("logout_token=a.b.c", Some("a.b.c"), "as it is"),
            ("x=y&logout_token=a%2Eb%2Ec&z", Some("a.b.c"), "among others, escaped"),
            ("logout_token=a&logout_token=a", None, "twice is ambiguous"),
            ("logout_token", None, "no value"),
            ("Logout_Token=a", None, "another name"),
            ("logout_token=%ff", None, "no text"),
            ("", None, "nothing"),
        ] {
            assert_eq!(token(form.as_bytes()).as_deref(), expected, "{form}: {shows}");
        }
    }

    #[test]
    fn only_a_form_is_a_form() {
        for (kinds, expected) in [
            (&["application/x-www-form-urlencoded"][..], true),
            (&["Application/X-WWW-Form-Urlencoded; charset=utf-8"], true),
            (&["application/json"], false),
            (&["text/plain"], false),
            (&["application/x-www-form-urlencoded", "text/plain"], false),
            (&[], false),
        ] {
            let headers: HeaderMap =
                kinds.iter().map(|kind| (CONTENT_TYPE, HeaderValue::from_static(kind))).collect();
            assert_eq!(is_form(&headers), expected, "{kinds:?}");
        }
    }
}
