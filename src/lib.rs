//! Vestibule, a multi-tenant application router.
//!
//! The order of the modules is the way of a request, and the direction of the dependencies: a stage
//! may name the stages above it, never one below; only [`pipeline`] calls stages. What the stages
//! know ([`snapshot`]) is compiled by [`config`] and swapped by [`reload`]. The ground ([`clock`],
//! [`observe`], [`secret`]) names nothing of the crate. `tests/it/architecture.rs` reads this file and
//! keeps it so.

// ── what a request meets, in order ──
pub mod listener;
pub mod pipeline;
pub mod request;
pub mod tenant;
pub mod session;
pub mod auth;
pub mod route;
pub mod destination;
pub mod forward;
pub mod error;
pub mod response;

// ── what answers by itself ──
pub mod endpoint;
pub mod admin;

// ── what the stages know ──
pub mod snapshot;
pub mod config;
pub mod reload;

// ── ground ──
pub mod clock;
pub mod observe;
pub mod secret;

// ── the way in ──
pub mod cli;
