//! The compiled configuration, immutable.
//!
//! A request takes one [`Snapshot`] and sees only that, however often the configuration changes while it
//! runs. It knows no file and no environment; `config` makes it, `reload` publishes it through
//! [`Published`].

mod answers;
mod rules;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::auth::Issuers;
use crate::destination::service::BusinessService;
use crate::destination::{DestinationService, Table};
use crate::forward::files::LocalDir;
use crate::forward::headers::HeaderPolicy;
use crate::request::Trust;
use crate::route::Routes;
use crate::route::cors::Cors;
use crate::session;
use crate::tenant::{Directory, HostPattern};

pub use answers::{AnswerRules, Compression, ErrorPage, ErrorPages};
pub use rules::{
    BackendLogout, Framing, LoginRules, LogoutMethod, LogoutPage, LogoutRules, PluginMetadata, ServiceLogout,
    WebSocketRules,
};

/// Everything that requests are served by.
#[derive(Debug)]
pub struct Snapshot {
    /// Counts the configurations of this process, from 1.
    pub generation: u64,
    /// Whose forwarding headers count.
    pub trust: Trust,
    /// Who is served.
    pub tenants: Directory,
    /// Whose tokens count.
    pub issuers: Issuers,
    /// Which way a request goes.
    pub routes: Routes,
    /// The folders of routes with `localDir`, by [`Route::index`](crate::route::Route::index).
    pub local_dirs: Vec<Option<LocalDir>>,
    /// Where requests are sent.
    pub destinations: Table,
    /// Bound services, by the place that routes name.
    pub services: Vec<Arc<BusinessService>>,
    /// Who knows other destinations than those.
    pub destination_service: Option<Arc<DestinationService>>,
    /// `DESTINATION_HOST_PATTERN`, for routes with the destination `*`.
    pub destination_hosts: Option<HostPattern>,
    /// How sessions live.
    pub sessions: session::Policy,
    /// How people log in.
    pub login: LoginRules,
    /// How people log out.
    pub logout: LogoutRules,
    /// Which WebSockets are opened, and for how long; `None` where none is.
    pub websockets: Option<WebSocketRules>,
    /// Who may ask from another origin.
    pub cors: Option<Cors>,
    /// Where the plugins are told.
    pub plugin_metadata: Option<PluginMetadata>,
    /// Where pages ask whose frames they may be in.
    pub framing: Option<Framing>,
    /// Which headers pass.
    pub headers: Arc<HeaderPolicy>,
    /// How long clients may take.
    pub timeouts: Timeouts,
    /// Whether backends get `x-tenant-assertion`.
    pub assertion: bool,
    /// Whether answers get `x-frame-options: SAMEORIGIN`, where the backend says nothing.
    pub frame_options: bool,
    /// How answers are dressed.
    pub answers: AnswerRules,
    /// What is in force and where it was written, secrets left out; for the admin port.
    pub settings: Vec<Setting>,
}

/// How long clients may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// An idle connection: `INCOMING_CONNECTION_TIMEOUT`; `None` is for ever.
    pub connection: Option<Duration>,
    /// A request's arrival, body included: `INCOMING_REQUEST_TIMEOUT`; `None` is for ever.
    pub request: Option<Duration>,
}

/// One setting in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its dotted key.
    pub key: String,
    /// Its value, as JSON; secrets are `"[secret]"`.
    pub value: String,
    /// Where it comes from: `file:line:column`, the name of a variable, or `default`.
    pub origin: String,
}

/// The snapshot that new requests take.
#[derive(Debug)]
pub struct Published(ArcSwap<Snapshot>);

impl Published {
    /// Begins with `snapshot`.
    #[must_use]
    pub fn new(snapshot: Snapshot) -> Self {
        Self(ArcSwap::from_pointee(snapshot))
    }

    /// The current one.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        self.0.load_full()
    }

    /// Replaces it; requests in flight keep theirs.
    pub fn replace(&self, snapshot: Snapshot) {
        self.0.store(Arc::new(snapshot));
    }
}
