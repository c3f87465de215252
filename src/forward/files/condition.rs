//! The conditions of a request, judged against a file (RFC 9110 §13.2.2).
//!
//! Headers are taken before the file is opened and judged where it is open. The entity tag is weak, as the
//! SAP application router's is (size and time), so that caches filled by it stay valid. Surprising: it is
//! compared weakly everywhere, `If-Match` and `If-Range` included, which the RFC wants strict: with weak
//! tags only, strictness would make these two headers useless, and clients in the field rely on them.

use std::time::{SystemTime, UNIX_EPOCH};

use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue};
use httpdate::HttpDate;

use super::range::Part;

/// The conditional headers of a request.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    matching: Option<String>,
    unmodified_since: Option<HttpDate>,
    none_matching: Option<String>,
    modified_since: Option<HttpDate>,
    range: Option<String>,
    range_if: Option<String>,
    anew: bool,
}

/// What a file says of its version.
#[derive(Debug)]
pub(super) struct Validators {
    /// `ETag`.
    pub(super) etag: HeaderValue,
    /// `Last-Modified`.
    pub(super) last_modified: HeaderValue,
    modified: HttpDate,
    length: u64,
}

/// What becomes of the request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The client gets it.
    Send,
    /// The client has it.
    Unmodified,
    /// The client meant another version.
    Failed,
}

impl Conditions {
    /// Takes the conditions from `headers`; a range only where it has a meaning.
    pub(super) fn of(headers: &HeaderMap, ranges: bool) -> Self {
        let anew = text(headers, &header::CACHE_CONTROL)
            .is_some_and(|it| it.split(',').any(|word| word.trim().eq_ignore_ascii_case("no-cache")));
        Self {
            matching: text(headers, &header::IF_MATCH),
            unmodified_since: date(headers, &header::IF_UNMODIFIED_SINCE),
            none_matching: text(headers, &header::IF_NONE_MATCH),
            modified_since: date(headers, &header::IF_MODIFIED_SINCE),
            range: text(headers, &header::RANGE).filter(|_| ranges),
            range_if: text(headers, &header::IF_RANGE),
            anew,
        }
    }

    /// Judges all but the range, in the order of the RFC.
    pub(super) fn judge(&self, file: &Validators) -> Verdict {
        let is_meant = match &self.matching {
            Some(tags) => lists(tags, &file.etag),
            None => self.unmodified_since.is_none_or(|since| file.modified <= since),
        };
        let is_known = match &self.none_matching {
            Some(tags) => lists(tags, &file.etag),
            None => self.modified_since.is_some_and(|since| file.modified <= since),
        };
        match (is_meant, is_known && !self.anew) {
            (false, _) => Verdict::Failed,
            (true, true) => Verdict::Unmodified,
            (true, false) => Verdict::Send,
        }
    }

    /// Judges by the entity tag alone, for what has no date.
    pub(super) fn judge_tag(&self, etag: &HeaderValue) -> Verdict {
        let is_meant = self.matching.as_deref().is_none_or(|tags| lists(tags, etag));
        let is_known = self.none_matching.as_deref().is_some_and(|tags| lists(tags, etag));
        match (is_meant, is_known && !self.anew) {
            (false, _) => Verdict::Failed,
            (true, true) => Verdict::Unmodified,
            (true, false) => Verdict::Send,
        }
    }

    /// Whether a part is asked for, not the whole.
    pub(super) fn asks_for_a_part(&self) -> bool {
        self.range.is_some()
    }

    /// The bytes that are asked for; all of them when `If-Range` names another version.
    pub(super) fn part(&self, file: &Validators) -> Part {
        let is_same = self.range_if.as_deref().is_none_or(|condition| file.is_named_by(condition));
        match &self.range {
            Some(range) if is_same => Part::parse(range, file.length),
            _ => Part::Whole { length: file.length },
        }
    }
}

impl Validators {
    /// The validators of a file of `length` bytes, last written at `modified`.
    pub(super) fn of(length: u64, modified: SystemTime) -> Self {
        // A time before the epoch cannot be written as a date of HTTP before year 1; none is met.
        let milliseconds = modified.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let modified = HttpDate::from(modified.max(UNIX_EPOCH));
        let etag = format!("W/\"{length:x}-{milliseconds:x}\"");
        Self { etag: value(etag), last_modified: value(modified.to_string()), modified, length }
    }

    /// The same of a compressed sibling, which is no version of the file that it stands for.
    pub(super) fn coded(self, coding: &str) -> Self {
        let own = self.etag.to_str().unwrap_or_default().trim_end_matches('"');
        Self { etag: value(format!("{own}-{coding}\"")), ..self }
    }

    /// Whether an `If-Range` means this version.
    fn is_named_by(&self, condition: &str) -> bool {
        match condition.parse::<HttpDate>() {
            Ok(date) => date == self.modified,
            Err(_) => opaque(condition) == opaque_of(&self.etag),
        }
    }
}

/// Whether a list of entity tags holds `etag`, or is `*`.
fn lists(tags: &str, etag: &HeaderValue) -> bool {
    tags.trim() == "*" || tags.split(',').any(|tag| opaque(tag) == opaque_of(etag))
}

/// A tag without its mark of weakness. Ours holds no comma, so that no tag of ours is torn by the split.
fn opaque(tag: &str) -> &[u8] {
    let tag = tag.trim();
    tag.strip_prefix("W/").unwrap_or(tag).as_bytes()
}

fn opaque_of(etag: &HeaderValue) -> &[u8] {
    etag.as_bytes().strip_prefix(b"W/").unwrap_or(etag.as_bytes())
}

/// All lines of a list header as one.
fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let lines: Vec<&str> = headers.get_all(name).iter().filter_map(|it| it.to_str().ok()).collect();
    (!lines.is_empty()).then(|| lines.join(","))
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<HttpDate> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

/// Text of digits, letters and quotes as a value, which always succeeds.
fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}
