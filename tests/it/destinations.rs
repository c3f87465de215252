//! Every property of a destination, at a real proxy, a real TLS backend and stand-ins of the services.
//!
//! The stand-ins have the documented endpoints: token endpoints for each zone, the Destination service's
//! "Find a destination", and a Connectivity proxy, which is an HTTP proxy that keeps what it reads.

mod certificates;
mod dependency;
mod found;
mod names;
mod on_premise;
mod proxied;
mod refused;

use std::collections::HashMap;
use std::sync::Mutex;

use serde_json::{Value, json};

use super::harness::subaccount::Subaccount;
use super::harness::{Backend, Issuer, Reply, Server, Setup};

/// A stand-in for the bound services, a backend, and two tenants with an issuer each.
struct Town {
    subaccount: Subaccount,
    backend: Backend,
    issuers: [(&'static str, Issuer); 2],
    /// The tokens that were signed, so that one asked for twice is the same in the next second too.
    tokens: Mutex<HashMap<(String, String), String>>,
}

/// The routes of these tests: `/to/<name>/` for a token of the tenant, `/open/<name>/` for everyone, both
/// by the name in the path; `/fixed/` and `/local/` to `plain`, the second to the provider's.
fn routes() -> Value {
    json!({"routes": [
        {"source": "^/to/([^/]*)/(.*)$", "destination": "$1", "target": "/$2", "authenticationType": "jwt"},
        {"source": "^/open/([^/]*)/(.*)$", "destination": "$1", "target": "/$2", "authenticationType": "none"},
        {"source": "^/fixed/(.*)$", "destination": "plain", "target": "/$1", "authenticationType": "none"},
        {"source": "^/user/(.*)$", "destination": "personal", "target": "/$1", "authenticationType": "jwt"},
        {"source": "^/local/(.*)$", "destination": "plain", "target": "/$1", "authenticationType": "none",
         "preferLocal": true},
    ]})
}

impl Town {
    fn new() -> Self {
        let issuers = [
            ("acme", Issuer::new("https://idp.acme.test")),
            ("globex", Issuer::new("https://idp.globex.test")),
        ];
        let (subaccount, backend) = (Subaccount::start(), Backend::start());
        Self { subaccount, backend, issuers, tokens: Mutex::default() }
    }

    /// The router, with all of it bound and the Connectivity proxy at `proxy`.
    fn setup(&self, proxy: Option<u16>) -> Setup {
        let tenants: serde_json::Map<String, Value> = self
            .issuers
            .iter()
            .map(|(tenant, issuer)| {
                (
                    (*tenant).to_owned(),
                    json!({"id": format!("id-{tenant}"), "issuer": issuer.configuration()}),
                )
            })
            .collect();
        let setup = Setup::new(&routes())
            .tenants(&json!({"hosts": ["{tenant}.localhost"], "tenants": tenants}))
            .variable("VCAP_SERVICES", self.subaccount.bindings(proxy))
            .file("trusted.pem", &self.subaccount.identity.certificate);
        let trusted = setup.path().join("trusted.pem").to_string_lossy().into_owned();
        setup.variable("XS_CACERT_PATH", trusted)
    }

    /// Puts a destination to the backend into a zone, with `more` properties.
    fn put(&self, zone: &str, name: &str, more: Value) {
        self.put_with(zone, name, more, json!([]));
    }

    fn put_with(&self, zone: &str, name: &str, more: Value, certificates: Value) {
        let mut destination = json!({"Name": name, "Type": "HTTP", "ProxyType": "Internet",
            "Authentication": "NoAuthentication", "HTML5.DynamicDestination": "true",
            "URL": format!("http://localhost:{}/{zone}", self.backend.address.port())});
        for (key, value) in more.as_object().unwrap() {
            destination[key] = value.clone();
        }
        self.subaccount.put(zone, destination, certificates);
    }

    /// A token of `user` in `tenant`.
    fn token(&self, tenant: &str, user: &str) -> String {
        let issuer = &self.issuers.iter().find(|(key, _)| *key == tenant).unwrap().1;
        let mut tokens = self.tokens.lock().unwrap();
        let token = tokens.entry((tenant.to_owned(), user.to_owned()));
        token.or_insert_with(|| format!("Bearer {}", issuer.token(&json!({"sub": user})))).clone()
    }

    /// What `tenant` gets at `path`, for `user` where one is named.
    fn ask(&self, server: &Server, tenant: &str, path: &str, user: Option<&str>) -> Reply {
        let (host, token) = (format!("{tenant}.localhost"), user.map(|user| self.token(tenant, user)));
        let mut headers = vec![("Host", &*host)];
        headers.extend(token.as_deref().map(|token| ("Authorization", token)));
        server.ask(&format!("GET {path}"), &headers)
    }
}
