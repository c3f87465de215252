//! Tokens that expire while a person is logged in.

use serde_json::json;

use super::super::harness::Tab;
use super::Stage;

#[test]
fn a_hundred_requests_refresh_once() {
    let stage = Stage::set();
    // Less than JWT_REFRESH, so that the first request after the login refreshes.
    stage.acme.desk().life = 100;
    let browser = stage.logged_in();
    stage.acme.desk().life = 3600;
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let ask = |_| scope.spawn(|| browser.clone().navigate("/app/x").status);
        let threads: Vec<_> = (0..100).map(ask).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(stage.acme.desk().refreshes, 1);
    browser.clone().navigate("/fwd/x");
    let sent = stage.backend.take().pop().unwrap().header("authorization");
    assert!(sent.starts_with("Bearer "), "{sent}");
    assert_eq!(stage.acme.desk().refreshes, 1, "the new token is good for long");
}

#[test]
fn a_refused_refresh_is_the_end_of_the_session() {
    let stage = Stage::set();
    stage.acme.desk().life = 100;
    let mut browser = stage.logged_in();
    stage.acme.desk().refusal = Some((400, json!({"error": "invalid_grant"})));
    let reply = browser.clone().fetch("GET /app/x", &[]);
    assert_eq!((reply.status, reply.code().as_str()), (401, "unauthenticated"));
    assert!(reply.header("set-cookie").contains("Max-Age=0"), "{:?}", reply.headers);
    stage.acme.desk().refusal = None;
    assert_eq!(browser.fetch("GET /app/x", &[]).status, 401, "it does not come back");
    let reply = browser.log_in(&stage.acme, "/app/x");
    assert_eq!((reply.status, reply.header("location")), (302, "/app/x".to_owned()));
}

#[test]
fn an_issuer_that_is_away_is_no_reason_while_the_token_holds() {
    let stage = Stage::set();
    stage.acme.desk().life = 100;
    let mut browser = stage.logged_in();
    stage.acme.desk().refusal = Some((503, json!({})));
    for _ in 0..3 {
        assert_eq!(browser.fetch("GET /app/x", &[]).status, 200);
    }
    assert!(stage.acme.desk().refreshes <= 2, "it is left alone for a while");
}

#[test]
fn an_expired_token_without_another_is_nobody() {
    let stage = Stage::set_with(|setup| setup.variable("JWT_REFRESH", "0"));
    stage.acme.desk().life = 1;
    let mut browser: Tab<'_> = stage.browser();
    browser.log_in(&stage.acme, "/app/x");
    let deadline = std::time::Instant::now() + super::super::harness::DEADLINE;
    while browser.fetch("GET /app/x", &[]).status == 200 {
        assert!(std::time::Instant::now() < deadline, "the token never expired");
    }
    assert_eq!(browser.fetch("GET /app/x", &[]).status, 401);
    assert_eq!(stage.acme.desk().refreshes, 0, "JWT_REFRESH=0 never refreshes");
}
