//! Class 33, caches and pools that confuse two tenants.
//!
//! Recipe: two tenants ask for the same path at the same time, with their own destination, with a
//! shared one, and with tokens of the one at the other; keys whose parts could be joined alike. Must
//! happen: every answer belongs to its tenant, and no backend connection ever serves two.

use std::collections::BTreeMap;

use serde_json::json;

use super::harness::backend::Next;
use super::harness::fixture::{Tenancy, bearer};
use super::harness::{Backend, Server, Setup};

/// Answers with who it is and the tenant it was told.
fn named(name: &'static str) -> Backend {
    Backend::answering(move |exchange| {
        let tenant = exchange.head.lines.iter().find(|(n, _)| n.eq_ignore_ascii_case("x-tenant"));
        let text = format!("{name} for {}", tenant.map_or("nobody", |(_, value)| value));
        exchange.write(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len()));
        Next::Keep
    })
}

fn ask_interleaved(server: &Server, path: &str, expected: &(dyn Fn(&str) -> String + Sync)) {
    std::thread::scope(|scope| {
        for worker in 0..4 {
            scope.spawn(move || {
                let mut client = server.connect();
                for round in 0..100 {
                    let tenant = if (round + worker) % 2 == 0 { "acme" } else { "globex" };
                    let reply =
                        client.ask(&format!("GET {path}"), &[("Host", &format!("{tenant}.localhost"))], b"");
                    assert_eq!((reply.status, reply.text()), (200, expected(tenant)));
                }
            });
        }
    });
}

#[test]
fn each_tenant_reaches_its_own_destination() {
    let (shared, acme, globex) = (named("shared"), named("acme"), named("globex"));
    let tenancy = Tenancy::new();
    let mut table = tenancy.table();
    for (tenant, backend) in [("acme", &acme), ("globex", &globex)] {
        table["tenants"][tenant]["destinations"] =
            json!({"backend": {"url": format!("http://{}", backend.address)}});
    }
    let server = tenancy.setup(shared.address).tenants(&table).start();
    ask_interleaved(&server, "/pub/same", &|tenant| format!("{tenant} for {tenant}"));
    assert_eq!(shared.requests().len(), 0);
}

#[test]
fn no_connection_of_a_shared_backend_serves_two_tenants() {
    let shared = named("shared");
    let server = Tenancy::new().setup(shared.address).start();
    ask_interleaved(&server, "/pub/same", &|tenant| format!("shared for {tenant}"));
    let mut owner = BTreeMap::new();
    for request in shared.requests() {
        let tenant = request.header("x-tenant");
        let first = owner.entry(request.connection).or_insert_with(|| tenant.clone());
        assert_eq!(*first, tenant, "connection {} served two tenants", request.connection);
    }
    assert!(owner.len() < 100, "connections are not used again: {}", owner.len());
}

#[test]
fn a_token_opens_its_own_tenant_only_whatever_was_seen_before() {
    let shared = named("shared");
    let tenancy = Tenancy::new();
    let server = tenancy.setup(shared.address).start();
    let tokens = [bearer(&tenancy.acme.token(&json!({}))), bearer(&tenancy.globex.token(&json!({})))];
    let hosts = ["acme.localhost", "globex.localhost"];
    for round in 0..50 {
        for (at, host) in hosts.iter().enumerate() {
            for (owner, token) in tokens.iter().enumerate() {
                let reply = server.ask("GET /jwt/x", &[("Host", host), ("Authorization", token)]);
                assert_eq!(
                    reply.status,
                    if at == owner { 200 } else { 401 },
                    "round {round}: {owner} at {host}"
                );
            }
        }
    }
}

#[test]
fn keys_that_join_alike_stay_apart() {
    let (one, two) = (named("one"), named("two"));
    let xs_app = json!({"authenticationMethod": "none",
                        "routes": [{"source": "^/(.*)$", "destination": "b-c", "authenticationType": "none"},
                                   {"source": "^/never$", "destination": "c", "authenticationType": "none"}]});
    let url = |backend: &Backend| json!({"url": format!("http://{}", backend.address)});
    let table = json!({"hosts": ["{tenant}.localhost"], "tenants": {
        "a": {"destinations": {"b-c": url(&one)}},
        "a-b": {"destinations": {"c": url(&one), "b-c": url(&two)}},
    }});
    let server = Setup::new(&xs_app)
        .destination("b-c", two.address)
        .destination("c", two.address)
        .tenants(&table)
        .start();
    for _ in 0..20 {
        assert_eq!(server.ask("GET /x", &[("Host", "a.localhost")]).text(), "one for a");
        assert_eq!(server.ask("GET /x", &[("Host", "a-b.localhost")]).text(), "two for a-b");
    }
}
