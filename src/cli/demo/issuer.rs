//! The embedded development issuer: one realm a tenant, each with a key of its own.
//!
//! Speaks what a real OpenID Connect issuer speaks to a router: the discovery document and the key set.
//! Instead of asking for a password, `POST /{tenant}/mint` hands a token to whoever asks; that is why it
//! listens on loopback only and why its keys die with the process. It knows nothing of the router.

mod key;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::error::Unspecified;
use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use self::key::SigningKey;
use super::http::{Answer, answer, json as json_answer, not_found, serve};

/// Who the demo's tokens are for; `audience` in the demo's `xs-tenants.json`.
const AUDIENCE: &str = "demo";
/// How long a token lives, in seconds.
const LIFETIME: u64 = 3600;

/// The issuer with all its realms.
pub(super) struct Issuer {
    /// Scheme, host and port.
    base: String,
    realms: BTreeMap<&'static str, SigningKey>,
}

/// Whom a token is for.
pub(super) struct Subject {
    /// The user's name.
    pub(super) user: String,
    /// Scopes, with blanks between them; may be empty.
    pub(super) scope: String,
}

impl Issuer {
    /// An issuer at `base` with a realm and a fresh key for each of `tenants`.
    pub(super) fn new(base: String, tenants: &[&'static str]) -> Result<Self, Unspecified> {
        let realm = |&tenant| SigningKey::generate(format!("{tenant}-1")).map(|key| (tenant, key));
        let realms = tenants.iter().map(realm).collect::<Result<_, _>>()?;
        Ok(Self { base, realms })
    }

    /// Answers on `listener`, for ever.
    pub(super) async fn serve(self: Arc<Self>, listener: TcpListener) {
        serve(listener, move |request| {
            let answer = self.answer(&request);
            async move { answer }
        })
        .await;
    }

    /// A token of `tenant`'s realm; `None` where there is no such realm.
    pub(super) fn mint(&self, tenant: &str, subject: &Subject) -> Option<String> {
        let key = self.realms.get(tenant)?;
        key.sign(&self.claims(tenant, subject)).ok()
    }

    fn claims(&self, tenant: &str, Subject { user, scope }: &Subject) -> Value {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        json!({
            "iss": format!("{}/{tenant}", self.base), "aud": AUDIENCE, "azp": AUDIENCE,
            "sub": format!("{tenant}/{user}"), "preferred_username": user,
            "email": format!("{user}@{tenant}.test"), "scope": scope,
            "iat": now, "exp": now + LIFETIME,
        })
    }

    fn answer(&self, request: &Request<Incoming>) -> Answer {
        let path = request.uri().path().trim_start_matches('/');
        let Some((tenant, endpoint)) = path.split_once('/') else { return not_found() };
        let Some(key) = self.realms.get(tenant) else { return not_found() };
        match (request.method(), endpoint) {
            (&Method::GET, ".well-known/openid-configuration") => {
                json_answer(StatusCode::OK, &self.discovery(tenant))
            }
            (&Method::GET, "jwks") => json_answer(StatusCode::OK, &json!({"keys": [key.public()]})),
            (&Method::POST, "mint") => self.minted(tenant, request.uri().query().unwrap_or_default()),
            _ => not_found(),
        }
    }

    /// The discovery document (OpenID Connect Discovery 1.0 §3), as far as the issuer goes.
    fn discovery(&self, tenant: &str) -> Value {
        let realm = format!("{}/{tenant}", self.base);
        json!({
            "issuer": realm, "jwks_uri": format!("{realm}/jwks"),
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        })
    }

    /// The bare token, so that a shell can take it as it is.
    fn minted(&self, tenant: &str, query: &str) -> Answer {
        let value = |name| parameter(query, name).unwrap_or_default();
        let user = parameter(query, "user").unwrap_or_else(|| "alice".to_owned());
        match self.mint(tenant, &Subject { user, scope: value("scope") }) {
            Some(token) => answer(StatusCode::OK, "text/plain", token),
            None => not_found(),
        }
    }
}

/// A parameter of a query, decoded as a form is.
fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    Some(percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    fn issuer() -> Issuer {
        Issuer::new("http://127.0.0.1:9".into(), &["acme", "globex"]).expect("keys")
    }

    fn claims(token: &str) -> Value {
        let payload = token.split('.').nth(1).expect("three parts");
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64")).expect("JSON")
    }

    #[test]
    fn a_token_names_its_realm_user_and_scope() {
        let subject = Subject { user: "bob".into(), scope: "reports.read".into() };
        let claims = claims(&issuer().mint("acme", &subject).expect("minted"));
        assert_eq!(claims["iss"], "http://127.0.0.1:9/acme");
        assert_eq!(claims["scope"], "reports.read");
        assert_eq!(claims["email"], "bob@acme.test");
    }

    #[test]
    fn an_unknown_realm_mints_nothing() {
        assert!(issuer().mint("initech", &Subject { user: String::new(), scope: String::new() }).is_none());
    }

    #[test]
    fn realms_do_not_share_a_key() {
        let issuer = issuer();
        assert_ne!(issuer.realms["acme"].public()["x"], issuer.realms["globex"].public()["x"]);
    }

    #[test]
    fn parameters_are_decoded() {
        for (query, name, value, shows) in [
            ("user=alice&scope=a+b", "scope", Some("a b"), "plus is a blank"),
            ("user=b%C3%B6b", "user", Some("böb"), "escapes are UTF-8"),
            ("user=alice", "scope", None, "absent"),
        ] {
            assert_eq!(parameter(query, name).as_deref(), value, "{shows}");
        }
    }
}
