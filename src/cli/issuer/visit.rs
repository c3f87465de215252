//! A visit to one realm, and what its answers have in common.
//!
//! Pages carry a policy that allows their own style and nothing else: no script, no picture, no address
//! but the issuer's and, for the login, the application's. Forms that change something are taken from
//! the issuer's own pages alone.

use http::header::{CONTENT_SECURITY_POLICY, COOKIE, HeaderName, REFERRER_POLICY};
use http::{HeaderValue, StatusCode};

use super::ledger::Session;
use super::realm::Realm;
use super::{Issuer, STYLE};
use crate::cli::loopback::page::{escape, hue, render};
use crate::cli::loopback::{Answer, Call, answer, json};

/// A request's stay at a realm.
#[derive(Clone, Copy)]
pub(super) struct Visit<'a> {
    /// The issuer.
    pub(super) issuer: &'a Issuer,
    /// The realm.
    pub(super) realm: &'a Realm,
    /// The time, in seconds since the epoch.
    pub(super) now: u64,
}

impl Visit<'_> {
    /// The login of the browser.
    pub(super) fn session(&self, call: &Call) -> Option<Session> {
        let name = self.realm.cookie_name();
        let headers = call.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = headers.flat_map(|header| header.split(';')).filter_map(|pair| pair.split_once('='));
        let (_, cookie) = pairs.find(|(given, _)| given.trim() == name)?;
        self.realm.ledger().of_cookie(cookie.trim(), self.now)
    }

    /// Every scope that can be ticked.
    pub(super) fn offered_scopes(&self) -> Vec<String> {
        self.issuer.front.get().map(|front| front.scopes()).unwrap_or_default()
    }

    /// What the tenant is called on pages.
    pub(super) fn title(&self) -> String {
        escape(self.realm.tenant().unwrap_or("your application"))
    }

    /// Where the application is.
    pub(super) fn application(&self) -> Option<String> {
        let port = self.issuer.front.get()?.address().port();
        let host = self.realm.tenant().map_or("localhost".to_owned(), |tenant| format!("{tenant}.localhost"));
        Some(format!("http://{host}:{port}"))
    }

    /// The refusal of a form that does not come from the issuer's own pages; none where it does.
    pub(super) fn own(&self, call: &Call) -> Option<Answer> {
        let is_own = match (call.header("sec-fetch-site"), call.header("origin")) {
            ("same-origin" | "none", _) | ("", "") => true,
            ("", origin) => origin == self.issuer.base,
            (_, _) => false,
        };
        let refuse = || {
            let text = "This form was sent by a page of somebody else.";
            self.notice(StatusCode::FORBIDDEN, "Refused", text)
        };
        (!is_own).then(refuse)
    }

    /// A page that says one thing.
    pub(super) fn notice(&self, status: StatusCode, heading: &str, text: &str) -> Answer {
        let link = self.application().map_or(String::new(), |url| {
            let url = escape(&url);
            format!("<p class=\"after\"><a href=\"{url}/\">Open {url}</a></p>")
        });
        let values = [
            ("style", STYLE),
            ("hue", &hue(&self.realm.name)),
            ("tenant", &self.title()),
            ("heading", &escape(heading)),
            ("text", &escape(text)),
            ("link", &link),
        ];
        page(status, "", render(include_str!("notice.html"), &values))
    }
}

/// A page whose forms may lead to `destination` besides the issuer.
pub(super) fn page(status: StatusCode, destination: &str, html: String) -> Answer {
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
         frame-ancestors 'none'; form-action 'self' {destination}"
    );
    let mut answer = answer(status, "text/html; charset=utf-8", html);
    let headers = answer.headers_mut();
    if let Ok(policy) = HeaderValue::try_from(policy.trim_end()) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    // Not `no-referrer`, by which browsers hide the origin of forms too.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    let sniffing = HeaderName::from_static("x-content-type-options");
    headers.insert(sniffing, HeaderValue::from_static("nosniff"));
    answer
}

/// Nothing can be signed or made up.
pub(super) fn no_randomness() -> Answer {
    let message =
        serde_json::json!({"error": "server_error", "error_description": "the system gives no randomness"});
    json(StatusCode::INTERNAL_SERVER_ERROR, &message)
}
