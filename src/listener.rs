//! Binds, accepts, limits and drains.
//!
//! Each worker has a listening socket of its own (`SO_REUSEPORT`) and accepts only what it will serve
//! itself, so that nothing is shared between cores. Connections are bounded by the process's file
//! limit: beyond it they wait in the kernel's queue instead of failing. What is served is
//! [`connection`]'s business; this file knows no HTTP.

pub mod connection;
pub mod guard;
pub mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};

/// How many connections the kernel keeps for us while we are busy.
const BACKLOG: i32 = 4096;
/// How long to wait after the system refused to give a connection, for want of files mostly.
const BREATHER: Duration = Duration::from_millis(50);

/// Whether nobody listens on `address` yet. Workers share it by `SO_REUSEPORT`, which would let another
/// server of the same user share it as well, and each would get half of the connections.
pub fn check_free(address: SocketAddr) -> io::Result<()> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())
}

/// A socket for one worker on `address`; several may share one address.
pub fn bind(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Places for connections, shared by all workers.
#[derive(Debug)]
pub struct Places {
    limit: usize,
    taken: AtomicUsize,
    freed: Notify,
}

/// How many files the process may have.
fn files() -> usize {
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    files.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX)
}

/// One connection's place; free again when dropped.
#[derive(Debug)]
pub struct Place(Arc<Places>);

impl Places {
    /// As many places as the process may have files, less what backends and the admin port need.
    #[must_use]
    pub fn by_file_limit() -> Arc<Self> {
        Self::new((files().saturating_sub(64) / 2).max(16))
    }

    /// As many places for backends' ends of WebSockets: many of them may share one connection in front.
    #[must_use]
    pub fn of_websockets() -> Arc<Self> {
        Self::new((files().saturating_sub(64) / 4 * 3).max(16))
    }

    /// `limit` places.
    #[must_use]
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, taken: AtomicUsize::new(0), freed: Notify::new() })
    }

    /// How many are taken.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// One of them, if any is free.
    #[must_use]
    pub fn try_place(self: &Arc<Self>) -> Option<Place> {
        self.try_take().then(|| Place(Arc::clone(self)))
    }

    async fn take(self: &Arc<Self>) -> Place {
        loop {
            let freed = self.freed.notified();
            if self.try_take() {
                return Place(Arc::clone(self));
            }
            freed.await;
        }
    }

    fn try_take(&self) -> bool {
        let more = |taken| (taken < self.limit).then_some(taken + 1);
        self.taken.fetch_update(Ordering::AcqRel, Ordering::Relaxed, more).is_ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::AcqRel);
        self.0.freed.notify_one();
    }
}

/// Accepts until `drain` says so, and hands each connection to `serve`.
pub async fn accept<F>(
    listener: TcpListener,
    places: Arc<Places>,
    mut drain: watch::Receiver<bool>,
    mut serve: F,
) where
    F: FnMut(TcpStream, SocketAddr, Place),
{
    loop {
        let place = tokio::select! {
            biased;
            () = drained(&mut drain) => break,
            place = places.take() => place,
        };
        let accepted = tokio::select! {
            biased;
            () = drained(&mut drain) => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => serve(stream, peer, place),
            Err(error) => rest(&error).await,
        }
    }
    accept_queued(&listener, &places, serve);
}

/// Resolves when the process begins to stop.
pub async fn drained(drain: &mut watch::Receiver<bool>) {
    // The sender lives as long as the process; were it gone, stopping would be right as well.
    drop(drain.wait_for(|draining| *draining).await);
}

/// Clients whose connection the kernel has already taken are served, not reset.
fn accept_queued(
    listener: &TcpListener,
    places: &Arc<Places>,
    mut serve: impl FnMut(TcpStream, SocketAddr, Place),
) {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    while let std::task::Poll::Ready(Ok((stream, peer))) = listener.poll_accept(&mut context) {
        places.taken.fetch_add(1, Ordering::AcqRel);
        serve(stream, peer, Place(Arc::clone(places)));
    }
}

async fn rest(error: &io::Error) {
    let of_the_client =
        matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset);
    if !of_the_client {
        tracing::warn!(%error, "a connection could not be accepted");
        tokio::time::sleep(BREATHER).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shared_by_workers_and_by_no_other_server() {
        let first = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = first.local_addr().unwrap();
        let _second = bind(address).unwrap();
        assert_eq!(check_free(address).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }
}
