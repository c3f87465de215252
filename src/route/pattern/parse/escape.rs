//! What a backslash makes of the characters after it.
//!
//! Nearly every escape has a meaning in Annex B, mostly that of the character itself. Only one that
//! stands at the very end, and `\k` in a pattern with named groups, can be wrong.

use super::super::class::CharSet;
use super::super::syntax::{Node, PatternError, Reason};
use super::Parser;

impl Parser<'_> {
    /// An escape outside of a class; the backslash has been read.
    pub(super) fn escape(&mut self) -> Result<Node, PatternError> {
        let start = self.at;
        let Some(character) = self.peek() else { return Err(self.error(Reason::TrailingBackslash)) };
        match character {
            'b' | 'B' => {
                self.at += 1;
                return Ok(Node::WordBoundary { negated: character == 'B' });
            }
            'k' if self.named => {
                self.at += 1;
                let invalid = PatternError { reason: Reason::InvalidNamedReference, offset: start };
                let name = if self.eat("<") { self.name() } else { None };
                return Ok(self.named_reference(name.ok_or(invalid)?, start));
            }
            '1'..='9' => {
                if let Some(group) = self.number().filter(|group| *group <= self.total) {
                    return Ok(Node::BackReference { group, ignore_case: self.ignore_case });
                }
                self.at = start;
            }
            _ => {}
        }
        if let Some(set) = self.class_escape() {
            return Ok(Node::Set(set));
        }
        Ok(self.character_escape().map_or_else(|| Node::Set(CharSet::default()), |one| self.literal(one)))
    }

    /// `\d \D \w \W \s \S`, inside or outside of a class.
    pub(super) fn class_escape(&mut self) -> Option<CharSet> {
        let set = match self.peek()? {
            'd' => CharSet::digit(),
            'D' => CharSet::digit().negated(),
            'w' => CharSet::word(),
            'W' => CharSet::word().negated(),
            's' => CharSet::space(),
            'S' => CharSet::space().negated(),
            _ => return None,
        };
        self.at += 1;
        Some(set)
    }

    /// An escape that stands for one character; `None` for half of a surrogate pair, which no text has.
    pub(super) fn character_escape(&mut self) -> Option<char> {
        let start = self.at;
        match self.next()? {
            't' => Some('\t'),
            'n' => Some('\n'),
            'v' => Some('\x0b'),
            'f' => Some('\x0c'),
            'r' => Some('\r'),
            'c' => Some(self.control(char::is_ascii_alphabetic).unwrap_or_else(|| {
                // `\c` without a letter is a backslash, and the `c` is read again.
                self.at = start;
                '\\'
            })),
            '0'..='7' => {
                self.at = start;
                Some(self.octal())
            }
            'x' => Some(self.hexadecimal(2).and_then(char::from_u32).unwrap_or('x')),
            'u' => match self.hexadecimal(4) {
                Some(unit) => self.unit(unit),
                None => Some('u'),
            },
            other => Some(other),
        }
    }

    /// The control character of `\cX`, if what follows `accepts`.
    pub(super) fn control(&mut self, accepts: impl Fn(&char) -> bool) -> Option<char> {
        let letter = self.peek().filter(accepts)?;
        self.at += 1;
        char::from_u32(u32::from(letter) % 32)
    }

    /// Up to three octal digits, at most `\377`.
    fn octal(&mut self) -> char {
        let mut value = 0;
        for _ in 0..3 {
            let Some(digit) =
                self.peek().and_then(|c| c.to_digit(8)).filter(|digit| value * 8 + digit <= 0o377)
            else {
                break;
            };
            value = value * 8 + digit;
            self.at += 1;
        }
        char::from_u32(value).unwrap_or_default()
    }

    /// Exactly `length` hexadecimal digits, or nothing.
    fn hexadecimal(&mut self, length: usize) -> Option<u32> {
        let digits = self.source.get(self.at..self.at + length)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        self.at += length;
        u32::from_str_radix(digits, 16).ok()
    }

    /// The character of one UTF-16 unit, or of a pair written as two escapes.
    fn unit(&mut self, unit: u32) -> Option<char> {
        if !(0xd800..0xdc00).contains(&unit) {
            return char::from_u32(unit);
        }
        let start = self.at;
        let low = if self.eat("\\u") { self.hexadecimal(4) } else { None };
        let Some(low) = low.filter(|low| (0xdc00..0xe000).contains(low)) else {
            self.at = start;
            return None;
        };
        char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00))
    }
}
