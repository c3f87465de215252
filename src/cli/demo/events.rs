//! Server-sent events that never end, so that streaming can be seen.
//!
//! One event a second, each with the tenant and a number. It knows nothing of who reads them.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tokio::time::{Interval, interval};

use crate::cli::loopback::Answer;

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
