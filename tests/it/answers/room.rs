//! Memory: a large answer is compressed in flat memory, and no number of slow readers takes more than there is.
//!
//! What was measured is shown by `cargo nextest run --no-capture -E 'test(/answers::room/)'`.

#![cfg(target_os = "linux")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use crate::harness::coding::read;
use crate::harness::{Client, Server, Setup};

/// KiB of the server that lie in memory.
fn resident(server: &Server) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Text that gets about half as long.
fn text(length: usize) -> Vec<u8> {
    let mut state = 7_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b'a' + u8::try_from(state >> 28).unwrap()
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// Gives so many KiB of text to whoever asks, and then no more of the MiB that it promised before the end.
fn backend(kib: usize, promised: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Longer than any window, or it would be compressed to nothing.
    let kib_of_block = kib.min(512);
    let block = Arc::new(text(kib_of_block * 1024));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, block) = (stream.unwrap(), Arc::clone(&block));
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length:";
                let _ = stream.write_all(format!("{head} {}\r\n\r\n", promised * 1024).as_bytes());
                for _ in 0..kib / kib_of_block {
                    if stream.write_all(&block).is_err() {
                        return;
                    }
                }
                // It stays open until the other end goes.
                let _ = stream.read(&mut [0; 1]);
            });
        }
    });
    address
}

fn begun(server: &Server, coding: &str) -> (Client, bool) {
    let mut client = server.connect();
    client.send(format!("GET /x HTTP/1.1\r\nHost: a.example\r\nAccept-Encoding: {coding}\r\n\r\n"));
    let (status, headers) = client.head().unwrap();
    assert_eq!(status, 200);
    (client, headers.iter().any(|(name, value)| name == "content-encoding" && value == coding))
}

fn server(backend: SocketAddr) -> Server {
    let server =
        Setup::open(backend).variable("VESTIBULE_WORKERS", "1").variable("ACCESS_LOG", "off").start();
    server.ask_admin("GET /healthz");
    server
}

#[test]
fn a_large_answer_is_compressed_in_flat_memory() {
    const LENGTH: usize = 24 * 1024;
    for coding in ["gzip", "br", "zstd"] {
        let server = server(backend(LENGTH, LENGTH));
        let before = resident(&server);
        let (mut client, compressed) = begun(&server, coding);
        assert!(compressed);
        let (mut length, mut most) = (0, 0);
        loop {
            let chunk = client.chunk().unwrap();
            if chunk.is_empty() {
                break;
            }
            length += chunk.len();
            most = most.max(resident(&server));
        }
        let grown = most.saturating_sub(before);
        eprintln!("{coding}: {LENGTH} KiB became {} KiB, {before} + {grown} KiB", length / 1024);
        assert!(length / 1024 < LENGTH * 3 / 4 && grown < 12 * 1024, "{coding}: {before} + {grown} KiB");
    }
}

#[test]
fn slow_readers_share_the_room_that_there_is() {
    for (coding, cost, kib, readers) in
        [("gzip", 400, 64, 200), ("zstd", 1200, 192, 80), ("br", 2600, 384, 40)]
    {
        let server = server(backend(kib, 2 * kib));
        let before = resident(&server);
        let mut begun: Vec<_> = (0..readers).map(|_| begun(&server, coding)).collect();
        let compressed = begun.iter().filter(|(_, compressed)| *compressed).count();
        for (client, _) in begun.iter_mut().filter(|(_, compressed)| *compressed) {
            // All of it is there, so the encoder has seen it.
            let mut bytes = Vec::new();
            while bytes.len() < kib * 1024 * 2 / 5 || read(coding, &bytes).0.len() < kib * 1024 {
                bytes.extend(client.chunk().unwrap());
            }
        }
        let grown = resident(&server).saturating_sub(before);
        eprintln!("{coding}: {compressed} of {readers} compressed, {grown} KiB more, connections included");
        assert_eq!(compressed, 64 * 1024 / cost, "{coding}: the others get it as it is");
        assert!(grown < 100 * 1024, "{coding}: {grown} KiB");
    }
}
