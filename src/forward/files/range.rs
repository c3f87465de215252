//! Which bytes of a file a `Range` asks for (RFC 9110 §14.1.2).
//!
//! One range is served. Several, another unit, and what is no range at all are ignored, as the RFC allows,
//! and the whole file is the answer; `multipart/byteranges` helps attackers more than readers. A range that
//! runs backwards or begins behind the end is [`Part::Outside`].

/// The bytes to send.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of them.
    Whole {
        /// How many there are.
        length: u64,
    },
    /// Some of them, at least one.
    Bytes {
        /// The first.
        start: u64,
        /// How many.
        length: u64,
    },
    /// None that exists.
    Outside,
}

impl Part {
    /// Reads a `Range` for a file of `length` bytes.
    pub(super) fn parse(range: &str, length: u64) -> Self {
        match single(range) {
            Some(("", last)) => Self::suffix(number(last), length),
            Some((first, last)) => Self::between(number(first), last, length),
            None => Self::Whole { length },
        }
    }

    /// The first byte and how many.
    pub(super) fn bounds(&self) -> (u64, u64) {
        match *self {
            Self::Whole { length } => (0, length),
            Self::Bytes { start, length } => (start, length),
            Self::Outside => (0, 0),
        }
    }

    fn suffix(count: u64, length: u64) -> Self {
        match count.min(length) {
            0 => Self::Outside,
            count => Self::Bytes { start: length - count, length: count },
        }
    }

    fn between(start: u64, last: &str, length: u64) -> Self {
        let last = if last.is_empty() { u64::MAX } else { number(last) };
        if start > last || start >= length {
            return Self::Outside;
        }
        Self::Bytes { start, length: last.min(length - 1) - start + 1 }
    }
}

/// The two sides of the one range of bytes, each digits or nothing, not both nothing.
fn single(range: &str) -> Option<(&str, &str)> {
    let (unit, set) = range.split_once('=')?;
    let (first, last) = set.trim().split_once('-')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_range = digits(first) && digits(last) && !(first.is_empty() && last.is_empty());
    (unit.trim().eq_ignore_ascii_case("bytes") && is_range).then_some((first, last))
}

/// Digits as a number; too many are more than any file has.
fn number(digits: &str) -> u64 {
    digits.parse().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_a_part() {
        let whole = || Part::Whole { length: 11 };
        let part = |start, length| Part::Bytes { start, length };
        for (range, expected, shows) in [
            ("bytes=0-4", part(0, 5), "from the front"),
            ("bytes=5-", part(5, 6), "to the end"),
            ("bytes=-3", part(8, 3), "from the back"),
            ("bytes=-100", part(0, 11), "a suffix longer than the file is the file"),
            ("bytes=0-999", part(0, 11), "the end is cut"),
            ("bytes=0-99999999999999999999999", part(0, 11), "a number no file has"),
            ("Bytes=0-0", part(0, 1), "the unit in any case"),
            ("bytes= 0-4", part(0, 5), "a stray space"),
            ("bytes=11-", Part::Outside, "behind the end"),
            ("bytes=4-2", Part::Outside, "backwards"),
            ("bytes=-0", Part::Outside, "nothing"),
            ("bytes=99999999999999999999999-", Part::Outside, "far behind the end"),
            ("bytes=0-1,3-4", whole(), "several"),
            ("lines=0-1", whole(), "another unit"),
            ("bytes=a-b", whole(), "no numbers"),
            ("bytes=+1-2", whole(), "a sign"),
            ("bytes=-", whole(), "no side"),
            ("bytes", whole(), "no range"),
            ("", whole(), "nothing at all"),
        ] {
            assert_eq!(Part::parse(range, 11), expected, "{range}: {shows}");
        }
        assert_eq!(Part::parse("bytes=0-0", 0), Part::Outside, "an empty file has no first byte");
        assert_eq!(Part::parse("bytes=-1", 0), Part::Outside, "nor a last one");
    }
}
