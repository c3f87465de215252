//! What follows a cookie that was refreshed, for the tabs that still send the old one.
//!
//! Requests are under way when a refresh ends, and an answer that carried the new cookie may be lost.
//! For a while the old cookie stands for the new session, instead of using up a refresh token twice.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::session::Session;
use crate::session::key::Digest;

/// Seconds for which an old cookie is followed.
pub(in crate::session) const WHILE: u64 = 300;
/// How many there may be.
const MAX: usize = 20_000;

/// The refreshed session that an old cookie stands for.
#[derive(Clone, Debug)]
pub(in crate::session) struct Successor {
    pub(in crate::session) session: Arc<Session>,
    pub(in crate::session) generation: u32,
}

/// The newest of each session, with the second since the epoch until which it is kept.
#[derive(Debug, Default)]
pub(in crate::session) struct Successors(
    Mutex<HashMap<Digest, (Successor, u64), foldhash::fast::RandomState>>,
);

impl Successors {
    /// What follows the session called `name` after `generation`.
    pub(in crate::session) fn find(&self, name: &Digest, generation: u32, now: u64) -> Option<Successor> {
        let successors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (successor, until) = successors.get(name)?;
        (successor.generation > generation && *until > now).then(|| successor.clone())
    }

    /// Remembers what follows. Where there is no room, the oldest give way: what they stood for is
    /// refreshed again.
    pub(in crate::session) fn remember(&self, name: Digest, successor: Successor, now: u64) {
        let mut successors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if successors.len() >= MAX {
            let middle = now + WHILE / 2;
            successors.retain(|_, (_, until)| *until > middle);
        }
        if successors.len() < MAX {
            successors.insert(name, (successor, now + WHILE));
        }
    }

    /// Forgets those whose time is over.
    pub(in crate::session) fn sweep(&self, now: u64) {
        let mut successors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        successors.retain(|_, (_, until)| *until > now);
    }
}
