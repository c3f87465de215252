//! Which cookies are kept, and who gets them back.

use http::header::CACHE_CONTROL;

use super::*;

const CRM: Backend<'_> = Backend { destination: "crm", scheme: Scheme::Http, authority: "crm.test:8080" };

fn answered(set: &[&str]) -> SetByBackend {
    let values = set.iter().map(|set| HeaderValue::from_bytes(set.as_bytes()).unwrap());
    let mut headers: HeaderMap = values.map(|value| (SET_COOKIE, value)).collect();
    take(&mut headers)
}

fn jar(backend: &Backend<'_>, path: &str, set: &[&str]) -> Jar {
    let mut jar = Jar::default();
    jar.apply(answered(set).received(backend, path, 1), ROOM);
    jar
}

fn sent(jar: &Jar, backend: &Backend<'_>, path: &str) -> String {
    let pairs = jar.cookies(backend, path).into_iter();
    let pairs =
        pairs.map(|(name, value)| [name, value].map(|part| String::from_utf8_lossy(&part).into_owned()));
    pairs.map(|pair| pair.join("=")).collect::<Vec<_>>().join("; ")
}

#[test]
fn session_cookies_are_taken_and_others_pass() {
    for (set, passes, shows) in [
        ("a=1", false, "nothing said"),
        ("a=1; Path=/; HttpOnly; Secure; SameSite=Lax", false, "attributes that say nothing of time"),
        ("a=1; Max-Age=100", true, "to be kept"),
        ("a=1; max-age=0", true, "to be removed"),
        ("a=1; Max-Age=-1", true, "long over"),
        ("a=1; Expires=Wed, 21 Oct 2037 07:28:00 GMT", true, "to be kept until a day"),
        ("a=1; expires=Thu, 01-Jan-1970 00:00:00 GMT", true, "in an old form"),
        ("a=1; Max-Age=soon", false, "no time is none"),
        ("a=1; Expires=Session", false, "no date is none"),
        ("bad", true, "no cookie"),
        ("=1", true, "a cookie without a name"),
        ("a=\u{e9}", false, "beyond ASCII"),
    ] {
        let value = HeaderValue::from_bytes(set.as_bytes()).unwrap();
        let mut headers: HeaderMap =
            [(SET_COOKIE, value), (CACHE_CONTROL, HeaderValue::from_static("x"))].into_iter().collect();
        let taken = take(&mut headers);
        assert!(!taken.is_empty(), "{set}");
        assert_eq!(headers.contains_key(SET_COOKIE), passes, "{set}: {shows}");
        assert!(headers.contains_key(CACHE_CONTROL));
    }
    assert!(take(&mut HeaderMap::new()).is_empty());
}

#[test]
fn cookies_go_back_by_path_domain_and_scheme() {
    let https = Backend { scheme: Scheme::Https, authority: "crm.test", ..CRM };
    for (backend, set, path, expected, shows) in [
        (CRM, "s=1", "/app/x", "s=1", "the folder it was set in"),
        (CRM, "s=1", "/app", "s=1", "itself"),
        (CRM, "s=1", "/application", "", "which another only begins like"),
        (CRM, "s=1", "/", "", "and the root is above"),
        (CRM, "s=1; Path=/", "/", "s=1", "the root"),
        (CRM, "s=1; Path=/zzz", "/app/x", "", "another path"),
        (CRM, "s=1; Path=zzz", "/app/x", "s=1", "no path: its folder"),
        (CRM, "s=1; Path=/; Domain=crm.test", "/", "s=1", "its own domain"),
        (CRM, "s=1; Path=/; Domain=.test", "/", "s=1", "one above"),
        (CRM, "s=1; Path=/; Domain=evil.test", "/", "", "another's"),
        (CRM, "s=1; Path=/; Domain=m.test", "/", "", "the end of its name"),
        (CRM, "s=1; Path=/; Secure", "/", "", "not in clear"),
        (https, "s=1; Path=/; Secure", "/", "s=1", "by TLS"),
        (CRM, "s=\u{e9}; Path=/", "/", "s=\u{e9}", "byte by byte"),
        (CRM, "s=\"a b\"; Path=/", "/", "s=\"a b\"", "quotes and all"),
        (CRM, "s=; Path=/", "/", "s=", "an empty value"),
    ] {
        let jar = jar(&backend, "/app/login", &[set]);
        assert_eq!(sent(&jar, &backend, path), expected, "{set} at {path}: {shows}");
    }
}

#[test]
fn no_other_destination_gets_a_cookie() {
    let jar = jar(&CRM, "/", &["s=1; Path=/; Domain=test"]);
    for (backend, shows) in [
        (Backend { destination: "erp", ..CRM }, "another at the same address"),
        (Backend { authority: "crm.test:8081", ..CRM }, "another port"),
        (Backend { authority: "erp.test:8080", ..CRM }, "another host below the domain"),
        (Backend { scheme: Scheme::Https, ..CRM }, "another scheme"),
        (
            Backend { destination: "crm.test:8080 crm", authority: "", ..CRM },
            "a name that looks like an address",
        ),
    ] {
        assert_eq!(sent(&jar, &backend, "/"), "", "{shows}");
    }
    assert_eq!(sent(&jar, &CRM, "/"), "s=1");
}

#[test]
fn longer_paths_come_first_then_older_cookies() {
    let set = ["b=2; Path=/", "a=1; Path=/", "c=3; Path=/app/x", "d=4; Path=/app"];
    let jar = jar(&CRM, "/", &set);
    assert_eq!(sent(&jar, &CRM, "/app/x"), "c=3; d=4; b=2; a=1");
}

#[test]
fn a_later_answer_replaces_and_removes() {
    let mut jar = jar(&CRM, "/", &["s=1; Path=/", "t=1; Path=/", "s=9; Path=/x"]);
    for (set, expected, changes, shows) in [
        ("s=1; Path=/", "s=1; t=1", false, "the same again"),
        ("s=2; Path=/", "s=2; t=1", true, "another value keeps its place"),
        ("S=3; Path=/", "s=2; t=1; S=3", true, "names have a case"),
        ("S=; Path=/; Max-Age=0", "s=2; t=1", true, "one that has expired"),
        ("u=; Path=/; Max-Age=0", "s=2; t=1", false, "one that was not there"),
        ("t=2; Path=/; Max-Age=60", "s=2", true, "the browser has it from now on"),
        ("s=; Path=/x; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "s=2", true, "the one of another path"),
    ] {
        let changed = jar.apply(answered(&[set]).received(&CRM, "/", 2), ROOM);
        assert_eq!(!changed.is_nothing(), changes, "{shows}");
        assert_eq!(sent(&jar, &CRM, "/"), expected, "{shows}");
    }
    assert_eq!(sent(&jar, &CRM, "/x"), "s=2");
}

#[test]
fn a_jar_is_bounded_and_the_oldest_gives_way() {
    let mut jar = Jar::default();
    for number in 0..1_000 {
        let set = format!("c{number}={number}; Path=/");
        jar.apply(answered(&[&set]).received(&CRM, "/", number), ROOM);
    }
    let all = sent(&jar, &CRM, "/");
    assert_eq!(all.split("; ").count(), MAX_COOKIES);
    assert!(all.ends_with("c999=999") && all.starts_with("c936=936"), "{all}");
    let changed =
        jar.apply(answered(&[&format!("big={}", "x".repeat(3_000))]).received(&CRM, "/", 1_001), 2_600);
    assert!(changed.new.is_empty() && jar.weight() <= 2_600, "what does not fit is not kept");
    let mut large = Jar::default();
    for number in 0..20 {
        let set = format!("c{number}={}; Path=/", "x".repeat(1_000));
        large.apply(answered(&[&set]).received(&CRM, "/", number), ROOM);
        assert!(large.weight() <= ROOM);
    }
    for (set, shows) in [
        (format!("n={}", "x".repeat(4_096)), "too long a value"),
        (format!("n=1; Path=/{}", "x".repeat(1_024)), "too long a path"),
    ] {
        assert!(answered(&[&set]).received(&CRM, "/", 1).is_empty(), "{shows}");
    }
}

#[test]
fn what_is_written_is_read() {
    let https = Backend { scheme: Scheme::Https, authority: "[::1]:8443", destination: "a b" };
    let mut before = jar(&CRM, "/a;b=c/d", &["s=1", "t=\u{e9}; Path=/; Domain=crm.test"]);
    before.apply(answered(&["u=a=b; Path=/; Secure"]).received(&https, "/", 7), ROOM);
    before.version = 42;
    let mut writer = Writer::default();
    before.write(&mut writer);
    let after = Jar::read(&mut Reader(&writer.0)).unwrap();
    assert_eq!(after.version, 42);
    for (backend, path) in [(CRM, "/a;b=c/d"), (CRM, "/"), (https, "/")] {
        assert_eq!(sent(&after, &backend, path), sent(&before, &backend, path));
    }
    assert_eq!(sent(&after, &CRM, "/a;b=c/x"), "s=1; t=\u{e9}");
    let mut again = Writer::default();
    after.write(&mut again);
    assert_eq!(again.0, writer.0);
    for length in 0..writer.0.len() {
        assert!(Jar::read(&mut Reader(&writer.0[..length])).is_none(), "cut at {length}");
    }
}

#[test]
fn nothing_prints_a_value() {
    let jar = jar(&CRM, "/", &["s=hunter2; Path=/"]);
    let received = answered(&["s=hunter2"]).received(&CRM, "/", 1);
    let texts = format!("{jar:?} {:?} {received:?}", jar.kept);
    assert!(!texts.contains("hunter2"), "{texts}");
}
