//! What backends say, and what clients hear of it.

use super::*;

const PART: Part<'_> = Part { prefix: "/t/acme", authority: Some("app.test:8443"), path: "/t/acme/a/b" };

fn heard(part: &Part<'_>, name: HeaderName, value: &'static str) -> String {
    let mut headers: HeaderMap = [(name.clone(), HeaderValue::from_static(value))].into_iter().collect();
    behind(part, &mut headers);
    headers[name].to_str().unwrap().to_owned()
}

#[test]
fn addresses_here_keep_the_prefix() {
    let rows = [
        ("/x", "/t/acme/x", "a path"),
        ("/", "/t/acme/", "the root"),
        ("/x?next=/y#z", "/t/acme/x?next=/y#z", "with query and fragment"),
        ("/t/acme/x", "/t/acme/x", "one that is behind the prefix already"),
        ("/t/acme", "/t/acme", "the prefix itself"),
        ("/t/acme?x", "/t/acme?x", "with a query"),
        ("/t/acmeter", "/t/acme/t/acmeter", "only looks like it"),
        ("/t/globex/x", "/t/acme/t/globex/x", "another tenant's prefix is a path like any other"),
        ("https://app.test:8443/x", "https://app.test:8443/t/acme/x", "this very host"),
        ("HTTP://App.Test:8443/x", "HTTP://App.Test:8443/t/acme/x", "in another spelling and scheme"),
        ("https://app.test:8443", "https://app.test:8443/t/acme/", "without a path"),
        ("https://app.test:8443?x", "https://app.test:8443/t/acme/?x", "with a query alone"),
        ("https://app.test:8443/t/acme/x", "https://app.test:8443/t/acme/x", "already behind it"),
        ("https://app.test/x", "https://app.test/x", "another port is another host"),
        ("https://app.test:8443@evil.test/x", "https://app.test:8443@evil.test/x", "a user's name"),
        ("https://login.test/authorize?x=/y", "https://login.test/authorize?x=/y", "another host"),
        ("http://backend:8080/x", "http://backend:8080/x", "the backend's own"),
        ("b", "b", "relative to what was asked for"),
        ("?page=2", "?page=2", "a query alone"),
        ("../x", "../x", "relative, climbing"),
        ("mailto:a@b.test", "mailto:a@b.test", "no address of the web"),
        ("/../../x", "/t/acme/x", "what climbs stays behind the prefix"),
        ("/a/%2e%2E/../../x?y", "/t/acme/x?y", "escaped, too"),
        ("/..//evil.test", "/t/acme/evil.test", "and leads to no host"),
        ("/.//evil.test/x", "/t/acme/evil.test/x", "nor does this"),
    ];
    for (said, expected, shows) in rows {
        assert_eq!(heard(&PART, LOCATION, said), expected, "{shows}");
        assert_eq!(heard(&PART, CONTENT_LOCATION, said), expected, "{shows}");
    }
}

#[test]
fn nothing_that_led_here_comes_to_lead_elsewhere() {
    let here = Url::parse("https://app.test:8443/t/acme/a/b").unwrap();
    let said = [
        "/x",
        "//evil.test",
        "/\\evil.test",
        "/\t/evil.test",
        "/\t\\evil.test",
        "\\\\evil.test",
        "///evil.test",
        "/.//evil.test",
        "/..//evil.test",
        "/%2e%2e//evil.test",
        "/./\\evil.test",
        "/../\\evil.test",
        "/;//evil.test",
        "/@evil.test",
        "/:80/evil",
        "https:evil.test",
        "https:/evil.test",
        "https:///evil.test",
        "https://app.test:8443\\@evil.test",
        "https://app.test:8443//evil.test",
        "https://app.test:8443/\\evil.test",
        "https://app.test:8443/..//evil.test",
        "http://app.test:8443",
        "javascript:alert(1)",
        "/\u{ff0f}evil.test",
    ];
    for part in [PART, Part { prefix: "/outer/t/acme", ..PART }] {
        for value in said {
            let header = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            let mut headers: HeaderMap = [(LOCATION, header)].into_iter().collect();
            behind(&part, &mut headers);
            let heard = std::str::from_utf8(headers[LOCATION].as_bytes()).unwrap().to_owned();
            let before = here.join(value);
            let after = here.join(&heard);
            let host = |url: &Result<Url, _>| url.as_ref().ok().map(|url| url.host_str().map(str::to_owned));
            assert_eq!(host(&before), host(&after), "{value} became {heard}");
        }
    }
}

#[test]
fn cookies_stay_behind_the_prefix() {
    let root = Part { path: "/t/acme", ..PART };
    let rows = [
        (PART, "a=1; Path=/", "a=1; Path=/t/acme", "for all of the host"),
        (PART, "a=1; Path=/x; HttpOnly", "a=1; Path=/t/acme/x; HttpOnly", "for a path"),
        (PART, "a=1;path=/x", "a=1; Path=/t/acme/x", "in another spelling"),
        (PART, "a=1; Path=/t/acme/x", "a=1; Path=/t/acme/x", "behind it already"),
        (PART, "a=1; Path=/t/globex", "a=1; Path=/t/acme/t/globex", "another tenant's"),
        (PART, "a=1; Path=/t", "a=1; Path=/t/acme/t", "what all tenants have in common"),
        (PART, "a=1; Path=/x; Path=/y", "a=1; Path=/t/acme/x; Path=/t/acme/y", "twice"),
        (PART, "a=1; Max-Age=5", "a=1; Max-Age=5", "the folder of what was asked for"),
        (PART, "a=1; Path=x", "a=1; Path=x", "no path is the same"),
        (root, "a=1; Max-Age=5", "a=1; Max-Age=5; Path=/t/acme", "that folder is above the prefix"),
        (root, "a=1; Path=x", "a=1; Path=x; Path=/t/acme", "with no path"),
        (root, "a=1; Path=/; Path=x", "a=1; Path=/t/acme; Path=x; Path=/t/acme", "the last one counts"),
        (PART, "Path=/", "Path=/", "a cookie that is called so"),
    ];
    for (part, set, expected, shows) in rows {
        assert_eq!(heard(&part, SET_COOKIE, set), expected, "{shows}");
    }
}

#[test]
fn several_are_each_put_right_and_without_a_prefix_none() {
    let set = ["a=1; Path=/", "b=2; Path=/t/acme", "c=\u{e9}; Path=/"];
    let headers = || -> HeaderMap {
        set.iter().map(|set| (SET_COOKIE, HeaderValue::from_bytes(set.as_bytes()).unwrap())).collect()
    };
    let mut changed = headers();
    behind(&PART, &mut changed);
    let values: Vec<_> = changed.get_all(SET_COOKIE).iter().map(HeaderValue::as_bytes).collect();
    let expected = ["a=1; Path=/t/acme", "b=2; Path=/t/acme", "c=\u{e9}; Path=/t/acme"];
    assert_eq!(values, expected.map(str::as_bytes));
    let mut same = headers();
    behind(&Part { prefix: "", ..PART }, &mut same);
    assert_eq!(same, headers());
}
