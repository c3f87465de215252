//! Opens a connection to Redis: name, TCP, TLS, password, and a first answer.
//!
//! Each step ends within half a second and has an error of its own, so that the log can tell a wrong
//! password from a wrong authority. The stream is made here and not by the client library, for the sake
//! of our own resolver and our own provider of cryptography.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisConnectionInfo, RedisError, cmd};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{InvalidDnsNameError, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::settings::{RedisServer, RedisSettings, Resolver};

/// How long each step may take.
const STEP: Duration = Duration::from_millis(500);
/// How many commands may wait to be written before whoever asks has to wait, too.
const WAITING: usize = 1_024;

/// Why a Redis cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum UnusableRedis {
    /// What TLS needs cannot be made of it.
    #[error("a certificate authority for Redis cannot be used")]
    Authorities(#[from] rustls::Error),
    /// No certificate can be for such a name.
    #[error("the host name of Redis is none that a certificate could be for")]
    Name(#[from] InvalidDnsNameError),
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum DialError {
    #[error("its name does not resolve: {0}")]
    Resolve(io::Error),
    #[error("its name has no address")]
    NoAddress,
    #[error("it cannot be reached: {0}")]
    Connect(io::Error),
    #[error("TLS fails: {0}")]
    Tls(io::Error),
    #[error("it refuses the connection: {0}")]
    Refused(RedisError),
    #[error("no {0} within half a second")]
    TimedOut(&'static str),
}

/// What is needed to open connections.
pub(super) struct Dial {
    server: RedisServer,
    resolver: Option<Resolver>,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

/// An open connection, and the task that moves its bytes.
pub(super) struct Dialled {
    pub(super) connection: MultiplexedConnection,
    pub(super) driver: JoinHandle<()>,
}

impl Dial {
    pub(super) fn new(settings: RedisSettings) -> Result<Self, UnusableRedis> {
        let RedisSettings { server, authorities, resolver } = settings;
        let mut tls = None;
        if server.tls {
            let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
            authorities.into_iter().try_for_each(|authority| roots.add(authority))?;
            let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_root_certificates(roots)
                .with_no_client_auth();
            let name = ServerName::try_from(String::from(server.host.as_ref()))?;
            tls = Some((TlsConnector::from(Arc::new(config)), name));
        }
        Ok(Self { server, resolver, tls })
    }

    /// Host and port, for the log.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.server.host, self.server.port)
    }

    /// Opens a connection on the runtime that this is called on.
    pub(super) async fn open(&self) -> Result<Dialled, DialError> {
        let stream = self.reach().await?;
        match &self.tls {
            None => self.greet(stream).await,
            Some((connector, name)) => {
                let handshake = connector.connect(name.clone(), stream);
                let stream = within("end of the TLS handshake", handshake).await?.map_err(DialError::Tls)?;
                self.greet(stream).await
            }
        }
    }

    /// The first of the server's addresses that takes a connection.
    async fn reach(&self) -> Result<TcpStream, DialError> {
        let mut last = DialError::NoAddress;
        for address in within("address of its name", self.addresses()).await?.map_err(DialError::Resolve)? {
            match within("connection", TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    stream.set_nodelay(true).map_err(DialError::Connect)?;
                    return Ok(stream);
                }
                Ok(Err(error)) => last = DialError::Connect(error),
                Err(timed_out) => last = timed_out,
            }
        }
        Err(last)
    }

    async fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        let RedisServer { host, port, .. } = &self.server;
        let found: Vec<SocketAddr> = match &self.resolver {
            Some(resolver) => resolver(host).await?,
            None => tokio::net::lookup_host((host.as_ref(), *port)).await?.collect(),
        };
        Ok(found.into_iter().map(|address| SocketAddr::new(address.ip(), *port)).collect())
    }

    /// Says who we are and waits for an answer, since a server that does not ask for a password only
    /// shows that it is one when it is spoken to.
    async fn greet<S>(&self, stream: S) -> Result<Dialled, DialError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut who = RedisConnectionInfo::default().set_skip_set_lib_name();
        who = who.set_db(i64::from(self.server.database));
        if let Some(user) = &self.server.user {
            who = who.set_username(user);
        }
        if let Some(password) = &self.server.password {
            who = who.set_password(password.expose());
        }
        let config =
            AsyncConnectionConfig::new().set_response_timeout(None).set_pipeline_buffer_size(WAITING);
        let setup = MultiplexedConnection::new_with_config(&who, stream, config);
        let (mut connection, driver) = within("answer", setup).await?.map_err(DialError::Refused)?;
        let driver = tokio::spawn(driver);
        let greeting = cmd("PING");
        let answered = within("answer", greeting.exec_async(&mut connection)).await;
        match answered.and_then(|answer| answer.map_err(DialError::Refused)) {
            Ok(()) => Ok(Dialled { connection, driver }),
            Err(error) => {
                driver.abort();
                Err(error)
            }
        }
    }
}

async fn within<T>(what: &'static str, step: impl Future<Output = T>) -> Result<T, DialError> {
    timeout(STEP, step).await.map_err(|_| DialError::TimedOut(what))
}
