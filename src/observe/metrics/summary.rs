//! The counters as a person reads them.
//!
//! How much there was, how much of it went wrong and through whose fault, how long it took. Totals since
//! the start; whoever shows them makes rates of two looks.

use std::collections::BTreeMap;

use super::exposition::Totals;
use super::labels::value;

/// Answers by who was at fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Answers of any status.
    pub requests: u64,
    /// Answers of 400 to 499.
    pub client_errors: u64,
    /// Answers of 500 and above.
    pub server_errors: u64,
}

/// Everything since the start.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// All traffic.
    pub all: Traffic,
    /// Traffic by tenant, the busiest first; the empty key is what named no tenant.
    pub tenants: Vec<(String, Traffic)>,
    /// Half of all answers took at most so many milliseconds; `None` above 30 s.
    pub p50_ms: Option<f64>,
    /// 95 of 100 did.
    pub p95_ms: Option<f64>,
    /// 99 of 100 did.
    pub p99_ms: Option<f64>,
    /// Client connections open now.
    pub connections: i64,
    /// Tokens whose verification was remembered.
    pub token_hits: u64,
    /// Tokens that had to be verified.
    pub token_misses: u64,
    /// Sessions open now, where that is known.
    pub sessions: Option<i64>,
    /// Logins that ended in a session.
    pub logins: u64,
    /// Logins that did not.
    pub logins_refused: u64,
}

impl Traffic {
    fn add(&mut self, status: u16, count: u64) {
        self.requests += count;
        match status {
            400..=499 => self.client_errors += count,
            500.. => self.server_errors += count,
            _ => {}
        }
    }
}

/// The summary of `totals`.
pub(super) fn of(totals: &Totals) -> Summary {
    let mut all = Traffic::default();
    let mut tenants = BTreeMap::<&str, Traffic>::new();
    for (series, &count) in &totals.requests {
        let tenant = series.tenant.map_or("", |label| value(&totals.tenants, label));
        all.add(series.status, count);
        tenants.entry(tenant).or_default().add(series.status, count);
    }
    let mut tenants: Vec<_> = tenants.into_iter().map(|(key, traffic)| (key.to_owned(), traffic)).collect();
    tenants.sort_by_key(|(_, traffic)| std::cmp::Reverse(traffic.requests));
    Summary {
        all,
        tenants,
        p50_ms: totals.duration.quantile(500),
        p95_ms: totals.duration.quantile(950),
        p99_ms: totals.duration.quantile(990),
        connections: totals.connections,
        token_hits: totals.token_hits,
        token_misses: totals.token_misses,
        sessions: totals.sessions,
        logins: totals.logins,
        logins_refused: totals.logins_refused,
    }
}
