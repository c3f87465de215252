//! Limits, and what a reload does to them.

use super::*;
use crate::tenant::TenantSpec;

fn limits(rate: u32, burst: u32, concurrent: u32) -> Limits {
    let [requests_per_second, burst, concurrent] = [rate, burst, concurrent].map(NonZeroU32::new);
    Limits { requests_per_second, burst, concurrent }
}

fn tenant(key: &str, limits: Limits) -> Tenant {
    let key = TenantKey::parse(key).expect("a key");
    Tenant::from(TenantSpec { limits, ..TenantSpec::new(key) })
}

fn kind(result: &Result<Permit, Limited>) -> Option<LimitKind> {
    result.as_ref().err().map(|limited| limited.kind)
}

#[test]
fn without_limits_everything_passes() {
    let (meters, acme) = (Meters::new(), tenant("acme", Limits::default()));
    let permits: Vec<_> = (0..1000).map(|_| meters.admit(&acme)).collect();
    assert!(permits.iter().all(Result::is_ok));
}

#[test]
fn requests_in_flight() {
    let (meters, acme) = (Meters::new(), tenant("acme", limits(0, 0, 2)));
    let first = meters.admit(&acme);
    let second = meters.admit(&acme);
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(kind(&meters.admit(&acme)), Some(LimitKind::Concurrency), "the third is too many");
    assert_eq!(kind(&meters.admit(&acme)), Some(LimitKind::Concurrency), "and counted nowhere");
    drop(first);
    assert!(meters.admit(&acme).is_ok(), "one that ended makes room");
}

#[test]
fn requests_a_second() {
    let (meters, acme) = (Meters::new(), tenant("acme", limits(1, 3, 0)));
    for _ in 0..3 {
        assert!(meters.admit(&acme).is_ok(), "the burst passes");
    }
    let refused = meters.admit(&acme);
    let limited = refused.expect_err("the fourth is too many");
    assert_eq!(limited.kind, LimitKind::Rate);
    assert!(limited.retry_after <= Duration::from_secs(1) && !limited.retry_after.is_zero());
    assert!(meters.admit(&tenant("globex", limits(1, 3, 0))).is_ok(), "another tenant has its own");
}

#[test]
fn a_refused_rate_frees_the_place() {
    let (meters, acme) = (Meters::new(), tenant("acme", limits(1, 1, 1)));
    drop(meters.admit(&acme));
    for _ in 0..3 {
        assert_eq!(kind(&meters.admit(&acme)), Some(LimitKind::Rate));
    }
}

#[test]
fn a_reload_neither_forgives_nor_punishes() {
    let meters = Meters::new();
    let before = tenant("acme", limits(1, 2, 5));
    let running = [meters.admit(&before), meters.admit(&before)];
    let same = tenant("acme", limits(1, 2, 5));
    assert_eq!(kind(&meters.admit(&same)), Some(LimitKind::Rate), "the same rate goes on");
    let fewer = tenant("acme", limits(100, 100, 2));
    assert_eq!(kind(&meters.admit(&fewer)), Some(LimitKind::Concurrency), "what runs still counts");
    drop(running);
    assert!(meters.admit(&fewer).is_ok(), "and its end is seen, and the new rate holds");
}
