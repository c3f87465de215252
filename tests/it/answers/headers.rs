//! `responseHeaders`, `httpHeaders`, `SEND_XFRAMEOPTIONS` and `MERGE_CSP_HEADERS`.

use serde_json::{Value, json};

use crate::harness::{Backend, Server, Setup};

fn app(headers: &Value) -> Value {
    json!({
        "authenticationMethod": "none", "responseHeaders": headers, "welcomeFile": "/t/a.txt",
        "routes": [{"source": "^/b/", "destination": "backend"},
                   {"source": "^/t/(.*)$", "target": "$1", "localDir": "web"}]
    })
}

fn server(backend: &Backend, headers: &Value, variables: &[(&str, Value)]) -> Server {
    let mut setup = Setup::new(&app(headers)).destination("backend", backend.address).file("web/a.txt", "a");
    for (name, value) in variables {
        setup = setup.variable(name, value.clone());
    }
    setup.start()
}

#[test]
fn every_answer_carries_what_is_configured_and_a_backend_has_the_last_word() {
    let backend = Backend::start();
    let headers = json!([{"name": "X-Both", "value": "file"}, {"name": "X-File", "value": " v "},
                         {"name": "x-file", "value": "later"}]);
    let variables =
        [("httpHeaders", json!([{"x-both": "environment", "X-Env": "1"}, {"X-Frame-Options": "DENY"}]))];
    let server = server(&backend, &headers, &variables);
    let echo = json!({"headers": [["x-both", "backend"], ["x-frame-options", "ALLOW"]]}).to_string();
    for (line, echo, expected, shows) in [
        ("GET /b/x", "{}", ["file", "later", "1", "DENY"], "a backend's answer"),
        ("GET /b/x", echo.as_str(), ["backend", "later", "1", "ALLOW"], "the backend says otherwise"),
        ("GET /t/a.txt", "{}", ["file", "later", "1", "DENY"], "a file"),
        ("GET /t/none", "{}", ["file", "later", "1", "DENY"], "a refusal"),
        ("GET /", "{}", ["file", "later", "1", "DENY"], "a redirect"),
        ("GET /b/%2e%2e/x", "{}", ["file", "later", "1", "DENY"], "a request without meaning"),
    ] {
        let reply = server.ask(line, &[("x-echo", echo)]);
        let found = ["x-both", "x-file", "x-env", "x-frame-options"].map(|name| reply.header(name));
        assert_eq!(found, expected, "{line}: {shows}");
    }
}

#[test]
fn who_may_frame_an_answer_is_said_unless_that_is_not_wanted() {
    let backend = Backend::start();
    let own = json!([{"name": "X-Frame-Options", "value": "DENY"}]);
    for (headers, send, expected, shows) in [
        (json!([]), json!(true), "SAMEORIGIN", "by default"),
        (json!([]), json!(false), "", "not wanted"),
        (own.clone(), json!(true), "DENY", "said otherwise"),
        (own, json!(false), "DENY", "only the default is not wanted"),
    ] {
        let server = server(&backend, &headers, &[("SEND_XFRAMEOPTIONS", send)]);
        assert_eq!(server.ask("GET /b/x", &[]).header("x-frame-options"), expected, "{shows}");
        assert_eq!(server.ask("GET /nowhere", &[]).header("x-frame-options"), expected, "{shows}");
    }
}

#[test]
fn a_policy_beside_a_backends_own_is_a_second_one() {
    let backend = Backend::start();
    let policy = json!([{"name": "Content-Security-Policy", "value": "frame-ancestors 'self'"}]);
    let own = json!({"headers": [["content-security-policy", "default-src 'none'"]]}).to_string();
    let page = ("accept", "text/html");
    for (merges, echo, expected, shows) in [
        (false, own.as_str(), vec!["default-src 'none'"], "the backend's alone"),
        (true, own.as_str(), vec!["default-src 'none'", "frame-ancestors 'self'"], "both"),
        (true, "{}", vec!["frame-ancestors 'self'"], "ours once, where the backend has none"),
    ] {
        let server = server(&backend, &policy, &[("MERGE_CSP_HEADERS", json!(merges))]);
        let reply = server.ask("GET /b/x", &[("x-echo", echo)]);
        assert_eq!(reply.all("content-security-policy"), expected, "{shows}");
        let refusal = server.ask("GET /nowhere", &[page]);
        assert_eq!(refusal.all("content-security-policy").len(), 1, "our page has the policy that it needs");
    }
}
