//! The store in this process: its bounds and its index.

use http::HeaderValue;

use super::super::key::Id;
use super::*;
use crate::session::{Identity, csrf};

const NOW: u64 = 1_795_000_000;
const IDLE: Idle = Idle { now: NOW, limit: 900 };

fn session(subject: &str, token: usize) -> Arc<Session> {
    let identity = Identity {
        subject: Some(subject.into()),
        user_name: None,
        email: None,
        given_name: None,
        family_name: None,
        client: None,
        expires: NOW + 300,
        bearer: HeaderValue::try_from("x".repeat(token)).unwrap(),
        scopes: Box::default(),
    };
    Arc::new(Session {
        realm: Arc::new(Realm::of(None, "https://issuer.example", "client")),
        identity,
        issuer_session: None,
        refresh_token: None,
        id_token: None,
        csrf_token: csrf::Token::random().unwrap(),
        refreshed: 0,
        begun: NOW,
        ends: NOW + 43_200,
    })
}

async fn insert(memory: &Memory, session: &Arc<Session>, idle: Idle) -> Key {
    let key = Key::of(&session.realm, Id::random().unwrap());
    memory.insert(&key, session, idle).await.unwrap();
    key
}

#[tokio::test]
async fn where_there_is_no_room_the_longest_unused_gives_way() {
    let memory = Memory::with_room(SHARDS * 20_000);
    let old = session("old", 1_000);
    let old_key = insert(&memory, &old, IDLE).await;
    let later = Idle { now: NOW + 1, ..IDLE };
    for _ in 0..10_000 {
        insert(&memory, &session("new", 1_000), later).await;
    }
    assert!(memory.count() <= SHARDS * 20, "{} sessions", memory.count());
    assert!(memory.count() >= SHARDS * 10, "{} sessions", memory.count());
    assert!(memory.find(&old_key, &old.realm, later).await.unwrap().is_none());
    let left = memory.count();
    let ended = memory.remove_matching(&old.realm, None, Some("new")).await;
    assert_eq!((ended, memory.count()), (Ok(left), 0), "what gave way left the index as well");
}

#[tokio::test]
async fn what_has_ended_is_swept_and_told() {
    let memory = Memory::new();
    let (idle, used) = (session("idle", 10), session("used", 10));
    insert(&memory, &idle, IDLE).await;
    let key = insert(&memory, &used, IDLE).await;
    let later = Idle { now: NOW + 600, ..IDLE };
    assert!(memory.find(&key, &used.realm, later).await.unwrap().is_some());
    assert!(memory.sweep(NOW + 899).is_empty(), "neither has lain unused for long");
    let swept = memory.sweep(NOW + 900);
    assert!(matches!(&swept[..], [one] if Arc::ptr_eq(&one.session, &idle)), "{swept:?}");
    assert_eq!(memory.count(), 1);
    assert_eq!(memory.sweep(NOW + 600 + 900).len(), 1);
    assert_eq!(memory.remove_matching(&used.realm, None, Some("used")).await, Ok(0));
}

#[tokio::test]
async fn another_who_has_the_same_place_is_not_found() {
    let memory = Memory::new();
    let session = session("ann", 10);
    let key = insert(&memory, &session, IDLE).await;
    let mut other = key;
    other.digest.0[31] ^= 1;
    assert_eq!(other.digest.place(), key.digest.place());
    assert!(memory.find(&other, &session.realm, IDLE).await.unwrap().is_none());
    memory.remove(&other, &session.realm).await.unwrap();
    assert!(memory.find(&key, &session.realm, IDLE).await.unwrap().is_some());
}
