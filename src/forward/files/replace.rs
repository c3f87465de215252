//! Files with tags, and what the tags stand for.
//!
//! `{{name}}` becomes the value with what HTML reads as markup escaped, `{{{name}}}` the value as it is;
//! a name that was not given becomes nothing. A value is never read for tags again. Only the names that
//! the configuration gives stand for anything, and what they stand for never prints. A file is rendered
//! once for each of its versions and remembered, within bounds; its entity tag is that of what is sent,
//! so a changed value changes it. Surprising: files are taken as bytes, as tags are ASCII in any case.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use aws_lc_rs::digest;
use bytes::Bytes;
use http::HeaderValue;
use memchr::memmem;

use super::{File, Metadata};
use crate::secret::Secret;

/// The longest file that tags are looked for in, in bytes.
const LONGEST: u64 = 4 * 1024 * 1024;

/// The longest name of a tag, in bytes.
const LONGEST_NAME: usize = 256;

/// How much of what was rendered is remembered for one folder, in bytes.
const REMEMBERED: usize = 8 * 1024 * 1024;

/// What is replaced in the files of one folder.
#[derive(Debug)]
pub struct Replacement {
    suffixes: Box<[Box<str>]>,
    values: HashMap<Box<str>, Secret>,
    remembered: Mutex<Remembered>,
}

/// What was rendered.
#[derive(Debug, Default)]
struct Remembered {
    files: HashMap<PathBuf, (Version, Rendered)>,
    bytes: usize,
}

/// Which version of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    length: u64,
    modified: SystemTime,
}

/// A file whose tags are replaced.
#[derive(Clone)]
pub(super) struct Rendered {
    pub(super) body: Bytes,
    pub(super) etag: HeaderValue,
}

impl std::fmt::Debug for Rendered {
    /// Its length alone: it may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rendered").field("length", &self.body.len()).finish_non_exhaustive()
    }
}

impl Replacement {
    /// Replaces in files whose path, which begins with a slash, ends in one of `suffixes`; `values` are
    /// what tags stand for, by name.
    #[must_use]
    pub fn new(suffixes: Vec<Box<str>>, values: HashMap<Box<str>, Secret>) -> Self {
        Self { suffixes: suffixes.into(), values, remembered: Mutex::default() }
    }

    /// Whether tags of the file at `path`, which is relative to the folder, are replaced.
    pub(super) fn concerns(&self, path: &Path) -> bool {
        let Some(path) = path.to_str() else { return false };
        self.suffixes.iter().any(|suffix| match suffix.strip_prefix('/') {
            Some(bare) if bare.len() == path.len() => bare == path,
            Some(_) | None => path.ends_with(&**suffix),
        })
    }

    /// The file at `path`, rendered; blocks on the disk.
    pub(super) fn rendered(&self, path: &Path, file: &mut File, metadata: &Metadata) -> io::Result<Rendered> {
        let version = Version::of(metadata)?;
        if let Some(known) = self.lock().known(path, version) {
            return Ok(known);
        }
        if version.length > LONGEST {
            return Err(io::Error::other("it is longer than 4 MiB, and tags are to be replaced in it"));
        }
        let mut text = Vec::new();
        file.take(LONGEST).read_to_end(&mut text)?;
        let rendered = Rendered::of(self.render(&text).into());
        // What was written meanwhile has another version by now, and is rendered with the next request.
        if Version::of(&file.metadata()?)? == version {
            self.lock().remember(path, version, rendered.clone());
        }
        Ok(rendered)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn render(&self, text: &[u8]) -> Vec<u8> {
        let mut rendered = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, tag, behind)) = next_tag(rest) {
            rendered.extend_from_slice(before);
            let value = self.value(tag.name).unwrap_or_default();
            if tag.raw {
                rendered.extend_from_slice(value.as_bytes());
            } else {
                escape(value, &mut rendered);
            }
            rest = behind;
        }
        rendered.extend_from_slice(rest);
        rendered
    }

    fn value(&self, name: &[u8]) -> Option<&str> {
        let name = std::str::from_utf8(name).ok()?;
        self.values.get(name.trim()).map(Secret::expose)
    }
}

impl Remembered {
    fn known(&self, path: &Path, version: Version) -> Option<Rendered> {
        let (known, rendered) = self.files.get(path)?;
        (*known == version).then(|| rendered.clone())
    }

    /// Remembers a file; where there is no room left all others are forgotten.
    fn remember(&mut self, path: &Path, version: Version, rendered: Rendered) {
        let needed = rendered.body.len() + path.as_os_str().len();
        if needed > REMEMBERED {
            return;
        }
        if let Some((_, former)) = self.files.remove(path) {
            self.bytes -= former.body.len() + path.as_os_str().len();
        }
        if self.bytes + needed > REMEMBERED {
            self.files.clear();
            self.bytes = 0;
        }
        self.bytes += needed;
        self.files.insert(path.to_owned(), (version, rendered));
    }
}

impl Version {
    fn of(metadata: &Metadata) -> io::Result<Self> {
        Ok(Self { length: metadata.len(), modified: metadata.modified()?.into_std() })
    }
}

impl Rendered {
    fn of(body: Bytes) -> Self {
        let hash = digest::digest(&digest::SHA256, &body);
        let mut tag = String::from("W/\"");
        for byte in hash.as_ref().iter().take(16) {
            // Writing to a string cannot fail.
            let _ = write!(tag, "{byte:02x}");
        }
        tag.push('"');
        let etag = HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("W/\"\""));
        Self { body, etag }
    }
}

/// A tag.
struct Tag<'t> {
    name: &'t [u8],
    raw: bool,
}

/// What stands before the first tag, the tag, and what follows it.
fn next_tag(text: &[u8]) -> Option<(&[u8], Tag<'_>, &[u8])> {
    memmem::find_iter(text, b"{{").find_map(|open| {
        let (before, rest) = text.split_at(open);
        let (tag, behind) = tag(rest)?;
        Some((before, tag, behind))
    })
}

/// The tag that `text` begins with, and what follows it. Braces that no name stands between are text.
fn tag(text: &[u8]) -> Option<(Tag<'_>, &[u8])> {
    let raw = text.starts_with(b"{{{");
    let (opening, closing): (usize, &[u8]) = if raw { (3, b"}}}") } else { (2, b"}}") };
    let inner = text.get(opening..)?;
    let inner = inner.get(..inner.len().min(LONGEST_NAME + closing.len()))?;
    let name = inner.get(..memmem::find(inner, closing)?)?;
    let is_name = !name.iter().any(|byte| b"{}\n\r".contains(byte));
    let behind = text.get(opening + name.len() + closing.len()..)?;
    is_name.then_some((Tag { name, raw }, behind))
}

/// Writes `value` as text that HTML reads no markup in, in elements and quoted attributes.
fn escape(value: &str, into: &mut Vec<u8>) {
    for byte in value.bytes() {
        match byte {
            b'&' => into.extend_from_slice(b"&amp;"),
            b'<' => into.extend_from_slice(b"&lt;"),
            b'>' => into.extend_from_slice(b"&gt;"),
            b'"' => into.extend_from_slice(b"&quot;"),
            b'\'' => into.extend_from_slice(b"&#39;"),
            _ => into.push(byte),
        }
    }
}

#[cfg(test)]
mod tests;
