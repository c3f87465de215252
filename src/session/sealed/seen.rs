//! Cookies that were opened before, so that a repeated one costs a hash and a comparison.
//!
//! What is compared is the whole text and the realm; the keyed hash only finds the place. Two
//! generations bound it cheaply: when the young one is full it becomes the old one and the old one is
//! dropped; what is still used moves to the young.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Mutex, PoisonError};

use foldhash::fast::RandomState;

use super::{CHUNK, Content};
use crate::session::Realm;
use crate::session::deny::Denials;

const PARTS: usize = 16;
/// The version of denials that there never is.
const UNCHECKED: u64 = u64::MAX;
/// How many bytes one generation of one part may have.
const MAX_BYTES: usize = 32 * 1024 * 1024 / PARTS;

/// Opened cookies, whatever their realm.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Seeded at random, so that nobody outside can aim at a place.
    seed: RandomState,
    parts: [Mutex<Part>; PARTS],
}

#[derive(Debug, Default)]
struct Part {
    young: HashMap<u64, Entry, RandomState>,
    young_bytes: usize,
    old: HashMap<u64, Entry, RandomState>,
}

#[derive(Debug)]
struct Entry {
    /// The chunks, one after the other.
    text: Box<[u8]>,
    content: Content,
    /// The version of the denials that the content was last compared with.
    checked: u64,
}

impl Seen {
    /// The content of the cookie in `chunks`, if it was opened in this realm and is not denied.
    pub(super) fn find(&self, realm: &Realm, chunks: &[Option<&[u8]>], denials: &Denials) -> Option<Content> {
        let place = self.place(realm, chunks.iter().flatten().copied());
        let mut part = self.part(place)?;
        let entry = part.entry(place, realm, chunks)?;
        let version = denials.version();
        if entry.checked != version {
            if denials.denies(&entry.content) {
                return None;
            }
            entry.checked = version;
        }
        Some(entry.content.clone())
    }

    /// Remembers what the cookie in `chunks` says.
    pub(super) fn remember(
        &self,
        realm: &Realm,
        chunks: &[Option<&[u8]>],
        text: Box<[u8]>,
        content: Content,
        checked: u64,
    ) {
        let place = self.place(realm, chunks.iter().flatten().copied());
        if let Some(mut part) = self.part(place) {
            part.insert(place, Entry { text, content, checked });
        }
    }

    /// Remembers a cookie that was just made: it comes back with the next request, and is compared with
    /// the denials then.
    pub(super) fn expect(&self, content: &Content, text: &str) {
        let text = text.as_bytes();
        let place = self.place(&content.session.realm, text.chunks(CHUNK));
        if let Some(mut part) = self.part(place) {
            part.insert(place, Entry { text: text.into(), content: content.clone(), checked: UNCHECKED });
        }
    }

    fn place<'a>(&self, realm: &Realm, chunks: impl Iterator<Item = &'a [u8]>) -> u64 {
        let mut hasher = self.seed.build_hasher();
        hasher.write(realm.digest());
        chunks.for_each(|chunk| hasher.write(chunk));
        hasher.finish()
    }

    fn part(&self, place: u64) -> Option<std::sync::MutexGuard<'_, Part>> {
        let at = usize::try_from(place % PARTS as u64).ok()?;
        Some(self.parts.get(at)?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Part {
    fn entry(&mut self, place: u64, realm: &Realm, chunks: &[Option<&[u8]>]) -> Option<&mut Entry> {
        if !self.young.contains_key(&place) {
            let entry = self.old.remove(&place)?;
            self.insert(place, entry);
        }
        self.young.get_mut(&place).filter(|entry| entry.is(realm, chunks))
    }

    fn insert(&mut self, place: u64, entry: Entry) {
        if self.young_bytes >= MAX_BYTES {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += entry.weight();
        if let Some(replaced) = self.young.insert(place, entry) {
            self.young_bytes = self.young_bytes.saturating_sub(replaced.weight());
        }
    }
}

impl Entry {
    fn is(&self, realm: &Realm, chunks: &[Option<&[u8]>]) -> bool {
        let mut rest = &*self.text;
        let same = chunks.iter().flatten().all(|chunk| match rest.split_at_checked(chunk.len()) {
            Some((begin, end)) => {
                rest = end;
                begin == *chunk
            }
            None => false,
        });
        same && rest.is_empty() && *self.content.session.realm == *realm
    }

    fn weight(&self) -> usize {
        size_of::<Self>() + self.text.len() + self.content.session.weight()
    }
}
