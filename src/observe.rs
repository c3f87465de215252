//! What can be seen from outside: counters, the access log, the program's own log, the last refusals.
//!
//! Ground: it names nothing else of the crate, and every stage may write to it. Whatever a request
//! records costs nanoseconds and never waits: each worker has its own shard of the counters and of the
//! output buffer, and only a scrape or the writing thread ever meets it there.

pub mod metrics;
pub mod sink;
pub mod access;
pub mod audit;
pub mod log;
pub mod denials;
mod text;
