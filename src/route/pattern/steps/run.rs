//! Runs a program over a text.
//!
//! What may have to be taken back lies on one stack: other ways to go on, and the values that were
//! overwritten since. Only look-around recurses, as deep as a pattern nests it. Each instruction is a
//! step, each byte of a back-reference is another; when the steps are used up the run ends undecided.

use super::super::class::canonical_case;
use super::super::{Exhausted, Groups, Steps, to_u32};
use super::program::{Instruction, Program};

/// A value that was not remembered.
const NOWHERE: u32 = u32::MAX;

/// What can be taken back.
enum Entry {
    /// Another way to go on.
    Branch { instruction: usize, at: usize },
    /// A value as it was before.
    Value { value: usize, old: u32 },
}

/// What an instruction leads to.
enum Next {
    Instruction(usize, usize),
    Back,
    Accept,
}

struct Run<'a> {
    program: &'a Program,
    text: &'a str,
    steps: &'a mut Steps,
    values: Vec<u32>,
    stack: Vec<Entry>,
}

impl Program {
    /// The first match in `text` and its groups.
    pub(in super::super) fn find(&self, text: &str, steps: &mut Steps) -> Result<Option<Groups>, Exhausted> {
        let mut run =
            Run { program: self, text, steps, values: vec![NOWHERE; self.values], stack: Vec::new() };
        let starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        for start in starts.take(if self.anchored { 1 } else { usize::MAX }) {
            if let Some(end) = run.from(0, start)? {
                run.values[0] = to_u32(start);
                run.values[1] = to_u32(end);
                return Ok(Some(run.groups()));
            }
        }
        Ok(None)
    }
}

impl Run<'_> {
    fn groups(&self) -> Groups {
        let sides = self.values[..self.program.groups * 2].chunks_exact(2);
        Groups(sides.map(|side| (side[1] != NOWHERE).then_some((side[0], side[1]))).collect())
    }

    /// Runs from an instruction until it accepts; returns where. What can be taken back stays on the stack
    /// when it does, and is taken back when it does not.
    fn from(&mut self, instruction: usize, at: usize) -> Result<Option<usize>, Exhausted> {
        let base = self.stack.len();
        let (mut instruction, mut at) = (instruction, at);
        loop {
            self.steps.take(1)?;
            match self.step(instruction, at)? {
                Next::Instruction(next, place) => (instruction, at) = (next, place),
                Next::Accept => return Ok(Some(at)),
                Next::Back => match self.take_back(base) {
                    Some((next, place)) => (instruction, at) = (next, place),
                    None => return Ok(None),
                },
            }
        }
    }

    fn step(&mut self, number: usize, at: usize) -> Result<Next, Exhausted> {
        let go = |yes: bool| if yes { Next::Instruction(number + 1, at) } else { Next::Back };
        let take = |place: Option<usize>| place.map_or(Next::Back, |at| Next::Instruction(number + 1, at));
        let program = self.program;
        let Some(instruction) = program.code.get(number) else { return Ok(Next::Back) };
        Ok(match instruction {
            Instruction::Char { one, back } => take(self.one(at, *back, |found| found == *one)),
            Instruction::Set { set, back } => take(self.one(at, *back, |found| set.contains(found))),
            Instruction::Start => go(at == 0),
            Instruction::End => go(at == self.text.len()),
            Instruction::WordBoundary { negated } => go(self.at_word_boundary(at) != *negated),
            Instruction::BackReference { group, ignore_case, back } => {
                take(self.again(*group, at, *ignore_case, *back)?)
            }
            Instruction::Remember { value } => {
                self.set(*value, to_u32(at));
                go(true)
            }
            Instruction::Moved { value } => go(self.values[*value] != to_u32(at)),
            Instruction::Forget { first, last } => {
                self.steps.take(to_u32(last - first))?;
                (*first..=*last).for_each(|value| self.set(value, NOWHERE));
                go(true)
            }
            Instruction::Split { first, second } => {
                self.stack.push(Entry::Branch { instruction: *second, at });
                Next::Instruction(*first, at)
            }
            Instruction::Jump { to } => Next::Instruction(*to, at),
            Instruction::Look { negated, then } => {
                let found = self.look(number + 1, at, *negated)?;
                if found == *negated { Next::Back } else { Next::Instruction(*then, at) }
            }
            Instruction::Accept => Next::Accept,
        })
    }

    /// Overwrites a value so that it can be taken back.
    fn set(&mut self, value: usize, new: u32) {
        let old = std::mem::replace(&mut self.values[value], new);
        if old != new {
            self.stack.push(Entry::Value { value, old });
        }
    }

    /// The latest other way to go on, with the values of then; nothing down to `base`.
    fn take_back(&mut self, base: usize) -> Option<(usize, usize)> {
        while self.stack.len() > base {
            match self.stack.pop()? {
                Entry::Branch { instruction, at } => return Some((instruction, at)),
                Entry::Value { value, old } => self.values[value] = old,
            }
        }
        None
    }

    /// Whether a look-around finds what it looks for. There is no second way through it: its branches are
    /// dropped, and its groups kept only where it is not negated.
    fn look(&mut self, instruction: usize, at: usize, negated: bool) -> Result<bool, Exhausted> {
        let base = self.stack.len();
        let found = self.from(instruction, at)?.is_some();
        if found && negated {
            while self.take_back(base).is_some() {}
        } else if found {
            let since = self.stack.split_off(base);
            self.stack.extend(since.into_iter().filter(|entry| matches!(entry, Entry::Value { .. })));
        }
        Ok(found)
    }

    /// The place behind one character, or before it.
    fn one(&self, at: usize, back: bool, accepts: impl Fn(char) -> bool) -> Option<usize> {
        let found = if back { self.before(at) } else { self.behind(at) }?;
        let length = found.len_utf8();
        accepts(found).then(|| if back { at - length } else { at + length })
    }

    fn behind(&self, at: usize) -> Option<char> {
        self.text.get(at..)?.chars().next()
    }

    fn before(&self, at: usize) -> Option<char> {
        self.text.get(..at)?.chars().next_back()
    }

    fn at_word_boundary(&self, at: usize) -> bool {
        let is_word = |side: Option<char>| side.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        is_word(self.before(at)) != is_word(self.behind(at))
    }

    /// The place behind what a group took, or before it; a group that took no part takes nothing.
    fn again(
        &mut self,
        group: usize,
        at: usize,
        ignore_case: bool,
        back: bool,
    ) -> Result<Option<usize>, Exhausted> {
        let sides = (self.values[group * 2], self.values[group * 2 + 1]);
        if sides.0 == NOWHERE || sides.1 == NOWHERE {
            return Ok(Some(at));
        }
        let text = self.text;
        let taken = &text[sides.0 as usize..sides.1 as usize];
        self.steps.take(sides.1 - sides.0)?;
        let length = taken.len();
        let (start, end) = if back { (at.wrapping_sub(length), at) } else { (at, at + length) };
        let same = text.get(start..end).is_some_and(|here| {
            here == taken
                || (ignore_case && here.chars().map(canonical_case).eq(taken.chars().map(canonical_case)))
        });
        Ok(same.then_some(if back { start } else { end }))
    }
}
