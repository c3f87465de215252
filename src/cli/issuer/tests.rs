//! The development issuer, asked as applications and browsers ask it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::HeaderMap;
use http_body_util::BodyExt;
use serde_json::Value;

use super::ledger::challenge;
use super::*;
use crate::cli::loopback::form::{Form, with_parameters};

const BASE: &str = "http://127.0.0.1:9";
const BACK: &str = "http://acme.localhost:5000/login/callback";
const VERIFIER: &str = "a-verifier-of-more-than-forty-three-characters";

/// A router that asks for two scopes.
struct Router;

impl Front for Router {
    fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 5000))
    }
    fn scopes(&self) -> Vec<String> {
        vec!["reports.read".to_owned(), "reports.write".to_owned()]
    }
    fn back_channel(&self) -> Option<String> {
        None
    }
    fn tenant_id(&self, key: &str) -> Option<String> {
        Some(format!("id-of-{key}"))
    }
    fn tenants(&self) -> Vec<String> {
        Vec::new()
    }
}

fn issuer() -> Issuer {
    let settings = Settings {
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        client_id: "demo",
        realms: Realms::Of(&["acme", "globex"]),
        token_lifetime: TOKEN_LIFETIME,
    };
    let issuer = Issuer::new(BASE.to_owned(), settings);
    issuer.stand_behind(Box::new(Router));
    issuer
}

fn call(method: Method, url: &str, headers: &[(&'static str, &str)], form: &[(&str, &str)]) -> Call {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let mut map = HeaderMap::new();
    map.insert("host", "127.0.0.1:9".parse().expect("valid"));
    map.insert("content-type", "application/x-www-form-urlencoded".parse().expect("valid"));
    for (name, value) in headers {
        map.insert(*name, value.parse().expect("valid"));
    }
    let body = with_parameters("", form);
    let body = Bytes::from(body.trim_start_matches('?').to_owned());
    Call { method, path: path.to_owned(), query: query.to_owned(), headers: map, body }
}

/// Status, `Location` and text of an answer.
type Seen = (u16, String, String);

async fn see(issuer: &Issuer, call: Call) -> (Seen, HeaderMap) {
    let answer = issuer.respond(&call).await;
    let (parts, body) = answer.into_parts();
    let text = body.collect().await.map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned());
    let location = parts.headers.get("location").and_then(|value| value.to_str().ok()).unwrap_or_default();
    ((parts.status.as_u16(), location.to_owned(), text.unwrap_or_default()), parts.headers)
}

async fn get(issuer: &Issuer, url: &str, headers: &[(&'static str, &str)]) -> Seen {
    see(issuer, call(Method::GET, url, headers, &[])).await.0
}

async fn post(issuer: &Issuer, url: &str, form: &[(&str, &str)]) -> Seen {
    see(issuer, call(Method::POST, url, &[], form)).await.0
}

fn request(more: &[(&str, &str)]) -> String {
    let challenge = challenge(VERIFIER);
    let mut parameters = vec![
        ("response_type", "code"),
        ("client_id", "demo"),
        ("redirect_uri", BACK),
        ("scope", "openid email"),
        ("state", "state-1"),
        ("nonce", "nonce-1"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    parameters.extend(more);
    with_parameters("/acme/authorize", &parameters)
}

/// Logs in as bob; the cookie, and what the application gets.
async fn log_in(issuer: &Issuer) -> (String, Form) {
    let url = request(&[]);
    let form = [
        ("request", url.split_once('?').expect("a query").1),
        ("user", "bob"),
        ("scope", "reports.read"),
        ("scope", "admin"),
        ("token_lifetime", "10"),
    ];
    let ((status, location, _), headers) = see(issuer, call(Method::POST, "/acme/login", &[], &form)).await;
    assert_eq!(status, 303);
    let cookie = headers["set-cookie"].to_str().expect("text").split(';').next().expect("a pair").to_owned();
    (cookie, Form::parse(location.split_once('?').expect("a query").1))
}

async fn exchange(issuer: &Issuer, code: &str, verifier: &str) -> (u16, Value) {
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "demo"),
        ("code", code),
        ("redirect_uri", BACK),
        ("code_verifier", verifier),
    ];
    let (status, _, text) = post(issuer, "/acme/token", &form).await;
    (status, serde_json::from_str(&text).expect("JSON"))
}

async fn refresh(issuer: &Issuer, token: &Value) -> (u16, Value) {
    let token = token["refresh_token"].as_str().expect("a refresh token");
    let form = [("grant_type", "refresh_token"), ("client_id", "demo"), ("refresh_token", token)];
    let (status, _, text) = post(issuer, "/acme/token", &form).await;
    (status, serde_json::from_str(&text).expect("JSON"))
}

fn claims(token: &Value) -> Value {
    let payload = token.as_str().and_then(|token| token.split('.').nth(1)).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64")).expect("JSON")
}

#[test]
fn a_minted_token_names_its_realm_user_and_scope() {
    let subject = Subject { user: "bob".into(), scope: "reports.read".into(), lifetime: 60 };
    let claims = claims(&issuer().mint("acme", &subject).expect("minted").into());
    assert_eq!(claims["iss"], "http://127.0.0.1:9/acme");
    assert_eq!(claims["scope"], "reports.read");
    assert_eq!(claims["email"], "bob@acme.test");
    assert_eq!(claims["zid"], "id-of-acme");
}

#[test]
fn an_unknown_realm_mints_nothing() {
    let subject = Subject { user: String::new(), scope: String::new(), lifetime: 60 };
    assert!(issuer().mint("initech", &subject).is_none());
}

#[test]
fn realms_do_not_share_a_key() {
    let issuer = issuer();
    let public = |tenant| issuer.realm(tenant).expect("a realm").key.public()["x"].clone();
    assert_ne!(public("acme"), public("globex"));
    assert_eq!(public("acme"), public("acme"));
}

#[tokio::test]
async fn the_discovery_document_names_endpoints_that_are_there() {
    let issuer = issuer();
    let (status, _, text) = get(&issuer, "/acme/.well-known/openid-configuration", &[]).await;
    let document: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((status, &document["issuer"]), (200, &Value::from("http://127.0.0.1:9/acme")));
    for name in ["authorization_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint"] {
        let url = document[name].as_str().expect(name);
        let (status, ..) = get(&issuer, url.strip_prefix(BASE).expect("its own"), &[]).await;
        assert_ne!(status, 404, "{name}");
    }
    let (status, ..) = post(&issuer, "/acme/token", &[]).await;
    assert_ne!(status, 404, "token_endpoint");
}

#[tokio::test]
async fn a_login_gives_tokens_of_who_was_chosen() {
    let issuer = issuer();
    let (status, _, page) = get(&issuer, &request(&[]), &[]).await;
    assert_eq!(status, 200);
    assert!(page.contains("value=\"reports.write\" checked") && !page.contains("{{"), "{page}");
    let (_, answer) = log_in(&issuer).await;
    assert_eq!(answer.one("state"), Some("state-1"));
    assert_eq!(answer.one("iss"), Some("http://127.0.0.1:9/acme"));
    let (status, tokens) = exchange(&issuer, answer.one("code").expect("a code"), VERIFIER).await;
    assert_eq!((status, &tokens["expires_in"]), (200, &Value::from(10)));
    let (id, access) = (claims(&tokens["id_token"]), claims(&tokens["access_token"]));
    assert_eq!((&id["nonce"], &id["aud"]), (&Value::from("nonce-1"), &Value::from("demo")));
    assert_eq!(access["scope"], "openid email reports.read", "what is not offered is not granted");
    assert_eq!((&access["given_name"], &access["sid"]), (&Value::from("Bob"), &id["sid"]));
}

#[tokio::test]
async fn codes_and_refresh_tokens_are_good_once() {
    let issuer = issuer();
    let (cookie, answer) = log_in(&issuer).await;
    let code = answer.one("code").expect("a code");
    assert_eq!(exchange(&issuer, code, "wrong").await.1["error"], "invalid_grant", "another verifier");
    assert_eq!(exchange(&issuer, code, VERIFIER).await.0, 400, "the attempt spent it");
    let url = request(&[]);
    let (status, location, _) = get(&issuer, &url, &[("cookie", &cookie)]).await;
    assert_eq!(status, 303, "the browser is known");
    let answer = Form::parse(location.split_once('?').expect("a query").1);
    let code = answer.one("code").expect("a code");
    let (_, first) = exchange(&issuer, code, VERIFIER).await;
    let (status, second) = refresh(&issuer, &first).await;
    assert_eq!(status, 200);
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_eq!(refresh(&issuer, &first).await.1["error"], "invalid_grant", "a spent one");
    assert_eq!(refresh(&issuer, &second).await.0, 400, "and what came of it");
}

#[tokio::test]
async fn a_code_of_one_realm_is_noise_at_another() {
    let issuer = issuer();
    let (_, answer) = log_in(&issuer).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "demo"),
        ("code", answer.one("code").expect("a code")),
        ("redirect_uri", BACK),
        ("code_verifier", VERIFIER),
    ];
    let (status, _, text) = post(&issuer, "/globex/token", &form).await;
    assert_eq!(status, 400, "{text}");
}

#[tokio::test]
async fn what_is_wrong_is_refused() {
    let issuer = issuer();
    let elsewhere = request(&[]).replace("acme%2Elocalhost", "evil%2Etest");
    let (status, location, page) = get(&issuer, &elsewhere, &[]).await;
    assert_eq!((status, location.as_str()), (400, ""), "a redirect elsewhere");
    assert!(page.contains("evil.test"));
    let (_, location, _) = get(&issuer, &request(&[]).replace("S256", "plain"), &[]).await;
    assert!(location.starts_with(BACK) && location.contains("error=invalid%5Frequest"), "{location}");
    let (_, location, _) = get(&issuer, &request(&[("prompt", "none")]), &[]).await;
    assert!(location.contains("error=login%5Frequired"), "{location}");
    for (url, headers, expected, shows) in [
        ("/acme/sessions", [("host", "evil.test:9")], 421, "a name that was made to resolve here"),
        ("/acme/sessions", [("host", "localhost:9")], 200, "its other name"),
        ("/acme/userinfo", [("authorization", "Bearer x.y.z")], 401, "a token of nobody"),
        ("/initech/jwks", [("accept", "*/*")], 404, "an unknown realm"),
    ] {
        assert_eq!(get(&issuer, url, &headers).await.0, expected, "{shows}");
    }
    for (headers, expected, shows) in [
        ([("sec-fetch-site", "cross-site")], 403, "a form of another site"),
        ([("sec-fetch-site", "same-site")], 403, "a form of a neighbour"),
        ([("origin", "http://evil.test")], 403, "the same, by an old browser"),
        ([("origin", BASE)], 303, "its own"),
    ] {
        let call = call(Method::POST, "/acme/sessions", &headers, &[("session", "x")]);
        assert_eq!(see(&issuer, call).await.0.0, expected, "{shows}");
    }
    let (status, _, text) = post(&issuer, "/acme/token", &[("grant_type", "refresh_token")]).await;
    assert_eq!(status, 401, "nobody in particular: {text}");
}

#[tokio::test]
async fn a_password_is_the_users_name() {
    let issuer = issuer();
    for (password, expected) in [("alice", 200), ("bob", 400), ("", 400)] {
        let form = [
            ("grant_type", "password"),
            ("client_id", "demo"),
            ("username", "alice"),
            ("password", password),
        ];
        assert_eq!(post(&issuer, "/acme/token", &form).await.0, expected, "{password:?}");
    }
}

#[tokio::test]
async fn the_application_logs_out_whom_its_id_token_names() {
    let issuer = issuer();
    let (cookie, answer) = log_in(&issuer).await;
    let (_, tokens) = exchange(&issuer, answer.one("code").expect("a code"), VERIFIER).await;
    let hint = tokens["id_token"].as_str().expect("a token");
    let out = |back| {
        let parameters = [("id_token_hint", hint), ("post_logout_redirect_uri", back), ("state", "s")];
        with_parameters("/acme/end_session", &parameters)
    };
    assert_eq!(get(&issuer, &out("http://evil.test/"), &[]).await.0, 400, "not elsewhere");
    assert_eq!(refresh(&issuer, &tokens).await.0, 200, "and nobody was logged out by that");
    let (status, location, _) = get(&issuer, &out("http://acme.localhost:5000/bye"), &[]).await;
    assert_eq!((status, location.as_str()), (303, "http://acme.localhost:5000/bye?state=s"));
    let (status, ..) = get(&issuer, &request(&[]), &[("cookie", &cookie)]).await;
    assert_eq!(status, 200, "the login page, for nobody is known");
}

#[tokio::test]
async fn the_sessions_page_ends_logins() {
    let issuer = issuer();
    let (cookie, _) = log_in(&issuer).await;
    let (_, _, page) = get(&issuer, "/acme/sessions", &[("cookie", &cookie)]).await;
    assert!(page.contains("Bob Baker") && page.contains("this browser"), "{page}");
    let id = page.split("name=\"session\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let form = [("session", id.expect("an id")), ("action", "tell")];
    let (_, location, _) = post(&issuer, "/acme/sessions", &form).await;
    assert_eq!(location, "/acme/sessions?news=unwanted", "the application names no endpoint");
    let (_, _, page) = get(&issuer, "/acme/sessions", &[]).await;
    assert!(page.contains("Nobody is logged in."), "{page}");
}
