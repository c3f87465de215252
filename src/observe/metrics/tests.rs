//! What is counted can be read again, by the rules of the format.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

fn observation(tenant: &str) -> Observation<'_> {
    Observation {
        route: Some(3),
        status: 200,
        tenant: Some(tenant),
        duration: Duration::from_micros(700),
        upstream: Some(("backend", Duration::from_micros(600))),
        code: None,
    }
}

/// Reads the text of `OpenMetrics` strictly, and returns each series' value.
fn parse(text: &str) -> BTreeMap<String, f64> {
    let (body, end) = text.split_at(text.len() - "# EOF\n".len());
    assert_eq!(end, "# EOF\n");
    let mut types = BTreeMap::new();
    let mut series = BTreeMap::new();
    for line in body.lines() {
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            let (name, kind) = declared.split_once(' ').expect("a name and a type");
            assert!(types.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} declared twice");
        } else if !line.starts_with("# HELP ") {
            let (id, value) = line.rsplit_once(' ').expect("a series and a value");
            assert_series(id, &types);
            let value = value.parse().expect("a number");
            assert!(series.insert(id.to_owned(), value).is_none(), "{id} twice");
        }
    }
    series
}

/// A series must belong to a declared family and have well-formed labels.
fn assert_series(id: &str, types: &BTreeMap<String, String>) {
    let (name, labels) = id.split_once('{').map_or((id, None), |(name, rest)| (name, Some(rest)));
    let family = ["_total", "_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
    assert!(types.contains_key(family.unwrap_or(name)), "{name} is not declared");
    let Some(labels) = labels else { return };
    let mut rest = labels.strip_suffix('}').expect("a closing brace");
    while !rest.is_empty() {
        let (key, value) = rest.split_once("=\"").expect("a label");
        assert!(key.bytes().all(|byte| byte.is_ascii_lowercase()), "{key}");
        let mut escaped = false;
        let end = value.bytes().position(|byte| {
            let is_end = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            is_end
        });
        let end = end.expect("the end of a value");
        rest = value[end + 1..].strip_prefix(',').unwrap_or(&value[end + 1..]);
    }
}

#[test]
fn every_metric_of_the_documentation_is_there() {
    let metrics = Metrics::new();
    let recorder = metrics.recorder();
    recorder.request(&Observation { code: Some("unknown_tenant"), ..observation("acme") });
    metrics.sessions(Some(0));
    let text = metrics.text();
    parse(&text);
    let declared: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    assert_eq!(
        declared.into_iter().collect::<Vec<_>>(),
        [
            "vestibule_config_reloads",
            "vestibule_connections",
            "vestibule_denials",
            "vestibule_jwks_fetches",
            "vestibule_logins",
            "vestibule_request_duration_seconds",
            "vestibule_requests",
            "vestibule_sessions",
            "vestibule_token_cache_hits",
            "vestibule_token_cache_misses",
            "vestibule_upstream_duration_seconds",
            "vestibule_websocket_bytes",
            "vestibule_websockets",
            "vestibule_websockets_ended",
        ]
    );
}

#[test]
fn what_workers_counted_is_added_up() {
    let metrics = Metrics::new();
    let (one, two) = (metrics.recorder(), metrics.recorder());
    two.request(&observation("globex"));
    one.request(&observation("acme"));
    two.request(&observation("acme"));
    two.request(&Observation {
        tenant: None,
        route: None,
        status: 404,
        code: Some("unknown_tenant"),
        upstream: None,
        ..observation("")
    });
    one.token_cache(1, 0);
    two.token_cache(0, 1);
    metrics.reload(ReloadResult::Refused);
    metrics.jwks_fetch(FetchResult::Failure);
    one.login(LoginResult::Success);
    two.login(LoginResult::Failure);
    metrics.sessions(Some(7));
    let connection = one.connection();
    drop(two.connection());
    let series = parse(&metrics.text());
    for (id, value) in [
        ("vestibule_requests_total{route=\"3\",status=\"200\",tenant=\"acme\"}", 2.0),
        ("vestibule_requests_total{route=\"3\",status=\"200\",tenant=\"globex\"}", 1.0),
        ("vestibule_requests_total{route=\"none\",status=\"404\",tenant=\"\"}", 1.0),
        ("vestibule_request_duration_seconds_count", 4.0),
        ("vestibule_request_duration_seconds_bucket{le=\"0.0005\"}", 0.0),
        ("vestibule_request_duration_seconds_bucket{le=\"0.001\"}", 4.0),
        ("vestibule_request_duration_seconds_bucket{le=\"+Inf\"}", 4.0),
        ("vestibule_upstream_duration_seconds_count{destination=\"backend\"}", 3.0),
        ("vestibule_denials_total{code=\"unknown_tenant\"}", 1.0),
        ("vestibule_token_cache_hits_total", 1.0),
        ("vestibule_token_cache_misses_total", 1.0),
        ("vestibule_config_reloads_total{result=\"refused\"}", 1.0),
        ("vestibule_config_reloads_total{result=\"applied\"}", 0.0),
        ("vestibule_jwks_fetches_total{result=\"failure\"}", 1.0),
        ("vestibule_logins_total{result=\"success\"}", 1.0),
        ("vestibule_logins_total{result=\"failure\"}", 1.0),
        ("vestibule_sessions", 7.0),
        ("vestibule_connections", 1.0),
    ] {
        assert_eq!(series.get(id), Some(&value), "{id}");
    }
    drop(connection);
}

#[test]
fn a_name_with_quotes_is_escaped() {
    let metrics = Metrics::new();
    let name = "a\"b\\c\nd";
    metrics
        .recorder()
        .request(&Observation { upstream: Some((name, Duration::ZERO)), ..observation("acme") });
    let text = metrics.text();
    parse(&text);
    assert!(text.contains("destination=\"a\\\"b\\\\c\\nd\""));
}

#[test]
fn tenants_beyond_the_bound_are_other_for_every_worker() {
    let metrics = Metrics::new();
    let (one, two) = (metrics.recorder(), metrics.recorder());
    two.request(&observation("t0"));
    let keys: Vec<String> = (0..TENANT_LABELS + 50).map(|number| format!("t{number}")).collect();
    for key in &keys {
        one.request(&observation(key));
    }
    for key in &keys {
        two.request(&observation(key));
    }
    one.request(&observation("other"));
    let series = parse(&metrics.text());
    let tenants: Vec<_> =
        series.iter().filter(|(id, _)| id.starts_with("vestibule_requests_total")).collect();
    assert_eq!(tenants.len(), TENANT_LABELS + 1);
    assert_eq!(
        series.get("vestibule_requests_total{route=\"3\",status=\"200\",tenant=\"other\"}"),
        Some(&101.0)
    );
    assert_eq!(series.get("vestibule_requests_total{route=\"3\",status=\"200\",tenant=\"t0\"}"), Some(&3.0));
    assert_eq!(
        series.get("vestibule_requests_total{route=\"3\",status=\"200\",tenant=\"t199\"}"),
        Some(&2.0)
    );
}

#[test]
fn no_tenant_can_be_named_like_a_label_of_ours() {
    let metrics = Metrics::new();
    let recorder = metrics.recorder();
    for tenant in [None, Some("other"), Some("none"), Some("-"), Some("acme"), Some("other")] {
        recorder.request(&Observation { tenant, ..observation("") });
    }
    let series = parse(&metrics.text());
    for (tenant, count) in [("", 1.0), ("other", 2.0), ("none", 1.0), ("-", 1.0), ("acme", 1.0)] {
        let id = format!("vestibule_requests_total{{route=\"3\",status=\"200\",tenant=\"{tenant}\"}}");
        assert_eq!(series.get(&id), Some(&count), "{tenant:?}");
    }
}

#[test]
fn a_summary_says_who_was_at_fault() {
    let metrics = Metrics::new();
    assert_eq!(metrics.summary().p50_ms, None, "nothing was counted yet");
    let recorder = metrics.recorder();
    for (status, microseconds) in [(200, 400), (204, 400), (404, 400), (502, 80_000)] {
        let duration = Duration::from_micros(microseconds);
        recorder.request(&Observation { status, duration, ..observation("acme") });
    }
    recorder.request(&Observation { duration: Duration::from_mins(1), ..observation("globex") });
    let summary = metrics.summary();
    let (name, acme) = &summary.tenants[0];
    assert_eq!(name, "acme");
    assert_eq!(*acme, Traffic { requests: 4, client_errors: 1, server_errors: 1 });
    assert_eq!(summary.all.requests, 5);
    assert_eq!(summary.p50_ms, Some(0.5));
    assert_eq!(summary.p99_ms, None, "above the last bound");
}
