//! Reads a class, `[…]`.
//!
//! Surprising: a range with `\d` or its like at one end is no range but three members, as Annex B says.

use super::super::class::CharSet;
use super::super::syntax::{Node, PatternError, Reason};
use super::Parser;

/// One member of a class.
enum Member {
    /// A character, as a code point.
    One(u32),
    /// What `\d` and its like stand for.
    Many(CharSet),
}

impl Parser<'_> {
    /// A class; its bracket has been read.
    pub(super) fn class(&mut self) -> Result<Node, PatternError> {
        let start = self.at - 1;
        let negated = self.eat("^");
        let mut ranges = Vec::new();
        while !self.eat("]") {
            if self.peek().is_none() {
                return Err(PatternError { reason: Reason::UnterminatedClass, offset: start });
            }
            self.members(&mut ranges)?;
        }
        let set = CharSet::of(&ranges);
        let set = if self.ignore_case { set.closed_under_case() } else { set };
        Ok(Node::Set(if negated { set.negated() } else { set }))
    }

    /// One member, or a range.
    fn members(&mut self, ranges: &mut Vec<(u32, u32)>) -> Result<(), PatternError> {
        let start = self.at;
        let first = self.member()?;
        let dash = self.at;
        if !self.eat("-") {
            push(ranges, &first);
            return Ok(());
        }
        if matches!(self.peek(), Some(']') | None) {
            self.at = dash;
            push(ranges, &first);
            return Ok(());
        }
        match (first, self.member()?) {
            (Member::One(low), Member::One(high)) if low > high => {
                return Err(PatternError { reason: Reason::RangeOutOfOrder, offset: start });
            }
            (Member::One(low), Member::One(high)) => ranges.push((low, high)),
            (first, last) => {
                push(ranges, &first);
                push(ranges, &Member::One(u32::from('-')));
                push(ranges, &last);
            }
        }
        Ok(())
    }

    fn member(&mut self) -> Result<Member, PatternError> {
        match self.next() {
            Some('\\') => self.escaped_member(),
            Some(character) => Ok(Member::One(character.into())),
            None => Err(self.error(Reason::UnterminatedClass)),
        }
    }

    fn escaped_member(&mut self) -> Result<Member, PatternError> {
        let start = self.at;
        if let Some(set) = self.class_escape() {
            return Ok(Member::Many(set));
        }
        match self.peek() {
            None => Err(self.error(Reason::TrailingBackslash)),
            Some('b') => {
                self.at += 1;
                Ok(Member::One(0x08))
            }
            Some('c') => {
                self.at += 1;
                let control = self.control(|c| c.is_ascii_alphanumeric() || *c == '_');
                if control.is_none() {
                    self.at = start;
                }
                Ok(Member::One(control.unwrap_or('\\').into()))
            }
            Some('k') if self.named => Err(self.error(Reason::InvalidNamedReference)),
            Some(_) => Ok(self
                .character_escape()
                .map_or_else(|| Member::Many(CharSet::default()), |one| Member::One(one.into()))),
        }
    }
}

fn push(ranges: &mut Vec<(u32, u32)>, member: &Member) {
    match member {
        Member::One(code) => ranges.push((*code, *code)),
        Member::Many(set) => ranges.extend_from_slice(set.ranges()),
    }
}
