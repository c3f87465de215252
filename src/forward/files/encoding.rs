//! Files that are there compressed already: `app.js.br` beside `app.js`.
//!
//! Such a sibling is sent where the client takes its coding, and where it is not older than the file
//! itself: a sibling that was forgotten when the file changed is not looked at. It knows nothing of
//! compressing.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use http::header::ACCEPT_ENCODING;
use http::{HeaderMap, HeaderValue};

/// The codings of siblings, the ones that save most first.
const CODINGS: [Coding; 3] = [
    Coding { name: "br", extension: ".br", bit: 1 },
    Coding { name: "zstd", extension: ".zst", bit: 2 },
    Coding { name: "gzip", extension: ".gz", bit: 4 },
];

/// A coding of siblings.
#[derive(Debug)]
pub(super) struct Coding {
    name: &'static str,
    extension: &'static str,
    bit: u8,
}

impl Coding {
    /// What HTTP calls it.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// `Content-Encoding`.
    pub(super) fn value(&self) -> HeaderValue {
        HeaderValue::from_static(self.name)
    }

    /// What the sibling of `path` is called.
    pub(super) fn sibling(&self, path: &Path) -> PathBuf {
        let mut name = OsString::from(path);
        name.push(self.extension);
        name.into()
    }
}

/// The codings that a client takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Accepted(u8);

impl Accepted {
    /// Reads `Accept-Encoding` (RFC 9110 §12.5.3); without it a client gets files as they are.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let (mut taken, mut refused, mut any) = (0, 0, false);
        let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
        for item in lines.flat_map(|line| line.split(',')) {
            let mut parts = item.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let is_refused = parts.any(is_zero);
            if name == "*" {
                any = !is_refused;
                continue;
            }
            let named = CODINGS.iter().find(|coding| {
                coding.name.eq_ignore_ascii_case(name)
                    || (coding.name == "gzip" && name.eq_ignore_ascii_case("x-gzip"))
            });
            let bit = named.map_or(0, |coding| coding.bit);
            if is_refused { refused |= bit } else { taken |= bit }
        }
        let all = if any { CODINGS.iter().fold(0, |all, coding| all | coding.bit) } else { 0 };
        Self((taken | all) & !refused)
    }

    /// The codings, best first.
    pub(super) fn codings(self) -> impl Iterator<Item = &'static Coding> {
        CODINGS.iter().filter(move |coding| self.0 & coding.bit != 0)
    }
}

/// Whether a parameter is a weight of nothing.
fn is_zero(parameter: &str) -> bool {
    let weight = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="));
    weight.is_some_and(|weight| weight.trim().parse::<f32>().is_ok_and(|weight| weight <= 0.0))
}

/// Whether files of this type are worth compressing, so that siblings are looked for.
pub(super) fn is_worthwhile(kind: &HeaderValue) -> bool {
    const WORTHWHILE: [&[u8]; 7] =
        [b"json", b"xml", b"javascript", b"wasm", b"x-icon", b"octet-stream", b"ttf"];
    let kind = kind.as_bytes();
    kind.starts_with(b"text/") || WORTHWHILE.iter().any(|part| memchr::memmem::find(kind, part).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_takes_what_it_says() {
        let names = |line: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.extend(line.map(|line| (ACCEPT_ENCODING, HeaderValue::from_static(line))));
            Accepted::of(&headers).codings().map(|coding| coding.name).collect::<Vec<_>>().join(" ")
        };
        for (line, expected, shows) in [
            (None, "", "nothing said"),
            (Some(""), "", "nothing taken"),
            (Some("gzip, deflate, br, zstd"), "br zstd gzip", "a browser of today"),
            (Some("gzip, deflate"), "gzip", "an old one"),
            (Some("GZip"), "gzip", "without case"),
            (Some("x-gzip"), "gzip", "an old name"),
            (Some("br;q=0, gzip;q=0.5"), "gzip", "a weight of nothing"),
            (Some("br; q=0.000 ,gzip"), "gzip", "in any form"),
            (Some("*"), "br zstd gzip", "anything"),
            (Some("*, br;q=0"), "zstd gzip", "anything else"),
            (Some("identity"), "", "as it is"),
            (Some("*;q=0, gzip"), "gzip", "nothing else"),
        ] {
            assert_eq!(names(line), expected, "{line:?}: {shows}");
        }
    }
}
