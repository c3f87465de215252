//! Destinations that were not found at the Destination service: statuses and codes.
//!
//! What is not there, or of no use, is the configuration's fault and 500, as the SAP application router
//! has it; a service that does not answer is 503, because it will again.

use http::StatusCode;

use super::{Verdict, told};
use crate::auth::ServiceTokenError;
use crate::destination::lookup::LookupError;

/// What the caller is told.
pub(super) fn verdict(reason: &LookupError) -> Verdict {
    let internal = |code, detail| told(StatusCode::INTERNAL_SERVER_ERROR, code, detail);
    let later = || {
        told(
            StatusCode::SERVICE_UNAVAILABLE,
            "destination_unavailable",
            "The destination cannot be looked up now; try again later.",
        )
    };
    match reason {
        LookupError::Name | LookupError::NotFound | LookupError::NotDynamic | LookupError::Rehearsal => {
            internal("unknown_destination", "There is no destination for this address.")
        }
        LookupError::NeedsUser => {
            internal("destination_needs_user", "The destination has to know who the user is.")
        }
        LookupError::Unusable(_) | LookupError::Refused(_) => {
            internal("destination_unusable", "The destination cannot be used.")
        }
        LookupError::Token(
            ServiceTokenError::TimedOut { retry_after } | ServiceTokenError::Unavailable { retry_after },
        )
        | LookupError::Unavailable { retry_after } => later().retry_after(*retry_after),
        LookupError::Token(ServiceTokenError::Refused(_) | ServiceTokenError::Unusable(_)) => {
            internal("destination_token_refused", "There is no access to the destination.")
        }
        LookupError::Busy => later().retry_after(std::time::Duration::from_secs(1)),
    }
}
