//! Text that is safe to show.
//!
//! What a client sent may hold line feeds, terminal escapes or characters that turn the reading direction
//! round; none of them may forge a log line or move a cursor. They are written as escapes instead, in JSON
//! and in plain lines alike. Printable ASCII, which is nearly everything, is copied whole.

use std::fmt::{Display, Formatter, Result, Write};

use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};

/// A text as one harmless piece of a plain line.
pub(super) struct Plain<'a>(pub(super) &'a str);

/// A text as a JSON string, quotes included.
pub(super) struct Json<'a>(pub(super) &'a str);

/// The time now, as RFC 3339 in UTC.
pub(super) struct Now;

impl Display for Plain<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if is_simple(self.0) {
            return f.write_str(self.0);
        }
        for character in self.0.chars() {
            if is_harmful(character) {
                write!(f, "{}", character.escape_unicode())?;
            } else {
                f.write_char(character)?;
            }
        }
        Ok(())
    }
}

impl Display for Json<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_char('"')?;
        if is_simple(self.0) {
            f.write_str(self.0)?;
        } else {
            self.0.chars().try_for_each(|character| json_character(f, character))?;
        }
        f.write_char('"')
    }
}

impl Display for Now {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        SystemTime.format_time(&mut Writer::new(f))
    }
}

/// Writes `character` as it stands inside a JSON string; all that is harmful lies in the first plane but
/// for nothing, so four digits do.
fn json_character(f: &mut Formatter<'_>, character: char) -> Result {
    match character {
        '"' | '\\' => write!(f, "\\{character}"),
        _ if is_harmful(character) => write!(f, "\\u{:04x}", u32::from(character)),
        _ => f.write_char(character),
    }
}

/// Whether every byte can be copied into a plain line and into a JSON string.
fn is_simple(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\')
}

/// Controls, line separators, and marks that change the direction of what follows.
pub(super) fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

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
        ] {
            assert_eq!(Plain(text).to_string(), plain, "{shows}");
            assert_eq!(Json(text).to_string(), json, "{shows}");
            assert_eq!(serde_json::from_str::<String>(json).ok().as_deref(), Some(text), "{shows}");
        }
    }
}
