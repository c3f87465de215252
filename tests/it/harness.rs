//! What the tests of the whole are made of: the real binary, a raw backend, a raw client, an issuer.
//!
//! Everything is plain threads and blocking sockets, so that a test sees bytes as they arrive and no
//! second HTTP library judges the first. Waiting is always for an event with a deadline, never a sleep.

pub(crate) mod backend;
pub(crate) mod browser;
pub(crate) mod client;
pub(crate) mod coding;
pub(crate) mod echo;
pub(crate) mod fixture;
pub(crate) mod h2;
pub(crate) mod ias;
pub(crate) mod issuer;
pub(crate) mod meddler;
pub(crate) mod navigator;
pub(crate) mod oidc_provider;
pub(crate) mod provider;
pub(crate) mod proxy;
pub(crate) mod redis;
pub(crate) mod roamer;
pub(crate) mod server;
pub(crate) mod standin;
pub(crate) mod subaccount;
pub(crate) mod tab;
pub(crate) mod tls;
pub(crate) mod websocket;
pub(crate) mod wire;
pub(crate) mod xsuaa;

use std::time::Duration;

pub(crate) use backend::{Backend, Recorded};
pub(crate) use client::{Client, Reply};
pub(crate) use issuer::Issuer;
pub(crate) use provider::Provider;
pub(crate) use server::{Server, Setup};
pub(crate) use tab::Tab;

/// How long anything may take before the test that waits for it fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// Bytes as text, each byte one character: what is on the wire stays comparable.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// The bytes of a text made by [`latin1`].
pub(crate) fn from_latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).expect("latin-1 text")).collect()
}
