//! The tests that look at the whole: the real binary, at real sockets, judged at a raw backend.
//!
//! One binary with one module a file, so that it links once. Everything is hermetic: loopback only,
//! ports chosen by the system, nothing waits by sleeping, and what the backend's thread asserts fails
//! the test that started it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::type_complexity,
    clippy::format_collect,
    clippy::needless_pass_by_value,
    reason = "what fails here fails a test and says where; tables of cases are many-columned, and written in place"
)]

mod answers;
mod architecture;
mod backend_cookies;
mod browser;
mod cases;
mod cli;
mod config;
mod cross_origin;
mod demo;
mod destinations;
mod development;
mod forwarding;
mod fuzz_replay;
mod harness;
mod logged_in;
mod login_refused;
mod logout;
mod logout_provider;
mod outer_path;
mod own_answers;
mod patterns;
mod reloading;
mod security_01_framing;
mod security_02_early_answer;
mod security_03_undrained_body;
mod security_04_premature_upgrade;
mod security_05_h2c;
mod security_06_h2_to_h1;
mod security_07_hop_by_hop;
mod security_08_identity_headers;
mod security_09_forwarded;
mod security_10_host;
mod security_11_host_pattern;
mod security_12_path_prefix;
mod security_13_path_forms;
mod security_14_query;
mod security_15_client_switches;
mod security_16_open_redirect;
mod security_17_login_csrf;
mod security_18_mix_up;
mod security_19_fixation;
mod security_20_cookies;
mod security_21_cross_tenant;
mod security_22_stale;
mod security_23_tokens;
mod security_24_keys;
mod security_25_ssrf;
mod security_26_websocket;
mod security_27_slow_clients;
mod security_28_response_splitting;
mod security_29_hostile_backend;
mod security_30_trailers;
mod security_31_compression;
mod security_32_patterns;
mod security_33_confusion;
mod security_35_back_channel;
mod security_36_error_leakage;
mod security_37_tls;
mod security_39_fail_open;
mod security_40_exhaustion;
mod services;
mod sessions;
mod sessions_redis;
mod standins;
mod stopping;
mod tls;
mod tokens;
mod websockets;
