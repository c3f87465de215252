//! The session cookies of backends, the whole way: kept inside with sessions in memory, in cookies and in
//! Redis, sealed for callers without a session, and told of at logout.

use serde_json::{Value, json};

use super::harness::redis::Redis;
use super::harness::{Backend, Provider, Reply, Server, Setup, Tab};
use super::logged_in::Stage as LoggedIn;

/// A running server with two backends, which are three destinations, and acme's provider.
struct Stage {
    server: Server,
    backends: [Backend; 2],
    acme: Provider,
    _globex: Provider,
    _redis: Option<Redis>,
}

impl Stage {
    fn set(store: &str) -> Self {
        let redis = (store == "redis").then(Redis::start);
        let backends = [Backend::start(), Backend::start()];
        let (acme, globex) = (Provider::start(), Provider::start());
        let place = redis.as_ref().map_or_else(|| store.to_owned(), Redis::url);
        let issuer = |provider: &Provider| json!({"issuer": provider.configuration()});
        let server = Setup::new(&application())
            .destination("crm", backends[0].address)
            .destination("same", backends[0].address)
            .destination("erp", backends[1].address)
            .tenants(&json!({"hosts": ["{tenant}.localhost"],
                             "tenants": {"acme": issuer(&acme), "globex": issuer(&globex)}}))
            .variable("SESSION_STORE", place)
            .variable("SESSION_SECRET", "a secret of all instances")
            .start();
        Self { server, backends, acme, _globex: globex, _redis: redis }
    }

    fn logged_in(&self) -> Tab<'_> {
        let mut tab = Tab::at(&self.server, "acme.localhost");
        assert_eq!(tab.log_in(&self.acme, "/crm/start").status, 302);
        tab
    }

    /// The cookies that a backend got last.
    fn got(&self, backend: usize) -> String {
        self.backends[backend].take().last().unwrap().header("cookie")
    }
}

fn application() -> Value {
    let route = |name: &str, kind: &str| {
        json!({"source": format!("^/{name}/(.*)$"), "destination": name.rsplit('-').next(),
               "authenticationType": kind, "setBackendSessionCookies": name.starts_with("pass-")})
    };
    json!({
        "logout": {"logoutEndpoint": "/logout"},
        "destinations": {"crm": {"logoutPath": "/bye"}, "erp": {"logoutPath": "/bye"}},
        "routes": [route("crm", "oidc"), route("same", "oidc"), route("erp", "oidc"),
                   route("open-crm", "none"), route("pass-crm", "oidc"), route("pass-open-crm", "none")]
    })
}

fn setting(set: &[&str]) -> String {
    let headers: Vec<Value> = set.iter().map(|set| json!(["set-cookie", set])).collect();
    json!({"headers": headers}).to_string()
}

fn names(reply: &Reply) -> Vec<String> {
    reply.all("set-cookie").iter().map(|set| set.split('=').next().unwrap().to_owned()).collect()
}

#[test]
fn they_stay_inside_whatever_the_store() {
    for (store, beside) in
        [("memory", vec![]), ("cookie", vec!["JSESSIONID-backend"]), ("redis", vec!["JSESSIONID-backend"])]
    {
        let stage = Stage::set(store);
        let mut tab = stage.logged_in();
        let set = setting(&["bs=1; Path=/", "pers=1; Max-Age=100", "other=1; Path=/zzz", "secure=1; Secure"]);
        let reply = tab.fetch("GET /crm/x", &[("x-echo", &set)]);
        let expected: Vec<&str> = [vec!["pers"], beside].concat();
        assert_eq!(names(&reply), expected, "{store}");
        tab.cookies.remove("pers");
        tab.cookies.insert("own".to_owned(), "1".to_owned());
        for (path, backend, expected, shows) in [
            ("/crm/x", 0, "own=1; bs=1", "back to its destination"),
            ("/open-crm/x", 0, "own=1; bs=1", "on a route for everyone as well"),
            ("/same/x", 0, "own=1", "not to another at the same host and port"),
            ("/erp/x", 1, "own=1", "nor at another"),
        ] {
            stage.backends.iter().for_each(|backend| drop(backend.take()));
            assert_eq!(names(&tab.fetch(&format!("GET {path}"), &[])), [""; 0], "{store} {path}");
            assert_eq!(stage.got(backend), expected, "{store} {path}: {shows}");
        }
        tab.fetch("GET /erp/x", &[("x-echo", &setting(&["JSESSIONID=theirs; Path=/; HttpOnly"]))]);
        stage.got(1);
        tab.fetch("GET /erp/x", &[]);
        assert_eq!(
            stage.got(1),
            "own=1; JSESSIONID=theirs",
            "{store}: called as ours is, and never mixed up"
        );
        let mut stranger = stage.logged_in();
        stage.backends[0].take();
        stranger.fetch("GET /crm/x", &[]);
        assert_eq!(stage.got(0), "-", "{store}: another session has none");
        assert_eq!(tab.navigate("/logout").status, 302, "{store}");
        assert_eq!(stage.got(0), "own=1; bs=1", "{store}: told of the logout");
        assert_eq!(stage.got(1), "own=1; JSESSIONID=theirs", "{store}: each with its own");
        assert_eq!(tab.cookies.keys().collect::<Vec<_>>(), ["own"], "{store}: nothing is left");
    }
}

#[test]
fn a_route_may_leave_them_to_the_browser() {
    let stage = Stage::set("memory");
    let mut tab = stage.logged_in();
    let set = setting(&["bs=1; Path=/", "pers=1; Max-Age=100", "JSESSIONID=evil; Path=/"]);
    for path in ["/pass-crm/x", "/pass-open-crm/x"] {
        assert_eq!(names(&tab.clone().fetch(&format!("GET {path}"), &[("x-echo", &set)])), ["bs", "pers"]);
    }
    stage.got(0);
    tab.fetch("GET /crm/x", &[]);
    assert_eq!(stage.got(0), "-", "nothing was kept");
}

#[test]
fn nobodys_are_sealed_and_begin_no_session() {
    let stage = Stage::set("memory");
    let mut tab = Tab::at(&stage.server, "acme.localhost");
    let reply = tab.fetch("GET /open-crm/x", &[("x-echo", &setting(&["bs=1; Path=/", "pers=1; Max-Age=9"]))]);
    assert_eq!(names(&reply), ["pers", "ARBE"]);
    let arbe = reply.all("set-cookie")[1].to_owned();
    assert!(arbe.ends_with("; Path=/; HttpOnly; SameSite=Lax") && !arbe.contains("bs"), "{arbe}");
    assert!(reply.header("cache-control").contains("no-store"), "no cache gives it to another");
    tab.cookies.insert("bs".to_owned(), "own".to_owned());
    tab.fetch("GET /open-crm/x", &[]);
    assert_eq!(stage.got(0), "pers=1; bs=1", "what is kept goes before what the client calls so");
    let mut elsewhere = tab.moved_to("globex.localhost");
    elsewhere.fetch("GET /open-crm/x", &[]);
    assert_eq!(stage.got(0), "bs=own; pers=1", "another tenant does not open it");
    assert_eq!(tab.log_in(&stage.acme, "/crm/start").status, 302);
    tab.fetch("GET /crm/x", &[]);
    assert_eq!(stage.got(0), "bs=own; pers=1", "a login begins without them");
}

#[test]
fn a_service_keeps_its_callers() {
    let stage = Stage::set("memory");
    let bearer = |user: &str| format!("Bearer {}", stage.acme.issuer().token(&json!({"sub": user})));
    let mut service = Tab::at(&stage.server, "acme.localhost");
    let header = "X-Approuter-Authorization";
    let ann = bearer("ann");
    let reply = service.ask("POST /crm/x", &[(header, &ann), ("x-echo", &setting(&["bs=1; Path=/"]))]);
    assert_eq!((reply.status, names(&reply)), (200, vec!["ARBE".to_owned()]), "{}", reply.text());
    stage.got(0);
    for (token, expected, shows) in [
        (ann.as_str(), "bs=1", "the same caller"),
        (&bearer("ann"), "bs=1", "with another token"),
        (&bearer("bob"), "-", "another caller"),
    ] {
        assert_eq!(service.clone().ask("GET /crm/x", &[(header, token)]).status, 200);
        assert_eq!(stage.got(0), expected, "{shows}");
    }
}

#[test]
fn user_and_password_may_be_handed_on() {
    let stage = LoggedIn::set();
    let header = "X-Approuter-Authorization";
    for (value, path, status, shows) in [
        ("Basic YWRhOjE4MTU=", "/app/x", 200, "the issuer knows ada"),
        ("basic YWRhOjE4MTU=", "/pub/x", 200, "on a route for everyone, too"),
        ("Basic YWRhOjE4MTY=", "/app/x", 401, "a wrong password"),
        ("Basic YWRhOjE4MTY=", "/pub/x", 401, "is refused wherever it is shown"),
        ("Basic YW5u", "/app/x", 401, "no password"),
        ("Basic !", "/app/x", 401, "no base64"),
        ("Digest YW5u", "/app/x", 401, "another scheme"),
    ] {
        let reply = stage.browser().ask(&format!("POST {path}"), &[(header, value)]);
        assert_eq!(reply.status, status, "{value} {path}: {shows}: {}", reply.text());
    }
    let seen = stage.backend.take();
    assert_eq!(seen.iter().filter(|seen| seen.head.method == "POST").count(), 2);
    assert!(seen.iter().all(|seen| seen.all("x-approuter-authorization").is_empty()));
    let mut tab = stage.browser();
    assert_eq!(tab.fetch("GET /fwd/x", &[(header, "Basic YWRhOjE4MTU=")]).status, 200);
    assert!(
        stage.backend.only().header("authorization").starts_with("Bearer ey"),
        "the issuer's token goes on"
    );
}

#[test]
fn services_repeat_a_csrf_token_where_that_is_asked_for() {
    for (store, asks) in [("memory", false), ("redis", true)] {
        let redis = Redis::start();
        let place = if store == "redis" { redis.url() } else { store.to_owned() };
        let stage = LoggedIn::set_with(|setup| {
            setup
                .variable("SVC2AR_STORE_CSRF_IN_EXTERNAL_SESSION", "true")
                .variable("SESSION_STORE", place)
                .variable("SESSION_SECRET", "a secret of all instances")
        });
        let bearer = format!("Bearer {}", stage.acme.issuer().token(&json!({})));
        let other = format!("Bearer {}", stage.acme.issuer().token(&json!({"sub": "bob"})));
        let ask = |line: &str, token: &str, csrf: Option<&str>| {
            let mut headers = vec![("X-Approuter-Authorization", token)];
            headers.extend(csrf.map(|csrf| ("X-CSRF-Token", csrf)));
            stage.browser().ask(line, &headers)
        };
        let told = ask("GET /app/x", &bearer, Some("fetch")).header("x-csrf-token");
        assert_eq!(told.len() == 44, asks, "{store}: {told}");
        let refused = if asks { 403 } else { 200 };
        for (line, token, csrf, status, shows) in [
            ("POST /app/x", &bearer, None, refused, "without"),
            ("POST /app/x", &bearer, Some(told.as_str()), 200, "with"),
            ("POST /app/x", &other, Some(told.as_str()), refused, "another's"),
            ("POST /open/x", &bearer, None, 200, "where the route does not ask"),
            ("GET /app/x", &bearer, None, 200, "what changes nothing"),
        ] {
            let csrf = csrf.filter(|csrf| !csrf.is_empty() && *csrf != "-");
            assert_eq!(ask(line, token, csrf).status, status, "{store} {line}: {shows}");
        }
        let own = stage.browser().ask("POST /app/x", &[("Authorization", &bearer)]);
        assert_eq!(own.status, 200, "{store}: who calls for himself needs none");
    }
}
