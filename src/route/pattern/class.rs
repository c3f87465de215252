//! Sets of characters, and JavaScript's idea of letters that are the same but for case.
//!
//! JavaScript without the `u` flag folds case by the upper-case form of one UTF-16 unit, and never lets a
//! character outside ASCII stand for one inside: `ſ` is not `s`, the Kelvin sign is not `k`. The `regex`
//! crate folds otherwise, so sets are closed under case here and matched exactly afterwards.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// Code points, as sorted ranges that neither touch nor overlap, both ends included. Shared, because a
/// program that writes repetitions out has the same set many times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CharSet(Arc<[(u32, u32)]>);

const LAST: u32 = char::MAX as u32;

impl CharSet {
    /// The set of these ranges, in whatever order.
    pub(super) fn of(ranges: &[(u32, u32)]) -> Self {
        let mut sorted = ranges.to_vec();
        sorted.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(sorted.len());
        for (low, high) in sorted {
            match merged.last_mut() {
                Some(last) if low <= last.1.saturating_add(1) => last.1 = last.1.max(high),
                Some(_) | None => merged.push((low, high)),
            }
        }
        Self(merged.into())
    }

    /// `.`: all but the four line terminators.
    pub(super) fn dot() -> Self {
        Self::of(&[(0x0a, 0x0a), (0x0d, 0x0d), (0x2028, 0x2029)]).negated()
    }

    /// `\d`
    pub(super) fn digit() -> Self {
        Self::of(&[(0x30, 0x39)])
    }

    /// `\w`
    pub(super) fn word() -> Self {
        Self::of(&[(0x30, 0x39), (0x41, 0x5a), (0x5f, 0x5f), (0x61, 0x7a)])
    }

    /// `\s`: white space and line terminators (ECMA-262, `CharacterClassEscape`).
    pub(super) fn space() -> Self {
        Self::of(&[
            (0x09, 0x0d),
            (0x20, 0x20),
            (0xa0, 0xa0),
            (0x1680, 0x1680),
            (0x2000, 0x200a),
            (0x2028, 0x2029),
            (0x202f, 0x202f),
            (0x205f, 0x205f),
            (0x3000, 0x3000),
            (0xfeff, 0xfeff),
        ])
    }

    /// Its ranges.
    pub(super) fn ranges(&self) -> &[(u32, u32)] {
        &self.0
    }

    /// All that is not in it.
    pub(super) fn negated(&self) -> Self {
        let mut next = 0;
        let mut ranges = Vec::with_capacity(self.0.len() + 1);
        for &(low, high) in self.0.iter() {
            if next < low {
                ranges.push((next, low - 1));
            }
            next = high + 1;
        }
        if next <= LAST {
            ranges.push((next, LAST));
        }
        Self(ranges.into())
    }

    /// Whether `character` is in it.
    pub(super) fn contains(&self, character: char) -> bool {
        self.contains_code(u32::from(character))
    }

    fn contains_code(&self, code: u32) -> bool {
        let at = self.0.partition_point(|&(_, high)| high < code);
        self.0.get(at).is_some_and(|&(low, _)| low <= code)
    }

    /// With every other case of what is in it.
    pub(super) fn closed_under_case(&self) -> Self {
        let mut ranges = self.0.to_vec();
        let ascii_only = self.0.last().is_none_or(|&(_, high)| high < 0x80);
        let groups = if ascii_only { ascii_case_groups() } else { case_groups() };
        for group in groups {
            if group.iter().any(|&code| self.contains_code(code)) {
                ranges.extend(group.iter().map(|&code| (code, code)));
            }
        }
        Self::of(&ranges)
    }

    /// The lower-case letter, where it is exactly the two forms of one ASCII letter.
    pub(super) fn folded_letter(&self) -> Option<char> {
        let &[(upper, upper_end), (lower, lower_end)] = &*self.0 else { return None };
        let letter = char::from_u32(lower).filter(char::is_ascii_lowercase)?;
        let both = upper == upper_end && lower == lower_end && upper + 0x20 == lower;
        both.then_some(letter)
    }
}

/// The form that two characters share when they differ only in case (ECMA-262, `Canonicalize`).
pub(super) fn canonical_case(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_uppercase();
    }
    let mut upper = character.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) if !one.is_ascii() && u32::from(one) <= 0xffff => one,
        (Some(_) | None, _) => character,
    }
}

/// Characters of ASCII that differ only in case.
fn ascii_case_groups() -> &'static [Vec<u32>] {
    static GROUPS: OnceLock<Vec<Vec<u32>>> = OnceLock::new();
    GROUPS.get_or_init(|| (b'A'..=b'Z').map(|upper| vec![upper.into(), (upper + 0x20).into()]).collect())
}

/// All characters that differ only in case; made once, and only if a pattern names one outside ASCII.
fn case_groups() -> &'static [Vec<u32>] {
    static GROUPS: OnceLock<Vec<Vec<u32>>> = OnceLock::new();
    GROUPS.get_or_init(|| {
        let mut groups: BTreeMap<char, Vec<u32>> = BTreeMap::new();
        for character in '\0'..='\u{ffff}' {
            groups.entry(canonical_case(character)).or_default().push(character.into());
        }
        groups.into_values().filter(|group| group.len() > 1).collect()
    })
}
