//! What naming the tenant costs: canonical request, host rules, table, limits.
//!
//! `cargo bench --bench tenant`. The table of 100,000 must cost no request more than one of ten.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the measurement")]

use std::hint::black_box;
use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use http::Request;
use http::request::Parts;
use vestibule::request::{CanonicalRequest, Peer, Scheme, Trust, canonicalize};
use vestibule::tenant::{Directory, HostMemo, HostPattern, Limits, Meters, PathRule, TenantKey, TenantSpec};

fn main() {
    divan::main();
}

fn parts(host: &str, target: &str) -> Parts {
    let request = Request::builder()
        .uri(target)
        .header("host", host)
        .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
        .header("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
        .header("accept-language", "en-US,en;q=0.5")
        .header("accept-encoding", "gzip, deflate, br")
        .header("cookie", "JSESSIONID=0123456789abcdef; other=value")
        .header("sec-fetch-dest", "document")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-site", "none")
        .header("x-request-id", "5c0f8a50-0000-4000-8000-000000000000");
    request.body(()).expect("a request").into_parts().0
}

fn peer() -> Peer {
    Peer::new([127, 0, 0, 1].into(), Scheme::Http)
}

fn canonical(host: &str, target: &str) -> CanonicalRequest {
    canonicalize(&parts(host, target), &peer(), &Trust::default()).expect("canonical")
}

fn specs(n: u32) -> Vec<TenantSpec> {
    let spec = |i: u32| {
        let key = TenantKey::parse(&format!("tenant-{i}")).expect("a key");
        let id = Some(format!("5c0f8a50-0000-4000-8000-{i:012}").into());
        TenantSpec { id, name: Some(format!("Tenant {i}").into()), ..TenantSpec::new(key) }
    };
    (0..n).map(spec).collect()
}

fn directory(n: u32, pattern: &str) -> Directory {
    let pattern = HostPattern::compile(pattern, true).expect("a pattern");
    Directory::builder().host_pattern(pattern).tenants(specs(n)).build().expect("a directory")
}

const SHAPED: &str = "^(.*)-approuter.cfapps.eu10.hana.example.com";
const GENERAL: &str = "^(.*)-approuter.cfapps.(.*).hana.example.com";
const HOST: &str = "tenant-7-approuter.cfapps.eu10.hana.example.com";

#[divan::bench(args = ["/api/v1/orders/4711?expand=items", "/api/v1/orders/%C3%A4%20b?expand=items"])]
fn canonical_request(bencher: Bencher<'_, '_>, target: &str) {
    let (parts, peer, trust) = (parts(HOST, target), peer(), Trust::default());
    bencher.bench(|| canonicalize(black_box(&parts), &peer, &trust));
}

#[divan::bench(args = [10, 100_000])]
fn shaped_pattern(bencher: Bencher<'_, '_>, tenants: u32) {
    let (directory, request) = (directory(tenants, SHAPED), canonical(HOST, "/"));
    bencher.bench(|| directory.resolve(black_box(&request)));
}

#[divan::bench(args = [10, 100_000])]
fn general_pattern(bencher: Bencher<'_, '_>, tenants: u32) {
    let (directory, request) = (directory(tenants, GENERAL), canonical(HOST, "/"));
    bencher.bench(|| directory.resolve(black_box(&request)));
}

#[divan::bench(args = [10, 100_000])]
fn general_pattern_remembered(bencher: Bencher<'_, '_>, tenants: u32) {
    let (directory, request) = (directory(tenants, GENERAL), canonical(HOST, "/"));
    let mut memo = HostMemo::new();
    bencher.bench_local(|| directory.resolve_with(black_box(&request), &mut memo));
}

#[divan::bench]
fn path_prefix(bencher: Bencher<'_, '_>) {
    let rule = PathRule::parse("/t/{tenant}", true).expect("a rule");
    let directory = Directory::builder().path(rule).tenants(specs(1000)).build().expect("a directory");
    let request = canonical("portal.example.com", "/t/tenant-7/api/v1/orders");
    bencher.bench(|| directory.resolve(black_box(&request)));
}

#[divan::bench]
fn limited(bencher: Bencher<'_, '_>) {
    let limits = Limits {
        requests_per_second: u32::MAX.try_into().ok(),
        burst: u32::MAX.try_into().ok(),
        concurrent: 100.try_into().ok(),
    };
    let key = TenantKey::parse("acme").expect("a key");
    let directory = Directory::builder()
        .provider(TenantSpec { limits, ..TenantSpec::new(key) })
        .build()
        .expect("a directory");
    let (meters, tenant) = (Meters::new(), Arc::clone(directory.provider()));
    bencher.bench(|| meters.admit(black_box(&tenant)).is_ok());
}

#[divan::bench(sample_count = 10)]
fn build_100_000(bencher: Bencher<'_, '_>) {
    bencher
        .counter(ItemsCount::new(100_000u32))
        .with_inputs(|| specs(100_000))
        .bench_values(|specs| Directory::builder().tenants(specs).build().map_err(|errors| errors.len()));
}
