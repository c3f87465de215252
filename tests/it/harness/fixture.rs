//! The configuration that most tests share: two tenants on `*.localhost`, each with an issuer.
//!
//! Routes: `/pub/` for everyone, `/jwt/` for a token of the tenant, `/scoped/` for one with the scope
//! `admin`, `/fwd/` as `/jwt/` with the token sent on. Everything else is 404.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::{Issuer, Setup};

/// The two tenants and their issuers.
pub(crate) struct Tenancy {
    /// Of tenant `acme`, whose id is `id-acme`.
    pub(crate) acme: Issuer,
    /// Of tenant `globex`, whose id is `id-globex`.
    pub(crate) globex: Issuer,
}

/// `Host` of acme.
pub(crate) const ACME: (&str, &str) = ("Host", "acme.localhost");

impl Tenancy {
    /// Two issuers that share their keys, so that only `iss` tells their tokens apart.
    pub(crate) fn new() -> Self {
        Self { acme: Issuer::new("https://idp.acme.test"), globex: Issuer::new("https://idp.globex.test") }
    }

    /// `xs-tenants.json`.
    pub(crate) fn table(&self) -> Value {
        json!({
            "hosts": ["{tenant}.localhost"],
            "tenants": {
                "acme": {"id": "id-acme", "name": "ACME Corp", "issuer": self.acme.configuration()},
                "globex": {"id": "id-globex", "name": "Globex", "issuer": self.globex.configuration()},
                "sleepy": {"status": "suspended", "issuer": Issuer::new("https://idp.sleepy.test").configuration()},
            }
        })
    }

    /// The configuration, every route going to `backend`.
    pub(crate) fn setup(&self, backend: SocketAddr) -> Setup {
        let forwarding =
            json!({"name": "forwarding", "url": format!("http://{backend}"), "forwardAuthToken": true});
        let setup = Setup::new(&routes()).destination("backend", backend).destination_with(&forwarding);
        setup.tenants(&self.table())
    }
}

/// `xs-app.json`.
pub(crate) fn routes() -> Value {
    json!({"routes": [
        {"source": "^/pub/(.*)$", "destination": "backend", "authenticationType": "none"},
        {"source": "^/jwt/(.*)$", "destination": "backend", "authenticationType": "jwt"},
        {"source": "^/scoped/(.*)$", "destination": "backend", "authenticationType": "jwt", "scope": "admin"},
        {"source": "^/fwd/(.*)$", "destination": "forwarding", "authenticationType": "jwt"},
    ]})
}

/// `Authorization` with a bearer token.
pub(crate) fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}
