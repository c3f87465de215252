//! Streams: big bodies in flat memory, back-pressure both ways, events one by one, ends that are noticed.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{GROWTH, peak};
use crate::harness::backend::Next;
use crate::harness::client::NoReply;
use crate::harness::h2::H2;
use crate::harness::{Backend, Client, DEADLINE, Setup};

const MIB: usize = 1024 * 1024;
/// How much is streamed.
const BLOCKS: usize = 1024;
/// What sockets and buffers on the way may hold of a body that nobody takes.
const HELD: usize = 24 * MIB;

/// A block that differs from all others.
fn block(number: usize) -> Vec<u8> {
    let mut block = vec![b'x'; MIB];
    block[..8].copy_from_slice(&number.to_be_bytes());
    block
}

/// Reads the end of a head, byte by byte, and returns the head.
fn head(mut stream: &TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// A backend for one connection, which `serve` is given.
fn once<T: Send + 'static>(
    serve: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (SocketAddr, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        serve(stream)
    });
    (address, thread)
}

/// Reads blocks and compares them.
fn expect_blocks(mut stream: &TcpStream, count: usize) {
    let mut got = vec![0; MIB];
    let mut expected = block(0);
    for number in 0..count {
        stream.read_exact(&mut got).unwrap();
        expected[..8].copy_from_slice(&number.to_be_bytes());
        assert!(got == expected, "block {number} differs");
    }
}

fn write_blocks(mut stream: &TcpStream, count: usize) {
    let mut next = block(0);
    for number in 0..count {
        next[..8].copy_from_slice(&number.to_be_bytes());
        stream.write_all(&next).unwrap();
    }
}

#[test]
fn a_gibibyte_comes_down_in_flat_memory() {
    let (address, backend) = once(|mut stream| {
        head(&stream);
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", BLOCKS * MIB).unwrap();
        write_blocks(&stream, BLOCKS);
    });
    let server = Setup::open(address).start();
    let before = peak(&server);
    let client = server.connect();
    client.stream().write_all(b"GET /big HTTP/1.1\r\nHost: a.example\r\n\r\n").unwrap();
    let begin = Instant::now();
    assert!(head(client.stream()).contains(&format!("content-length: {}", BLOCKS * MIB)));
    expect_blocks(client.stream(), BLOCKS);
    eprintln!("1 GiB down in {:?}, {before} → {} KiB", begin.elapsed(), peak(&server));
    assert!(peak(&server) - before < GROWTH, "{before} → {} KiB", peak(&server));
    backend.join().unwrap();
}

#[test]
fn a_gibibyte_goes_up_in_flat_memory() {
    let (address, backend) = once(|mut stream| {
        assert!(head(&stream).contains(&format!("content-length: {}", BLOCKS * MIB)));
        expect_blocks(&stream, BLOCKS);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap();
    });
    let server = Setup::open(address).start();
    let before = peak(&server);
    let mut client = server.connect();
    client.send(format!("PUT /big HTTP/1.1\r\nHost: a.example\r\nContent-Length: {}\r\n\r\n", BLOCKS * MIB));
    let begin = Instant::now();
    write_blocks(client.stream(), BLOCKS);
    assert_eq!(client.read().unwrap().status, 200);
    eprintln!("1 GiB up in {:?}, {before} → {} KiB", begin.elapsed(), peak(&server));
    assert!(peak(&server) - before < GROWTH, "{before} → {} KiB", peak(&server));
    backend.join().unwrap();
}

/// Writes until nothing more is taken for a while; says how much went.
fn fill(mut stream: &TcpStream) -> usize {
    stream.set_write_timeout(Some(Duration::from_millis(700))).unwrap();
    let block = vec![b'y'; 64 * 1024];
    let mut total = 0;
    // A partial write counts; the first that takes nothing in time is the end.
    while let Ok(length) = stream.write(&block) {
        total += length;
        assert!(total < 4 * HELD, "nothing holds the sender back");
    }
    stream.set_write_timeout(Some(DEADLINE)).unwrap();
    total
}

#[test]
fn a_client_that_does_not_read_holds_the_backend_back() {
    let (held, filled) = channel();
    let (address, backend) = once(move |mut stream| {
        head(&stream);
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 4 * HELD).unwrap();
        let total = fill(&stream);
        held.send(total).unwrap();
        stream.write_all(&vec![b'y'; 4 * HELD - total]).unwrap();
    });
    let server = Setup::open(address).start();
    let before = peak(&server);
    let client = server.connect();
    client.stream().write_all(b"GET /big HTTP/1.1\r\nHost: a.example\r\n\r\n").unwrap();
    let total = filled.recv_timeout(DEADLINE).unwrap();
    assert!(total < HELD, "{total} bytes were taken for a client that reads none");
    head(client.stream());
    let mut rest = vec![0; 4 * HELD];
    client.stream().read_exact(&mut rest).unwrap();
    assert!(peak(&server) - before < GROWTH, "{before} → {} KiB", peak(&server));
    backend.join().unwrap();
}

#[test]
fn a_backend_that_does_not_read_holds_the_client_back() {
    let (go, gone) = channel();
    let (address, backend) = once(move |mut stream| {
        head(&stream);
        gone.recv_timeout(DEADLINE).unwrap();
        stream.read_exact(&mut vec![0; 4 * HELD]).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap();
    });
    let server = Setup::open(address).start();
    let before = peak(&server);
    let mut client = server.connect();
    client.send(format!("PUT /big HTTP/1.1\r\nHost: a.example\r\nContent-Length: {}\r\n\r\n", 4 * HELD));
    let total = fill(client.stream());
    assert!(total < HELD, "{total} bytes were taken for a backend that reads none");
    go.send(()).unwrap();
    client.stream().write_all(&vec![b'y'; 4 * HELD - total]).unwrap();
    assert_eq!(client.read().unwrap().status, 200);
    assert!(peak(&server) - before < GROWTH, "{before} → {} KiB", peak(&server));
    backend.join().unwrap();
}

#[test]
fn a_stream_whose_client_opens_no_window_holds_the_backend_back() {
    let (held, filled) = channel();
    let (address, backend) = once(move |mut stream| {
        head(&stream);
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 4 * HELD).unwrap();
        held.send(fill(&stream)).unwrap();
        // The router hangs up when its client does; until then nothing comes.
        stream.read(&mut [0]).unwrap_or(0)
    });
    let server = Setup::open(address).start();
    let before = peak(&server);
    let mut h2 = H2::connect(server.address);
    let fields = [(":method", "GET"), (":scheme", "http"), (":path", "/big"), (":authority", "a.example")];
    let stream = h2.open(&fields, true);
    let total = filled.recv_timeout(DEADLINE).unwrap();
    assert!(total < HELD, "{total} bytes were taken for a client that takes 64 KiB");
    assert!(peak(&server) - before < GROWTH, "{before} → {} KiB", peak(&server));
    h2.send(3, 0, stream, &8_u32.to_be_bytes());
    assert_eq!(backend.join().unwrap(), 0, "the backend is let go");
}

/// Sends an event each time it is told to, and ends when told so by hanging up.
fn events() -> (Backend, Sender<()>) {
    let (next, awaited) = channel();
    let awaited: Mutex<Receiver<()>> = Mutex::new(awaited);
    let backend = Backend::answering(move |exchange| {
        exchange.write(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
        );
        while awaited.lock().unwrap().recv_timeout(DEADLINE).is_ok() {
            exchange.write("9\r\ndata: 1\n\n\r\n");
        }
        exchange.write("0\r\n\r\n");
        Next::Keep
    });
    (backend, next)
}

#[test]
fn events_arrive_one_by_one() {
    for encoding in ["", "Accept-Encoding: gzip, deflate, br, zstd\r\n"] {
        let (backend, next) = events();
        let server = Setup::open(backend.address).start();
        let mut client = server.connect();
        client.send(format!(
            "GET /events HTTP/1.1\r\nHost: a.example\r\nAccept: text/event-stream\r\n{encoding}\r\n"
        ));
        let head = head(client.stream());
        assert!(head.contains("text/event-stream") && !head.contains("content-encoding"), "{head}");
        for _ in 0..20 {
            // The next is only sent when this one has arrived.
            next.send(()).unwrap();
            assert_eq!(client.exactly(14).unwrap(), b"9\r\ndata: 1\n\n\r\n");
        }
        drop(next);
        assert_eq!(client.exactly(5).unwrap(), b"0\r\n\r\n");
    }
}

#[test]
fn events_arrive_one_by_one_over_http2() {
    let (backend, next) = events();
    let server = Setup::open(backend.address).start();
    let mut h2 = H2::connect(server.address);
    let fields = [(":method", "GET"), (":scheme", "http"), (":path", "/events"), (":authority", "a.example")];
    let stream = h2.open(&fields, true);
    let frame = h2.frame().unwrap();
    assert_eq!((frame.kind, frame.stream), (1, stream));
    for _ in 0..20 {
        next.send(()).unwrap();
        let frame = h2.frame().unwrap();
        assert_eq!((frame.kind, frame.payload.as_slice()), (0, &b"data: 1\n\n"[..]));
    }
    drop(next);
    assert_eq!(h2.frame().unwrap().flags & 1, 1, "the end");
}

/// Answers as told and then only listens.
fn listening(answer: &'static str) -> Backend {
    Backend::answering(move |exchange| {
        exchange.write(answer);
        Next::Watch
    })
}

#[test]
fn a_client_that_goes_away_ends_the_request_at_the_backend() {
    let rows = [
        ("", "before the answer"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", "within the answer"),
    ];
    for (answer, when) in rows {
        let backend = listening(answer);
        let server = Setup::open(backend.address).start();
        let mut client = server.connect();
        client.send("GET /slow HTTP/1.1\r\nHost: a.example\r\n\r\n");
        backend.wait(when, |seen| seen.len() == 1);
        if !answer.is_empty() {
            head(client.stream());
        }
        drop(client);
        backend.wait_open(0);
    }
}

#[test]
fn a_stream_that_is_reset_ends_the_request_at_the_backend() {
    let backend = listening("");
    let server = Setup::open(backend.address).start();
    let mut h2 = H2::connect(server.address);
    let fields = [(":method", "GET"), (":scheme", "http"), (":path", "/slow"), (":authority", "a.example")];
    let stream = h2.open(&fields, true);
    backend.wait("the request", |seen| seen.len() == 1);
    h2.send(3, 0, stream, &8_u32.to_be_bytes());
    backend.wait_open(0);
}

#[test]
fn a_client_that_goes_away_in_its_body_breaks_the_backends_off() {
    for framing in ["Content-Length: 10\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"] {
        let backend = Backend::start();
        let server = Setup::open(backend.address).start();
        let mut client = server.connect();
        client.send(format!("POST /up HTTP/1.1\r\nHost: a.example\r\n{framing}"));
        backend.wait("the head", |seen| seen.len() == 1);
        drop(client);
        backend.wait_open(0);
        assert!(!backend.only().complete, "half a body must not look like a whole one");
    }
}

#[test]
fn a_backend_that_breaks_off_breaks_the_answer_off_at_once() {
    let cut = |answer: &'static str| {
        Backend::answering(move |exchange| {
            exchange.write(answer);
            Next::Close
        })
    };
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ] {
        let backend = cut(answer);
        let server = Setup::open(backend.address).start();
        let begin = Instant::now();
        let mut client: Client = server.connect();
        assert_eq!(client.try_ask("GET /half", &[], b"").unwrap_err(), NoReply::Cut, "{answer}");
        let mut h2 = H2::connect(server.address);
        let fields =
            [(":method", "GET"), (":scheme", "http"), (":path", "/half"), (":authority", "a.example")];
        let stream = h2.open(&fields, true);
        let reset = std::iter::from_fn(|| h2.frame().ok()).find(|f| f.kind == 3 || f.flags & 1 == 1).unwrap();
        assert_eq!((reset.kind, reset.stream), (3, stream), "{answer}: {reset:?}");
        assert!(begin.elapsed() < Duration::from_secs(5), "after {:?}", begin.elapsed());
    }
}
