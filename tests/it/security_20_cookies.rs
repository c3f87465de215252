//! Class 20, cookies of other hosts and of other forms.
//!
//! Recipe: every attribute of ours in each configuration; a sibling domain that sets the same name, so
//! that it comes twice; names that look alike; a backend that sets ours, or cookies for other tenants.
//! Must happen: the attributes of SPEC 6; two of one name are none, nothing but the very name counts, and
//! a backend's cookies stay with its tenant.

use serde_json::json;

use super::harness::{Backend, Provider, Setup, Tab};
use super::logged_in::Stage;

#[test]
fn attributes_are_as_promised() {
    for (variables, forwarded, expected, shows) in [
        (vec![], "http", "; Path=/; HttpOnly; SameSite=Lax", "the defaults"),
        (vec![], "https", "; Path=/; HttpOnly; Secure; SameSite=Lax", "https outside"),
        (
            vec![("COOKIES", json!({"SameSite": "None"}))],
            "https",
            "; Path=/; HttpOnly; Secure; SameSite=None",
            "embedded",
        ),
        (
            vec![("SECURE_SESSION_COOKIE", json!("true"))],
            "http",
            "; Path=/; HttpOnly; Secure; SameSite=Lax",
            "always for https only",
        ),
    ] {
        let (backend, acme) = (Backend::start(), Provider::start());
        let routes = json!({"routes": [
            {"source": "^/app/(.*)$", "destination": "backend", "authenticationType": "oidc"}]});
        let mut setup = Setup::new(&routes).destination("backend", backend.address).tenants(&json!({
            "hosts": ["{tenant}.localhost"], "trustedProxies": ["127.0.0.0/8"],
            "tenants": {"acme": {"issuer": acme.configuration()}}}));
        for (name, value) in variables {
            setup = setup.variable(name, value);
        }
        let server = setup.start();
        let mut browser = Tab::at(&server, "acme.localhost");
        let proto = ("X-Forwarded-Proto", forwarded);
        let html = ("Accept", "text/html");
        let page = browser.ask("GET /app/x", &[proto, html]);
        let flow = page.header("set-cookie");
        assert!(flow.contains("; Max-Age=600; HttpOnly"), "{shows}: {flow}");
        assert_eq!(flow.contains("; Secure"), expected.contains("Secure"), "{shows}: {flow}");
        let location = super::harness::tab::authorization(&page);
        let back = acme.authorize(&location);
        let path =
            back.strip_prefix(&format!("{forwarded}://acme.localhost")).unwrap_or_else(|| panic!("{back}"));
        let reply = browser.ask(&format!("GET {path}"), &[proto, html]);
        let set = reply.all("set-cookie").into_iter().find(|set| set.starts_with("JSESSIONID=")).unwrap();
        assert!(set.ends_with(expected), "{shows}: {set}");
    }
}

#[test]
fn a_tenant_of_a_path_has_its_cookies_there() {
    let (backend, acme) = (Backend::start(), Provider::start());
    let routes = json!({"routes": [
        {"source": "^/app/(.*)$", "destination": "backend", "authenticationType": "oidc"}]});
    let server = Setup::new(&routes)
        .destination("backend", backend.address)
        .tenants(&json!({"path": {"prefix": "/t/{tenant}", "strip": true},
                         "tenants": {"acme": {"issuer": acme.configuration()}}}))
        .start();
    let mut browser = Tab::at(&server, "portal.localhost");
    let callback = browser.begin(&acme, "/t/acme/app/x?a=b");
    assert!(callback.starts_with("/t/acme/login/callback?"), "{callback}");
    let reply = browser.navigate(&callback);
    assert_eq!((reply.status, reply.header("location")), (302, "/t/acme/app/x?a=b".to_owned()));
    for set in reply.all("set-cookie") {
        assert!(set.contains("; Path=/t/acme;"), "{set}");
    }
    assert_eq!(browser.navigate("/t/acme/app/x").status, 200);
}

#[test]
fn a_session_under_another_name_stays_with_us() {
    let (backend, acme) = (Backend::start(), Provider::start());
    let routes = json!({"routes": [
        {"source": "^/app/(.*)$", "destination": "backend", "authenticationType": "oidc"}]});
    let server = Setup::new(&routes)
        .destination("backend", backend.address)
        .tenants(&json!({"hosts": ["{tenant}.localhost"],
                         "tenants": {"acme": {"issuer": acme.configuration()}}}))
        .variable("SESSION_COOKIE_NAME", json!("portal"))
        .start();
    let mut browser = Tab::at(&server, "acme.localhost");
    let callback = browser.begin(&acme, "/app/x");
    assert_eq!(browser.navigate(&callback).status, 302);
    browser.cookies.insert("theirs".to_owned(), "1".to_owned());
    assert!(browser.cookies.contains_key("portal"), "{:?}", browser.cookies.keys());
    assert_eq!(browser.navigate("/app/x").status, 200);
    assert_eq!(backend.only().header("cookie"), "theirs=1");
}

#[test]
fn two_cookies_of_one_name_are_none() {
    let stage = Stage::set();
    let own = stage.logged_in().cookies["JSESSIONID"].clone();
    let of = |name: &str, value: &str| format!("{name}={value}");
    for (lines, status, shows) in [
        (vec![of("JSESSIONID", &own)], 200, "once"),
        (vec![format!("a=b; JSESSIONID={own}; c=d")], 200, "among others"),
        (vec![format!("JSESSIONID={own}; JSESSIONID=evil")], 401, "twice, ours first"),
        (vec![format!("JSESSIONID=evil; JSESSIONID={own}")], 401, "twice, ours last"),
        (vec![of("JSESSIONID", &own), of("JSESSIONID", "evil")], 401, "in two lines"),
        (vec![format!("JSESSIONID={own}; JSESSIONID={own}")], 401, "the same twice"),
        (vec![of("jsessionid", &own)], 401, "another case"),
        (vec![of("JSESSIONID2", &own)], 401, "a longer name"),
        (vec![of("__Host-JSESSIONID", &own)], 401, "with a prefix"),
        (vec![of("JSESSIONID", &format!("{own}x"))], 401, "a longer value"),
        (vec![of("JSESSIONID", &own[1..])], 401, "a shorter one"),
        (vec![of("JSESSIONID", &format!("\"{own}\""))], 401, "in quotes"),
        (vec![of("JSESSIONID", "")], 401, "empty"),
    ] {
        let mut headers = vec![("Host", "acme.localhost"), ("Sec-Fetch-Mode", "cors")];
        headers.extend(lines.iter().map(|line| ("Cookie", line.as_str())));
        assert_eq!(stage.server.ask("GET /app/x", &headers).status, status, "{shows}");
    }
}

#[test]
fn two_cookies_of_one_name_send_nobody_round_and_round() {
    let stage = Stage::set();
    let twice = [
        ("Host", "acme.localhost"),
        ("Sec-Fetch-Mode", "navigate"),
        ("Cookie", "JSESSIONID=a; JSESSIONID=b"),
    ];
    let reply = stage.server.ask("GET /app/x", &twice);
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (400, "session_cookie_twice"),
        "a login would not help"
    );
    let html = [twice[0], twice[1], twice[2], ("Accept", "text/html")];
    let page = stage.server.ask("GET /app/x", &html).text();
    assert!(page.contains("Delete the cookies of this site") && page.contains("href=\"/app/x\""), "{page}");
}

#[test]
fn a_backends_cookies_stay_with_the_tenant_of_a_path() {
    let backend = Backend::start();
    let xs_app =
        json!({"authenticationMethod": "none", "routes": [{"source": "^/", "destination": "backend"}]});
    let tenants =
        json!({"path": {"prefix": "/t/{tenant}", "strip": true}, "tenants": {"acme": {}, "globex": {}}});
    let server = Setup::new(&xs_app).destination("backend", backend.address).tenants(&tenants).start();
    let set = ["a=1; Max-Age=9; Path=/", "b=1; Max-Age=9; Path=/t/globex", "c=1; Max-Age=9", "s=1; Path=/"];
    let echo = json!({"headers": set.map(|set| json!(["set-cookie", set]))}).to_string();
    let mut browser = Tab::at(&server, "portal.localhost");
    let reply = browser.ask("GET /t/acme", &[("x-echo", &echo)]);
    let heard = reply.all("set-cookie");
    assert_eq!(
        heard[..3],
        [
            "a=1; Max-Age=9; Path=/t/acme",
            "b=1; Max-Age=9; Path=/t/acme/t/globex",
            "c=1; Max-Age=9; Path=/t/acme"
        ]
    );
    assert!(heard[3].starts_with("ARBE=") && heard[3].contains("; Path=/t/acme; HttpOnly"), "{heard:?}");
    assert_eq!(heard.len(), 4);
    let arbe = [("ARBE".to_owned(), browser.cookies["ARBE"].clone())];
    browser.cookies = arbe.into_iter().collect();
    for (path, expected, shows) in
        [("/t/acme/x", "s=1", "its own"), ("/t/globex/x", "-", "another tenant, be the cookie sent there")]
    {
        backend.take();
        browser.clone().ask(&format!("GET {path}"), &[]);
        assert_eq!(backend.only().header("cookie"), expected, "{shows}");
    }
}

#[test]
fn what_backends_keep_is_sent_once_or_not_at_all() {
    let stage = Stage::set_with(|setup| setup.variable("SESSION_SECRET", "a secret of all instances"));
    let mut browser = stage.logged_in();
    let echo = json!({"headers": [["set-cookie", "bs=1; Path=/"]]}).to_string();
    browser.fetch("GET /app/x", &[("x-echo", &echo)]);
    stage.backend.take();
    let (session, jar) =
        (browser.cookies["JSESSIONID"].clone(), browser.cookies["JSESSIONID-backend"].clone());
    for (line, expected, shows) in [
        (format!("JSESSIONID={session}; JSESSIONID-backend={jar}"), "bs=1", "once"),
        (format!("JSESSIONID-backend={jar}; JSESSIONID={session}"), "bs=1", "in any order"),
        (format!("JSESSIONID={session}; JSESSIONID-backend={jar}; JSESSIONID-backend=x"), "-", "twice"),
        (format!("JSESSIONID={session}; JSESSIONID-backend=x; JSESSIONID-backend={jar}"), "-", "twice"),
        (format!("JSESSIONID={session}; JSESSIONID-backend={}", &jar[1..]), "-", "cut"),
        (format!("JSESSIONID={session}; JSESSIONID-backend={session}"), "-", "another seal"),
        (format!("JSESSIONID={session}; ARBE={jar}"), "-", "under another name"),
        (format!("JSESSIONID={session}; JSESSIONID-backend2={jar}"), "-", "a name that looks alike"),
    ] {
        let headers = [("Host", "acme.localhost"), ("Sec-Fetch-Mode", "cors"), ("Cookie", &line)];
        assert_eq!(stage.server.ask("GET /app/x", &headers).status, 200, "{shows}");
        let got = stage.backend.only().header("cookie");
        let got = if got.starts_with("JSESSIONID-backend2") { "-" } else { &got };
        assert_eq!(got, expected, "{shows}");
    }
    let headers = [
        ("Host", "acme.localhost"),
        ("Sec-Fetch-Mode", "cors"),
        ("Cookie", &format!("JSESSIONID-backend={jar}")),
    ];
    assert_eq!(stage.server.ask("GET /app/x", &headers).status, 401, "it opens nothing by itself");
}
