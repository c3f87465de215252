//! What is compressed, and that it is the same afterwards.

use serde_json::{Value, json};

use crate::harness::coding::content;
use crate::harness::h2::{H2, Outcome};
use crate::harness::{Backend, Reply, Server, Setup};

const ALL: &str = "gzip, deflate, br, zstd";

fn server(backend: &Backend, compression: &Value, variables: &[(&str, Value)]) -> Server {
    let app = json!({
        "authenticationMethod": "none", "compression": compression,
        "routes": [{"source": "^/b/", "destination": "backend"},
                   {"source": "^/t/(.*)$", "target": "$1", "localDir": "web"}]
    });
    let mut setup = Setup::new(&app).destination("backend", backend.address);
    for (name, value) in variables {
        setup = setup.variable(name, value.clone());
    }
    setup.file("web/big.txt", "text ".repeat(1000)).file("web/big.png", "text ".repeat(1000)).start()
}

fn asked(server: &Server, line: &str, echo: &Value, taken: &str) -> Reply {
    server.ask(line, &[("x-echo", &echo.to_string()), ("accept-encoding", taken)])
}

#[test]
fn the_content_is_the_same_in_every_coding() {
    let backend = Backend::start();
    let server = server(&backend, &json!({}), &[]);
    for (taken, coding) in [
        (ALL, "zstd"),
        ("gzip, deflate, br", "br"),
        ("gzip, deflate", "gzip"),
        ("deflate", "deflate"),
        ("*", "zstd"),
        ("br;q=0.5, gzip", "gzip"),
        ("x", ""),
        ("gzip;q=0", ""),
        ("identity;q=1, gzip;q=0.9", ""),
    ] {
        let reply = asked(&server, "GET /b/x", &json!({"big": 70_000, "ct": "text/plain"}), taken);
        let found = (reply.header("content-encoding"), reply.header("vary"));
        assert_eq!(found, (coding.to_owned(), "Accept-Encoding".to_owned()), "{taken}");
        assert!(content(&reply) == vec![b'x'; 70_000], "{taken}");
        assert!(coding.is_empty() || reply.body.len() < 1000, "{taken}: {} bytes", reply.body.len());
        let file = asked(&server, "GET /t/big.txt", &json!({}), taken);
        assert_eq!(
            (file.header("content-encoding").as_str(), file.header("vary").as_str()),
            (coding, "Accept-Encoding")
        );
        assert_eq!(content(&file), "text ".repeat(1000).into_bytes(), "{taken}");
    }
    assert_eq!(backend.take()[0].header("accept-encoding"), ALL, "the backend may do it itself");
}

#[test]
fn what_is_compressed_depends_on_type_and_length() {
    let backend = Backend::start();
    let server = server(&backend, &json!({}), &[]);
    for (echo, coding, vary, shows) in [
        (json!({"big": 1023, "ct": "text/html"}), "", true, "too short"),
        (json!({"big": 1024, "ct": "text/html"}), "gzip", true, "long enough"),
        (json!({"big": 20, "ct": "text/html", "chunked": true}), "gzip", true, "a length that nobody knows"),
        (json!({"big": 5000, "ct": "application/json"}), "gzip", true, "JSON"),
        (json!({"big": 5000, "ct": "image/png"}), "", false, "a picture"),
        (json!({"big": 5000, "ct": "application/octet-stream"}), "", false, "nobody knows what"),
        (json!({"big": 5000, "ct": "text/event-stream"}), "", false, "events"),
        (json!({"big": 5000, "ct": "multipart/mixed; boundary=x"}), "", false, "a batch"),
        (json!({"big": 5000, "ct": null}), "", false, "no type"),
        (json!({"big": 5000, "ct": "text/plain", "status": 500}), "gzip", true, "a failure"),
        (
            json!({"big": 5000, "ct": "text/plain", "status": 206, "headers": [["content-range", "bytes 0-4999/9999"]]}),
            "",
            true,
            "a part",
        ),
        (
            json!({"big": 5000, "ct": "text/plain", "headers": [["cache-control", "no-transform"]]}),
            "",
            false,
            "nobody may change it",
        ),
    ] {
        let reply = asked(&server, "GET /b/x", &echo, "gzip");
        assert_eq!(reply.header("content-encoding"), coding, "{echo}: {shows}");
        assert_eq!(reply.header("vary") == "Accept-Encoding", vary, "{echo}: {shows}");
        assert!(content(&reply).iter().all(|byte| *byte == b'x'), "{shows}");
        assert_eq!(reply.header("content-length").is_empty(), !coding.is_empty(), "{shows}");
    }
    let done = json!({"body": "not really gzip", "ct": "text/plain", "gzip": true});
    let reply = asked(&server, "GET /b/x", &done, "gzip");
    assert_eq!(
        (reply.header("content-encoding").as_str(), reply.text().as_str()),
        ("gzip", "not really gzip"),
        "what the backend coded passes untouched, whatever it is"
    );
}

#[test]
fn the_configuration_decides() {
    let backend = Backend::start();
    let short = json!({"big": 200, "ct": "text/plain"});
    let batch = json!({"big": 5000, "ct": "multipart/mixed; boundary=x"});
    let long = json!({"big": 5000, "ct": "text/plain"});
    for (file, variables, echo, coding, shows) in [
        (json!({"minSize": 100}), vec![], &short, "gzip", "from fewer bytes on"),
        (json!({"minSize": 201}), vec![], &short, "", "from one byte more on"),
        (json!({"compressResponseMixedTypeContent": true}), vec![], &batch, "gzip", "batches as well"),
        (json!({"enabled": false}), vec![], &long, "", "nothing"),
        (
            json!({}),
            vec![("COMPRESSION", json!({"enabled": false}))],
            &long,
            "",
            "nothing, says the environment",
        ),
        (
            json!({"enabled": false}),
            vec![("COMPRESSION", json!({"enabled": true}))],
            &long,
            "gzip",
            "the environment goes first",
        ),
        (
            json!({"minSize": 100}),
            vec![("COMPRESSION", json!({"enabled": true}))],
            &short,
            "gzip",
            "key by key",
        ),
        (json!({"minSize": 100}), vec![("COMPRESSION", json!({"minSize": 300}))], &short, "", "key by key"),
    ] {
        let server = server(&backend, &file, &variables);
        let reply = asked(&server, "GET /b/x", echo, "gzip");
        assert_eq!(reply.header("content-encoding"), coding, "{file} {variables:?}: {shows}");
        let off = shows.starts_with("nothing");
        assert_eq!(
            reply.header("vary").is_empty(),
            off,
            "{shows}: what depends on nothing varies by nothing"
        );
    }
}

#[test]
fn files_are_compressed_whole_or_not_at_all() {
    let backend = Backend::start();
    let server = server(&backend, &json!({}), &[]);
    let gzip = ("accept-encoding", "gzip");
    let whole = server.ask("GET /t/big.txt", &[gzip]);
    assert_eq!(
        (whole.header("content-encoding").as_str(), whole.header("accept-ranges").as_str()),
        ("gzip", "")
    );
    let plain = server.ask("GET /t/big.txt", &[]);
    assert_eq!(
        (plain.header("content-length").as_str(), plain.header("accept-ranges").as_str()),
        ("5000", "bytes")
    );
    assert_eq!(plain.header("etag"), whole.header("etag"), "the tag is weak, for it names both");
    let part = server.ask("GET /t/big.txt", &[gzip, ("range", "bytes=0-1999")]);
    let found = (part.status, part.header("content-encoding"), part.header("content-length"));
    assert_eq!(found, (206, String::new(), "2000".to_owned()), "a part is counted as it is");
    let head = server.ask("HEAD /t/big.txt", &[gzip]);
    let found = (head.header("content-encoding"), head.header("content-length"), head.header("vary"));
    assert_eq!(found, (String::new(), "5000".to_owned(), "Accept-Encoding".to_owned()));
    let etag = whole.header("etag");
    let same = server.ask("GET /t/big.txt", &[gzip, ("if-none-match", &etag)]);
    assert_eq!(
        (same.status, same.header("vary").as_str(), same.header("etag")),
        (304, "Accept-Encoding", etag)
    );
    let picture = server.ask("GET /t/big.png", &[gzip]);
    assert_eq!((picture.header("content-encoding").as_str(), picture.header("vary").as_str()), ("", ""));
    let unchanged = server.ask("GET /t/big.txt", &[gzip, ("cache-control", "no-transform")]);
    assert_eq!((unchanged.header("content-encoding").as_str(), unchanged.body.len()), ("", 5000));
}

#[test]
fn connections_stay_in_step_over_http1_and_http2() {
    let backend = Backend::start();
    let server = server(&backend, &json!({}), &[]);
    let echo = json!({"big": 300_000, "ct": "text/plain"}).to_string();
    let mut client = server.connect();
    for taken in ["gzip", "br", "", "zstd", "gzip"] {
        let reply = client.ask("GET /b/x", &[("x-echo", &echo), ("accept-encoding", taken)], b"");
        assert_eq!((reply.status, content(&reply).len()), (200, 300_000), "{taken}");
        assert_eq!(
            client.ask("HEAD /b/x", &[("x-echo", &echo), ("accept-encoding", taken)], b"").status,
            200
        );
    }
    let mut h2 = H2::connect(server.address);
    for taken in ["gzip", "br", "zstd"] {
        let fields = [
            (":method", "GET"),
            (":scheme", "http"),
            (":path", "/b/x"),
            (":authority", "a.example"),
            ("x-echo", echo.as_str()),
            ("accept-encoding", taken),
        ];
        let Outcome::Answer(200, body) = h2.ask(&fields, b"") else { panic!("{taken}: no answer") };
        let (content, ended) = crate::harness::coding::read(taken, &body);
        assert!(
            ended && content == vec![b'x'; 300_000],
            "{taken}: {} of {} bytes",
            content.len(),
            body.len()
        );
    }
}
