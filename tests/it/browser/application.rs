//! An application with everything that one has: static files, an API behind a CSRF token, events, a
//! WebSocket, a large upload and a download, and scripts of other sites that call it.
//!
//! Login is at an `oidc-provider`; the backend is `tests/browser/backend.mjs`, in node.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::{Value, json};

use super::super::harness::Setup;
use super::super::harness::oidc_provider::{self, Providers, client, secret};
use super::{play, screenshots};

/// The files of the application, as they are served.
const FILES: [(&str, &str); 4] = [
    ("web/index.html", include_str!("../../browser/application/index.html")),
    ("web/logged-out.html", include_str!("../../browser/application/logged-out.html")),
    ("web/application.css", include_str!("../../browser/application/application.css")),
    ("web/application.js", include_str!("../../browser/application/application.js")),
];

fn xs_app(partner: u16) -> Value {
    let with_session = "oidc";
    json!({
        "welcomeFile": "/index.html",
        "logout": {"logoutEndpoint": "/logout", "logoutPage": "/logged-out.html"},
        "websockets": {"enabled": true},
        "compression": {"enabled": true, "minSize": 512},
        "responseHeaders": [{"name": "x-answered-by", "value": "vestibule"}],
        "cors": [{
            "uriPattern": "^/(open|api)/",
            "allowedOrigin": [{"protocol": "http", "host": "partner.localhost", "port": partner}],
            "allowedMethods": ["GET", "HEAD"], "allowedHeaders": ["x-partner"], "exposeHeaders": ["x-total"],
        }],
        "routes": [
            {"source": "^/open/", "destination": "backend", "authenticationType": "none"},
            {"source": "^/(api/|socket$)", "destination": "backend", "authenticationType": with_session},
            {"source": "^/logged-out.html$", "localDir": "web", "authenticationType": "none"},
            {"source": "^/(.*)$", "target": "$1", "localDir": "web", "authenticationType": with_session},
        ],
    })
}

/// The backend, and the pages of other sites; they end with their standard input.
struct Backend {
    child: Child,
    input: Option<ChildStdin>,
    address: SocketAddr,
    elsewhere: u16,
}

impl Backend {
    fn start() -> Self {
        let mut child = Command::new("node")
            .arg(oidc_provider::folder().join("backend.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let [backend, elsewhere]: [u16; 2] =
            serde_json::from_str(&line).expect("the backend ended; is tests/browser installed (tests/run)?");
        let address = SocketAddr::from(([127, 0, 0, 1], backend));
        Self { input: child.stdin.take(), child, address, elsewhere }
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.input.take();
        // It ends by itself now; one that hangs is not waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_person_works_with_an_application() {
    let (mut providers, backend) = (Providers::bind(1), Backend::start());
    let issuer = format!("http://{}", providers.addresses[0]);
    let tenants = json!({"hosts": ["{tenant}.localhost"], "tenants": {
        "acme": {"issuer": {"url": issuer, "clientId": "acme", "clientSecret": secret("acme"),
                            "scopes": ["openid", "email", "profile"]}},
    }});
    let setup = FILES
        .iter()
        .fold(Setup::new(&xs_app(backend.elsewhere)), |setup, (name, text)| setup.file(name, text));
    let router = setup
        .tenants(&tenants)
        .destination("backend", backend.address)
        .variable("SESSION_SECRET", "only-the-tests-know-this-secret-0123456789")
        .start();
    let acme = format!("http://acme.localhost:{}", router.address.port());
    providers.serve(&json!([{"issuer": issuer, "title": "Acme", "clients": [client("acme", &acme)]}]));
    let story = json!({
        "acme": acme,
        "partner": format!("http://partner.localhost:{}", backend.elsewhere),
        "stranger": format!("http://stranger.localhost:{}", backend.elsewhere),
        "screenshots": screenshots("application"),
    });
    let (well, said) = play("application.mjs", &story.to_string());
    assert!(well, "{said}");
}
