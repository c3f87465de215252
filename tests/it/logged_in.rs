//! Logging in, and what a session is good for: the whole way, with a provider in the test.
//!
//! Two tenants with a provider each. `/app/` asks for a session, `/open/` for one without a CSRF token,
//! `/scoped/` for the scope `admin`, `/fwd/` sends the token on, `/jwt/` never looks at cookies, `/basic/` asks
//! for user and password and sends the token on.

mod answers;
mod passwords;
mod refresh;
mod way_in;

use serde_json::json;

use super::harness::{Backend, Provider, Server, Setup, Tab};

/// A running server, its backend, and the providers of its tenants.
pub(super) struct Stage {
    pub(super) server: Server,
    pub(super) backend: Backend,
    pub(super) acme: Provider,
    pub(super) globex: Provider,
}

impl Stage {
    /// With the defaults.
    pub(super) fn set() -> Self {
        Self::set_with(|setup| setup)
    }

    /// With what `more` adds to the configuration.
    pub(super) fn set_with(more: impl FnOnce(Setup) -> Setup) -> Self {
        let (backend, acme, globex) = (Backend::start(), Provider::start(), Provider::start());
        let forwarding = json!({"name": "forwarding", "url": format!("http://{}", backend.address),
                                "forwardAuthToken": true});
        let setup = Setup::new(&routes())
            .destination("backend", backend.address)
            .destination_with(&forwarding)
            .tenants(&json!({
                "hosts": ["{tenant}.localhost"],
                "tenants": {
                    "acme": {"id": "id-acme", "name": "ACME Corp", "issuer": acme.configuration()},
                    "globex": {"id": "id-globex", "issuer": globex.configuration()},
                }
            }));
        Self { server: more(setup).start(), backend, acme, globex }
    }

    /// A browser of nobody at acme.
    pub(super) fn browser(&self) -> Tab<'_> {
        Tab::at(&self.server, "acme.localhost")
    }

    /// A browser that is logged in at acme.
    pub(super) fn logged_in(&self) -> Tab<'_> {
        let mut browser = self.browser();
        let reply = browser.log_in(&self.acme, "/app/start");
        assert_eq!(
            (reply.status, reply.header("location")),
            (302, "/app/start".to_owned()),
            "{}",
            reply.text()
        );
        self.backend.take();
        browser
    }
}

/// `xs-app.json`.
pub(super) fn routes() -> serde_json::Value {
    json!({"routes": [
        {"source": "^/pub/(.*)$", "destination": "backend", "authenticationType": "none"},
        {"source": "^/app/(.*)$", "destination": "backend", "authenticationType": "oidc"},
        {"source": "^/open/(.*)$", "destination": "backend", "authenticationType": "oidc",
         "csrfProtection": false},
        {"source": "^/scoped/(.*)$", "destination": "backend", "authenticationType": "oidc", "scope": "admin"},
        {"source": "^/fwd/(.*)$", "destination": "forwarding", "authenticationType": "oidc"},
        {"source": "^/jwt/(.*)$", "destination": "backend", "authenticationType": "jwt"},
        {"source": "^/basic/(.*)$", "destination": "forwarding", "authenticationType": "basic"},
    ]})
}
