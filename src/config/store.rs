//! Where the sessions of this process are kept, as it was configured.
//!
//! It is decided once, at start: sessions outlive snapshots, and a store that changed under them would
//! lose them. What [`Debug`] shows holds no secret.

use rustls_pki_types::CertificateDer;

use crate::secret::Secret;
use crate::session::redis::RedisServer;

/// Where sessions are kept, and what seals them.
#[derive(Clone, Debug)]
pub struct SessionStore {
    /// Where.
    pub place: Place,
    /// The first seals, all open; empty where there is no secret that outlives the process.
    pub secrets: Vec<Secret>,
    /// `BACKEND_COOKIES_SECRET`.
    pub backend_cookies: Option<Secret>,
}

/// Where sessions are kept.
#[derive(Clone, Debug)]
pub enum Place {
    /// In this process: they end with it.
    Memory,
    /// Sealed in the browser; what ended before its time is shared through Redis where there is one.
    Cookie(Option<Redis>),
    /// In Redis.
    Redis(Redis),
}

/// A Redis and whom to trust that it is the right one.
#[derive(Clone, Debug)]
pub struct Redis {
    /// Where it is.
    pub server: RedisServer,
    /// Certificate authorities of its binding, besides those of the web.
    pub authorities: Vec<CertificateDer<'static>>,
}
