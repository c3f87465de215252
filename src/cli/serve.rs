//! `vestibule serve`: listens until it is told to stop.
//!
//! What was typed goes before what the environment says, and that before the defaults. Everything that
//! can be wrong is looked at before the port is opened. Each worker is a thread with a runtime, a socket
//! and connections of its own; whatever is slow (key sets, files, the admin port) runs beside them.

mod development;
mod lasting;
mod overview;
mod settings;
mod workers;

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};

pub use self::development::Development;
use self::lasting::Lasting;
use self::overview::Overview;
use self::settings::Settings;
pub(super) use self::settings::authorities;
use self::workers::Workers;
pub(super) use self::workers::resolver;
use super::issuer::Issuer;
use crate::admin;
use crate::auth::{Assertions, Clock};
use crate::config::{self, Environment, Loaded, NOT_SUPPORTED_YET, Problem, Severity, Sources};
use crate::endpoint::farewell::Farewells;
use crate::forward::Connector;
use crate::forward::client::Client;
use crate::forward::tls::BackendTls;
use crate::observe::audit::Audit;
use crate::observe::denials::Denials;
use crate::observe::log;
use crate::observe::metrics::{FetchResult, Metrics};
use crate::observe::sink::{Format, Sink};
use crate::reload::Reloader;
use crate::snapshot::{Published, Snapshot};

/// How many sessions may have ended whose backends were not told yet; of more they hear nothing.
const ENDINGS: usize = 1_024;

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
    /// Puts the development issuer in front: `--dev`.
    pub development: Option<Development>,
}

/// Where the admin port listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admin {
    /// At this address.
    At(SocketAddr),
    /// Nowhere.
    Off,
}

/// Why the server does not start; printed as it is.
type Failed = Box<dyn Error + Send + Sync>;

/// Serves; returns when stopped.
#[must_use]
pub fn run(options: &Options) -> ExitCode {
    run_beside(options, None)
}

/// Serves beside an issuer of this process, which is told of the router.
pub(super) fn run_beside(options: &Options, issuer: Option<Arc<Issuer>>) -> ExitCode {
    match serve(options, issuer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            super::complain(&format!("vestibule: {error}"));
            ExitCode::from(super::PROBLEMS)
        }
    }
}

fn serve(options: &Options, beside: Option<Arc<Issuer>>) -> Result<(), Failed> {
    let environment = match options.environment.clone() {
        Some(variables) => variables.into_iter().collect(),
        None => Environment::of_process(),
    };
    let mut sources = Sources::new(options.directory.clone(), environment);
    let issuer = development::start(options, &mut sources)?.or(beside);
    let settings = Settings::of(options, &config::variables(&sources))?;
    let format = if std::io::stdout().is_terminal() { Format::Readable } else { Format::Json };
    let (sink, _flush) = Sink::start(format, std::io::stdout())?;
    // A second server in one process (the demo's) logs where the first does.
    drop(log::start(settings.level, &sink));
    let loaded = config::load(&sources);
    let slow = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(16)
        .thread_name("slow")
        .enable_all()
        .build()?;
    let handle = slow.handle().clone();
    let served = slow.block_on(Server { settings, sources, sink, slow: handle, issuer }.run(loaded));
    // A file or name that is being looked up keeps nobody from stopping.
    slow.shutdown_background();
    served
}

/// A server that is about to run.
struct Server {
    settings: Settings,
    sources: Sources,
    sink: Sink,
    slow: tokio::runtime::Handle,
    /// The development issuer, where there is one.
    issuer: Option<Arc<Issuer>>,
}

impl Server {
    async fn run(self, mut loaded: Loaded) -> Result<(), Failed> {
        let snapshot = startable(&mut loaded)?;
        let (ended, endings) = mpsc::channel(ENDINGS);
        let store = loaded.store.take();
        let lasting = Lasting::new(&self.settings, &self.slow, store, assertions(&snapshot)?, ended)?;
        let published = Arc::new(Published::new(snapshot));
        let metrics = Arc::new(Metrics::new());
        let denials = Arc::new(Denials::default());
        let counted = Arc::clone(&metrics);
        lasting.keys.observe(Box::new(move |usable| {
            counted.jwks_fetch(if usable { FetchResult::Success } else { FetchResult::Failure });
        }));
        self.slow.spawn(self.farewells(&published, &lasting)?.run(endings));
        let (stop, drain) = watch::channel(false);
        let workers = Workers {
            settings: &self.settings,
            sink: &self.sink,
            published: &published,
            metrics: &metrics,
            denials: &denials,
            lasting: &lasting,
            drain,
        };
        let (address, certificate) = workers.start()?;
        if let Some(issuer) = &self.issuer {
            development::stand_behind(issuer, &published, address);
        }
        let watched = certificate.iter().flat_map(|c| c.files().map(PathBuf::from)).collect::<Vec<_>>();
        let also = Box::new(move || workers::reload_certificate(certificate.as_deref()));
        let reloader = Reloader::start(
            Arc::clone(&published),
            self.sources.clone(),
            &loaded,
            Arc::clone(&metrics),
            also,
            watched.clone(),
        )?;
        let shown = published.current();
        let draining = Arc::new(AtomicBool::new(false));
        let overview = Overview {
            published,
            reloader: reloader.clone(),
            store: Arc::clone(&lasting.keys),
            bench: lasting.rehearsal()?,
            sessions: lasting.sessions.clone(),
            draining: Arc::clone(&draining),
        };
        self.start_admin(overview, metrics, denials, &stop).await?;
        let scheme = if watched.is_empty() { "http" } else { "https" };
        if let (Some(issuer), Some(_)) = (&self.issuer, &self.sources.development) {
            super::complain(&development::notice(issuer, &shown, address));
        }
        tracing::info!("listening on {scheme}://{address}");
        until_stopped(&reloader).await?;
        draining.store(true, Ordering::Relaxed);
        self.drain(stop).await
    }

    /// Who tells backends of sessions that end by themselves.
    fn farewells(&self, published: &Arc<Published>, lasting: &Lasting) -> Result<Farewells, Failed> {
        Ok(Farewells {
            published: Arc::clone(published),
            client: Client::new(Connector::new(BackendTls::new(&self.settings.authorities)?)),
            assertions: Arc::clone(&lasting.assertions),
            tokens: lasting.services.clone(),
            lookups: lasting.lookups.clone(),
            audit: Audit::new(&self.sink),
        })
    }

    async fn start_admin(
        &self,
        overview: Overview,
        metrics: Arc<Metrics>,
        denials: Arc<Denials>,
        stop: &watch::Sender<bool>,
    ) -> Result<(), Failed> {
        let Admin::At(address) = self.settings.admin else { return Ok(()) };
        let options = admin::Options::new(address, self.settings.admin_token.clone(), Vec::new())?;
        let listener = tokio::net::TcpListener::bind(address).await.map_err(|error| {
            format!("the admin port {address} cannot be opened: {error} (--admin ADDR, --admin off)")
        })?;
        tracing::info!("admin on http://{}", listener.local_addr()?);
        let admin = Arc::new(admin::Admin::new(options, metrics, denials, Arc::new(overview)));
        // The admin port stays until the process ends, so that readiness can say that it is ending.
        let stop = stop.clone();
        tokio::spawn(admin::serve(listener, admin, async move { stop.closed().await }));
        Ok(())
    }

    async fn drain(&self, stop: watch::Sender<bool>) -> Result<(), Failed> {
        // Listened for before anybody can see that it stops, or a second signal could be missed.
        let mut again = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tracing::info!("stopping: no new connections, requests in flight finish");
        stop.send_replace(true);
        tokio::select! {
            () = stop.closed() => tracing::info!("stopped"),
            () = tokio::time::sleep(self.settings.drain_timeout) => tracing::warn!("stopped; some requests did not finish"),
            _ = again.recv() => tracing::warn!("stopped at once"),
            _ = interrupt.recv() => tracing::warn!("stopped at once"),
        }
        Ok(())
    }
}

/// The configuration, if a server may start with it; what is wrong, or probably not meant, goes to
/// standard error. What is merely worth knowing is left to `check`.
fn startable(loaded: &mut Loaded) -> Result<Snapshot, Failed> {
    let told = |problem: &&Problem| problem.severity != Severity::Note || problem.code == NOT_SUPPORTED_YET;
    // At once, as standard error writes every piece by itself.
    let mut out = std::io::BufWriter::new(std::io::stderr());
    loaded.problems.iter().filter(told).try_for_each(|problem| writeln!(out, "{problem}"))?;
    out.flush()?;
    let count = loaded.problems.preventing_start().count();
    match loaded.snapshot.take() {
        Some(snapshot) if count == 0 => Ok(snapshot),
        Some(_) | None => Err(format!("not started: {count} problem(s), see above").into()),
    }
}

/// With a key from the start, where backends get assertions.
fn assertions(snapshot: &Snapshot) -> Result<Assertions, Failed> {
    if !snapshot.assertion {
        return Ok(Assertions::new(Clock::System));
    }
    Assertions::generate(Clock::System).map_err(|_| "the system gives no randomness for a key".into())
}

/// Reloads on SIGHUP; returns on SIGTERM and SIGINT.
async fn until_stopped(reloader: &Reloader) -> std::io::Result<()> {
    let mut signals: [Signal; 3] =
        [signal(SignalKind::hangup())?, signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?];
    let [hangup, terminate, interrupt] = &mut signals;
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = hangup.recv() => drop(reloader.reload().await),
        }
    }
}
