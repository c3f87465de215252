//! Adds the shards up and writes them in the text form of `OpenMetrics`.
//!
//! The sums live for one scrape only. Names are those of the documentation, `_total` is added to counters
//! by the format itself. Series come in a fixed order, so that two scrapes can be compared by eye.

use std::collections::BTreeMap;
use std::fmt::Error;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::histogram::Histogram;
use super::labels::{Label, value};
use super::{FetchResult, Metrics, ReloadResult, Series, Shard, lock};

/// The type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The sums of all shards at one moment.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) tenants: Vec<Arc<str>>,
    destinations: Vec<Arc<str>>,
    pub(super) requests: BTreeMap<Series, u64>,
    pub(super) duration: Histogram,
    upstream: BTreeMap<Label, Histogram>,
    denials: BTreeMap<&'static str, u64>,
    websockets: i64,
    websockets_ended: BTreeMap<&'static str, u64>,
    websocket_bytes: [u64; 2],
    pub(super) connections: i64,
    pub(super) token_hits: u64,
    pub(super) token_misses: u64,
    pub(super) sessions: Option<i64>,
    pub(super) logins: u64,
    pub(super) logins_refused: u64,
    fetches: [(&'static str, u64); 2],
    reloads: [(&'static str, u64); 3],
}

/// All counters as text.
pub(super) fn text(metrics: &Metrics) -> String {
    let mut registry = Registry::with_prefix("vestibule");
    registry.register_collector(Box::new(totals(metrics)));
    let mut text = String::new();
    // Writing to a `String` has no error of its own, and ours never makes one.
    match encode(&mut text, &registry) {
        Ok(()) | Err(Error) => text,
    }
}

/// The sums of all shards now.
pub(super) fn totals(metrics: &Metrics) -> Totals {
    let mut totals = Totals::default();
    for shard in &*lock(&metrics.shards) {
        totals.add(shard);
    }
    totals.tenants = metrics.names.tenants.names();
    totals.destinations = metrics.names.destinations.names();
    let slow = lock(&metrics.slow);
    totals.sessions = slow.sessions;
    totals.fetches = [("success", FetchResult::Success), ("failure", FetchResult::Failure)]
        .map(|(name, result)| (name, slow.fetches.get(&result).copied().unwrap_or_default()));
    totals.reloads = [
        ("applied", ReloadResult::Applied),
        ("unchanged", ReloadResult::Unchanged),
        ("refused", ReloadResult::Refused),
    ]
    .map(|(name, result)| (name, slow.reloads.get(&result).copied().unwrap_or_default()));
    totals
}

impl Totals {
    fn add(&mut self, shard: &Shard) {
        self.connections += shard.connections.load(Relaxed);
        self.token_hits += shard.token_hits.load(Relaxed);
        self.token_misses += shard.token_misses.load(Relaxed);
        self.logins += shard.logins.load(Relaxed);
        self.logins_refused += shard.logins_refused.load(Relaxed);
        self.websockets += shard.websockets.load(Relaxed);
        let counts = lock(&shard.counts);
        for (&reason, count) in &counts.websockets_ended {
            *self.websockets_ended.entry(reason).or_default() += count;
        }
        for (all, bytes) in self.websocket_bytes.iter_mut().zip(counts.websocket_bytes) {
            *all += bytes;
        }
        self.duration.add(&counts.duration);
        for (&series, count) in &counts.requests {
            *self.requests.entry(series).or_default() += count;
        }
        for (&destination, histogram) in &counts.upstream {
            self.upstream.entry(destination).or_default().add(histogram);
        }
        for (&code, count) in &counts.denials {
            *self.denials.entry(code).or_default() += count;
        }
    }

    fn requests(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut metric = counter(encoder, "requests", "Requests answered")?;
        for (series, &count) in &self.requests {
            let route = series.route.map_or_else(|| "none".to_owned(), |index| index.to_string());
            let status = series.status.to_string();
            let tenant = series.tenant.map_or("", |label| value(&self.tenants, label));
            let labels = [("route", &*route), ("status", &*status), ("tenant", tenant)];
            metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&count, None)?;
        }
        Ok(())
    }

    fn durations(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "From a request's head to the head of its answer";
        let mut metric =
            encoder.encode_descriptor("request_duration_seconds", help, None, MetricType::Histogram)?;
        histogram(&mut metric, &self.duration)?;
        let help = "From sending a request on to the head of the destination's answer";
        let mut metric =
            encoder.encode_descriptor("upstream_duration_seconds", help, None, MetricType::Histogram)?;
        for (&destination, durations) in &self.upstream {
            let labels = [("destination", value(&self.destinations, destination))];
            histogram(&mut metric.encode_family(&labels)?, durations)?;
        }
        Ok(())
    }
}

impl Totals {
    fn websockets(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        gauge(encoder, "websockets", "WebSockets open", self.websockets)?;
        let ended = self.websockets_ended.clone();
        labelled(encoder, "websockets_ended", "WebSockets ended", "reason", ended)?;
        let [received, sent] = self.websocket_bytes;
        let bytes = [("received", received), ("sent", sent)];
        labelled(encoder, "websocket_bytes", "Bytes of WebSockets that have ended", "direction", bytes)
    }
}

impl Collector for Totals {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let encoder = &mut encoder;
        self.requests(encoder)?;
        self.durations(encoder)?;
        labelled(encoder, "denials", "Requests refused", "code", self.denials.clone())?;
        let logins = [("success", self.logins), ("failure", self.logins_refused)];
        labelled(encoder, "logins", "Logins ended", "result", logins)?;
        labelled(encoder, "jwks_fetches", "Key sets fetched", "result", self.fetches)?;
        labelled(encoder, "config_reloads", "Configurations read again", "result", self.reloads)?;
        plain(encoder, "token_cache_hits", "Tokens whose verification was remembered", self.token_hits)?;
        plain(encoder, "token_cache_misses", "Tokens that had to be verified", self.token_misses)?;
        if let Some(open) = self.sessions {
            gauge(encoder, "sessions", "Sessions open", open)?;
        }
        self.websockets(encoder)?;
        gauge(encoder, "connections", "Client connections open", self.connections)
    }
}

fn counter<'e>(
    encoder: &'e mut DescriptorEncoder<'_>,
    name: &'e str,
    help: &str,
) -> Result<MetricEncoder<'e>, Error> {
    encoder.encode_descriptor(name, help, None, MetricType::Counter)
}

fn plain(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, count: u64) -> Result<(), Error> {
    counter(encoder, name, help)?.encode_counter::<NoLabelSet, _, u64>(&count, None)
}

fn labelled(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    label: &'static str,
    counts: impl IntoIterator<Item = (&'static str, u64)>,
) -> Result<(), Error> {
    let mut metric = counter(encoder, name, help)?;
    for (of, count) in counts {
        metric.encode_family(&[(label, of)])?.encode_counter::<NoLabelSet, _, u64>(&count, None)?;
    }
    Ok(())
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: i64) -> Result<(), Error> {
    encoder.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)
}

fn histogram(metric: &mut MetricEncoder<'_>, of: &Histogram) -> Result<(), Error> {
    metric.encode_histogram::<NoLabelSet>(of.seconds(), of.count(), &of.buckets(), None)
}
