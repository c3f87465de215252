//! Class 15, switches that the client could choose.
//!
//! Recipe: every protected route with 20 kinds of `User-Agent`, health-check paths, probes' and
//! debugging headers. Must happen: no decision reads them.

use super::harness::Backend;
use super::harness::fixture::{ACME, Tenancy};

const AGENTS: [&str; 20] = [
    "",
    "kube-probe/1.30",
    "ELB-HealthChecker/2.0",
    "GoogleHC/1.0",
    "Prometheus/2.53",
    "curl/8.9.1",
    "Go-http-client/1.1",
    "Gorouter",
    "cf-health-check",
    "Mozilla/5.0 (X11; Linux x86_64) Chrome/120",
    "Googlebot/2.1",
    "Internal",
    "Datadog Agent/7",
    "check_http/v2.3",
    "SAP NetWeaver",
    "Java/21",
    "python-requests/2.32",
    "Wget/1.21",
    "Blackbox Exporter/0.25",
    "Varnish Health Probe",
];

const SWITCHES: [(&str, &str); 12] = [
    ("x-internal", "true"),
    ("x-debug", "1"),
    ("x-original-url", "/pub/x"),
    ("x-rewrite-url", "/pub/x"),
    ("x-original-uri", "/pub/x"),
    ("x-http-method-override", "GET"),
    ("x-method-override", "GET"),
    ("x-forwarded-path", "/pub/x"),
    ("x-forwarded-prefix", "/pub"),
    ("x-real-ip", "127.0.0.1"),
    ("x-forwarded-for", "127.0.0.1"),
    ("x-cf-app-instance", "a:0"),
];

#[test]
fn no_agent_no_path_and_no_switch_opens_a_door() {
    let backend = Backend::start();
    let server = Tenancy::new().setup(backend.address).start();
    let paths = [
        "/jwt/x",
        "/scoped/x",
        "/fwd/x",
        "/jwt/health",
        "/jwt/healthz",
        "/jwt/actuator/health",
        "/jwt/favicon.ico",
        "/jwt/robots.txt",
        "/jwt/.well-known/x",
        "/jwt/x?debug=1&_method=GET&sap-statistics=true",
    ];
    for path in paths {
        for agent in AGENTS {
            let reply = server.ask(&format!("GET {path}"), &[ACME, ("User-Agent", agent)]);
            assert_eq!(reply.status, 401, "{path} for {agent:?}");
        }
        for switch in SWITCHES {
            let reply = server.ask(&format!("GET {path}"), &[ACME, switch]);
            assert_eq!(reply.status, 401, "{path} with {switch:?}");
        }
    }
    for path in
        ["/health", "/healthz", "/readyz", "/metrics", "/config", "/jwks", "/status", "/server-status"]
    {
        assert_eq!(server.ask(&format!("GET {path}"), &[ACME]).status, 404, "{path} on the public port");
    }
    assert_eq!(backend.requests().len(), 0);
}
