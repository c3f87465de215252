//! Pages of other origins: what they may ask and read, at a server with sessions.
//!
//! The rules come from the variable `CORS`; `tests/cases` has those of the file. What a session may do for
//! another origin's page is what matters most here: a page that was named may act, one that nobody named
//! has to show the CSRF token, and a page that is not allowed changes nothing, whatever it shows.

use serde_json::json;

use super::harness::{Backend, Reply, Setup};
use super::logged_in::Stage;

const SHOP: (&str, &str) = ("Origin", "https://shop.test");
const EVIL: (&str, &str) = ("Origin", "https://evil.test");
const CROSS: (&str, &str) = ("Sec-Fetch-Site", "cross-site");

/// Rules for the routes of [`Stage`]: `/app/` and `/open/` for the shop, `/pub/` for everyone, and `/fwd/`
/// for everyone without credentials.
fn stage() -> Stage {
    let rules = json!([
        {"uriPattern": "^/(app|open|scoped)/", "allowedOrigin": [{"host": "shop.test", "protocol": "https"}],
         "allowedMethods": ["GET", "POST"], "allowedHeaders": ["x-csrf-token", "content-type"],
         "exposeHeaders": ["x-csrf-token"]},
        {"uriPattern": "^/pub/", "allowedOrigin": [{"host": "*"}]},
        {"uriPattern": "^/fwd/", "allowedOrigin": [{"host": "*"}], "allowedCredentials": false},
    ]);
    Stage::set_with(|setup| setup.variable("CORS", rules.to_string()))
}

/// What an answer tells another origin's page.
fn shared(reply: &Reply) -> (String, String) {
    (reply.header("access-control-allow-origin"), reply.header("access-control-allow-credentials"))
}

#[test]
fn every_answer_says_who_may_read_it() {
    let stage = stage();
    let mut nobody = stage.browser();
    for (line, headers, status, origin, shows) in [
        ("GET /app/x", vec![SHOP], 401, "https://shop.test", "the script sees that nobody is logged in"),
        ("GET /nothing", vec![SHOP], 404, "", "no rule holds"),
        ("GET /app/x", vec![EVIL], 403, "", "refused before anything is asked of the caller"),
        ("DELETE /app/x", vec![SHOP], 403, "", "a method that is not allowed"),
        ("GET /pub/x", vec![EVIL], 200, "https://evil.test", "everyone, by name"),
        ("GET /pub/x", vec![], 200, "", "nobody asks"),
    ] {
        let mut all = vec![CROSS, ("Sec-Fetch-Mode", "cors")];
        all.extend(headers);
        let reply = nobody.ask(line, &all);
        assert_eq!((reply.status, shared(&reply).0.as_str()), (status, origin), "{line} {all:?}: {shows}");
        let ruled = !line.contains("/nothing");
        assert_eq!(
            reply.header("vary").contains("Origin"),
            ruled,
            "{line} {all:?}: {:?}",
            reply.header("vary")
        );
        assert!(status != 403 || reply.code() == "cross_origin", "{line}: {}", reply.text());
    }
}

#[test]
fn a_preflight_is_answered_here_and_asks_nobody() {
    let stage = stage();
    let mut nobody = stage.browser();
    let asks = ("Access-Control-Request-Method", "POST");
    let with = ("Access-Control-Request-Headers", "content-type,x-csrf-token");
    let reply = nobody.ask("OPTIONS /app/x", &[SHOP, asks, with]);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(shared(&reply), ("https://shop.test".to_owned(), "true".to_owned()));
    assert_eq!(reply.header("access-control-allow-methods"), "POST");
    assert_eq!(reply.header("access-control-allow-headers"), "x-csrf-token, content-type");
    assert_eq!(reply.header("access-control-max-age"), "1800");
    assert_eq!((reply.header("content-length"), reply.text()), ("0".to_owned(), String::new()));
    let refused = nobody.ask("OPTIONS /app/x", &[EVIL, asks]);
    assert_eq!((refused.status, refused.code().as_str()), (403, "cross_origin"));
    let own = nobody.ask("OPTIONS /pub/x", &[("Origin", "http://acme.localhost"), asks]);
    assert_eq!(own.status, 200, "our own page's goes to the backend: {}", own.text());
    let seen: Vec<String> = stage.backend.take().into_iter().map(|seen| seen.head.method).collect();
    assert_eq!(seen, ["OPTIONS"], "and no other");
}

#[test]
fn a_page_that_is_named_acts_for_its_session_and_no_other_does() {
    let stage = stage();
    let mut browser = stage.logged_in();
    let fetched = browser.ask("GET /app/x", &[SHOP, CROSS, ("X-CSRF-Token", "fetch")]);
    let token = fetched.header("x-csrf-token");
    assert!(token.len() > 40, "a page that may read the token gets it: {}", fetched.text());
    assert_eq!(fetched.header("access-control-expose-headers"), "x-csrf-token");
    assert_eq!(shared(&fetched), ("https://shop.test".to_owned(), "true".to_owned()));
    let with = ("X-CSRF-Token", token.as_str());
    stage.backend.take();
    for (line, headers, status, code, shows) in [
        ("POST /app/x", vec![SHOP, CROSS, with], 200, "-", "named, with the token"),
        ("POST /app/x", vec![SHOP, CROSS], 403, "csrf_required", "named, without it"),
        ("POST /open/x", vec![SHOP, CROSS], 200, "-", "where the route does not ask for it"),
        ("POST /open/x", vec![EVIL, CROSS], 403, "cross_origin", "another origin"),
        ("POST /app/x", vec![EVIL, CROSS, with], 403, "cross_origin", "another, even with the token"),
        ("POST /open/x", vec![CROSS], 403, "cross_site", "a page that does not say where it is from"),
        (
            "POST /fwd/x",
            vec![EVIL, CROSS, with],
            403,
            "cross_site",
            "a rule without credentials invites nobody",
        ),
        ("POST /fwd/x", vec![SHOP, CROSS, with], 403, "cross_site", "nor this one"),
    ] {
        let reply = browser.ask(line, &headers);
        let answered = if reply.status == 200 { "-".to_owned() } else { reply.code() };
        assert_eq!((reply.status, answered.as_str()), (status, code), "{line} {headers:?}: {shows}");
    }
    assert_eq!(stage.backend.take().len(), 2, "what was refused was not sent");
}

#[test]
fn a_page_that_nobody_named_has_to_show_the_token() {
    let rules = json!([{"uriPattern": "^/(app|open)/", "allowedOrigin": [{"host": "*"}]}]);
    let stage = Stage::set_with(|setup| setup.variable("CORS", rules.to_string()));
    let mut browser = stage.logged_in();
    let token = browser.ask("GET /app/x", &[EVIL, CROSS, ("X-CSRF-Token", "fetch")]).header("x-csrf-token");
    let with = ("X-CSRF-Token", token.as_str());
    for (line, headers, status) in [
        ("POST /app/x", vec![EVIL, CROSS, with], 200),
        ("POST /open/x", vec![EVIL, CROSS, with], 200),
        ("POST /open/x", vec![EVIL, CROSS], 403),
        ("POST /app/x", vec![EVIL, CROSS], 403),
    ] {
        assert_eq!(browser.ask(line, &headers).status, status, "{line} {headers:?}");
    }
}

#[test]
fn the_file_goes_before_the_variable_and_tenants_have_the_same_rules() {
    let backend = Backend::start();
    let rule = |host: &str| json!([{"uriPattern": "^/a/", "allowedOrigin": [{"host": host}]}]);
    let app = json!({"authenticationMethod": "none", "cors": rule("file.test"),
                     "routes": [{"source": "^/a/", "destination": "be"}]});
    let server = Setup::new(&app)
        .destination("be", backend.address)
        .variable("CORS", rule("variable.test").to_string())
        .tenants(&json!({"path": {"prefix": "/t/{tenant}", "strip": true}, "tenants": {"acme": {}}}))
        .start();
    for (origin, status) in [("https://file.test", 200), ("https://variable.test", 403)] {
        let reply = server.ask("GET /t/acme/a/x", &[("Host", "app.test"), ("Origin", origin)]);
        assert_eq!(reply.status, status, "{origin}: {}", reply.text());
    }
}
