//! Reloading: every way in which files change, every way to ask for it, and what a broken one may touch.
//!
//! What is in use is judged at the backend, by the path and the headers that it gets. Waiting is for the
//! line of the log that says how a reload ended.

mod under_load;

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::harness::backend::Next;
use super::harness::h2::{H2, Outcome};
use super::harness::{Backend, DEADLINE, Server, Setup};

const APPLIED: &str = "the new configuration is in use";
const REFUSED: &str = "the new configuration has errors";

/// `xs-app.json` whose only route leads to `/name/…`.
fn app(name: &str) -> String {
    json!({"authenticationMethod": "none", "routes": [
        {"source": "^/(.*)$", "target": format!("/{name}/$1"), "destination": "backend",
         "authenticationType": "none"}]})
    .to_string()
}

fn start(backend: &Backend) -> Server {
    Setup::open(backend.address).file("xs-app.json", app("first")).start()
}

/// What the backend gets for `/x`, sent by `host`.
fn target(server: &Server, backend: &Backend) -> String {
    assert_eq!(server.ask("GET /x", &[]).status, 200);
    backend.only().head.target
}

/// An editor's way to write a file.
type Way = fn(&Path, &str);

#[test]
fn an_edit_is_live_within_a_second_however_it_is_written() {
    let ways: [(&str, Way); 4] = [
        ("in place", |file, text| std::fs::write(file, text).unwrap()),
        ("by a rename over it", |file, text| {
            let fresh = file.with_extension("swp");
            std::fs::write(&fresh, text).unwrap();
            std::fs::rename(fresh, file).unwrap();
        }),
        ("beside a backup", |file, text| {
            std::fs::rename(file, file.with_extension("json~")).unwrap();
            std::fs::write(file, text).unwrap();
        }),
        ("after removing it", |file, text| {
            std::fs::remove_file(file).unwrap();
            std::fs::write(file, text).unwrap();
        }),
    ];
    let backend = Backend::start();
    let server = start(&backend);
    for (number, (shows, write)) in ways.iter().enumerate() {
        let name = format!("edit-{number}");
        let begin = Instant::now();
        write(&server.path().join("xs-app.json"), &app(&name));
        server.await_line(APPLIED);
        let took = begin.elapsed();
        assert_eq!(target(&server, &backend), format!("/{name}/x"), "{shows}");
        assert!(took < Duration::from_secs(1), "{shows}: after {took:?}");
    }
}

/// A folder as Kubernetes mounts a `ConfigMap`: each file a link through `..data`.
fn mount(folder: &Path, version: &str, files: &[(&str, String)]) {
    let fresh = folder.join(format!("..{version}"));
    std::fs::create_dir(&fresh).unwrap();
    for (name, text) in files {
        std::fs::write(fresh.join(name), text).unwrap();
        let link = folder.join(name);
        if !link.is_symlink() {
            // What the harness put there makes way for the link.
            let _ = std::fs::remove_file(&link);
            symlink(Path::new("..data").join(name), link).unwrap();
        }
    }
    symlink(format!("..{version}"), folder.join("..data_tmp")).unwrap();
    std::fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
}

#[test]
fn a_mounted_config_map_is_followed() {
    let backend = Backend::start();
    let setup = Setup::open(backend.address);
    mount(setup.path(), "v0", &[("xs-app.json", app("v0"))]);
    let server = setup.start();
    assert_eq!(target(&server, &backend), "/v0/x");
    for number in 1..4 {
        let version = format!("v{number}");
        let begin = Instant::now();
        mount(server.path(), &version, &[("xs-app.json", app(&version))]);
        std::fs::remove_dir_all(server.path().join(format!("..v{}", number - 1))).unwrap();
        server.await_line(APPLIED);
        assert!(begin.elapsed() < Duration::from_secs(1), "{version}: after {:?}", begin.elapsed());
        assert_eq!(target(&server, &backend), format!("/{version}/x"));
    }
}

#[test]
fn a_signal_and_the_admin_port_reload_too() {
    let backend = Backend::start();
    let server = start(&backend);
    for _ in 0..2 {
        server.signal("HUP");
        server.await_line(APPLIED);
        let reply = server.ask_admin("POST /reload");
        assert_eq!(reply.status, 200, "{}", reply.text());
        server.await_line(APPLIED);
    }
    assert_eq!(server.ask_admin("GET /reload").status, 405);
    assert_eq!(target(&server, &backend), "/first/x");
}

#[test]
fn a_broken_edit_is_reported_with_its_place_and_changes_nothing() {
    let backend = Backend::start();
    let server = start(&backend);
    let file = server.path().join("xs-app.json");
    let route = r#"{"source": "^/(.*)$", "destination": "backend", "authenticationType": "none"}"#;
    let rows = [
        (format!("{{\n  \"routes\": [\n    {route},\n"), "xs-app.json:", "no JSON"),
        (
            format!("{{\n  \"routes\": [\n    {{\"source\": \"(\"}},\n    {route}\n  ]\n}}"),
            "xs-app.json:3:",
            "no pattern",
        ),
        (format!("{{\n  \"rutes\": [],\n  \"routes\": [{route}]\n}}"), "xs-app.json:2:3", "no key"),
        (
            format!("{{\n  \"routes\": [\n    {}\n  ]\n}}", route.replace("backend", "nowhere")),
            "xs-app.json:3:",
            "no destination",
        ),
        (String::new(), "xs-app.json:", "nothing at all"),
    ];
    for (text, place, shows) in &rows {
        std::fs::write(&file, text).unwrap();
        server.await_line(REFUSED);
        let line = server.await_line("xs-app.json");
        assert!(line.contains(place), "{shows}: {line}");
        let reply = server.ask_admin("POST /reload");
        assert!(reply.status >= 400, "{shows}: {}", reply.text());
        let problems = reply.json()["problems"].clone();
        let problem = &problems[0];
        assert!(problem["file"].as_str().unwrap().ends_with("xs-app.json"), "{shows}: {problems}");
        assert!(problem["line"].as_u64() >= Some(1) && problem["column"].as_u64() >= Some(1), "{shows}");
        assert_eq!(target(&server, &backend), "/first/x", "{shows}");
        server.await_line(REFUSED);
    }
    std::fs::remove_file(&file).unwrap();
    server.await_line(REFUSED);
    assert_eq!(target(&server, &backend), "/first/x", "no file");
    std::fs::write(&file, app("mended")).unwrap();
    server.await_line(APPLIED);
    assert_eq!(target(&server, &backend), "/mended/x");
}

fn tenants(more: &Value) -> String {
    json!({"hosts": ["{tenant}.localhost"], "tenants": more}).to_string()
}

/// Status, and what the backend was told of the tenant.
fn tenant_id(server: &Server, backend: &Backend, host: &str) -> (u16, String, String) {
    let reply = server.ask("GET /x", &[("Host", host)]);
    let seen = backend.take();
    (
        reply.status,
        reply.code(),
        seen.first().map_or_else(String::new, |request| request.header("x-tenant-id")),
    )
}

#[test]
fn a_value_that_stands_in_a_file_is_read_again() {
    let backend = Backend::start();
    let table = tenants(&json!({"acme": {"id": {"file": "secrets/id"}}}));
    let setup = Setup::open(backend.address).file("xs-tenants.json", table).file("secrets/id", "one\n");
    let server = setup.start();
    let id = || tenant_id(&server, &backend, "acme.localhost").2;
    assert_eq!(id(), "one");
    std::fs::write(server.path().join("secrets/id"), "two").unwrap();
    server.await_line(APPLIED);
    assert_eq!(id(), "two");
}

#[test]
fn a_broken_tenant_stands_alone() {
    let backend = Backend::start();
    let good = json!({"acme": {"id": "acme-1"}, "globex": {"id": "globex-1"}});
    let server = Setup::open(backend.address).file("xs-tenants.json", tenants(&good)).start();
    let file = server.path().join("xs-tenants.json");
    let told = |key: &str| tenant_id(&server, &backend, &format!("{key}.localhost"));
    assert_eq!((told("acme").2, told("globex").2), ("acme-1".to_owned(), "globex-1".to_owned()));
    let broken = json!({"acme": {"id": "acme-2", "destinations": {"backend": {"url": "ftp://x"}}},
                        "globex": {"id": "globex-2"}});
    std::fs::write(&file, tenants(&broken)).unwrap();
    server.await_line(APPLIED);
    assert!(server.await_line("xs-tenants.json").contains("tenants.acme"), "what is wrong is said");
    assert_eq!(told("globex"), (200, "-".to_owned(), "globex-2".to_owned()), "the others never notice");
    let (status, code, id) = told("acme");
    let misconfigured = (status, code.as_str()) == (503, "tenant_misconfigured") && id.is_empty();
    assert!(
        misconfigured || (status, id.as_str()) == (200, "acme-1"),
        "its last good part, or 503: {status} {code} {id}"
    );
    let mended = json!({"acme": {"id": "acme-3"}, "globex": {"id": "globex-2"}});
    std::fs::write(&file, tenants(&mended)).unwrap();
    server.await_line(APPLIED);
    assert_eq!(told("acme"), (200, "-".to_owned(), "acme-3".to_owned()));
}

#[test]
fn a_request_in_flight_keeps_the_configuration_it_began_with() {
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let held = Arc::clone(&gate);
    let backend = Backend::answering(move |exchange| {
        exchange.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no");
        if exchange.head.target.ends_with("/held") {
            let closed = held.0.lock().unwrap();
            drop(held.1.wait_timeout_while(closed, DEADLINE, |open| !*open).unwrap());
        }
        exchange.write("k");
        Next::Keep
    });
    let server = start(&backend);
    let mut client = server.connect();
    client.send("GET /held HTTP/1.1\r\nHost: a.example\r\n\r\n");
    let mut h2 = H2::connect(server.address);
    let stream = h2.open(&fields("/held"), true);
    backend.wait("both requests", |seen| seen.len() == 2);
    let none = json!({"authenticationMethod": "none", "routes": []}).to_string();
    std::fs::write(server.path().join("xs-app.json"), none).unwrap();
    server.await_line(APPLIED);
    assert_eq!(server.ask("GET /x", &[]).status, 404, "the route is gone");
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    assert_eq!(client.read().unwrap().text(), "ok");
    assert_eq!(h2.outcome(stream), Outcome::Answer(200, b"ok".to_vec()));
    assert_eq!(client.ask("GET /x", &[], b"").status, 404, "the connection goes on, in the new one");
}

fn fields(path: &str) -> [(&str, &str); 4] {
    [(":method", "GET"), (":scheme", "http"), (":path", path), (":authority", "acme.localhost")]
}

/// Both files in version `name`: target, destination and tenant carry it.
fn version(name: &str, backend: &Backend) -> [(&'static str, String); 2] {
    let url = format!("http://{}/to-{name}", backend.address);
    let table = json!({"acme": {"id": format!("id-{name}"), "destinations": {"backend": {"url": url}}}});
    [("xs-app.json", app(name)), ("xs-tenants.json", tenants(&table))]
}

#[test]
fn two_files_that_change_together_are_never_mixed() {
    let backend = Backend::start();
    let setup = Setup::open(backend.address);
    mount(setup.path(), "0-a", &version("a", &backend));
    let server = setup.start();
    let stop = AtomicBool::new(false);
    let asked: usize = std::thread::scope(|scope| {
        let http1 = || {
            let (mut client, mut count) = (server.connect(), 0);
            while !stop.load(Ordering::Relaxed) {
                assert_eq!(client.ask("GET /x", &[("Host", "acme.localhost")], b"").status, 200);
                count += 1;
            }
            count
        };
        let http2 = || {
            let (mut h2, mut count) = (H2::connect(server.address), 0);
            while !stop.load(Ordering::Relaxed) {
                assert!(matches!(h2.ask(&fields("/x"), b""), Outcome::Answer(200, _)));
                count += 1;
            }
            count
        };
        let clients = [scope.spawn(http1), scope.spawn(http2)];
        for round in 1..=200 {
            let name = if round % 2 == 0 { "a" } else { "b" };
            mount(server.path(), &format!("{round}-{name}"), &version(name, &backend));
            if round % 3 != 0 {
                assert_eq!(server.ask_admin("POST /reload").status, 200, "round {round}");
            }
        }
        stop.store(true, Ordering::Relaxed);
        clients.map(|client| client.join().unwrap()).into_iter().sum()
    });
    let seen = backend.take();
    assert_eq!(seen.len(), asked, "each arrives once");
    let mut by_version = [0, 0];
    for request in &seen {
        let id = request.header("x-tenant-id");
        let name = id.strip_prefix("id-").unwrap();
        assert_eq!(request.head.target, format!("/to-{name}/{name}/x"), "with {id}");
        by_version[usize::from(name == "b")] += 1;
    }
    assert!(by_version.iter().all(|count| *count > 0), "both served: {by_version:?}");
}
