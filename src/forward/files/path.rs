//! From a request's path to a path beneath the folder.
//!
//! Decoded once, segment by segment, after splitting: an encoded slash is a character that no file name
//! has, not a new segment. What could be read in two ways names nothing. Files that begin with a dot are
//! hidden; what lies in a folder that begins with one (`.well-known`) is not.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;

/// What a path asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The file beneath the folder; a folder's index when the path ends with a slash.
    pub(super) path: PathBuf,
    /// Whether the path ends with a slash.
    pub(super) folder: bool,
}

impl Wanted {
    /// Reads `path`, percent-encoded; `None` if it names no file that is served.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let folder = path.is_empty() || path.ends_with('/');
        let mut beneath = PathBuf::new();
        let mut hidden = false;
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            let name = percent_decode_str(segment).decode_utf8().ok()?;
            if !is_name(&name) {
                return None;
            }
            hidden = name.starts_with('.');
            beneath.push(&*name);
        }
        if folder {
            beneath.push("index.html");
        }
        (folder || !hidden).then_some(Self { path: beneath, folder })
    }
}

/// Whether `name` is one name: not a step up or nowhere, no separator of any system, no control character.
fn is_name(name: &str) -> bool {
    !matches!(name, "." | "..") && !name.contains(|it: char| matches!(it, '/' | '\\') || it.is_control())
}
