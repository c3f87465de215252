//! A stand-in for XSUAA: its documented endpoints and claims, for any zone below `uaa.localhost`.
//!
//! Zones are `acme.uaa.localhost`, and `acme.cert.localhost` for clients with a certificate. The id of a
//! zone is `id-` and its name. Users log in at once, as Ann. Secrets are taken in the form and, as the
//! real one does, not in the header of a client whose name has to be encoded there.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::issuer::Issuer;
use super::standin::{Answer, Asked, Granted, Grants, StandIn, answer, redirect};
use super::tls::Identity;

/// The application's client.
pub(crate) const CLIENT: &str = "sb-app!t1";
/// Its secret.
pub(crate) const SECRET: &str = "s/cret=";

/// A stand-in for XSUAA.
pub(crate) struct Xsuaa {
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

impl Xsuaa {
    /// Starts one.
    pub(crate) fn start() -> Self {
        let identity = Identity::new(&["uaa.localhost", "*.uaa.localhost", "*.cert.localhost"]);
        let client = Identity::new(&["client"]);
        let state = Arc::new(Mutex::new(State { lifetime: 3600, ..State::default() }));
        let shared = Arc::clone(&state);
        let server = StandIn::start(identity.server_asking(&client), move |address| {
            move |asked: &Asked| serve(asked, &mut shared.lock().unwrap(), address.port())
        });
        Self { server, identity, client, state }
    }

    /// Makes its tokens say something else from now on.
    pub(crate) fn says(&self, change: Value) {
        self.state.lock().unwrap().says = Some(change);
    }

    /// Makes its tokens good for so many seconds from now on.
    pub(crate) fn lives(&self, seconds: u64) {
        self.state.lock().unwrap().lifetime = seconds;
    }

    /// `VCAP_SERVICES` with a binding to it: by secret, or by certificate.
    pub(crate) fn binding(&self, by_certificate: bool) -> Value {
        let port = self.server.address.port();
        let mut credentials = json!({
            "clientid": CLIENT, "xsappname": "app!t1", "uaadomain": "uaa.localhost", "tenantmode": "shared",
            "url": format!("https://provider.uaa.localhost:{port}"),
            "identityzone": "provider", "identityzoneid": "id-provider",
        });
        let proof = if by_certificate {
            json!({"credential-type": "x509", "certificate": self.client.certificate, "key": self.client.key,
                   "certurl": format!("https://provider.cert.localhost:{port}")})
        } else {
            json!({"credential-type": "binding-secret", "clientsecret": SECRET})
        };
        for (name, value) in proof.as_object().unwrap() {
            credentials[name] = value.clone();
        }
        json!({"xsuaa": [{"name": "uaa", "label": "xsuaa", "tags": ["xsuaa"], "credentials": credentials}]})
    }
}

fn serve(asked: &Asked, state: &mut State, port: u16) -> Answer {
    match &*asked.what {
        "GET /oauth/authorize" => state.grants.authorize(asked, CLIENT),
        "POST /oauth/token" => token(asked, state, port),
        "GET /token_keys" => answer(200, &Issuer::new("").key_set()),
        "GET /logout.do" => match asked.said("redirect") {
            "" => answer(200, &json!({})),
            back => redirect(back),
        },
        _ => answer(404, &json!({"error": "not_found"})),
    }
}

fn token(asked: &Asked, state: &mut State, port: u16) -> Answer {
    let secret_fits = asked.said("client_secret") == SECRET && asked.host.ends_with(".uaa.localhost");
    let certificate_fits = asked.certificate && asked.host.ends_with(".cert.localhost");
    let known = asked.said("client_id") == CLIENT && (secret_fits || certificate_fits);
    if !known {
        return answer(401, &json!({"error": "invalid_client", "error_description": "Bad credentials"}));
    }
    let Some(granted) = state.grants.take(asked) else {
        let by_password = asked.said("grant_type") == "password";
        let (status, error) = if by_password { (401, "unauthorized") } else { (400, "invalid_grant") };
        return answer(status, &json!({"error": error, "error_description": "Bad credentials"}));
    };
    let claims = claims(asked, state, &granted);
    let issuer = format!("https://{}.uaa.localhost:{port}/oauth/token", asked.zone());
    answer(
        200,
        &json!({"access_token": Issuer::new(&issuer).token(&claims), "token_type": "bearer",
                "expires_in": state.lifetime.saturating_sub(1), "scope": "app!t1.Read openid",
                "refresh_token": granted.refresh_token, "jti": claims["jti"]}),
    )
}

/// The claims as SAP documents them.
fn claims(asked: &Asked, state: &State, granted: &Granted) -> Value {
    let zone = asked.zone();
    let now = Issuer::new("").claims(&json!({}))["iat"].as_u64().unwrap();
    let mut claims = json!({
        "jti": format!("jti-{}", granted.number), "sub": "user-ann", "user_id": "user-ann",
        "ext_attr": {"enhancer": "XSUAA", "subaccountid": format!("id-{zone}"), "zdn": zone},
        "xs.system.attributes": {"xs.rolecollections": []},
        "given_name": "Ann", "family_name": "Smith", "user_name": "ann@acme.test", "email": "ann@acme.test",
        "client_id": CLIENT, "cid": CLIENT, "azp": CLIENT, "grant_type": asked.said("grant_type"),
        "zid": format!("id-{zone}"), "origin": "sap.default", "rev_sig": "1a2b",
        "aud": ["app!t1", "openid", CLIENT], "scope": ["app!t1.Read", "openid"],
        "exp": now + state.lifetime,
    });
    for (name, value) in state.says.iter().filter_map(Value::as_object).flatten() {
        claims[name] = value.clone();
    }
    claims
}
