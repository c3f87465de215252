//! The token endpoint at its worst: away, slow, broken, or saying no.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::super::harness::backend::{Exchange, Next};
use super::super::harness::navigator::{Browser, link};
use super::super::harness::{DEADLINE, Reply};
use super::bench::{Bench, Row, code_of, row};

/// Comes back while the token endpoint answers with `answer`.
fn answered(bench: &Bench, browser: &mut Browser, answer: fn(&mut Exchange<'_>) -> Next) -> Reply {
    let callback = bench.callback(browser);
    bench.acme.meddle(move |exchange, _, _| answer(exchange));
    browser.visit(&callback)
}

/// Writes an answer of JSON, and keeps the connection.
fn json(exchange: &Exchange<'_>, status: u16, body: &str) -> Next {
    typed(exchange, status, "application/json", body)
}

fn typed(exchange: &Exchange<'_>, status: u16, kind: &str, body: &str) -> Next {
    let length = body.len();
    exchange.write(format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}"
    ));
    Next::Keep
}

/// Writes a hundred megabytes, with or without saying so.
fn huge(exchange: &Exchange<'_>, framing: &str, chunk: &[u8]) -> Next {
    exchange.write(format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{framing}\r\n\r\n"));
    for _ in 0..(100 << 20) / chunk.len() {
        if !exchange.try_write(chunk) {
            break;
        }
    }
    Next::Close
}

const AWAY: &[Row] = &[
    row(
        "the connection ends without an answer",
        |bench, browser| answered(bench, browser, |_| Next::Close),
        503,
        "issuer_unreachable",
    ),
    row(
        "the connection ends within the answer",
        |bench, browser| {
            answered(bench, browser, |exchange| {
                exchange.write("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"id_token\":");
                Next::Close
            })
        },
        503,
        "issuer_unreachable",
    ),
    row(
        "no answer comes in time",
        |bench, browser| answered(bench, browser, |_| Next::Watch),
        503,
        "issuer_unreachable",
    ),
    row(
        "half an answer comes in time",
        |bench, browser| {
            answered(bench, browser, |exchange| {
                exchange.write("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"id_token\":");
                Next::Watch
            })
        },
        503,
        "issuer_unreachable",
    ),
    row(
        "500",
        |bench, browser| answered(bench, browser, |it| json(it, 500, "{\"error\":\"server_error\"}")),
        503,
        "issuer_unreachable",
    ),
    row(
        "503",
        |bench, browser| answered(bench, browser, |it| typed(it, 503, "text/plain", "later")),
        503,
        "issuer_unreachable",
    ),
    row(
        "a hundred megabytes",
        |bench, browser| {
            answered(bench, browser, |it| huge(it, "content-length: 104857600", &[b' '; 1 << 16]))
        },
        503,
        "issuer_unreachable",
    ),
    row(
        "a hundred megabytes that nobody announced",
        |bench, browser| {
            answered(bench, browser, |it| {
                let mut chunk = b"10000\r\n".to_vec();
                chunk.extend_from_slice(&[b' '; 1 << 16]);
                chunk.extend_from_slice(b"\r\n");
                huge(it, "transfer-encoding: chunked", &chunk)
            })
        },
        503,
        "issuer_unreachable",
    ),
];

const ODD: &[Row] = &[
    row(
        "a page instead of JSON",
        |bench, browser| answered(bench, browser, |it| typed(it, 200, "text/html", "<h1>Sign in</h1>")),
        502,
        "login_token_invalid",
    ),
    row(
        "JSON, but no object",
        |bench, browser| answered(bench, browser, |it| json(it, 200, "[1, 2]")),
        502,
        "login_token_invalid",
    ),
    row(
        "an answer without an ID token",
        |bench, browser| {
            let callback = bench.callback(browser);
            bench.acme.answer_with(|answer| {
                answer.as_object_mut().unwrap().remove("id_token");
            });
            browser.visit(&callback)
        },
        502,
        "login_token_invalid",
    ),
    row(
        "a token that is no bearer token",
        |bench, browser| {
            let callback = bench.callback(browser);
            bench.acme.answer_with(|answer| answer["token_type"] = "mac".into());
            browser.visit(&callback)
        },
        502,
        "login_token_invalid",
    ),
    row(
        "an access token that would break a header",
        |bench, browser| {
            let callback = bench.callback(browser);
            bench.acme.answer_with(|answer| answer["access_token"] = "a\r\nx-tenant: globex".into());
            browser.visit(&callback)
        },
        502,
        "login_token_invalid",
    ),
    row(
        "invalid_grant, in so many words",
        |bench, browser| {
            let answer = "{\"error\":\"invalid_grant\",\"error_description\":\"<script>alert(1)</script>\"}";
            let callback = bench.callback(browser);
            bench.acme.meddle(move |it, _, _| json(it, 400, answer));
            browser.visit(&callback)
        },
        400,
        "code_refused",
    ),
    row(
        "our own client is refused: nothing that the person did",
        |bench, browser| answered(bench, browser, |it| json(it, 401, "{\"error\":\"invalid_client\"}")),
        502,
        "client_refused",
    ),
];

#[test]
fn a_token_endpoint_that_is_away_is_waited_for_within_bounds() {
    super::run(&Bench::start(), AWAY);
}

#[test]
fn a_token_endpoint_that_says_something_else_logs_nobody_in() {
    super::run(&Bench::start(), ODD);
}

#[test]
fn an_answer_that_asks_for_patience_says_how_long() {
    let bench = Bench::start();
    let reply = answered(&bench, &mut Browser::default(), |it| json(it, 500, "{}"));
    let seconds: u32 = reply.header("retry-after").parse().unwrap();
    assert!((1..=120).contains(&seconds), "{reply:?}");
}

#[test]
fn a_provider_that_is_away_when_a_login_begins_keeps_nobody_else_away() {
    let bench = Bench::start();
    bench.acme.go_away();
    let (mut browser, wanted) = (Browser::default(), bench.url("acme", "/wanted"));
    let reply = browser.visit(&wanted);
    assert_eq!((reply.status, code_of(&reply.text()).as_str()), (503, "issuer_unreachable"), "{reply:?}");
    let patience: u64 = reply.header("retry-after").parse().unwrap();
    assert_eq!(link(&wanted, &reply.text()), Some(wanted.clone()), "its link tries again");
    let other = Browser::default().log_in(&bench.url("globex", "/wanted"), "ann.other");
    assert_eq!(other.reply.status, 200, "{other:?}");
    bench.acme.behave();
    let back = Instant::now();
    while browser.visit(&wanted).status == 503 {
        assert!(back.elapsed() <= Duration::from_secs(patience) + DEADLINE, "it is never asked again");
    }
    assert_eq!(browser.log_in(&wanted, "ann.other").reply.status, 200);
}

#[test]
fn a_token_endpoint_cannot_send_code_and_secret_elsewhere() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let address = elsewhere.local_addr().unwrap();
    let bench = Bench::start();
    for status in [301, 302, 303, 307, 308] {
        let (mut browser, location) = (Browser::default(), format!("location: http://{address}/token"));
        let callback = bench.callback(&mut browser);
        bench.acme.meddle(move |exchange, _, _| {
            exchange.write(format!("HTTP/1.1 {status} X\r\n{location}\r\ncontent-length: 0\r\n\r\n"));
            Next::Keep
        });
        let reply = browser.visit(&callback);
        assert_eq!(code_of(&reply.text()), "issuer_unreachable", "{status}: {reply:?}");
        let knocked = elsewhere.accept();
        assert_eq!(knocked.unwrap_err().kind(), ErrorKind::WouldBlock, "{status} was followed");
    }
}
