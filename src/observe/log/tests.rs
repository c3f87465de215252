//! Events become lines, and nothing in an event becomes more than one.

use std::sync::{Arc, Mutex, PoisonError};

use super::*;

#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is written while `act` runs with a log of `level`.
fn lines(format: Format, level: Level, act: impl FnOnce()) -> Vec<String> {
    let output = Output::default();
    let (sink, guard) = Sink::start(format, output.clone()).expect("a thread");
    tracing::subscriber::with_default(subscriber(level, &sink), act);
    drop(guard);
    let bytes = output.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    String::from_utf8(bytes).expect("UTF-8").lines().map(str::to_owned).collect()
}

#[test]
fn a_machine_gets_json() {
    let lines = lines(Format::Json, Level::Info, || {
        tracing::warn!(target: "vestibule", file = "xs-app.json", line = 7, "a problem");
    });
    let line: serde_json::Value = serde_json::from_str(&lines[0]).expect("JSON");
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["message"], "a problem");
    assert_eq!(line["file"], "xs-app.json");
    assert_eq!(line["line"], 7);
    assert!(line["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')));
}

#[test]
fn a_person_gets_words() {
    let lines = lines(Format::Readable, Level::Info, || {
        tracing::error!(target: "vestibule", file = "xs-app.json", "a problem");
    });
    let (_, rest) = lines[0].split_once('Z').expect("a time");
    assert_eq!(rest, " \u{1b}[31mERROR\u{1b}[0m a problem file=\"xs-app.json\"");
}

#[test]
fn nothing_in_an_event_makes_a_second_line() {
    let hostile = "x\r\nERROR forged\u{1b}[2J\u{9b}31m\u{202e}";
    for format in [Format::Json, Format::Readable] {
        let lines = lines(format, Level::Info, || {
            tracing::info!(target: "vestibule", value = %hostile, debug = ?hostile, "{hostile}");
        });
        assert_eq!(lines.len(), 1, "{lines:?}");
        for forbidden in ["\u{1b}[2J", "\u{9b}", "\u{202e}"] {
            assert!(!lines[0].contains(forbidden), "{format:?} {forbidden:?} {lines:?}");
        }
        if format == Format::Json {
            let line: serde_json::Value = serde_json::from_str(&lines[0]).expect("JSON");
            assert_eq!(line["message"], hostile);
        }
    }
}

#[test]
fn the_level_holds_for_us_and_libraries_are_quieter() {
    let events = || {
        tracing::error!(target: "vestibule::reload", "error");
        tracing::warn!(target: "vestibule::reload", "warning");
        tracing::info!(target: "vestibule::reload", "info");
        tracing::debug!(target: "vestibule::reload", "debug");
        tracing::warn!(target: "hyper", "library warning");
        tracing::info!(target: "hyper", "library info");
    };
    for (level, count) in
        [(Level::Error, 1), (Level::Warning, 3), (Level::Info, 4), (Level::Path, 4), (Level::Debug, 5)]
    {
        assert_eq!(lines(Format::Json, level, events).len(), count, "{level:?}");
    }
}

#[test]
fn levels_have_the_names_of_the_environment() {
    for (name, level) in [
        ("error", Some(Level::Error)),
        ("FATAL", Some(Level::Error)),
        ("warning", Some(Level::Warning)),
        ("Info", Some(Level::Info)),
        ("path", Some(Level::Path)),
        ("debug", Some(Level::Debug)),
        ("loud", None),
        ("", None),
    ] {
        assert_eq!(Level::named(name), level, "{name}");
    }
}
