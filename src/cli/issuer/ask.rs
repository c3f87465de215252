//! What an application asks of the authorization endpoint (OpenID Connect Core 1.0 §3.1.2.1).
//!
//! A request whose client or redirect URI is wrong is refused on the spot: there is nowhere safe to send
//! its answer. Every other fault goes back to the application. PKCE with S256 is required (RFC 9700
//! §2.1.1).

use crate::cli::loopback::form::{Form, with_parameters};

use super::redirect;

/// The parameters that may be given once at most.
const SINGLE: [&str; 11] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "prompt",
    "response_mode",
    "code_challenge",
    "code_challenge_method",
    "login_hint",
];
/// The length of a SHA-256 digest in base64url.
const CHALLENGE_LENGTH: usize = 43;

/// What is asked for, checked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ask {
    /// Where the answer goes.
    pub(super) back: Back,
    /// What the ID token repeats.
    pub(super) nonce: Option<String>,
    /// What the verifier is compared with.
    pub(super) challenge: String,
    /// The scope, with blanks between its words.
    pub(super) scope: String,
    /// Whether the user may or must be asked.
    pub(super) prompt: Prompt,
    /// The user whom the application expects.
    pub(super) login_hint: Option<String>,
}

/// Where an answer goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Back {
    /// The application's address.
    pub(super) redirect_uri: String,
    /// What it wants to hear again.
    pub(super) state: Option<String>,
}

/// `prompt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prompt {
    /// Where nobody is logged in.
    Needed,
    /// Never.
    Never,
    /// Even where somebody is logged in.
    Always,
}

/// Why there is no login.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Told to the user: there is nowhere to send the answer.
    Shown(String),
    /// Told to the application.
    Returned(Back, Fault),
}

/// What the application did wrong: `error` and `error_description`.
pub(super) type Fault = (&'static str, &'static str);

impl Ask {
    /// Reads what the client `client_id` asks of the realm of `tenant`.
    pub(super) fn read(form: &Form, client_id: &str, tenant: Option<&str>) -> Result<Self, Refused> {
        let back = Back::read(form, client_id, tenant)?;
        match Self::parts(form) {
            Err(fault) => Err(Refused::Returned(back, fault)),
            Ok((challenge, prompt)) => Ok(Self {
                back,
                nonce: form.one("nonce").map(str::to_owned),
                challenge,
                scope: form.one("scope").unwrap_or("openid").to_owned(),
                prompt,
                login_hint: form.one("login_hint").map(str::to_owned),
            }),
        }
    }

    fn parts(form: &Form) -> Result<(String, Prompt), Fault> {
        if form.repeated(&SINGLE).is_some() {
            return Err(("invalid_request", "a parameter is given twice"));
        }
        if form.one("response_type") != Some("code") {
            return Err(("unsupported_response_type", "response_type is not code"));
        }
        if form.one("response_mode").is_some_and(|mode| mode != "query") {
            return Err(("invalid_request", "response_mode is not query"));
        }
        if form.one("code_challenge_method") != Some("S256") {
            return Err(("invalid_request", "code_challenge_method is not S256"));
        }
        let challenge = form.one("code_challenge").filter(|text| is_challenge(text));
        let challenge = challenge.ok_or(("invalid_request", "code_challenge is missing or malformed"))?;
        let prompt = match form.one("prompt") {
            None | Some("consent") => Prompt::Needed,
            Some("none") => Prompt::Never,
            Some("login" | "select_account") => Prompt::Always,
            Some(_) => return Err(("invalid_request", "prompt is unknown")),
        };
        Ok((challenge.to_owned(), prompt))
    }
}

fn is_challenge(text: &str) -> bool {
    text.len() == CHALLENGE_LENGTH
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

impl Back {
    fn read(form: &Form, client_id: &str, tenant: Option<&str>) -> Result<Self, Refused> {
        if form.one("client_id") != Some(client_id) {
            return Err(Refused::Shown(format!(
                "This issuer knows one client, “{client_id}”; the application calls itself “{}”.",
                form.one("client_id").unwrap_or_default()
            )));
        }
        let redirect_uri = form.one("redirect_uri").unwrap_or_default();
        if !redirect::is_allowed(redirect_uri, tenant) {
            let host = tenant.map_or("localhost".to_owned(), |tenant| format!("{tenant}.localhost"));
            return Err(Refused::Shown(format!(
                "The answer would go to “{redirect_uri}”. It may go to http://{host}, http://localhost or \
                 http://127.0.0.1 at any port, and nowhere else."
            )));
        }
        let state = form.one("state").map(str::to_owned);
        Ok(Self { redirect_uri: redirect_uri.to_owned(), state })
    }

    /// The address with an answer of the realm at `issuer` (`iss` by RFC 9207).
    pub(super) fn with(&self, issuer: &str, answer: &[(&str, &str)]) -> String {
        let mut parameters = answer.to_vec();
        parameters.extend(self.state.as_deref().map(|state| ("state", state)));
        parameters.push(("iss", issuer));
        with_parameters(&self.redirect_uri, &parameters)
    }

    /// The address with the news that there is no login.
    pub(super) fn with_fault(&self, issuer: &str, (error, description): Fault) -> String {
        self.with(issuer, &[("error", error), ("error_description", description)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "response_type=code&client_id=demo&state=s&nonce=n&scope=openid+email\
        &redirect_uri=http%3A%2F%2Facme.localhost%3A5000%2Flogin%2Fcallback\
        &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

    fn read(text: &str) -> Result<Ask, Refused> {
        Ask::read(&Form::parse(text), "demo", Some("acme"))
    }

    #[test]
    fn a_request_is_read() {
        let ask = read(GOOD).expect("good");
        assert_eq!((ask.scope.as_str(), ask.nonce.as_deref()), ("openid email", Some("n")));
        let location = ask.back.with("http://127.0.0.1:9/acme", &[("code", "c")]);
        let expected = "http://acme.localhost:5000/login/callback?code=c&state=s&iss=http%3A%2F%2F127%2E0%2E0%2E1%3A9%2Facme";
        assert_eq!(location, expected);
    }

    #[test]
    fn faults_go_back_to_the_application() {
        for (from, to, error, shows) in [
            ("response_type=code", "response_type=token", "unsupported_response_type", "implicit"),
            ("&code_challenge_method=S256", "", "invalid_request", "no method, which would mean plain"),
            ("=S256", "=plain", "invalid_request", "plain"),
            ("-cM", "", "invalid_request", "a short challenge"),
            ("&code_challenge=E9", "&x=", "invalid_request", "no challenge"),
            ("state=s", "state=s&nonce=m", "invalid_request", "a parameter twice"),
            ("state=s", "state=s&prompt=x", "invalid_request", "an unknown prompt"),
            ("state=s", "state=s&response_mode=fragment", "invalid_request", "another mode"),
        ] {
            match read(&GOOD.replacen(from, to, 1)) {
                Err(Refused::Returned(back, fault)) => {
                    assert_eq!((fault.0, back.state.as_deref()), (error, Some("s")), "{shows}");
                }
                other => panic!("{shows}: {other:?}"),
            }
        }
    }

    #[test]
    fn an_answer_without_a_safe_place_stays_here() {
        for (from, to, shows) in [
            ("client_id=demo", "client_id=other", "another client"),
            ("acme.localhost", "globex.localhost", "another tenant's host"),
            ("acme.localhost", "evil.test", "another machine"),
            ("redirect_uri=", "x=", "no address"),
            ("state=s", "redirect_uri=http%3A%2F%2Facme.localhost%2F", "two addresses"),
        ] {
            assert!(matches!(read(&GOOD.replacen(from, to, 1)), Err(Refused::Shown(_))), "{shows}");
        }
    }
}
