//! Asks a token endpoint for a token for a service.
//!
//! Both grants are a form of few fields, with the client's secret among them, as XSUAA takes it, or its
//! certificate in the handshake. What comes back is a token and for how long it holds; the server's words
//! in an error are bounded, and neither form nor answer is ever logged.

use std::fmt::Write as _;
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Request, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::ClientAuthentication;
use super::super::fetch::{FetchError, Fetcher};
use super::super::json::{self, Map, Value};
use super::super::token::MAX_TOKEN_LENGTH;
use super::ServiceCredentials;

/// `grant_type` of an exchange (RFC 7523 §2.1).
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// How long a token is good for whose answer does not say it.
const UNSAID: Duration = Duration::from_mins(1);
/// The longest error of a server that is logged, in bytes.
const MAX_ERROR: usize = 64;
/// The length of `Bearer `.
const SCHEME: usize = 7;

/// What is offered for a token.
#[derive(Clone, Copy, Debug)]
pub(super) enum Grant<'a> {
    /// That the application is who it is.
    Application,
    /// `Bearer` and the caller's own token.
    Exchange(&'a HeaderValue),
}

/// A token for a service.
#[derive(Clone, Debug)]
pub(super) struct Given {
    /// `Bearer` and the token.
    pub(super) bearer: HeaderValue,
    /// For how long it is good.
    pub(super) lifetime: Duration,
}

/// Why there is no token, as far as one request can tell.
#[derive(Debug)]
pub(super) enum NotGiven {
    /// The server did not answer, or not usefully: it may do so later.
    Unanswered(FetchError),
    /// It said no.
    Refused(Box<str>),
    /// It said something else.
    Unusable(&'static str),
}

/// Offers `grant` at `address` as the client of `service`.
pub(super) async fn token(
    fetcher: &Fetcher,
    address: &str,
    service: &ServiceCredentials,
    grant: Grant<'_>,
) -> Result<Given, NotGiven> {
    let form = form(service, grant).ok_or(NotGiven::Unusable("the caller's token is not text"))?;
    let request = Request::post(address)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ACCEPT, "application/json")
        .body(form.into_bytes())
        .map_err(|_| NotGiven::Unusable("the token endpoint is no URL"))?;
    let answer = match service.authentication() {
        ClientAuthentication::Certificate(certificate) => {
            let showing = fetcher.with_certificate(certificate).map_err(NotGiven::Unanswered)?;
            showing.ask(request).await
        }
        ClientAuthentication::None
        | ClientAuthentication::Secret(_)
        | ClientAuthentication::PrivateKey(_) => fetcher.ask(request).await,
    };
    understood(&answer.map_err(NotGiven::Unanswered)?)
}

/// The form of a request; `None` where the caller's token cannot be in one.
fn form(service: &ServiceCredentials, grant: Grant<'_>) -> Option<String> {
    let mut form = String::with_capacity(512);
    match grant {
        Grant::Application => field(&mut form, "grant_type", "client_credentials"),
        Grant::Exchange(bearer) => {
            let token = bearer.to_str().ok()?.get(SCHEME..)?;
            field(&mut form, "grant_type", JWT_BEARER);
            field(&mut form, "assertion", token);
        }
    }
    field(&mut form, "client_id", service.client_id());
    if let ClientAuthentication::Secret(secret) = service.authentication() {
        field(&mut form, "client_secret", secret.expose());
    }
    for (name, value) in service.parameters() {
        field(&mut form, name, value);
    }
    Some(form)
}

fn field(form: &mut String, name: &str, value: &str) {
    let between = if form.is_empty() { "" } else { "&" };
    let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
    // Writing to a string cannot fail.
    let _ = write!(form, "{between}{name}={value}");
}

/// What an answer means (RFC 6749 §5.1 and §5.2).
fn understood(answer: &Response<Vec<u8>>) -> Result<Given, NotGiven> {
    let members = json::object(answer.body());
    if !answer.status().is_success() {
        let said = members.as_ref().ok().and_then(|members| json::text(members, "error"));
        let said = said.map_or_else(|| answer.status().as_str().into(), bounded);
        return Err(NotGiven::Refused(said));
    }
    let members = members.map_err(|_| NotGiven::Unusable("it is not the JSON of a token response"))?;
    let kind = json::text(&members, "token_type").unwrap_or_default();
    if !kind.eq_ignore_ascii_case("bearer") {
        return Err(NotGiven::Unusable("token_type is not Bearer"));
    }
    let token = json::text(&members, "access_token").unwrap_or_default();
    if !(1..=MAX_TOKEN_LENGTH).contains(&token.len()) {
        return Err(NotGiven::Unusable("the token is missing, or longer than 16 KiB"));
    }
    let is_token = token.bytes().all(|byte| byte.is_ascii_graphic());
    let bearer = HeaderValue::try_from(format!("Bearer {token}")).ok().filter(|_| is_token);
    let mut bearer = bearer.ok_or(NotGiven::Unusable("the token is not text"))?;
    bearer.set_sensitive(true);
    Ok(Given { bearer, lifetime: lifetime(&members) })
}

/// `expires_in`, which some servers write as text.
fn lifetime(members: &Map<String, Value>) -> Duration {
    let said = members.get("expires_in");
    let seconds = said.and_then(|said| said.as_u64().or_else(|| said.as_str()?.parse().ok()));
    seconds.map_or(UNSAID, Duration::from_secs)
}

/// The beginning of a server's error code, fit for a line of the log.
fn bounded(error: &str) -> Box<str> {
    error.chars().filter(char::is_ascii_graphic).take(MAX_ERROR).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Result<Given, NotGiven> {
        understood(&Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap())
    }

    #[test]
    fn an_answer_is_a_token_or_it_is_not() {
        let long =
            format!(r#"{{"access_token":"{}","token_type":"bearer"}}"#, "a".repeat(MAX_TOKEN_LENGTH + 1));
        let rows: [(u16, &str, Result<u64, &str>, &str); 12] = [
            (
                200,
                r#"{"access_token":"t","token_type":"bearer","expires_in":60}"#,
                Ok(60),
                "as XSUAA says it",
            ),
            (
                200,
                r#"{"access_token":"t","token_type":"Bearer","expires_in":"60"}"#,
                Ok(60),
                "a number as text",
            ),
            (200, r#"{"access_token":"t","token_type":"BEARER"}"#, Ok(60), "no time: a minute"),
            (200, r#"{"access_token":"t","token_type":"bearer","expires_in":-1}"#, Ok(60), "an odd time"),
            (200, r#"{"access_token":"t","token_type":"mac"}"#, Err("token_type"), "another kind"),
            (200, r#"{"access_token":"t"}"#, Err("token_type"), "no kind"),
            (200, r#"{"token_type":"bearer"}"#, Err("missing"), "no token"),
            (200, r#"{"access_token":"a b","token_type":"bearer"}"#, Err("not text"), "a blank in it"),
            (200, "{\"access_token\":\"a\\nb\",\"token_type\":\"bearer\"}", Err("not text"), "a line break"),
            (200, &long, Err("16 KiB"), "too long"),
            (200, "<html>", Err("JSON"), "a page"),
            (401, r#"{"error":"invalid_client\n","error_description":"x"}"#, Err("invalid_client"), "no"),
        ];
        for (status, body, expected, shows) in rows {
            match (answer(status, body), expected) {
                (Ok(given), Ok(seconds)) => {
                    assert_eq!(given.lifetime, Duration::from_secs(seconds), "{shows}");
                    assert_eq!(given.bearer, "Bearer t", "{shows}");
                    assert!(given.bearer.is_sensitive(), "{shows}");
                }
                (Err(reason), Err(expected)) => {
                    let said = format!("{reason:?}");
                    assert!(said.contains(expected) && !said.contains('\n'), "{shows}: {said}");
                }
                (given, _) => panic!("{shows}: {given:?}"),
            }
        }
        assert!(
            matches!(answer(403, "no"), Err(NotGiven::Refused(said)) if &*said == "403"),
            "without words"
        );
    }
}
