//! Class 35, logouts that the issuer asks for (OpenID Connect Back-Channel Logout 1.0 §2.6).
//!
//! Recipe: tokens unsigned, of another key, expired, old, with a nonce, without the event, for another
//! audience, of another issuer, used before, and not where a token is expected. Must happen: 400 with one
//! code for all of them and nobody's session ends; a good one ends its own within two seconds.

use std::time::{Duration, Instant};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::harness::issuer::base64url;
use super::harness::{Backend, Issuer, Provider, Reply, Server, Setup, Tab};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
const FORM: &str = "application/x-www-form-urlencoded";

struct Stage {
    server: Server,
    _backend: Backend,
    acme: Provider,
    globex: Provider,
}

impl Stage {
    /// Sessions in memory, or in cookies.
    fn set(in_cookies: bool) -> Self {
        let (backend, acme, globex) = (Backend::start(), Provider::start(), Provider::start());
        let application = json!({
            "logout": {"logoutEndpoint": "/logout", "backChannelLogoutEndpoint": "/backchannel"},
            "routes": [{"source": "^/app/(.*)$", "destination": "backend", "authenticationType": "oidc"}]
        });
        let setup = Setup::new(&application).destination("backend", backend.address).tenants(&json!({
            "hosts": ["{tenant}.localhost"],
            "tenants": {
                "acme": {"issuer": acme.configuration()},
                "globex": {"issuer": globex.configuration()},
            }
        }));
        let setup = if in_cookies {
            setup.variable("SESSION_SECRET", "0123456789abcdef0123456789abcdef")
        } else {
            setup
        };
        Self { server: setup.start(), _backend: backend, acme, globex }
    }

    /// A browser that is logged in at acme; the issuer calls the login `sid`.
    fn logged_in(&self, sid: &str, subject: &str) -> Tab<'_> {
        self.acme.desk().claims = json!({"sid": sid, "sub": subject});
        let mut browser = Tab::at(&self.server, "acme.localhost");
        let reply = browser.log_in(&self.acme, "/app/start");
        assert_eq!(reply.status, 302, "{}", reply.text());
        browser
    }

    fn post(&self, host: &str, kind: &str, body: &str) -> Reply {
        let headers = [("Host", host), ("Content-Type", kind)];
        self.server.connect().ask("POST /backchannel", &headers, body.as_bytes())
    }

    fn tell(&self, host: &str, token: &str) -> Reply {
        self.post(host, FORM, &format!("logout_token={token}"))
    }
}

fn is_in(browser: &Tab<'_>) -> bool {
    browser.clone().fetch("GET /app/x", &[]).status == 200
}

/// Claims of a good logout token, `id` being its own, with `more` on top; null leaves one out.
fn claims(issuer: &Issuer, id: &str, more: &Value) -> Value {
    let mut claims = issuer.claims(&json!({"events": {EVENT: {}}, "jti": id, "sid": "s1", "azp": null}));
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

/// A good logout token but for what `more` says.
fn token(issuer: &Issuer, id: &str, more: &Value) -> String {
    issuer.token_of(&claims(issuer, id, more))
}

#[test]
fn what_is_wrong_ends_nothing() {
    for in_cookies in [false, true] {
        let stage = Stage::set(in_cookies);
        let browser = stage.logged_in("s1", "u1");
        let (acme, globex) = (stage.acme.issuer(), stage.globex.issuer());
        let now = acme.claims(&json!({}))["iat"].as_u64().unwrap();
        let good = |id: &str| token(&acme, id, &json!({}));
        let parts: Vec<String> = good("x1").split('.').map(str::to_owned).collect();
        let unsigned = format!("{}.{}.", base64url(br#"{"alg":"none"}"#), parts[1]);
        let secret = EncodingKey::from_secret(acme.public_pem().as_bytes());
        let symmetric =
            encode(&Header::new(Algorithm::HS256), &claims(&acme, "x2", &json!({})), &secret).unwrap();
        let cases = [
            (unsigned, "unsigned"),
            (symmetric, "signed with the public key as a secret"),
            (format!("{}.{}.", parts[0], parts[1]), "the signature cut off"),
            (token(&acme, "a", &json!({"exp": now - 3600, "iat": now - 3600})), "expired"),
            (token(&acme, "b", &json!({"iat": now - 7200})), "issued long ago"),
            (token(&acme, "c", &json!({"iat": null})), "it does not say when"),
            (token(&acme, "d", &json!({"nonce": "n"})), "with a nonce: an ID token"),
            (token(&acme, "e", &json!({"events": null})), "without events"),
            (token(&acme, "f", &json!({"events": {"other": {}}})), "another event"),
            (token(&acme, "g", &json!({"events": {EVENT: "x"}})), "an event that is no object"),
            (token(&acme, "h", &json!({"aud": "other"})), "another audience"),
            (token(&acme, "i", &json!({"aud": null})), "no audience"),
            (token(&acme, "j", &json!({"iss": "https://idp.evil.test"})), "another issuer"),
            (token(&globex, "k", &json!({})), "globex's, at acme"),
            (token(&acme, "l", &json!({"jti": null})), "a replay could not be told"),
            (token(&acme, "m", &json!({"sid": null, "sub": null})), "nobody is named"),
            (token(&acme, "n", &json!({"sid": 7})), "sid is a number"),
            ("a.b.c".to_owned(), "no token"),
            (String::new(), "empty"),
        ];
        for (token, shows) in &cases {
            let reply = stage.tell("acme.localhost", token);
            assert_eq!((reply.status, reply.code().as_str()), (400, "logout_token_invalid"), "{shows}");
            assert_eq!(reply.header("cache-control"), "no-cache, no-store, must-revalidate", "{shows}");
            assert!(is_in(&browser), "{shows}");
        }
        for (kind, body, shows) in [
            ("application/json", format!("logout_token={}", good("y1")), "another type"),
            (FORM, format!("logout_token={0}&logout_token={0}", good("y2")), "twice"),
            (FORM, format!("token={}", good("y3")), "another name"),
            (FORM, String::new(), "nothing"),
        ] {
            let reply = stage.post("acme.localhost", kind, &body);
            assert_eq!((reply.status, reply.code().as_str()), (400, "logout_token_invalid"), "{shows}");
            assert!(is_in(&browser), "{shows}");
        }
        let large = format!("logout_token={}", "a".repeat(70_000));
        assert_eq!(stage.post("acme.localhost", FORM, &large).status, 413);
        let reply = Tab::at(&stage.server, "acme.localhost").navigate("/backchannel");
        assert_eq!((reply.status, reply.header("allow")), (405, "POST".to_owned()));
        assert!(is_in(&browser));
    }
}

#[test]
fn a_good_token_ends_what_it_names() {
    for in_cookies in [false, true] {
        let stage = Stage::set(in_cookies);
        let acme = stage.acme.issuer();
        let [one, two, other] =
            [("s1", "ada"), ("s2", "ada"), ("s3", "bob")].map(|(sid, subject)| stage.logged_in(sid, subject));
        let told = Instant::now();
        let reply = stage.tell("acme.localhost", &token(&acme, "j1", &json!({"sub": "ada"})));
        assert_eq!((reply.status, reply.text().as_str()), (200, ""));
        assert_eq!(reply.header("cache-control"), "no-cache, no-store, must-revalidate");
        assert!(!is_in(&one), "the one that is named");
        assert!(told.elapsed() < Duration::from_secs(2), "{:?}", told.elapsed());
        assert!(is_in(&two) && is_in(&other), "another login, another person");
        let line = stage.server.await_line("\"event\":\"back_channel_logout\"");
        assert!(line.contains("\"tenant\":\"acme\"") && !line.contains("eyJ"), "{line}");
        let by_subject = token(&acme, "j2", &json!({"sid": null, "sub": "ada"}));
        assert_eq!(stage.tell("acme.localhost", &by_subject).status, 200);
        assert!(!is_in(&two) && is_in(&other), "every login of the person, nobody else's");
    }
}

#[test]
fn a_token_counts_once() {
    for in_cookies in [false, true] {
        let stage = Stage::set(in_cookies);
        let token = token(&stage.acme.issuer(), "j1", &json!({"sid": null, "sub": "ada"}));
        assert_eq!(stage.tell("acme.localhost", &token).status, 200);
        // One token ends what there is; it may not be kept to end what comes later.
        let later = stage.logged_in("s9", "ada");
        let reply = stage.tell("acme.localhost", &token);
        assert_eq!((reply.status, reply.code().as_str()), (400, "logout_token_invalid"));
        assert!(is_in(&later));
    }
}

#[test]
fn the_same_names_at_another_tenant_are_others() {
    for in_cookies in [false, true] {
        let stage = Stage::set(in_cookies);
        let acme = stage.logged_in("s1", "u1");
        stage.globex.desk().claims = json!({"sid": "s1", "sub": "u1"});
        let mut globex = Tab::at(&stage.server, "globex.localhost");
        assert_eq!(globex.log_in(&stage.globex, "/app/x").status, 302);
        let token = token(&stage.acme.issuer(), "j1", &json!({}));
        assert_eq!(stage.tell("globex.localhost", &token).status, 400, "acme's token at globex");
        assert!(is_in(&acme) && is_in(&globex), "and is not used up by it");
        assert_eq!(stage.tell("acme.localhost", &token).status, 200);
        assert!(!is_in(&acme) && is_in(&globex));
    }
}
