//! Just enough of an HTTP server for the demo's two servers.
//!
//! Accepts on a loopback listener and answers with a function. It has no limits and no timeouts, for it
//! listens to this machine only and lives as long as the demo.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::time::{Interval, interval};

/// What both servers answer with.
pub(super) type Answer = Response<BoxBody<Bytes, Infallible>>;

/// A listener on a free port of 127.0.0.1, and its address.
pub(super) async fn bind() -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Answers every request on `listener` with `answer`, for ever.
pub(super) async fn serve<F, R>(listener: TcpListener, answer: F)
where
    F: Fn(Request<Incoming>) -> R + Clone + Send + 'static,
    R: Future<Output = Answer> + Send + 'static,
{
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let answer = answer.clone();
        let service = hyper::service::service_fn(move |request| {
            let answer = answer(request);
            async move { Ok::<_, Infallible>(answer.await) }
        });
        // A connection that ends early is its client's business.
        tokio::spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
        );
    }
}

/// An answer of `status` with a whole body that nobody caches.
pub(super) fn answer(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()).boxed());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// An answer of `status` with `value` as JSON, readable in a terminal.
pub(super) fn json(status: StatusCode, value: &serde_json::Value) -> Answer {
    answer(status, "application/json", format!("{value:#}\n"))
}

/// The plain 404.
pub(super) fn not_found() -> Answer {
    json(StatusCode::NOT_FOUND, &serde_json::json!({"message": "there is nothing here"}))
}

/// Server-sent events: one a second, without end.
pub(super) fn events(tenant: String) -> Answer {
    let events = Events { ticks: interval(Duration::from_secs(1)), tenant, count: 0 };
    let mut answer = Response::new(BodyExt::boxed(events));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// The body of [`events`].
struct Events {
    ticks: Interval,
    tenant: String,
    count: u64,
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.ticks.poll_tick(context).map(|_| {
            self.count += 1;
            let data = serde_json::json!({"tenant": self.tenant, "event": self.count});
            Some(Ok(Frame::data(Bytes::from(format!("data: {data}\n\n")))))
        })
    }
}
