//! What a client is told whose WebSocket is not opened.
//!
//! Statuses are those of the SAP application router: a handshake that cannot be read is 400, an origin or
//! version that is not served 403.

use http::header::SEC_WEBSOCKET_VERSION;
use http::{HeaderValue, StatusCode};

use super::{Verdict, told};
use crate::forward::upgrade::UpgradeError;
use crate::request::websocket::Unopened;

/// What `reason` is to a client.
pub(super) fn verdict(reason: Unopened) -> Verdict {
    let forbidden = |code, detail| told(StatusCode::FORBIDDEN, code, detail);
    match reason {
        Unopened::Disabled => forbidden("websocket_disabled", "WebSockets are not enabled here."),
        Unopened::NoOrigin | Unopened::Origin => {
            forbidden("origin_refused", "WebSockets are not opened for pages of this origin.")
        }
        // RFC 6455 §4.4 asks for the header; which status is left to the server.
        Unopened::Version => forbidden("websocket_version", "Version 13 of WebSockets is served.")
            .with(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")),
        Unopened::Method
        | Unopened::Old
        | Unopened::Upgrade
        | Unopened::Connection
        | Unopened::Key
        | Unopened::Body => told(StatusCode::BAD_REQUEST, "bad_handshake", "This does not open a WebSocket."),
        Unopened::TooMany => told(
            StatusCode::SERVICE_UNAVAILABLE,
            "too_many_websockets",
            "Too many WebSockets are open; try again later.",
        )
        .retry_after(std::time::Duration::from_secs(5)),
    }
}

/// What it is to a client that the backend opened none. A refusal of the backend's is passed on by its
/// status alone, as there is nobody behind a WebSocket who reads a page.
pub(super) fn upstream(reason: &UpgradeError) -> Verdict {
    match reason {
        UpgradeError::Declined(status) if status.is_client_error() || status.is_server_error() => {
            told(*status, "backend_declined_websocket", "The application does not open this WebSocket.")
        }
        UpgradeError::Declined(_) => told(
            StatusCode::BAD_GATEWAY,
            "backend_declined_websocket",
            "The application does not open this WebSocket.",
        ),
        UpgradeError::Handshake(_) => told(
            StatusCode::BAD_GATEWAY,
            "backend_bad_handshake",
            "The application answered with a handshake that is none.",
        ),
    }
}
