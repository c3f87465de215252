//! The last refusals, with the exact check that failed.
//!
//! A caller is told a code and an id; the reason stays here and in the log, for who may open the admin
//! port. Bounded: a flood of refusals pushes out the oldest and nothing else.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// How many refusals are remembered.
pub const REMEMBERED: usize = 1024;

/// One refused request.
#[derive(Clone, Debug)]
pub struct Denial {
    /// The request's id, as the caller was told.
    pub id: Box<str>,
    /// When it was refused.
    pub time: SystemTime,
    /// The tenant's key, when one was resolved.
    pub tenant: Option<Box<str>>,
    /// The method.
    pub method: Box<str>,
    /// The path, without the query.
    pub path: Box<str>,
    /// The status that was sent.
    pub status: u16,
    /// The stable code that the caller was told.
    pub code: &'static str,
    /// The check that failed, in words; never a secret or a token.
    pub reason: Box<str>,
}

/// A ring of the last [`REMEMBERED`] refusals.
#[derive(Debug, Default)]
pub struct Denials(Mutex<VecDeque<Denial>>);

impl Denials {
    /// Remembers `denial`, and forgets the oldest if there is no room.
    pub fn remember(&self, denial: Denial) {
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ring.len() >= REMEMBERED {
            ring.pop_front();
        }
        ring.push_back(denial);
    }

    /// The latest refusal with that id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<Denial> {
        let ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ring.iter().rev().find(|denial| &*denial.id == id).cloned()
    }

    /// The last `count` refusals, the latest first.
    #[must_use]
    pub fn latest(&self, count: usize) -> Vec<Denial> {
        let ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ring.iter().rev().take(count).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denial(id: &str) -> Denial {
        Denial {
            id: id.into(),
            time: SystemTime::UNIX_EPOCH,
            tenant: None,
            method: "GET".into(),
            path: "/".into(),
            status: 404,
            code: "no_route",
            reason: "no route matches".into(),
        }
    }

    #[test]
    fn the_oldest_goes_first() {
        let denials = Denials::default();
        for number in 0..=REMEMBERED {
            denials.remember(denial(&number.to_string()));
        }
        assert!(denials.find("0").is_none());
        assert!(denials.find("1").is_some());
        assert_eq!(&*denials.latest(2)[0].id, "1024");
        assert_eq!(denials.latest(usize::MAX).len(), REMEMBERED);
    }
}
