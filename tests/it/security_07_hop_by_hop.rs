//! Class 7, headers that `Connection` names so that somebody on the way drops them.
//!
//! Recipe: `Connection: close, X` for each header of ours and for what guards an application
//! (`Authorization`, `Cookie`, forwarding headers), in each case form, in one header or two. Must happen:
//! ours are present exactly once whatever the client names, and no hop-by-hop header passes.

use serde_json::json;

use super::harness::fixture::{ACME, Tenancy, bearer};
use super::harness::{Backend, Recorded};

/// Ours on a route with a caller, with the value that acme's user `u1` gives it.
const OURS: [(&str, &str); 5] = [
    ("x-tenant", "acme"),
    ("x-tenant-id", "id-acme"),
    ("x-forwarded-host", "acme.localhost"),
    ("x-forwarded-proto", "http"),
    ("x-forwarded-path", "/fwd/x"),
];

fn check(request: &Recorded, shows: &str) {
    for (name, value) in OURS {
        assert_eq!(request.alike(name), [value], "{shows}: {name}");
    }
    let single = ["host", "x-forwarded-for", "authorization", "x-request-id", "traceparent"];
    for name in single {
        assert_eq!(request.alike(name).len(), 1, "{shows}: {name}: {:?}", request.alike(name));
    }
    for name in ["keep-alive", "proxy-connection", "te", "trailer", "upgrade", "proxy-authorization", "x-hop"]
    {
        assert_eq!(request.alike(name), Vec::<&str>::new(), "{shows}: {name}");
    }
}

fn case_forms(name: &str) -> [String; 3] {
    let title =
        name.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect::<Vec<_>>().join("-");
    [name.to_owned(), name.to_uppercase(), title]
}

#[test]
fn naming_our_headers_removes_none_of_them() {
    let backend = Backend::start();
    let tenancy = Tenancy::new();
    let server = tenancy.setup(backend.address).start();
    let token = bearer(&tenancy.acme.token(&json!({})));
    let names = [
        "x-tenant",
        "x-tenant-id",
        "tenantid",
        "x-user-name",
        "x-user-email",
        "x-forwarded-host",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-forwarded-path",
        "authorization",
        "x-request-id",
        "traceparent",
        "x-correlationid",
        "content-length",
        "host",
    ];
    for name in names {
        for form in case_forms(name) {
            let lists = [
                vec![format!("close, {form}")],
                vec!["close".to_owned(), form.clone()],
                vec![format!(" ,,{form},")],
            ];
            for list in lists {
                let mut headers = vec![ACME, ("Authorization", token.as_str())];
                headers.extend(list.iter().map(|value| ("Connection", value.as_str())));
                let reply = server.ask("GET /fwd/x", &headers);
                assert_eq!(reply.status, 200, "{list:?}: {}", reply.text());
                check(&backend.only(), &format!("{list:?}"));
            }
        }
    }
}

#[test]
fn everything_else_that_connection_names_is_dropped() {
    let backend = Backend::start();
    let tenancy = Tenancy::new();
    let server = tenancy.setup(backend.address).start();
    let token = bearer(&tenancy.acme.token(&json!({})));
    let headers = [
        ACME,
        ("Authorization", token.as_str()),
        ("Connection", "X-Hop, cookie"),
        ("X-Hop", "1"),
        ("x-hop", "2"),
        ("Cookie", "a=1"),
        ("Keep-Alive", "timeout=5"),
        ("Proxy-Connection", "keep-alive"),
        ("Proxy-Authorization", "Basic eDp5"),
        ("TE", "trailers, deflate"),
        ("Trailer", "X-Tenant"),
    ];
    assert_eq!(server.ask("GET /fwd/x", &headers).status, 200);
    let request = backend.only();
    check(&request, "a list");
    assert_eq!(request.all("cookie"), Vec::<&str>::new());
}

#[test]
fn answers_lose_their_hop_by_hop_headers() {
    let backend = Backend::start();
    let tenancy = Tenancy::new();
    let server = tenancy.setup(backend.address).start();
    let echo = json!({"headers": [["connection", "x-hop, x-kept-not"], ["x-hop", "1"], ["x-kept-not", "1"],
        ["keep-alive", "timeout=1"], ["proxy-connection", "close"], ["proxy-authenticate", "Basic"],
        ["upgrade", "h2c"], ["x-kept", "1"]]});
    let reply = server.ask("GET /pub/x", &[ACME, ("x-echo", &echo.to_string())]);
    assert_eq!((reply.status, reply.header("x-kept")), (200, "1".to_owned()));
    for name in ["x-hop", "x-kept-not", "keep-alive", "proxy-connection", "upgrade", "trailer"] {
        assert_eq!(reply.header(name), "", "{name}");
    }
}
