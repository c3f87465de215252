//! The two bodies of an exchange, streamed with back-pressure.
//!
//! [`Upload`] carries the client's body to the backend, [`Body`] whatever we answer to the client. Both
//! pass frames on as they arrive and hold nothing back; both watch the clock, since a stream has no
//! total limit but may not stand still. Trailers pass the same filter as headers. A body that breaks
//! off is an error to its reader, never a shorter body.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use super::client::Lease;
use super::headers::HeaderPolicy;
use crate::request::Verdict;

/// How long a stream to the client may stand still.
const ANSWER_IDLE: Duration = Duration::from_mins(5);
/// How long a request's body may stand still.
const UPLOAD_IDLE: Duration = Duration::from_secs(30);
/// After this long a request's body must have kept up with [`UPLOAD_RATE`].
const UPLOAD_GRACE: Duration = Duration::from_secs(10);
/// Bytes a second that a request's body must bring on average.
const UPLOAD_RATE: u64 = 240;

/// Why a body broke off.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The sender closed or broke the framing.
    #[error("the body broke off")]
    Broken(#[source] hyper::Error),
    /// Nothing came for too long.
    #[error("nothing came for {} s", .0.as_secs())]
    Idle(Duration),
    /// It took longer than `INCOMING_REQUEST_TIMEOUT`.
    #[error("the body took longer than {} ms", .0.as_millis())]
    Late(Duration),
    /// The client sends too slowly to be honest.
    #[error("the body came in at less than {UPLOAD_RATE} bytes a second")]
    Slow,
    /// A file could not be read to its end.
    #[error("the file could not be read")]
    File(#[source] std::io::Error),
    /// The client's bytes have more than one meaning.
    #[error("the request's framing is ambiguous")]
    Ambiguous,
    /// It could not be compressed.
    #[error("the body could not be compressed")]
    Coding(#[source] std::io::Error),
}

/// Hears how an answer ended: when its last byte was handed over, or when it was given up.
pub trait Attendant: Send {
    /// `bytes` of body were sent; `complete` says whether that was all of it.
    fn ended(self: Box<Self>, bytes: u64, complete: bool);
}

/// Fires when nothing has happened for a while; costs nothing until something has to be waited for.
struct Idle {
    limit: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
    armed: bool,
}

impl Idle {
    fn new(limit: Duration) -> Self {
        Self { limit, sleep: None, armed: false }
    }

    fn progressed(&mut self) {
        self.armed = false;
    }

    fn extend(&mut self, limit: Duration) {
        self.armed &= self.limit == limit;
        self.limit = limit;
    }

    /// A limit that is nearer than the one that is armed.
    fn shorten(&mut self, limit: Duration) {
        if !self.armed {
            self.limit = limit.min(UPLOAD_IDLE);
        }
    }

    fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.limit)));
        if !self.armed {
            sleep.as_mut().reset(Instant::now() + self.limit);
            self.armed = true;
        }
        sleep.as_mut().poll(cx)
    }
}

/// How far a body has come.
#[derive(Debug)]
pub struct Progress {
    begun: Instant,
    bytes: AtomicU64,
    latest: AtomicU64,
    awaited: AtomicBool,
    answered: AtomicBool,
}

impl Progress {
    fn begin() -> Self {
        Self {
            begun: Instant::now(),
            bytes: AtomicU64::new(0),
            latest: AtomicU64::new(0),
            awaited: AtomicBool::new(false),
            answered: AtomicBool::new(false),
        }
    }

    fn came(&self) {
        self.awaited.store(false, Relaxed);
        let now = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.latest.store(now, Relaxed);
    }

    /// How many bytes have come.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// How long the backend has had nothing to wait for: not at all while the client still owes bytes,
    /// otherwise since the last of them came.
    #[must_use]
    pub fn quiet(&self) -> Duration {
        if self.awaited.load(Relaxed) {
            return Duration::ZERO;
        }
        self.begun.elapsed().saturating_sub(Duration::from_millis(self.latest.load(Relaxed)))
    }

    /// The answer has begun: what still comes from the client is one side of a conversation.
    pub(super) fn answered(&self) {
        self.answered.store(true, Relaxed);
    }
}

/// The client's body on its way to the backend. Boxed, as most requests have none and each one's future
/// would be as large.
pub struct Upload(Option<Box<Live>>);

/// A body that comes in.
struct Live {
    incoming: Incoming,
    policy: Arc<HeaderPolicy>,
    verdict: Arc<Verdict>,
    idle: Idle,
    awaited: Option<Instant>,
    waited: Duration,
    progress: Arc<Progress>,
    limit: Option<Duration>,
}

impl Upload {
    /// No body at all.
    #[must_use]
    pub fn empty() -> Self {
        Self(None)
    }

    /// The body of a request. Its trailers pass `policy`; it breaks off once `verdict` says that its
    /// connection's bytes have more than one meaning, and after `limit`, where there is one.
    #[must_use]
    pub fn new(
        incoming: Incoming,
        policy: &Arc<HeaderPolicy>,
        verdict: &Arc<Verdict>,
        limit: Option<Duration>,
    ) -> Self {
        if incoming.is_end_stream() {
            return Self::empty();
        }
        Self(Some(Box::new(Live {
            incoming,
            policy: Arc::clone(policy),
            verdict: Arc::clone(verdict),
            idle: Idle::new(UPLOAD_IDLE),
            awaited: None,
            waited: Duration::ZERO,
            progress: Arc::new(Progress::begin()),
            limit,
        })))
    }

    /// How far it has come, counted on; `None` where there is no body.
    #[must_use]
    pub fn progress(&self) -> Option<Arc<Progress>> {
        self.0.as_ref().map(|live| Arc::clone(&live.progress))
    }
}

impl Live {
    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<BodyError> {
        let since = *self.awaited.get_or_insert_with(Instant::now);
        let waited = self.waited + since.elapsed();
        let progress = &self.progress;
        progress.awaited.store(true, Relaxed);
        if progress.answered.load(Relaxed) {
            // Who has an answer already is no longer judged by how fast they ask.
            self.idle.extend(ANSWER_IDLE);
            return self.idle.poll_expired(cx).map(|()| BodyError::Idle(ANSWER_IDLE));
        }
        if let Some(limit) = self.limit.filter(|limit| progress.begun.elapsed() >= *limit) {
            return Poll::Ready(BodyError::Late(limit));
        }
        if waited > UPLOAD_GRACE && progress.bytes() < UPLOAD_RATE.saturating_mul(waited.as_secs()) {
            return Poll::Ready(BodyError::Slow);
        }
        let left = self.limit.map_or(UPLOAD_IDLE, |limit| limit.saturating_sub(progress.begun.elapsed()));
        self.idle.shorten(left);
        let limit = self.limit.filter(|_| left < UPLOAD_IDLE);
        self.idle.poll_expired(cx).map(|()| limit.map_or(BodyError::Idle(UPLOAD_IDLE), BodyError::Late))
    }

    /// Only the time in which the client was waited for is the client's.
    fn came(&mut self) {
        self.waited += self.awaited.take().map_or(Duration::ZERO, |since| since.elapsed());
        self.progress.came();
        self.idle.progressed();
    }

    fn passed(&mut self, frame: Frame<Bytes>) -> Frame<Bytes> {
        if let Some(data) = frame.data_ref() {
            self.progress.bytes.fetch_add(data.len() as u64, Relaxed);
        }
        self.policy.filter_trailers(frame)
    }
}

impl http_body::Body for Upload {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(this) = &mut self.get_mut().0 else { return Poll::Ready(None) };
        let frame = Pin::new(&mut this.incoming).poll_frame(cx);
        if this.verdict.violation().is_some() {
            return Poll::Ready(Some(Err(BodyError::Ambiguous)));
        }
        if frame.is_ready() {
            this.came();
        }
        match frame {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(Ok(this.passed(frame)))),
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(BodyError::Broken(error)))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => this.poll_stalled(cx).map(|error| Some(Err(error))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|live| live.incoming.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), |live| live.incoming.size_hint())
    }
}

/// How much of a body that nobody wants is read.
const DRAIN: u64 = 64 * 1024;
/// How long that may take.
const DRAIN_TIME: Duration = Duration::from_secs(1);

/// Whether all of `incoming` has been read.
#[must_use]
pub fn is_over(incoming: &Incoming) -> bool {
    incoming.is_end_stream()
}

/// Reads what is left of a body that nobody wants; says whether that was all of it.
pub async fn drained(mut incoming: Incoming) -> bool {
    if incoming.size_hint().lower() > DRAIN {
        return false;
    }
    let drain = async {
        let mut left = DRAIN;
        while let Some(frame) = incoming.frame().await {
            let read = frame.map_or(u64::MAX, |frame| frame.data_ref().map_or(0, |data| data.len() as u64));
            left = left.checked_sub(read)?;
        }
        Some(())
    };
    tokio::time::timeout(DRAIN_TIME, drain).await.is_ok_and(|drained| drained.is_some())
}

/// All of a body; nothing where it is large, slow or breaks off.
pub async fn collected(incoming: Incoming) -> Option<Bytes> {
    if incoming.size_hint().lower() > DRAIN {
        return None;
    }
    let limited = http_body_util::Limited::new(incoming, usize::try_from(DRAIN).unwrap_or(usize::MAX));
    let collected = tokio::time::timeout(DRAIN_TIME, limited.collect()).await;
    collected.ok()?.ok().map(http_body_util::Collected::to_bytes)
}

/// What a client is answered.
pub struct Body {
    source: Source,
    bytes: u64,
    complete: bool,
    attendant: Option<Box<dyn Attendant>>,
}

enum Source {
    Empty,
    Full(Bytes),
    Relayed(Box<Relayed>),
    File(UnsyncBoxBody<Bytes, std::io::Error>),
    Transformed(UnsyncBoxBody<Bytes, BodyError>),
}

struct Relayed {
    incoming: Incoming,
    lease: Option<Lease>,
    policy: Arc<HeaderPolicy>,
    idle: Idle,
}

impl Body {
    fn from_source(source: Source) -> Self {
        Self { source, bytes: 0, complete: false, attendant: None }
    }

    /// No body.
    #[must_use]
    pub fn empty() -> Self {
        Self::from_source(Source::Empty)
    }

    /// A text we have at hand.
    #[must_use]
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        Self::from_source(Source::Full(bytes.into()))
    }

    /// A file, read while it is sent.
    #[must_use]
    pub fn file<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes, Error = std::io::Error> + Send + 'static,
    {
        Self::from_source(Source::File(UnsyncBoxBody::new(body)))
    }

    /// What another body was made into on its way.
    #[must_use]
    pub fn transformed<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes, Error = BodyError> + Send + 'static,
    {
        Self::from_source(Source::Transformed(UnsyncBoxBody::new(body)))
    }

    /// A backend's answer; its connection goes back to the pool when the last byte has been read.
    pub(super) fn relayed(incoming: Incoming, mut lease: Lease, policy: &Arc<HeaderPolicy>) -> Self {
        if incoming.is_end_stream() {
            lease.release();
            return Self::empty();
        }
        let policy = Arc::clone(policy);
        let relayed = Relayed { incoming, lease: Some(lease), policy, idle: Idle::new(ANSWER_IDLE) };
        Self::from_source(Source::Relayed(Box::new(relayed)))
    }

    /// Tells `attendant` when this body has ended.
    #[must_use]
    pub fn attended(mut self, attendant: Box<dyn Attendant>) -> Self {
        self.complete = self.is_end_stream();
        self.attendant = Some(attendant);
        self
    }
}

impl Relayed {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match Pin::new(&mut self.incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.idle.progressed();
                let frame = self.policy.filter_trailers(frame);
                self.release_at_end();
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(BodyError::Broken(error)))),
            Poll::Ready(None) => {
                self.release();
                Poll::Ready(None)
            }
            Poll::Pending => self.idle.poll_expired(cx).map(|()| Some(Err(BodyError::Idle(ANSWER_IDLE)))),
        }
    }

    /// A body of known length is often not polled once more after its last byte.
    fn release_at_end(&mut self) {
        if self.incoming.is_end_stream() {
            self.release();
        }
    }

    fn release(&mut self) {
        if let Some(mut lease) = self.lease.take() {
            lease.release();
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let frame = match &mut this.source {
            Source::Empty => Poll::Ready(None),
            Source::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                this.source = Source::Empty;
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Source::Relayed(relayed) => relayed.poll_frame(cx),
            Source::File(file) => Pin::new(file).poll_frame(cx).map_err(BodyError::File),
            Source::Transformed(body) => Pin::new(body).poll_frame(cx),
        };
        match &frame {
            Poll::Ready(Some(Ok(frame))) => {
                this.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                this.complete = this.is_end_stream();
            }
            Poll::Ready(None) => this.complete = true,
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Empty => true,
            Source::Full(bytes) => bytes.is_empty(),
            Source::Relayed(relayed) => relayed.incoming.is_end_stream(),
            Source::File(file) => file.is_end_stream(),
            Source::Transformed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Empty => SizeHint::with_exact(0),
            Source::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Source::Relayed(relayed) => relayed.incoming.size_hint(),
            Source::File(file) => file.size_hint(),
            Source::Transformed(body) => body.size_hint(),
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(attendant) = self.attendant.take() {
            attendant.ended(self.bytes, self.complete);
        }
    }
}
