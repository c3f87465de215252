//! Cookies as they are read and written.

use super::*;
use std::time::Duration;

fn headers(cookies: &[&'static str]) -> HeaderMap {
    cookies.iter().map(|value| (COOKIE, HeaderValue::from_static(value))).collect()
}

fn values(headers: &HeaderMap) -> Result<Vec<(usize, &str)>, &'static str> {
    match presented(headers, "JSESSIONID") {
        Presented::Absent => Err("absent"),
        Presented::Twice => Err("twice"),
        Presented::Present(chunks) => Ok(chunks
            .0
            .iter()
            .enumerate()
            .filter_map(|(at, value)| Some((at, std::str::from_utf8((*value)?).unwrap())))
            .collect()),
    }
}

#[test]
fn only_the_very_names_are_read_and_each_once() {
    let rows: [(&[&str], Result<&[(usize, &str)], &str>, &str); 20] = [
        (&["JSESSIONID=a"], Ok(&[(0, "a")]), "the cookie"),
        (&["x=1; JSESSIONID=a; y=2"], Ok(&[(0, "a")]), "among others"),
        (&["x=1;JSESSIONID=a;y=2"], Ok(&[(0, "a")]), "without blanks"),
        (&["x=1", "JSESSIONID=a"], Ok(&[(0, "a")]), "in a field of its own, as in HTTP/2"),
        (&["JSESSIONID=a=b"], Ok(&[(0, "a=b")]), "the first = ends the name"),
        (&["JSESSIONID="], Ok(&[(0, "")]), "empty"),
        (&["JSESSIONID=a; JSESSIONID.1=b"], Ok(&[(0, "a"), (1, "b")]), "two chunks"),
        (&["JSESSIONID.1=b; JSESSIONID=a"], Ok(&[(0, "a"), (1, "b")]), "in any order"),
        (&["JSESSIONID.5=f"], Ok(&[(5, "f")]), "a gap is for the store to see"),
        (&["JSESSIONID=a; JSESSIONID=b"], Err("twice"), "a sibling domain has set it too"),
        (&["JSESSIONID=a; JSESSIONID=a"], Err("twice"), "the same twice is twice"),
        (&["JSESSIONID=a", "JSESSIONID=b"], Err("twice"), "in two fields"),
        (&["JSESSIONID=a; JSESSIONID.1=b; JSESSIONID.1=c"], Err("twice"), "a chunk twice"),
        (&["jsessionid=a"], Err("absent"), "names have a case"),
        (&["XJSESSIONID=a; JSESSIONIDX=b; JSESSIONID-flow-1=c"], Err("absent"), "look-alikes"),
        (&["JSESSIONID.0=a; JSESSIONID.01=b; JSESSIONID.6=c; JSESSIONID.10=d"], Err("absent"), "no chunks"),
        (&["JSESSIONID =a"], Err("absent"), "a blank behind the name"),
        (&["x=\"; JSESSIONID=a\""], Ok(&[(0, "a\"")]), "quotes hide nothing, and the value is no session"),
        (&["JSESSIONID"], Err("absent"), "no value"),
        (&[], Err("absent"), "nothing"),
    ];
    for (cookies, expected, shows) in rows {
        let headers = headers(cookies);
        let expected = expected.map(<[_]>::to_vec);
        assert_eq!(values(&headers), expected, "{shows}");
    }
}

#[test]
fn attributes_are_these() {
    let strict = Policy { same_site: SameSite::Strict, ..Policy::default() };
    let embedded = Policy { same_site: SameSite::None, partitioned: true, ..Policy::default() };
    let always = Policy { secure: Secure::Always, ..Policy::default() };
    let never = Policy { secure: Secure::Never, ..Policy::default() };
    let rows = [
        (&Policy::default(), true, "/", "JSESSIONID=v; Path=/; HttpOnly; Secure; SameSite=Lax"),
        (&Policy::default(), false, "/", "JSESSIONID=v; Path=/; HttpOnly; SameSite=Lax"),
        (&Policy::default(), true, "/t/acme", "JSESSIONID=v; Path=/t/acme; HttpOnly; Secure; SameSite=Lax"),
        (&strict, true, "/", "JSESSIONID=v; Path=/; HttpOnly; Secure; SameSite=Strict"),
        (&embedded, true, "/", "JSESSIONID=v; Path=/; HttpOnly; Secure; SameSite=None; Partitioned"),
        (&always, false, "/", "JSESSIONID=v; Path=/; HttpOnly; Secure; SameSite=Lax"),
        (&never, true, "/", "JSESSIONID=v; Path=/; HttpOnly; SameSite=Lax"),
    ];
    for (policy, https, path, expected) in rows {
        let scope = CookieScope { https, path: path.into() };
        let value = set("JSESSIONID", "v", Attributes::session(policy), policy, &scope).unwrap();
        assert_eq!(value.to_str().unwrap(), expected);
        assert!(value.is_sensitive(), "it is not printed");
    }
}

#[test]
fn what_removes_a_cookie_has_the_attributes_that_set_it() {
    let policy = Policy { same_site: SameSite::None, partitioned: true, ..Policy::default() };
    let scope = CookieScope { https: true, path: "/t/acme".into() };
    let removing = Attributes::session(&policy).removing();
    assert_eq!(
        set("JSESSIONID", "", removing, &policy, &scope).unwrap().to_str().unwrap(),
        "JSESSIONID=; Path=/t/acme; Max-Age=0; HttpOnly; Secure; SameSite=None; Partitioned"
    );
    let kept =
        Attributes { max_age: Some(Duration::from_mins(10).as_secs()), ..Attributes::session(&policy) };
    assert!(set("x", "v", kept, &policy, &scope).unwrap().to_str().unwrap().contains("; Max-Age=600;"));
}

#[test]
fn a_value_that_no_header_may_have_sets_nothing() {
    let (policy, scope) = (Policy::default(), CookieScope { https: true, path: "/".into() });
    assert!(set("x", "a\r\nSet-Cookie: b=c", Attributes::session(&policy), &policy, &scope).is_none());
}

#[test]
fn our_cookies_are_known_by_name() {
    let rows = [
        ("JSESSIONID", true),
        ("JSESSIONID.1", true),
        ("JSESSIONID.5", true),
        ("JSESSIONID-flow-abcdefgh", true),
        ("JSESSIONID-fragment-abcdefgh", true),
        ("JSESSIONID.6", false),
        ("JSESSIONIDX", false),
        ("XJSESSIONID", false),
        ("jsessionid", false),
        ("JSESSIONID-other", false),
    ];
    for (name, ours) in rows {
        assert_eq!(is_ours(name.as_bytes(), "JSESSIONID"), ours, "{name}");
    }
}
