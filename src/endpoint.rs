//! What answers by itself: login, callback, logout, back-channel logout, the user API, the allowlist
//! against clickjacking and the list of plugins.
//!
//! An endpoint gets a [`Context`], everything that the pipeline found out before, and makes an answer or
//! a [`Failure`]; it decides nothing about routes and admits nobody. The paths of endpoints are compared
//! as they are, behind the tenant's prefix. Cookies that an endpoint sets are on its own answer; those
//! of a session that was merely found are added by the pipeline.

mod allowlist;
mod back_channel;
mod callback;
pub mod farewell;
pub mod login;
mod logout;
mod outside;
mod plugins;
mod user;

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Response};

use crate::auth::login::Logins;
use crate::auth::{Assertions, Issuer, ServiceTokens, Verifier};
use crate::destination::Lookups;
use crate::error::Failure;
use crate::forward::body::Body;
use crate::forward::client::Client;
use crate::observe::audit::{Audit, Entry, Event};
use crate::observe::metrics::{LoginResult, Recorder};
use crate::request::CanonicalRequest;
use crate::request::correlation::Correlation;
use crate::session::{Identity, Opened, Session, Sessions};
use crate::snapshot::Snapshot;
use crate::tenant::{Tenant, TenantKey};

pub use outside::Outside;

/// An endpoint of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Where the issuer sends a browser after the login.
    Callback,
    /// Where a person logs out.
    Logout,
    /// Where the issuer ends sessions (OpenID Connect Back-Channel Logout 1.0).
    BackChannel,
    /// Says who the caller is; reached by a route.
    User,
    /// Says whether a page may be in another's frame.
    Allowlist,
    /// Says which plugins there are.
    Plugins,
}

/// The endpoint at `path`, which is what follows the tenant's prefix. Logins end and sessions begin only
/// where the tenant has somebody to log in at.
#[must_use]
pub fn at(
    snapshot: &Snapshot,
    issuer: Option<&Arc<Issuer>>,
    method: &Method,
    path: &str,
) -> Option<Endpoint> {
    let (login, logout) = (&snapshot.login, &snapshot.logout);
    let is = |configured: &Option<Box<str>>| configured.as_deref() == Some(path);
    if *login.callback == *path && issuer.is_some_and(|issuer| issuer.can_log_in()) {
        return Some(Endpoint::Callback);
    }
    if is(&logout.endpoint) {
        return Some(Endpoint::Logout);
    }
    if is(&logout.back_channel) {
        return Some(Endpoint::BackChannel);
    }
    // Only read: every other request for its path is the routes' affair.
    if let Some(framing) = &snapshot.framing
        && *method == Method::GET
        && is_within(&framing.path, path)
    {
        return Some(Endpoint::Allowlist);
    }
    let told = snapshot.plugin_metadata.as_ref().is_some_and(|plugins| is_within(&plugins.path, path));
    told.then_some(Endpoint::Plugins)
}

/// Whether `path` is `root` or below it.
fn is_within(root: &str, path: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Everything that an endpoint may answer with.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The configuration.
    pub snapshot: &'a Snapshot,
    /// What came in.
    pub request: &'a CanonicalRequest,
    /// Its path and query: as the route made it where one led here, else behind the tenant's prefix.
    pub path: &'a str,
    /// Its ids.
    pub correlation: &'a Correlation,
    /// Whose it is.
    pub tenant: &'a Arc<Tenant>,
    /// Who vouches for the tenant's people.
    pub issuer: Option<&'a Arc<Issuer>>,
    /// How the tenant's part is seen from outside: addresses, and the reach of its cookies.
    pub outside: &'a Outside,
    /// The session that the browser brings, whose token holds.
    pub session: Option<&'a Opened>,
    /// The admitted caller; there is one only where a route led here.
    pub caller: Option<&'a Identity>,
    /// Every session.
    pub sessions: &'a Sessions,
    /// Logs people in and out.
    pub logins: &'a Arc<Logins>,
    /// Verifies tokens.
    pub verifier: &'a Verifier,
    /// Connections to backends.
    pub client: &'a Client,
    /// Signs what backends are told.
    pub assertions: &'a Assertions,
    /// Tokens for bound services.
    pub tokens: &'a ServiceTokens,
    /// Finds what the Destination service knows.
    pub lookups: &'a Lookups,
    /// Who came in, and who went.
    pub audit: &'a Audit,
    /// Counts logins.
    pub recorder: &'a Recorder,
    /// The address of the socket's other end.
    pub peer: IpAddr,
}

impl Context<'_> {
    /// Writes down that `session` was opened.
    fn logged_in(&self, session: &Session) {
        self.recorder.login(LoginResult::Success);
        let subject = session.identity.subject.as_deref();
        self.audit.record(&Entry { subject, ..self.entry(Event::Login) });
    }

    /// A line of the audit, with what is known of the request.
    fn entry(&self, event: Event) -> Entry<'_> {
        Entry {
            id: self.correlation.request_id.to_str().ok(),
            tenant: self.tenant.key.as_ref().map(TenantKey::as_str),
            method: Some(self.request.method.as_str()),
            path: Some(self.request.target.path()),
            peer: Some(self.peer),
            ..Entry::of(event)
        }
    }

    /// Where issuers send browsers back to.
    #[must_use]
    pub fn redirect_uri(&self) -> String {
        self.outside.address(&self.snapshot.login.callback)
    }
}

/// The answer of `endpoint` to the request with `parts` and `body`, which is all of it, and at most
/// 64 KiB. Where it sets cookies, these are all that the answer sets.
pub async fn serve(
    endpoint: Endpoint,
    context: &Context<'_>,
    parts: &Parts,
    body: Bytes,
) -> Result<Response<Body>, Failure> {
    match endpoint {
        Endpoint::Callback => callback::serve(context, parts).await,
        Endpoint::Logout => logout::serve(context, parts).await,
        Endpoint::BackChannel => back_channel::serve(context, parts, &body).await,
        Endpoint::User => user::serve(context, parts),
        Endpoint::Allowlist => allowlist::serve(context),
        Endpoint::Plugins => plugins::serve(context, parts),
    }
}
