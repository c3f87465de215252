//! A stand-in for a provider's subaccount: XSUAA, IAS and the Destination service, over TLS.
//!
//! Zones are `acme.uaa.localhost` and the like; the Destination service is at `destination.localhost` and
//! knows for each zone what was put there. It returns tokens as it is documented: for the application, or
//! for the user of an exchanged token, and an error in their place where a user is missing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::standin::{Answer, Asked, StandIn, answer};
use super::tls::Identity;

/// Types of authentication whose tokens are a user's.
const OF_USERS: [&str; 3] = ["OAuth2UserTokenExchange", "OAuth2SAMLBearerAssertion", "OAuth2JWTBearer"];
/// Those whose tokens are the application's.
const OF_APPLICATIONS: [&str; 2] = ["OAuth2ClientCredentials", "OAuth2Password"];
/// How the Destination service is asked.
pub(crate) const FIND: &str = "GET /destination-configuration/v1/destinations/";

/// A stand-in for what a subaccount binds.
pub(crate) struct Subaccount {
    /// What it was asked.
    pub(crate) server: StandIn,
    /// The certificate of its hosts.
    pub(crate) identity: Identity,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Destinations and what comes with them, by zone and name.
    destinations: HashMap<(String, String), (Value, Value)>,
    down: bool,
    tokens: usize,
}

impl Subaccount {
    /// Starts one that knows no destination.
    pub(crate) fn start() -> Self {
        let names = ["*.uaa.localhost", "*.ias.localhost", "destination.localhost", "localhost"];
        let identity = Identity::new(&names);
        let state: Arc<Mutex<State>> = Arc::default();
        let shared = Arc::clone(&state);
        let tls = identity.server_asking(&Identity::new(&["nobody"]));
        let server = StandIn::start(tls, |_| move |asked: &Asked| serve(asked, &mut shared.lock().unwrap()));
        Self { server, identity, state }
    }

    /// Puts a destination into a zone, with `certificates` where there are any.
    pub(crate) fn put(&self, zone: &str, destination: Value, certificates: Value) {
        let name = destination["Name"].as_str().unwrap().to_owned();
        let mut state = self.state.lock().unwrap();
        state.destinations.insert((zone.to_owned(), name), (destination, certificates));
    }

    /// Makes the Destination service answer with 503 from now on, or no longer.
    pub(crate) fn is_down(&self, down: bool) {
        self.state.lock().unwrap().down = down;
    }

    /// `VCAP_SERVICES` with all of it, and a Connectivity proxy at `proxy`.
    pub(crate) fn bindings(&self, proxy: Option<u16>) -> Value {
        let port = self.server.address.port();
        let client = |name: &str| {
            json!({"clientid": name, "clientsecret": format!("secret of {name}"), "uaadomain": "uaa.localhost",
                   "url": format!("https://provider.uaa.localhost:{port}")})
        };
        let mut uaa = client("sb-app!t1");
        uaa["xsappname"] = json!("app!t1");
        uaa["tenantmode"] = json!("shared");
        uaa["identityzone"] = json!("provider");
        let mut destination = client("destination");
        destination["uri"] = json!(format!("https://destination.localhost:{port}"));
        let ias = json!({"clientid": "portal", "clientsecret": "secret of portal",
                         "url": format!("https://t.ias.localhost:{port}")});
        let mut bindings = json!({
            "xsuaa": [{"name": "uaa", "label": "xsuaa", "tags": ["xsuaa"], "credentials": uaa}],
            "destination": [{"name": "dest", "label": "destination", "credentials": destination}],
            "identity": [{"name": "ias", "label": "identity", "credentials": ias}],
        });
        if let Some(proxy) = proxy {
            let mut connectivity = client("connectivity");
            connectivity["token_service_url"] = connectivity["url"].take();
            connectivity["onpremise_proxy_host"] = json!("localhost");
            connectivity["onpremise_proxy_http_port"] = json!(proxy.to_string());
            bindings["connectivity"] =
                json!([{"name": "conn", "label": "connectivity", "credentials": connectivity}]);
        }
        bindings
    }

    /// The names that the Destination service was asked for so far, with the zone of the token.
    pub(crate) fn lookups(&self) -> Vec<String> {
        let asked = self.server.asked().into_iter();
        let named = asked.filter_map(|asked| {
            let name = asked.what.strip_prefix(FIND)?.to_owned();
            Some(format!("{} in {}", name, Token::read(&asked.authorization).zone))
        });
        named.collect()
    }

    /// The grants that were taken so far, as `client_credentials of destination at acme`.
    pub(crate) fn grants(&self) -> Vec<String> {
        let asked = self.server.asked_for("POST /oauth/token").into_iter();
        let words = asked.map(|asked| {
            let kind = asked.said("grant_type").rsplit(':').next().unwrap().to_owned();
            format!("{kind} of {} at {}", asked.said("client_id"), asked.zone())
        });
        words.collect()
    }
}

/// A token of the stand-in: `kind.zone.client.user.number`.
struct Token {
    kind: String,
    zone: String,
    user: String,
}

impl Token {
    fn read(authorization: &str) -> Self {
        let token = authorization.strip_prefix("Bearer ").unwrap_or_default();
        let mut parts = token.split('.').map(str::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        let (kind, zone, _client) = (next(), next(), next());
        Self { kind, zone, user: next() }
    }
}

fn serve(asked: &Asked, state: &mut State) -> Answer {
    if asked.what == "POST /oauth/token" || asked.what == "POST /oauth2/token" {
        return token(asked, state);
    }
    match asked.what.strip_prefix(FIND) {
        Some(_) if state.down => answer(503, &json!({"error": "down"})),
        Some(name) => find(name, &Token::read(&asked.authorization), state),
        None => answer(404, &json!({"error": "not_found"})),
    }
}

fn token(asked: &Asked, state: &mut State) -> Answer {
    let client = asked.said("client_id");
    if asked.said("client_secret") != format!("secret of {client}") {
        return answer(401, &json!({"error": "invalid_client"}));
    }
    state.tokens += 1;
    let (zone, number) = (asked.zone(), state.tokens);
    let given = match asked.said("grant_type") {
        "client_credentials" => format!("app.{zone}.{client}.-.{number}"),
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
            let user = subject(asked.said("assertion"));
            match asked.said("resource").strip_prefix("urn:sap:identity:application:provider:name:") {
                Some(dependency) => format!("dependency.{dependency}.{client}.{user}.{number}"),
                None => format!("user.{zone}.{client}.{user}.{number}"),
            }
        }
        _ => return answer(400, &json!({"error": "unsupported_grant_type"})),
    };
    answer(200, &json!({"access_token": given, "token_type": "bearer", "expires_in": 3600}))
}

/// `sub` of a token that a test's issuer signed.
fn subject(token: &str) -> String {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice::<Value>(&claims).unwrap()["sub"].as_str().unwrap().to_owned()
}

/// "Find a destination".
fn find(name: &str, token: &Token, state: &State) -> Answer {
    if !["app", "user"].contains(&&*token.kind) {
        return answer(401, &json!({"error": "unauthorized"}));
    }
    let Some((destination, certificates)) = state.destinations.get(&(token.zone.clone(), name.to_owned()))
    else {
        return answer(404, &json!({"ErrorMessage": "Configuration with the specified name was not found"}));
    };
    let kind = destination["Authentication"].as_str().unwrap_or("NoAuthentication");
    let bearer = |value: String| {
        json!([{"type": "Bearer", "value": value, "expires_in": "3600",
                "http_header": {"key": "Authorization", "value": format!("Bearer {value}")}}])
    };
    let tokens = if kind == "BasicAuthentication" {
        let text = |key: &str| destination[key].as_str().unwrap().to_owned();
        let value = STANDARD.encode(format!("{}:{}", text("User"), text("Password")));
        json!([{"type": "Basic", "value": value,
                "http_header": {"key": "Authorization", "value": format!("Basic {value}")}}])
    } else if OF_APPLICATIONS.contains(&kind) {
        bearer(format!("of-the-application-in-{}", token.zone))
    } else if OF_USERS.contains(&kind) && token.kind == "user" {
        bearer(format!("of-{}-in-{}", token.user, token.zone))
    } else if OF_USERS.contains(&kind) {
        json!([{"type": "", "value": "", "error": "Retrieval failed: a user token is needed"}])
    } else {
        json!([])
    };
    answer(
        200,
        &json!({"owner": {"SubaccountId": token.zone, "InstanceId": null},
                "destinationConfiguration": destination, "authTokens": tokens, "certificates": certificates}),
    )
}
