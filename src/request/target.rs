//! Path and query in the one form that is matched and sent.
//!
//! Nothing is normalised: a target either already is canonical and passes byte for byte, or it is
//! refused, so no backend can read it differently. The text is shared with what hyper parsed. The path
//! is checked strictly; a query only for bytes that may not be in a request line, because no decision
//! may depend on it.

use http::Uri;
use http::uri::PathAndQuery;
use smallvec::SmallVec;

use super::Malformed;

/// The longest path and query, in bytes.
const LONGEST: usize = 16 * 1024;

/// Path and query in the one form that is matched and sent: ASCII, begins with `/`, no dot segments,
/// no ambiguous escape, no fragment.
#[derive(Clone, Debug)]
pub struct Target {
    text: Text,
    start: usize,
    path_end: usize,
}

/// Where the bytes are: with hyper's, or our own where a prefix left nothing to share.
#[derive(Clone, Debug)]
enum Text {
    Received(PathAndQuery),
    Made(Box<str>),
}

impl Target {
    /// `text` as a canonical target.
    ///
    /// # Errors
    /// Why it is not canonical.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.len() > LONGEST {
            return Err(Malformed::UriTooLong);
        }
        if !text.starts_with('/') {
            return Err(if text == "*" { Malformed::AsteriskForm } else { Malformed::TargetForm });
        }
        if let Some(byte) = text.bytes().find(|byte| QUERY[usize::from(*byte)] & REFUSED != 0) {
            return Err(Malformed::RawByte(byte));
        }
        Self::checked(&PathAndQuery::try_from(text).map_err(|_| Malformed::TargetForm)?)
    }

    /// The target of what hyper parsed: origin form, or absolute form with an `http` or `https` scheme.
    pub(super) fn received(uri: &Uri) -> Result<Self, Malformed> {
        if uri.scheme().is_some_and(|scheme| !matches!(scheme.as_str(), "http" | "https")) {
            return Err(Malformed::TargetForm);
        }
        Self::checked(uri.path_and_query().ok_or(Malformed::TargetForm)?)
    }

    fn checked(received: &PathAndQuery) -> Result<Self, Malformed> {
        let text = received.as_str();
        if text.len() > LONGEST {
            return Err(Malformed::UriTooLong);
        }
        if !text.starts_with('/') {
            return Err(if text == "*" { Malformed::AsteriskForm } else { Malformed::TargetForm });
        }
        let path_end = received.path().len();
        let (path, query) = text.split_at(path_end);
        check_path(path)?;
        refuse_raw(query.as_bytes(), &QUERY)?;
        Ok(Self { text: Text::Received(received.clone()), start: 0, path_end })
    }

    /// Path and query.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.whole()[self.start..]
    }

    /// The path alone.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.whole()[self.start..self.path_end]
    }

    /// The query with its `?`, or nothing.
    #[must_use]
    pub fn query(&self) -> &str {
        &self.whole()[self.path_end..]
    }

    /// What hyper parsed, where this is all of it, so that it can be sent on without being parsed again.
    #[must_use]
    pub fn as_received(&self) -> Option<&PathAndQuery> {
        match &self.text {
            Text::Received(text) if self.start == 0 => Some(text),
            Text::Received(_) | Text::Made(_) => None,
        }
    }

    /// The target without the first `n` bytes of its path, which end at a segment boundary. A path that
    /// would be empty becomes `/`.
    #[must_use]
    pub fn without_prefix(&self, n: usize) -> Self {
        let start = (self.start + n).min(self.path_end);
        let rest = &self.whole()[start..];
        if rest.starts_with('/') {
            return Self { text: self.text.clone(), start, path_end: self.path_end };
        }
        let path_end = 1 + self.path_end - start;
        Self { text: Text::Made(format!("/{rest}").into_boxed_str()), start: 0, path_end }
    }

    /// The target as a backend might read it that decodes letters, joins slashes and cuts parameters off,
    /// where that is another: `/%61dmin//x;y` is `/admin/x`. Never matched for its own sake and never sent;
    /// it serves to see that a spelling opens nothing.
    #[must_use]
    pub fn normal_form(&self) -> Option<Self> {
        let path = self.path();
        let is_normal = memchr::memchr2(b'%', b';', path.as_bytes()).is_none()
            && memchr::memmem::find(path.as_bytes(), b"//").is_none();
        if is_normal {
            return None;
        }
        let normal = normal(path);
        let text = format!("{normal}{}", self.query()).into_boxed_str();
        (normal != path).then(|| Self { text: Text::Made(text), start: 0, path_end: normal.len() })
    }

    fn whole(&self) -> &str {
        match &self.text {
            Text::Received(text) => text.as_str(),
            Text::Made(text) => text,
        }
    }
}

impl PartialEq for Target {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Target {}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A byte that makes the target no target.
const REFUSED: u8 = 1;
/// `%`.
const ESCAPE: u8 = 2;
/// `.`.
const DOT: u8 = 4;

/// What each byte means in a path.
static PATH: [u8; 256] = classes(true);
/// What each byte means in a query.
static QUERY: [u8; 256] = classes(false);

/// Control bytes, space, `#` and everything above `~` are refused everywhere, `\` in a path too:
/// browsers send it in queries as it is.
const fn classes(path: bool) -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        if byte <= 0x20 || byte > 0x7e || byte == b'#' as usize || (path && byte == b'\\' as usize) {
            table[byte] = REFUSED;
        }
        byte += 1;
    }
    if path {
        table[b'%' as usize] = ESCAPE;
        table[b'.' as usize] = DOT;
    }
    table
}

/// One pass over the bytes; returns what was seen.
fn refuse_raw(bytes: &[u8], table: &[u8; 256]) -> Result<u8, Malformed> {
    let seen = bytes.iter().fold(0, |seen, byte| seen | table[usize::from(*byte)]);
    if seen & REFUSED == 0 {
        return Ok(seen);
    }
    let refused = bytes.iter().find(|byte| table[usize::from(**byte)] & REFUSED != 0);
    Err(Malformed::RawByte(refused.copied().unwrap_or_default()))
}

fn check_path(path: &str) -> Result<(), Malformed> {
    let seen = refuse_raw(path.as_bytes(), &PATH)?;
    if seen & ESCAPE != 0 {
        return check_segments(&decoded(path.as_bytes())?);
    }
    let may_have_dots = seen & DOT != 0 && memchr::memmem::find(path.as_bytes(), b"/.").is_some();
    if may_have_dots { check_segments(path.as_bytes()) } else { Ok(()) }
}

/// The path with its escapes decoded once; refuses those that another parser could read as structure.
fn decoded(path: &[u8]) -> Result<SmallVec<[u8; 256]>, Malformed> {
    let mut out = SmallVec::new();
    let mut rest = path.iter();
    while let Some(&byte) = rest.next() {
        out.push(if byte == b'%' { escaped(rest.next(), rest.next())? } else { byte });
    }
    match std::str::from_utf8(&out) {
        Ok(_) => Ok(out),
        Err(_) => Err(Malformed::NotUtf8),
    }
}

/// The byte behind an escape's two digits.
fn escaped(high: Option<&u8>, low: Option<&u8>) -> Result<u8, Malformed> {
    let digit = |byte: Option<&u8>| byte.and_then(|b| char::from(*b).to_digit(16));
    let value = digit(high).zip(digit(low)).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
    match value.ok_or(Malformed::EscapeMalformed)? {
        refused @ (b'/' | b'\\' | 0 | b'\r' | b'\n') => Err(Malformed::EscapeRefused(refused)),
        byte => Ok(byte),
    }
}

/// Unreserved characters decoded (RFC 3986 §6.2.2.2), parameters cut off, slashes joined.
fn normal(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut in_parameter = false;
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let decoded =
            if byte == b'%' { escaped(ahead.next().as_ref(), ahead.next().as_ref()).ok() } else { None };
        let plain = decoded.filter(|b| b.is_ascii_alphanumeric() || b"-._~;".contains(b));
        if plain.is_some() {
            rest = ahead;
        }
        let byte = plain.unwrap_or(byte);
        in_parameter = byte == b';' || (in_parameter && byte != b'/');
        let repeated = byte == b'/' && out.ends_with('/');
        if !in_parameter && !repeated {
            out.push(char::from(byte));
        }
    }
    out
}

/// No segment may be `.` or `..`, with or without a parameter behind a semicolon, which servlet
/// containers cut off before they resolve dots.
fn check_segments(path: &[u8]) -> Result<(), Malformed> {
    let is_dots = |segment: &[u8]| {
        let name = segment.split(|byte| *byte == b';').next().unwrap_or(segment);
        matches!(name, b"." | b"..")
    };
    if path.split(|byte| *byte == b'/').any(is_dots) { Err(Malformed::DotSegment) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
