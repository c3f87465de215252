//! The authorization endpoint, and the login page that it shows.
//!
//! A browser that is logged in already is sent back at once, as by any other provider. The login page
//! carries the application's request in one hidden field and the request is checked again when the form
//! comes back, so that the page need not be trusted.

use http::header::SET_COOKIE;
use http::{HeaderValue, Method, StatusCode};

use super::STYLE;
use super::ask::{Ask, Prompt, Refused};
use super::ledger::{Session, Terms};
use super::redirect::origin;
use super::user::{USERS, User};
use super::visit::{Visit, no_randomness, page};
use crate::cli::loopback::form::Form;
use crate::cli::loopback::page::{escape, hue, render};
use crate::cli::loopback::{Answer, Call, see_other};

/// The lifetimes of tokens that can be chosen, in seconds, and what they are good for.
const LIFETIMES: [(u64, &str); 4] =
    [(3600, "1 hour"), (360, "6 minutes: refreshed after the first"), (60, "1 minute"), (10, "10 seconds")];
/// The shortest and longest lifetime of a token, in seconds.
const LIFETIME_RANGE: std::ops::RangeInclusive<u64> = 1..=86_400;

impl Visit<'_> {
    /// The authorization endpoint.
    pub(super) fn authorize(&self, call: &Call) -> Answer {
        let request = match call.method {
            Method::POST => String::from_utf8_lossy(&call.body).into_owned(),
            _ => call.query.clone(),
        };
        let ask = match self.read(&request) {
            Ok(ask) => ask,
            Err(refusal) => return *refusal,
        };
        match (ask.prompt, self.session(call)) {
            (Prompt::Needed | Prompt::Never, Some(session)) => self.send_back(&ask, &session, None),
            (Prompt::Never, None) => {
                let fault = ("login_required", "nobody is logged in");
                see_other(&ask.back.with_fault(&self.realm.url, fault))
            }
            (Prompt::Needed, None) | (Prompt::Always, _) => self.login_page(&ask, &request),
        }
    }

    /// What the login page sends.
    pub(super) fn log_in(&self, call: &Call) -> Answer {
        let form = call.form();
        let ask = match self.read(form.one("request").unwrap_or_default()) {
            Ok(ask) => ask,
            Err(refusal) => return *refusal,
        };
        if form.one("action") == Some("cancel") {
            let fault = ("access_denied", "the user went back");
            return see_other(&ask.back.with_fault(&self.realm.url, fault));
        }
        let Some(user) = form.one("user").and_then(User::named) else {
            return self.notice(StatusCode::BAD_REQUEST, "Nobody was chosen", "Go back and choose a user.");
        };
        let offered = self.offered_scopes();
        let ticked: Vec<&str> =
            form.all("scope").filter(|ticked| offered.iter().any(|scope| scope == ticked)).collect();
        let begun = self.realm.ledger().begin(user.name, ticked.join(" "), self.lifetime(&form), self.now);
        match begun {
            Ok(session) => self.send_back(&ask, &session, Some(&session.cookie)),
            Err(_) => no_randomness(),
        }
    }

    fn read(&self, request: &str) -> Result<Ask, Box<Answer>> {
        let client = self.issuer.settings.client_id;
        Ask::read(&Form::parse(request), client, self.realm.tenant()).map_err(|refused| {
            Box::new(match refused {
                Refused::Shown(why) => self.notice(StatusCode::BAD_REQUEST, "This login cannot start", &why),
                Refused::Returned(back, fault) => see_other(&back.with_fault(&self.realm.url, fault)),
            })
        })
    }

    /// How long tokens shall live.
    fn lifetime(&self, form: &Form) -> u64 {
        let chosen = form.one("token_lifetime").and_then(|text| text.parse().ok());
        chosen
            .filter(|seconds| LIFETIME_RANGE.contains(seconds))
            .unwrap_or(self.issuer.settings.token_lifetime)
    }

    /// Sends the browser to the application with a code, and remembers it where `cookie` is given.
    fn send_back(&self, ask: &Ask, session: &Session, cookie: Option<&str>) -> Answer {
        let terms = Terms {
            redirect_uri: ask.back.redirect_uri.clone(),
            challenge: ask.challenge.clone(),
            nonce: ask.nonce.clone(),
            scope: format!("{} {}", ask.scope, session.scope).trim_end().to_owned(),
        };
        let Ok(code) = self.realm.ledger().code(session, terms, self.now) else { return no_randomness() };
        let mut answer = see_other(&ask.back.with(&self.realm.url, &[("code", &code)]));
        if let Some(cookie) = cookie {
            set_cookie(&mut answer, self, cookie);
        }
        answer
    }

    fn login_page(&self, ask: &Ask, request: &str) -> Answer {
        let origin = origin(&ask.back.redirect_uri);
        let values = [
            ("style", STYLE),
            ("hue", &hue(&self.realm.name)),
            ("tenant", &self.title()),
            ("action", &format!("/{}/login", self.realm.name)),
            ("request", &escape(request)),
            ("application", &escape(origin)),
            ("users", &self.users(ask.login_hint.as_deref())),
            ("scopes", &scopes(&self.offered_scopes())),
            ("lifetimes", &lifetimes(self.issuer.settings.token_lifetime)),
        ];
        page(StatusCode::OK, origin, render(include_str!("login.html"), &values))
    }

    fn users(&self, hint: Option<&str>) -> String {
        let email = |user: &User| User::email(user.name, &self.realm.name);
        let is_hinted = |user: &User| hint.is_some_and(|hint| hint == user.name || hint == email(user));
        let chosen = USERS.iter().position(is_hinted).unwrap_or(0);
        let rows = USERS.iter().enumerate().map(|(place, user)| {
            let User { name, given, family } = user;
            let initials: String = [given, family].iter().filter_map(|part| part.chars().next()).collect();
            let checked = if place == chosen { " checked autofocus" } else { "" };
            let email = escape(&email(user));
            format!(
                "<label class=\"user\"><input type=\"radio\" name=\"user\" value=\"{name}\"{checked}>\
                 <span class=\"face\" aria-hidden=\"true\">{initials}</span>\
                 <span><b>{given} {family}</b><br><small>{email}</small></span></label>"
            )
        });
        rows.collect()
    }
}

/// What can be ticked; it begins ticked, so that Enter alone gives a login that works.
fn scopes(offered: &[String]) -> String {
    if offered.is_empty() {
        return "<p class=\"none\">No route asks for a scope.</p>".to_owned();
    }
    let rows = offered.iter().map(|scope| {
        let scope = escape(scope);
        format!(
            "<label class=\"scope\"><input type=\"checkbox\" name=\"scope\" value=\"{scope}\" checked>\
             <code>{scope}</code></label>"
        )
    });
    rows.collect()
}

fn lifetimes(usual: u64) -> String {
    let is_listed = LIFETIMES.iter().any(|(seconds, _)| *seconds == usual);
    let own = (!is_listed).then(|| (usual, format!("{usual} seconds")));
    let listed = LIFETIMES.iter().map(|(seconds, text)| (*seconds, (*text).to_owned()));
    let options = own.into_iter().chain(listed).map(|(seconds, text)| {
        let selected = if seconds == usual { " selected" } else { "" };
        format!("<option value=\"{seconds}\"{selected}>{text}</option>")
    });
    options.collect()
}

/// Lets the browser be known again at this realm.
pub(super) fn set_cookie(answer: &mut Answer, visit: &Visit<'_>, cookie: &str) {
    let (name, path) = (visit.realm.cookie_name(), &visit.realm.name);
    let age = if cookie.is_empty() { "; Max-Age=0" } else { "" };
    let text = format!("{name}={cookie}; Path=/{path}; HttpOnly; SameSite=Lax{age}");
    if let Ok(value) = HeaderValue::try_from(text) {
        answer.headers_mut().append(SET_COOKIE, value);
    }
}
