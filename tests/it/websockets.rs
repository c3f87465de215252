//! WebSockets: a real client and a real server with the router between, and whatever may end them.
//!
//! Handshakes and frames that are none are in `security_26_websocket`, what is sent too early in
//! `security_04_premature_upgrade`.

mod endings;
mod handshakes;
mod messages;
mod over_http2;
mod settings;

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::harness::Setup;

/// `xs-app.json` with WebSockets, routes as those of `logged_in`.
pub(super) fn application() -> Value {
    json!({
        "websockets": {"enabled": true},
        "logout": {"logoutEndpoint": "/logout", "backChannelLogoutEndpoint": "/backchannel"},
        "routes": [
            {"source": "^/pub/(.*)$", "target": "$1", "destination": "backend", "authenticationType": "none"},
            {"source": "^/app/(.*)$", "destination": "backend", "authenticationType": "oidc"},
            {"source": "^/scoped/(.*)$", "destination": "backend", "authenticationType": "oidc", "scope": "admin"},
            {"source": "^/jwt/(.*)$", "destination": "backend", "authenticationType": "jwt"},
            {"source": "^/post/(.*)$", "destination": "backend", "authenticationType": "none", "httpMethods": ["POST"]},
        ]
    })
}

/// Everything to one backend, for everyone.
pub(super) fn open(address: SocketAddr) -> Setup {
    let routes = json!([{"source": "^/(.*)$", "destination": "backend", "authenticationType": "none"}]);
    Setup::new(&json!({"websockets": {"enabled": true}, "routes": routes})).destination("backend", address)
}
