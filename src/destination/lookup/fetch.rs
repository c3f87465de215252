//! Asks the Destination service for one destination ("Find a Destination" of its REST API).
//!
//! As the application where that suffices; as the user, by an exchanged token, where the destination is
//! another for each. One request, no redirect, five seconds, a mebibyte. The answer is never logged: it
//! holds tokens and passwords.

use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderValue, Request, StatusCode};

use super::answer::{self, Read};
use super::known::Key;
use super::{DestinationService, LookupError, Shared};
use crate::session::Identity;
use crate::tenant::Tenant;

/// After how long the service is asked again that did not answer, unless it fails again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What the service says of the destination of `key`, for `caller` where it is another for each user.
pub(super) async fn ask(
    shared: &Shared,
    service: &DestinationService,
    tenant: &Tenant,
    key: &Key,
    caller: Option<&Identity>,
) -> Result<Read, LookupError> {
    let Ok(_permit) = shared.permits.acquire().await else { return Err(unavailable()) };
    let credentials = service.credentials(key.local);
    let bearer = match caller {
        None => shared.tokens.client_credentials(tenant, credentials).await?,
        Some(caller) => shared.tokens.exchanged(tenant, credentials, caller).await?,
    };
    let request = Request::get(service.address(&key.name))
        .header(AUTHORIZATION, bearer)
        .header(ACCEPT, HeaderValue::from_static("application/json;charset=utf-8"))
        .body(Vec::new())
        .map_err(|_| LookupError::Name)?;
    let answer = shared.keys.fetcher().ask(request).await.map_err(|error| {
        tracing::warn!(destination = &*key.name, error = &error as &dyn std::error::Error, "not looked up");
        unavailable()
    })?;
    match answer.status() {
        StatusCode::OK => Ok(answer::read(answer.body(), service, key, caller.is_some())?),
        StatusCode::NOT_FOUND => Err(LookupError::NotFound),
        other => Err(LookupError::Refused(other)),
    }
}

fn unavailable() -> LookupError {
    LookupError::Unavailable { retry_after: RETRY_AFTER }
}
