//! Tells the backends that a session has ended: `logoutPath` of their destinations.
//!
//! All at once, each with a time of its own, because none has to wait for another and the person waits
//! for all. What goes wrong is logged and changes nothing. A session that ends because nobody used it is
//! told in the same way, by [`Farewells`], but without the browser's cookies, which nobody sent.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, Method};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::auth::{Assertions, ServiceTokens};
use crate::destination::lookup::Sought;
use crate::destination::service::BusinessService;
use crate::destination::{Destination, Lookups};
use crate::forward::Outbound;
use crate::forward::client::Client;
use crate::forward::farewell::{Farewell, tell};
use crate::forward::headers::HeaderPolicy;
use crate::observe::audit::{Audit, Entry, Event};
use crate::request::CanonicalRequest;
use crate::request::correlation::Correlation;
use crate::session::{Ended, Jar, Session};
use crate::snapshot::{Published, Snapshot};
use crate::tenant::{Tenant, TenantKey};

/// How many sessions' backends are told at once where sessions end unasked.
const AT_ONCE: usize = 32;

/// How long the token of a service may take that hears of a session's end, or the place of a backend.
const PATIENCE: Duration = Duration::from_secs(2);

/// A session's end.
pub(super) struct Parting<'a> {
    pub snapshot: &'a Snapshot,
    pub assertions: &'a Assertions,
    pub tokens: &'a ServiceTokens,
    pub lookups: &'a Lookups,
    pub tenant: &'a Arc<Tenant>,
    pub session: &'a Arc<Session>,
    pub jar: Option<&'a Jar>,
    pub correlation: &'a Correlation,
    pub request: Option<(&'a CanonicalRequest, &'a HeaderMap)>,
}

/// What a backend will be sent.
pub(super) struct Letter {
    outbound: Outbound,
    /// Where the backend is a bound service: how it gets its token.
    stamp: Option<Stamp>,
}

/// What the token of a service is asked with.
struct Stamp {
    service: Arc<BusinessService>,
    tokens: ServiceTokens,
    tenant: Arc<Tenant>,
    session: Arc<Session>,
}

/// What the backends will be sent, in the order of the configuration.
pub(super) async fn letters(parting: &Parting<'_>) -> Vec<Letter> {
    let snapshot = parting.snapshot;
    let mut letters = Vec::new();
    for backend in &snapshot.logout.backends {
        let Some(destination) = parting.found(&backend.destination).await else { continue };
        let written = parting.written(&destination, &backend.method, &backend.path);
        let Some(outbound) = written else { continue };
        if let Some(outbound) = parting.dressed(outbound).await {
            letters.push(Letter { outbound, stamp: None });
        }
    }
    let services = snapshot.logout.services.iter().filter_map(|told| {
        let service = snapshot.services.get(told.service)?;
        let outbound = parting.written(&service.destination, &told.method, &told.path)?;
        Some(Letter { outbound, stamp: Some(parting.stamp(service)) })
    });
    letters.extend(services);
    letters
}

impl Parting<'_> {
    /// The backend called `name`, which the Destination service may have to be asked for.
    async fn found(&self, name: &Arc<str>) -> Option<Arc<Destination>> {
        if let Some(known) = self.snapshot.destinations.find(name, self.tenant.index) {
            return Some(Arc::clone(known));
        }
        let sought = Sought {
            service: self.snapshot.destination_service.as_ref()?,
            tenant: self.tenant,
            name,
            captured: false,
            local: false,
            caller: Some(&self.session.identity),
        };
        in_time(self.lookups.find(&sought)).await
    }

    /// `outbound` with what its destination asks for beyond an address.
    async fn dressed(&self, mut outbound: Outbound) -> Option<Outbound> {
        if let Some(particulars) = &outbound.destination.particulars {
            let asked = particulars.tokens(self.tokens, self.tenant, Some(&self.session.identity));
            let tokens = in_time(asked).await?;
            let authority = self.request.and_then(|(request, _)| request.authority.as_ref());
            let is_reserved = |name: &HeaderName| self.snapshot.headers.is_reserved_name(name);
            particulars.dress(&mut outbound.headers, tokens, authority, is_reserved);
        }
        Some(outbound)
    }

    fn written(&self, destination: &Arc<Destination>, method: &Method, path: &str) -> Option<Outbound> {
        let identity = &self.session.identity;
        let sign = || self.assertions.sign(self.tenant, Some(identity), path);
        let assertion = if self.snapshot.assertion { sign() } else { None };
        let farewell = Farewell {
            tenant: self.tenant,
            identity,
            correlation: self.correlation,
            request: self.request,
            jar: self.jar,
            assertion: assertion.as_ref(),
            policy: &self.snapshot.headers,
        };
        farewell.to(destination, method, path).inspect_err(|error| log(error)).ok()
    }

    fn stamp(&self, service: &Arc<BusinessService>) -> Stamp {
        Stamp {
            service: Arc::clone(service),
            tokens: self.tokens.clone(),
            tenant: Arc::clone(self.tenant),
            session: Arc::clone(self.session),
        }
    }
}

impl Stamp {
    /// Adds what the service is shown; says whether it was there to be had.
    async fn put_on(self, outbound: &mut Outbound) -> bool {
        let asked = self.service.token(&self.tokens, &self.tenant, &self.session.identity);
        let Some(token) = in_time(asked).await else { return false };
        self.service.dress(&mut outbound.headers, token, None);
        true
    }
}

/// What `asked` brings; nothing, and a line in the log, where it fails or takes too long.
async fn in_time<T, E: std::error::Error + 'static>(asked: impl Future<Output = Result<T, E>>) -> Option<T> {
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(brought)) => return Some(brought),
        Ok(Err(error)) => log(&error),
        Err(elapsed) => log(&elapsed),
    }
    None
}

/// Sends `letters` and waits until each was answered, or its time is up.
pub(super) async fn send(client: &Client, letters: Vec<Letter>, policy: &Arc<HeaderPolicy>) {
    let mut under_way = JoinSet::new();
    for letter in letters {
        under_way.spawn(deliver(client.clone(), letter, Arc::clone(policy)));
    }
    // One that does not end by itself ends together with the worker, which has nobody left to tell.
    while under_way.join_next().await.is_some() {}
}

async fn deliver(client: Client, letter: Letter, policy: Arc<HeaderPolicy>) {
    let Letter { mut outbound, stamp } = letter;
    if let Some(stamp) = stamp
        && !stamp.put_on(&mut outbound).await
    {
        return;
    }
    let destination = Arc::clone(&outbound.destination.name);
    match tell(&client, outbound, &policy).await {
        Ok(status) if status.is_success() || status.is_redirection() => {}
        Ok(status) => {
            let status = status.as_u16();
            tracing::warn!(%destination, status, "a backend did not take the logout");
        }
        Err(error) => log(&error),
    }
}

fn log(error: &(dyn std::error::Error + 'static)) {
    tracing::warn!(error, "a backend does not hear of a logout");
}

/// Tells backends of sessions that ended unasked.
pub struct Farewells {
    /// The configuration.
    pub published: Arc<Published>,
    /// Connections to backends.
    pub client: Client,
    /// Signs what backends are told.
    pub assertions: Arc<Assertions>,
    /// Tokens for bound services.
    pub tokens: ServiceTokens,
    /// Finds what the Destination service knows.
    pub lookups: Lookups,
    /// Who went.
    pub audit: Audit,
}

impl Farewells {
    /// Runs as long as sessions can end.
    pub async fn run(self, mut ended: mpsc::Receiver<Ended>) {
        let (own, mut under_way) = (Arc::new(self), JoinSet::new());
        while let Some(one) = ended.recv().await {
            if under_way.len() >= AT_ONCE {
                under_way.join_next().await;
            }
            while under_way.try_join_next().is_some() {}
            own.client.expire();
            let own = Arc::clone(&own);
            under_way.spawn(async move { own.tell(&one.session, one.jar.as_deref()).await });
        }
        while under_way.join_next().await.is_some() {}
    }

    async fn tell(&self, session: &Arc<Session>, jar: Option<&Jar>) {
        let key = session.realm.tenant().map(TenantKey::as_str);
        let subject = session.identity.subject.as_deref();
        self.audit.record(&Entry { tenant: key, subject, ..Entry::of(Event::SessionTimeout) });
        let snapshot = self.published.current();
        // A tenant that is gone has no backends that could be told.
        let Some(tenant) = snapshot.tenants.of(session.realm.tenant()) else { return };
        let correlation = Correlation::continued(&HeaderMap::new());
        let parting = Parting {
            snapshot: &snapshot,
            assertions: &self.assertions,
            tokens: &self.tokens,
            lookups: &self.lookups,
            tenant: &tenant,
            session,
            jar,
            correlation: &correlation,
            request: None,
        };
        send(&self.client, letters(&parting).await, &snapshot.headers).await;
    }
}

#[cfg(test)]
mod tests;
