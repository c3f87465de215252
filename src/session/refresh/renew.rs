//! How a session gets its next token.
//!
//! Under a lease, so that of several instances one asks; and never before looking whether the next one
//! is there already, because a refresh token may be good for one use only. Peers that do not answer are
//! no reason to end a session: one in a cookie is refreshed without them, one that only they have waits.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::core::Core;
use super::super::keep::Place;
use super::super::opened::{Opened, Renewal, RenewalFailed};
use super::super::policy::Policy;
use super::super::sealed::{Content, Sealed, Successor, WHILE};
use super::super::store::{Denial, Lease, Shared, Store};
use super::super::{Session, Unavailable};
use super::Outcome;

/// How long a lease holds without being given back: longer than an issuer may take.
const LEASE: Duration = Duration::from_secs(20);
/// How long a lease is waited for: one that has it may have been killed, and requests wait meanwhile.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// How often a lease that another has is asked for.
const ASK: Duration = Duration::from_millis(50);

/// What there is of a session that is to be refreshed.
enum Current {
    /// It is as it was opened.
    Same,
    /// Somebody refreshed it meanwhile.
    Newer(Successor),
    /// It has ended.
    Gone,
}

impl Core {
    pub(super) async fn renew<F, Fut>(&self, opened: &Opened, policy: &Policy, renewal: F) -> Outcome
    where
        F: FnOnce(Arc<Session>) -> Fut,
        Fut: Future<Output = Result<Renewal, RenewalFailed>>,
    {
        let lease = match self.leased(opened, policy).await {
            Ok(lease) => lease,
            Err(outcome) => return outcome,
        };
        let outcome = self.renew_alone(opened, policy, renewal).await;
        if let Some(lease) = lease {
            self.peers.unlock(lease).await;
        }
        outcome
    }

    /// The right to refresh; or what came of somebody else's refresh.
    async fn leased(&self, opened: &Opened, policy: &Policy) -> Result<Option<Lease>, Outcome> {
        let name = &opened.handle.key.digest;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            match self.peers.lock(name, LEASE).await {
                Ok(Some(lease)) => return Ok(Some(lease)),
                Ok(None) => tokio::time::sleep(ASK).await,
                Err(unavailable) => return self.without_lease(unavailable),
            }
            match self.current(opened, policy).await {
                Ok(Current::Same) => {}
                Ok(Current::Newer(next)) => return Err(Outcome::Renewed(next)),
                Ok(Current::Gone) => return Err(Outcome::Ended),
                Err(unavailable) => return self.without_lease(unavailable),
            }
        }
        Err(Outcome::Unreachable(super::RETRY))
    }

    fn without_lease(&self, unavailable: Unavailable) -> Result<Option<Lease>, Outcome> {
        match &self.place {
            Place::Kept(_) => Err(Outcome::Unreachable(unavailable.retry_after)),
            Place::Cookies(_) => Ok(None),
        }
    }

    async fn renew_alone<F, Fut>(&self, opened: &Opened, policy: &Policy, renewal: F) -> Outcome
    where
        F: FnOnce(Arc<Session>) -> Fut,
        Fut: Future<Output = Result<Renewal, RenewalFailed>>,
    {
        match self.current(opened, policy).await {
            Ok(Current::Same) => {}
            Ok(Current::Newer(next)) => return Outcome::Renewed(next),
            Ok(Current::Gone) => return Outcome::Ended,
            Err(unavailable) => return Outcome::Unreachable(unavailable.retry_after),
        }
        let kept = match renewal(Arc::clone(&opened.session)).await {
            Ok(renewal) => {
                let renewed = opened.session.renewed(renewal, self.clock.seconds());
                self.keep_renewed(opened, renewed, policy).await
            }
            Err(RenewalFailed::Unreachable { retry_after }) => return Outcome::Unreachable(retry_after),
            Err(RenewalFailed::Refused) => self.remove(opened).await.map(|()| Outcome::Ended),
        };
        kept.unwrap_or_else(|unavailable| Outcome::Unreachable(unavailable.retry_after))
    }

    /// What the stores have of the session now.
    async fn current(&self, opened: &Opened, policy: &Policy) -> Result<Current, Unavailable> {
        let (key, session) = (&opened.handle.key, &opened.session);
        match &self.place {
            Place::Kept(store) => Ok(match store.find(key, &session.realm, self.idle(policy)).await? {
                None => Current::Gone,
                Some(found) if found.identity.bearer == session.identity.bearer => Current::Same,
                Some(session) => Current::Newer(Successor { session, generation: 0 }),
            }),
            Place::Cookies(sealed) => Ok(self.current_cookie(opened, sealed).await),
        }
    }

    async fn current_cookie(&self, opened: &Opened, sealed: &Sealed) -> Current {
        let handle = &opened.handle;
        let (name, now) = (handle.key.digest, self.clock.seconds());
        if !sealed.is_open(opened) {
            return Current::Gone;
        }
        if let Some(next) = sealed.successors.find(&name, handle.generation, now) {
            return Current::Newer(next);
        }
        let left = self.peers.left(&name).await.ok().flatten();
        let next = left.and_then(|left| sealed.read(&opened.session.realm, &left)).map(Content::successor);
        match next.filter(|next| next.generation > handle.generation) {
            Some(next) => {
                sealed.successors.remember(name, next.clone(), now);
                Current::Newer(next)
            }
            None => Current::Same,
        }
    }

    async fn keep_renewed(
        &self,
        opened: &Opened,
        session: Session,
        policy: &Policy,
    ) -> Result<Outcome, Unavailable> {
        let (handle, session) = (opened.handle, Arc::new(session));
        let next = Successor { session, generation: handle.generation.saturating_add(1) };
        match &self.place {
            Place::Kept(store) => {
                if !store.replace(&handle.key, &next.session, self.idle(policy)).await? {
                    return Ok(Outcome::Ended);
                }
            }
            Place::Cookies(sealed) => {
                let now = self.clock.seconds();
                sealed.successors.remember(handle.key.digest, next.clone(), now);
                let (session, generation) = (Arc::clone(&next.session), next.generation);
                let content = Content { session, generation, ..Content::of(opened, now) };
                if self.peers.are_there()
                    && let Some(bytes) = sealed.write(&content)
                {
                    // Without peers the cookie alone carries it on.
                    let _ = self.peers.leave(&handle.key.digest, &bytes, Duration::from_secs(WHILE)).await;
                }
            }
        }
        Ok(Outcome::Renewed(next))
    }

    /// Ends a session.
    pub(in crate::session) async fn remove(&self, opened: &Opened) -> Result<(), Unavailable> {
        match &self.place {
            Place::Kept(store) => store.remove(&opened.handle.key, &opened.session.realm).await,
            Place::Cookies(_) => {
                let name = opened.handle.key.digest;
                self.deny(Denial { name, begun_until: u64::MAX, until: opened.session.ends }).await;
                Ok(())
            }
        }
    }
}
