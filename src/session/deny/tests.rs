//! Denials: what they name, and for how long they are kept.

use super::*;

fn denial(name: u8, begun_until: u64, until: u64) -> Denial {
    Denial { name: Digest([name; 32]), begun_until, until }
}

#[test]
fn names_of_different_kinds_never_meet() {
    let one = Realm::of(None, "issuer", "client");
    let other = Realm::of(TenantKey::parse("acme"), "issuer", "client");
    let names = [
        name(&one, Some("a"), None),
        name(&one, None, Some("a")),
        name(&one, Some("a"), Some("a")),
        name(&one, Some("a"), Some("")),
        name(&one, Some(""), Some("a")),
        name(&other, Some("a"), None),
        Some(tenant_name(None)),
        Some(tenant_name(TenantKey::parse("provider").as_ref())),
    ];
    for (at, name) in names.iter().enumerate() {
        assert!(name.is_some() && !names[at + 1..].contains(name), "{at}");
    }
    assert_eq!(name(&one, None, None), None, "who names nothing denies nothing");
}

#[test]
fn a_second_denial_only_widens_the_first() {
    let denials = Denials::default();
    denials.add(denial(1, 2_000, 100), 0);
    let version = denials.version();
    denials.add(denial(1, 1_000, 50), 0);
    assert_ne!(denials.version(), version);
    let list = denials.list.lock().unwrap();
    let term = list[&Digest([1; 32])];
    assert_eq!((term.begun_until, term.until), (2_000, 100));
}

#[test]
fn what_would_have_ended_is_forgotten() {
    let denials = Denials::default();
    denials.add(denial(1, 0, 100), 0);
    denials.add(denial(2, 0, 200), 0);
    denials.sweep(100);
    assert_eq!(denials.list.lock().unwrap().len(), 1);
}

#[test]
fn a_full_list_ends_everything_rather_than_forget() {
    let denials = Denials::default();
    for name in 0..=MAX as u64 {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&name.to_be_bytes());
        denials.add(Denial { name: Digest(digest), begun_until: 0, until: 100 }, 5_000);
    }
    assert_eq!(denials.all_until.load(Ordering::Relaxed), 5_000);
    assert_eq!(denials.list.lock().unwrap().len(), 1);
}
