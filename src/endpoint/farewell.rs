//! Tells the backends that a session has ended: `logoutPath` of their destinations.
//!
//! All at once, each with a time of its own, because none has to wait for another and the person waits
//! for all. What goes wrong is logged and changes nothing. A session that ends because nobody used it is
//! told in the same way, by [`Farewells`], but without the browser's cookies, which nobody sent.

use std::sync::Arc;

use http::HeaderMap;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::auth::Assertions;
use crate::forward::client::Client;
use crate::forward::farewell::{Farewell, tell};
use crate::forward::headers::HeaderPolicy;
use crate::forward::{ForwardError, Outbound};
use crate::observe::audit::{Audit, Entry, Event};
use crate::request::CanonicalRequest;
use crate::request::correlation::Correlation;
use crate::session::Session;
use crate::snapshot::{Published, Snapshot};
use crate::tenant::{Tenant, TenantKey};

/// How many sessions' backends are told at once where sessions end unasked.
const AT_ONCE: usize = 32;

/// A session's end.
pub(super) struct Parting<'a> {
    pub snapshot: &'a Snapshot,
    pub assertions: &'a Assertions,
    pub tenant: &'a Tenant,
    pub session: &'a Session,
    pub correlation: &'a Correlation,
    pub request: Option<(&'a CanonicalRequest, &'a HeaderMap)>,
}

/// What the backends will be sent, in the order of the configuration.
pub(super) fn letters(parting: &Parting<'_>) -> Vec<Outbound> {
    let Parting { snapshot, tenant, session, .. } = *parting;
    let written = snapshot.logout.backends.iter().filter_map(|backend| {
        let destination = snapshot.destinations.find(&backend.destination, tenant.index)?;
        let sign = || parting.assertions.sign(tenant, Some(&session.identity), &backend.path);
        let assertion = if snapshot.assertion { sign() } else { None };
        let farewell = Farewell {
            tenant,
            identity: &session.identity,
            correlation: parting.correlation,
            request: parting.request,
            assertion: assertion.as_ref(),
            policy: &snapshot.headers,
        };
        farewell.to(destination, &backend.method, &backend.path).inspect_err(log).ok()
    });
    written.collect()
}

/// Sends `letters` and waits until each was answered, or its time is up.
pub(super) async fn send(client: &Client, letters: Vec<Outbound>, policy: &Arc<HeaderPolicy>) {
    let mut under_way = JoinSet::new();
    for letter in letters {
        let (client, policy) = (client.clone(), Arc::clone(policy));
        let destination = Arc::clone(&letter.destination.name);
        under_way.spawn(async move { (destination, tell(&client, letter, &policy).await) });
    }
    while let Some(told) = under_way.join_next().await {
        match told {
            Ok((_, Ok(status))) if status.is_success() || status.is_redirection() => {}
            Ok((destination, Ok(status))) => {
                let status = status.as_u16();
                tracing::warn!(%destination, status, "a backend did not take the logout");
            }
            Ok((_, Err(error))) => log(&error),
            // Only together with the worker, which has nobody left to tell.
            Err(_) => {}
        }
    }
}

fn log(error: &ForwardError) {
    tracing::warn!(error = error as &dyn std::error::Error, "a backend does not hear of a logout");
}

/// Tells backends of sessions that ended unasked.
pub struct Farewells {
    /// The configuration.
    pub published: Arc<Published>,
    /// Connections to backends.
    pub client: Client,
    /// Signs what backends are told.
    pub assertions: Arc<Assertions>,
    /// Who went.
    pub audit: Audit,
}

impl Farewells {
    /// Runs as long as sessions can end.
    pub async fn run(self, mut ended: mpsc::Receiver<Arc<Session>>) {
        let (own, mut under_way) = (Arc::new(self), JoinSet::new());
        while let Some(session) = ended.recv().await {
            if under_way.len() >= AT_ONCE {
                under_way.join_next().await;
            }
            while under_way.try_join_next().is_some() {}
            own.client.expire();
            let own = Arc::clone(&own);
            under_way.spawn(async move { own.tell(&session).await });
        }
        while under_way.join_next().await.is_some() {}
    }

    async fn tell(&self, session: &Session) {
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
            tenant: &tenant,
            session,
            correlation: &correlation,
            request: None,
        };
        send(&self.client, letters(&parting), &snapshot.headers).await;
    }
}

#[cfg(test)]
mod tests;
