//! A small OpenID provider: discovery, keys, authorization, tokens; everybody is logged in at once.
//!
//! It is as strict as it needs to be for a test to fail where it should: a code is good once, for the
//! redirect URI it was made for and with the verifier it was challenged with. What it says can be bent
//! by its [`Desk`], which also counts.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::backend::{Backend, Exchange, Next};
use super::issuer::base64url;
use super::{Client, Issuer, latin1};

/// What the provider says, and what it has seen.
pub(crate) struct Desk {
    /// For how many seconds tokens are good.
    pub(crate) life: u64,
    /// Claims of ID tokens that are laid over the good ones.
    pub(crate) claims: Value,
    /// Parameters of the way back that are laid over the good ones; null leaves one out.
    pub(crate) back: Value,
    /// What the token endpoint answers instead of tokens.
    pub(crate) refusal: Option<(u16, Value)>,
    /// `scope` of the next tokens.
    pub(crate) scope: String,
    /// How many codes were exchanged.
    pub(crate) logins: usize,
    /// How often tokens were refreshed.
    pub(crate) refreshes: usize,
    /// How often a password was offered.
    pub(crate) passwords: usize,
    /// Whether people can log out here.
    pub(crate) ends_sessions: bool,
    codes: HashMap<String, Code>,
    refresh_token: usize,
}

struct Code {
    challenge: String,
    nonce: String,
    redirect_uri: String,
}

/// A running provider.
pub(crate) struct Provider {
    backend: Backend,
    url: String,
    desk: Arc<Mutex<Desk>>,
}

impl Provider {
    /// Starts one; the client is `app` with the secret `hush`, the user `ada` with the password `1815`.
    pub(crate) fn start() -> Self {
        let desk = Arc::new(Mutex::new(Desk {
            life: 3600,
            claims: json!({}),
            back: json!({}),
            refusal: None,
            scope: "openid".to_owned(),
            logins: 0,
            refreshes: 0,
            passwords: 0,
            ends_sessions: true,
            codes: HashMap::new(),
            refresh_token: 0,
        }));
        let url = Arc::new(OnceLock::<String>::new());
        let (own, its_desk) = (Arc::clone(&url), Arc::clone(&desk));
        let backend = Backend::answering(move |exchange| {
            let url = own.get().expect("the address is known before anybody asks").clone();
            answer(&Issuer::new(&url), &url, &mut its_desk.lock().unwrap(), exchange)
        });
        url.set(format!("http://{}", backend.address)).unwrap();
        Self { url: format!("http://{}", backend.address), backend, desk }
    }

    /// Where it is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.backend.address
    }

    /// Whom its tokens name.
    pub(crate) fn issuer(&self) -> Issuer {
        Issuer::new(&self.url)
    }

    /// What it says and has seen.
    pub(crate) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap()
    }

    /// The part of `xs-tenants.json` that logs people in here.
    pub(crate) fn configuration(&self) -> Value {
        json!({"url": self.url, "clientId": "app", "clientSecret": "hush", "scopes": ["openid"]})
    }

    /// Where the browser is sent after having been sent to `location`, an authorization URL of ours: the
    /// whole address of the callback.
    pub(crate) fn authorize(&self, location: &str) -> String {
        let target =
            location.strip_prefix(&self.url).unwrap_or_else(|| panic!("{location} is not {}", self.url));
        let reply = Client::connect(self.address()).ask(&format!("GET {target}"), &[("Host", "idp")], b"");
        assert_eq!(reply.status, 302, "{}", reply.text());
        reply.header("location")
    }
}

fn answer(issuer: &Issuer, url: &str, desk: &mut Desk, exchange: &mut Exchange<'_>) -> Next {
    let Ok(body) = exchange.body() else { return Next::Close };
    let target = exchange.head.target.clone();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let (status, headers, content) = match path {
        "/.well-known/openid-configuration" => (200, String::new(), discovery(url, desk)),
        "/jwks" => (200, String::new(), issuer.key_set()),
        "/authorize" => (302, format!("location: {}\r\n", way_back(url, desk, query)), json!(null)),
        "/token" => {
            let (status, content) = tokens(issuer, desk, &form(&latin1(&body)));
            (status, String::new(), content)
        }
        _ => (404, String::new(), json!(null)),
    };
    let content = content.to_string();
    exchange.write(format!(
        "HTTP/1.1 {status} As Asked\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n{content}",
        content.len()
    ));
    Next::Keep
}

fn discovery(url: &str, desk: &Desk) -> Value {
    json!({
        "end_session_endpoint": desk.ends_sessions.then(|| format!("{url}/logout")),
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "authorization_response_iss_parameter_supported": true,
    })
}

/// The callback, with a new code.
fn way_back(url: &str, desk: &mut Desk, query: &str) -> String {
    let asked = form(query);
    let of = |name: &str| asked.get(name).cloned().unwrap_or_default();
    assert_eq!((of("response_type"), of("client_id")), ("code".to_owned(), "app".to_owned()), "{query}");
    assert_eq!(of("code_challenge_method"), "S256", "{query}");
    let code = format!("code-{}", desk.codes.len());
    let kept = Code { challenge: of("code_challenge"), nonce: of("nonce"), redirect_uri: of("redirect_uri") };
    desk.codes.insert(code.clone(), kept);
    let mut back = json!({"code": code, "state": of("state"), "iss": url});
    for (name, value) in desk.back.as_object().unwrap() {
        back[name] = value.clone();
    }
    let pairs = back.as_object().unwrap().iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
    let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    format!("{}?{}", of("redirect_uri"), pairs.join("&"))
}

fn tokens(issuer: &Issuer, desk: &mut Desk, form: &HashMap<String, String>) -> (u16, Value) {
    let of = |name: &str| form.get(name).cloned().unwrap_or_default();
    let invalid = || (400, json!({"error": "invalid_grant"}));
    let kind = of("grant_type");
    match kind.as_str() {
        "refresh_token" => desk.refreshes += 1,
        "password" => desk.passwords += 1,
        _ => desk.logins += 1,
    }
    if let Some(refusal) = &desk.refusal {
        return refusal.clone();
    }
    let nonce = match kind.as_str() {
        "authorization_code" => {
            let Some(code) = desk.codes.remove(&of("code")) else { return invalid() };
            let challenge = base64url(digest(&SHA256, of("code_verifier").as_bytes()).as_ref());
            if challenge != code.challenge || of("redirect_uri") != code.redirect_uri {
                return invalid();
            }
            Some(code.nonce)
        }
        "refresh_token" if of("refresh_token") == format!("refresh-{}", desk.refresh_token) => None,
        "password" if (of("username"), of("password")) == ("ada".to_owned(), "1815".to_owned()) => None,
        _ => return invalid(),
    };
    desk.refresh_token += 1;
    (200, granted(issuer, desk, nonce))
}

fn granted(issuer: &Issuer, desk: &Desk, nonce: Option<String>) -> Value {
    let now = issuer.claims(&json!({}))["iat"].as_u64().unwrap();
    let mut claims = json!({"exp": now + desk.life, "sid": "s1", "preferred_username": "ada"});
    if let Some(nonce) = nonce {
        claims["nonce"] = json!(nonce);
    }
    for (name, value) in desk.claims.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let access = json!({"exp": now + desk.life, "scope": desk.scope, "number": desk.refresh_token});
    json!({
        "token_type": "Bearer",
        "access_token": issuer.token(&access),
        "id_token": issuer.token(&claims),
        "refresh_token": format!("refresh-{}", desk.refresh_token),
        "expires_in": desk.life,
        "scope": desk.scope,
    })
}

/// The pairs of a query or form.
pub(crate) fn form(text: &str) -> HashMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (plain(name), plain(value))).collect()
}

fn plain(text: &str) -> String {
    percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8().unwrap().into_owned()
}

fn escaped(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
