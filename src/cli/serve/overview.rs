//! What the admin port shows of the running server.
//!
//! It reads what the workers, the reloader and the snapshot already know, and keeps nothing of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::admin::{BoxFuture, Explain, IssuerHealth, ReloadReport, Sources, TenantPage, TenantQuery};
use crate::auth::KeyStore;
use crate::cli::explain::{Question, explain};
use crate::observe::metrics::ReloadResult;
use crate::pipeline::Bench;
use crate::reload::{Reloader, Report};
use crate::session::Sessions;
use crate::snapshot::Published;
use crate::tenant::{Status, Tenant, TenantKey};

/// The running server, as operators see it.
pub(super) struct Overview {
    pub published: Arc<Published>,
    pub reloader: Reloader,
    pub store: Arc<KeyStore>,
    pub bench: Bench,
    pub sessions: Sessions,
    pub draining: Arc<AtomicBool>,
}

impl Sources for Overview {
    fn readiness(&self) -> Result<(), &'static str> {
        if self.draining.load(Ordering::Relaxed) { Err("draining") } else { Ok(()) }
    }

    fn config(&self) -> Value {
        let snapshot = self.published.current();
        let settings = snapshot.settings.iter().map(|setting| {
            let value = serde_json::from_str(&setting.value).unwrap_or(Value::Null);
            json!({"key": setting.key, "value": value, "origin": setting.origin})
        });
        json!({"generation": snapshot.generation, "settings": settings.collect::<Vec<_>>()})
    }

    fn routes(&self) -> Value {
        let snapshot = self.published.current();
        let routes = snapshot.routes.all().iter().map(|route| {
            json!({
                "index": route.index,
                "source": route.pattern.source(),
                "methods": route.methods.as_ref().map(|m| m.iter().map(ToString::to_string).collect::<Vec<_>>()),
                "target": route.target(),
                "action": format!("{:?}", route.action),
                "authentication": format!("{:?}", route.requirement.kind).to_lowercase(),
                "file": &*route.origin.file,
                "line": route.origin.line,
            })
        });
        Value::Array(routes.collect())
    }

    fn tenants(&self, query: &TenantQuery) -> TenantPage {
        let snapshot = self.published.current();
        let all = snapshot.tenants.tenants();
        let key = |tenant: &Tenant| tenant.key.as_ref().map(|key| key.as_str().to_owned());
        let mut wanted: Vec<&Arc<Tenant>> = all
            .iter()
            .filter(|tenant| {
                let Some(key) = tenant.key.as_ref().map(TenantKey::as_str) else { return false };
                key.starts_with(&query.prefix) && query.after.as_deref().is_none_or(|after| key > after)
            })
            .collect();
        wanted.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        let more = wanted.len() > query.limit;
        wanted.truncate(query.limit);
        TenantPage {
            next: wanted.last().filter(|_| more).and_then(|tenant| key(tenant)),
            tenants: wanted.into_iter().map(|tenant| described(tenant)).collect(),
            total: all.len(),
        }
    }

    fn tenant(&self, key: &str) -> Option<Value> {
        self.published.current().tenants.find(key).map(|tenant| described(tenant))
    }

    fn issuers(&self) -> Vec<IssuerHealth> {
        let snapshot = self.published.current();
        let tenants = snapshot.issuers.tenants_by_address();
        let health = self.store.health().into_iter().map(|health| IssuerHealth {
            tenants: tenants.get(&*health.issuer).copied().unwrap_or(0),
            issuer: health.issuer,
            keys: health.keys,
            fetched: health.fetched,
            problem: health.problem,
        });
        health.collect()
    }

    fn sessions(&self) -> Option<usize> {
        self.sessions.count()
    }

    fn explain(&self, question: Explain) -> BoxFuture<'_, Result<Value, String>> {
        Box::pin(async move {
            let question = Question::asked(&question)?;
            let explanation = explain(&self.published.current(), &self.bench, &question).await?;
            serde_json::to_value(explanation).map_err(|error| error.to_string())
        })
    }

    fn last_reload(&self) -> Option<ReloadReport> {
        self.reloader.last().as_ref().map(reported)
    }

    fn reload(&self) -> BoxFuture<'_, ReloadReport> {
        Box::pin(async { self.reloader.reload().await.as_ref().map_or_else(ended, reported) })
    }

    fn jwks(&self) -> Value {
        serde_json::from_str(self.bench.assertions.key_set()).unwrap_or(Value::Null)
    }
}

fn described(tenant: &Tenant) -> Value {
    let status = match tenant.status {
        Status::Active => "active",
        Status::Suspended => "suspended",
        Status::Maintenance { .. } => "maintenance",
        Status::Misconfigured => "misconfigured",
    };
    json!({
        "key": tenant.key.as_ref().map(TenantKey::as_str),
        "id": tenant.id.as_deref(),
        "name": tenant.name.as_deref(),
        "status": status,
    })
}

fn reported(report: &Report) -> ReloadReport {
    let problems = report.problems.iter().map(|problem| serde_json::to_value(problem).unwrap_or(Value::Null));
    ReloadReport { time: report.time, result: report.result, problems: problems.collect() }
}

/// The reloading thread has ended, as it does only with the process.
fn ended() -> ReloadReport {
    ReloadReport { time: std::time::SystemTime::now(), result: ReloadResult::Refused, problems: Vec::new() }
}
