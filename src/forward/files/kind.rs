//! The content type of a file, by its name.
//!
//! `mime_guess` knows the types; the few that browsers or the SAP application router want otherwise stand
//! here. Text is UTF-8. A name that says nothing is a stream of bytes, never sniffed.

use std::path::Path;

use http::HeaderValue;
use mime_guess::MimeGuess;

/// What nothing is known of.
const UNKNOWN: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// The content type of `path`.
#[must_use]
pub fn of(path: &Path) -> HeaderValue {
    let extension = path.extension().and_then(|it| it.to_str()).unwrap_or_default();
    let kind = match extension.to_ascii_lowercase().as_str() {
        "js" | "mjs" | "cjs" => "application/javascript; charset=UTF-8",
        "json" | "map" => "application/json; charset=UTF-8",
        "xml" => "application/xml",
        "yaml" | "yml" => "text/yaml; charset=UTF-8",
        "webmanifest" => "application/manifest+json",
        "html" | "htm" => "text/html; charset=UTF-8",
        "css" => "text/css; charset=UTF-8",
        _ => return guessed(extension),
    };
    HeaderValue::from_static(kind)
}

/// The content type of a file in which tags were replaced: HTML where nothing is known of it.
pub(super) fn of_replaced(path: &Path) -> HeaderValue {
    let kind = of(path);
    if kind == UNKNOWN { HeaderValue::from_static("text/html; charset=UTF-8") } else { kind }
}

fn guessed(extension: &str) -> HeaderValue {
    match MimeGuess::from_ext(extension).first_raw() {
        Some(text) if text.starts_with("text/") => {
            HeaderValue::try_from(format!("{text}; charset=UTF-8")).unwrap_or(UNKNOWN)
        }
        Some(kind) => HeaderValue::from_static(kind),
        None => UNKNOWN,
    }
}
