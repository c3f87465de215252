//! From a page that needs a login to that page.

use serde_json::json;

use super::super::harness::provider::form;
use super::super::harness::tab::authorization;
use super::super::harness::{Backend, Provider, Setup};
use super::Stage;

#[test]
fn a_person_logs_in_and_is_where_they_wanted_to_go() {
    let stage = Stage::set();
    let mut browser = stage.browser();
    let page = browser.navigate("/app/orders?open=1");
    assert_eq!(page.status, 200);
    assert_eq!(page.header("cache-control"), "no-cache, no-store, must-revalidate");
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    let asked = form(authorization(&page).split_once('?').unwrap().1);
    assert_eq!(asked["redirect_uri"], "http://acme.localhost/login/callback");
    assert!(asked["state"].len() >= 32 && asked["nonce"].len() >= 32 && asked["code_challenge"].len() == 43);
    assert_eq!(stage.backend.take().len(), 0, "nobody got through");

    let back = stage.acme.authorize(&authorization(&page));
    let callback = back.strip_prefix("http://acme.localhost").unwrap();
    let reply = browser.navigate(callback);
    assert_eq!(
        (reply.status, reply.header("location")),
        (302, "/app/orders?open=1".to_owned()),
        "{}",
        reply.text()
    );
    assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["JSESSIONID"], "nothing of the login is left");
    let set = reply.all("set-cookie").into_iter().find(|set| set.starts_with("JSESSIONID=")).unwrap();
    assert!(set.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{set}");
    assert!(reply.header("cache-control").contains("no-store"));

    assert_eq!(browser.navigate("/app/orders?open=1").status, 200);
    let seen = stage.backend.only();
    assert_eq!((seen.header("x-tenant"), seen.header("x-user-name")), ("acme".to_owned(), "ada".to_owned()));
    assert_eq!((seen.header("cookie"), seen.header("authorization")), ("-".to_owned(), "-".to_owned()));
    browser.navigate("/fwd/x");
    assert!(stage.backend.only().header("authorization").starts_with("Bearer ey"));
    assert_eq!(browser.fetch("GET /jwt/x", &[]).status, 401, "a jwt route never looks at cookies");
}

#[test]
fn only_navigations_are_sent_to_log_in() {
    let stage = Stage::set();
    let html = ("Accept", "text/html,*/*;q=0.8");
    for (line, headers, status, shows) in [
        ("GET /app/x", vec![], 200, "nothing said"),
        ("GET /app/x", vec![html], 200, "an old browser"),
        ("HEAD /app/x", vec![html], 401, "nobody sees a page without a body"),
        ("GET /app/x", vec![("Sec-Fetch-Mode", "navigate")], 200, "a browser of today"),
        ("GET /app/x", vec![("Sec-Fetch-Mode", "cors"), html], 401, "a script"),
        ("GET /app/x", vec![("X-Requested-With", "XMLHttpRequest"), html], 401, "an old script"),
        ("GET /app/x", vec![("Accept", "application/json")], 401, "a program"),
        ("POST /app/x", vec![html], 401, "not a page"),
        ("OPTIONS /app/x", vec![], 401, "not a page"),
        ("GET /jwt/x", vec![html], 401, "nobody logs in at a jwt route"),
        ("GET /app/x", vec![("Authorization", "Bearer x"), html], 401, "a token, however wrong, was meant"),
    ] {
        let reply = stage.browser().ask(line, &headers);
        assert_eq!(reply.status, status, "{line} {headers:?}: {shows}");
        if status == 401 {
            assert!(reply.header("www-authenticate").starts_with("Bearer"), "{line} {headers:?}");
            assert_eq!(reply.header("location"), "", "{line} {headers:?}");
            assert!(reply.all("set-cookie").is_empty(), "{line} {headers:?}");
        } else {
            assert!(!reply.body.is_empty(), "{line}");
            assert!(reply.header("set-cookie").starts_with("JSESSIONID-flow-"), "{line}");
        }
    }
    assert_eq!(stage.backend.take().len(), 0);
}

#[test]
fn three_tabs_log_in_at_once() {
    let stage = Stage::set();
    let mut browser = stage.browser();
    let callbacks = ["/app/1", "/app/2", "/app/3"].map(|path| browser.begin(&stage.acme, path));
    assert_eq!(browser.cookies.len(), 3, "a flow each");
    for (callback, path) in callbacks.iter().zip(["/app/1", "/app/2", "/app/3"]).rev() {
        let reply = browser.navigate(callback);
        assert_eq!((reply.status, reply.header("location")), (302, path.to_owned()), "{}", reply.text());
        assert_eq!(browser.navigate(path).status, 200, "{path}");
    }
    assert_eq!(stage.acme.desk().logins, 1, "the other tabs were logged in already");
    assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["JSESSIONID"]);
}

#[test]
fn the_fragment_comes_back() {
    let stage = Stage::set();
    let mut browser = stage.browser();
    let page = browser.navigate("/app/x");
    let text = page.text();
    let (_, rest) = text.split_once("data-cookie=\"").unwrap();
    let name = rest.split_once('"').unwrap().0.to_owned();
    let back = stage.acme.authorize(&authorization(&page));
    for (value, expected, shows) in [
        ("%23%2Forders%2F1%3Fa%3Db", "/app/x#/orders/1?a=b", "as it was"),
        ("%23%0d%0aSet-Cookie:x", "/app/x#%0D%0ASet-Cookie:x", "nothing ends the line"),
        ("%40evil.example", "/app/x", "no fragment"),
        ("%2F%2Fevil.example", "/app/x", "no fragment"),
    ] {
        let mut tab = browser.clone();
        tab.cookies.insert(name.clone(), value.to_owned());
        // A new code each, but the state is good once only.
        let again = tab.begin(&stage.acme, "/app/x");
        let flow = again.split_once("state=").unwrap().1.split('&').next().unwrap();
        let decoded = form(&format!("state={flow}"))["state"].clone();
        tab.cookies.insert(format!("JSESSIONID-fragment-{}", &decoded[..8]), value.to_owned());
        let reply = tab.navigate(&again);
        assert_eq!(reply.header("location"), expected, "{value}: {shows}");
    }
    assert!(back.contains("code="));
}

#[test]
fn without_the_page_it_is_a_redirect() {
    let stage = Stage::set_with(|setup| setup.variable("PRESERVE_FRAGMENT", "false"));
    let mut browser = stage.browser();
    let reply = browser.navigate("/app/x");
    assert_eq!(reply.status, 302);
    assert!(reply.body.is_empty() && reply.header("cache-control").contains("no-store"));
    let reply = browser.log_in(&stage.acme, "/app/x");
    assert_eq!((reply.status, reply.header("location")), (302, "/app/x".to_owned()));
}

#[test]
fn an_issuer_that_is_away_harms_its_own_logins_only() {
    let stage = Stage::set();
    let mut logged_in = stage.logged_in();
    let mut other = super::Tab::at(&stage.server, "globex.localhost");
    let Stage { server: _, backend: _, acme: _, globex } = &stage;
    globex.desk().refusal = Some((503, json!({})));
    let callback = other.begin(globex, "/app/x");
    let reply = other.navigate(&callback);
    assert_eq!((reply.status, reply.header("retry-after").is_empty()), (503, false), "{}", reply.text());
    assert!(reply.text().contains("issuer_unreachable") && reply.text().contains("href=\"/app/x\""));
    assert_eq!(logged_in.navigate("/app/x").status, 200, "acme never notices");
}

#[test]
fn explaining_a_login_asks_nobody() {
    let (backend, provider) = (Backend::start(), Provider::start());
    let setup = Setup::new(&super::routes())
        .destination("backend", backend.address)
        .destination("forwarding", backend.address)
        .tenants(&json!({"hosts": ["{tenant}.localhost"],
                         "tenants": {"acme": {"issuer": provider.configuration()}}}));
    for (words, expected, shows) in [
        (
            vec!["http://acme.localhost/app/x?a=b"],
            "sent to log in, and back to /app/x?a=b afterwards",
            "a page",
        ),
        (
            vec!["-H", "sec-fetch-mode: cors", "http://acme.localhost/app/x"],
            "401 unauthenticated",
            "a script",
        ),
        (
            vec!["-H", "cookie: JSESSIONID=x", "http://acme.localhost/app/x"],
            "sent to log in",
            "a session of nobody",
        ),
        (
            vec!["-H", "authorization: Basic YWRhOjE4MTU=", "http://acme.localhost/basic/x"],
            "401",
            "a password",
        ),
        (vec!["http://acme.localhost/login/callback?code=x&state=y"], "the end of a login", "the callback"),
    ] {
        let words: Vec<&str> = ["explain"].into_iter().chain(words).collect();
        let output = setup.run(&words);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains(expected), "{shows}: {text}{}", String::from_utf8_lossy(&output.stderr));
    }
    let asked = {
        let desk = provider.desk();
        desk.logins + desk.passwords
    };
    assert_eq!(asked, 0);
    assert_eq!(backend.requests().len(), 0);
}
