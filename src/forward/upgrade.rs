//! Opens a WebSocket at a backend, and carries it.
//!
//! [`prepare`] says what the handshake would be, [`open`] asks for it on a connection of its own, which
//! comes from no pool and never gets into one. Nothing that the client sends reaches the backend before
//! the backend's own 101, and that counts only with the answer to the key (RFC 6455 §4.2.2); what passes
//! afterwards are frames, see [`tunnel`]. Of the backend's headers only the subprotocol and extensions
//! that both agreed on are told. Surprising: HTTP/1.1 is spoken to every backend, also where the
//! destination prefers HTTP/2.

pub mod ending;
mod frames;
mod fuzz;
pub mod tunnel;
mod way;

use std::sync::Arc;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use self::tunnel::Tunnel;
use super::body::{Body, Upload};
use super::client::{Client, SendError};
use super::connect::{ConnectError, Stream};
use super::{DEFAULT_TIMEOUT, ForwardError, Outbound, failed, headers, request};
use crate::destination::Destination;
use crate::request::websocket::{Handshake, is_named};

pub use frames::Fault;
#[doc(hidden)]
pub use fuzz::fuzz;
pub use way::{Activity, Glance};

/// What the answer to a key is made with (RFC 6455 §1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// The largest header that a backend may answer with.
const HEADER_BLOCK: usize = 64 * 1024;

/// Why a backend that was reached opened no WebSocket.
#[derive(Debug, thiserror::Error)]
pub enum UpgradeError {
    /// It answered with another status than 101.
    #[error("it answered {0}")]
    Declined(StatusCode),
    /// It answered 101, but not as RFC 6455 asks for.
    #[error("its 101 is none: {0}")]
    Handshake(&'static str),
}

/// A handshake as it will be sent.
#[derive(Debug)]
pub struct Upgrade {
    /// The request, with all headers of the handshake.
    pub outbound: Outbound,
    /// How the client is answered.
    answer: Answer,
}

/// How a client learns that its WebSocket is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// By 101, HTTP/1.1.
    Switching,
    /// By 200, HTTP/2 (RFC 8441 §5).
    Connected,
}

/// The handshake that `outbound` becomes; nothing where the system gives no randomness for a key.
#[must_use]
pub fn prepare(mut outbound: Outbound, handshake: &Handshake) -> Option<Upgrade> {
    let (key, answer) = match &handshake.key {
        Some(key) => (key.clone(), Answer::Switching),
        None => (fresh_key()?, Answer::Connected),
    };
    let headers = &mut outbound.headers;
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    headers.insert(SEC_WEBSOCKET_KEY, key);
    headers.remove(SEC_WEBSOCKET_ACCEPT);
    Some(Upgrade { outbound, answer })
}

fn fresh_key() -> Option<HeaderValue> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    HeaderValue::from_str(&STANDARD.encode(bytes)).ok()
}

/// A WebSocket that the backend has opened, and the answer that tells the client.
pub struct Opened {
    /// The answer, without a body.
    pub response: Response<Body>,
    /// What is to be carried once the answer has been sent.
    pub tunnel: Tunnel,
}

/// Asks the backend for the WebSocket.
pub async fn open(client: &Client, upgrade: Upgrade) -> Result<Opened, ForwardError> {
    let Upgrade { outbound, answer } = upgrade;
    let destination = Arc::clone(&outbound.destination);
    let named = || Arc::clone(&destination.name);
    let offered = outbound.headers.clone();
    let request = request(outbound, Upload::empty());
    let request = request.ok_or_else(|| ForwardError::Address { destination: named() })?;
    let after = destination.timeout.unwrap_or(DEFAULT_TIMEOUT);
    let asked = ask(client, &destination, request);
    let asked = tokio::time::timeout(after, asked).await;
    let response = asked.map_err(|_| ForwardError::Timeout { destination: named(), after })?;
    let mut response = response.map_err(|error| failed(named(), error))?;
    let refused = |source| ForwardError::Upgrade { destination: named(), source };
    let agreed = agreed(&offered, &response).map_err(refused)?;
    let upgraded = hyper::upgrade::on(&mut response).await;
    let upgraded = upgraded.map_err(|source| ForwardError::Broken { destination: named(), source })?;
    let parts = upgraded.downcast::<TokioIo<Stream>>();
    let parts = parts.map_err(|_| refused(UpgradeError::Handshake("its connection is another")))?;
    let extended = agreed.contains_key(SEC_WEBSOCKET_EXTENSIONS);
    let tunnel = Tunnel { back: parts.io.into_inner(), early: parts.read_buf, extended };
    Ok(Opened { response: answered(answer, &offered, agreed), tunnel })
}

async fn ask(
    client: &Client,
    destination: &Destination,
    mut request: Request<Upload>,
) -> Result<Response<Incoming>, SendError> {
    let openly = is_asked_openly(destination);
    let stream = client.connector().dial(&destination.endpoint, openly).await?;
    let handshake = http1::Builder::new().max_header_size(HEADER_BLOCK).handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(ConnectError::Handshake)?;
    // It ends with the answer: as bytes where that is a 101, otherwise when the sender is dropped.
    tokio::spawn(async move { drop(connection.with_upgrades().await) });
    if !openly {
        let path = request.uri().path_and_query().cloned().map(Uri::from);
        *request.uri_mut() = path.unwrap_or_default();
    }
    sender.send_request(request).await.map_err(SendError::Exchange)
}

/// Whether the proxy in between reads the handshake: the Connectivity proxy, which makes no tunnels and
/// is told who we are.
fn is_asked_openly(destination: &Destination) -> bool {
    let is_told =
        destination.particulars.as_ref().is_some_and(|particulars| particulars.on_premise.is_some());
    is_told && destination.endpoint.is_proxied_openly()
}

/// What both sides agreed on: of what was `offered`, what `response` takes up.
fn agreed(offered: &HeaderMap, response: &Response<Incoming>) -> Result<HeaderMap, UpgradeError> {
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(UpgradeError::Declined(response.status()));
    }
    let wrong = UpgradeError::Handshake;
    let answer = response.headers();
    let only = |name: &HeaderName| {
        let mut values = answer.get_all(name).iter();
        values.next().filter(|_| values.next().is_none())
    };
    if !only(&UPGRADE).is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"websocket")) {
        return Err(wrong("another protocol than websocket"));
    }
    if !is_named(answer, &CONNECTION, b"upgrade") {
        return Err(wrong("Connection does not name Upgrade"));
    }
    if headers::is_framed(answer) {
        return Err(wrong("a body"));
    }
    if only(&SEC_WEBSOCKET_ACCEPT) != offered.get(SEC_WEBSOCKET_KEY).and_then(accept).as_ref() {
        return Err(wrong("the answer to the key is wrong"));
    }
    let mut agreed = HeaderMap::new();
    if answer.contains_key(SEC_WEBSOCKET_PROTOCOL) {
        let chosen = only(&SEC_WEBSOCKET_PROTOCOL).ok_or(wrong("several subprotocols"))?;
        let was_offered = words(offered, &SEC_WEBSOCKET_PROTOCOL).any(|offered| offered == chosen.as_bytes());
        agreed.insert(SEC_WEBSOCKET_PROTOCOL, chosen.clone());
        was_offered.then_some(()).ok_or(wrong("a subprotocol that was not offered"))?;
    }
    let extension = |word: &[u8]| word.split(|b| *b == b';').next().unwrap_or_default().trim_ascii().to_vec();
    for taken in words(answer, &SEC_WEBSOCKET_EXTENSIONS) {
        let mut offers = words(offered, &SEC_WEBSOCKET_EXTENSIONS);
        if !offers.any(|offer| extension(offer).eq_ignore_ascii_case(&extension(taken))) {
            return Err(wrong("an extension that was not offered"));
        }
    }
    for value in answer.get_all(SEC_WEBSOCKET_EXTENSIONS) {
        agreed.append(SEC_WEBSOCKET_EXTENSIONS, value.clone());
    }
    Ok(agreed)
}

/// The elements of a list, in however many lines. No word that counts here has a comma of its own.
fn words<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h [u8]> {
    let lines = headers.get_all(name).iter();
    lines.flat_map(|line| line.as_bytes().split(|b| *b == b',')).map(<[u8]>::trim_ascii)
}

/// The answer to a key.
fn accept(key: &HeaderValue) -> Option<HeaderValue> {
    let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    context.update(key.as_bytes());
    context.update(GUID);
    HeaderValue::from_str(&STANDARD.encode(context.finish())).ok()
}

/// What the client is told, in its own protocol.
fn answered(answer: Answer, offered: &HeaderMap, agreed: HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.headers_mut() = agreed;
    match answer {
        Answer::Connected => *response.status_mut() = StatusCode::OK,
        Answer::Switching => {
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            let headers = response.headers_mut();
            headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
            let accept = offered.get(SEC_WEBSOCKET_KEY).and_then(accept);
            headers.extend(accept.map(|accept| (SEC_WEBSOCKET_ACCEPT, accept)));
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_a_key_is_that_of_the_rfc() {
        let key = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(accept(&key).expect("an answer"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        let fresh = fresh_key().expect("a key");
        assert_eq!(fresh.len(), 24);
        assert_ne!(fresh_key(), Some(fresh));
    }
}
