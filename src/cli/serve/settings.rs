//! What the process as a whole is told, and never reloads.
//!
//! Ports, addresses, timeouts and authorities: they are read once, before the first snapshot, from what
//! was typed and from the environment. What can change while it runs is in the snapshot.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::{Admin, Failed, Options};
use crate::config::Environment;
use crate::listener::tls::CertificateFiles;
use crate::observe::log::Level;
use crate::secret::Secret;

/// The port where none is given.
const PORT: u16 = 5000;
/// The admin port where none is given.
const ADMIN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9900);
/// How long requests in flight may take to finish.
const DRAIN: Duration = Duration::from_secs(30);
/// The same on Cloud Foundry, which kills after 10 s.
const DRAIN_ON_CLOUD_FOUNDRY: Duration = Duration::from_secs(9);

/// The settings of one process.
#[derive(Debug)]
pub(super) struct Settings {
    /// Where to listen.
    pub address: SocketAddr,
    /// Where the admin port listens.
    pub admin: Admin,
    /// `ADMIN_TOKEN`.
    pub admin_token: Option<Secret>,
    /// How many workers.
    pub workers: NonZeroUsize,
    /// `XS_APP_LOG_LEVEL`.
    pub level: Level,
    /// Whether requests are logged: `ACCESS_LOG`.
    pub access_log: bool,
    /// `DRAIN_TIMEOUT`.
    pub drain_timeout: Duration,
    /// `TLS_CERT_FILE` and `TLS_KEY_FILE`.
    pub certificate: Option<CertificateFiles>,
    /// Whether connections to backends carry more than one request, unless `DISABLE_CONNECTION_REUSE`.
    pub connection_reuse: bool,
    /// `XS_CACERT_PATH`.
    pub authorities: Vec<CertificateDer<'static>>,
}

impl Settings {
    /// What was typed, then what the environment says, then the defaults.
    pub(super) fn of(options: &Options, environment: &Environment) -> Result<Self, Failed> {
        let number = |name: &str| number(environment, name);
        let port = match options.port {
            Some(port) => port,
            None => number("PORT")?
                .map_or(Ok(PORT), u16::try_from)
                .map_err(|_| "PORT: a port is at most 65535")?,
        };
        let host = match environment.value("XS_BIND_ADDRESS") {
            Some(text) => text.parse().map_err(|_| format!("XS_BIND_ADDRESS: {text:?} is no IP address"))?,
            None => any_address(),
        };
        let drain = if environment.is_cloud_foundry() { DRAIN_ON_CLOUD_FOUNDRY } else { DRAIN };
        Ok(Self {
            address: SocketAddr::new(host, port),
            admin: admin(options, environment)?,
            admin_token: environment.value("ADMIN_TOKEN").map(Secret::new),
            workers: workers(options, number("VESTIBULE_WORKERS")?),
            level: level(environment)?,
            access_log: environment.value("ACCESS_LOG") != Some("off"),
            drain_timeout: number("DRAIN_TIMEOUT")?.map_or(drain, Duration::from_secs),
            certificate: certificate(environment)?,
            connection_reuse: environment.value("DISABLE_CONNECTION_REUSE") != Some("true"),
            authorities: authorities(environment)?,
        })
    }
}

fn number(environment: &Environment, name: &str) -> Result<Option<u64>, Failed> {
    let Some(text) = environment.value(name).filter(|text| !text.is_empty()) else { return Ok(None) };
    let number = text.trim().parse().map_err(|_| format!("{name}: {text:?} is no whole number"))?;
    Ok(Some(number))
}

/// All addresses of both families, or of IPv4 where the machine has no IPv6.
fn any_address() -> IpAddr {
    let has_ipv6 = std::net::TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)).is_ok();
    if has_ipv6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() }
}

fn workers(options: &Options, variable: Option<u64>) -> NonZeroUsize {
    let variable = variable.and_then(|n| usize::try_from(n).ok()).and_then(NonZeroUsize::new);
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    options.workers.or(variable).unwrap_or_else(cores)
}

fn admin(options: &Options, environment: &Environment) -> Result<Admin, Failed> {
    if let Some(admin) = options.admin {
        return Ok(admin);
    }
    match environment.value("ADMIN_ADDRESS") {
        None => Ok(Admin::At(ADMIN)),
        Some("off") => Ok(Admin::Off),
        Some(text) => Ok(Admin::At(
            text.parse().map_err(|_| format!("ADMIN_ADDRESS: {text:?} is neither ADDR:PORT nor off"))?,
        )),
    }
}

fn level(environment: &Environment) -> Result<Level, Failed> {
    let Some(name) = environment.value("XS_APP_LOG_LEVEL") else { return Ok(Level::default()) };
    Level::named(name).ok_or_else(|| {
        format!("XS_APP_LOG_LEVEL: {name:?} is none of error, warning, info, path, debug").into()
    })
}

fn certificate(environment: &Environment) -> Result<Option<CertificateFiles>, Failed> {
    match (environment.value("TLS_CERT_FILE"), environment.value("TLS_KEY_FILE")) {
        (None, None) => Ok(None),
        (Some(chain), Some(key)) => Ok(Some(CertificateFiles { chain: chain.into(), key: key.into() })),
        (Some(_), None) => Err("TLS_CERT_FILE is set, TLS_KEY_FILE is not".into()),
        (None, Some(_)) => Err("TLS_KEY_FILE is set, TLS_CERT_FILE is not".into()),
    }
}

/// `XS_CACERT_PATH` is a list of paths with `:` between them, or in JSON; each file holds certificates in
/// PEM.
pub(in crate::cli) fn authorities(environment: &Environment) -> Result<Vec<CertificateDer<'static>>, Failed> {
    let Some(text) = environment.value("XS_CACERT_PATH").filter(|text| !text.is_empty()) else {
        return Ok(Vec::new());
    };
    let paths: Vec<PathBuf> = if text.starts_with('[') {
        serde_json::from_str(text).map_err(|error| format!("XS_CACERT_PATH: {error}"))?
    } else {
        std::env::split_paths(text).collect()
    };
    let mut authorities = Vec::new();
    for path in paths {
        let found = CertificateDer::pem_file_iter(&path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| format!("XS_CACERT_PATH: {}: {error}", path.display()))?;
        authorities.extend(found);
    }
    Ok(authorities)
}
