//! The shape nearly every host pattern has: fixed text, one group, fixed text.
//!
//! Then matching the whole host is comparing both ends, and what is between is the group; an unescaped
//! dot in the text stands for one character, as it does in the pattern. Only shapes for which this is
//! exactly what the regular expression says are recognised; everything else stays one.

use regex_syntax::hir::{Class, Dot, Hir, HirKind, Look, Repetition};

/// Stands in the text for any one character; no host contains it.
const ANY: u8 = 0;

/// A pattern that is fixed text, one group, fixed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    prefix: Text,
    suffix: Text,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Text {
    bytes: Box<[u8]>,
    has_any: bool,
}

impl Shape {
    /// The shape of a pattern that must match the whole host, if it has one.
    pub(super) fn of(hir: &Hir) -> Option<Self> {
        let parts = if let HirKind::Concat(parts) = hir.kind() {
            parts.as_slice()
        } else {
            std::slice::from_ref(hir)
        };
        let parts = match parts {
            [first, rest @ ..] if is_look(first, Look::Start) => rest,
            parts => parts,
        };
        let parts = match parts {
            [rest @ .., last] if is_look(last, Look::End) => rest,
            parts => parts,
        };
        let group = parts.iter().position(is_group)?;
        Some(Self { prefix: Text::of(parts.get(..group)?)?, suffix: Text::of(parts.get(group + 1..)?)? })
    }

    /// What stands in the place of the group, if both ends are right.
    pub(super) fn group<'h>(&self, host: &'h str) -> Option<&'h str> {
        let end = host.len().checked_sub(self.suffix.bytes.len())?;
        let start = self.prefix.bytes.len();
        let group = host.get(start..end)?;
        let (prefix, suffix) = (host.as_bytes().get(..start)?, host.as_bytes().get(end..)?);
        (self.suffix.is(suffix) && self.prefix.is(prefix)).then_some(group)
    }
}

impl Text {
    fn of(parts: &[Hir]) -> Option<Self> {
        let mut bytes = Vec::new();
        for part in parts {
            if let HirKind::Literal(literal) = part.kind() {
                bytes.extend(literal.0.to_ascii_lowercase());
            } else if is_dot(part) {
                bytes.push(ANY);
            } else {
                return None;
            }
        }
        Some(Self { has_any: bytes.contains(&ANY), bytes: bytes.into_boxed_slice() })
    }

    /// Whether `text`, of the same length, is this.
    #[expect(clippy::needless_bitwise_bool, reason = "a branch would compare one byte at a time")]
    fn is(&self, text: &[u8]) -> bool {
        if !self.has_any {
            return *self.bytes == *text;
        }
        // Without a branch, so that it is compared many bytes at a time.
        self.bytes
            .iter()
            .zip(text)
            .fold(true, |same, (ours, theirs)| same & ((ours == theirs) | (*ours == ANY)))
    }
}

/// `.`, any one character.
pub(super) fn is_dot(hir: &Hir) -> bool {
    *hir == Hir::dot(Dot::AnyCharExceptLF)
}

fn is_look(hir: &Hir, look: Look) -> bool {
    matches!(hir.kind(), HirKind::Look(found) if *found == look)
}

/// The first group, around something that can match every key: then whether the pattern matches and the
/// group is a key, is the same as whether what is between the ends is a key.
fn is_group(hir: &Hir) -> bool {
    let HirKind::Capture(capture) = hir.kind() else { return false };
    let HirKind::Repetition(Repetition { min: 0 | 1, max: None, sub, .. }) = capture.sub.kind() else {
        return false;
    };
    let HirKind::Class(Class::Unicode(class)) = sub.kind() else { return false };
    KEY_RANGES
        .iter()
        .all(|(low, high)| class.ranges().iter().any(|range| range.start() <= *low && *high <= range.end()))
}

/// What keys are made of.
const KEY_RANGES: [(char, char); 3] = [('a', 'z'), ('0', '9'), ('-', '-')];
