//! The program's own log.
//!
//! Events of `tracing` become lines of the same [`Sink`] as the access log, so that their order is kept and
//! no worker waits for the output. JSON when nobody looks, words when a terminal does. Control characters
//! are escaped in both, whatever the event carries. Libraries are heard from `warning` upwards only.

use std::io;

use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::SetGlobalDefaultError;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;

use super::sink::{Format, Lines, Sink};
use super::text::{push_inside_json, push_plain};

/// How much is said, as `XS_APP_LOG_LEVEL` names it; each includes the ones before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What failed.
    Error,
    /// What is probably not meant.
    Warning,
    /// What happened; the default.
    #[default]
    Info,
    /// The SAP router's level between info and debug; here the same as info.
    Path,
    /// What the program thought.
    Debug,
}

impl Level {
    /// The level of that name, in any case; `fatal` and `warn` are accepted for `error` and `warning`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "fatal" | "error" => Self::Error,
            "warning" | "warn" => Self::Warning,
            "info" => Self::Info,
            "path" => Self::Path,
            "debug" => Self::Debug,
            _ => return None,
        })
    }

    fn filter(self) -> LevelFilter {
        match self {
            Self::Error => LevelFilter::ERROR,
            Self::Warning => LevelFilter::WARN,
            Self::Info | Self::Path => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
        }
    }
}

/// Sends all events of the process from `level` upwards to `sink`; once in a process.
pub fn start(level: Level, sink: &Sink) -> Result<(), SetGlobalDefaultError> {
    tracing::subscriber::set_global_default(subscriber(level, sink))
}

/// What [`start`] installs.
fn subscriber(level: Level, sink: &Sink) -> impl tracing::Subscriber + Send + Sync {
    let filter = Targets::new()
        .with_default(level.filter().min(LevelFilter::WARN))
        .with_target("vestibule", level.filter());
    let events = fmt::layer().with_writer(Events(sink.lines()));
    let layer = match sink.format() {
        Format::Json => {
            events.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
        }
        Format::Readable => {
            events.without_time().with_level(false).with_target(false).with_ansi(false).boxed()
        }
    };
    Registry::default().with(layer.with_filter(filter))
}

/// Makes a writer for each event.
struct Events(Lines);

/// Takes the text of one event; `tracing` writes each in one piece.
struct Event<'a> {
    lines: &'a Lines,
    level: &'static str,
}

impl<'a> MakeWriter<'a> for Events {
    type Writer = Event<'a>;

    fn make_writer(&'a self) -> Event<'a> {
        Event { lines: &self.0, level: "     " }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Event<'a> {
        let level = match *metadata.level() {
            tracing::Level::ERROR => "\u{1b}[31mERROR\u{1b}[0m",
            tracing::Level::WARN => "\u{1b}[33mWARN\u{1b}[0m ",
            tracing::Level::INFO => "\u{1b}[32mINFO\u{1b}[0m ",
            _ => "\u{1b}[2mDEBUG\u{1b}[0m",
        };
        Event { lines: &self.0, level }
    }
}

impl io::Write for Event<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        self.lines.add(|line, now| match self.lines.format() {
            Format::Json => push_inside_json(line, text),
            Format::Readable => {
                line.push_str(now);
                line.push(' ');
                line.push_str(self.level);
                line.push(' ');
                push_plain(line, text);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
