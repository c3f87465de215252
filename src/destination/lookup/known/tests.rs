//! What is remembered of the Destination service, for how long, and for whom.

use std::time::Duration;

use super::*;
use crate::destination::DestinationSpec;

const START: u64 = 1_000_000_000;

fn key(tenant: &str, name: &str, user: Option<u8>) -> Key {
    Key {
        service: [0; 32],
        local: false,
        tenant: TenantKey::parse(tenant),
        id: None,
        name: name.into(),
        user: user.map(|byte| [byte; 32]),
    }
}

fn read(lifetime: Option<u64>) -> Read {
    let destination = DestinationSpec::new("be", "http://h").compile().unwrap();
    let found = Found { destination: Some(Arc::new(destination)), dynamic: true };
    Read { found, lifetime: lifetime.map(Duration::from_secs) }
}

fn word(look: &Look) -> String {
    match look {
        Look::Fresh(_) => "fresh".into(),
        Look::Due(..) => "due".into(),
        Look::Awaited(_) => "awaited".into(),
        Look::Absent(..) => "absent".into(),
        Look::Failed(reason) => format!("failed: {reason}"),
    }
}

fn unavailable() -> LookupError {
    LookupError::Unavailable { retry_after: Duration::from_secs(1) }
}

#[test]
fn what_was_found_is_used_renewed_and_used_on_while_the_service_is_down() {
    let minutes = |n: u64| START + n * 60_000;
    for (after, fails, expected, shows) in [
        (START, None, "fresh", "just found"),
        (minutes(3), None, "fresh", "within five minutes"),
        (minutes(4), None, "due", "a minute before they end"),
        (minutes(5), None, "absent", "behind them it is waited for"),
        (minutes(5), Some(unavailable()), "fresh", "but not where the service does not answer"),
        (minutes(64), Some(unavailable()), "fresh", "for an hour"),
        (minutes(65), Some(unavailable()), "failed: the Destination service does not answer", "no longer"),
        (
            minutes(5),
            Some(LookupError::NotFound),
            "failed: the Destination service knows no destination of this name",
            "what is gone is gone",
        ),
    ] {
        let (mut known, key) = (Known::default(), key("acme", "be", None));
        let Look::Absent(..) = known.look(&key, START) else { panic!("{shows}") };
        assert!(known.keep(&key, Ok(read(None)), START).is_ok(), "{shows}");
        if let Some(reason) = fails {
            drop(known.look(&key, after));
            drop(known.keep(&key, Err(reason), after));
        }
        assert_eq!(word(&known.look(&key, after)), expected, "{shows}");
    }
}

#[test]
fn no_token_is_used_behind_its_end() {
    for (lifetime, after, fails, expected, shows) in [
        (60, 40, false, "due", "in the last part of its life"),
        (60, 49, false, "due", "ten seconds before its end"),
        (60, 51, false, "absent", "it may not arrive in time"),
        (60, 51, true, "failed: the Destination service does not answer", "not even then"),
        (4, 1, false, "fresh", "a short one"),
        (4, 2, false, "absent", "a short one, after half of its life"),
        (0, 0, false, "absent", "one that is over"),
    ] {
        let (mut known, key) = (Known::default(), key("acme", "be", None));
        drop(known.look(&key, START));
        assert!(known.keep(&key, Ok(read(Some(lifetime))), START).is_ok(), "{shows}");
        let now = START + after * 1000;
        if fails {
            drop(known.look(&key, now));
            drop(known.keep(&key, Err(unavailable()), now));
        }
        assert_eq!(word(&known.look(&key, now)), expected, "{shows}");
    }
}

#[test]
fn one_asks_and_the_others_wait() {
    let (mut known, key) = (Known::default(), key("acme", "be", None));
    let Look::Absent(tell, _) = known.look(&key, START) else { panic!("the first asks") };
    assert_eq!(word(&known.look(&key, START)), "awaited");
    drop(tell);
    assert_eq!(word(&known.look(&key, START)), "absent", "nobody asks any more");
}

#[test]
fn what_fails_is_not_asked_for_at_once_again() {
    for (reason, pause, shows) in [
        (LookupError::NotFound, 30_000, "what is not there"),
        (unavailable(), 1_000, "a service that is down"),
    ] {
        let (mut known, key) = (Known::default(), key("acme", "be", None));
        drop(known.look(&key, START));
        assert!(known.keep(&key, Err(reason), START).is_err(), "{shows}");
        assert!(word(&known.look(&key, START + pause - 1)).starts_with("failed"), "{shows}");
        assert_eq!(word(&known.look(&key, START + pause)), "absent", "{shows}");
    }
}

#[test]
fn tenants_users_and_names_never_meet() {
    let mut known = Known::default();
    let first = key("a", "b-c", Some(1));
    drop(known.look(&first, START));
    assert!(known.keep(&first, Ok(read(None)), START).is_ok());
    let local = Key { local: true, ..first.clone() };
    let again = Key { id: Some("other".into()), ..first.clone() };
    let secret = Key { service: [1; 32], ..first.clone() };
    for (other, shows) in [
        (key("b", "b-c", Some(1)), "another tenant"),
        (key("a-b", "c", Some(1)), "what joins alike"),
        (key("a", "b-c", Some(2)), "another user"),
        (key("a", "b-c", None), "nobody"),
        (key("a", "b-C", Some(1)), "another name"),
        (local, "the provider's"),
        (again, "another tenant of the key"),
        (secret, "another service"),
    ] {
        assert_eq!(word(&known.look(&other, START)), "absent", "{shows}");
    }
    assert_eq!(word(&known.look(&first, START)), "fresh");
}

#[test]
fn a_tenant_that_asks_for_everything_harms_itself_alone() {
    let mut known = Known::default();
    let other = key("globex", "be", None);
    drop(known.look(&other, START));
    assert!(known.keep(&other, Ok(read(None)), START).is_ok());
    for number in 0..3 * MAX_OF_TENANT as u64 {
        let (key, now) = (key("acme", &format!("n{number}"), None), START + number);
        drop(known.look(&key, now));
        drop(known.keep(&key, Err(LookupError::NotFound), now));
    }
    let own = &known.tenants[&TenantKey::parse("acme")];
    assert!(own.entries.len() <= MAX_OF_TENANT, "{}", own.entries.len());
    assert_eq!(own.flights, 0);
    assert_eq!(word(&known.look(&other, START + 1)), "fresh");
}

#[test]
fn no_tenant_has_more_than_its_share_asked_for_at_once() {
    let mut known = Known::default();
    let flights: Vec<Look> =
        (0..MAX_FLIGHTS).map(|number| known.look(&key("acme", &number.to_string(), None), START)).collect();
    assert!(flights.iter().all(|look| word(look) == "absent"));
    let more = known.look(&key("acme", "more", None), START);
    assert_eq!(word(&more), format!("failed: {}", LookupError::Busy));
    assert_eq!(word(&known.look(&key("globex", "more", None), START)), "absent", "others have theirs");
    drop(known.keep(&key("acme", "0", None), Ok(read(None)), START));
    assert_eq!(word(&known.look(&key("acme", "more", None), START)), "absent", "there is room again");
}

#[test]
fn there_is_an_end_to_what_is_remembered() {
    let mut known = Known::default();
    for number in 0..MAX as u64 + 500 {
        let key = key(&format!("t{}", number % 50), &format!("n{number}"), None);
        drop(known.look(&key, START + number));
        drop(known.keep(&key, Ok(read(None)), START + number));
    }
    let count = known.tenants.values().map(|own| own.entries.len()).sum::<usize>();
    assert!(count <= MAX, "{count}");
}
