//! The file model becomes a snapshot: the only place that knows both.
//!
//! Each part of the snapshot has a file of its own below. Nothing stops at the first problem: a part that
//! does not compile is noticed, and the others are compiled all the same, so that all problems come at
//! once. A tenant's own problems are set apart, so that they need not be everyone's.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::file::tenants::XsTenants;
use super::problem::Findings;
use super::read::Model;
use super::store::SessionStore;
use super::text::{Located, Mark};
use crate::route::Routes;
use crate::route::pattern::Pattern;
use crate::snapshot::{Snapshot, Timeouts};
use crate::tenant::{Directory, HostPattern};

mod answers;
mod bound;
mod cors;
mod credentials;
mod destination_service;
mod destinations;
mod development;
mod endpoints;
mod headers;
mod issuers;
mod lints;
mod login;
mod routes;
mod services;
mod sessions;
mod settings;
mod store;
mod tenants;
mod websockets;

/// How long an idle client connection stays open where nothing else is said.
const CONNECTION_TIMEOUT: Duration = Duration::from_mins(2);

static GENERATION: AtomicU64 = AtomicU64::new(1);

/// What every part of the snapshot is compiled from.
struct Compiler<'m> {
    model: &'m Model,
    tenants: &'m XsTenants,
    folder: &'m Path,
    cloud_foundry: bool,
    findings: &'m mut Findings,
}

/// The snapshot that `model` means, and where sessions are kept; `None` where a part does not compile.
pub(crate) fn compile(
    model: &Model,
    folder: &Path,
    cloud_foundry: bool,
    findings: &mut Findings,
) -> Option<(Snapshot, SessionStore)> {
    let empty = XsTenants::default();
    let tenants = model.tenants.as_ref().unwrap_or(&empty);
    let mut compiler = Compiler { model, tenants, folder, cloud_foundry, findings };
    compiler.compile()
}

impl Compiler<'_> {
    fn compile(&mut self) -> Option<(Snapshot, SessionStore)> {
        let bound = bound::Bound::find(self);
        let sessions = sessions::policy(self);
        let cookie = sessions.as_ref().map(|policy| policy.cookie.clone());
        let headers = headers::compile(self, &bound, cookie.as_deref());
        let mut rows = tenants::Rows::compile(self);
        let surroundings = destination_service::surroundings(self, &bound);
        let overrides = destinations::overrides(self, &surroundings, &mut rows);
        let issuers = issuers::gather(self, &bound, &mut rows, &headers.tenant);
        let directory = tenants::directory(self, &bound, &rows, headers.tenant.clone());
        let trust = tenants::trust(self);
        let services = services::Services::compile(self, &bound, &headers.policy);
        let destinations = destinations::compile(self, &surroundings, overrides);
        let destination_service = destination_service::compile(self, &bound, &surroundings);
        let routes = routes::compile(self, &bound, issuers.any(), &services);
        let destination_hosts = self.destination_hosts();
        let issuers = issuers.build(self, directory.as_ref());
        self.lint(&bound, directory.as_ref(), routes.as_ref());
        let login = login::login(self);
        let logout = login.as_ref().and_then(|login| login::logout(self, &services, login));
        if let (Some(login), Some(logout), Some(routes)) = (&login, &logout, &routes) {
            login::lint(self, login, logout, routes);
        }
        let websockets = websockets::compile(self);
        let answers = answers::compile(self);
        let cors = cors::compile(self);
        let plugin_metadata = endpoints::plugin_metadata(self);
        let framing = endpoints::framing(self);
        let store = store::compile(self, &bound, routes.as_ref());
        let settings = settings::describe(self, &bound);
        let snapshot = Snapshot {
            generation: GENERATION.fetch_add(1, Ordering::Relaxed),
            trust: trust?,
            tenants: directory?,
            issuers: issuers?,
            local_dirs: routes::local_dirs(self, routes.as_ref()?)?,
            routes: routes?,
            destinations,
            services: services.list()?,
            destination_service: destination_service?,
            destination_hosts,
            sessions: sessions?,
            login: login?,
            logout: logout?,
            websockets,
            cors: cors?,
            plugin_metadata: plugin_metadata?,
            framing: framing?,
            headers: Arc::new(headers.policy),
            timeouts: self.timeouts(),
            assertion: self.tenants.assertion.is_some(),
            frame_options: answers::frame_options(self),
            answers: answers?,
            settings,
        };
        Some((snapshot, store?))
    }

    /// Says what works but is probably not meant.
    fn lint(&mut self, bound: &bound::Bound, directory: Option<&Directory>, routes: Option<&Routes>) {
        lints::destinations(self);
        if let Some(directory) = directory {
            lints::hosts(self, directory);
            lints::host_owners(self, directory);
        }
        lints::connections(self);
        lints::tenancy(self, bound);
        let Some(routes) = routes else { return };
        lints::routes(self, routes);
        if routes.all().iter().any(|route| !route.is_public()) {
            lints::issuers(self, bound);
            lints::logins(self, routes);
        }
    }

    /// `DESTINATION_HOST_PATTERN` is searched in the host, as in the SAP application router.
    fn destination_hosts(&mut self) -> Option<HostPattern> {
        let source = self.model.settings.destination_host_pattern.as_ref()?;
        match HostPattern::compile(&source.value, false) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                self.findings.error(source.mark, "unusable_host_pattern", error.to_string());
                None
            }
        }
    }

    /// A pattern, or the problem it has.
    fn pattern(&mut self, source: &Located<Box<str>>, match_case: bool) -> Option<Pattern> {
        match Pattern::compile(&source.value, match_case) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                self.findings.error(source.mark, "malformed_pattern", error.to_string());
                None
            }
        }
    }

    fn timeouts(&self) -> Timeouts {
        let duration = |set: Option<Located<u64>>, default| match set {
            Some(Located { value: 0, .. }) => None,
            Some(milliseconds) => Some(Duration::from_millis(milliseconds.value)),
            None => default,
        };
        let settings = &self.model.settings;
        let connection = duration(settings.incoming_connection_timeout, Some(CONNECTION_TIMEOUT));
        Timeouts {
            // Both are about connections that nothing is asked on.
            connection: duration(settings.server_keep_alive, connection).or(connection),
            request: duration(settings.incoming_request_timeout, None),
        }
    }

    /// Where problems of the whole configuration stand.
    fn mark(&self) -> Mark {
        self.model.app.as_ref().map_or(self.model.app_mark, |app| app.mark)
    }
}
