//! A configuration that answers questions instead of requests.
//!
//! Loads what the server would load and keeps what decisions need: the keys of issuers, fetched where a
//! question brings a token. It listens nowhere and connects to no destination.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rustls_pki_types::CertificateDer;
use tokio::runtime::{Builder, Runtime};

use super::{Explanation, Question};
use crate::auth::login::Logins;
use crate::auth::{Assertions, Clock, KeyStore, KeyStoreSettings, Passwords, ServiceTokens, Verifier};
use crate::cli::{check, serve};
use crate::config::{self, Environment, Sources};
use crate::destination::Lookups;
use crate::pipeline::Bench;
use crate::snapshot::Snapshot;
use crate::tenant::{HostMemo, Meters};

/// A loaded configuration.
pub struct Oracle {
    snapshot: Snapshot,
    bench: Bench,
    runtime: Runtime,
}

impl Oracle {
    /// Loads `directory`'s configuration; `None` where it does not compile, which it then has complained
    /// about.
    pub fn load(directory: &Path) -> io::Result<Option<Self>> {
        let sources = Sources::new(directory, Environment::of_process());
        let authorities = serve::authorities(&config::variables(&sources)).map_err(io::Error::other)?;
        let loaded = config::load(&sources);
        let Some(snapshot) = loaded.snapshot else {
            check::complain(&loaded.problems, directory);
            return Ok(None);
        };
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let bench = bench(&runtime, authorities)?;
        Ok(Some(Self { snapshot, bench, runtime }))
    }

    /// What would become of the request that `question` describes; an error is about the question.
    pub fn answer(&self, question: &Question) -> Result<Explanation, String> {
        self.runtime.block_on(super::explain(&self.snapshot, &self.bench, question))
    }
}

/// What decisions are made with.
fn bench(runtime: &Runtime, authorities: Vec<CertificateDer<'static>>) -> io::Result<Bench> {
    let clock = Clock::System;
    let settings = KeyStoreSettings {
        runtime: runtime.handle().clone(),
        extra_roots: authorities,
        resolver: Some(serve::resolver()),
        clock: clock.clone(),
    };
    let store = Arc::new(KeyStore::new(settings).map_err(io::Error::other)?);
    let logins = Arc::new(Logins::new(Arc::clone(&store)));
    let passwords = Passwords::new(Arc::clone(&logins), clock.clone());
    let services = ServiceTokens::new(Arc::clone(&store));
    Ok(Bench {
        lookups: Lookups::new(Arc::clone(&store), services.clone()),
        services,
        verifier: Verifier::new(store),
        sessions: Bench::nobody(runtime.handle(), &clock).map_err(io::Error::other)?,
        logins,
        passwords: Arc::new(passwords.ok_or_else(|| io::Error::other("no randomness for a key"))?),
        clock: clock.clone(),
        rehearsal: true,
        memo: Mutex::new(HostMemo::new()),
        meters: Arc::new(Meters::new()),
        assertions: Arc::new(Assertions::new(clock)),
    })
}
