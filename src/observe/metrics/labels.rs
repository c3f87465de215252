//! Label values, numbered, and bounded in number.
//!
//! The shards share one [`Labels`]; each remembers what it has asked in a [`Known`], so that a label costs
//! one look into a map of its own. A number, once given, never changes its meaning. When the table is
//! full a shard copies it whole, once: from then on what it does not find is `other`, without asking.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use foldhash::fast::RandomState;

use super::lock;

/// The value of all for which there was no room.
const OTHER: &str = "other";

/// A label value's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Label(u32);

impl Label {
    /// The number of [`OTHER`].
    pub(super) const OTHER: Self = Self(u32::MAX);

    /// A number for hashing, never 0.
    pub(super) fn hashed(self) -> u32 {
        self.0.wrapping_add(2)
    }
}

/// The values that have a number.
#[derive(Debug)]
pub(super) struct Labels {
    capacity: usize,
    names: Mutex<Vec<Arc<str>>>,
}

/// The part of [`Labels`] that one shard has met.
#[derive(Debug, Default)]
pub(super) struct Known {
    numbers: HashMap<Arc<str>, Label, RandomState>,
    complete: bool,
}

impl Labels {
    /// An empty table with room for `capacity` values.
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, names: Mutex::default() }
    }

    /// The values in the order of their numbers.
    pub(super) fn names(&self) -> Vec<Arc<str>> {
        lock(&self.names).clone()
    }

    /// Numbers `name` if there is room, and tells `known` what it needs to know. Who is called `other`
    /// shares that value with the rest: there must not be two series of one name.
    fn admit(&self, name: &str, known: &mut Known) -> Label {
        if name == OTHER {
            known.numbers.insert(name.into(), Label::OTHER);
            return Label::OTHER;
        }
        let names = &mut *lock(&self.names);
        if names.len() < self.capacity && !names.iter().any(|it| &**it == name) {
            names.push(name.into());
        }
        known.complete = names.len() >= self.capacity;
        known.numbers = names.iter().cloned().zip((0..).map(Label)).collect();
        known.numbers.get(name).copied().unwrap_or(Label::OTHER)
    }
}

impl Known {
    /// The number of `name`, or [`Label::OTHER`].
    pub(super) fn label(&mut self, labels: &Labels, name: &str) -> Label {
        match self.numbers.get(name) {
            Some(&label) => label,
            None if self.complete => Label::OTHER,
            None => labels.admit(name, self),
        }
    }
}

/// The value behind a number.
pub(super) fn value(names: &[Arc<str>], label: Label) -> &str {
    usize::try_from(label.0).ok().and_then(|index| names.get(index)).map_or(OTHER, |name| name)
}
