//! Forwarding: what a backend receives and a client gets, in every form that HTTP has for it.
//!
//! The real binary stands between raw sockets, so that framing, order and timing are seen as they are
//! on the wire. Where a second HTTP library is needed (HTTP/2 behind), it is hyper's, on one thread.

mod edges;
mod failures;
mod http2;
mod messages;
mod streams;

use super::harness::{Client, Reply, Server};

/// By how much the server's memory may grow while it streams, in KiB.
const GROWTH: usize = 32 * 1024;

/// The answer to a request that is written as it stands.
fn raw(client: &mut Client, request: &str) -> Reply {
    client.send(request);
    client.read().unwrap_or_else(|why| panic!("{request:?}: {why:?}"))
}

/// The most memory the server ever had, in KiB.
fn peak(server: &Server) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
