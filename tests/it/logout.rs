//! Logging out: the backends, the session, the issuer, and where the browser is in the end.
//!
//! Two tenants with a provider each, both in one browser's jar. The backend hears of logouts at
//! `/base/logout` with the token, and at `/second` by `PUT` without.

use serde_json::{Value, json};

use super::harness::provider::form;
use super::harness::{Backend, Provider, Reply, Server, Setup, Tab};

struct Stage {
    server: Server,
    backend: Backend,
    acme: Provider,
    globex: Provider,
}

impl Stage {
    fn set(logout: &Value) -> Self {
        Self::set_with(logout, |setup| setup)
    }

    fn set_with(logout: &Value, more: impl FnOnce(Setup) -> Setup) -> Self {
        let (backend, acme, globex) = (Backend::start(), Provider::start(), Provider::start());
        let first = json!({"name": "first", "url": format!("http://{}/base", backend.address),
                           "forwardAuthToken": true});
        let setup = Setup::new(&application(logout))
            .destination_with(&first)
            .destination("second", backend.address)
            .tenants(&json!({
                "hosts": ["{tenant}.localhost"],
                "path": {"prefix": "/t/{tenant}", "strip": true},
                "tenants": {
                    "acme": {"id": "id-acme", "name": "ACME <Corp>", "issuer": acme.configuration()},
                    "globex": {"id": "id-globex", "issuer": globex.configuration()},
                }
            }));
        Self { server: more(setup).start(), backend, acme, globex }
    }

    fn logged_in(&self) -> Tab<'_> {
        let mut browser = Tab::at(&self.server, "acme.localhost");
        let reply = browser.log_in(&self.acme, "/app/start");
        assert_eq!(reply.status, 302, "{}", reply.text());
        browser
    }

    /// With issuers that say nothing of the end of a session.
    fn without_end_of_session(self) -> Self {
        self.acme.desk().ends_sessions = false;
        self.globex.desk().ends_sessions = false;
        self
    }

    fn told(&self) -> Vec<String> {
        let seen = self.backend.take();
        let mut told: Vec<String> =
            seen.iter().map(|request| format!("{} {}", request.head.method, request.head.target)).collect();
        told.sort();
        told
    }
}

fn application(logout: &Value) -> Value {
    json!({
        "logout": logout,
        "destinations": {
            "first": {"logoutPath": "/logout?all=1"},
            "second": {"logoutPath": "second", "logoutMethod": "PUT"},
        },
        "routes": [
            {"source": "^/app/(.*)$", "destination": "first", "authenticationType": "oidc"},
            {"source": "^/other/(.*)$", "destination": "second", "authenticationType": "oidc",
             "csrfProtection": false},
            {"source": "^/me(.*)$", "target": "$1", "service": "sap-approuter-userapi",
             "authenticationType": "oidc"},
        ]
    })
}

fn usual() -> Value {
    json!({"logoutEndpoint": "/logout", "logoutPage": "/bye.html"})
}

/// Address and parameters of a redirect.
fn led_to(reply: &Reply) -> (String, std::collections::HashMap<String, String>) {
    assert_eq!(reply.status, 302, "{}", reply.text());
    let location = reply.header("location");
    let (address, query) = location.split_once('?').unwrap_or((&location, ""));
    (address.to_owned(), form(query))
}

#[test]
fn a_logout_ends_everything_in_order() {
    let stage = Stage::set(&usual());
    let mut browser = stage.logged_in();
    browser.cookies.insert("bs".to_owned(), "1".to_owned());
    let before = browser.clone();
    assert_eq!(browser.fetch("GET /app/x", &[]).status, 200);
    stage.backend.take();
    let reply = browser.navigate("/logout?x=1&y=%2F");
    let (address, parameters) = led_to(&reply);
    assert_eq!(address, format!("http://{}/logout", stage.acme.address()));
    assert_eq!(parameters["post_logout_redirect_uri"], "http://acme.localhost/bye.html?x=1&y=%2F");
    assert_eq!(parameters["client_id"], "app");
    assert_eq!(parameters["id_token_hint"].split('.').count(), 3, "the ID token");
    assert_eq!(reply.header("cache-control"), "no-cache, no-store, must-revalidate");
    assert!(!browser.cookies.contains_key("JSESSIONID"), "the cookie is removed");
    let seen = stage.backend.take();
    assert_eq!(seen.len(), 2, "both backends heard of it before the browser went on");
    let heard = |target: &str| {
        seen.iter().find(|request| request.head.target == target).unwrap_or_else(|| panic!("{target}"))
    };
    let (first, second) = (heard("/base/logout?all=1"), heard("/second"));
    assert_eq!((first.head.method.as_str(), second.head.method.as_str()), ("POST", "PUT"));
    assert_eq!((first.header("x-tenant"), first.header("cookie")), ("acme".to_owned(), "bs=1".to_owned()));
    assert_eq!(first.header("content-length"), "0");
    assert!(first.header("authorization").starts_with("Bearer "), "with forwardAuthToken");
    assert_eq!(second.header("authorization"), "-", "without it");
    assert_eq!(before.clone().fetch("GET /app/x", &[]).status, 401, "what somebody kept opens nothing");
    let line = stage.server.await_line("\"event\":\"logout\"");
    for part in
        ["\"message\":\"audit\"", "\"tenant\":\"acme\"", "\"subject\":\"u1\"", "\"peer\":\"127.0.0.1\""]
    {
        assert!(line.contains(part), "{part} in {line}");
    }
    assert!(!line.contains("x=1") && !line.contains("eyJ"), "{line}");
}

#[test]
fn the_other_tenants_session_stays() {
    let stage = Stage::set(&usual());
    let mut acme = stage.logged_in();
    let mut globex = Tab::at(&stage.server, "globex.localhost");
    assert_eq!(globex.log_in(&stage.globex, "/app/x").status, 302);
    assert_eq!(acme.navigate("/logout").status, 302);
    assert_eq!(acme.fetch("GET /app/x", &[]).status, 401);
    assert_eq!(globex.fetch("GET /app/x", &[]).status, 200);
    stage.told();
    // acme's cookie at globex's endpoint: nothing ends, and nobody is told.
    let again = stage.logged_in();
    let (address, _) = led_to(&again.moved_to("globex.localhost").navigate("/logout"));
    assert_eq!(address, format!("http://{}/logout", stage.globex.address()));
    assert_eq!(stage.told(), Vec::<String>::new());
    assert_eq!(again.clone().fetch("GET /app/x", &[]).status, 200, "acme's session goes on");
}

#[test]
fn without_a_session_there_is_only_the_way_out() {
    let stage = Stage::set(&usual());
    let mut browser = Tab::at(&stage.server, "acme.localhost");
    browser.cookies.insert("JSESSIONID".to_owned(), "of-somebody".to_owned());
    let (_, parameters) = led_to(&browser.navigate("/logout"));
    assert!(!parameters.contains_key("id_token_hint"));
    assert!(!browser.cookies.contains_key("JSESSIONID"), "what opens nothing is removed as well");
    assert_eq!(stage.told(), Vec::<String>::new());
    assert_eq!(browser.navigate("/logout/x").status, 404, "the path is compared whole");
}

#[test]
fn the_method_is_the_configured_one() {
    let get = Stage::set(&usual());
    for method in ["POST", "HEAD", "DELETE", "OPTIONS"] {
        let reply = get.logged_in().ask(&format!("{method} /logout"), &[]);
        assert_eq!((reply.status, reply.header("allow")), (405, "GET".to_owned()), "{method}");
    }
    let post = Stage::set(&json!({"logoutEndpoint": "/logout", "logoutMethod": "POST"}));
    let reply = post.logged_in().navigate("/logout");
    assert_eq!((reply.status, reply.header("allow")), (405, "POST".to_owned()));
}

#[test]
fn a_post_shows_the_token_and_gets_the_address_as_text() {
    let post = json!({"logoutEndpoint": "/logout", "logoutMethod": "POST", "logoutPage": "/bye.html?a=b"});
    let stage = Stage::set(&post);
    let mut browser = stage.logged_in();
    let reply = browser.fetch("POST /logout", &[]);
    assert_eq!((reply.status, reply.header("x-csrf-token")), (403, "Required".to_owned()));
    assert_eq!(reply.code(), "csrf_required");
    let token = browser.fetch("GET /app/x", &[("x-csrf-token", "fetch")]).header("x-csrf-token");
    let reply =
        browser.fetch("POST /logout?c=d", &[("x-csrf-token", &token), ("Sec-Fetch-Site", "cross-site")]);
    assert_eq!(reply.code(), "cross_site", "said twice, so it is not ours");
    let reply = browser.fetch("POST /logout?c=d", &[("x-csrf-token", &token)]);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("content-type"), "text/plain; charset=utf-8");
    assert!(reply.header("content-security-policy").starts_with("default-src 'none'"));
    let text = reply.text();
    let (address, query) = text.split_once('?').unwrap();
    assert_eq!(address, format!("http://{}/logout", stage.acme.address()));
    assert_eq!(form(query)["post_logout_redirect_uri"], "http://acme.localhost/bye.html?a=b&c=d");
    assert_eq!(browser.fetch("GET /app/x", &[]).status, 401);
}

#[test]
fn skip_redirect_only_ends_the_session() {
    let stage = Stage::set(&usual());
    for query in ["skip-redirect", "skip-redirect=false", "a=b&skip-redirect=x"] {
        let mut browser = stage.logged_in();
        let reply = browser.navigate(&format!("/logout?{query}"));
        assert_eq!((reply.status, reply.text().as_str()), (200, ""), "{query}");
        assert!(!browser.cookies.contains_key("JSESSIONID"));
        assert_eq!(stage.told().len(), 2, "both backends");
    }
}

#[test]
fn no_other_site_logs_anybody_out_behind_their_back() {
    let stage = Stage::set(&usual());
    for (site, mode, dest, status, shows) in [
        ("cross-site", "no-cors", "image", 403, "an image of another site"),
        ("same-site", "no-cors", "image", 403, "an image of a sibling tenant"),
        ("cross-site", "cors", "empty", 403, "a script of another site"),
        ("cross-site", "navigate", "iframe", 403, "a frame of another site"),
        ("cross-site", "navigate", "document", 302, "a link that somebody follows"),
        ("same-origin", "cors", "empty", 302, "a script of ours"),
        ("same-origin", "navigate", "iframe", 302, "a frame of ours"),
        ("none", "navigate", "document", 302, "the user's own hand"),
    ] {
        let mut browser = stage.logged_in();
        let headers = [("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", mode), ("Sec-Fetch-Dest", dest)];
        let reply = browser.ask("GET /logout", &headers);
        assert_eq!(reply.status, status, "{shows}");
        let left = if status == 403 { 200 } else { 401 };
        assert_eq!(browser.fetch("GET /app/x", &[]).status, left, "{shows}");
    }
}

#[test]
fn a_dead_backend_keeps_nobody_from_leaving() {
    let stage = Stage::set_with(&usual(), |setup| {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        setup
            .file("xs-app.json", {
                let mut application = application(&usual());
                application["destinations"]["third"] = json!({"logoutPath": "/x"});
                application["routes"]
                    .as_array_mut()
                    .unwrap()
                    .push(json!({"source": "^/third", "destination": "third", "authenticationType": "none"}));
                application.to_string()
            })
            .destination("third", free)
    });
    let mut browser = stage.logged_in();
    stage.told();
    assert_eq!(browser.navigate("/logout").status, 302);
    assert_eq!(stage.told(), ["POST /base/logout?all=1", "PUT /second"], "the others hear of it");
    assert_eq!(browser.fetch("GET /app/x", &[]).status, 401);
    stage.server.await_line("a backend does not hear of a logout");
}

/// Class 16 at the logout: whatever the request says, the browser stays on the origin or goes where the
/// configuration says.
#[test]
fn no_request_chooses_where_the_browser_goes() {
    let local = Stage::set(&usual()).without_end_of_session();
    for query in [
        "//evil.test",
        "/\\evil.test",
        "@evil.test",
        "redirect=https://evil.test",
        "https:evil.test",
        "%0d%0aX:y",
        "#@e",
    ] {
        let reply = local.logged_in().ask(&format!("GET /logout?{}", query.replace('#', "%23")), &[]);
        if reply.status == 400 {
            continue;
        }
        let (address, _) = led_to(&reply);
        assert_eq!(address, "http://acme.localhost/bye.html", "{query}");
    }
    let prefixed = Tab::at(&local.server, "acme.localhost").navigate("/t/acme/logout");
    assert_eq!(led_to(&prefixed).0, "http://acme.localhost/t/acme/bye.html", "behind the tenant's prefix");
    let page = json!({"logoutEndpoint": "/logout", "logoutPage": "https://www.acme.test/bye#top"});
    let elsewhere = Stage::set(&page).without_end_of_session();
    let reply = elsewhere.logged_in().navigate("/logout?a=b");
    assert_eq!(reply.header("location"), "https://www.acme.test/bye?a=b#top");
}

#[test]
fn without_a_page_there_is_a_small_one() {
    let stage = Stage::set(&json!({"logoutEndpoint": "/logout"})).without_end_of_session();
    let mut browser = stage.logged_in();
    let reply = browser.navigate("/logout");
    assert_eq!(reply.status, 200);
    let page = reply.text();
    assert!(page.contains("You are logged out") && page.contains("ACME &lt;Corp&gt;"), "{page}");
    assert!(page.contains("<a href=\"/\">"), "a way back in: {page}");
    assert!(!browser.cookies.contains_key("JSESSIONID"));
}

#[test]
fn the_user_api_says_who_somebody_is() {
    let stage = Stage::set(&usual());
    stage.acme.desk().claims = json!({"given_name": "Ada", "family_name": "Lovelace", "email": "ada@acme.test", "email_verified": true});
    let mut browser = stage.logged_in();
    let reply = browser.fetch("GET /me/currentUser", &[]);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(reply.header("cache-control"), "no-cache, no-store");
    let user = reply.json();
    assert_eq!(user["displayName"], "Ada Lovelace (ada@acme.test)");
    assert_eq!((&user["firstname"], &user["email"]), (&json!("Ada"), &json!("ada@acme.test")));
    let attributes = browser.fetch("GET /me/attributes?x=y", &[]).json();
    assert_eq!(attributes["displayName"], Value::Null);
    assert!(attributes["scopes"].is_array());
    assert_eq!(browser.fetch("GET /me/other", &[]).status, 404);
    let token = stage.acme.issuer().token(&json!({"given_name": "Bob"}));
    let bearer = format!("Bearer {token}");
    let mut machine = Tab::at(&stage.server, "acme.localhost");
    let reply = machine.fetch("GET /me/currentUser", &[("Authorization", &bearer)]);
    assert_eq!((reply.status, &reply.json()["firstname"]), (200, &json!("Bob")));
    assert_eq!(machine.fetch("GET /me/currentUser", &[]).status, 401);
    assert_eq!(stage.told().len(), 0, "no backend was asked");
}

#[test]
fn operators_see_who_came_and_went() {
    let stage = Stage::set(&usual());
    let metrics = || stage.server.ask_admin("GET /metrics").text();
    let expect = |line: &str| assert!(metrics().lines().any(|seen| seen == line), "{line} in {}", metrics());
    expect("vestibule_sessions 0");
    let mut one = stage.logged_in();
    let _two = stage.logged_in();
    let line = stage.server.await_line("\"event\":\"login\"");
    for part in ["\"tenant\":\"acme\"", "\"subject\":\"u1\"", "\"path\":\"/login/callback\"", "\"id\":"] {
        assert!(line.contains(part), "{part} in {line}");
    }
    assert!(!line.contains("code-") && !line.contains("eyJ"), "neither code nor token: {line}");
    expect("vestibule_sessions 2");
    expect("vestibule_logins_total{result=\"success\"} 2");
    one.navigate("/logout");
    expect("vestibule_sessions 1");
    let refused = Tab::at(&stage.server, "acme.localhost").navigate("/login/callback?code=c0de&state=st4te");
    assert_eq!(refused.status, 400);
    expect("vestibule_logins_total{result=\"failure\"} 1");
    let line = stage.server.await_line("\"event\":\"login_refused\"");
    assert!(line.contains("\"code\":\"login_state_unknown\""), "{line}");
    assert!(!stage.server.log().contains("c0de") && !stage.server.log().contains("st4te"));
    let status = stage.server.ask_admin("GET /status").json();
    assert_eq!((&status["sessions"], &status["logins"]), (&json!(1), &json!({"succeeded": 2, "refused": 1})));
    Tab::at(&stage.server, "acme.localhost").fetch("GET /app/x", &[]);
    let line = stage.server.await_line("\"event\":\"refused\"");
    assert!(line.contains("\"code\":\"unauthenticated\"") && line.contains("\"reason\":"), "{line}");
}
