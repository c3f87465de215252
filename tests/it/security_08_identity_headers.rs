//! Class 8, identity headers that the client sends itself.
//!
//! Recipe: each name that tells the backend who is asking × dashes, underscores, mixed, upper case,
//! doubled, a final dot, comma-joined, named in `Connection`, in a trailer × HTTP/1.1, HTTP/2 × a public
//! route and one with a caller. Must happen: the backend sees exactly our value, or none; read as a
//! careless application reads it, which takes `_` for `-`.

use serde_json::json;

use super::harness::fixture::{Tenancy, bearer};
use super::harness::h2::{H2, Outcome};
use super::harness::{Backend, Recorded, Server};

const NAMES: [&str; 10] = [
    "x-tenant",
    "x-tenant-id",
    "tenantid",
    "x-user-name",
    "x-user-email",
    "x-tenant-assertion",
    "x-approuter-authorization",
    "x-forwarded-host",
    "x-forwarded-path",
    "x-forwarded-proto",
];

const EVIL: &str = "evil";

/// The spellings in which a name may come.
fn spellings(name: &str) -> Vec<String> {
    let upper = name.to_uppercase();
    let title =
        name.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect::<Vec<_>>().join("-");
    let mut all = vec![name.to_owned(), upper.clone(), title.clone()];
    all.extend([name.replace('-', "_"), upper.replace('-', "_"), title.replace('-', "_")]);
    all.extend([name.replacen('-', "_", 1), format!("{name}."), format!("{}.", name.replace('-', "_"))]);
    all.sort();
    all.dedup();
    all
}

/// What is ours: everything else a backend may not see at all.
fn expected(name: &str, path: &str, caller: bool) -> Vec<String> {
    match name {
        "x-tenant" => vec!["acme".to_owned()],
        "x-tenant-id" | "tenantid" => vec!["id-acme".to_owned()],
        "x-forwarded-host" => vec!["acme.localhost".to_owned()],
        "x-forwarded-proto" => vec!["http".to_owned()],
        "x-forwarded-path" => vec![path.to_owned()],
        "x-user-name" if caller => vec!["u1".to_owned()],
        "x-user-email" if caller => vec!["u1@acme.test".to_owned()],
        _ => Vec::new(),
    }
}

fn judge(request: &Recorded, path: &str, caller: bool, shows: &str, wrong: &mut Vec<String>) {
    for name in NAMES {
        let seen = request.alike(name);
        if seen != expected(name, path, caller) {
            wrong.push(format!("{shows}: {name} is {seen:?}"));
        }
    }
    let everywhere = request.head.lines.iter().chain(&request.trailers);
    let leaked = everywhere.filter(|(_, value)| value.contains(EVIL)).count();
    if leaked > 0 {
        wrong.push(format!("{shows}: {leaked} values of the client's arrived: {request:?}"));
    }
}

/// Header sets in which one spelling of one name comes.
fn forms(spelling: &str) -> Vec<(Vec<(String, String)>, &'static str)> {
    let one = |value: &str| (spelling.to_owned(), value.to_owned());
    vec![
        (vec![one(EVIL)], "once"),
        (vec![one(EVIL), one("evil2")], "twice"),
        (vec![one("acme, evil")], "joined with a comma"),
        (vec![one(EVIL), ("Connection".to_owned(), spelling.to_owned())], "named in Connection"),
    ]
}

/// `x-approuter-authorization` is evaluated: what is not a token is 401 or 400, and nothing arrives.
fn may_be_refused(name: &str, spelling: &str, status: u16) -> bool {
    name == "x-approuter-authorization" && spelling.eq_ignore_ascii_case(name) && matches!(status, 400 | 401)
}

fn routes(tenancy: &Tenancy) -> [(&'static str, String, bool); 2] {
    let token = tenancy.acme.token(&json!({"email": "u1@acme.test", "preferred_username": "u1"}));
    [("/pub/x", String::new(), false), ("/jwt/x", bearer(&token), true)]
}

fn over_http1(server: &Server, backend: &Backend, tenancy: &Tenancy, wrong: &mut Vec<String>) {
    for (path, token, caller) in routes(tenancy) {
        for name in NAMES {
            for spelling in spellings(name) {
                for (form, shows) in forms(&spelling) {
                    let mut headers = vec![("Host", "acme.localhost")];
                    if caller {
                        headers.push(("Authorization", token.as_str()));
                    }
                    headers.extend(form.iter().map(|(name, value)| (name.as_str(), value.as_str())));
                    let reply = server.ask(&format!("GET {path}"), &headers);
                    let shows = format!("HTTP/1.1 {path}, {spelling} {shows}");
                    match backend.take().as_slice() {
                        [request] if reply.status == 200 => judge(request, path, caller, &shows, wrong),
                        [] if may_be_refused(name, &spelling, reply.status) => {}
                        seen => wrong.push(format!("{shows}: {} and {} arrived", reply.status, seen.len())),
                    }
                }
            }
        }
    }
}

#[test]
fn over_http1_only_ours_arrive() {
    let backend = Backend::start();
    let tenancy = Tenancy::new();
    let server = tenancy.setup(backend.address).start();
    let mut wrong = Vec::new();
    over_http1(&server, &backend, &tenancy, &mut wrong);
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn over_http2_only_ours_arrive() {
    let backend = Backend::start();
    let tenancy = Tenancy::new();
    let server = tenancy.setup(backend.address).start();
    let mut wrong = Vec::new();
    for (path, token, caller) in routes(&tenancy) {
        for name in NAMES {
            for spelling in spellings(name).into_iter().filter(|s| *s == s.to_lowercase()) {
                for values in [vec![EVIL], vec![EVIL, "evil2"], vec!["acme, evil"]] {
                    let mut fields = vec![
                        (":method", "GET"),
                        (":scheme", "http"),
                        (":path", path),
                        (":authority", "acme.localhost"),
                    ];
                    if caller {
                        fields.push(("authorization", token.as_str()));
                    }
                    fields.extend(values.iter().map(|value| (spelling.as_str(), *value)));
                    let outcome = H2::connect(server.address).ask(&fields, b"");
                    let shows = format!("HTTP/2 {path}, {spelling}: {values:?}");
                    match (&outcome, backend.take().as_slice()) {
                        (Outcome::Answer(200, _), [request]) => {
                            judge(request, path, caller, &shows, &mut wrong);
                        }
                        (Outcome::Answer(status, _), []) if may_be_refused(name, &spelling, *status) => {}
                        (outcome, seen) => {
                            wrong.push(format!("{shows}: {outcome:?}, {} arrived", seen.len()));
                        }
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn in_trailers_none_arrive() {
    let backend = Backend::start();
    let tenancy = Tenancy::new();
    let server = tenancy.setup(backend.address).start();
    let mut wrong = Vec::new();
    for name in NAMES {
        for spelling in spellings(name) {
            let mut client = server.connect();
            client.send(format!(
                "POST /pub/x HTTP/1.1\r\nHost: acme.localhost\r\nTrailer: {spelling}\r\n\
                 Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n{spelling}: {EVIL}\r\n\r\n"
            ));
            let status = client.read().map_or(0, |reply| reply.status);
            match backend.take().as_slice() {
                [request] if status == 200 => {
                    judge(request, "/pub/x", false, &format!("trailer {spelling}"), &mut wrong);
                }
                seen => wrong.push(format!("trailer {spelling}: {status}, {} arrived", seen.len())),
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn without_tenancy_they_are_removed_all_the_same() {
    let backend = Backend::start();
    let server = super::harness::Setup::open(backend.address).start();
    for name in &NAMES[..6] {
        for spelling in spellings(name) {
            assert_eq!(server.ask("GET /x", &[(&spelling, EVIL)]).status, 200, "{spelling}");
            let request = backend.only();
            assert_eq!(request.alike(name), Vec::<&str>::new(), "{spelling}");
        }
    }
}
