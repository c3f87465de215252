//! A stand-in for SAP Cloud Identity Services: its documented endpoints and claims.
//!
//! Tenants are `acme.ias.localhost` and the like, each an issuer of its own. Users log in at once, as
//! Ann. A client proves itself by a secret in the form or by its certificate. The ID token is what
//! counts; the access token says nothing.

use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::issuer::{Issuer, base64url};
use super::standin::{Answer, Asked, Granted, Grants, StandIn, answer, redirect};
use super::tls::Identity;

/// The application's client.
pub(crate) const CLIENT: &str = "2f6d1b3e-portal";
/// Its secret.
pub(crate) const SECRET: &str = "[s:cret]";

/// A stand-in for IAS.
pub(crate) struct Ias {
    /// What it was asked.
    pub(crate) server: StandIn,
    /// The certificate of its hosts.
    pub(crate) identity: Identity,
    /// The certificate that the application is bound with.
    pub(crate) client: Identity,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    grants: Grants,
    /// What its tokens say differently.
    says: Option<Value>,
    /// For how many seconds its tokens are good.
    lifetime: u64,
}

impl Ias {
    /// Starts one.
    pub(crate) fn start() -> Self {
        let identity = Identity::new(&["*.ias.localhost"]);
        let client = Identity::new(&["client"]);
        let state = Arc::new(Mutex::new(State { lifetime: 3600, ..State::default() }));
        let shared = Arc::clone(&state);
        let server = StandIn::start(identity.server_asking(&client), move |address| {
            move |asked: &Asked| serve(asked, &mut shared.lock().unwrap(), address.port())
        });
        Self { server, identity, client, state }
    }

    /// The address of a tenant, which is its issuer.
    pub(crate) fn url(&self, tenant: &str) -> String {
        format!("https://{tenant}.ias.localhost:{}", self.server.address.port())
    }

    /// Makes its tokens say something else from now on.
    pub(crate) fn says(&self, change: Value) {
        self.state.lock().unwrap().says = Some(change);
    }

    /// Makes its tokens good for so many seconds from now on.
    pub(crate) fn lives(&self, seconds: u64) {
        self.state.lock().unwrap().lifetime = seconds;
    }

    /// `VCAP_SERVICES` with a binding of `tenant` by certificate.
    pub(crate) fn binding(&self, tenant: &str) -> Value {
        let credentials = json!({"clientid": CLIENT, "url": self.url(tenant), "app_tid": format!("id-{tenant}"),
            "credential-type": "X509_GENERATED", "domains": ["ias.localhost"],
            "certificate": self.client.certificate, "key": self.client.key});
        json!({"identity": [{"name": "ias", "label": "identity", "credentials": credentials}]})
    }
}

fn serve(asked: &Asked, state: &mut State, port: u16) -> Answer {
    let issuer = format!("https://{}:{port}", asked.host);
    match &*asked.what {
        "GET /.well-known/openid-configuration" => answer(200, &document(&issuer)),
        "GET /oauth2/authorize" => state.grants.authorize(asked, CLIENT),
        "POST /oauth2/token" => token(asked, state, &issuer),
        "GET /oauth2/certs" => answer(200, &Issuer::new(&issuer).key_set()),
        "GET /oauth2/logout" => match asked.said("post_logout_redirect_uri") {
            "" => answer(200, &json!({})),
            back => redirect(back),
        },
        _ => answer(404, &json!({"error": "not_found"})),
    }
}

fn document(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oauth2/authorize"),
        "token_endpoint": format!("{issuer}/oauth2/token"),
        "end_session_endpoint": format!("{issuer}/oauth2/logout"),
        "jwks_uri": format!("{issuer}/oauth2/certs"),
        "response_types_supported": ["code", "id_token", "token"],
        "grant_types_supported": ["password", "authorization_code", "refresh_token", "client_credentials"],
        "code_challenge_methods_supported": ["plain", "S256"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["tls_client_auth_subject_dn", "client_secret_basic",
                                                  "client_secret_post", "private_key_jwt"],
    })
}

fn token(asked: &Asked, state: &mut State, issuer: &str) -> Answer {
    let known =
        asked.said("client_id") == CLIENT && (asked.said("client_secret") == SECRET || asked.certificate);
    if !known {
        return answer(401, &json!({"error": "invalid_client"}));
    }
    let Some(granted) = state.grants.take(asked) else {
        return answer(400, &json!({"error": "invalid_grant"}));
    };
    let access = format!("access-{}", granted.number);
    let id_token = Issuer::new(issuer).token(&claims(asked, state, &granted, &access));
    answer(
        200,
        &json!({"access_token": access, "token_type": "Bearer", "expires_in": state.lifetime,
                "refresh_token": granted.refresh_token, "id_token": id_token}),
    )
}

/// The claims as SAP documents them.
fn claims(asked: &Asked, state: &State, granted: &Granted, access: &str) -> Value {
    let now = Issuer::new("").claims(&json!({}))["iat"].as_u64().unwrap();
    let mut claims = json!({
        "sub": "user-ann", "user_uuid": "user-ann", "aud": CLIENT, "azp": CLIENT,
        "app_tid": format!("id-{}", asked.zone()), "sid": "session-of-ann",
        "given_name": "Ann", "family_name": "Smith", "email": "ann@acme.test", "email_verified": true,
        "groups": ["Readers"], "jti": format!("jti-{}", granted.number),
        "at_hash": base64url(&digest(&SHA256, access.as_bytes()).as_ref()[..16]),
        "exp": now + state.lifetime,
    });
    if !granted.nonce.is_empty() {
        claims["nonce"] = json!(granted.nonce);
    }
    for (name, value) in state.says.iter().filter_map(Value::as_object).flatten() {
        claims[name] = value.clone();
    }
    claims
}
