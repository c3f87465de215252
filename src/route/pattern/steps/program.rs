//! Writes a pattern as instructions for [`super::run`].
//!
//! Counted repetitions are written out, so that the run needs no counters; what would become too long is
//! refused when the configuration compiles.

use super::super::class::CharSet;
use super::super::syntax::Node;

/// More instructions than this are refused.
const LONGEST: usize = 20_000;

/// One step of the run. `back` reads the character before the place instead of the one behind it.
#[derive(Debug)]
pub(super) enum Instruction {
    /// Takes this character.
    Char { one: char, back: bool },
    /// Takes one of these characters.
    Set { set: CharSet, back: bool },
    /// Goes on at the beginning of the text.
    Start,
    /// Goes on at the end of the text.
    End,
    /// Goes on between a word and something else, or elsewhere where negated.
    WordBoundary { negated: bool },
    /// Takes what the group took.
    BackReference { group: usize, ignore_case: bool, back: bool },
    /// Remembers the place: the side of a group, or where a repetition began.
    Remember { value: usize },
    /// Goes on where the place is not the one remembered.
    Moved { value: usize },
    /// Forgets values: the groups of the repetition before.
    Forget { first: usize, last: usize },
    /// Tries `first`, later `second`.
    Split { first: usize, second: usize },
    /// Goes on there.
    Jump { to: usize },
    /// Goes on at `then` if what follows this instruction matches here, or does not where negated.
    Look { negated: bool, then: usize },
    /// The pattern, or what was looked for, has matched.
    Accept,
}

/// A pattern as instructions.
#[derive(Debug)]
pub(in super::super) struct Program {
    pub(super) code: Vec<Instruction>,
    /// Both sides of each group, then where repetitions began.
    pub(super) values: usize,
    pub(super) groups: usize,
    pub(super) anchored: bool,
}

/// The program would be too long.
#[derive(Debug)]
pub(in super::super) struct TooLong;

impl Program {
    /// Writes a pattern with this many groups.
    pub(in super::super) fn compile(node: &Node, groups: u32, anchored: bool) -> Result<Self, TooLong> {
        let groups = groups as usize + 1;
        let mut program = Self { code: Vec::new(), values: groups * 2, groups, anchored };
        program.write(node, false)?;
        program.push(Instruction::Accept)?;
        Ok(program)
    }

    fn push(&mut self, instruction: Instruction) -> Result<usize, TooLong> {
        if self.code.len() == LONGEST {
            return Err(TooLong);
        }
        self.code.push(instruction);
        Ok(self.code.len() - 1)
    }

    fn write(&mut self, node: &Node, back: bool) -> Result<(), TooLong> {
        match node {
            Node::Empty => {}
            Node::Char(one) => drop(self.push(Instruction::Char { one: *one, back })?),
            Node::Set(set) => drop(self.push(Instruction::Set { set: set.clone(), back })?),
            Node::Start => drop(self.push(Instruction::Start)?),
            Node::End => drop(self.push(Instruction::End)?),
            Node::WordBoundary { negated } => {
                self.push(Instruction::WordBoundary { negated: *negated })?;
            }
            Node::BackReference { group, ignore_case } => {
                let (group, ignore_case) = (*group as usize, *ignore_case);
                self.push(Instruction::BackReference { group, ignore_case, back })?;
            }
            Node::Capture { group, body } => self.capture(*group as usize, body, back)?,
            Node::Look { ahead, negated, body } => self.look(*negated, body, !ahead)?,
            Node::Concat(parts) if back => {
                parts.iter().rev().try_for_each(|part| self.write(part, back))?;
            }
            Node::Concat(parts) => parts.iter().try_for_each(|part| self.write(part, back))?,
            Node::Alternate(branches) => self.alternate(branches, back)?,
            Node::Repeat { body, min, max, greedy } => {
                self.repeat_required(body, *min, back)?;
                match max {
                    None => self.repeat_forever(body, *greedy, back)?,
                    Some(max) => self.repeat_optional(body, max - min, *greedy, back)?,
                }
            }
        }
        Ok(())
    }

    fn capture(&mut self, group: usize, body: &Node, back: bool) -> Result<(), TooLong> {
        let (first, last) = (group * 2, group * 2 + 1);
        self.push(Instruction::Remember { value: if back { last } else { first } })?;
        self.write(body, back)?;
        self.push(Instruction::Remember { value: if back { first } else { last } })?;
        Ok(())
    }

    fn look(&mut self, negated: bool, body: &Node, back: bool) -> Result<(), TooLong> {
        let look = self.push(Instruction::Look { negated, then: 0 })?;
        self.write(body, back)?;
        let then = self.push(Instruction::Accept)? + 1;
        self.code[look] = Instruction::Look { negated, then };
        Ok(())
    }

    fn alternate(&mut self, branches: &[Node], back: bool) -> Result<(), TooLong> {
        let mut ends = Vec::new();
        for (place, branch) in branches.iter().enumerate() {
            if place + 1 == branches.len() {
                self.write(branch, back)?;
                continue;
            }
            let split = self.push(Instruction::Accept)?;
            self.write(branch, back)?;
            ends.push(self.push(Instruction::Accept)?);
            self.code[split] = Instruction::Split { first: split + 1, second: self.code.len() };
        }
        let to = self.code.len();
        for end in ends {
            self.code[end] = Instruction::Jump { to };
        }
        Ok(())
    }

    /// The repetitions without which there is no match.
    fn repeat_required(&mut self, body: &Node, min: u32, back: bool) -> Result<(), TooLong> {
        for _ in 0..min {
            let before = self.code.len();
            self.forget_groups(body)?;
            self.write(body, back)?;
            if self.code.len() == before {
                break;
            }
        }
        Ok(())
    }

    fn repeat_forever(&mut self, body: &Node, greedy: bool, back: bool) -> Result<(), TooLong> {
        let split = self.push(Instruction::Accept)?;
        self.once_more(body, back)?;
        self.push(Instruction::Jump { to: split })?;
        self.code[split] = split_at(split, self.code.len(), greedy);
        Ok(())
    }

    fn repeat_optional(&mut self, body: &Node, times: u32, greedy: bool, back: bool) -> Result<(), TooLong> {
        let mut splits = Vec::new();
        for _ in 0..times {
            splits.push(self.push(Instruction::Accept)?);
            self.once_more(body, back)?;
        }
        let exit = self.code.len();
        for split in splits {
            self.code[split] = split_at(split, exit, greedy);
        }
        Ok(())
    }

    /// A repetition that may be left out, and so must take something.
    fn once_more(&mut self, body: &Node, back: bool) -> Result<(), TooLong> {
        let began = body.nullable().then(|| {
            self.values += 1;
            self.values - 1
        });
        if let Some(value) = began {
            self.push(Instruction::Remember { value })?;
        }
        self.forget_groups(body)?;
        self.write(body, back)?;
        if let Some(value) = began {
            self.push(Instruction::Moved { value })?;
        }
        Ok(())
    }

    fn forget_groups(&mut self, body: &Node) -> Result<(), TooLong> {
        if let Some((first, last)) = body.groups() {
            self.push(Instruction::Forget { first: first as usize * 2, last: last as usize * 2 + 1 })?;
        }
        Ok(())
    }
}

/// Tries another repetition first where greedy, the exit first where not.
fn split_at(split: usize, exit: usize, greedy: bool) -> Instruction {
    let body = split + 1;
    if greedy {
        Instruction::Split { first: body, second: exit }
    } else {
        Instruction::Split { first: exit, second: body }
    }
}
