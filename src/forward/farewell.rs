//! Tells a backend that a session has ended.
//!
//! A request of our own, without a body: `destinations.<name>.logoutPath`. The backend gets what it gets
//! with every request of the session: the tenant, the user, the token where it is due, and its cookies,
//! those of the browser and those that were kept for it. Surprising: it needs no admission, because it opens nothing; what it
//! carries is the session's own.

use std::sync::Arc;
use std::time::Duration;

use http::header::{COOKIE, HOST};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::body::Upload;
use super::client::Client;
use super::headers::{HeaderPolicy, add_cookies};
use super::{
    ForwardError, Outbound, X_FORWARDED_HOST, X_FORWARDED_PATH, X_FORWARDED_PROTO, X_TENANT_ASSERTION, send,
};
use crate::destination::Destination;
use crate::request::CanonicalRequest;
use crate::request::correlation::{Correlation, TRACEPARENT, X_CORRELATIONID, X_REQUEST_ID};
use crate::session::{Identity, Jar};
use crate::tenant::Tenant;

/// How long a backend may take to hear of it; nobody is kept from leaving for longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A session's end, as its backends hear of it.
#[derive(Clone, Copy)]
pub struct Farewell<'a> {
    /// Whose the session was.
    pub tenant: &'a Tenant,
    /// Who was logged in.
    pub identity: &'a Identity,
    /// The ids of the request that ended it, or of none.
    pub correlation: &'a Correlation,
    /// The request that ended it and its headers; `None` where it ended unasked.
    pub request: Option<(&'a CanonicalRequest, &'a HeaderMap)>,
    /// What backends had set in the session.
    pub jar: Option<&'a Jar>,
    /// `x-tenant-assertion`, where that is on.
    pub assertion: Option<&'a HeaderValue>,
    /// Which headers pass.
    pub policy: &'a HeaderPolicy,
}

impl Farewell<'_> {
    /// What `destination` is sent at `path`, which is behind its own.
    pub fn to(
        &self,
        destination: &Arc<Destination>,
        method: &Method,
        path: &str,
    ) -> Result<Outbound, ForwardError> {
        let nowhere = || ForwardError::Address { destination: Arc::clone(&destination.name) };
        let path = PathAndQuery::try_from(format!("{}{path}", destination.base)).map_err(|_| nowhere())?;
        Ok(Outbound {
            destination: Arc::clone(destination),
            tenant: self.tenant.key.clone(),
            method: method.clone(),
            headers: self.headers(destination, path.path()),
            path,
            passes_session_cookies: false,
        })
    }

    fn headers(&self, destination: &Destination, path: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some((request, sent)) = self.request {
            headers.extend(sent.get_all(COOKIE).iter().map(|cookie| (COOKIE, cookie.clone())));
            self.policy.strip_request(&mut headers, false);
            if destination.set_x_forwarded_headers {
                forwarded(request, &mut headers);
            }
        }
        if let Some(jar) = self.jar {
            add_cookies(&mut headers, &jar.cookies(&destination.backend(), path), false);
        }
        headers.insert(HOST, destination.host.clone());
        headers.insert(X_REQUEST_ID, self.correlation.request_id.clone());
        headers.insert(X_CORRELATIONID, self.correlation.correlation_id.clone());
        headers.insert(TRACEPARENT, self.correlation.traceparent.clone());
        super::introduce(self.identity, destination, self.policy, &mut headers);
        headers.extend(self.tenant.headers().iter().cloned());
        headers.extend(self.assertion.map(|assertion| (X_TENANT_ASSERTION, assertion.clone())));
        headers
    }
}

fn forwarded(request: &CanonicalRequest, headers: &mut HeaderMap) {
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(request.scheme.as_str()));
    headers.extend(request.authority.clone().map(|authority| (X_FORWARDED_HOST, authority)));
    let path = HeaderValue::from_str(&request.outside(request.target.path()));
    headers.extend(path.ok().map(|path| (X_FORWARDED_PATH, path)));
}

/// Sends `outbound`, which [`Farewell::to`] made, and says how the backend answered.
pub async fn tell(
    client: &Client,
    outbound: Outbound,
    policy: &Arc<HeaderPolicy>,
) -> Result<StatusCode, ForwardError> {
    let destination = Arc::clone(&outbound.destination.name);
    let sent = send(client, outbound, Upload::empty(), policy);
    match tokio::time::timeout(PATIENCE, sent).await {
        // A session that has ended keeps nothing that is set now.
        Ok(answer) => Ok(answer?.0.status()),
        Err(_) => Err(ForwardError::Timeout { destination, after: PATIENCE }),
    }
}
