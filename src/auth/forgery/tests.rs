//! Whose will a request is: tables, each row with what it shows.

use http::{HeaderValue, Request};

use super::*;
use crate::request::{Peer, Trust, canonicalize};

const TOKEN: &str = "0123456789abcdef-token";

fn request(host: &str, scheme: Scheme) -> CanonicalRequest {
    let parts = Request::builder().method("POST").uri("/x").header("host", host).body(()).unwrap();
    let peer = Peer::new("127.0.0.1".parse().unwrap(), scheme);
    canonicalize(&parts.into_parts().0, &peer, &Trust::new(Vec::new(), false)).unwrap()
}

fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in lines {
        map.append(*name, HeaderValue::from_static(value));
    }
    map
}

#[test]
fn the_browser_says_whose_page_it_was() {
    use Sender::{Foreign, Neighbour, Own};
    let site = |value| ("sec-fetch-site", value);
    let origin = |value| ("origin", value);
    for (host, scheme, lines, expected, shows) in [
        ("a.test", Scheme::Https, vec![], Own, "no browser of today"),
        ("a.test", Scheme::Https, vec![site("same-origin")], Own, "a page of ours"),
        ("a.test", Scheme::Https, vec![site("none")], Own, "the user's own hand"),
        ("a.test", Scheme::Https, vec![site("same-site")], Neighbour, "a sibling host"),
        ("a.test", Scheme::Https, vec![site("cross-site")], Foreign, "another site"),
        ("a.test", Scheme::Https, vec![site("anything")], Foreign, "what is not known is not ours"),
        ("a.test", Scheme::Https, vec![site("same-origin"), site("same-origin")], Foreign, "said twice"),
        (
            "a.test",
            Scheme::Https,
            vec![site("same-origin"), origin("https://e.test")],
            Own,
            "the first is finer",
        ),
        ("a.test", Scheme::Https, vec![origin("https://a.test")], Own, "our origin"),
        ("a.test", Scheme::Https, vec![origin("https://a.test:443")], Own, "with its usual port"),
        ("a.test:8443", Scheme::Https, vec![origin("https://a.test:8443")], Own, "with ours"),
        ("a.test:8443", Scheme::Https, vec![origin("https://a.test")], Foreign, "another port"),
        ("a.test", Scheme::Https, vec![origin("https://a.test:8443")], Foreign, "another port"),
        ("a.test", Scheme::Https, vec![origin("http://a.test")], Foreign, "not protected, as we are"),
        ("a.test", Scheme::Http, vec![origin("https://a.test")], Own, "TLS ends in front of us"),
        ("a.test:5000", Scheme::Http, vec![origin("http://a.test:5000")], Own, "no TLS at all"),
        ("a.test", Scheme::Https, vec![origin("https://b.a.test")], Foreign, "below us"),
        ("a.test", Scheme::Https, vec![origin("https://a.test.e.example")], Foreign, "begins alike"),
        ("a.test", Scheme::Https, vec![origin("null")], Foreign, "a page that hides where it is from"),
        ("a.test", Scheme::Https, vec![origin("")], Foreign, "nothing readable"),
        ("a.test", Scheme::Https, vec![origin("https://a.test"), origin("https://e.test")], Foreign, "two"),
    ] {
        assert_eq!(sender(&request(host, scheme), &headers(&lines)), expected, "{host} {lines:?}: {shows}");
    }
}

#[test]
fn what_changes_something_needs_the_token_and_our_own_page() {
    let token = ("x-csrf-token", TOKEN);
    let site = |value| ("sec-fetch-site", value);
    let foreign = site("cross-site");
    for (csrf, lines, expected, shows) in [
        (true, vec![token], "fine", "with the token"),
        (true, vec![], "CsrfRequired", "without"),
        (true, vec![("x-csrf-token", "fetch")], "CsrfRequired", "to ask for it is not to have it"),
        (true, vec![("x-csrf-token", "")], "CsrfRequired", "an empty one"),
        (true, vec![token, token], "CsrfRequired", "twice is none"),
        (true, vec![token, foreign], "CrossSite", "another site, whatever it got hold of"),
        (true, vec![token, site("same-site")], "fine", "a sibling host that was given the token"),
        (true, vec![site("same-site")], "CsrfRequired", "and one that was not"),
        (false, vec![], "fine", "the route does not ask"),
        (false, vec![foreign], "CrossSite", "and still other sites change nothing"),
        (false, vec![site("same-site")], "CrossSite", "nor does a sibling tenant"),
        (false, vec![site("same-site"), token], "fine", "unless it has the token"),
        (false, vec![("origin", "null")], "CrossSite", "nor a hidden page"),
    ] {
        let request = request("a.test", Scheme::Https);
        let map = headers(&lines);
        let outcome = judge(
            &request,
            &map,
            csrf,
            map.get(&csrf::HEADER).is_some_and(|value| value == TOKEN)
                && map.get_all(&csrf::HEADER).iter().count() == 1,
        );
        let name = outcome.map_or_else(|refused| format!("{refused:?}"), |()| "fine".into());
        assert_eq!(name, expected, "{csrf} {lines:?}: {shows}");
    }
}
