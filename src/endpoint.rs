//! What answers by itself: login, callback, logout, back-channel logout and the user API.
//!
//! An endpoint gets a [`Context`], everything that the pipeline found out before, and makes an answer or
//! a [`Failure`]; it decides nothing about routes and admits nobody. The paths of endpoints are compared
//! as they are, behind the tenant's prefix. Cookies that an endpoint sets are on its own answer; those
//! of a session that was merely found are added by the pipeline.

mod outside;

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http::request::Parts;

use crate::auth::{Issuer, Verifier};
use crate::error::Failure;
use crate::forward::body::Body;
use crate::forward::client::Client;
use crate::request::CanonicalRequest;
use crate::request::correlation::Correlation;
use crate::session::Identity;
use crate::snapshot::Snapshot;
use crate::tenant::Tenant;

pub use outside::Outside;
pub(crate) use outside::local;

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
}

/// Everything that an endpoint may answer with.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The configuration.
    pub snapshot: &'a Snapshot,
    /// What came in.
    pub request: &'a CanonicalRequest,
    /// Its ids.
    pub correlation: &'a Correlation,
    /// Whose it is.
    pub tenant: &'a Arc<Tenant>,
    /// Who vouches for the tenant's people.
    pub issuer: Option<&'a Arc<Issuer>>,
    /// How the tenant's part is seen from outside: addresses, and the reach of its cookies.
    pub outside: &'a Outside,
    /// The admitted caller; there is one only where a route led here.
    pub caller: Option<&'a Identity>,
    /// Verifies tokens.
    pub verifier: &'a Verifier,
    /// Connections to backends.
    pub client: &'a Client,
}

/// The answer of `endpoint` to the request with `parts` and `body`, which is all of it, and at most
/// 64 KiB.
pub async fn serve(
    endpoint: Endpoint,
    context: &Context<'_>,
    parts: &Parts,
    body: Bytes,
) -> Result<Response<Body>, Failure> {
    let _ = (context, parts, body);
    match endpoint {
        Endpoint::Callback | Endpoint::Logout | Endpoint::BackChannel | Endpoint::User => {
            Err(Failure::NoRoute)
        }
    }
}
