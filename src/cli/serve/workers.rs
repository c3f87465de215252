//! One thread a worker, each with a runtime, a socket and connections of its own.
//!
//! Workers share nothing that a request touches (one `SO_REUSEPORT` listener each); they end when the
//! drain has ended.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use super::Failed;
use super::lasting::Lasting;
use super::settings::Settings;
use crate::auth::store::Resolver as KeyResolver;
use crate::forward::Connector;
use crate::forward::client::Client;
use crate::forward::resolve::Resolver;
use crate::forward::tls::BackendTls;
use crate::listener::connection::{Serving, Timing};
use crate::listener::tls::Certificate;
use crate::listener::{self, Places};
use crate::observe::access::AccessLog;
use crate::observe::audit::Audit;
use crate::observe::denials::Denials;
use crate::observe::metrics::Metrics;
use crate::observe::sink::Sink;
use crate::pipeline::{Inner, WebSockets, Worker};
use crate::response::compress::Room;
use crate::snapshot::Published;

/// How long a request's header may take.
const HEADER: Duration = Duration::from_secs(10);
/// How long an idle connection is kept where it may be kept for ever.
const FOR_EVER: Duration = Duration::from_hours(24 * 365);

/// How often unused connections to backends are looked through.
const SWEEP: Duration = Duration::from_secs(5);

/// What all workers have in common.
pub(super) struct Workers<'a> {
    pub settings: &'a Settings,
    pub sink: &'a Sink,
    pub published: &'a Arc<Published>,
    pub metrics: &'a Arc<Metrics>,
    pub denials: &'a Arc<Denials>,
    pub lasting: &'a Lasting,
    pub drain: watch::Receiver<bool>,
}

impl Workers<'_> {
    /// Opens the port and starts every worker; says where they listen.
    pub(super) fn start(self) -> Result<(SocketAddr, Option<Arc<Certificate>>), Failed> {
        let certificate = self.settings.certificate.clone().map(Certificate::read).transpose()?;
        let acceptor = certificate.as_ref().map(Certificate::acceptor).transpose()?;
        let tls = BackendTls::new(&self.settings.authorities)?;
        let (places, websockets) = (Places::by_file_limit(), Places::of_websockets());
        let mut address = self.settings.address;
        listener::check_free(address).map_err(|error| refused(address, &error))?;
        for index in 0..self.settings.workers.get() {
            let socket = listener::bind(address).map_err(|error| refused(address, &error))?;
            // Port 0 takes a free one; the other workers share it.
            address = socket.local_addr()?;
            let worker = self.worker(tls.clone(), &websockets);
            let serving = Serving {
                answer: worker.clone(),
                tls: acceptor.clone(),
                timing: self.timing(),
                drain: self.drain.clone(),
            };
            let recorder = self.metrics.recorder();
            let places = Arc::clone(&places);
            let run = move || run(socket, worker, serving, places, recorder);
            std::thread::Builder::new().name(format!("worker-{index}")).spawn(run)?;
        }
        Ok((address, certificate))
    }

    fn timing(&self) -> Timing {
        let idle = self.published.current().timeouts.connection;
        Timing { idle: idle.unwrap_or(FOR_EVER), header: HEADER }
    }

    fn worker(&self, tls: BackendTls, websockets: &Arc<Places>) -> Worker {
        let access = self.settings.access_log.then(|| AccessLog::new(self.sink, self.settings.level));
        Worker::new(Inner {
            published: Arc::clone(self.published),
            bench: self.lasting.bench(),
            client: Client::reusing(Connector::new(tls), self.settings.connection_reuse),
            recorder: self.metrics.recorder(),
            access: access.unwrap_or_else(AccessLog::off),
            audit: Audit::new(self.sink),
            denials: Arc::clone(self.denials),
            websockets: WebSockets::new(Arc::clone(websockets)),
            room: Room::default(),
        })
    }
}

fn refused(address: SocketAddr, error: &std::io::Error) -> String {
    format!("{address} cannot be opened: {error} (--port, PORT, XS_BIND_ADDRESS)")
}

/// A worker's life: accepts until told to stop, then ends with its last connection.
fn run(
    socket: std::net::TcpListener,
    worker: Worker,
    serving: Serving<Worker>,
    places: Arc<Places>,
    recorder: crate::observe::metrics::Recorder,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(8).build();
    let Ok(runtime) = runtime.inspect_err(|error| tracing::error!(%error, "a worker could not start")) else {
        return;
    };
    runtime.block_on(async move {
        let Ok(listener) = TcpListener::from_std(socket) else { return };
        let drain = serving.drain.clone();
        let (watching, watched) = (drain.clone(), worker.clone());
        tokio::spawn(async move { watched.watch(watching).await });
        tokio::spawn(sweep(worker, drain.clone()));
        let serve = move |stream, peer, place| {
            let serving = serving.clone();
            let counted = recorder.connection();
            tokio::spawn(async move {
                serving.serve(stream, peer).await;
                drop((place, counted));
            });
        };
        listener::accept(listener, places, drain, serve).await;
        // The process ends when every connection has let go of its end of `drain`, or time is up.
        std::future::pending::<()>().await;
    });
}

/// Closes backend connections that nobody has used for long.
async fn sweep(worker: Worker, mut drain: watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(SWEEP);
    loop {
        tokio::select! {
            () = listener::drained(&mut drain) => return,
            _ = tick.tick() => worker.expire(),
        }
    }
}

/// Reads the certificate again, where there is one; a broken one changes nothing.
pub(super) fn reload_certificate(certificate: Option<&Certificate>) {
    match certificate.map(Certificate::reload) {
        Some(Ok(true)) => tracing::info!("new connections get the new certificate"),
        Some(Ok(false)) | None => {}
        Some(Err(error)) => {
            tracing::error!(%error, "the certificate cannot be read; the old one stays in use");
        }
    }
}

/// How key sets' host names are resolved: as backends' are.
pub(in crate::cli) fn resolver() -> KeyResolver {
    let resolver = Arc::new(Resolver::default());
    Arc::new(move |host: &str| {
        let (resolver, host) = (Arc::clone(&resolver), host.to_owned());
        Box::pin(async move {
            let found = resolver.addresses(&host).await.map_err(std::io::Error::other)?;
            Ok(found.into_iter().map(|address| SocketAddr::new(address, 0)).collect())
        })
    })
}
