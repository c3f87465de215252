//! `errorPage`: what our own refusals look like, and where browsers are sent.

use serde_json::{Value, json};

use crate::harness::backend::Next;
use crate::harness::{Backend, Setup};

const PAGE: (&str, &str) = ("accept", "text/html,*/*;q=0.8");
const NAVIGATION: (&str, &str) = ("sec-fetch-mode", "navigate");
const SCRIPT: (&str, &str) = ("x-requested-with", "XMLHttpRequest");

fn setup(pages: &Value, backend: &Backend) -> Setup {
    let app = json!({
        "authenticationMethod": "none", "errorPage": pages,
        "routes": [{"source": "^/b/", "destination": "backend"}, {"source": "^/dead/", "destination": "dead"},
                   {"source": "^/get/", "destination": "backend", "httpMethods": ["GET"]},
                   {"source": "^/t/(.*)$", "target": "$1", "localDir": "web"}]
    });
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    Setup::new(&app).destination("backend", backend.address).destination("dead", dead).file("web/a.txt", "a")
}

#[test]
fn a_file_is_what_refusals_look_like() {
    let backend = Backend::start();
    let pages = json!([{"status": 404, "file": "err.html"}, {"status": [400, 405], "file": "/e/bad.json"},
                       {"status": 404, "file": "late.html"}, {"status": 502, "file": "missing.html"}]);
    let setup = setup(&pages, &backend).file("err.html", "<b>gone</b>").file("e/bad.json", "{{x}}");
    let server = setup.file("late.html", "never").start();
    let missing = json!({"status": 404, "body": "the backend's"}).to_string();
    for (line, headers, status, kind, body, shows) in [
        ("GET /nowhere", vec![], 404, "text/html; charset=UTF-8", "<b>gone</b>", "no route"),
        ("GET /t/none", vec![PAGE], 404, "text/html; charset=UTF-8", "<b>gone</b>", "no file"),
        (
            "GET /nowhere",
            vec![("accept", "application/json")],
            404,
            "text/html; charset=UTF-8",
            "<b>gone</b>",
            "for everyone",
        ),
        ("POST /nowhere", vec![], 404, "text/html; charset=UTF-8", "<b>gone</b>", "for every method"),
        ("HEAD /nowhere", vec![], 404, "text/html; charset=UTF-8", "", "without its body"),
        ("GET /t/%", vec![], 400, "application/json; charset=UTF-8", "{{x}}", "as it is written"),
        (
            "POST /get/x",
            vec![],
            405,
            "application/json; charset=UTF-8",
            "{{x}}",
            "with what the status asks for",
        ),
        (
            "GET /b/x",
            vec![("x-echo", missing.as_str())],
            404,
            "application/json",
            "the backend's",
            "not ours",
        ),
    ] {
        let reply = server.ask(line, &headers);
        let found = (reply.status, reply.header("content-type"), reply.text());
        assert_eq!(found, (status, kind.to_owned(), body.to_owned()), "{line}: {shows}");
        assert_eq!(reply.header("allow"), if status == 405 { "GET" } else { "" });
        let kept = reply.header("cache-control").contains("no-store");
        assert_eq!(kept, shows != "not ours", "{line}: no cache keeps a refusal");
    }
    let unreadable = server.ask("GET /dead/x", &[]);
    assert_eq!(
        (unreadable.status, unreadable.code().as_str()),
        (502, "backend_unreachable"),
        "no page, no loss"
    );
    assert_eq!(server.ask("HEAD /nowhere", &[]).header("content-length"), "11");
}

#[test]
fn a_page_that_is_written_anew_is_read_anew() {
    let backend = Backend::start();
    let server = setup(&json!([{"status": 404, "file": "err.html"}]), &backend).start();
    assert_eq!(server.ask("GET /nowhere", &[]).code(), "no_route", "there is no page yet");
    std::fs::write(server.path().join("err.html"), "now there is").unwrap();
    server.await_line("configuration");
    assert_eq!(server.ask("GET /nowhere", &[]).text(), "now there is");
}

#[test]
fn browsers_are_sent_to_a_path_and_nobody_else_is() {
    let backend = Backend::start();
    let pages =
        json!([{"status": 404, "path": "lost.html?a=b"}, {"status": 502, "path": "//evil.example/x"}]);
    let server = setup(&pages, &backend).start();
    for (line, headers, status, location, shows) in [
        ("GET /nowhere", vec![PAGE], 302, "/lost.html?a=b", "somebody waits for a page"),
        ("GET /nowhere", vec![NAVIGATION], 302, "/lost.html?a=b", "a browser says so"),
        ("GET /nowhere", vec![PAGE, SCRIPT], 404, "", "a script reads the status"),
        ("GET /nowhere", vec![("accept", "application/json")], 404, "", "so does a program"),
        ("POST /nowhere", vec![PAGE], 404, "", "what was sent would be lost"),
        ("HEAD /nowhere", vec![PAGE], 404, "", "nobody sees a page"),
        ("GET /lost.html", vec![PAGE], 404, "", "nobody goes round and round"),
        ("GET /evil.example/x", vec![PAGE], 404, "", "nor to and fro"),
        ("GET /dead/x", vec![PAGE], 502, "", "see below"),
    ] {
        let reply = server.ask(line, &headers);
        if line == "GET /dead/x" {
            let found = (reply.status, reply.header("location"));
            assert_eq!(found, (302, "/evil.example/x".to_owned()), "a path, whatever it looks like");
            continue;
        }
        assert_eq!((reply.status, reply.header("location").as_str()), (status, location), "{line}: {shows}");
    }
}

#[test]
fn a_path_stands_behind_the_tenants_prefix() {
    let backend = Backend::answering(|_| Next::Close);
    for strip in [true, false] {
        let tenants = json!({"path": {"prefix": "/t/{tenant}", "strip": strip}, "tenants": {"acme": {}}});
        let server =
            setup(&json!([{"status": 404, "path": "/lost.html"}]), &backend).tenants(&tenants).start();
        let reply = server.ask("GET /t/acme/nowhere", &[PAGE]);
        assert_eq!((reply.status, reply.header("location").as_str()), (302, "/t/acme/lost.html"));
        assert_eq!(server.ask("GET /t/acme/lost.html", &[PAGE]).status, 404, "strip: {strip}");
        let nobodys = server.ask("GET /t/nobody/x", &[PAGE]);
        assert_eq!((nobodys.status, nobodys.header("location").as_str()), (302, "/lost.html"));
        assert_eq!(server.ask("GET /lost.html", &[PAGE]).status, 404, "nobody goes round and round");
    }
}
