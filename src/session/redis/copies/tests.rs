//! Local copies: what they answer while Redis is away, and what they forget.

use super::*;
use crate::session::redis::tests::{key, realm, session};

fn at(now: u64) -> Idle {
    Idle { now, limit: 900 }
}

#[test]
fn a_copy_answers_while_it_is_fresh_and_then_one_asks() {
    let copies = Copies::default();
    let realm = realm("acme");
    let (key, session) = (key(&realm), session(&realm, "s", "u"));
    let now = session.begun;
    let look = |now| match copies.look(&key.digest, at(now)) {
        Known::Fresh(_) => "fresh",
        Known::Ended => "ended",
        Known::Nothing => "ask",
    };
    assert_eq!(look(now), "ask", "never seen");
    assert!(copies.keep(&key, &session, at(now)));
    assert_eq!(look(now), "fresh");
    assert_eq!(look(now + 2), "ask", "by the clock that sessions live by");
    copies.outdate(&key.digest);
    assert_eq!(look(now), "ask", "outdated");
    assert!(copies.last_seen(&key.digest, at(now + LIFE)).is_some());
    assert!(copies.last_seen(&key.digest, at(now + LIFE + 1)).is_none(), "seen too long ago");
    copies.end(&key.digest, now, false);
    assert_eq!(look(now), "ended");
    assert!(!copies.keep(&key, &session, at(now)), "an answer that was under way comes too late");
    copies.sweep(now + MEMORY + 1);
    assert_eq!(look(now), "ask", "forgotten");
}

#[test]
fn there_is_room_for_so_many_and_the_oldest_gives_way() {
    let copies = Copies::default();
    let realm = realm("acme");
    let session = session(&realm, "s", "u");
    let first = key(&realm);
    copies.keep(&first, &session, at(session.begun));
    assert!(copies.keep_unsaved(&first, &session, at(session.begun)), "known");
    assert!(!copies.keep_unsaved(&key(&realm), &session, at(session.begun)), "not known");
    for _ in 0..2 * SHARDS * MAX {
        copies.keep(&key(&realm), &session, at(session.begun));
    }
    let living = copies.living(session.begun);
    assert!(living.len() <= SHARDS * MAX, "{}", living.len());
    assert_eq!(copies.unsaved().len(), 1, "but never one that Redis has yet to hear of");
}
