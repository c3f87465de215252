//! Patterns that need no regular expression: literal text, and perhaps the rest of the line.
//!
//! `^/api/(.*)$`, `^/login$`, `/resources/` and their like are nine of ten patterns in real
//! configurations. They are compared as bytes, their groups are known in advance, and they cost nothing
//! to compile. Surprising: `.` does not match line terminators, so the rest of the line must be looked
//! for even though no canonical URL has one.

use memchr::memmem::Finder;

use super::literal::Literals;
use super::syntax::Node;
use super::{Groups, to_u32};

/// Literal text and what may follow it.
#[derive(Debug)]
pub(super) struct Direct {
    literal: Box<[u8]>,
    place: Place,
    ignore_case: bool,
    rest: Rest,
    groups: Box<[(Edge, Edge)]>,
}

/// Where the literal may stand.
#[derive(Debug)]
enum Place {
    Start,
    Anywhere(Box<Finder<'static>>),
}

/// What follows the literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    /// Anything, which is no part of the match.
    Open,
    /// Nothing: `$`.
    End,
    /// At least so many characters up to the end of the line, which must be the end of the text where
    /// `end` says so: `.*`, `.+$`.
    Line { min: usize, end: bool },
}

/// One side of a group.
#[derive(Clone, Copy, Debug)]
enum Edge {
    /// So many bytes behind the beginning of the match.
    At(usize),
    /// Where the match ends.
    Last,
}

impl Direct {
    /// The pattern in this form, if it has it.
    pub(super) fn of(node: &Node) -> Option<Self> {
        let mut shape = Shape::default();
        shape.walk(node)?;
        // Where case counts for some letters and not for others, it takes a regular expression.
        let mixed = shape.folded && shape.plain;
        let hard_unanchored = shape.folded || matches!(shape.rest, Rest::Line { min: 1.., .. });
        if mixed || (!shape.anchored && hard_unanchored) {
            return None;
        }
        let literal = shape.literal.into_bytes();
        Some(Self {
            place: if shape.anchored { Place::Start } else { anywhere(&literal) },
            literal: literal.into(),
            ignore_case: shape.folded,
            rest: shape.rest,
            groups: shape.groups.into(),
        })
    }

    /// Where the match begins and ends.
    pub(super) fn span(&self, text: &str) -> Option<(usize, usize)> {
        let bytes = text.as_bytes();
        let length = self.literal.len();
        let start = match &self.place {
            Place::Start => self.begins(bytes).then_some(0)?,
            Place::Anywhere(finder) => self.search(finder, bytes)?,
        };
        let end = match self.rest {
            Rest::Open => start + length,
            Rest::End => (start + length == bytes.len()).then_some(bytes.len())?,
            Rest::Line { min, end } => {
                let stop = line_end(bytes, start + length);
                let fits = stop >= start + length + min && (!end || stop == bytes.len());
                fits.then_some(stop)?
            }
        };
        Some((start, end))
    }

    /// Where the match and its groups are.
    pub(super) fn find(&self, text: &str) -> Option<Groups> {
        let (start, end) = self.span(text)?;
        let place = |edge: Edge| match edge {
            Edge::At(offset) => to_u32(start + offset),
            Edge::Last => to_u32(end),
        };
        let whole = Some((to_u32(start), to_u32(end)));
        let groups = self.groups.iter().map(|(first, last)| Some((place(*first), place(*last))));
        Some(Groups(std::iter::once(whole).chain(groups).collect()))
    }

    /// Whether anything may follow a literal that stands at the beginning and ends before any query.
    pub(super) fn is_prefix(&self) -> bool {
        let takes_all = matches!(self.rest, Rest::Open | Rest::Line { min: 0, .. });
        matches!(self.place, Place::Start) && takes_all && !self.literal.contains(&b'?')
    }

    /// Whether it matches every line that a pattern with these literals matches.
    pub(super) fn covers(&self, other: &Literals) -> bool {
        let case_counts = !self.ignore_case && self.literal.iter().any(u8::is_ascii_alphabetic);
        let begins = |prefix: &Vec<u8>| self.begins(prefix);
        self.is_prefix() && !(case_counts && other.folded) && other.prefixes.iter().all(begins)
    }

    fn begins(&self, bytes: &[u8]) -> bool {
        let head = bytes.get(..self.literal.len());
        head.is_some_and(|head| {
            if self.ignore_case { head.eq_ignore_ascii_case(&self.literal) } else { *head == *self.literal }
        })
    }

    /// The first place from which the rest fits too.
    fn search(&self, finder: &Finder<'_>, bytes: &[u8]) -> Option<usize> {
        let from = match self.rest {
            Rest::Open | Rest::Line { end: false, .. } => 0,
            Rest::End => bytes.len().checked_sub(self.literal.len())?,
            Rest::Line { end: true, .. } => last_line(bytes).saturating_sub(self.literal.len()),
        };
        finder.find(&bytes[from..]).map(|found| from + found)
    }
}

/// A pattern's form, as far as it has been read.
struct Shape {
    literal: String,
    anchored: bool,
    folded: bool,
    plain: bool,
    rest: Rest,
    groups: Vec<(Edge, Edge)>,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            literal: String::new(),
            anchored: false,
            folded: false,
            plain: false,
            rest: Rest::Open,
            groups: Vec::new(),
        }
    }
}

impl Shape {
    /// Reads on; nothing where the pattern has another form.
    fn walk(&mut self, node: &Node) -> Option<()> {
        match node {
            Node::Empty => Some(()),
            Node::Concat(parts) => parts.iter().try_for_each(|part| self.walk(part)),
            Node::Start if self.literal.is_empty() && self.rest == Rest::Open => {
                self.anchored = true;
                Some(())
            }
            Node::Char(character) => {
                self.plain |= character.is_ascii_alphabetic();
                self.letter(*character)
            }
            Node::Set(set) => {
                self.folded = true;
                self.letter(set.folded_letter()?)
            }
            Node::Capture { body, .. } => self.capture(body),
            Node::Repeat { body, min: min @ (0 | 1), max: None, greedy: true } if is_dot(body) => {
                self.rest =
                    (self.rest == Rest::Open).then_some(Rest::Line { min: *min as usize, end: false })?;
                Some(())
            }
            Node::End => {
                self.rest = match self.rest {
                    Rest::Open | Rest::End => Rest::End,
                    Rest::Line { min, .. } => Rest::Line { min, end: true },
                };
                Some(())
            }
            Node::Start
            | Node::WordBoundary { .. }
            | Node::Look { .. }
            | Node::BackReference { .. }
            | Node::Alternate(_)
            | Node::Repeat { .. } => None,
        }
    }

    fn letter(&mut self, character: char) -> Option<()> {
        self.literal.push(character);
        (self.rest == Rest::Open).then_some(())
    }

    fn capture(&mut self, body: &Node) -> Option<()> {
        let place = self.groups.len();
        let first = self.edge();
        self.groups.push((first, first));
        self.walk(body)?;
        self.groups[place].1 = self.edge();
        Some(())
    }

    fn edge(&self) -> Edge {
        match self.rest {
            Rest::Open | Rest::End => Edge::At(self.literal.len()),
            Rest::Line { .. } => Edge::Last,
        }
    }
}

fn anywhere(literal: &[u8]) -> Place {
    Place::Anywhere(Box::new(Finder::new(literal).into_owned()))
}

fn is_dot(node: &Node) -> bool {
    matches!(node, Node::Set(set) if *set == super::class::CharSet::dot())
}

/// Where the line ends that `from` is in: at `\n`, `\r`, U+2028, U+2029 or the end of the text.
fn line_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(found) = memchr::memchr3(b'\n', b'\r', 0xe2, &bytes[at..]) {
        let rest = &bytes[at + found..];
        if rest[0] != 0xe2 || rest.starts_with(b"\xe2\x80\xa8") || rest.starts_with(b"\xe2\x80\xa9") {
            return at + found;
        }
        at += found + 1;
    }
    bytes.len()
}

/// Where the last line begins.
fn last_line(bytes: &[u8]) -> usize {
    let mut begin = 0;
    let mut end = line_end(bytes, 0);
    while end < bytes.len() {
        begin = end + if bytes[end] == 0xe2 { 3 } else { 1 };
        end = line_end(bytes, begin);
    }
    begin
}
