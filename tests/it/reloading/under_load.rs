//! Reloading under load: nothing is lost, and no request meets two configurations.
//!
//! Recipe: two versions of `xs-app.json` that differ in destination and target are swapped a thousand
//! times, while clients of HTTP/1.1 and HTTP/2 ask without pause. Judged at the backend, where each
//! request shows which destination and which target it got.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::h2::{H2, Outcome};
use crate::harness::{Backend, Server, Setup};

/// The version in which destination, base path and target all carry `letter`.
fn version(letter: &str) -> Value {
    json!({"authenticationMethod": "none", "routes": [
        {"source": "^/(.*)$", "destination": format!("to-{letter}"), "target": format!("/target-{letter}/$1"),
         "authenticationType": "none"},
        {"source": "^/never/a", "destination": "to-a", "authenticationType": "none"},
        {"source": "^/never/b", "destination": "to-b", "authenticationType": "none"},
    ]})
}

/// Replaces a file as an editor does: never half of it.
fn replace(folder: &Path, text: &str) {
    let fresh = folder.join(".xs-app.json.new");
    std::fs::write(&fresh, text).unwrap();
    std::fs::rename(fresh, folder.join("xs-app.json")).unwrap();
}

fn start(backend: &Backend) -> Server {
    let to = |letter: &str| json!({"name": format!("to-{letter}"), "url": format!("http://{}/{letter}", backend.address)});
    Setup::new(&version("a")).destination_with(&to("a")).destination_with(&to("b")).start()
}

fn ask_http1(server: &Server, stop: &AtomicBool, answered: &AtomicUsize) {
    let mut client = server.connect();
    while !stop.load(Ordering::Relaxed) {
        let reply = client.ask("GET /x", &[], b"");
        assert_eq!(reply.status, 200, "{}", reply.text());
        answered.fetch_add(1, Ordering::Relaxed);
    }
}

fn ask_http2(server: &Server, stop: &AtomicBool, answered: &AtomicUsize) {
    let mut h2 = H2::connect(server.address);
    let fields = [(":method", "GET"), (":scheme", "http"), (":path", "/x"), (":authority", "a.example")];
    while !stop.load(Ordering::Relaxed) {
        let outcome = h2.ask(&fields, b"");
        assert!(matches!(outcome, Outcome::Answer(200, _)), "{outcome:?}");
        answered.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_thousand_reloads_lose_nothing_and_mix_nothing() {
    let backend = Backend::start();
    let server = start(&backend);
    let (stop, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| ask_http1(&server, &stop, &answered));
            scope.spawn(|| ask_http2(&server, &stop, &answered));
        }
        let swaps = scope.spawn(|| {
            for round in 0..1_000 {
                let letter = if round % 2 == 0 { "b" } else { "a" };
                replace(server.path(), &version(letter).to_string());
                assert_eq!(server.ask_admin("POST /reload").status, 200, "reload {round}");
            }
        });
        let swapped = swaps.join();
        stop.store(true, Ordering::Relaxed);
        swapped.unwrap();
    });
    assert!(begin.elapsed() < Duration::from_mins(1), "a thousand reloads took {:?}", begin.elapsed());
    let seen = backend.requests();
    assert_eq!(seen.len(), answered.load(Ordering::Relaxed), "each arrives once");
    let of = |letter: &str| {
        let target = format!("/{letter}/target-{letter}/x");
        seen.iter().filter(|request| request.head.target == target).count()
    };
    eprintln!("{} requests, 1,000 reloads, {:?}", seen.len(), begin.elapsed());
    assert_eq!(of("a") + of("b"), seen.len(), "none is answered by a mixture");
    assert!(of("a") > 10 && of("b") > 10, "both versions answered: {} and {}", of("a"), of("b"));
}
