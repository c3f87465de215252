//! The session of a request, if it brings one that opens here, and what its answer tells the browser.
//!
//! It is looked for only where a session's cookie is there and the tenant's issuer has a client: a
//! request without one pays for a comparison of names. A token that is about to expire is refreshed
//! before it is used; when that is refused the session has ended, and the request goes on without.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};

use super::{Bench, Caller};
use crate::auth::login::LoginError;
use crate::auth::{Admitted, Issuer};
use crate::endpoint::Outside;
use crate::error::{FailedLogin, Failure, LoginFault};
use crate::request::correlation::Correlation;
use crate::request::{CanonicalRequest, Target};
use crate::route::cors::{NotShared, Sharing};
use crate::session::{self, Holder, Jar, Opened, Policy, Refreshed, ReturnPath, Session, SetCookies, cookie};
use crate::snapshot::Snapshot;
use crate::tenant::Tenant;

/// Who comes with a request, as far as cookies tell.
#[derive(Debug, Default)]
pub struct Visitor {
    /// The session.
    pub opened: Option<Opened>,
    /// The token that the answer tells a session that asked for it.
    pub csrf_token: Option<HeaderValue>,
    /// What the answer tells pages of other origins.
    pub sharing: Sharing,
    /// What removes a session that has ended.
    removal: SetCookies,
    /// Proof of who it is, once a request is forwarded.
    pub admitted: Option<Admitted>,
    /// The cookies that backends have set for it.
    pub jar: Option<Arc<Jar>>,
    /// What the browser is told of those that come.
    pub(super) kept: SetCookies,
}

/// What is known of a request before its route.
#[derive(Clone, Copy)]
pub(super) struct Door<'a> {
    pub snapshot: &'a Snapshot,
    pub bench: &'a Bench,
    pub caller: &'a Caller,
    pub correlation: &'a Correlation,
    pub tenant: &'a Arc<Tenant>,
    pub issuer: Option<&'a Arc<Issuer>>,
    pub request: &'a CanonicalRequest,
    pub prefix_length: usize,
}

impl Visitor {
    /// Looks for the session that `headers` bring, unless that was done.
    pub(super) async fn look(
        &mut self,
        door: &Door<'_>,
        headers: &HeaderMap,
    ) -> Result<(), session::Unavailable> {
        let Some(realm) = door.issuer.and_then(|issuer| issuer.realm()) else { return Ok(()) };
        if self.opened.is_some() || !cookie::is_present(headers, &door.policy().cookie) {
            return Ok(());
        }
        let outside = door.outside();
        // Boxed, as every request's future would be as large as a look-up in Redis.
        let find = Box::pin(door.bench.sessions.find(realm, door.policy(), &outside.scope, headers));
        self.opened = find.await?;
        Ok(())
    }

    /// The same, for a route or endpoint that uses the session: its token holds, or there is none.
    pub(super) async fn look_closely(&mut self, door: &Door<'_>, headers: &HeaderMap) -> Result<(), Failure> {
        self.look(door, headers).await?;
        let Some(opened) = self.opened.take() else { return Ok(()) };
        let now = door.bench.clock.seconds();
        let expires = opened.session.identity.expires;
        if !opened.session.wants_refresh(now, door.policy().refresh_ahead) {
            self.opened = Some(opened);
            return Ok(());
        }
        let can_refresh = opened.session.refresh_token.is_some() && !door.policy().refresh_ahead.is_zero();
        if can_refresh && !door.bench.rehearsal {
            return Box::pin(self.refresh(door, opened)).await;
        }
        self.opened = Some(opened).filter(|_| expires > now);
        Ok(())
    }

    async fn refresh(&mut self, door: &Door<'_>, opened: Opened) -> Result<(), Failure> {
        let Some(issuer) = door.issuer.cloned() else { return Ok(()) };
        let (logins, tenant) = (Arc::clone(&door.bench.logins), Arc::clone(door.tenant));
        let renewal = move |session: Arc<Session>| logins.refresh(issuer, tenant, session);
        let outside = door.outside();
        match door.bench.sessions.refreshed(opened, door.policy(), &outside.scope, renewal).await {
            Refreshed::Renewed(opened) | Refreshed::Kept(opened) => self.opened = Some(opened),
            Refreshed::Ended(removal) => self.removal = removal,
            Refreshed::Unreachable { retry_after } => {
                return Err(unreachable(door.request, &outside, retry_after));
            }
        }
        Ok(())
    }

    /// The cookies that backends have set for who was `admitted`.
    pub(super) async fn jar(
        &mut self,
        door: &Door<'_>,
        admitted: &Admitted,
        headers: &HeaderMap,
    ) -> Option<&Jar> {
        let jar = door.bench.sessions.jar(self.holder(admitted, door.tenant, door.issuer), headers).await;
        self.jar = jar;
        self.jar.as_deref()
    }

    /// Whose the cookies of backends are, where `admitted` may take the route.
    pub(super) fn holder<'a>(
        &'a self,
        admitted: &'a Admitted,
        tenant: &'a Tenant,
        issuer: Option<&'a Arc<Issuer>>,
    ) -> Holder<'a> {
        match (&self.opened, admitted.caller()) {
            (Some(opened), None) => Holder::Session(opened),
            (Some(opened), Some(_)) if admitted.session().is_some() => Holder::Session(opened),
            (_, identity) => {
                let realm = issuer.and_then(|issuer| issuer.realm());
                Holder::Caller { tenant: tenant.key.as_ref(), realm, identity }
            }
        }
    }

    /// Judges the page that asks, where it is another origin's; the answer's headers where it is a
    /// preflight. A WebSocket is no request whose answer a page could read, and has rules of its own.
    pub(super) fn share(
        &mut self,
        door: &Door<'_>,
        target: &Target,
        headers: &HeaderMap,
    ) -> Result<Option<Box<HeaderMap>>, NotShared> {
        match &door.snapshot.cors {
            Some(cors) => cors.judge(door.request, target.path(), headers, &mut self.sharing),
            None => Ok(None),
        }
    }

    /// What the answer sets.
    pub(super) fn take_cookies(&mut self) -> SetCookies {
        let mut cookies = std::mem::take(&mut self.removal);
        cookies.append(&mut self.kept);
        if let Some(opened) = &mut self.opened {
            cookies.append(&mut opened.set_cookies);
        }
        cookies
    }
}

impl Door<'_> {
    fn policy(&self) -> &Policy {
        &self.snapshot.sessions
    }

    /// The path behind the tenant's prefix, whether that is stripped or not.
    pub(super) fn path(&self) -> &str {
        self.request.target.path().get(self.prefix_length..).unwrap_or_default()
    }

    pub(super) fn outside(&self) -> Outside {
        Outside::of(self.request, self.prefix_length)
    }
}

/// The issuer is not there to refresh a token that holds no longer. The session is kept.
fn unreachable(request: &CanonicalRequest, outside: &Outside, retry_after: std::time::Duration) -> Failure {
    let reason = LoginFault::Login(LoginError::IssuerUnreachable { retry_after });
    FailedLogin::at(reason, &return_path(request, outside)).into()
}

/// Where a login leads back to: what was asked for, or the tenant's root where that is no place to go.
pub(super) fn return_path(request: &CanonicalRequest, outside: &Outside) -> ReturnPath {
    ReturnPath::parse(&request.outside(request.target.as_str()), outside.prefix())
        .unwrap_or_else(|| ReturnPath::root(outside.prefix()))
}
