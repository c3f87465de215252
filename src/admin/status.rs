//! What the page shows, as one JSON document.
//!
//! Counters are totals since the start; the page makes rates of them. Times are dates as HTTP writes them.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::{Admin, IssuerHealth, ReloadReport};
use crate::observe::denials::{Denial, Denials};
use crate::observe::metrics::{ReloadResult, Traffic};

/// How many refusals the page shows.
const SHOWN: usize = 50;

impl Admin {
    /// All that the page shows.
    pub(super) fn status(&self) -> Value {
        let summary = self.counted().summary();
        let tenants: Vec<Value> = summary.tenants.iter().map(|(key, of)| tenant(key, of)).collect();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "started": date(self.started),
            "ready": self.sources.readiness().is_ok(),
            "not_ready": self.sources.readiness().err(),
            "traffic": traffic(&summary.all),
            "latency_ms": { "p50": summary.p50_ms, "p95": summary.p95_ms, "p99": summary.p99_ms },
            "connections": summary.connections,
            "sessions": summary.sessions,
            "logins": { "succeeded": summary.logins, "refused": summary.logins_refused },
            "token_cache": { "hits": summary.token_hits, "misses": summary.token_misses },
            "tenants": tenants,
            "issuers": self.sources.issuers().iter().map(issuer).collect::<Vec<_>>(),
            "last_reload": self.sources.last_reload().as_ref().map(reload),
            "denials": denials(&self.denials),
        })
    }
}

/// The last refusals, the latest first.
pub(super) fn denials(denials: &Denials) -> Value {
    denials.latest(SHOWN).iter().map(denial).collect()
}

/// One refusal with the check that failed.
pub(super) fn denial(denial: &Denial) -> Value {
    json!({
        "id": denial.id,
        "time": date(denial.time),
        "tenant": denial.tenant,
        "method": denial.method,
        "path": denial.path,
        "status": denial.status,
        "code": denial.code,
        "reason": denial.reason,
    })
}

/// How reading the configuration ended.
pub(super) fn reload(report: &ReloadReport) -> Value {
    let result = match report.result {
        ReloadResult::Applied => "applied",
        ReloadResult::Unchanged => "unchanged",
        ReloadResult::Refused => "refused",
    };
    json!({ "time": date(report.time), "result": result, "problems": report.problems })
}

fn tenant(key: &str, of: &Traffic) -> Value {
    let mut document = traffic(of);
    document["tenant"] = key.into();
    document
}

fn traffic(of: &Traffic) -> Value {
    json!({ "requests": of.requests, "refused": of.client_errors, "failed": of.server_errors })
}

fn issuer(health: &IssuerHealth) -> Value {
    json!({
        "issuer": health.issuer,
        "tenants": health.tenants,
        "keys": health.keys,
        "fetched": health.fetched.map(date),
        "problem": health.problem,
    })
}

fn date(time: SystemTime) -> String {
    // Before the epoch there are no dates of HTTP; a clock that is that wrong shows the epoch.
    httpdate::fmt_http_date(time.max(SystemTime::UNIX_EPOCH))
}
