//! What an auditor reads, and what nobody can write into it.

use std::io;
use std::net::Ipv4Addr;
use std::sync::mpsc;

use serde_json::{Value, json};

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

fn line(format: Format, entry: &Entry<'_>) -> String {
    let (sender, output) = mpsc::channel();
    let (sink, guard) = Sink::start(format, Output(sender)).expect("a thread");
    Audit::new(&sink).record(entry);
    drop(guard);
    String::from_utf8(output.try_iter().flatten().collect()).expect("UTF-8")
}

fn refused() -> Entry<'static> {
    Entry {
        id: Some("01ab"),
        tenant: Some("acme"),
        subject: Some("u1"),
        method: Some("GET"),
        path: Some("/login/callback?code=hunter2&state=hunter3"),
        status: Some(403),
        code: Some("login_foreign"),
        reason: Some("the flow was begun at another tenant"),
        peer: Some(Ipv4Addr::LOCALHOST.into()),
        ..Entry::of(Event::LoginRefused)
    }
}

#[test]
fn a_line_is_one_object_without_the_query() {
    let mut line: Value = serde_json::from_str(&line(Format::Json, &refused())).expect("JSON");
    assert!(line["timestamp"].take().as_str().is_some_and(|time| time.ends_with('Z')));
    assert_eq!(
        line,
        json!({
            "timestamp": null, "level": "INFO", "message": "audit", "event": "login_refused", "id": "01ab",
            "tenant": "acme", "subject": "u1", "method": "GET", "path": "/login/callback", "status": 403,
            "code": "login_foreign", "reason": "the flow was begun at another tenant", "peer": "127.0.0.1"
        })
    );
}

#[test]
fn what_is_not_known_is_left_out() {
    let entry = Entry { sessions: Some(2), ..Entry::of(Event::BackChannelLogout) };
    let line: Value = serde_json::from_str(&line(Format::Json, &entry)).expect("JSON");
    assert_eq!((&line["event"], &line["sessions"]), (&json!("back_channel_logout"), &json!(2)));
    assert_eq!(line.as_object().map(serde_json::Map::len), Some(5), "{line}");
}

#[test]
fn a_name_forges_no_line() {
    let hostile = Entry { subject: Some("x\n{\"event\":\"login\"}\u{1b}[2J"), ..refused() };
    for format in [Format::Json, Format::Readable] {
        let text = line(format, &hostile);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(!text.contains("\u{1b}[2J") && !text.contains("hunter"), "{text}");
    }
    Audit::off().record(&hostile);
}
