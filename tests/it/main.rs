//! The tests that look at the whole: the real binary, at real sockets, judged at a raw backend.
//!
//! One binary with one module a file, so that it links once. Everything is hermetic: loopback only,
//! ports chosen by the system, nothing waits by sleeping, and what the backend's thread asserts fails
//! the test that started it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what fails here fails a test, and says where"
)]

mod architecture;
mod cli;
mod config;
mod demo;
mod forwarding;
mod fuzz_replay;
mod harness;
mod patterns;
mod security_09_forwarded;
mod security_10_host;
mod security_11_host_pattern;
mod security_12_path_prefix;
mod security_13_path_forms;
mod security_14_query;
mod security_14_query_match;
mod security_23_tokens;
mod security_24_keys;
mod security_32_patterns;
mod tokens;
