//! Who may ask from another origin: tables, each row with what it shows.

use http::Request;

use super::*;
use crate::request::{Peer, Scheme, Trust, canonicalize};

fn request(method: &str, host: &str) -> CanonicalRequest {
    let parts = Request::builder().method(method).uri("/x").header("host", host).body(()).unwrap();
    let peer = Peer::new("127.0.0.1".parse().unwrap(), Scheme::Http);
    canonicalize(&parts.into_parts().0, &peer, &Trust::new(Vec::new(), false)).unwrap()
}

fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in lines {
        map.append(*name, HeaderValue::from_static(value));
    }
    map
}

fn rule(pattern: &str, hosts: &[&str]) -> CorsRule {
    let origin = |host: &&str| OriginRule::new(None, host, None).unwrap();
    CorsRule {
        pattern: Pattern::compile(pattern, true).unwrap(),
        origins: hosts.iter().map(origin).collect(),
        methods: vec![Method::GET, Method::PUT],
        headers: vec![HeaderName::from_static("x-a"), HeaderName::from_static("content-type")],
        allow_headers: Some(HeaderValue::from_static("X-A, Content-Type")),
        expose_headers: Some(HeaderValue::from_static("X-E")),
        max_age: Some(HeaderValue::from_static("60")),
        credentials: true,
    }
}

fn cors() -> Cors {
    let open = CorsRule { credentials: false, ..rule("^/open/", &["*"]) };
    let secure = OriginRule::new(Some("https"), "c.test", Some(443)).unwrap();
    let strict = CorsRule { origins: vec![secure], ..rule("^/strict$", &[]) };
    let rules = vec![rule("^/b/", &["good.test", "*.sub.test"]), rule("^/any/", &["*"]), open, strict];
    Cors::new(rules).unwrap()
}

/// What becomes of a request: `refused` with the reason, `unruled`, `varies`, `granted`, or `preflight`.
fn judged(method: &str, path: &str, lines: &[(&'static str, &'static str)]) -> String {
    let mut sharing = Sharing::Unruled;
    match cors().judge(&request(method, "app.test"), path, &headers(lines), &mut sharing) {
        Err(reason) => {
            assert!(matches!(sharing, Sharing::Varies), "a refusal varies by origin as well");
            format!("refused {reason:?}")
        }
        Ok(Some(_)) => "preflight".to_owned(),
        Ok(None) => match sharing {
            Sharing::Unruled => "unruled".to_owned(),
            Sharing::Varies => "varies".to_owned(),
            Sharing::Granted { invited, .. } => format!("granted {invited:?}"),
        },
    }
}

#[test]
fn requests_of_other_origins_are_judged() {
    let origin = |value| ("origin", value);
    let site = |value| ("sec-fetch-site", value);
    for (method, path, lines, expected, shows) in [
        ("GET", "/un/x", vec![origin("https://evil.test")], "unruled", "no rule holds"),
        ("GET", "/b/x", vec![], "varies", "nobody asks"),
        ("GET", "/b/x", vec![origin("https://good.test")], "granted Named", "an origin that is named"),
        ("GET", "/b/x", vec![origin("https://GOOD.test")], "granted Named", "without case"),
        ("GET", "/b/x", vec![origin("https://a.b.sub.test:99")], "granted Named", "below a domain"),
        ("GET", "/b/x", vec![origin("https://sub.test")], "refused Origin", "the domain itself"),
        ("GET", "/b/x", vec![origin("https://evil.test")], "refused Origin", "another"),
        ("GET", "/b/x", vec![origin("https://good.test.evil.test")], "refused Origin", "begins alike"),
        ("GET", "/b/x", vec![origin("https://evilgood.test")], "refused Origin", "ends alike"),
        ("GET", "/b/x", vec![origin("null")], "refused Origin", "a page that hides where it is from"),
        ("GET", "/any/x", vec![origin("null")], "refused Origin", "which is nobody, even where all are"),
        ("GET", "/any/x", vec![origin("https://evil.test")], "granted WithToken", "nobody was named"),
        ("GET", "/open/x", vec![origin("https://evil.test")], "granted No", "no credentials"),
        ("POST", "/b/x", vec![origin("https://good.test")], "refused Method", "not its method"),
        ("OPTIONS", "/b/x", vec![origin("https://good.test")], "refused NoPreflight", "asks for nothing"),
        ("GET", "/b/x", vec![origin("http://app.test")], "varies", "our own page"),
        ("POST", "/b/x", vec![origin("http://app.test")], "varies", "whatever its method"),
        ("OPTIONS", "/b/x", vec![origin("http://app.test")], "varies", "whose preflight is no preflight"),
        ("GET", "/b/x", vec![origin("https://app.test")], "refused Origin", "another scheme"),
        ("GET", "/b/x", vec![origin("http://app.test:8080")], "refused Origin", "another port"),
        ("GET", "/b/x", vec![origin("http://app.test:80")], "varies", "our port, said"),
        (
            "POST",
            "/b/x",
            vec![origin("https://app.test"), site("same-origin")],
            "varies",
            "TLS ends in front of us, and the browser knows",
        ),
        (
            "GET",
            "/b/x",
            vec![origin("https://evil.test"), site("same-site")],
            "refused Origin",
            "a neighbour is another origin",
        ),
        (
            "GET",
            "/b/x",
            vec![origin("http://app.test"), origin("https://good.test")],
            "refused Origin",
            "two origins are none",
        ),
        (
            "GET",
            "/b/x",
            vec![origin("https://evil.test"), site("same-origin"), site("same-origin")],
            "refused Origin",
            "said twice",
        ),
        ("GET", "/strict", vec![origin("https://c.test")], "granted Named", "the usual port goes unsaid"),
        ("GET", "/strict", vec![origin("http://c.test")], "refused Origin", "another scheme"),
        ("GET", "/strict", vec![origin("https://c.test:8443")], "refused Origin", "another port"),
    ] {
        assert_eq!(judged(method, path, &lines), expected, "{method} {path} {lines:?}: {shows}");
    }
}

#[test]
fn preflights_are_answered() {
    let origin = ("origin", "https://good.test");
    let method = |value| ("access-control-request-method", value);
    let asks = |value| ("access-control-request-headers", value);
    for (lines, expected, shows) in [
        (vec![origin, method("PUT")], "preflight", "a method of the rule"),
        (vec![origin, method("put")], "refused Method", "methods have case"),
        (vec![origin, method("DELETE")], "refused Method", "another"),
        (vec![origin, method("GET"), asks("x-a")], "preflight", "a header of the rule"),
        (vec![origin, method("GET"), asks("X-A , content-type")], "preflight", "two, without case"),
        (vec![origin, method("GET"), asks("")], "preflight", "none"),
        (vec![origin, method("GET"), asks("x-a, x-b")], "refused Header", "another among them"),
        (vec![origin, method("GET"), asks("x-a"), asks("x-b")], "refused Header", "on a line of its own"),
        (vec![origin, method("GET"), asks("*")], "refused Header", "a star is a name"),
        (vec![("origin", "https://evil.test"), method("GET")], "refused Origin", "another origin"),
    ] {
        assert_eq!(judged("OPTIONS", "/b/x", &lines), expected, "{lines:?}: {shows}");
    }
}

#[test]
fn a_preflight_says_what_may_be_asked() {
    let lines = [("origin", "https://GOOD.test"), ("access-control-request-method", "PUT")];
    let mut sharing = Sharing::Unruled;
    let cors = cors();
    let answer = cors.judge(&request("OPTIONS", "app.test"), "/b/x", &headers(&lines), &mut sharing);
    let mut answer = *answer.unwrap().unwrap();
    cors.dress(&sharing, &mut answer);
    let expected = headers(&[
        ("vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
        ("access-control-allow-methods", "PUT"),
        ("access-control-allow-headers", "X-A, Content-Type"),
        ("access-control-max-age", "60"),
        ("access-control-allow-origin", "https://GOOD.test"),
        ("access-control-allow-credentials", "true"),
    ]);
    assert_eq!(answer, expected);
}

#[test]
fn an_answer_says_who_may_read_it_and_leaves_the_backend_its_word() {
    let lines = [("origin", "https://good.test")];
    let cors = cors();
    let mut sharing = Sharing::Unruled;
    cors.judge(&request("GET", "app.test"), "/b/x", &headers(&lines), &mut sharing).unwrap();
    let mut own = HeaderMap::new();
    cors.dress(&sharing, &mut own);
    let expected = headers(&[
        ("vary", "Origin"),
        ("access-control-allow-origin", "https://good.test"),
        ("access-control-allow-credentials", "true"),
        ("access-control-expose-headers", "X-E"),
    ]);
    assert_eq!(own, expected);
    for (vary, expected, shows) in [
        ("accept-encoding", vec!["accept-encoding", "Origin"], "added to what is there"),
        ("Accept, ORIGIN", vec!["Accept, ORIGIN"], "said already"),
        ("*", vec!["*"], "everything is said already"),
    ] {
        let lines = [("vary", vary), ("access-control-allow-origin", "https://backend.test")];
        let mut headers = headers(&lines);
        cors.dress(&sharing, &mut headers);
        assert_eq!(headers.get_all("vary").iter().collect::<Vec<_>>(), expected, "{vary}: {shows}");
        assert_eq!(headers["access-control-allow-origin"], "https://backend.test", "{vary}");
    }
    let mut varies = HeaderMap::new();
    cors.dress(&Sharing::Varies, &mut varies);
    assert_eq!(varies, headers(&[("vary", "Origin")]), "nobody is named");
}

#[test]
fn no_query_brings_a_request_under_a_rule() {
    let cors = Cors::new(vec![rule("/b/", &["*"])]).unwrap();
    let mut sharing = Sharing::Unruled;
    let lines = headers(&[("origin", "https://evil.test")]);
    let mut parts = Request::builder().uri("/private?u=/b/").header("host", "app.test");
    parts = parts.header("origin", "https://evil.test");
    let parts = parts.body(()).unwrap().into_parts().0;
    let peer = Peer::new("127.0.0.1".parse().unwrap(), Scheme::Http);
    let request = canonicalize(&parts, &peer, &Trust::new(Vec::new(), false)).unwrap();
    cors.judge(&request, request.target.path(), &lines, &mut sharing).unwrap();
    assert!(matches!(sharing, Sharing::Unruled), "{sharing:?}");
}
