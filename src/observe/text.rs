//! Text that is safe to show, written quickly.
//!
//! What a client sent may hold line feeds, terminal escapes or characters that turn the reading direction
//! round; none of them may forge a log line or move a cursor. They are written as escapes instead, in JSON
//! and in plain lines alike. Printable ASCII, which is nearly everything, is copied whole. A line is written
//! for each request, so numbers and times do not go through the general formatting.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{self, FormatTime as _};

/// Adds `text` as one harmless piece of a plain line.
pub(super) fn push_plain(line: &mut String, text: &str) {
    if is_simple(text) {
        line.push_str(text);
    } else {
        escape(line, text, |line, character| line.extend(character.escape_unicode()));
    }
}

/// Adds `text` as a JSON string, quotes included.
pub(super) fn push_json(line: &mut String, text: &str) {
    line.push('"');
    if is_simple(text) {
        line.push_str(text);
    } else {
        push_inside_json(line, &text.replace('\\', "\\\\").replace('"', "\\\""));
    }
    line.push('"');
}

/// Adds a piece of JSON whose quotes stand already; what is harmful in it lies inside a string. Everything
/// harmful has four digits.
pub(super) fn push_inside_json(line: &mut String, json: &str) {
    escape(line, json, |line, character| {
        write!(line, "\\u{:04x}", u32::from(character)).ok();
    });
}

/// Adds a number.
pub(super) fn push_number(line: &mut String, number: u64) {
    line.push_str(itoa::Buffer::new().format(number));
}

/// Adds `name` and a JSON string, if there is a value.
pub(super) fn text(line: &mut String, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        line.push_str(name);
        push_json(line, value);
    }
}

/// Adds `name` and a plain text, if there is a value.
pub(super) fn word(line: &mut String, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        line.push_str(name);
        push_plain(line, value);
    }
}

/// Adds `name` and a number, if there is a value.
pub(super) fn number(line: &mut String, name: &str, value: Option<u64>) {
    if let Some(value) = value {
        line.push_str(name);
        push_number(line, value);
    }
}

/// Adds a duration in milliseconds, with three digits behind the point.
pub(super) fn push_milliseconds(line: &mut String, duration: Duration) {
    let microseconds = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    push_number(line, microseconds / 1_000);
    line.push('.');
    push_digits(line, microseconds % 1_000, 1_000);
}

/// Adds `number` with as many digits as `power`, a power of ten above it, has zeros.
fn push_digits(line: &mut String, number: u64, power: u64) {
    line.push_str(&itoa::Buffer::new().format(number + power)[1..]);
}

/// Adds `text`, what is harmful in it in the form that `write` gives it.
fn escape(line: &mut String, text: &str, write: fn(&mut String, char)) {
    let mut rest = text;
    while let Some(start) = rest.find(is_harmful) {
        let (before, from) = rest.split_at(start);
        line.push_str(before);
        let mut characters = from.chars();
        characters.by_ref().take(1).for_each(|character| write(line, character));
        rest = characters.as_str();
    }
    line.push_str(rest);
}

/// Whether every byte can be copied into a plain line and into a JSON string.
fn is_simple(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\')
}

/// Controls, line separators, and marks that change the direction of what follows.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The time as RFC 3339 in UTC, to the microsecond. The date and the second are written once a second.
#[derive(Debug, Default)]
pub(super) struct Stamp {
    second: Option<u64>,
    text: String,
}

impl Stamp {
    /// The time now.
    pub(super) fn now(&mut self) -> &str {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        if self.second != Some(now.as_secs()) {
            self.write_second();
            self.second = Some(now.as_secs());
        }
        self.text.truncate("2026-11-21T19:41:31.".len());
        push_digits(&mut self.text, u64::from(now.subsec_micros()), 1_000_000);
        self.text.push('Z');
        &self.text
    }

    fn write_second(&mut self) {
        self.text.clear();
        time::SystemTime.format_time(&mut Writer::new(&mut self.text)).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushed(push: fn(&mut String, &str), text: &str) -> String {
        let mut line = String::new();
        push(&mut line, text);
        line
    }

    #[test]
    fn a_text_stays_one_line_and_one_string() {
        for (text, plain, json, shows) in [
            ("/a/b?c=%20", "/a/b?c=%20", "\"/a/b?c=%20\"", "what nearly every path is"),
            ("a\nb", "a\\u{a}b", "\"a\\u000ab\"", "no second line"),
            ("\u{1b}[31m", "\\u{1b}[31m", "\"\\u001b[31m\"", "no terminal escape"),
            ("\u{9b}31m", "\\u{9b}31m", "\"\\u009b31m\"", "nor its one-character form"),
            ("\u{202e}txt", "\\u{202e}txt", "\"\\u202etxt\"", "no reversal"),
            ("say \"a\\b\"", "say \"a\\b\"", "\"say \\\"a\\\\b\\\"\"", "quotes end no string"),
            ("für", "für", "\"für\"", "letters are letters"),
            ("", "", "\"\"", "nothing"),
        ] {
            assert_eq!(pushed(push_plain, text), plain, "{shows}");
            assert_eq!(pushed(push_json, text), json, "{shows}");
            assert_eq!(serde_json::from_str::<String>(json).ok().as_deref(), Some(text), "{shows}");
        }
    }

    #[test]
    fn durations_have_three_digits() {
        for (microseconds, text) in [(0, "0.000"), (7, "0.007"), (1_234, "1.234"), (61_000_000, "61000.000")]
        {
            let mut line = String::new();
            push_milliseconds(&mut line, Duration::from_micros(microseconds));
            assert_eq!(line, text);
        }
    }

    #[test]
    fn a_stamp_is_the_time() {
        let mut stamp = Stamp::default();
        let first = stamp.now().to_owned();
        assert!(first.len() == 27 && first.ends_with('Z'), "{first}");
        assert!(stamp.now() >= first.as_str(), "and goes on");
    }
}
