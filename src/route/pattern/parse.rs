//! Reads a pattern the way a JavaScript engine does, without the `u` flag.
//!
//! That is the grammar of ECMA-262 with its Annex B, which gives a meaning to nearly everything: a lone
//! `{` or `]` is itself, `\a` is `a`, `\1` without a first group is an octal escape, a look-ahead may be
//! repeated, `\p{L}` is the five letters. Surprising: a pattern is read as code points, not UTF-16 units,
//! which differ only for characters that no URL on the wire can hold.

mod class;
mod escape;

use super::class::CharSet;
use super::syntax::{Node, PatternError, Reason};
use super::{NESTING_LIMIT, SOURCE_LIMIT};

/// What a pattern's text says.
pub(super) struct Parsed {
    /// Its meaning.
    pub(super) node: Node,
    /// How many groups it has.
    pub(super) groups: u32,
    /// The groups that have names, in order.
    pub(super) names: Vec<(Box<str>, u32)>,
}

/// Reads `source`.
pub(super) fn parse(source: &str, ignore_case: bool) -> Result<Parsed, PatternError> {
    if source.len() > SOURCE_LIMIT {
        return Err(PatternError { reason: Reason::TooLong, offset: SOURCE_LIMIT });
    }
    let (total, named) = count_groups(source);
    let mut parser = Parser {
        source,
        at: 0,
        ignore_case,
        total,
        named,
        groups: 0,
        depth: 0,
        names: Vec::new(),
        pending: None,
    };
    let node = parser.alternatives()?;
    if parser.peek() == Some(')') {
        return Err(parser.error(Reason::UnmatchedParenthesis));
    }
    Ok(Parsed { node: parser.resolved(node)?, groups: parser.groups, names: parser.names })
}

/// How many capturing groups there will be, and whether any has a name: both decide how an escape that
/// stands before them is read.
fn count_groups(source: &str) -> (u32, bool) {
    let bytes = source.as_bytes();
    let (mut at, mut in_class, mut total, mut named) = (0, false, 0, false);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'[' => in_class = true,
            b']' => in_class = false,
            b'(' if !in_class => {
                let rest = &bytes[at + 1..];
                let has_name = rest.starts_with(b"?<") && !matches!(rest.get(2), Some(b'=' | b'!'));
                named |= has_name;
                total += u32::from(has_name || !rest.starts_with(b"?"));
            }
            _ => {}
        }
        at += 1;
    }
    (total, named)
}

struct Parser<'a> {
    source: &'a str,
    at: usize,
    ignore_case: bool,
    total: u32,
    named: bool,
    groups: u32,
    depth: usize,
    names: Vec<(Box<str>, u32)>,
    pending: Option<Pending>,
}

/// References by name that were read, by the number they stand for until all names are known.
struct Pending(Vec<(Box<str>, usize)>);

/// Numbers from here on stand for names that are not yet known.
const UNRESOLVED: u32 = u32::MAX / 2;

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.source[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.source[self.at..].starts_with(text);
        self.at += if found { text.len() } else { 0 };
        found
    }

    fn error(&self, reason: Reason) -> PatternError {
        PatternError { reason, offset: self.at }
    }

    /// `a|b|c`, up to a `)` or the end.
    fn alternatives(&mut self) -> Result<Node, PatternError> {
        let mut branches = vec![self.sequence()?];
        while self.eat("|") {
            branches.push(self.sequence()?);
        }
        Ok(if branches.len() == 1 { branches.remove(0) } else { Node::Alternate(branches) })
    }

    fn sequence(&mut self) -> Result<Node, PatternError> {
        let mut parts = Vec::new();
        while let Some(character) = self.peek()
            && !matches!(character, '|' | ')')
        {
            parts.push(self.term()?);
        }
        Ok(match parts.len() {
            0 => Node::Empty,
            1 => parts.remove(0),
            _ => Node::Concat(parts),
        })
    }

    /// An atom or assertion with what repeats it.
    fn term(&mut self) -> Result<Node, PatternError> {
        let (node, repeatable) = self.atom()?;
        let before = self.at;
        let Some((min, max)) = self.quantifier()? else { return Ok(node) };
        if !repeatable {
            let look_behind = matches!(node, Node::Look { .. });
            let reason = if look_behind { Reason::InvalidQuantifier } else { Reason::NothingToRepeat };
            return Err(PatternError { reason, offset: before });
        }
        let greedy = !self.eat("?");
        Ok(Node::Repeat { body: Box::new(node), min, max, greedy })
    }

    /// An atom, and whether it may be repeated.
    fn atom(&mut self) -> Result<(Node, bool), PatternError> {
        let start = self.at;
        if self.quantifier()?.is_some() {
            return Err(PatternError { reason: Reason::NothingToRepeat, offset: start });
        }
        let node = match self.next() {
            None => return Ok((Node::Empty, false)),
            Some('^') => return Ok((Node::Start, false)),
            Some('$') => return Ok((Node::End, false)),
            Some('.') => Node::Set(CharSet::dot()),
            Some('[') => self.class()?,
            Some('(') => return self.group(),
            Some('\\') => {
                let node = self.escape()?;
                let repeatable = !matches!(node, Node::WordBoundary { .. });
                return Ok((node, repeatable));
            }
            Some(literal) => self.literal(literal),
        };
        Ok((node, true))
    }

    fn literal(&self, character: char) -> Node {
        if !self.ignore_case {
            return Node::Char(character);
        }
        let code = u32::from(character);
        let set = CharSet::of(&[(code, code)]).closed_under_case();
        if set.ranges() == [(code, code)] { Node::Char(character) } else { Node::Set(set) }
    }

    /// What follows an opening parenthesis.
    fn group(&mut self) -> Result<(Node, bool), PatternError> {
        self.depth += 1;
        if self.depth > NESTING_LIMIT {
            return Err(self.error(Reason::TooDeep));
        }
        let parsed = self.group_inside();
        self.depth -= 1;
        parsed
    }

    fn group_inside(&mut self) -> Result<(Node, bool), PatternError> {
        for (opening, ahead, negated) in
            [("?=", true, false), ("?!", true, true), ("?<=", false, false), ("?<!", false, true)]
        {
            if self.eat(opening) {
                let body = Box::new(self.body()?);
                // Annex B lets a look-ahead be repeated, a look-behind never.
                return Ok((Node::Look { ahead, negated, body }, ahead));
            }
        }
        if self.eat("?:") {
            return Ok((self.body()?, true));
        }
        if self.eat("?<") {
            self.groups += 1;
            let group = self.groups;
            self.group_name(group)?;
            return Ok((Node::Capture { group, body: Box::new(self.body()?) }, true));
        }
        if self.peek() == Some('?') {
            return Err(self.error(Reason::InvalidGroup));
        }
        self.groups += 1;
        let group = self.groups;
        Ok((Node::Capture { group, body: Box::new(self.body()?) }, true))
    }

    fn body(&mut self) -> Result<Node, PatternError> {
        let node = self.alternatives()?;
        if self.eat(")") { Ok(node) } else { Err(self.error(Reason::UnterminatedGroup)) }
    }

    fn group_name(&mut self, group: u32) -> Result<(), PatternError> {
        let start = self.at;
        let name = self.name().ok_or(PatternError { reason: Reason::InvalidGroupName, offset: start })?;
        if self.names.iter().any(|(known, _)| *known == name) {
            return Err(PatternError { reason: Reason::DuplicateGroupName, offset: start });
        }
        self.names.push((name, group));
        Ok(())
    }

    /// A name up to its `>`.
    fn name(&mut self) -> Option<Box<str>> {
        let length = self.source[self.at..].find('>')?;
        let name = &self.source[self.at..self.at + length];
        let mut characters = name.chars();
        let begins = characters.next().is_some_and(|c| c.is_alphabetic() || matches!(c, '_' | '$'));
        if !begins || !characters.all(|c| c.is_alphanumeric() || matches!(c, '_' | '$')) {
            return None;
        }
        self.at += length + 1;
        Some(name.into())
    }

    /// `*`, `+`, `?`, `{n}`, `{n,}`, `{n,m}`; anything else in braces is text.
    fn quantifier(&mut self) -> Result<Option<(u32, Option<u32>)>, PatternError> {
        let start = self.at;
        match self.next() {
            Some('*') => Ok(Some((0, None))),
            Some('+') => Ok(Some((1, None))),
            Some('?') => Ok(Some((0, Some(1)))),
            Some('{') => {
                let Some((min, max)) = self.braces() else {
                    self.at = start;
                    return Ok(None);
                };
                if max.is_some_and(|max| max < min) {
                    return Err(PatternError { reason: Reason::RepeatOutOfOrder, offset: start });
                }
                Ok(Some((min, max)))
            }
            Some(_) | None => {
                self.at = start;
                Ok(None)
            }
        }
    }

    fn braces(&mut self) -> Option<(u32, Option<u32>)> {
        let min = self.number()?;
        if self.eat("}") {
            return Some((min, Some(min)));
        }
        if !self.eat(",") {
            return None;
        }
        if self.eat("}") {
            return Some((min, None));
        }
        let max = self.number()?;
        self.eat("}").then_some((min, Some(max)))
    }

    /// A decimal number; one that is too large for anything is as large as can be.
    fn number(&mut self) -> Option<u32> {
        let rest = &self.source[self.at..];
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        let digits = rest.get(..length).filter(|digits| !digits.is_empty())?;
        self.at += length;
        Some(digits.parse().unwrap_or(u32::MAX))
    }

    /// A reference to a name that may only be defined later in the pattern.
    fn named_reference(&mut self, name: Box<str>, offset: usize) -> Node {
        let pending = &mut self.pending.get_or_insert_with(|| Pending(Vec::new())).0;
        pending.push((name, offset));
        let place = u32::try_from(pending.len() - 1).unwrap_or(u32::MAX);
        Node::BackReference { group: UNRESOLVED + place, ignore_case: self.ignore_case }
    }

    /// `node` with the numbers of the groups where it refers to names.
    fn resolved(&self, mut node: Node) -> Result<Node, PatternError> {
        let Some(Pending(references)) = &self.pending else { return Ok(node) };
        let numbers: Vec<u32> = references
            .iter()
            .map(|(name, offset)| {
                let found = self.names.iter().find(|(known, _)| known == name);
                let unknown = PatternError { reason: Reason::UnknownNamedReference, offset: *offset };
                found.map(|(_, group)| *group).ok_or(unknown)
            })
            .collect::<Result<_, _>>()?;
        resolve(&mut node, &numbers);
        Ok(node)
    }
}

fn resolve(node: &mut Node, numbers: &[u32]) {
    match node {
        Node::BackReference { group, .. } if *group >= UNRESOLVED => {
            let place = usize::try_from(*group - UNRESOLVED).unwrap_or(usize::MAX);
            *group = numbers.get(place).copied().unwrap_or(*group);
        }
        Node::Concat(nodes) | Node::Alternate(nodes) => {
            for node in nodes {
                resolve(node, numbers);
            }
        }
        Node::Capture { body, .. } | Node::Look { body, .. } | Node::Repeat { body, .. } => {
            resolve(body, numbers);
        }
        Node::Empty
        | Node::Char(_)
        | Node::Set(_)
        | Node::Start
        | Node::End
        | Node::WordBoundary { .. }
        | Node::BackReference { .. } => {}
    }
}
