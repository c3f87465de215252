//! Class 31, compression as a weapon.
//!
//! Recipe: a small request body that becomes large when it is decompressed; answers that begin a session
//! or tell a CSRF token, asked for with every coding. Must happen: the body passes as it came, in flat
//! memory; such answers are not compressed, while the same page without the secret is.

use std::io::Read as _;

use serde_json::json;

use super::harness::{Backend, Server, Setup};
use super::logged_in::Stage;

/// A million-fold bomb: 10 MiB of zeros, gzipped by hand in stored-free blocks of the library.
fn bomb() -> Vec<u8> {
    use compression_codecs::core::util::{PartialBuffer, WriteBuffer};
    use compression_codecs::{EncodeV2, GzipEncoder};
    let zeros = vec![0; 10 * 1024 * 1024];
    let mut encoder = GzipEncoder::new(compression_codecs::core::Level::Best.into());
    let (mut input, mut all, mut piece) = (PartialBuffer::new(&zeros[..]), Vec::new(), vec![0; 64 * 1024]);
    loop {
        let mut output = WriteBuffer::new_initialized(&mut piece);
        let ended = if input.unwritten().is_empty() {
            encoder.finish(&mut output).unwrap()
        } else {
            encoder.encode(&mut input, &mut output).unwrap();
            false
        };
        all.extend_from_slice(output.written());
        if ended {
            return all;
        }
    }
}

fn peak(server: &Server) -> usize {
    let mut text = String::new();
    let path = format!("/proc/{}/status", server.process());
    std::fs::File::open(path).unwrap().read_to_string(&mut text).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_bomb_in_a_request_passes_as_it_came() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    server.ask("GET /x", &[]);
    backend.take();
    let (bomb, before) = (bomb(), peak(&server));
    assert!(bomb.len() < 32 * 1024);
    for (name, value) in
        [("content-encoding", "gzip"), ("content-encoding", "gzip, gzip"), ("content-encoding", "br")]
    {
        let reply =
            server.connect().ask("POST /x", &[(name, value), ("x-echo", "{\"body\": \"ok\"}")], &bomb);
        assert_eq!(reply.status, 200);
        let seen = backend.only();
        assert_eq!((seen.header(name).as_str(), seen.body == bomb), (value, true), "byte for byte");
    }
    assert!(peak(&server) - before < 8 * 1024, "{before} → {} KiB", peak(&server));
}

#[test]
fn answers_with_a_secret_are_not_compressed() {
    let stage = Stage::set();
    let mut browser = stage.logged_in();
    let page = json!({"big": 5000, "ct": "text/html"}).to_string();
    let token = json!({"big": 5000, "ct": "text/html", "headers": [["x-csrf-token", "t"]]}).to_string();
    for coding in ["gzip", "deflate", "br", "zstd"] {
        let all = ("accept-encoding", coding);
        for (headers, expected, shows) in [
            (vec![("x-echo", page.as_str())], coding, "a page"),
            (vec![("x-echo", page.as_str()), ("x-csrf-token", "fetch")], "", "our token is told"),
            (vec![("x-echo", token.as_str())], "", "the backend's token is told"),
        ] {
            let reply = browser.fetch("GET /open/x", &[&headers[..], &[all]].concat());
            let again = browser.fetch("GET /app/x", &[&headers[..], &[all]].concat());
            assert_eq!(reply.status, 200);
            assert_eq!(again.header("content-encoding"), expected, "{coding}: {shows}");
            if shows != "our token is told" {
                assert_eq!(reply.header("content-encoding"), expected, "{coding}: {shows}");
            }
        }
    }
}
