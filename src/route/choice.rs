//! Which routes can match at all, found without trying their patterns.
//!
//! A tree over the beginnings of anchored patterns ([`tree`]), one search for the literals that the others
//! contain, and the few of which nothing is known. Candidates are a bit set, so they come in the order of
//! the routes whatever they were found by; up to 1,024 routes it needs no memory of its own. The index
//! knows nothing of methods or authentication, and offers more than matches, never less.

mod tree;

use aho_corasick::AhoCorasick;
use smallvec::SmallVec;

use super::pattern::{Literals, Pattern};
use tree::Tree;

/// Below so many routes that could be found by a literal they contain, trying them is cheaper.
const WORTH_SEARCHING: usize = 8;

/// A beginning of this length says little: every path has it.
const WEAK: usize = 1;

/// Places of routes, one bit each.
type Places = SmallVec<[u64; 16]>;

/// The index of a table of routes.
#[derive(Debug)]
pub(super) struct Choice {
    always: Places,
    beginnings: Tree,
    contained: Option<Contained>,
}

/// Routes to be found by a literal that they contain.
#[derive(Debug)]
struct Contained {
    search: AhoCorasick,
    places: Box<[usize]>,
}

impl Choice {
    /// Indexes patterns by their place.
    pub(super) fn build<'a>(patterns: impl ExactSizeIterator<Item = &'a Pattern>) -> Self {
        let mut always = SmallVec::from_elem(0, patterns.len().div_ceil(64));
        let (mut beginnings, mut inner) = (Vec::new(), Vec::new());
        for (place, pattern) in patterns.enumerate() {
            let Literals { prefixes, inner: literal, folded: _ } = pattern.literals();
            if prefixes.iter().all(|prefix| prefix.len() > WEAK) {
                beginnings.extend(prefixes.iter().map(|prefix| (prefix.to_ascii_lowercase(), place)));
            } else if literal.len() > WEAK {
                inner.push((literal.as_slice(), place));
            } else {
                mark(&mut always, place);
            }
        }
        let contained = Contained::build(&inner);
        if contained.is_none() {
            for (_, place) in &inner {
                mark(&mut always, *place);
            }
        }
        Self { always, beginnings: Tree::build(beginnings), contained }
    }

    /// The places of all routes that may match `text`, in order.
    pub(super) fn candidates(&self, text: &str) -> Candidates {
        let mut places = self.always.clone();
        self.beginnings.for_each_prefix_of(text.as_bytes(), |place| mark(&mut places, place));
        if let Some(contained) = &self.contained {
            contained.for_each_in(text, |place| mark(&mut places, place));
        }
        Candidates { places, word: 0 }
    }
}

impl Contained {
    /// Nothing where it is not worth it, or too large to be built.
    fn build(inner: &[(&[u8], usize)]) -> Option<Self> {
        if inner.len() < WORTH_SEARCHING {
            return None;
        }
        let literals = inner.iter().map(|(literal, _)| literal);
        let search = AhoCorasick::builder().ascii_case_insensitive(true).build(literals).ok()?;
        Some(Self { search, places: inner.iter().map(|(_, place)| *place).collect() })
    }

    fn for_each_in(&self, text: &str, mut found: impl FnMut(usize)) {
        for hit in self.search.find_overlapping_iter(text) {
            if let Some(place) = self.places.get(hit.pattern().as_usize()) {
                found(*place);
            }
        }
    }
}

fn mark(places: &mut Places, place: usize) {
    if let Some(word) = places.get_mut(place / 64) {
        *word |= 1 << (place % 64);
    }
}

/// Places, lowest first.
pub(super) struct Candidates {
    places: Places,
    word: usize,
}

impl Iterator for Candidates {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while let Some(word) = self.places.get_mut(self.word) {
            if *word != 0 {
                let bit = word.trailing_zeros() as usize;
                *word &= *word - 1;
                return Some(self.word * 64 + bit);
            }
            self.word += 1;
        }
        None
    }
}
