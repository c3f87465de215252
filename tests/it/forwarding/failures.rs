//! Failures: backends that are not there, silent, or gone, and what is sent again.

use std::collections::HashSet;
use std::net::{SocketAddr, TcpListener};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::json;
use socket2::{Domain, Socket, Type};

use crate::harness::backend::Next;
use crate::harness::{Backend, Setup};

/// An address at which nobody listens.
fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn a_backend_that_is_not_there_is_502_at_once() {
    let server = Setup::open(nobody()).start();
    let mut client = server.connect();
    for _ in 0..2 {
        let begin = Instant::now();
        let reply = client.ask("GET /x", &[], b"");
        assert_eq!((reply.status, reply.code().as_str()), (502, "backend_unreachable"));
        assert!(begin.elapsed() < Duration::from_secs(2), "after {:?}", begin.elapsed());
    }
    let id = client.ask("GET /x", &[], b"").json()["id"].as_str().unwrap().to_owned();
    assert!(server.await_line(&id).contains("backend"), "the log has the id and the destination");
}

/// A listener whose queue is full: to connect to it takes for ever.
fn full() -> (Socket, Vec<Socket>, SocketAddr) {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let waiting = (0..4).map(|_| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        // It stays under way, which is what is wanted.
        let _ = socket.connect(&address);
        socket
    });
    let waiting = waiting.collect();
    (listener, waiting, address.as_socket().unwrap())
}

#[test]
fn a_backend_that_takes_no_connection_is_504_after_two_seconds() {
    let (_listener, _waiting, address) = full();
    let server = Setup::open(address).start();
    let begin = Instant::now();
    let reply = server.ask("GET /x", &[]);
    assert_eq!((reply.status, reply.code().as_str()), (504, "backend_connect_timeout"));
    let took = begin.elapsed();
    assert!((Duration::from_millis(1900)..Duration::from_secs(6)).contains(&took), "after {took:?}");
}

#[test]
fn a_backend_that_does_not_answer_is_504_by_its_own_timeout() {
    let backend = Backend::answering(|_| Next::Watch);
    let url = format!("http://{}", backend.address);
    let server = Setup::new(&json!({"authenticationMethod": "none", "routes": [
        {"source": "^/(.*)$", "destination": "slow", "authenticationType": "none"}]}))
    .destination_with(&json!({"name": "slow", "url": url, "timeout": 400}))
    .start();
    for body in [&b""[..], b"hello"] {
        let begin = Instant::now();
        let reply = server.connect().ask("POST /x", &[], body);
        assert_eq!((reply.status, reply.code().as_str()), (504, "backend_timeout"));
        let took = begin.elapsed();
        assert!((Duration::from_millis(390)..Duration::from_secs(4)).contains(&took), "after {took:?}");
    }
    // The access log has a line of it as well, and the order of the two is nobody's promise.
    let line = server.await_line("within 400 ms");
    assert!(
        line.contains("slow") && line.contains("backend_timeout"),
        "destination and code are named: {line}"
    );
    backend.wait_open(0);
}

#[test]
fn a_slow_client_is_no_slow_backend() {
    let backend = Backend::start();
    let url = format!("http://{}", backend.address);
    let server = Setup::new(&json!({"authenticationMethod": "none", "routes": [
        {"source": "^/(.*)$", "destination": "quick", "authenticationType": "none"}]}))
    .destination_with(&json!({"name": "quick", "url": url, "timeout": 300}))
    .start();
    for (framing, rest) in [
        ("Content-Length: 3\r\n\r\n", ["a", "b", "c"]),
        ("Transfer-Encoding: chunked\r\n\r\n", ["1\r\na\r\n", "2\r\nbc\r\n", "0\r\n\r\n"]),
    ] {
        let mut client = server.connect();
        client.send(format!("POST /x HTTP/1.1\r\nHost: a.example\r\n{framing}"));
        for part in rest {
            // The client's pause, longer than the backend's timeout, is what is tested.
            std::thread::sleep(Duration::from_millis(500));
            client.send(part);
        }
        let reply = client.read().unwrap();
        assert_eq!((reply.status, reply.json()["body"].as_str()), (200, Some("abc")), "{framing}");
    }
    // When the body has come, the backend's time runs all the same.
    let mut client = server.connect();
    client.send("POST /x HTTP/1.1\r\nHost: a.example\r\nx-echo: {\"delay\": 3000}\r\nTransfer-Encoding: chunked\r\n\r\n");
    std::thread::sleep(Duration::from_millis(400));
    client.send("0\r\n\r\n");
    let begin = Instant::now();
    assert_eq!(client.read().unwrap().status, 504);
    assert!(begin.elapsed() < Duration::from_millis(2500), "after {:?}", begin.elapsed());
}

#[test]
fn a_kept_connection_that_has_died_costs_nobody_an_error() {
    let backend = Backend::answering(|exchange| {
        exchange.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
        // Without a word about it, as a backend does that restarts.
        Next::Close
    });
    let server = Setup::open(backend.address).start();
    let mut client = server.connect();
    for round in 0..50 {
        let method = if round % 2 == 0 { "GET" } else { "POST" };
        assert_eq!(client.ask(&format!("{method} /x"), &[], b"").status, 200, "round {round}");
        backend.wait_open(0);
    }
    let seen = backend.take();
    assert_eq!(seen.len(), 50, "each arrives once");
    assert_eq!(seen.last().unwrap().connection, 49);
}

/// The first request on each connection is answered, the next read and dropped.
fn forgetful() -> Backend {
    let answered: Mutex<HashSet<SocketAddr>> = Mutex::default();
    Backend::answering(move |exchange| {
        if !answered.lock().unwrap().insert(exchange.stream.peer_addr().unwrap()) {
            return Next::Close;
        }
        exchange.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n");
        if exchange.head.method != "HEAD" {
            exchange.write("ok");
        }
        Next::Keep
    })
}

#[test]
fn an_order_that_was_sent_is_not_sent_again() {
    let backend = forgetful();
    let server = Setup::open(backend.address).variable("VESTIBULE_WORKERS", "1").start();
    let mut client = server.connect();
    let long_rested = Duration::from_millis(300);
    for (rest, body) in
        [(Duration::ZERO, &b""[..]), (Duration::ZERO, b"hello"), (long_rested, b""), (long_rested, b"hello")]
    {
        assert_eq!(client.ask("GET /first", &[], b"").status, 200);
        // How long the connection has rested is what differs.
        std::thread::sleep(rest);
        let reply = client.ask("POST /second", &[], body);
        assert_eq!((reply.status, reply.code().as_str()), (502, "backend_broke_off"));
        let targets: Vec<String> = backend.take().into_iter().map(|request| request.head.target).collect();
        assert_eq!(targets, ["/first", "/second"], "it was placed once");
    }
}

#[test]
fn a_question_on_a_connection_that_had_died_is_asked_again_once() {
    let backend = forgetful();
    let server = Setup::open(backend.address).variable("VESTIBULE_WORKERS", "1").start();
    let mut client = server.connect();
    for method in ["GET", "HEAD", "OPTIONS"] {
        assert_eq!(client.ask("GET /first", &[], b"").status, 200);
        // As long as a backend takes to lose patience with a connection.
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(client.ask(&format!("{method} /second"), &[], b"").status, 200, "{method}");
        let seen = backend.take();
        let targets: Vec<&str> = seen.iter().map(|request| request.head.target.as_str()).collect();
        assert!(targets.ends_with(&["/second", "/second"]), "{targets:?}");
        let [.., lost, again] = seen.as_slice() else { panic!("{seen:?}") };
        assert_eq!(lost.header("x-request-id"), again.header("x-request-id"), "the same request");
        assert_ne!(lost.connection, again.connection, "on a connection that is alive");
        // The next round begins on a connection of its own.
        assert_eq!(client.ask("POST /third", &[], b"").status, 502);
        backend.take();
    }
    let silent = Backend::answering(|_| Next::Close);
    let server = Setup::open(silent.address).start();
    assert_eq!(server.ask("GET /x", &[]).status, 502);
    assert_eq!(silent.take().len(), 1, "a new connection that dies has no second");
}

#[test]
fn a_request_that_does_not_arrive_in_time_is_408() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).variable("INCOMING_REQUEST_TIMEOUT", "500").start();
    let mut client = server.connect();
    let begin = Instant::now();
    client.send("POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhe");
    let reply = client.read().unwrap();
    assert_eq!((reply.status, reply.code().as_str()), (408, "request_timeout"));
    let took = begin.elapsed();
    assert!((Duration::from_millis(490)..Duration::from_secs(3)).contains(&took), "after {took:?}");
    assert!(client.until_closed().is_empty(), "the rest of the body is no request");
    backend.wait_open(0);
}

#[test]
fn every_address_of_a_name_is_tried() {
    let Ok(listener) = TcpListener::bind("[::1]:0") else { return };
    let port = listener.local_addr().unwrap().port();
    let backend = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        std::io::Read::read(&mut stream, &mut request).unwrap();
        std::io::Write::write_all(&mut stream, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap();
    });
    let server = Setup::new(&json!({"authenticationMethod": "none", "routes": [
        {"source": "^/(.*)$", "destination": "six", "authenticationType": "none"}]}))
    .destination_with(&json!({"name": "six", "url": format!("http://localhost:{port}")}))
    .start();
    assert_eq!(server.ask("GET /x", &[]).text(), "ok", "127.0.0.1 refuses, ::1 answers");
    backend.join().unwrap();
}
