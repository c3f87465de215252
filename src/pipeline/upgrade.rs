//! WebSockets on their way through the pipeline, and what remains of a request that has become one.
//!
//! A handshake passes every stage as any request does; here stands what is asked of it beside: that
//! WebSockets are enabled, that it is in order, and that its page is of an origin that may. Once it is
//! open a WebSocket outlives its snapshot; a [`Tally`] keeps what log, metrics and limits need of it, and
//! [`watch`](super::watch) sees whether it may go on.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};

use super::exchange::Exchange;
use super::watch::Holder;
use super::{Decision, Inner};
use crate::auth::Admitted;
use crate::error::Failure;
use crate::forward::body::Body;
use crate::forward::upgrade::ending::Ending;
use crate::forward::upgrade::tunnel::{self, Reins, Summary};
use crate::forward::{Outbound, upgrade};
use crate::listener::Place;
use crate::listener::connection::{Duplex, Link, Tunnel};
use crate::observe::access::Entry;
use crate::observe::metrics::WebSocket;
use crate::request::CanonicalRequest;
use crate::request::websocket::{self, Handshake, Unopened};
use crate::session::Opened;
use crate::snapshot::Snapshot;
use crate::tenant::Tenant;
use crate::tenant::limit::Permit;

/// A WebSocket that is to be opened.
#[derive(Debug)]
pub struct Opening {
    /// The handshake as the backend would get it.
    pub upgrade: upgrade::Upgrade,
    /// Who it is opened for.
    pub(super) holder: Holder,
}

/// The handshake of a request that asks for a WebSocket, if it may have one; nothing for all others.
pub(super) fn handshake(
    snapshot: &Snapshot,
    request: &CanonicalRequest,
    parts: &Parts,
    is_asked: bool,
) -> Result<Option<Handshake>, Unopened> {
    if !is_asked {
        return Ok(None);
    }
    let rules = snapshot.websockets.as_ref().ok_or(Unopened::Disabled)?;
    let handshake = Handshake::read(parts)?;
    websocket::check_origin(&parts.headers, request, rules.origins.as_deref())?;
    Ok(Some(handshake))
}

/// What becomes of `outbound`, which asks for a WebSocket.
pub(super) fn opening(
    outbound: Outbound,
    handshake: &Handshake,
    admitted: &Admitted,
    session: Option<&Opened>,
) -> Result<Decision, Failure> {
    // Without randomness for a key none is opened.
    let upgrade = upgrade::prepare(outbound, handshake).ok_or(Unopened::TooMany)?;
    Ok(Decision::Upgrade(Box::new(Opening { upgrade, holder: Holder::of(admitted, session) })))
}

/// What a WebSocket is to log, metrics and limits; its line is written when it is dropped.
pub(super) struct Tally {
    pub(super) worker: Arc<Inner>,
    pub(super) id: HeaderValue,
    pub(super) tenant: Option<Arc<Tenant>>,
    pub(super) method: Method,
    pub(super) path: Box<str>,
    pub(super) route: Option<usize>,
    pub(super) destination: Option<Arc<str>>,
    pub(super) status: StatusCode,
    pub(super) started: Instant,
    pub(super) upstream: Option<Duration>,
    pub(super) peer: std::net::IpAddr,
    pub(super) counted: Option<WebSocket>,
    pub(super) summary: Option<Summary>,
    /// It is one of its tenant's requests, and one of all WebSockets, for as long as it is open.
    pub(super) _permits: (Option<Permit>, Place),
}

impl Drop for Tally {
    fn drop(&mut self) {
        let nothing = Summary { ending: Ending::BrokeOff, received: 0, sent: 0 };
        let Summary { ending, received, sent } = self.summary.unwrap_or(nothing);
        if let Some(counted) = self.counted.take() {
            counted.ended(ending.code(), received, sent);
        }
        let key = self.tenant.as_ref().and_then(|tenant| tenant.key.as_ref());
        self.worker.access.record(&Entry {
            id: self.id.to_str().unwrap_or_default(),
            tenant: key.map(crate::tenant::TenantKey::as_str),
            method: self.method.as_str(),
            path: &self.path,
            route: self.route,
            destination: self.destination.as_deref(),
            status: self.status.as_u16(),
            code: (ending != Ending::Closed).then(|| ending.code()),
            total: self.started.elapsed(),
            upstream: self.upstream,
            received,
            sent,
            peer: self.peer,
        });
    }
}

/// An open WebSocket, before the client's connection is handed over.
pub(super) struct Carried {
    pub(super) tunnel: tunnel::Tunnel,
    pub(super) reins: Reins,
    pub(super) tally: Tally,
}

impl Tunnel for Carried {
    fn carry(self: Box<Self>, io: Box<dyn Duplex>, early: Bytes) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            let Self { tunnel, reins, mut tally } = *self;
            tally.summary = Some(tunnel.run(io, early, reins).await);
        })
    }
}

impl Exchange {
    /// Opens the WebSocket; [`carried`](Self::carried) makes what carries it on.
    pub(super) async fn open(
        &mut self,
        link: &Link,
        opening: Opening,
    ) -> Result<(Response<Body>, Box<Open>), Failure> {
        let place = self.worker.websockets.place().ok_or(Unopened::TooMany)?;
        let begun = Instant::now();
        let opened = upgrade::open(&self.worker.client, opening.upgrade).await;
        self.upstream = Some(begun.elapsed());
        let upgrade::Opened { response, tunnel } = opened?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            link.verdict().release();
            if let Some(violation) = link.verdict().violation() {
                return Err(Failure::Framing(violation));
            }
        }
        Ok((response, Box::new(Open { tunnel, holder: opening.holder, place })))
    }

    /// What carries the WebSocket on that this exchange has become.
    pub(super) fn carried(mut self: Box<Self>, open: Open, status: StatusCode) -> Box<dyn Tunnel> {
        let Open { tunnel, holder, place } = open;
        let rules = self.snapshot.websockets.as_ref();
        let tenant = self.trail.tenant.take();
        let reins = self.worker.websockets.watch(&self.snapshot, rules, tenant.as_ref(), holder);
        let tally = Tally {
            worker: Arc::clone(&self.worker),
            id: self.correlation.request_id.clone(),
            tenant,
            method: self.method.clone(),
            path: self.address.path().into(),
            route: self.trail.route,
            destination: self.trail.destination.take().map(|destination| Arc::clone(&destination.name)),
            status,
            started: self.started,
            upstream: self.upstream,
            peer: self.caller.peer.address,
            counted: Some(self.worker.recorder.websocket()),
            summary: None,
            _permits: (self.trail.permit.take(), place),
        };
        Box::new(Carried { tunnel, reins, tally })
    }
}

/// A WebSocket that the backend has opened, until the client is told.
pub(super) struct Open {
    tunnel: tunnel::Tunnel,
    holder: Holder,
    place: Place,
}
