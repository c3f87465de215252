//! Carries an open WebSocket until it ends.
//!
//! Two directions in one task, with back-pressure in both: neither side is read faster than the other
//! takes. It has no clocks of its own but one for the end; whoever watches over it looks at its
//! [`Activity`] and sends an [`Order`]. Whatever ends it, both sides are told where there is a place for
//! it between two frames, and neither is waited for.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::time::{Sleep, timeout};

use super::ending::{Ending, Order, Words, close_frame};
use super::way::{Activity, Direction, Halt, Way};
use crate::forward::connect::Stream;

/// How long one side may take to end after the other has.
const GRACE: Duration = Duration::from_secs(5);
/// How long a side may take to hear that it is over, and to hang up.
const FAREWELL: Duration = Duration::from_millis(400);

/// A WebSocket that a backend has opened.
pub struct Tunnel {
    pub(super) back: Stream,
    /// What the backend sent behind its answer.
    pub(super) early: Bytes,
    /// Whether both sides agreed on an extension.
    pub(super) extended: bool,
}

/// How whoever watches over a WebSocket is connected with it.
#[derive(Debug)]
pub struct Reins {
    /// What passes.
    pub activity: Arc<Activity>,
    /// Brings an order to end.
    pub order: oneshot::Receiver<Order>,
}

/// What a WebSocket came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// How it ended.
    pub ending: Ending,
    /// Bytes that came from the client.
    pub received: u64,
    /// Bytes that went to it.
    pub sent: u64,
}

impl Tunnel {
    /// Carries it to its end. `early` is what the client sent before `front` was ours.
    pub async fn run<F>(self, front: F, early: Bytes, reins: Reins) -> Summary
    where
        F: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let Reins { activity, mut order } = reins;
        let mut pump = Pump {
            up: Way::new(Direction::Up, self.extended, &early, Arc::clone(&activity)),
            down: Way::new(Direction::Down, self.extended, &self.early, activity),
            front,
            back: self.back,
            up_is_over: false,
            down_is_over: false,
            shut: Shut::default(),
            grace: None,
        };
        drop((early, self.early));
        let ending = std::future::poll_fn(|cx| {
            if let Poll::Ready(order) = Pin::new(&mut order).poll(cx) {
                // Nobody watches over it only when the process ends.
                return Poll::Ready(Ending::Ordered(order.unwrap_or(Order::Drained)));
            }
            pump.poll(cx)
        });
        let ending = ending.await;
        let summary = Summary { ending, received: pump.up.bytes, sent: pump.down.bytes };
        Box::pin(pump.part(ending)).await;
        summary
    }
}

/// Which side is still to be told that nothing more comes.
#[derive(Debug, Default)]
struct Shut {
    front: bool,
    back: bool,
}

/// Both directions.
struct Pump<F> {
    front: F,
    back: Stream,
    up: Way,
    down: Way,
    up_is_over: bool,
    down_is_over: bool,
    shut: Shut,
    grace: Option<Pin<Box<Sleep>>>,
}

impl<F: AsyncRead + AsyncWrite + Unpin + Send> Pump<F> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Ending> {
        if !self.up_is_over
            && let Poll::Ready(halt) = self.up.poll(cx, &mut self.front, &mut self.back)
        {
            match halt {
                Halt::Over => self.shut.back = true,
                Halt::Failed => {}
                Halt::Gone => return Poll::Ready(self.ended()),
                Halt::Fault(fault) => return Poll::Ready(Ending::ClientFault(fault)),
            }
            self.up_is_over = true;
        }
        if !self.down_is_over
            && let Poll::Ready(halt) = self.down.poll(cx, &mut self.back, &mut self.front)
        {
            match halt {
                Halt::Over => self.shut.front = true,
                Halt::Failed => {}
                Halt::Gone => return Poll::Ready(self.ended()),
                Halt::Fault(fault) => return Poll::Ready(Ending::BackendFault(fault)),
            }
            self.down_is_over = true;
        }
        self.poll_shut(cx);
        let (closed, over) = (self.closed(), self.up_is_over || self.down_is_over);
        if (self.up_is_over && self.down_is_over) || self.both_closed() {
            return Poll::Ready(self.ended());
        }
        if !closed && !over {
            return Poll::Pending;
        }
        let grace = self.grace.get_or_insert_with(|| Box::pin(tokio::time::sleep(GRACE)));
        grace.as_mut().poll(cx).map(|()| self.ended())
    }

    /// How it ended by itself.
    fn ended(&self) -> Ending {
        if self.closed() { Ending::Closed } else { Ending::BrokeOff }
    }

    /// Whether one side has said that it closes.
    fn closed(&self) -> bool {
        self.up.is_closed() || self.down.is_closed()
    }

    /// Whether both have, and both have heard it.
    fn both_closed(&self) -> bool {
        self.up.is_closed() && self.down.is_closed() && self.up.is_drained() && self.down.is_drained()
    }

    /// Passes on that a side has nothing more to send; where that fails, the other direction notices.
    fn poll_shut(&mut self, cx: &mut Context<'_>) {
        if self.shut.back && Pin::new(&mut self.back).poll_shutdown(cx).is_ready() {
            self.shut.back = false;
        }
        if self.shut.front && Pin::new(&mut self.front).poll_shutdown(cx).is_ready() {
            self.shut.front = false;
        }
    }

    /// Tells both sides, and hangs up.
    async fn part(self, ending: Ending) {
        let Self { front, back, mut up, mut down, .. } = self;
        let (to_front, to_back) = ending.words().unzip();
        let front = farewell(front, down.rest().zip(to_front), None);
        let back = farewell(back, up.rest().zip(to_back), Some(fastrand::u32(..).to_be_bytes()));
        tokio::join!(front, back);
    }
}

/// Says that it is over, behind what has to be said first, and waits a moment for the other end to hang
/// up: a connection that is closed with something unread takes back what was said last.
async fn farewell<S>(mut side: S, words: Option<(Vec<u8>, Words)>, mask: Option<[u8; 4]>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let told = async {
        if let Some((rest, words)) = words {
            side.write_all(&rest).await?;
            side.write_all(&close_frame(words, mask)).await?;
            side.flush().await?;
        }
        side.shutdown().await?;
        let mut nothing = [0; 512];
        while side.read(&mut nothing).await? > 0 {}
        std::io::Result::Ok(())
    };
    // Whoever is gone, or does not listen, need not be told.
    drop(timeout(FAREWELL, told).await);
}
