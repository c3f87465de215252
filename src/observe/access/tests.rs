//! What a line says, and what it never says.

use std::io;
use std::net::Ipv4Addr;
use std::sync::mpsc;

use serde_json::Value;

use super::super::sink::Guard;
use super::*;

struct Output(mpsc::Sender<Vec<u8>>);

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn sink(format: Format) -> (Sink, Guard, mpsc::Receiver<Vec<u8>>) {
    let (sender, receiver) = mpsc::channel();
    let (sink, guard) = Sink::start(format, Output(sender)).expect("a thread");
    (sink, guard, receiver)
}

fn entry() -> Entry<'static> {
    Entry {
        id: "01ab",
        tenant: Some("acme"),
        method: "GET",
        path: "/orders/7?token=hunter2",
        route: Some(3),
        destination: Some("backend"),
        status: 200,
        code: None,
        total: Duration::from_micros(1234),
        upstream: Some(Duration::from_micros(1100)),
        received: 0,
        sent: 1024,
        peer: Ipv4Addr::LOCALHOST.into(),
    }
}

/// The lines that these entries become at `level`.
fn lines(format: Format, level: Level, entries: &[Entry<'_>]) -> Vec<String> {
    let (sink, guard, output) = sink(format);
    let log = AccessLog::new(&sink, level);
    for entry in entries {
        log.record(entry);
    }
    drop(guard);
    let text = String::from_utf8(output.try_iter().flatten().collect()).expect("UTF-8");
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_line_is_one_json_object_without_the_query() {
    let lines = lines(Format::Json, Level::Info, &[entry()]);
    let mut line: Value = serde_json::from_str(&lines[0]).expect("JSON");
    let time = line["timestamp"].take();
    assert!(time.as_str().is_some_and(|time| time.len() == 27 && time.ends_with('Z')), "{time}");
    assert_eq!(
        line,
        serde_json::json!({
            "timestamp": null, "level": "INFO", "message": "request", "id": "01ab", "tenant": "acme",
            "method": "GET", "path": "/orders/7", "route": 3, "destination": "backend", "status": 200,
            "total_ms": 1.234, "upstream_ms": 1.1, "received": 0, "sent": 1024, "peer": "127.0.0.1"
        })
    );
}

#[test]
fn what_is_not_known_is_left_out() {
    let refused = Entry {
        tenant: None,
        route: None,
        destination: None,
        upstream: None,
        status: 404,
        code: Some("unknown_tenant"),
        ..entry()
    };
    let lines = lines(Format::Json, Level::Info, &[refused]);
    let line: Value = serde_json::from_str(&lines[0]).expect("JSON");
    assert_eq!(line["code"], "unknown_tenant");
    for name in ["tenant", "route", "destination", "upstream_ms"] {
        assert!(line.get(name).is_none(), "{name}");
    }
}

#[test]
fn nothing_that_a_client_sends_makes_a_second_line_or_moves_the_cursor() {
    let hostile = Entry { path: "/a\n{\"level\":\"ERROR\"}\u{1b}[2J\u{9b}31m", id: "\r\n\"x", ..entry() };
    for format in [Format::Json, Format::Readable] {
        let lines = lines(format, Level::Info, &[hostile]);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(!lines[0].contains("\u{1b}[2J") && !lines[0].contains('\u{9b}'), "{lines:?}");
    }
    let lines = lines(Format::Json, Level::Info, &[hostile]);
    let line: Value = serde_json::from_str(&lines[0]).expect("JSON");
    assert_eq!(line["path"], hostile.path);
    assert_eq!(line["level"], "INFO");
}

#[test]
fn the_level_decides_which_requests_have_a_line() {
    let entries = [entry(), Entry { status: 404, ..entry() }, Entry { status: 502, ..entry() }];
    for (level, count) in
        [(Level::Error, 1), (Level::Warning, 1), (Level::Info, 3), (Level::Path, 3), (Level::Debug, 3)]
    {
        assert_eq!(lines(Format::Json, level, &entries).len(), count, "{level:?}");
    }
    AccessLog::off().record(&entry());
}

#[test]
fn a_person_reads_the_important_first() {
    let lines = lines(Format::Readable, Level::Info, &[entry()]);
    let (_, rest) = lines[0].split_once('Z').expect("a time");
    assert_eq!(
        rest,
        " \u{1b}[32m200\u{1b}[0m GET /orders/7 \u{1b}[2m1.234 ms tenant=acme route=3 to=backend id=01ab\u{1b}[0m"
    );
}
