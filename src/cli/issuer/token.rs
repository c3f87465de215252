//! The token endpoint and the userinfo endpoint.
//!
//! The client is a public one: it says who it is and proves it by PKCE. The password of every user is
//! the user's name, which is what `basic` routes are tried with.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http::header::{HeaderValue, WWW_AUTHENTICATE};
use serde_json::json;

use super::ledger::Granted;
use super::user::User;
use super::visit::{Visit, no_randomness};
use crate::cli::loopback::form::Form;
use crate::cli::loopback::{Answer, Call, json as json_answer};

impl Visit<'_> {
    /// The token endpoint (RFC 6749 §3.2).
    pub(super) fn token(&self, call: &Call) -> Answer {
        let form = call.form();
        if !self.is_client(call, &form) {
            let message = "the client is unknown";
            return refused(StatusCode::UNAUTHORIZED, "invalid_client", message);
        }
        let one = |name| form.one(name).unwrap_or_default();
        let granted = match form.one("grant_type") {
            Some("authorization_code") => {
                let mut ledger = self.realm.ledger();
                ledger.exchange(one("code"), one("redirect_uri"), one("code_verifier"), self.now)
            }
            Some("refresh_token") => self.realm.ledger().refresh(one("refresh_token"), self.now),
            Some("password") => return self.password(&form),
            Some(_) => {
                let message = "grant_type is none of authorization_code, refresh_token, password";
                return refused(StatusCode::BAD_REQUEST, "unsupported_grant_type", message);
            }
            None => {
                let message = "grant_type is missing";
                return refused(StatusCode::BAD_REQUEST, "invalid_request", message);
            }
        };
        match granted {
            Ok(granted) => self.hand_out(&granted),
            Err(denied) => refused(StatusCode::BAD_REQUEST, "invalid_grant", &denied.to_string()),
        }
    }

    /// Whether the client is the one that the issuer knows, by the body or by `Basic` with no password.
    fn is_client(&self, call: &Call, form: &Form) -> bool {
        let basic = call.header("authorization").strip_prefix("Basic ");
        let basic = basic.and_then(|text| String::from_utf8(STANDARD.decode(text).ok()?).ok());
        let named = form.one("client_id").map(str::to_owned);
        let client = named.or_else(|| Some(Form::parse(basic?.split(':').next()?).name()?.to_owned()));
        client.as_deref() == Some(self.issuer.settings.client_id)
    }

    /// The password grant (RFC 6749 §4.3).
    fn password(&self, form: &Form) -> Answer {
        let name = form.one("username").unwrap_or_default();
        let name = name.split('@').next().unwrap_or_default();
        let user = User::named(name).filter(|user| form.one("password") == Some(user.name));
        let Some(user) = user else {
            let message = "every user's password is the user's name";
            return refused(StatusCode::BAD_REQUEST, "invalid_grant", message);
        };
        let lifetime = self.issuer.settings.token_lifetime;
        let scope = form.one("scope").unwrap_or("openid");
        let offered = self.offered_scopes().join(" ");
        let mut ledger = self.realm.ledger();
        let Ok(session) = ledger.begin(user.name, offered.clone(), lifetime, self.now) else {
            return no_randomness();
        };
        let granted = ledger.direct(session, format!("{scope} {offered}").trim_end().to_owned());
        drop(ledger);
        self.hand_out(&granted)
    }

    /// The answer with tokens (OpenID Connect Core 1.0 §3.1.3.3).
    fn hand_out(&self, granted: &Granted) -> Answer {
        let key = &self.realm.key;
        let access = key.sign("JWT", &self.granted_claims(granted));
        let id = key.sign("JWT", &self.id_claims(granted));
        let refresh = self.realm.ledger().refresh_token(granted);
        let (Ok(access), Ok(id), Ok(refresh)) = (access, id, refresh) else { return no_randomness() };
        let tokens = json!({
            "access_token": access, "token_type": "Bearer", "expires_in": granted.session.token_lifetime,
            "refresh_token": refresh, "id_token": id, "scope": granted.scope,
        });
        json_answer(StatusCode::OK, &tokens)
    }

    /// Who the bearer is (OpenID Connect Core 1.0 §5.3).
    pub(super) fn user_info(&self, call: &Call) -> Answer {
        let token = call.header("authorization").strip_prefix("Bearer ").unwrap_or_default();
        let claims = self.realm.key.verified(token);
        let claims = claims.filter(|claims| claims["exp"].as_u64().is_some_and(|exp| self.now < exp));
        let user = claims.as_ref().and_then(|claims| claims["user_name"].as_str());
        if let Some(user) = user {
            return json_answer(StatusCode::OK, &self.user_claims(user));
        }
        let message = "the token is not of this realm, or has expired";
        let mut answer = refused(StatusCode::UNAUTHORIZED, "invalid_token", message);
        let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
        answer.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        answer
    }
}

/// An error of OAuth (RFC 6749 §5.2).
fn refused(status: StatusCode, error: &str, description: &str) -> Answer {
    json_answer(status, &json!({"error": error, "error_description": description}))
}
