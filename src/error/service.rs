//! Tokens for services that could not be had: statuses and codes.
//!
//! It is never the caller's fault alone, so each is a 5xx of a gateway: what is behind us says no,
//! cannot be reached, or does not answer in time.

use http::StatusCode;

use super::{Verdict, told};
use crate::auth::ServiceTokenError;

/// What the caller is told.
pub(super) fn verdict(reason: &ServiceTokenError) -> Verdict {
    match reason {
        ServiceTokenError::Refused(_) => told(
            StatusCode::BAD_GATEWAY,
            "service_token_refused",
            "The service's authorization server gives no access.",
        ),
        ServiceTokenError::Unusable(_) => told(
            StatusCode::BAD_GATEWAY,
            "service_token_invalid",
            "The service's authorization server cannot be understood.",
        ),
        ServiceTokenError::TimedOut { retry_after } => told(
            StatusCode::GATEWAY_TIMEOUT,
            "service_token_timeout",
            "The service's authorization server did not answer in time; try again later.",
        )
        .retry_after(*retry_after),
        ServiceTokenError::Unavailable { retry_after } => told(
            StatusCode::SERVICE_UNAVAILABLE,
            "service_token_unavailable",
            "The service's authorization server cannot be asked now; try again later.",
        )
        .retry_after(*retry_after),
    }
}
