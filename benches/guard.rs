//! What watching a connection's bytes below hyper costs.
//!
//! `cargo bench --bench guard`. The difference between the two is what a browser's request pays.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the measurement")]

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use divan::Bencher;
use hyper::rt::{Read, ReadBuf, ReadBufCursor};
use vestibule::listener::guard::{Guarded, Verdict};

fn main() {
    divan::main();
}

const HEAD: &[u8] = b"GET /api/v1/orders/4711?expand=items HTTP/1.1\r\n\
Host: tenant-7-approuter.cfapps.eu10.hana.example.com\r\n\
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
Accept-Language: en-US,en;q=0.5\r\n\
Accept-Encoding: gzip, deflate, br\r\n\
Connection: keep-alive\r\n\
Cookie: JSESSIONID=0123456789abcdef; other=value\r\n\
Sec-Fetch-Dest: document\r\n\
Sec-Fetch-Mode: navigate\r\n\
Sec-Fetch-Site: none\r\n\
Priority: u=0, i\r\n\r\n";

/// A connection on which the same request arrives again and again.
struct Endless;

impl Read for Endless {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut out: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        out.put_slice(HEAD);
        Poll::Ready(Ok(()))
    }
}

fn read(mut io: impl Read + Unpin, room: &mut [u8]) -> usize {
    let mut buffer = ReadBuf::new(room);
    let read = Pin::new(&mut io).poll_read(&mut Context::from_waker(Waker::noop()), buffer.unfilled());
    if matches!(read, Poll::Ready(Ok(()))) { buffer.filled().len() } else { 0 }
}

#[divan::bench]
fn unwatched(bencher: Bencher<'_, '_>) {
    let (mut io, mut room) = (Endless, vec![0; 8192]);
    bencher.bench_local(|| read(&mut io, &mut room));
}

#[divan::bench]
fn watched(bencher: Bencher<'_, '_>) {
    let (mut io, mut room) = (Guarded::http1(Endless, Arc::new(Verdict::default())), vec![0; 8192]);
    bencher.bench_local(|| read(&mut io, &mut room));
}
