//! Logout that an application begins (OpenID Connect RP-Initiated Logout 1.0).
//!
//! The login that ends is the one that the ID token names, else the browser's. Nobody is asked whether
//! they mean it: on a developer's machine the question would only be in the way.

use http::StatusCode;

use super::authorize::set_cookie;
use super::redirect;
use super::visit::Visit;
use crate::cli::loopback::form::with_parameters;
use crate::cli::loopback::{Answer, Call, see_other};

impl Visit<'_> {
    /// The end-session endpoint.
    pub(super) async fn end_session(&self, call: &Call) -> Answer {
        let form = call.parameters();
        let hinted = form.one("id_token_hint").map(|token| {
            let claims = self.realm.key.verified(token);
            claims.and_then(|claims| claims["sid"].as_str().map(str::to_owned))
        });
        if let Some(None) = hinted {
            let text = "The ID token was not issued by this realm, so nobody was logged out.";
            return self.notice(StatusCode::BAD_REQUEST, "This logout is not ours", text);
        }
        let back = form.one("post_logout_redirect_uri");
        if let Some(url) = back.filter(|url| !redirect::is_allowed(url, self.realm.tenant())) {
            let text = format!("Logging out would lead to “{url}”, which is not this tenant's application.");
            return self.notice(StatusCode::BAD_REQUEST, "This logout leads elsewhere", &text);
        }
        let session = hinted.flatten().or_else(|| self.session(call).map(|session| session.id));
        let ended = session.and_then(|id| self.realm.ledger().end(&id));
        if let Some(session) = &ended {
            self.tell(session).await;
        }
        let state = form.one("state").map(|state| ("state", state));
        let mut answer = match back {
            Some(url) => see_other(&with_parameters(url, state.as_slice())),
            None => self.notice(StatusCode::OK, "You are logged out", "The next login asks who you are."),
        };
        set_cookie(&mut answer, self, "");
        answer
    }
}
