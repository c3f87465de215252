//! Two instances at one Redis: what a backend sets at one is sent by the other at once, and Redis learns
//! neither names nor values.

use std::sync::Arc;

use super::super::harness::redis::Redis;
use super::super::sessions::jars::{CRM, visit};
use super::super::sessions::{Bench, acme, login};
use super::*;

#[tokio::test]
async fn what_a_backend_sets_at_one_instance_the_other_sends_at_once() {
    let (redis, next) = (with_databases(), AtomicU16::new(0));
    let store = StoreSettings::Redis(settings(&redis, &next));
    let one = Bench::new_in(store.clone());
    let other = Bench::at(Arc::clone(&one.time), store, &["a secret of the application"]);
    let (_, mut browser) = one.begin(login(&acme(), "token")).await;
    // Each has a copy of the session from here on.
    for bench in [&one, &other] {
        assert_eq!(visit(bench, &acme(), &mut browser, CRM, &[]).await.as_deref(), Some(""));
    }
    let benches = [&one, &other];
    let steps: [(&[&'static str], &str); 6] = [
        (&["a=secret-1; Path=/"], ""),
        (&["b=secret-2; Path=/"], "a=secret-1"),
        (&["a=secret-3; Path=/"], "a=secret-1; b=secret-2"),
        (&["b=; Path=/; Max-Age=0"], "a=secret-3; b=secret-2"),
        (&[], "a=secret-3"),
        (&[], "a=secret-3"),
    ];
    for (step, (set, expected)) in steps.into_iter().enumerate() {
        let got = visit(benches[step % 2], &acme(), &mut browser, CRM, set).await;
        assert_eq!(got.as_deref(), Some(expected), "step {step}");
    }
    assert_eq!(count(&redis, "c:"), "1", "it is there");
    for told in ["secret-", "crm", "JSESSIONID"] {
        assert_eq!(count(&redis, told), "0", "Redis learns {told}");
    }
    let opened = one.visit(&acme(), &mut browser).await.unwrap();
    one.end(&opened, &mut browser).await;
    assert_eq!(count(&redis, "c:"), "0", "they end with the session");
}

/// In how many names and values of sessions `text` is.
fn count(redis: &Redis, text: &str) -> String {
    const COUNT: &str = "\"local count = 0 \
        for _, key in ipairs(redis.call('KEYS', 'vestibule:s:*')) do \
        for _, part in ipairs(redis.call('HGETALL', key)) do \
        if string.find(part, ARGV[1], 1, true) then count = count + 1 end end end \
        return tostring(count)\"";
    let answer = redis.ask(&["EVAL", COUNT, "0", text]);
    answer.trim().lines().last().unwrap().to_owned()
}
