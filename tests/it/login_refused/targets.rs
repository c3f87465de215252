//! Where a login may lead: to the page that was asked for, and never off the tenant's origin (class 16).

use url::Url;

use super::super::harness::navigator::{Browser, onwards};
use super::bench::{Bench, parameter};

/// Spellings that some browser, or some parser, takes for another host.
const EVIL: [&str; 24] = [
    "//evil.example",
    "//evil.example/",
    "///evil.example",
    "////evil.example/x",
    "/\\evil.example",
    "/\\/evil.example",
    "\\\\evil.example",
    "/%09/evil.example",
    "/%0a/evil.example",
    "/%0d%0aLocation:%20http://evil.example/",
    "/%5cevil.example",
    "/%2fevil.example",
    "/%2f%2fevil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/x/..//evil.example",
    "/;//evil.example",
    "//evil.example/%2e%2e",
    "//evil.example@acme.localhost/",
    "//acme.localhost@evil.example/",
    "http:evil.example",
    "http://evil.example/",
    "https://evil.example/",
    "/%ef%bc%8fevil.example",
];

/// Whether a browser that is sent from `at` by `location` stays at the origin.
fn stays(at: &Url, location: &str) -> bool {
    at.join(location).is_ok_and(|there| there.origin() == at.origin())
}

#[test]
fn the_test_reads_as_a_browser_does() {
    let at = Url::parse("http://acme.localhost:5000/login/callback").unwrap();
    for text in ["//e", "/\\e", "/\t/e", "https:e", "///e", "http://acme.localhost:5000.evil/", "http:\\\\e"]
    {
        assert!(!stays(&at, text), "{text}");
    }
    for text in ["/", "/x//y", "x/y", "?a:b", "http://acme.localhost:5000/x", "/.//e"] {
        assert!(stays(&at, text), "{text}");
    }
}

#[test]
fn a_login_that_begins_at_an_evil_address_ends_at_the_tenants_origin() {
    let bench = Bench::start();
    let mut logins = 0;
    for target in EVIL {
        for suffix in ["", "?next=//evil.example", "?x=\\evil.example"] {
            let (mut browser, here) = (Browser::default(), bench.url("acme", "/"));
            let line = format!("GET {target}{suffix}");
            let begun = browser.ask_as_written(&line, &here);
            assert!(begun.all("location").len() <= 1, "{line}: {begun:?}");
            let Some(next) = onwards(&here, &begun).filter(|_| begun.status / 100 == 3) else {
                assert_eq!(begun.status, 400, "{line}: {begun:?}");
                continue;
            };
            let callback = browser.log_in_until_callback(&next, "ann.other").unwrap_err();
            let reply = browser.visit(&callback);
            assert_eq!(reply.status / 100, 3, "{line}: {reply:?}");
            let location = reply.header("location");
            assert!(stays(&callback, &location), "{line} goes to {location}");
            logins += 1;
        }
    }
    assert!(logins >= 6, "only {logins} of the addresses were fit to log in at");
}

#[test]
fn a_login_goes_where_it_was_begun_and_nowhere_else() {
    let bench = Bench::start();
    for path in
        ["/wanted", "/wanted?x=1&y=%2F%2Fevil.example", "/a//b", "/?return=//evil.example", "/%C3%A9?%C3%A9"]
    {
        let mut browser = Browser::default();
        let landing = browser.log_in(&bench.url("acme", path), "ann.other");
        assert_eq!(landing.reply.status, 200, "{path}: {landing:?}");
        assert_eq!(bench.backend.only().head.target, path);
    }
}

#[test]
fn nothing_in_the_callback_chooses_the_target() {
    let bench = Bench::start();
    for name in ["return_to", "redirect", "redirect_uri", "target", "next", "RelayState", "url"] {
        let mut browser = Browser::default();
        let callback = bench.callback(&mut browser);
        let reply = browser.visit(&super::bench::and(&callback, name, "http://evil.example/"));
        assert_eq!(reply.header("location"), "/wanted?x=1", "{name}");
    }
}

#[test]
fn no_header_chooses_where_the_provider_sends_the_browser_back_to() {
    let bench = Bench::start();
    let here = bench.url("acme", "/wanted");
    let expected = bench.url("acme", "/login/callback").to_string();
    for header in [
        ("x-forwarded-host", "globex.localhost"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-port", "1"),
        ("forwarded", "host=evil.example;proto=https"),
        ("x-custom-host", "evil.example"),
        ("x-approuter-redirect", "http://evil.example"),
        ("referer", "http://evil.example/"),
        ("origin", "http://evil.example"),
    ] {
        let reply = Browser::default().ask("GET", &here, &[("accept", "text/html"), header], b"");
        let ask = onwards(&here, &reply).unwrap_or_else(|| panic!("{header:?}: {reply:?}"));
        assert_eq!(parameter(&ask, "redirect_uri"), expected, "{header:?}");
    }
}

#[test]
fn what_the_page_keeps_of_the_fragment_cannot_lead_away() {
    let bench =
        Bench::start_with(&serde_json::json!({}), |setup| setup.variable("PRESERVE_FRAGMENT", "true"));
    let more = [
        "%23/fine",
        "%23//evil.example",
        "%23%0d%0ax:%20y",
        "%23%5c%09",
        "%23%c3%a9%ff",
        "javascript:alert(1)",
    ];
    for text in EVIL.into_iter().chain(more) {
        let mut browser = Browser::default();
        let callback = bench.callback(&mut browser);
        let flow = browser.cookies("acme.localhost", super::bench::FLOW).remove(0);
        let kept = flow.called(&flow.name.replace("-flow-", "-fragment-")).with(text);
        browser.plant("acme.localhost", &[kept]);
        let reply = browser.visit(&callback);
        assert_eq!(reply.status / 100, 3, "{text}: {reply:?}");
        let location = reply.header("location");
        assert!(stays(&callback, &location), "{text} goes to {location}");
        let there = callback.join(&location).unwrap();
        assert_eq!((there.path(), there.query()), ("/wanted", Some("x=1")), "{text}");
    }
}
