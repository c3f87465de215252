//! Class 40, running out.
//!
//! Recipe: a process with 128 file descriptors meets 400 connections; thousands of connections that say
//! nothing; header blocks and requests without end. Must happen: the accept loop lives, the admin port
//! answers, and two seconds after the flood everything is served again.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::harness::{Backend, Client, Server, Setup};

fn recovers(server: &Server) {
    let deadline = Instant::now() + Duration::from_secs(2);
    loop {
        let mut client = server.connect();
        client.stream().set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        if client.try_ask("GET /after", &[], b"").is_ok_and(|reply| reply.status == 200) {
            return;
        }
        assert!(Instant::now() < deadline, "not served again within two seconds");
    }
}

#[test]
fn without_file_descriptors_the_accept_loop_lives() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).through(&["prlimit", "--nofile=128"]).start();
    assert_eq!(server.ask("GET /before", &[]).status, 200);
    let flood: Vec<TcpStream> = (0..400).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    assert_eq!(server.ask_admin("GET /healthz").status, 200);
    drop(flood);
    recovers(&server);
}

#[test]
fn idle_connections_cost_nobody_else_anything() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let idle: Vec<Client> = (0..600)
        .map(|n| {
            let mut client = server.connect();
            if n % 2 == 0 {
                assert_eq!(client.ask("GET /first", &[], b"").status, 200);
            }
            client
        })
        .collect();
    let mut client = server.connect();
    for _ in 0..200 {
        assert_eq!(client.ask("GET /healthy", &[], b"").status, 200);
    }
    assert_eq!(server.ask_admin("GET /healthz").status, 200);
    drop(idle);
    recovers(&server);
}

#[test]
fn header_blocks_are_bounded() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let long = "a".repeat(40_000);
    assert_eq!(server.ask("GET /x", &[("X-Long", &long)]).status, 431, "a long value");
    let target = format!("GET /{}", "a".repeat(17_000));
    assert_eq!(server.ask(&target, &[]).status, 414, "a long target");
    let names: Vec<String> = (0..200).map(|n| format!("X-{n}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "y")).collect();
    assert_eq!(server.ask("GET /x", &many).status, 431, "many fields");
    let mut endless = server.connect();
    endless.send("GET /x HTTP/1.1\r\nHost: a.example\r\n");
    let block =
        "X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(100);
    let mut written = 0;
    while std::io::Write::write_all(&mut endless.stream(), block.as_bytes()).is_ok() {
        written += block.len();
        assert!(written < 64 << 20, "a header block without end is being read");
    }
    assert_eq!(backend.requests().len(), 0);
    assert_eq!(server.ask("GET /x", &[]).status, 200);
}
