//! Class 29, a backend that answers badly.
//!
//! Recipe: both framings, broken lengths and chunks, bodies where none may be, floods of interim
//! answers, 101 unasked, line feeds only, headers of 10 MB, early ends, garbage. Must happen: 502, or an
//! answer that is well framed (the client here is strict), and the connection is never used again. The
//! same where the answer is compressed on its way.

use super::harness::backend::Next;
use super::harness::client::NoReply;
use super::harness::coding::content;
use super::harness::{Backend, Setup};

/// What must become of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Must {
    /// 502.
    Fail,
    /// 502, or a clean answer without the second, hidden one.
    Clean,
    /// The head passes and the connection ends within the body, so that the client sees the cut.
    Cut,
}

const HIDDEN: &str = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhidden";

fn answers() -> Vec<(String, Must, &'static str)> {
    let ok = "HTTP/1.1 200 OK\r\n";
    vec![
        (
            format!("{ok}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}"),
            Must::Clean,
            "CL and TE",
        ),
        (
            format!("{ok}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n{HIDDEN}"),
            Must::Clean,
            "TE and CL",
        ),
        (format!("{ok}Content-Length: 2\r\nContent-Length: 3\r\n\r\nok{HIDDEN}"), Must::Fail, "two lengths"),
        (format!("{ok}Content-Length: 2, 3\r\n\r\nok{HIDDEN}"), Must::Fail, "two lengths in one"),
        (format!("{ok}Content-Length: -2\r\n\r\nok{HIDDEN}"), Must::Fail, "a negative length"),
        (format!("{ok}Content-Length: +2\r\n\r\nok{HIDDEN}"), Must::Fail, "a length with a sign"),
        (
            format!("{ok}Content-Length: 99999999999999999999\r\n\r\nok"),
            Must::Fail,
            "a length beyond 64 bits",
        ),
        (format!("{ok}Content-Length: 2\r\n\r\nok{HIDDEN}"), Must::Clean, "bytes behind the body"),
        (
            format!("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello{HIDDEN}"),
            Must::Clean,
            "a body on 204",
        ),
        (
            format!("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello{HIDDEN}"),
            Must::Clean,
            "a body on 304",
        ),
        (
            format!("HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n{HIDDEN}"),
            Must::Clean,
            "205 and more",
        ),
        (
            format!("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n{HIDDEN}"),
            Must::Fail,
            "101",
        ),
        (
            format!("{}{ok}Content-Length: 2\r\n\r\nok", "HTTP/1.1 100 Continue\r\n\r\n".repeat(20)),
            Must::Clean,
            "20 × 100",
        ),
        ("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".repeat(100_000), Must::Fail, "100,000 × 103"),
        (format!("HTTP/1.1 99 Low\r\n\r\n{HIDDEN}"), Must::Fail, "status 99"),
        (format!("HTTP/1.1 1000 High\r\n\r\n{HIDDEN}"), Must::Fail, "status 1000"),
        (format!("HTTP/1.1 000 Zero\r\n\r\n{HIDDEN}"), Must::Fail, "status 000"),
        (format!("HTTP/1.1 2x0 Odd\r\n\r\n{HIDDEN}"), Must::Fail, "a status that is no number"),
        ("HTTP/1.1 200 OK\nContent-Length: 2\n\nok".to_owned(), Must::Clean, "line feeds only"),
        (format!("{ok}X: a\r\n folded\r\nContent-Length: 2\r\n\r\nok"), Must::Clean, "a folded line"),
        (format!("{ok}X : a\r\nContent-Length: 2\r\n\r\nok"), Must::Clean, "space before a colon"),
        (format!("{ok}X\0: a\r\nContent-Length: 2\r\n\r\nok"), Must::Fail, "NUL in a name"),
        (format!("{ok}X: a\0b\r\nContent-Length: 2\r\n\r\nok"), Must::Fail, "NUL in a value"),
        (format!("{ok}X: a\rb\r\nContent-Length: 2\r\n\r\nok"), Must::Fail, "CR in a value"),
        (format!("{ok}X: {}\r\n\r\n", "a".repeat(10 << 20)), Must::Fail, "a header of 10 MB"),
        (format!("{ok}{}\r\n", "X: a\r\n".repeat(100_000)), Must::Fail, "100,000 headers"),
        ("garbage\r\n\r\n".to_owned(), Must::Fail, "garbage"),
        ("\r\n\r\n\r\n".to_owned(), Must::Fail, "empty lines"),
        (String::new(), Must::Fail, "nothing"),
        ("HTTP/1.1 200".to_owned(), Must::Fail, "half a status line"),
        (format!("{ok}Content-Length: 2\r\n"), Must::Fail, "half a head"),
        ("HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok".to_owned(), Must::Fail, "version 2.0"),
        ("HTTP/0.9 200 OK\r\nContent-Length: 2\r\n\r\nok".to_owned(), Must::Fail, "version 0.9"),
        ("ICY 200 OK\r\nContent-Length: 2\r\n\r\nok".to_owned(), Must::Fail, "another protocol"),
        (format!("{ok}Content-Length: 100\r\n\r\nshort"), Must::Cut, "a body that ends early"),
        (format!("{ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"), Must::Cut, "chunks without an end"),
        (format!("{ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhel"), Must::Cut, "half a chunk"),
        (
            format!("{ok}Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n"),
            Must::Cut,
            "a size that is no number",
        ),
        (
            format!("{ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n"),
            Must::Cut,
            "no end of a chunk",
        ),
        (
            format!("{ok}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx"),
            Must::Cut,
            "a chunk beyond 64 bits",
        ),
        (
            format!("{ok}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
            Must::Clean,
            "two codings",
        ),
        (format!("{ok}Transfer-Encoding: gzip\r\n\r\nok"), Must::Clean, "a coding without chunks"),
        (
            format!("{ok}Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok{HIDDEN}"),
            Must::Clean,
            "identity",
        ),
        (format!("{ok}Connection: close\r\n\r\nuntil the end"), Must::Clean, "a body until the end"),
        (format!("HTTP/1.0 200 OK\r\n\r\n{HIDDEN}"), Must::Clean, "HTTP/1.0 until the end"),
    ]
}

#[test]
fn a_bad_answer_is_502_or_clean_and_its_connection_is_not_reused() {
    judge(answers(), &[]);
}

#[test]
fn compression_does_not_mend_a_bad_answer() {
    const OK: &str = "HTTP/1.1 200 OK\r\n";
    let typed = |answer: String| answer.replacen(OK, &format!("{OK}Content-Type: text/plain\r\n"), 1);
    let typed = answers().into_iter().map(|(answer, must, shows)| (typed(answer), must, shows)).collect();
    judge(typed, &[("accept-encoding", "gzip")]);
}

fn judge(answers: Vec<(String, Must, &'static str)>, headers: &[(&str, &str)]) {
    let scripts: Vec<String> = answers.iter().map(|(answer, _, _)| answer.clone()).collect();
    let backend = Backend::answering(move |exchange| {
        let number: usize = exchange.head.target.trim_start_matches("/answer-").parse().unwrap();
        exchange.write(super::harness::from_latin1(&scripts[number]));
        let _ = exchange.stream.shutdown(std::net::Shutdown::Write);
        Next::Watch
    });
    let server = Setup::open(backend.address).start();
    let mut wrong = Vec::new();
    for (number, (_, must, shows)) in answers.iter().enumerate() {
        let mut client = server.connect();
        let outcome = client.try_ask(&format!("GET /answer-{number}"), headers, b"");
        let fine = match (must, &outcome) {
            (Must::Fail | Must::Cut, Ok(reply)) => reply.status == 502,
            (Must::Clean, Ok(reply)) => {
                let text = super::harness::latin1(&content(reply));
                reply.status == 502 || !text.contains("hidden") || shows.contains("until the end")
            }
            (Must::Cut, Err(NoReply::Cut | NoReply::Closed)) => true,
            (Must::Fail | Must::Clean | Must::Cut, Err(_)) => false,
        };
        if !fine {
            let text =
                outcome.map(|reply| (reply.status, reply.text().chars().take(200).collect::<String>()));
            wrong.push(format!("{number} {shows}: {must:?} but {text:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut connections: Vec<usize> = backend.requests().iter().map(|request| request.connection).collect();
    let total = connections.len();
    connections.sort_unstable();
    connections.dedup();
    assert_eq!(connections.len(), total, "a connection with a bad answer was used again");
}

#[test]
fn a_body_on_head_is_not_taken_for_the_next_answer() {
    let backend = Backend::answering(|exchange| {
        let body = if exchange.head.method == "HEAD" { HIDDEN } else { "ok" };
        exchange.write(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
        Next::Keep
    });
    let server = Setup::open(backend.address).start();
    let mut client = server.connect();
    for _ in 0..20 {
        assert_eq!(client.ask("HEAD /x", &[], b"").status, 200);
        // 502 is right where the connection broke under us; another's answer never is.
        let reply = client.ask("GET /y", &[], b"");
        assert_ne!(reply.text(), "hidden");
    }
}

#[test]
fn identity_headers_of_a_backend_stay_ordinary_headers() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let echo = r#"{"headers": [["content-type", "a"], ["x-a", "1"], ["x-a", "2"]], "trailers": {"x-tenant": "evil"}}"#;
    let reply = server.ask("GET /x", &[("x-echo", echo)]);
    assert_eq!((reply.status, reply.header("x-a")), (200, "1, 2".to_owned()));
    assert!(reply.trailers.iter().all(|(name, _)| name != "x-tenant"), "{reply:?}");
}
