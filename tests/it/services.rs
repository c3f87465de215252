//! Bound services: the real binary between two tenants, a service, and its authorization server.
//!
//! The authorization server stands in for an XSUAA over plain HTTP, with a host for each zone below
//! `localhost`: what it gives says for which zone, by which grant, and how many it gave before.

mod bindings;
mod calls;
mod configuration;
mod failures;
mod logout;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::harness::backend::{Exchange, Next};
use super::harness::fixture::Tenancy;
use super::harness::provider::form;
use super::harness::{Backend, Recorded, Server, Setup};

/// The application's client at the service's authorization server.
const CLIENT: &str = "sb-country!b1|country!b2";
/// Its secret.
const SECRET: &str = "c0untry&secret=";
/// `grant_type` of an exchange.
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// What an authorization server says of a request: status and body; nothing leaves it to what it does.
type Says = Option<(u16, String)>;

/// An authorization server of a service.
struct Uaa {
    server: Backend,
    says: Arc<Mutex<Says>>,
}

impl Uaa {
    fn start() -> Self {
        let says = Arc::new(Mutex::new(Says::default()));
        let (told, count) = (Arc::clone(&says), Mutex::new(0));
        let server = Backend::answering(move |exchange| {
            let asked = asked(exchange);
            let mut count = count.lock().unwrap();
            *count += 1;
            let said = told.lock().unwrap().clone();
            let (status, body) = said.unwrap_or_else(|| given(&asked, *count));
            let length = body.len();
            exchange.write(format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{body}"));
            Next::Close
        });
        Self { server, says }
    }

    /// What it answers from now on.
    fn says(&self, status: u16, body: &str) {
        *self.says.lock().unwrap() = Some((status, body.to_owned()));
    }

    /// What it was asked since the last call: forms, with `zone` for the first label of the host.
    fn asked(&self) -> Vec<HashMap<String, String>> {
        let requests = self.server.take();
        requests.iter().map(|request| filled(&request.head.lines, &request.body)).collect()
    }

    /// The part of a binding that is about it.
    fn credentials(&self) -> Value {
        let port = self.server.address.port();
        json!({"clientid": CLIENT, "clientsecret": SECRET, "tenantmode": "shared",
               "url": format!("http://provider.localhost:{port}"), "uaadomain": "localhost",
               "xsappname": "country!b1"})
    }
}

fn filled(lines: &[(String, String)], body: &[u8]) -> HashMap<String, String> {
    let mut asked = form(std::str::from_utf8(body).unwrap());
    let host = lines.iter().find(|(name, _)| name.eq_ignore_ascii_case("host")).unwrap();
    asked.insert("zone".to_owned(), host.1.split('.').next().unwrap().to_owned());
    asked
}

fn asked(exchange: &mut Exchange<'_>) -> HashMap<String, String> {
    let body = exchange.body().unwrap();
    filled(&exchange.head.lines, &body)
}

fn given(asked: &HashMap<String, String>, count: usize) -> (u16, String) {
    let said = |name: &str| asked.get(name).map_or("", String::as_str);
    if (said("client_id"), said("client_secret")) != (CLIENT, SECRET) {
        return (401, json!({"error": "invalid_client"}).to_string());
    }
    let by = match said("grant_type") {
        "client_credentials" => "own",
        EXCHANGE => "user",
        _ => return (400, json!({"error": "unsupported_grant_type"}).to_string()),
    };
    let token = format!("{}.{by}.{count}", said("zone"));
    (200, json!({"access_token": token, "token_type": "bearer", "expires_in": 3600}).to_string())
}

/// Two tenants, a service, its authorization server, and the router between them.
struct Stage {
    tenancy: Tenancy,
    service: Backend,
    uaa: Uaa,
    server: Server,
}

impl Stage {
    /// With a service whose binding says `more`.
    fn set(more: &Value) -> Self {
        Self::set_with(more, &json!({}), |setup| setup)
    }

    /// The same, with more in `xs-app.json`, and a setup that is changed.
    fn set_with(more: &Value, app: &Value, change: impl FnOnce(Setup) -> Setup) -> Self {
        let (tenancy, service, uaa) = (Tenancy::new(), Backend::start(), Uaa::start());
        let binding = binding(&service, &uaa, more);
        let mut routes = json!({"routes": routes()});
        for (key, value) in app.as_object().unwrap() {
            routes[key] = value.clone();
        }
        let setup = Setup::new(&routes)
            .tenants(&tenancy.table())
            .variable("VCAP_SERVICES", json!({"country": [binding]}));
        Self { tenancy, service, uaa, server: change(setup).start() }
    }

    /// A token of `tenant`'s user `subject`.
    fn token(&self, tenant: &str, subject: &str) -> String {
        let issuer = if tenant == "acme" { &self.tenancy.acme } else { &self.tenancy.globex };
        format!("Bearer {}", issuer.token(&json!({"sub": subject})))
    }

    /// What the service got for a request that came with `authorization`.
    fn served(&self, tenant: &str, path: &str, authorization: &str) -> Recorded {
        let host = format!("{tenant}.localhost");
        let reply = self.server.ask(path, &[("Host", &host), ("Authorization", authorization)]);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        self.service.only()
    }
}

/// Routes of each kind to the service.
fn routes() -> Value {
    json!([
        {"source": "^/data/(.*)$", "target": "$1", "service": "com.sap.country", "endpoint": "data",
         "authenticationType": "jwt"},
        {"source": "^/config/(.*)$", "target": "$1", "service": "com.sap.country", "endpoint": "config",
         "authenticationType": "jwt"},
        {"source": "^/alias/(.*)$", "target": "$1", "service": "country", "authenticationType": "jwt"},
        {"source": "^/app/(.*)$", "service": "com.sap.country", "endpoint": "data",
         "authenticationType": "oidc"},
        {"source": "^/open/(.*)$", "service": "com.sap.country", "endpoint": "data",
         "authenticationType": "none"},
    ])
}

/// A binding as the documentation describes it, with `more` among its credentials.
fn binding(service: &Backend, uaa: &Uaa, more: &Value) -> Value {
    let address = service.address;
    let mut credentials = json!({
        "sap.cloud.service": "com.sap.country", "sap.cloud.service.alias": "country",
        "endpoints": {"data": {"url": format!("http://{address}/odata/v2"), "timeout": 120_000},
                      "config": format!("http://{address}/rest/")},
        "url": format!("http://{address}/whole"),
        "html5-apps-repo": {"app_host_id": "1bd7c044"},
        "uaa": uaa.credentials(),
    });
    for (name, value) in more.as_object().unwrap() {
        credentials[name] = value.clone();
    }
    json!({"name": "country-instance", "label": "country", "plan": "standard", "tags": ["country"],
           "credentials": credentials})
}
