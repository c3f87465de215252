//! Where the sessions of an issuer's session and of a subject lie, for back-channel logout.
//!
//! It holds places, not sessions, and may name one that is gone or another's: whoever follows it
//! compares what lies there. So a clash of hashes costs a look and ends nothing.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};

use foldhash::fast::RandomState;
use smallvec::SmallVec;

use crate::session::{Realm, Session};

const PARTS: usize = 16;

/// Most names have one session.
type Places = SmallVec<[u64; 1]>;

/// Places by realm and name.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Seeded at random, so that nobody outside can aim at a place.
    seed: RandomState,
    parts: [Mutex<HashMap<u64, Places, RandomState>>; PARTS],
}

impl Index {
    pub(super) fn remember(&self, place: u64, session: &Session) {
        for name in self.names(session) {
            self.change(name, |places| places.push(place));
        }
    }

    pub(super) fn forget(&self, place: u64, session: &Session) {
        for name in self.names(session) {
            self.change(name, |places| places.retain(|other| *other != place));
        }
    }

    /// Where sessions with these names may lie. The issuer's session, where it is named, is the
    /// narrower of the two.
    pub(super) fn places(
        &self,
        realm: &Realm,
        issuer_session: Option<&str>,
        subject: Option<&str>,
    ) -> Places {
        let name = match (issuer_session, subject) {
            (Some(issuer_session), _) => self.name(realm, 's', issuer_session),
            (None, Some(subject)) => self.name(realm, 'u', subject),
            (None, None) => return Places::new(),
        };
        let mut found = Places::new();
        self.change(name, |places| found.extend_from_slice(places));
        found
    }

    fn names(&self, session: &Session) -> SmallVec<[u64; 2]> {
        let issuer_session =
            session.issuer_session.as_deref().map(|text| self.name(&session.realm, 's', text));
        let subject = session.identity.subject.as_deref().map(|text| self.name(&session.realm, 'u', text));
        issuer_session.into_iter().chain(subject).collect()
    }

    fn name(&self, realm: &Realm, kind: char, text: &str) -> u64 {
        self.seed.hash_one((realm.digest(), kind, text))
    }

    fn change(&self, name: u64, change: impl FnOnce(&mut Places)) {
        let at = usize::try_from(name % PARTS as u64).unwrap_or_default();
        let Some(part) = self.parts.get(at) else { return };
        let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
        let places = part.entry(name).or_default();
        change(places);
        if places.is_empty() {
            part.remove(&name);
        }
    }
}
