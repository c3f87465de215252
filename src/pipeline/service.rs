//! Routes to bound services: the caller's token becomes one for the service.
//!
//! Apart from the pipeline's own file because it waits, which other destinations need not. A service is
//! called for somebody: a route that lets everyone in leads to it only for those who show a token.

use std::sync::Arc;

use http::HeaderValue;
use http::request::Parts;

use super::Door;
use crate::auth::{Admitted, Refused};
use crate::destination::Destination;
use crate::destination::service::BusinessService;
use crate::error::Failure;
use crate::forward::Outbound;
use crate::route::Matched;
use crate::session::{Identity, Jar};

/// What a rehearsal shows in the place of a token.
const REHEARSED: HeaderValue = HeaderValue::from_static("Bearer");

/// What the service at `place` is sent for the admitted caller; notes it in `trail`.
pub(super) async fn outbound(
    door: &Door<'_>,
    matched: &Matched<'_>,
    admitted: &Admitted,
    place: usize,
    parts: &mut Parts,
    trail: &mut Option<Arc<Destination>>,
    jar: Option<&Jar>,
) -> Result<Outbound, Failure> {
    let service = door.snapshot.services.get(place).ok_or(Failure::NoDestination)?;
    let destination = &*trail.insert(Arc::clone(&service.destination));
    let caller = admitted.caller().ok_or(Failure::Refused(Refused::Unauthenticated))?;
    let token = token(door, service, caller).await?;
    let headers = std::mem::take(&mut parts.headers);
    let mut outbound = super::outbound(door, matched, admitted, destination, headers, jar)?;
    let is_ias = door.issuer.is_some_and(|issuer| issuer.is_ias());
    service.dress(&mut outbound.headers, token, Some(caller).filter(|_| is_ias));
    Ok(outbound)
}

async fn token(
    door: &Door<'_>,
    service: &BusinessService,
    caller: &Identity,
) -> Result<HeaderValue, Failure> {
    if door.bench.rehearsal {
        return Ok(REHEARSED);
    }
    Ok(service.token(&door.bench.services, door.tenant, caller).await?)
}
