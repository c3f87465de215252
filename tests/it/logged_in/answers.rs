//! What a session's requests need, and what its answers tell.

use serde_json::json;

use super::Stage;

#[test]
fn what_changes_something_needs_the_csrf_token() {
    let stage = Stage::set();
    let mut browser = stage.logged_in();
    let reply = browser.fetch("GET /app/x", &[("X-CSRF-Token", "Fetch")]);
    let token = reply.header("x-csrf-token");
    assert!(token.len() > 40, "{token:?}");
    assert!(reply.header("cache-control").contains("no-store"), "no cache keeps it");
    assert!(stage.backend.only().all("x-csrf-token").is_empty(), "the request for it stays here");
    let with = ("X-CSRF-Token", token.as_str());
    let site = |value| ("Sec-Fetch-Site", value);
    for (line, headers, status, code, shows) in [
        ("POST /app/x", vec![], 403, "csrf_required", "without"),
        ("POST /app/x", vec![with], 200, "-", "with"),
        ("POST /app/x", vec![("X-CSRF-Token", "Fetch")], 403, "csrf_required", "asking is not having"),
        ("POST /app/x", vec![("X-CSRF-Token", "0000000000000000-x")], 403, "csrf_required", "another's"),
        ("DELETE /app/x", vec![], 403, "csrf_required", "every method"),
        ("OPTIONS /app/x", vec![], 403, "csrf_required", "but GET and HEAD"),
        ("GET /app/x", vec![], 200, "-", "which change nothing"),
        ("HEAD /app/x", vec![], 200, "-", "which change nothing"),
        ("POST /open/x", vec![], 200, "-", "where the route does not ask"),
        ("POST /open/x", vec![site("same-origin")], 200, "-", "a page of ours"),
        ("POST /open/x", vec![site("cross-site")], 403, "cross_site", "another site's page"),
        ("POST /open/x", vec![site("same-site")], 403, "cross_site", "a sibling tenant's page"),
        ("POST /open/x", vec![("Origin", "http://evil.example")], 403, "cross_site", "another origin"),
        ("POST /open/x", vec![("Origin", "null")], 403, "cross_site", "a hidden origin"),
        ("POST /open/x", vec![("Origin", "http://acme.localhost")], 200, "-", "our origin"),
        ("POST /app/x", vec![with, site("cross-site")], 403, "cross_site", "even with the token"),
        ("GET /open/x", vec![site("cross-site")], 200, "-", "a link from elsewhere"),
        ("POST /scoped/x", vec![], 403, "missing_scope", "the scope is asked for first"),
    ] {
        let reply = browser.ask(line, &headers);
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (status, code_of(&reply, code)),
            "{line} {headers:?}: {shows}"
        );
        let required = reply.header("x-csrf-token");
        assert_eq!(required == "Required", code == "csrf_required", "{line} {headers:?}: {required:?}");
    }
    for seen in stage.backend.take().iter().filter(|seen| seen.head.target.starts_with("/x")) {
        assert!(seen.all("x-csrf-token").is_empty(), "{seen:?}");
    }
}

/// The backend's own answers have no code.
fn code_of<'a>(reply: &super::super::harness::Reply, code: &'a str) -> &'a str {
    if reply.status == 200 { "-" } else { code }
}

#[test]
fn a_token_needs_no_csrf_token() {
    let stage = Stage::set();
    let bearer = format!("Bearer {}", stage.acme.issuer().token(&json!({})));
    for name in ["Authorization", "X-Approuter-Authorization"] {
        let reply = stage.browser().ask("POST /app/x", &[(name, &bearer)]);
        assert_eq!(reply.status, 200, "{name}: {}", reply.text());
    }
    let mut logged_in = stage.logged_in();
    let reply = logged_in.ask("POST /app/x", &[("Authorization", &bearer)]);
    assert_eq!(reply.status, 200, "a token goes before a session: {}", reply.text());
}

#[test]
fn the_answer_to_fetch_depends_on_route_and_backend() {
    let stage = Stage::set();
    let mut browser = stage.logged_in();
    let fetch = ("X-CSRF-Token", "fetch");
    let own = json!({"headers": [["x-csrf-token", "backend"]]}).to_string();
    let forbidden = json!({"status": 403}).to_string();
    let told = |reply: &super::super::harness::Reply| match reply.header("x-csrf-token").as_str() {
        "" => "nothing",
        "backend" => "backend's",
        _ => "ours",
    };
    for (path, echo, expected, shows) in [
        ("/app/x", None, "ours", "a protected route"),
        ("/app/x", Some(&own), "backend's", "the backend has one of its own"),
        ("/app/x", Some(&forbidden), "ours", "on a refusal of the backend as well"),
        ("/open/x", None, "nothing", "nobody asks for it there"),
        ("/jwt/x", None, "nothing", "no session there"),
    ] {
        let mut headers = vec![fetch];
        headers.extend(echo.map(|echo| ("x-echo", echo.as_str())));
        assert_eq!(told(&browser.fetch(&format!("GET {path}"), &headers)), expected, "{path}: {shows}");
    }
    let tokens = [(); 2].map(|()| browser.fetch("GET /app/x", &[fetch]).header("x-csrf-token"));
    assert_eq!(tokens[0], tokens[1], "one for each session");
}

#[test]
fn our_cookies_stay_between_the_browser_and_us() {
    let stage = Stage::set();
    let mut browser = stage.logged_in();
    browser.cookies.insert("theme".to_owned(), "dark".to_owned());
    browser.cookies.insert("JSESSIONID-flow-abcdefgh".to_owned(), "x".to_owned());
    browser.cookies.insert("JSESSIONID-fragment-abcdefgh".to_owned(), "x".to_owned());
    browser.cookies.insert("JSESSIONID.7x".to_owned(), "x".to_owned());
    for path in ["/app/x", "/pub/x"] {
        browser.clone().navigate(path);
        assert_eq!(stage.backend.only().header("cookie"), "theme=dark", "{path}");
    }
    let evil = json!({"headers": [["set-cookie", "JSESSIONID=evil; Path=/"], ["set-cookie", "=JSESSIONID=evil"],
                                  ["set-cookie", "JSESSIONID-flow-abcdefgh=evil"], ["set-cookie", "lang=en; Max-Age=9"]]});
    let reply = browser.clone().fetch("GET /app/x", &[("x-echo", &evil.to_string())]);
    assert_eq!(reply.all("set-cookie"), ["lang=en; Max-Age=9"]);
}
