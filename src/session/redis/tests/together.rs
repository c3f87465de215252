//! Several instances at one Redis.

use super::*;

#[test]
fn what_one_instance_keeps_the_other_finds() {
    let stage = Stage::new(Options::default());
    let (one, other) = (stage.instance(), stage.instance());
    let realm = realm("acme");
    let (key, session) = (key(&realm), session(&realm, "s1", "u1"));
    stage.run(one.insert(&key, &session, idle())).unwrap();
    assert_eq!(stage.run(found(&one, &key, &realm)).as_deref(), Some("Bearer a.b.c"));
    assert_eq!(stage.run(found(&other, &key, &realm)).as_deref(), Some("Bearer a.b.c"));
    let seen = stage.run(other.find(&key, &realm, idle())).unwrap().unwrap();
    assert_eq!(seen.refresh_token.as_ref().unwrap().expose(), "refresh");
    assert_eq!((seen.begun, seen.ends), (session.begun, session.ends));
}

/// Ends a session somehow.
type End = fn(&Stage, &Redis, &Key, &Arc<Realm>);

#[test]
fn an_end_at_one_instance_is_seen_by_the_other_within_two_seconds() {
    let stage = Stage::new(Options::default());
    let (one, other) = (stage.instance(), stage.instance());
    let realm = realm("acme");
    let ends: [(&str, End); 4] = [
        ("logout", |stage, store, key, realm| stage.run(store.remove(key, realm)).unwrap()),
        ("sid", |stage, store, _, realm| {
            assert_eq!(stage.run(store.remove_matching(realm, Some("s1"), None)), Ok(1));
        }),
        ("sid and subject", |stage, store, _, realm| {
            assert_eq!(stage.run(store.remove_matching(realm, Some("s1"), Some("u1"))), Ok(1));
        }),
        ("tenant", |stage, store, _, realm| {
            assert_eq!(stage.run(store.remove_tenant(realm.tenant())), Ok(1));
        }),
    ];
    for (name, end) in ends {
        let key = key(&realm);
        stage.run(one.insert(&key, &session(&realm, "s1", "u1"), idle())).unwrap();
        assert!(stage.run(found(&other, &key, &realm)).is_some(), "{name}");
        end(&stage, &one, &key, &realm);
        assert_eq!(stage.run(found(&one, &key, &realm)), None, "{name}: at once where it was ended");
        stage.until(name, BOUND, async || stage_is_gone(&other, &key, &realm).await);
    }
}

async fn stage_is_gone(store: &Redis, key: &Key, realm: &Arc<Realm>) -> Option<()> {
    found(store, key, realm).await.is_none().then_some(())
}

#[test]
fn back_channel_logout_ends_what_it_names_and_nothing_else() {
    let stage = Stage::new(Options::default());
    let store = stage.instance();
    let (here, there) = (realm("acme"), realm("globex"));
    let kept = |realm: &Arc<Realm>, sid, subject| {
        let key = key(realm);
        stage.run(store.insert(&key, &session(realm, sid, subject), idle())).unwrap();
        key
    };
    let (same, other_sid) = (kept(&here, "s1", "u1"), kept(&here, "s2", "u1"));
    let other_subject = kept(&here, "s1", "u2");
    let other_tenant = kept(&there, "s1", "u1");
    let ended = stage.run(store.remove_matching(&here, Some("s1"), Some("u1")));
    assert_eq!(ended, Ok(1), "both names have to fit");
    assert_eq!(stage.run(found(&store, &same, &here)), None);
    for (key, realm, what) in
        [(other_sid, &here, "sid"), (other_subject, &here, "subject"), (other_tenant, &there, "tenant")]
    {
        assert!(stage.run(found(&store, &key, realm)).is_some(), "another {what}");
    }
    assert_eq!(stage.run(store.remove_matching(&here, None, None)), Ok(0), "no name names nothing");
    assert_eq!(stage.run(store.remove_matching(&here, None, Some("u1"))), Ok(1));
    assert_eq!(stage.run(store.remove_tenant(here.tenant())), Ok(1), "the one of the other subject");
    assert!(stage.run(found(&store, &other_tenant, &there)).is_some(), "another tenant");
}

#[test]
fn more_sessions_of_a_tenant_than_one_step_takes_all_end() {
    let stage = Stage::new(Options::default());
    let (store, realm) = (stage.instance(), realm("acme"));
    let keys: Vec<Key> = (0..2_100).map(|_| key(&realm)).collect();
    for chunk in keys.chunks(100) {
        stage.run(async {
            for key in chunk {
                store.insert(key, &session(&realm, "s", "u"), idle()).await.unwrap();
            }
        });
    }
    assert_eq!(stage.run(store.remove_tenant(realm.tenant())), Ok(2_100));
    assert_eq!(stage.run(found(&store, &keys[2_099], &realm)), None);
}

#[test]
fn a_refresh_by_one_instance_is_what_the_next_lease_finds() {
    let stage = Stage::new(Options::default());
    let (one, other) = (stage.instance(), stage.instance());
    let realm = realm("acme");
    let key = key(&realm);
    stage.run(one.insert(&key, &session(&realm, "s", "u"), idle())).unwrap();
    assert!(stage.run(found(&other, &key, &realm)).is_some(), "which has a copy from here on");
    let time = Duration::from_secs(10);
    let lease = stage.run(one.lock(&key.digest, time)).unwrap().expect("nobody has it");
    assert!(stage.run(other.lock(&key.digest, time)).unwrap().is_none(), "one has it");
    let renewed = session_with(&realm, "s", "u", "d.e.f");
    assert_eq!(stage.run(one.replace(&key, &renewed, idle())), Ok(true));
    stage.run(one.unlock(lease));
    let lease = stage.run(other.lock(&key.digest, time)).unwrap().expect("it was given back");
    assert_eq!(stage.run(found(&other, &key, &realm)).as_deref(), Some("Bearer d.e.f"), "no copy answers");
    stage.run(one.unlock(crate::session::store::Lease { holder: 1, ..lease }));
    assert!(stage.run(one.lock(&key.digest, time)).unwrap().is_none(), "not given back by another");
}

#[test]
fn a_session_that_was_ended_during_its_refresh_stays_so() {
    let stage = Stage::new(Options::default());
    let (one, other) = (stage.instance(), stage.instance());
    let realm = realm("acme");
    let key = key(&realm);
    stage.run(one.insert(&key, &session(&realm, "s", "u"), idle())).unwrap();
    stage.run(other.remove(&key, &realm)).unwrap();
    assert_eq!(stage.run(one.replace(&key, &session(&realm, "s", "u"), idle())), Ok(false));
    assert_eq!(stage.run(found(&one, &key, &realm)), None);
}

#[test]
fn a_name_is_used_once_by_all_instances() {
    let stage = Stage::new(Options::default());
    let (one, other) = (stage.instance(), stage.instance());
    let (name, time) = (Digest([7; 32]), Duration::from_millis(100));
    assert_eq!(stage.run(one.use_once(&name, Duration::from_mins(1))), Ok(true));
    assert_eq!(stage.run(other.use_once(&name, Duration::from_mins(1))), Ok(false));
    let brief = Digest([8; 32]);
    assert_eq!(stage.run(one.use_once(&brief, time)), Ok(true));
    stage
        .until("its time is over", BOUND, async || other.use_once(&brief, time).await.unwrap().then_some(()));
}

#[test]
fn denials_are_heard_once_in_their_order() {
    let stage = Stage::new(Options::default());
    let (one, other) = (stage.instance(), stage.instance());
    let denial = |byte, until| crate::session::store::Denial {
        name: Digest([byte; 32]),
        begun_until: 1_234,
        until: now() + until,
    };
    let (first, second, over) = (denial(1, 60), denial(2, 60), denial(3, 0));
    let mut seen = 0;
    for denial in [&first, &over, &second] {
        stage.run(one.deny(denial)).unwrap();
    }
    assert_eq!(stage.run(other.denials(&mut seen, now())), Ok(vec![first, second]));
    assert_eq!(stage.run(other.denials(&mut seen, now())), Ok(Vec::new()));
    stage.run(one.deny(&first)).unwrap();
    assert_eq!(stage.run(other.denials(&mut seen, now())), Ok(vec![first]), "told again, heard again");
    let from_the_beginning = stage.run(one.denials(&mut 0, now())).unwrap();
    assert_eq!(from_the_beginning.len(), 2, "what does not matter any more is dropped");
}

#[test]
fn what_is_left_is_picked_up() {
    let stage = Stage::new(Options::default());
    let (one, other) = (stage.instance(), stage.instance());
    let name = Digest([9; 32]);
    assert_eq!(stage.run(other.left(&name)), Ok(None));
    stage.run(one.leave(&name, b"\x00\xffbytes", Duration::from_mins(1))).unwrap();
    assert_eq!(stage.run(other.left(&name)), Ok(Some(b"\x00\xffbytes".to_vec())));
}
