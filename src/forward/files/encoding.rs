//! Files that are there compressed already: `app.js.br` beside `app.js`.
//!
//! Such a sibling is sent where the client takes its coding, and where it is not older than the file
//! itself: a sibling that was forgotten when the file changed is not looked at. It knows nothing of
//! compressing.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use http::HeaderValue;

use crate::request::coding::{Accepted, Coding};

/// What siblings add to a name, the codings that save most first.
const EXTENSIONS: [(Coding, &str); 3] =
    [(Coding::Brotli, ".br"), (Coding::Zstd, ".zst"), (Coding::Gzip, ".gz")];

/// What the siblings of `path` are called whose codings the client takes, best first.
pub(super) fn siblings(path: &Path, accepted: Accepted) -> impl Iterator<Item = (Coding, PathBuf)> {
    EXTENSIONS.into_iter().filter(move |(coding, _)| accepted.takes(*coding)).map(
        move |(coding, extension)| {
            let mut name = OsString::from(path);
            name.push(extension);
            (coding, name.into())
        },
    )
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
    use http::header::ACCEPT_ENCODING;

    use super::*;

    #[test]
    fn a_client_gets_what_it_takes() {
        let names = |line: &'static str| {
            let headers = [(ACCEPT_ENCODING, HeaderValue::from_static(line))].into_iter().collect();
            let siblings = siblings(Path::new("a.js"), Accepted::of(&headers));
            siblings.map(|(_, path)| path.display().to_string()).collect::<Vec<_>>().join(" ")
        };
        for (line, expected, shows) in [
            ("", "", "nothing taken"),
            ("gzip, deflate, br, zstd", "a.js.br a.js.zst a.js.gz", "a browser of today"),
            ("gzip, deflate", "a.js.gz", "an old one"),
            ("br;q=0, gzip;q=0.5", "a.js.gz", "a weight of nothing"),
            ("*, br;q=0", "a.js.zst a.js.gz", "anything else"),
            ("identity", "", "as it is"),
        ] {
            assert_eq!(names(line), expected, "{line:?}: {shows}");
        }
    }
}
