//! What Redis gets to see, and what opens what.

use super::*;

#[test]
fn redis_learns_nothing_of_a_session() {
    let stage = Stage::new(Options::default());
    let store = stage.instance();
    let realm = realm("acme");
    let key = key(&realm);
    let token = "QUJDREVG.QUJDREVG.QUJDREVG";
    stage.run(store.insert(&key, &session_with(&realm, "the-sid", "the-subject", token), idle())).unwrap();
    let lease = stage.run(store.lock(&key.digest, Duration::from_secs(5))).unwrap();
    assert!(lease.is_some());
    let keys = stage.server.ask(&["KEYS", "*"]);
    let mut everything = keys.clone();
    for line in keys.lines().filter(|line| line.starts_with("vestibule:")) {
        let reply = stage.server.ask(&["DUMP", line]);
        assert!(reply.starts_with('$'), "{line}: {reply}");
        everything.push_str(&reply);
    }
    assert!(keys.contains("vestibule:s:") && keys.contains("vestibule:i:"), "{keys}");
    let id = key.id.text();
    for hidden in
        [id.as_str(), "acme", "issuer.test", "the-sid", "the-subject", "QUJDREVG", "ABCDEF", "refresh"]
    {
        assert!(!everything.contains(hidden), "{hidden} is in {everything}");
    }
}

#[test]
fn a_value_opens_with_its_id_its_realm_and_a_secret_of_the_ring() {
    let stage = Stage::new(Options::default());
    let realm = realm("acme");
    let key = key(&realm);
    let old = stage.instance_with(&["old"]);
    stage.run(old.insert(&key, &session(&realm, "s", "u"), idle())).unwrap();
    let cases: [(&[&str], bool, &str); 4] = [
        (&["old"], true, "the same"),
        (&["new", "old"], true, "rotated"),
        (&["new"], false, "another"),
        (&["old"], true, "what did not open is still there"),
    ];
    for (secrets, opens, what) in cases {
        let store = stage.instance_with(secrets);
        assert_eq!(stage.run(found(&store, &key, &realm)).is_some(), opens, "{what}");
    }
    let store = stage.instance_with(&["old"]);
    let foreign = self::realm("globex");
    assert_eq!(stage.run(found(&store, &key, &foreign)), None, "another tenant under the very same key");
    let stolen = Key { id: Id::random().unwrap(), digest: key.digest };
    assert_eq!(stage.run(found(&store, &stolen, &realm)), None, "another id");
}

#[test]
fn a_session_ends_when_it_lies_unused_or_is_too_old() {
    let stage = Stage::new(Options::default());
    let (one, other) = (stage.instance(), stage.instance());
    let realm = realm("acme");
    let (key, session) = (key(&realm), session(&realm, "s", "u"));
    let begun = session.begun;
    let at = |after: u64| Idle { now: begun + after, limit: 100 };
    stage.run(one.insert(&key, &session, at(0))).unwrap();
    let cases = [
        (0, true, "new"),
        (99, true, "just in time"),
        (198, true, "used, so its time began again"),
        (298, false, "unused for its time"),
    ];
    for (after, lives, what) in cases {
        for (store, name) in [(&one, "one"), (&other, "the other")] {
            let session = stage.run(store.find(&key, &realm, at(after))).unwrap();
            assert_eq!(session.is_some(), lives, "{what}, at {name}");
        }
    }
    let (key, idle) = (self::key(&realm), |after| Idle { now: begun + after, limit: 10_000 });
    stage.run(one.insert(&key, &session, idle(0))).unwrap();
    assert!(stage.run(one.find(&key, &realm, idle(3_599))).unwrap().is_some(), "not yet too old");
    assert!(stage.run(one.find(&key, &realm, idle(3_600))).unwrap().is_none(), "too old");
    assert_eq!(stage.run(one.replace(&key, &session, idle(3_600))), Ok(false), "and no refresh helps");
}

#[test]
fn redis_forgets_by_itself() {
    let stage = Stage::new(Options::default());
    let (store, realm) = (stage.instance(), realm("acme"));
    let (key, session) = (key(&realm), session(&realm, "s", "u"));
    stage.run(store.insert(&key, &session, idle())).unwrap();
    let keys = stage.server.ask(&["KEYS", "*"]);
    for line in keys.lines().filter(|line| line.starts_with("vestibule:")) {
        let life: i64 = stage.server.ask(&["TTL", line])[1..].trim().parse().unwrap();
        let most = if line.starts_with("vestibule:s:") { 960 } else { 3_660 };
        assert!((1..=most).contains(&life), "{line} lives {life} s");
    }
}
