//! What any text that a pattern matches must begin with or contain.
//!
//! The index of the routes is built from it, and compares without case, also for patterns that mind it: it
//! may offer too much, since every candidate is matched afterwards, but never too little. Letters whose
//! case is ignored are in lower case.

use super::syntax::Node;

/// More beginnings than this are not told apart.
const PREFIXES: usize = 32;

/// Beginnings and literals are cut to this many bytes.
const LENGTH: usize = 64;

/// What a pattern needs to find in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::route) struct Literals {
    /// The text begins with one of these; one empty beginning where nothing is known.
    pub(in crate::route) prefixes: Vec<Vec<u8>>,
    /// The text contains this; empty where nothing is known.
    pub(in crate::route) inner: Vec<u8>,
    /// Whether some letter stands for both its cases.
    pub(in crate::route) folded: bool,
}

impl Literals {
    pub(super) fn of(node: &Node) -> Self {
        let mut inner = Inner::default();
        inner.walk(node);
        inner.end_run();
        Self { prefixes: prefixes(node), inner: inner.longest, folded: has_folded_letter(node) }
    }
}

/// Whether a match can only begin where the text does.
pub(super) fn is_anchored(node: &Node) -> bool {
    match node {
        Node::Start => true,
        Node::Concat(parts) => parts.first().is_some_and(is_anchored),
        Node::Alternate(branches) => branches.iter().all(is_anchored),
        Node::Capture { body, .. } => is_anchored(body),
        Node::Repeat { body, min, .. } => *min > 0 && is_anchored(body),
        Node::Empty
        | Node::Char(_)
        | Node::Set(_)
        | Node::End
        | Node::WordBoundary { .. }
        | Node::Look { .. }
        | Node::BackReference { .. } => false,
    }
}

/// The character, where there is only one but for its case.
fn letter(node: &Node) -> Option<char> {
    match node {
        Node::Char(character) => Some(*character),
        Node::Set(set) => set.folded_letter(),
        Node::Empty
        | Node::Start
        | Node::End
        | Node::WordBoundary { .. }
        | Node::Capture { .. }
        | Node::Look { .. }
        | Node::BackReference { .. }
        | Node::Concat(_)
        | Node::Alternate(_)
        | Node::Repeat { .. } => None,
    }
}

fn has_folded_letter(node: &Node) -> bool {
    let own = matches!(node, Node::Set(set) if set.folded_letter().is_some());
    own || node.children().iter().any(has_folded_letter)
}

fn append(text: &mut Vec<u8>, letter: char) {
    text.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
}

/// A beginning, and whether what follows it may still be appended.
#[derive(Clone)]
struct Prefix {
    text: Vec<u8>,
    open: bool,
}

fn prefixes(node: &Node) -> Vec<Vec<u8>> {
    if !is_anchored(node) {
        return vec![Vec::new()];
    }
    let found = extended(vec![Prefix { text: Vec::new(), open: true }], node);
    let mut texts: Vec<Vec<u8>> = found.into_iter().map(|prefix| prefix.text).collect();
    texts.sort_unstable();
    texts.dedup_by(|longer, shorter| longer.starts_with(shorter));
    texts
}

/// Each open one of `known` with what `node` must begin with appended.
fn extended(mut known: Vec<Prefix>, node: &Node) -> Vec<Prefix> {
    if let Some(letter) = letter(node) {
        for prefix in known.iter_mut().filter(|prefix| prefix.open) {
            prefix.open = prefix.text.len() < LENGTH;
            append(&mut prefix.text, letter);
        }
        return known;
    }
    match node {
        Node::Concat(parts) => parts.iter().fold(known, extended),
        Node::Capture { body, .. } => extended(known, body),
        Node::Alternate(branches) => {
            split(known, |open| branches.iter().flat_map(|branch| extended(open.clone(), branch)).collect())
        }
        Node::Repeat { body, min, max, .. } => split(known, |open| {
            let mut once = extended(open.clone(), body);
            for prefix in &mut once {
                prefix.open &= *max == Some(1);
            }
            once.extend(open.into_iter().filter(|_| *min == 0));
            once
        }),
        Node::Set(_) | Node::BackReference { .. } => closed(known),
        // These take no text, so that what follows stands where they do.
        Node::Empty
        | Node::Char(_)
        | Node::Start
        | Node::End
        | Node::WordBoundary { .. }
        | Node::Look { .. } => known,
    }
}

/// The open ones of `known` replaced by what `grow` makes of them, unless that would be too many.
fn split(known: Vec<Prefix>, grow: impl FnOnce(Vec<Prefix>) -> Vec<Prefix>) -> Vec<Prefix> {
    let (open, mut all): (Vec<_>, Vec<_>) = known.into_iter().partition(|prefix| prefix.open);
    let grown = grow(open.clone());
    let fits = all.len() + grown.len() <= PREFIXES;
    all.extend(if fits { grown } else { closed(open) });
    all
}

fn closed(mut known: Vec<Prefix>) -> Vec<Prefix> {
    for prefix in &mut known {
        prefix.open = false;
    }
    known
}

/// The longest literal that no match can do without.
#[derive(Default)]
struct Inner {
    run: Vec<u8>,
    longest: Vec<u8>,
}

impl Inner {
    fn walk(&mut self, node: &Node) {
        if let Some(letter) = letter(node) {
            append(&mut self.run, letter);
            return;
        }
        match node {
            Node::Concat(parts) => parts.iter().for_each(|part| self.walk(part)),
            Node::Capture { body, .. } => self.walk(body),
            Node::Repeat { body, min, .. } => {
                self.end_run();
                if *min > 0 {
                    self.walk(body);
                }
                self.end_run();
            }
            Node::Set(_) | Node::BackReference { .. } | Node::Alternate(_) => self.end_run(),
            Node::Empty
            | Node::Char(_)
            | Node::Start
            | Node::End
            | Node::WordBoundary { .. }
            | Node::Look { .. } => {}
        }
    }

    fn end_run(&mut self) {
        self.run.truncate(LENGTH);
        if self.run.len() > self.longest.len() {
            std::mem::swap(&mut self.run, &mut self.longest);
        }
        self.run.clear();
    }
}
