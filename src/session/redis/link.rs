//! The one connection of this process to Redis, and its coming back.
//!
//! A task on the runtime of slow work keeps it; whoever asks, from whatever runtime, borrows what there
//! is. Nobody waits for longer than half a second for a connection, and half a second for an answer; one
//! who gets none takes the connection down for all, since what is asked after him would wait behind him.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue, Pipeline, RedisError, RedisResult};
use tokio::runtime::Handle as Runtime;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::dial::{Dial, Dialled};
use crate::session::Unavailable;

/// How long a connection, and then an answer, is waited for.
pub(super) const PATIENCE: Duration = Duration::from_millis(500);
/// For how long after its loss a connection is waited for at all.
const HOPE: Duration = Duration::from_secs(1);
/// The first wait before a connection is tried again; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// How long a connection has to last for its loss to be no failure.
const LASTING: Duration = Duration::from_secs(5);
/// How long what has to be done with a new connection may take.
const PRELUDE: Duration = Duration::from_secs(10);
/// The longest wait before a connection is tried again.
const LAST_WAIT: Duration = Duration::from_secs(2);
/// When a caller that got nothing asks again.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// What it is to a request when Redis gives no answer.
pub(super) const UNAVAILABLE: Unavailable =
    Unavailable { why: "Redis does not answer", retry_after: RETRY_AFTER };

/// A command or several.
pub(super) trait Question: Sync {
    fn send<T: FromRedisValue>(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> impl Future<Output = RedisResult<T>> + Send;
}

impl Question for Cmd {
    async fn send<T: FromRedisValue>(&self, connection: &mut MultiplexedConnection) -> RedisResult<T> {
        self.query_async(connection).await
    }
}

impl Question for Pipeline {
    async fn send<T: FromRedisValue>(&self, connection: &mut MultiplexedConnection) -> RedisResult<T> {
        self.query_async(connection).await
    }
}

#[derive(Clone, Debug)]
enum State {
    /// The first attempt is under way.
    Starting,
    /// There is a connection, the how-manieth.
    Up(MultiplexedConnection, u64),
    /// There is none, since then.
    Away(Instant),
}

/// The connection, while it is there.
pub(super) struct Link {
    state: watch::Receiver<State>,
    broken: watch::Sender<u64>,
    keeper: AbortHandle,
    /// Milliseconds after `began` at which a refusal was last logged.
    complained: AtomicU64,
    began: Instant,
}

/// Whoever answers questions: the link, or a connection that is not yet everybody's.
pub(super) trait Asked: Sync {
    fn ask<T: FromRedisValue>(
        &self,
        question: &impl Question,
    ) -> impl Future<Output = Result<T, Unavailable>> + Send;
}

/// What is done with a new connection before anybody else gets it. Where it fails, the connection counts
/// for nothing.
pub(super) trait Prelude: Send + Sync + 'static {
    fn play(&self, asked: &impl Asked) -> impl Future<Output = Result<(), Unavailable>> + Send;
}

/// A connection that is not yet everybody's.
struct Fresh(MultiplexedConnection);

impl Asked for Fresh {
    async fn ask<T: FromRedisValue>(&self, question: &impl Question) -> Result<T, Unavailable> {
        let mut connection = self.0.clone();
        let answer = timeout(PATIENCE, question.send(&mut connection)).await;
        answer.map_err(|_| UNAVAILABLE)?.map_err(|error| {
            tracing::warn!("sessions: Redis: {error}");
            UNAVAILABLE
        })
    }
}

impl Link {
    /// Connects, by a task on `runtime`, and again whenever the connection is lost.
    pub(super) fn new(dial: Dial, runtime: &Runtime, prelude: Arc<impl Prelude>) -> Self {
        let (tell, state) = watch::channel(State::Starting);
        let (broken, is_broken) = watch::channel(0);
        let keeper = runtime.spawn(keep(dial, tell, is_broken, prelude)).abort_handle();
        let (complained, began) = (AtomicU64::new(0), Instant::now());
        Self { state, broken, keeper, complained, began }
    }

    /// Whether there is a connection now.
    pub(super) fn is_up(&self) -> bool {
        matches!(*self.state.borrow(), State::Up(..))
    }

    async fn connection(&self) -> Result<(MultiplexedConnection, u64), Unavailable> {
        let known = match &*self.state.borrow() {
            State::Up(connection, number) => Some((connection.clone(), *number)),
            State::Away(since) if since.elapsed() > HOPE => return Err(UNAVAILABLE),
            State::Away(_) | State::Starting => None,
        };
        if let Some(up) = known {
            return Ok(up);
        }
        let mut state = self.state.clone();
        let is_up = |state: &State| matches!(state, State::Up(..));
        match timeout(PATIENCE, state.wait_for(is_up)).await {
            Ok(Ok(state)) => match &*state {
                State::Up(connection, number) => Ok((connection.clone(), *number)),
                State::Starting | State::Away(_) => Err(UNAVAILABLE),
            },
            Ok(Err(_)) | Err(_) => Err(UNAVAILABLE),
        }
    }

    /// Takes the connection with this number down, if it is still in use.
    fn give_up(&self, number: u64) {
        self.broken.send_if_modified(|broken| {
            let is_news = *broken < number;
            *broken = number.max(*broken);
            is_news
        });
    }

    /// Logs what Redis answers to a command that should have worked, at most every ten seconds.
    fn complain(&self, error: &RedisError) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let last = self.complained.load(Ordering::Relaxed);
        let is_due = last == 0 || now.saturating_sub(last) > 10_000;
        if is_due && self.complained.swap(now.max(1), Ordering::Relaxed) == last {
            tracing::warn!("sessions: Redis: {error}");
        }
    }
}

impl Asked for Link {
    async fn ask<T: FromRedisValue>(&self, question: &impl Question) -> Result<T, Unavailable> {
        let (mut connection, number) = self.connection().await?;
        match timeout(PATIENCE, question.send(&mut connection)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                if ends_connection(&error) {
                    self.give_up(number);
                }
                self.complain(&error);
                Err(UNAVAILABLE)
            }
            Err(_elapsed) => {
                self.give_up(number);
                Err(UNAVAILABLE)
            }
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("is_up", &self.is_up()).finish_non_exhaustive()
    }
}

/// Whether another connection may do better: this one is lost, or leads to a server that will not take
/// what is written (a replica, one that is still reading its data, one that forgot who we are).
fn ends_connection(error: &RedisError) -> bool {
    let code = error.code().unwrap_or_default();
    error.is_unrecoverable_error()
        || matches!(code, "READONLY" | "LOADING" | "MASTERDOWN" | "NOAUTH" | "MISCONF" | "NOREPLICAS")
}

/// Connects, waits for the loss of the connection, and connects again, for ever.
async fn keep(
    dial: Dial,
    tell: watch::Sender<State>,
    mut broken: watch::Receiver<u64>,
    prelude: Arc<impl Prelude>,
) {
    let mut failures = Failures::default();
    // As long as the process lives; a number is never used twice.
    for number in 1.. {
        let Dialled { connection, driver } = loop {
            match dial.open().await {
                Ok(dialled) => break dialled,
                Err(error) => failures.log(&dial, &error.to_string()),
            }
            tell.send_if_modified(leave);
            failures.wait().await;
        };
        let mut driver = AbortOnDrop(driver);
        let played = timeout(PRELUDE, prelude.play(&Fresh(connection.clone()))).await;
        if matches!(played, Ok(Ok(()))) {
            tracing::info!("sessions: connected to Redis at {}", dial.place());
            failures.reason.clear();
            let since = Instant::now();
            tell.send_replace(State::Up(connection, number));
            tokio::select! {
                _ = &mut driver.0 => {}
                _ = broken.wait_for(|broken| *broken >= number) => {}
            }
            tracing::warn!("sessions: the connection to Redis at {} is lost", dial.place());
            if since.elapsed() > LASTING {
                failures.count = 0;
            }
        } else {
            failures.log(&dial, "it takes connections, but does not answer");
        }
        tell.send_if_modified(leave);
        failures.wait().await;
    }
}

/// From there to away; who is away stays so since then.
fn leave(state: &mut State) -> bool {
    match state {
        State::Away(_) => false,
        State::Starting | State::Up(..) => {
            *state = State::Away(Instant::now());
            true
        }
    }
}

/// Failures in a row: each reason is logged once, each is followed by a longer wait.
#[derive(Default)]
struct Failures {
    count: u32,
    reason: String,
}

impl Failures {
    fn log(&mut self, dial: &Dial, reason: &str) {
        if reason != self.reason {
            tracing::error!("sessions: no connection to Redis at {}: {reason}", dial.place());
            reason.clone_into(&mut self.reason);
        }
    }

    /// Waits at random, so that instances that lost Redis together do not come back together.
    async fn wait(&mut self) {
        let longest = FIRST_WAIT.saturating_mul(1 << self.count.min(6)).min(LAST_WAIT);
        self.count = self.count.saturating_add(1);
        tokio::time::sleep(longest.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
    }
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
