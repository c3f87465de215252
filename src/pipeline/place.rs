//! Where a request is sent to: a destination of the configuration, or one that the Destination service
//! knows.
//!
//! The first is found without waiting, and nearly always. The second, and the tokens that some
//! destinations ask for, are waited for in futures of their own, which no other request pays for. Where a
//! decision is only explained nobody is asked.

use std::borrow::Cow;
use std::sync::Arc;

use super::Door;
use crate::auth::Admitted;
use crate::destination::Destination;
use crate::destination::lookup::{LookupError, Sought};
use crate::destination::particulars::Tokens;
use crate::error::Failure;
use crate::forward::Outbound;
use crate::route::{DestinationName, Matched};

/// What a route's destination comes to without asking anybody.
pub(super) enum Place<'a> {
    /// The configuration has it.
    Known(&'a Arc<Destination>),
    /// It does not; the Destination service may.
    Unknown(Wanted<'a>),
}

/// A destination that the configuration does not have.
pub(super) struct Wanted<'a> {
    /// What it is called.
    name: Cow<'a, str>,
    /// Whether the request named it.
    captured: bool,
}

/// What `name` comes to.
pub(super) fn of<'a>(
    door: &Door<'a>,
    name: &'a DestinationName,
    matched: &Matched<'a>,
) -> Result<Place<'a>, Failure> {
    let (destinations, tenant) = (&door.snapshot.destinations, door.tenant.index);
    let name: Cow<'a, str> = match name {
        DestinationName::Fixed(name) => {
            let unknown = || Place::Unknown(Wanted { name: Cow::Borrowed(name), captured: false });
            return Ok(destinations.find(name, tenant).map_or_else(unknown, Place::Known));
        }
        DestinationName::Captured(group) => matched.group(*group).ok_or(Failure::NoDestination)?.into(),
        DestinationName::HostPattern => {
            let pattern = door.snapshot.destination_hosts.as_ref().ok_or(Failure::NoDestination)?;
            let host = door.request.host.as_ref();
            let captured = host.and_then(|host| pattern.captured(host, door.request.port));
            Cow::Owned(captured.ok_or(Failure::HostNamesNone)?.clone())
        }
    };
    match destinations.find_captured(&name, tenant) {
        Some(known) => Ok(Place::Known(known)),
        None => Ok(Place::Unknown(Wanted { name, captured: true })),
    }
}

impl Wanted<'_> {
    /// What the Destination service knows under this name.
    pub(super) async fn looked_up(
        &self,
        door: &Door<'_>,
        matched: &Matched<'_>,
        admitted: &Admitted,
    ) -> Result<Arc<Destination>, Failure> {
        let service = door.snapshot.destination_service.as_ref().ok_or(Failure::NoDestination)?;
        if door.bench.rehearsal {
            return Err(LookupError::Rehearsal.into());
        }
        let sought = Sought {
            service,
            tenant: door.tenant,
            name: &self.name,
            captured: self.captured,
            local: matched.route.prefer_local,
            caller: admitted.caller(),
        };
        Ok(door.bench.lookups.find(&sought).await?)
    }
}

/// Adds to `outbound` what its destination asks for beyond an address.
pub(super) async fn dress(
    door: &Door<'_>,
    admitted: &Admitted,
    outbound: &mut Outbound,
) -> Result<(), Failure> {
    let Some(particulars) = &outbound.destination.particulars else { return Ok(()) };
    let tokens = if door.bench.rehearsal {
        Tokens::default()
    } else {
        particulars.tokens(&door.bench.services, door.tenant, admitted.caller()).await?
    };
    let is_reserved = |name: &http::HeaderName| door.snapshot.headers.is_reserved_name(name);
    particulars.dress(&mut outbound.headers, tokens, door.request.authority.as_ref(), is_reserved);
    Ok(())
}
