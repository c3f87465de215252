//! Stopping: what is in flight finishes, nothing new begins, and the exit is clean.
//!
//! The backend holds its answers until the signal was sent and seen, so that every request is surely in
//! flight; counted are the answers at the clients and the requests at the backend.

use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::harness::backend::Next;
use super::harness::h2::{H2, Outcome};
use super::harness::{Backend, Client, DEADLINE, Server, Setup};

/// Opens once.
#[derive(Default)]
struct Gate(Mutex<bool>, Condvar);

impl Gate {
    fn open(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_all();
    }

    fn pass(&self) {
        let closed = self.0.lock().unwrap();
        let (open, _) = self.1.wait_timeout_while(closed, DEADLINE, |open| !*open).unwrap();
        assert!(*open, "the gate stayed closed");
    }
}

/// Answers `/held` when the gate is open, everything else at once.
fn held(gate: &Arc<Gate>) -> Backend {
    let gate = Arc::clone(gate);
    Backend::answering(move |exchange| {
        if exchange.head.target == "/held" {
            gate.pass();
        }
        exchange.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
        Next::Keep
    })
}

/// Waits until the server, having been told, is no longer ready.
fn await_draining(server: &Server) {
    let begin = Instant::now();
    while server.ask_admin("GET /readyz").status == 200 {
        assert!(begin.elapsed() < DEADLINE, "still ready");
    }
}

#[test]
fn a_hundred_requests_in_flight_all_finish() {
    let gate = Arc::new(Gate::default());
    let backend = held(&gate);
    let mut server = Setup::open(backend.address).start();
    let mut clients: Vec<Client> = (0..50).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send("GET /held HTTP/1.1\r\nHost: a.example\r\n\r\n");
    }
    let mut h2 = H2::connect(server.address);
    let fields = [(":method", "GET"), (":scheme", "http"), (":path", "/held"), (":authority", "a.example")];
    let streams: Vec<u32> = (0..50).map(|_| h2.open(&fields, true)).collect();
    backend.wait("100 requests", |seen| seen.len() == 100);
    server.signal("TERM");
    await_draining(&server);
    gate.open();
    for client in &mut clients {
        let reply = client.read().unwrap();
        assert_eq!((reply.status, reply.text()), (200, "ok".to_owned()));
        assert!(client.until_closed().is_empty());
    }
    let mut answered = 0;
    while answered < streams.len() {
        let frame = h2.frame().unwrap();
        assert!(frame.kind != 3, "a stream was reset: {frame:?}");
        answered += usize::from(frame.stream != 0 && frame.flags & 1 == 1);
    }
    // The last word of a connection that says goodbye is answered by its client.
    while h2.frame().is_ok() {}
    assert!(server.wait().success());
    assert_eq!(backend.requests().len(), 100, "none was sent twice");
}

#[test]
fn nothing_new_begins_and_idle_connections_are_closed() {
    let gate = Arc::new(Gate::default());
    let backend = held(&gate);
    let mut server = Setup::open(backend.address).start();
    let mut idle = server.connect();
    assert_eq!(idle.ask("GET /x", &[], b"").status, 200);
    let mut busy = server.connect();
    busy.send("GET /held HTTP/1.1\r\nHost: a.example\r\n\r\n");
    backend.wait("the held request", |seen| seen.iter().any(|request| request.head.target == "/held"));
    server.signal("TERM");
    await_draining(&server);
    assert!(idle.until_closed().is_empty());
    // What is accepted in the same instant is served; within a second nothing is accepted any more.
    let begin = Instant::now();
    while TcpStream::connect(server.address)
        .is_ok_and(|late| Client::over(late).try_ask("GET /late", &[], b"").is_ok())
    {
        assert!(begin.elapsed() < Duration::from_secs(1), "new connections are still served");
    }
    gate.open();
    assert_eq!(busy.read().unwrap().status, 200);
    assert!(server.wait().success());
}

#[test]
fn the_drain_is_bounded() {
    let gate = Arc::new(Gate::default());
    let backend = held(&gate);
    let mut server = Setup::open(backend.address).variable("DRAIN_TIMEOUT", "1").start();
    let mut busy = server.connect();
    busy.send("GET /held HTTP/1.1\r\nHost: a.example\r\n\r\n");
    backend.wait("the held request", |seen| seen.len() == 1);
    server.signal("TERM");
    let begin = Instant::now();
    server.wait();
    assert!(begin.elapsed().as_secs() < 10, "it took {:?}", begin.elapsed());
    gate.open();
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let gate = Arc::new(Gate::default());
    let backend = held(&gate);
    let mut server = Setup::open(backend.address).start();
    let mut busy = server.connect();
    busy.send("GET /held HTTP/1.1\r\nHost: a.example\r\n\r\n");
    backend.wait("the held request", |seen| seen.len() == 1);
    server.signal("TERM");
    await_draining(&server);
    server.signal("TERM");
    let begin = Instant::now();
    server.wait();
    assert!(begin.elapsed().as_secs() < 5, "it took {:?}", begin.elapsed());
    gate.open();
}

#[test]
fn a_connection_that_never_asked_does_not_hold_up_the_end() {
    let backend = Backend::start();
    let mut server = Setup::open(backend.address).start();
    let mut silent: Vec<Client> = (0..3).map(|_| server.connect()).collect();
    silent[1].send("P");
    let mut late = server.connect();
    // Served, so that the connections before it have been accepted too.
    assert_eq!(server.ask("GET /x", &[]).status, 200);
    let begin = Instant::now();
    server.signal("TERM");
    assert_eq!(late.ask("GET /late", &[], b"").status, 200, "it was there before the end");
    for client in &mut silent[..1] {
        assert!(client.until_closed().is_empty());
    }
    drop(silent);
    assert!(server.wait().success());
    assert!(begin.elapsed() < Duration::from_secs(5), "it took {:?}", begin.elapsed());
}

#[test]
fn http2_is_told_goodbye_and_its_streams_finish() {
    let gate = Arc::new(Gate::default());
    let backend = held(&gate);
    let mut server = Setup::open(backend.address).start();
    let [mut idle, mut busy] = [(); 2].map(|()| H2::connect(server.address));
    let fields =
        |path| [(":method", "GET"), (":scheme", "http"), (":path", path), (":authority", "a.example")];
    assert!(matches!(idle.ask(&fields("/x"), b""), Outcome::Answer(200, _)));
    let stream = busy.open(&fields("/held"), true);
    backend.wait("the held request", |seen| seen.len() == 2);
    server.signal("TERM");
    assert_eq!(idle.frame().unwrap().kind, 7, "GOAWAY");
    while let Ok(frame) = idle.frame() {
        assert_eq!(frame.kind, 7, "GOAWAY and nothing else");
    }
    assert_eq!(busy.frame().unwrap().kind, 7, "GOAWAY, while a stream is open");
    gate.open();
    let answered = std::iter::from_fn(|| busy.frame().ok()).any(|f| f.stream == stream && f.flags & 1 == 1);
    assert!(answered, "the stream finishes");
    while busy.frame().is_ok() {}
    assert!(server.wait().success());
}

#[test]
fn an_answer_that_streams_is_let_finish_and_then_the_connection_closes() {
    let gate = Arc::new(Gate::default());
    let opened = Arc::clone(&gate);
    let backend = Backend::answering(move |exchange| {
        exchange.write("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nha");
        opened.pass();
        exchange.write("lf");
        Next::Keep
    });
    let mut server = Setup::open(backend.address).start();
    let mut busy = server.connect();
    busy.send("GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n");
    backend.wait("the request", |seen| seen.len() == 1);
    server.signal("TERM");
    await_draining(&server);
    gate.open();
    assert_eq!(busy.read().unwrap().text(), "half");
    assert!(busy.until_closed().is_empty());
    assert!(server.wait().success());
}

#[test]
fn a_client_of_http2_that_is_gone_without_a_word_does_not_hold_up_the_end() {
    let backend = Backend::start();
    let mut server = Setup::open(backend.address).start();
    let mut mute = H2::connect(server.address);
    let fields = [(":method", "GET"), (":scheme", "http"), (":path", "/x"), (":authority", "a.example")];
    assert!(matches!(mute.ask(&fields, b""), Outcome::Answer(200, _)));
    let begin = Instant::now();
    server.signal("TERM");
    // It reads nothing from here on, so it does not say that it has heard the goodbye.
    assert!(server.wait().success());
    assert!(begin.elapsed() < Duration::from_secs(9), "it took {:?}", begin.elapsed());
}
