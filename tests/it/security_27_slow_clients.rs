//! Class 27, clients that take their time.
//!
//! Recipe: half a head, a head byte by byte, a body that trickles, an answer that nobody reads, a
//! connection that says nothing. Must happen: each is closed on its own timer, and a healthy client
//! beside them never waits.

use std::time::{Duration, Instant};

use super::harness::{Backend, Client, Setup};

#[test]
fn half_a_head_is_closed_on_its_timer_and_nobody_waits_for_it() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let begin = Instant::now();
    let mut slow: Vec<Client> = (0..300)
        .map(|n| {
            let mut client = server.connect();
            client.send(
                &"GET /slow HTTP/1.1\r\nHost: a.example\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyyy"[..20 + n % 40],
            );
            client
        })
        .collect();
    let mut longest = Duration::ZERO;
    let mut healthy = server.connect();
    for _ in 0..500 {
        let asked = Instant::now();
        assert_eq!(healthy.ask("GET /healthy", &[], b"").status, 200);
        longest = longest.max(asked.elapsed());
    }
    assert!(longest < Duration::from_secs(2), "a healthy request took {longest:?}");
    for client in &mut slow {
        let rest = client.until_closed();
        let text = String::from_utf8_lossy(&rest);
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 408"), "{text}");
    }
    let took = begin.elapsed();
    assert!((Duration::from_secs(8)..Duration::from_secs(18)).contains(&took), "closed after {took:?}");
    assert!(backend.requests().iter().all(|request| request.head.target == "/healthy"));
}

#[test]
fn a_trickling_head_does_not_renew_its_timer() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let mut client = server.connect();
    let begin = Instant::now();
    client.send("GET /slow HTTP/1.1\r\nHost: a.example\r\n");
    client.stream().set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    // One field every half second: each read times out until the server has had enough.
    while !matches!(client.exactly(1), Ok(_) | Err(super::harness::client::NoReply::Cut)) {
        client.send("X: y\r\n");
        assert!(begin.elapsed() < Duration::from_secs(18), "still open after {:?}", begin.elapsed());
    }
    assert!(begin.elapsed() > Duration::from_secs(8), "closed after {:?}", begin.elapsed());
    assert_eq!(backend.requests().len(), 0);
}

#[test]
fn a_trickling_body_is_cut() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let mut client = server.connect();
    let begin = Instant::now();
    client.send("POST /slow HTTP/1.1\r\nHost: a.example\r\nContent-Length: 100000\r\n\r\n");
    client.stream().set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    while !matches!(client.exactly(1), Ok(_) | Err(super::harness::client::NoReply::Cut)) {
        client.send("x");
        assert!(begin.elapsed() < Duration::from_secs(40), "still open after {:?}", begin.elapsed());
    }
    assert!(begin.elapsed() > Duration::from_secs(5), "closed after {:?}", begin.elapsed());
    assert!(backend.requests().iter().all(|request| !request.complete));
}

#[test]
fn an_answer_that_nobody_reads_holds_nobody_else() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let greedy: Vec<Client> = (0..20)
        .map(|_| {
            let mut client = server.connect();
            client.send("GET /big HTTP/1.1\r\nHost: a.example\r\nx-echo: {\"big\": 20000000}\r\n\r\n");
            client
        })
        .collect();
    backend.wait("the greedy requests", |seen| seen.len() == greedy.len());
    let mut healthy = server.connect();
    for _ in 0..200 {
        assert_eq!(healthy.ask("GET /healthy", &[], b"").status, 200);
    }
}
