//! Compressed streams: nothing is held back, ends are ends, trailers arrive.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use serde_json::json;

use crate::harness::backend::Next;
use crate::harness::client::NoReply;
use crate::harness::coding::{content, read};
use crate::harness::{Backend, Client, DEADLINE, Setup};

const CODINGS: [&str; 4] = ["gzip", "deflate", "br", "zstd"];

/// Writes a line each time it is told to, and ends when the teller has gone.
fn lines(framing: &'static str) -> (Backend, Sender<()>) {
    let (next, awaited) = channel();
    let awaited: Mutex<Receiver<()>> = Mutex::new(awaited);
    let backend = Backend::answering(move |exchange| {
        exchange.write(format!("HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\n{framing}\r\n\r\n"));
        let chunked = framing.contains("chunked");
        while awaited.lock().unwrap().recv_timeout(DEADLINE).is_ok() {
            exchange.write(if chunked { "9\r\n{\"a\": 1}\n\r\n" } else { "{\"a\": 1}\n" });
        }
        if chunked {
            exchange.write("0\r\n\r\n");
        }
        Next::Close
    });
    (backend, next)
}

fn open(client: &mut Client, coding: &str) {
    client.send(format!("GET /x HTTP/1.1\r\nHost: a.example\r\nAccept-Encoding: {coding}\r\n\r\n"));
    let (status, headers) = client.head().unwrap();
    let found = headers.iter().find(|(name, _)| name == "content-encoding").map(|(_, value)| value.as_str());
    assert_eq!((status, found), (200, Some(coding)));
}

#[test]
fn each_line_arrives_before_the_next_is_written() {
    for framing in ["transfer-encoding: chunked", "content-length: 9000000", "x-until: closed"] {
        for coding in CODINGS {
            let (backend, next) = lines(framing);
            let server = Setup::open(backend.address).start();
            let mut client = server.connect();
            open(&mut client, coding);
            let mut bytes = Vec::new();
            for count in 1..=10 {
                next.send(()).unwrap();
                while read(coding, &bytes).0.len() < count * 9 {
                    bytes.extend(client.chunk().unwrap());
                }
            }
            drop(next);
            if framing.starts_with("content-length") {
                continue;
            }
            loop {
                let chunk = client.chunk().unwrap();
                if chunk.is_empty() {
                    break;
                }
                bytes.extend(chunk);
            }
            assert_eq!(
                read(coding, &bytes),
                ("{\"a\": 1}\n".repeat(10).into_bytes(), true),
                "{coding}, {framing}"
            );
        }
    }
}

#[test]
fn a_backend_that_breaks_off_breaks_the_compressed_answer_off() {
    for answer in ["content-length: 9000\r\n\r\nhalf", "transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"] {
        let backend = Backend::answering(move |exchange| {
            exchange.write(format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n{answer}"));
            Next::Close
        });
        let server = Setup::open(backend.address).start();
        for coding in CODINGS {
            let mut client = server.connect();
            let cut = client.try_ask("GET /half", &[("accept-encoding", coding)], b"");
            assert_eq!(cut.unwrap_err(), NoReply::Cut, "{coding}: {answer}");
            let body = client.broken.take().map(|reply| reply.body).unwrap_or_default();
            assert!(!read(coding, &body).1, "{coding}: what broke off has no end");
        }
    }
}

#[test]
fn trailers_come_behind_what_is_compressed() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let echo = json!({"big": 5000, "ct": "text/plain", "headers": [["trailer", "x-sum, x-tenant"]],
                      "trailers": {"x-sum": "down", "x-tenant": "evil"}})
    .to_string();
    for coding in CODINGS {
        let headers = [("x-echo", echo.as_str()), ("te", "trailers"), ("accept-encoding", coding)];
        let reply = server.ask("GET /x", &headers);
        assert_eq!(reply.header("content-encoding"), coding);
        assert_eq!(content(&reply).len(), 5000);
        assert_eq!(reply.trailers, [("x-sum".to_owned(), "down".to_owned())], "{coding}: filtered as ever");
    }
}

#[test]
fn a_client_that_goes_away_ends_the_request_at_the_backend() {
    let backend = Backend::answering(|exchange| {
        exchange.write(
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        );
        Next::Watch
    });
    let server = Setup::open(backend.address).start();
    let mut client = server.connect();
    open(&mut client, "gzip");
    drop(client);
    backend.wait_open(0);
}
