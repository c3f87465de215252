//! Sees whether open WebSockets may go on.
//!
//! One look at all of a worker's, twice a second, instead of timers in each: a WebSocket that rests costs
//! a few comparisons. What admitted it has to hold still: its session, which is refreshed as requests
//! refresh it, or its token; and its tenant has to be served by the configuration of the moment, not by
//! the one that it was opened under. Surprising: a session that lives in cookies is never refreshed here,
//! because nobody could be told of the new cookie; its WebSocket ends with the token, and the browser that
//! opens it again brings the cookie and gets the next one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{Bench, Inner};
use crate::auth::{Admitted, Issuer};
use crate::forward::upgrade::Activity;
use crate::forward::upgrade::ending::Order;
use crate::forward::upgrade::tunnel::Reins;
use crate::listener::{self, Place, Places};
use crate::session::{CookieScope, Opened, Policy, Refreshed};
use crate::snapshot::{Snapshot, WebSocketRules};
use crate::tenant::{Status, Tenant, TenantKey};

/// How often they are looked at: what has ended is closed within a second.
const LOOK: Duration = Duration::from_millis(400);

/// One worker's open WebSockets.
#[derive(Debug)]
pub struct WebSockets {
    places: Arc<Places>,
    wards: Mutex<Vec<Ward>>,
    draining: AtomicBool,
}

/// One that is watched over.
#[derive(Debug)]
struct Ward {
    activity: Arc<Activity>,
    order: Option<oneshot::Sender<Order>>,
    tenant: Option<TenantKey>,
    holder: Holder,
    /// The configuration that its tenant was last looked up in.
    generation: u64,
    idle: Option<Duration>,
    ends: Option<Instant>,
    moved: Instant,
    unstuck: Instant,
}

/// Who a WebSocket was opened for.
#[derive(Debug)]
pub(super) enum Holder {
    /// Anybody.
    Nobody,
    /// Who presented a token, which holds until this second since the epoch.
    Token(u64),
    /// A session.
    Session(Box<Held>),
}

/// A session that is held by a WebSocket.
#[derive(Debug)]
pub(super) struct Held {
    opened: Opened,
    renewing: Option<JoinHandle<Refreshed>>,
}

impl Holder {
    /// By what `admitted` its caller.
    pub(super) fn of(admitted: &Admitted, opened: Option<&Opened>) -> Self {
        match (admitted.session(), opened, admitted.caller()) {
            (Some(_), Some(opened), _) => {
                Self::Session(Box::new(Held { opened: opened.clone(), renewing: None }))
            }
            (_, _, Some(caller)) => Self::Token(caller.expires),
            (_, _, None) => Self::Nobody,
        }
    }
}

/// What the wards of one look have in common.
struct Look<'a> {
    bench: &'a Bench,
    snapshot: &'a Snapshot,
    now: Instant,
    /// The same in seconds since the epoch.
    seconds: u64,
}

impl WebSockets {
    /// As many as there are `places`, which all workers share.
    #[must_use]
    pub fn new(places: Arc<Places>) -> Self {
        Self { places, wards: Mutex::default(), draining: AtomicBool::new(false) }
    }

    /// A place for one more, if there is any.
    pub(super) fn place(&self) -> Option<Place> {
        self.places.try_place()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Ward>> {
        self.wards.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches over one more, of `tenant`.
    pub(super) fn watch(
        &self,
        snapshot: &Snapshot,
        rules: Option<&WebSocketRules>,
        tenant: Option<&Arc<Tenant>>,
        holder: Holder,
    ) -> Reins {
        let (order, ordered) = oneshot::channel();
        let activity = Arc::<Activity>::default();
        let now = Instant::now();
        let mut ward = Ward {
            activity: Arc::clone(&activity),
            order: Some(order),
            tenant: tenant.and_then(|tenant| tenant.key.clone()),
            holder,
            generation: snapshot.generation,
            idle: rules.and_then(|rules| rules.idle),
            ends: rules.and_then(|rules| rules.age).and_then(|age| now.checked_add(age)),
            moved: now,
            unstuck: now,
        };
        if self.draining.load(Ordering::Relaxed) {
            ward.end(Order::Drained);
        } else {
            self.lock().push(ward);
        }
        Reins { activity, order: ordered }
    }

    /// Watches until the process stops, and then ends all of them.
    pub(super) async fn keep(inner: &Inner, mut drain: watch::Receiver<bool>) {
        let this = &inner.websockets;
        let mut tick = tokio::time::interval(LOOK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = listener::drained(&mut drain) => break,
                _ = tick.tick() => this.look(inner).await,
            }
        }
        this.draining.store(true, Ordering::Relaxed);
        for mut ward in std::mem::take(&mut *this.lock()) {
            ward.end(Order::Drained);
        }
    }

    async fn look(&self, inner: &Inner) {
        // Those that are opened meanwhile gather in a new list.
        let mut wards = std::mem::take(&mut *self.lock());
        if wards.is_empty() {
            return;
        }
        wards.retain(|ward| ward.order.as_ref().is_some_and(|order| !order.is_closed()));
        let snapshot = inner.published.current();
        end_without_session(&mut wards, &inner.bench, &snapshot.sessions).await;
        let seconds = inner.bench.clock.seconds();
        let look = Look { bench: &inner.bench, snapshot: &snapshot, now: Instant::now(), seconds };
        for ward in &mut wards {
            if let Some(order) = ward.examine(&look) {
                ward.end(order);
            }
        }
        wards.retain(|ward| ward.order.is_some());
        let mut list = self.lock();
        wards.append(&mut list);
        *list = wards;
    }
}

/// Ends those whose session has ended; a store is asked for all of them at once.
async fn end_without_session(wards: &mut [Ward], bench: &Bench, policy: &Policy) {
    let held: Vec<&mut Ward> = wards.iter_mut().filter(|ward| ward.session().is_some()).collect();
    if held.is_empty() {
        return;
    }
    let asked: Vec<Opened> = held.iter().filter_map(|ward| ward.session()).cloned().collect();
    let open = bench.sessions.are_open(&asked, policy).await;
    for (ward, _) in held.into_iter().zip(open).filter(|(_, is_open)| !is_open) {
        ward.end(Order::SessionEnded);
    }
}

impl Ward {
    fn session(&self) -> Option<&Opened> {
        match &self.holder {
            Holder::Session(held) => Some(&held.opened),
            Holder::Nobody | Holder::Token(_) => None,
        }
    }

    fn end(&mut self, order: Order) {
        if let Some(sender) = self.order.take() {
            // One that has just ended by itself needs no order.
            let _ = sender.send(order);
        }
    }

    /// Why it may not go on.
    fn examine(&mut self, look: &Look<'_>) -> Option<Order> {
        self.tenant_ended(look).or_else(|| self.holder_ended(look)).or_else(|| self.time_ended(look.now))
    }

    /// Looks up in each new configuration whether its tenant is served, and by the same issuer.
    fn tenant_ended(&mut self, look: &Look<'_>) -> Option<Order> {
        let snapshot = look.snapshot;
        if std::mem::replace(&mut self.generation, snapshot.generation) == snapshot.generation {
            return None;
        }
        let Some(tenant) = snapshot.tenants.of(self.tenant.as_ref()) else { return Some(Order::TenantGone) };
        match tenant.status {
            Status::Suspended => return Some(Order::TenantGone),
            Status::Maintenance { .. } => return Some(Order::Maintenance),
            // What is broken in a configuration ends nothing that is under way.
            Status::Active | Status::Misconfigured => {}
        }
        let issuer = snapshot.issuers.of(&tenant);
        let realm = issuer.as_ref().and_then(|issuer| issuer.realm());
        let session = self.session()?;
        (realm != Some(&session.session.realm)).then_some(Order::SessionEnded)
    }

    fn holder_ended(&mut self, look: &Look<'_>) -> Option<Order> {
        match &mut self.holder {
            Holder::Nobody => None,
            Holder::Token(until) => (look.seconds >= *until).then_some(Order::TokenExpired),
            Holder::Session(held) => held.ended(look, self.tenant.as_ref()),
        }
    }

    fn time_ended(&mut self, now: Instant) -> Option<Order> {
        let glance = self.activity.look();
        if glance.moved {
            self.moved = now;
        }
        if !glance.stuck {
            self.unstuck = now;
        }
        let is_over = |since: Instant| self.idle.is_some_and(|idle| now.duration_since(since) >= idle);
        match () {
            () if is_over(self.moved) => Some(Order::Idle),
            () if is_over(self.unstuck) => Some(Order::Stuck),
            () if self.ends.is_some_and(|ends| now >= ends) => Some(Order::TooOld),
            () => None,
        }
    }
}

impl Held {
    /// Whether its token holds no longer, and there is no next one; gets that in time.
    fn ended(&mut self, look: &Look<'_>, tenant: Option<&TenantKey>) -> Option<Order> {
        if let Some(order) = self.landed() {
            return Some(order);
        }
        let policy = &look.snapshot.sessions;
        if self.renewing.is_some() || !self.opened.session.wants_refresh(look.seconds, policy.refresh_ahead) {
            return None;
        }
        if let Some(newer) = look.bench.sessions.newer(&self.opened) {
            self.opened = newer;
            return None;
        }
        if !policy.refresh_ahead.is_zero()
            && self.opened.session.refresh_token.is_some()
            && look.bench.sessions.are_kept()
            && let Some((tenant, issuer)) = issuer(look.snapshot, tenant)
        {
            self.renewing = Some(self.renew(look, tenant, issuer));
            return None;
        }
        (look.seconds >= self.opened.session.identity.expires).then_some(Order::TokenExpired)
    }

    /// What came of the refresh that was under way.
    fn landed(&mut self) -> Option<Order> {
        if !self.renewing.as_ref().is_some_and(JoinHandle::is_finished) {
            return None;
        }
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let flown = std::pin::Pin::new(&mut self.renewing.take()?).poll(&mut context);
        match flown {
            std::task::Poll::Ready(Ok(Refreshed::Renewed(opened) | Refreshed::Kept(opened))) => {
                self.opened = opened;
                None
            }
            std::task::Poll::Ready(Ok(Refreshed::Ended(_))) => Some(Order::SessionEnded),
            // The issuer does not answer, and the token holds no longer.
            std::task::Poll::Ready(Ok(Refreshed::Unreachable { .. }) | Err(_)) => Some(Order::TokenExpired),
            std::task::Poll::Pending => None,
        }
    }

    /// Gets the next token, once for the session however many ask.
    fn renew(&self, look: &Look<'_>, tenant: Arc<Tenant>, issuer: Arc<Issuer>) -> JoinHandle<Refreshed> {
        let (sessions, logins) = (look.bench.sessions.clone(), Arc::clone(&look.bench.logins));
        let (opened, policy) = (self.opened.clone(), look.snapshot.sessions.clone());
        tokio::spawn(async move {
            // No cookie comes of it: the session is kept on our side.
            let scope = CookieScope { https: false, path: "/".into() };
            let renewal = move |session| async move { logins.refresh(issuer, tenant, session).await };
            sessions.refreshed(opened, &policy, &scope, renewal).await
        })
    }
}

/// The tenant of `key`, and who vouches for its people.
fn issuer(snapshot: &Snapshot, key: Option<&TenantKey>) -> Option<(Arc<Tenant>, Arc<Issuer>)> {
    let tenant = snapshot.tenants.of(key)?;
    let issuer = snapshot.issuers.of(&tenant)?;
    Some((tenant, issuer))
}
