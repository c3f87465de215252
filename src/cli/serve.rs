//! `vestibule serve`: listens until it is told to stop.
//!
//! What was typed goes before what the environment says, and that before the defaults.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

/// What `serve` was asked for; `None` leaves the choice to the environment and the defaults.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the configuration is.
    pub directory: PathBuf,
    /// The port to listen on; 0 takes a free one.
    pub port: Option<u16>,
    /// The admin port.
    pub admin: Option<Admin>,
    /// How many threads serve requests.
    pub workers: Option<NonZeroUsize>,
    /// Stands in for the process's environment.
    pub environment: Option<BTreeMap<String, String>>,
}

/// Where the admin port listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admin {
    /// At this address.
    At(SocketAddr),
    /// Nowhere.
    Off,
}

/// Serves; returns when stopped.
#[must_use]
pub fn run(options: Options) -> ExitCode {
    drop(options);
    super::complain("vestibule serve: not supported yet");
    ExitCode::from(super::USAGE)
}
