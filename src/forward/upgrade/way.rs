//! One direction of a WebSocket: what one side sends, to the other.
//!
//! Bytes are read into a buffer of the thread and written from it, so that a WebSocket on which nothing
//! happens keeps none. What the other side does not take at once is kept, and nothing is read until it
//! has: that is all the memory a slow reader costs.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frames::{Fault, Followed, Follower, LONGEST_HEAD};

/// How much is read at once, and kept at most for who does not take it.
const CHUNK: usize = 16 * 1024;

thread_local! {
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; CHUNK + LONGEST_HEAD].into_boxed_slice());
}

/// What has passed since somebody looked, and who is waited for.
#[derive(Debug, Default)]
pub struct Activity(AtomicU8);

/// Which of the two directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// From the client to the backend.
    Up,
    /// From the backend to the client.
    Down,
}

impl Direction {
    const fn moved(self) -> u8 {
        match self {
            Self::Up => 1,
            Self::Down => 2,
        }
    }

    const fn blocked(self) -> u8 {
        self.moved() << 2
    }
}

/// What a look at a WebSocket's activity shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glance {
    /// Whether anything has passed since the last look.
    pub moved: bool,
    /// Whether a side has taken nothing of what waits for it since the last look.
    pub stuck: bool,
}

impl Activity {
    /// What has happened since the last look.
    #[must_use]
    pub fn look(&self) -> Glance {
        let (up, down) = (Direction::Up, Direction::Down);
        let bits = self.0.fetch_and(up.blocked() | down.blocked(), Relaxed);
        let has = |bit: u8| bits & bit != 0;
        let stuck = |direction: Direction| has(direction.blocked()) && !has(direction.moved());
        Glance { moved: has(up.moved() | down.moved()), stuck: stuck(up) || stuck(down) }
    }

    fn moved(&self, direction: Direction) {
        self.0.fetch_or(direction.moved(), Relaxed);
        self.0.fetch_and(!direction.blocked(), Relaxed);
    }

    fn blocked(&self, direction: Direction) {
        self.0.fetch_or(direction.blocked(), Relaxed);
    }
}

/// How a direction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// The sender has nothing more to send, and all of it was passed on.
    Over,
    /// The sender is gone.
    Gone,
    /// The other side takes nothing more, though it may have said something before.
    Failed,
    /// The sender sent what is no frame; what was before it has been passed on.
    Fault(Fault),
}

/// One direction.
pub(super) struct Way {
    direction: Direction,
    follower: Follower,
    /// The beginning of a frame's head.
    held: Vec<u8>,
    pending: Vec<u8>,
    written: usize,
    unflushed: bool,
    halt: Option<Halt>,
    activity: Arc<Activity>,
    /// How many bytes have passed.
    pub(super) bytes: u64,
}

impl Way {
    /// `early` is what the sender has sent already.
    pub(super) fn new(direction: Direction, extended: bool, early: &[u8], activity: Arc<Activity>) -> Self {
        let follower = Follower::new(direction == Direction::Up, extended);
        let mut way = Self {
            direction,
            follower,
            held: Vec::new(),
            pending: Vec::new(),
            written: 0,
            unflushed: false,
            halt: None,
            activity,
            bytes: 0,
        };
        let passed = way.follow(early);
        way.pending = early.get(..passed).unwrap_or_default().to_vec();
        way
    }

    /// Whether the sender has said that it closes.
    pub(super) fn is_closed(&self) -> bool {
        self.follower.is_closed()
    }

    /// Whether all that came has been handed on.
    pub(super) fn is_drained(&self) -> bool {
        self.pending.is_empty()
    }

    /// What has to be written before a frame of our own may follow; nothing where none may.
    pub(super) fn rest(&mut self) -> Option<Vec<u8>> {
        let may = self.follower.is_between_frames() && !self.is_closed();
        may.then(|| self.pending.split_off(self.written.min(self.pending.len())))
    }

    /// Passes on what comes, until there is nothing more.
    pub(super) fn poll<R, W>(&mut self, cx: &mut Context<'_>, from: &mut R, to: &mut W) -> Poll<Halt>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        loop {
            match self.poll_pending(cx, to) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(Halt::Failed),
                Poll::Pending => return Poll::Pending,
            }
            if let Some(halt) = self.halt {
                return Poll::Ready(halt);
            }
            match self.poll_pass(cx, from, to) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(halt)) => return Poll::Ready(halt),
                Poll::Pending => return self.poll_flush(cx, to),
            }
        }
    }

    /// Writes what the other side has not taken yet.
    fn poll_pending<W>(&mut self, cx: &mut Context<'_>, to: &mut W) -> Poll<io::Result<()>>
    where
        W: AsyncWrite + Unpin,
    {
        while let Some(rest @ [_, ..]) = self.pending.get(self.written..) {
            let Poll::Ready(wrote) = Pin::new(&mut *to).poll_write(cx, rest) else {
                self.activity.blocked(self.direction);
                return Poll::Pending;
            };
            self.wrote(wrote?)?;
        }
        if !self.pending.is_empty() {
            (self.pending, self.written) = (Vec::new(), 0);
        }
        Poll::Ready(Ok(()))
    }

    fn wrote(&mut self, n: usize) -> io::Result<()> {
        if n == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.written += n;
        self.unflushed = true;
        self.activity.moved(self.direction);
        Ok(())
    }

    fn poll_flush<W>(&mut self, cx: &mut Context<'_>, to: &mut W) -> Poll<Halt>
    where
        W: AsyncWrite + Unpin,
    {
        if self.unflushed {
            match Pin::new(to).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(_)) => return Poll::Ready(Halt::Failed),
                Poll::Pending => {}
            }
        }
        Poll::Pending
    }

    /// Reads once, and writes as much of it as is taken at once.
    fn poll_pass<R, W>(&mut self, cx: &mut Context<'_>, from: &mut R, to: &mut W) -> Poll<Result<(), Halt>>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        BUFFER.with_borrow_mut(|buffer| {
            let held = self.held.len();
            let Some((before, room)) = buffer.split_at_mut_checked(held) else { return Poll::Ready(Ok(())) };
            before.copy_from_slice(&self.held);
            let mut read = ReadBuf::new(room);
            ready!(Pin::new(from).poll_read(cx, &mut read)).map_err(|_| Halt::Gone)?;
            let n = read.filled().len();
            if n == 0 {
                self.halt = Some(Halt::Over);
                return Poll::Ready(Ok(()));
            }
            let came = buffer.get(..held + n).unwrap_or_default();
            let passed = self.follow(came);
            let bytes = came.get(..passed).unwrap_or_default();
            Poll::Ready(self.write_now(cx, to, bytes).map_err(|_| Halt::Failed))
        })
    }

    fn write_now<W>(&mut self, cx: &mut Context<'_>, to: &mut W, bytes: &[u8]) -> io::Result<()>
    where
        W: AsyncWrite + Unpin,
    {
        if bytes.is_empty() {
            return Ok(());
        }
        let wrote = match Pin::new(to).poll_write(cx, bytes) {
            Poll::Ready(wrote) => {
                let n = wrote?;
                self.wrote(n)?;
                n
            }
            Poll::Pending => 0,
        };
        self.written = 0;
        // What is left is written before anything else is read.
        self.pending = bytes.get(wrote..).unwrap_or_default().to_vec();
        Ok(())
    }

    /// How much of `came` may pass; a head that is not whole is held for the next time.
    fn follow(&mut self, came: &[u8]) -> usize {
        let Followed { passed, fault } = self.follower.follow(came);
        self.bytes += passed as u64;
        self.held.clear();
        match fault {
            Some(fault) => self.halt = Some(Halt::Fault(fault)),
            // What comes behind a Close frame is nobody's.
            None if self.follower.is_closed() => {}
            None => self.held.extend_from_slice(came.get(passed..).unwrap_or_default()),
        }
        passed
    }
}
