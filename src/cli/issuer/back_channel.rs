//! Tells the application of a logout without a browser (OpenID Connect Back-Channel Logout 1.0).
//!
//! The logout token goes to the router's own address with the tenant's host, for `*.localhost` is known
//! to browsers and not to every resolver.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::ledger::Session;
use super::visit::Visit;
use crate::cli::loopback::form::with_parameters;

/// How long the application may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What came of telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The application took it.
    Accepted,
    /// The application answered with this status.
    Refused(StatusCode),
    /// The application did not answer.
    Unreachable,
    /// The application says nowhere that it wants to be told.
    NotWanted,
}

impl Visit<'_> {
    /// Sends a logout token for `session`.
    pub(super) async fn tell(&self, session: &Session) -> Told {
        let Some(front) = self.issuer.front.get() else { return Told::NotWanted };
        let (Some(path), Some(application)) = (front.back_channel(), self.application()) else {
            return Told::NotWanted;
        };
        let Ok(token) = self.realm.key.sign("logout+jwt", &self.logout_claims(session)) else {
            return Told::Unreachable;
        };
        let host = application.trim_start_matches("http://");
        match tokio::time::timeout(PATIENCE, post(front.address(), host, &path, &token)).await {
            Ok(Ok(status)) if status.is_success() => Told::Accepted,
            Ok(Ok(status)) => Told::Refused(status),
            Ok(Err(_)) | Err(_) => Told::Unreachable,
        }
    }
}

/// Posts the logout token; the answer's status.
async fn post(
    address: SocketAddr,
    host: &str,
    path: &str,
    token: &str,
) -> Result<StatusCode, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the answer, or with the time that it may take.
    tokio::spawn(connection);
    let body = with_parameters("", &[("logout_token", token)]).split_off(1);
    let request = Request::post(path)
        .header("host", host)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from(body)))?;
    Ok(sender.send_request(request).await?.status())
}
