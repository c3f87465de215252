//! Which types of content get smaller by compression.
//!
//! Text in all its forms. Pictures, archives and films are compressed already. A stream of bytes of which
//! nothing is known (`application/octet-stream`) mostly is as well, and whoever downloads it wants to know
//! its length. What must arrive at once, message by message, is left as it is.

use http::HeaderValue;

use crate::snapshot::Compression;

/// Types beside `text/*`, `*+json`, `*+xml` and `*+text`, in order.
const SQUEEZABLE: [&str; 30] = [
    "application/dart",
    "application/ecmascript",
    "application/graphql",
    "application/javascript",
    "application/json",
    "application/json-seq",
    "application/jsonl",
    "application/postscript",
    "application/rtf",
    "application/sql",
    "application/toml",
    "application/vnd.dart",
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/x-httpd-php",
    "application/x-javascript",
    "application/x-ndjson",
    "application/x-ns-proxy-autoconfig",
    "application/x-sh",
    "application/x-web-app-manifest",
    "application/x-yaml",
    "application/xml",
    "application/xml-dtd",
    "application/yaml",
    "font/otf",
    "font/ttf",
    "image/bmp",
    "image/vnd.microsoft.icon",
    "image/x-icon",
    "message/rfc822",
];

/// The longest type that is looked at.
const LONGEST: usize = 64;

/// Whether content of this type is worth compressing.
pub(super) fn is_squeezable(kind: &HeaderValue, rules: &Compression) -> bool {
    let kind = kind.as_bytes();
    let end = kind.iter().position(|byte| *byte == b';').unwrap_or(kind.len());
    let kind = kind[..end].trim_ascii();
    let mut lower = [0; LONGEST];
    let Some(lower) = lower.get_mut(..kind.len()) else { return false };
    lower.copy_from_slice(kind);
    lower.make_ascii_lowercase();
    match &*lower {
        b"text/event-stream" => false,
        b"multipart/mixed" => rules.mixed,
        lower if lower.starts_with(b"application/grpc") => false,
        lower => {
            lower.starts_with(b"text/")
                || [&b"+json"[..], b"+xml", b"+text"].iter().any(|suffix| lower.ends_with(suffix))
                || SQUEEZABLE.binary_search_by(|known| known.as_bytes().cmp(lower)).is_ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gets_smaller_is_compressed() {
        assert!(SQUEEZABLE.is_sorted(), "they are searched by halves");
        for (kind, expected, shows) in [
            ("text/html; charset=utf-8", true, "a page"),
            ("TEXT/Plain", true, "in any case"),
            ("text/x-anything", true, "any text"),
            ("application/json", true, "JSON"),
            ("application/problem+json", true, "a kind of JSON"),
            ("application/atom+xml;type=feed", true, "a kind of XML, with parameters"),
            ("image/svg+xml", true, "a picture made of text"),
            ("application/javascript", true, "a script"),
            ("application/wasm", true, "a program"),
            ("image/x-icon", true, "an icon"),
            ("application/x-ndjson", true, "line by line, each sent at once"),
            ("text/event-stream", false, "events"),
            ("text/event-stream; charset=utf-8", false, "events, with parameters"),
            ("application/grpc", false, "calls"),
            ("application/grpc+json", false, "calls in JSON"),
            ("application/grpc-web-text", false, "calls from browsers"),
            ("multipart/mixed; boundary=x", false, "a batch, where that is not asked for"),
            ("application/octet-stream", false, "nothing is known of it"),
            ("image/png", false, "compressed already"),
            ("font/woff2", false, "compressed already"),
            ("application/pdf", false, "compressed already"),
            ("application/zip", false, "compressed already"),
            ("x-foo", false, "no type"),
            ("", false, "nothing"),
            ("; charset=utf-8", false, "a parameter of nothing"),
        ] {
            let kind = HeaderValue::from_static(kind);
            assert_eq!(is_squeezable(&kind, &Compression::default()), expected, "{kind:?}: {shows}");
        }
        let mixed = Compression { mixed: true, ..Compression::default() };
        let batch = HeaderValue::from_static("multipart/mixed; boundary=x");
        assert!(is_squeezable(&batch, &mixed), "a batch, where that is asked for");
        let long = HeaderValue::try_from(format!("text/{}", "x".repeat(100))).expect("a value");
        assert!(!is_squeezable(&long, &mixed), "no type is so long");
    }
}
