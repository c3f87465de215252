//! Which answers are compressed, and what their headers say then.

use http::header;

use super::*;

/// A request for gzip.
const GZIP: Asked = Asked { coding: Some(Coding::Gzip), head: false };

fn answer(fields: &[(&str, &str)]) -> Response<Body> {
    let mut response = Response::new(Body::full(vec![b'x'; 2000]));
    for (name, value) in fields {
        let name: HeaderName = name.parse().expect("a name");
        let value = HeaderValue::try_from(*value).expect("a value");
        if name == "status" {
            *response.status_mut() = value.to_str().expect("text").parse().expect("a status");
        } else {
            response.headers_mut().append(name, value);
        }
    }
    response
}

fn applied(response: Response<Body>, asked: Asked) -> Response<Body> {
    let (rules, room) = (Compression::default(), Room::default());
    Squeeze { rules: &rules, asked, session_cookie: "JSESSIONID", room: &room }.apply(response)
}

fn all(response: &Response<Body>, name: HeaderName) -> String {
    let values = response.headers().get_all(name).iter().map(|value| value.to_str().expect("text"));
    values.collect::<Vec<_>>().join(" | ")
}

const TEXT: (&str, &str) = ("content-type", "text/plain");

#[test]
fn what_may_not_be_changed_is_not() {
    let vary = "Accept-Encoding";
    for (fields, coding, varies, shows) in [
        (vec![TEXT], "gzip", vary, "text"),
        (vec![TEXT, ("vary", "Origin")], "gzip", "Origin | Accept-Encoding", "what it varies by stays"),
        (vec![TEXT, ("vary", "accept-encoding, Origin")], "gzip", "accept-encoding, Origin", "said already"),
        (vec![TEXT, ("vary", "*")], "gzip", "*", "it varies by anything"),
        (vec![], "", "", "no type"),
        (vec![("content-type", "image/png")], "", "", "small already"),
        (vec![("content-type", "text/event-stream")], "", "", "events arrive at once"),
        (vec![("content-type", "application/grpc+proto")], "", "", "calls arrive at once"),
        (vec![TEXT, ("content-encoding", "br")], "br", vary, "the backend did it"),
        (vec![TEXT, ("content-encoding", "identity")], "gzip", vary, "a coding that is none"),
        (vec![TEXT, ("cache-control", "public, No-Transform")], "", "", "nobody may change it"),
        (vec![TEXT, ("cache-control", "no-transformers")], "gzip", vary, "a word that only begins so"),
        (vec![TEXT, ("status", "206")], "", vary, "a part"),
        (vec![TEXT, ("content-range", "bytes 0-9/10")], "", vary, "a part, whatever the status says"),
        (vec![TEXT, ("status", "500")], "gzip", vary, "a failure is text as well"),
        (vec![TEXT, ("repr-digest", "sha-256=:x:")], "", vary, "a digest would be wrong"),
        (vec![TEXT, ("content-digest", "sha-256=:x:")], "", vary, "a digest would be wrong"),
        (vec![TEXT, ("signature", "s=:x:")], "", vary, "a signature may cover it"),
        (vec![TEXT, ("x-csrf-token", "t")], "", vary, "a token is told"),
        (vec![TEXT, ("set-cookie", "JSESSIONID=s; Max-Age=9")], "", vary, "a session begins"),
        (vec![TEXT, ("set-cookie", "JSESSIONID-backend=s; Expires=x")], "", vary, "ours begin so"),
        (vec![TEXT, ("set-cookie", "sid=s; Path=/")], "", vary, "a backend's session begins"),
        (vec![TEXT, ("set-cookie", "max-age=s; Path=/")], "", vary, "a name is no attribute"),
        (vec![TEXT, ("set-cookie", "lang=de; Path=/; max-age=9")], "gzip", vary, "a choice is remembered"),
        (vec![TEXT, ("set-cookie", "lang=de; Expires=x"), ("set-cookie", "s=1")], "", vary, "one of two"),
    ] {
        let response = applied(answer(&fields), GZIP);
        let found = (all(&response, CONTENT_ENCODING), all(&response, VARY));
        assert_eq!(found, (coding.to_owned(), varies.to_owned()), "{fields:?}: {shows}");
    }
}

#[test]
fn length_and_ranges_go_and_the_tag_becomes_weak() {
    let dressed = [TEXT, ("content-length", "2000"), ("accept-ranges", "bytes")];
    for (tag, weak, shows) in [
        ("\"strong\"", "W/\"strong\"", "a strong one"),
        ("W/\"weak\"", "W/\"weak\"", "a weak one"),
        ("bare", "", "one that is none is left out"),
    ] {
        let response = applied(answer(&[&dressed[..], &[("etag", tag)]].concat()), GZIP);
        assert_eq!(all(&response, ETAG), weak, "{shows}");
        assert_eq!(all(&response, header::CONTENT_LENGTH) + &all(&response, ACCEPT_RANGES), "", "{shows}");
    }
    for (asked, shows) in [
        (Asked::default(), "who takes no coding gets it as it was"),
        (Asked { coding: Some(Coding::Gzip), head: true }, "HEAD says how long the whole is"),
    ] {
        let response = applied(answer(&[&dressed[..], &[("etag", "\"strong\"")]].concat()), asked);
        assert_eq!(all(&response, ETAG), "\"strong\"", "{shows}");
        assert_eq!(all(&response, header::CONTENT_LENGTH), "2000", "{shows}");
        assert_eq!(all(&response, VARY), "Accept-Encoding", "{shows}");
    }
    let same = applied(answer(&[("status", "304"), ("etag", "\"strong\"")]), GZIP);
    assert_eq!((all(&same, ETAG).as_str(), all(&same, VARY).as_str()), ("W/\"strong\"", "Accept-Encoding"));
}

#[test]
fn short_answers_stay_as_they_are() {
    for (length, coding) in [(1023, ""), (1024, "gzip"), (0, "")] {
        let response = answer(&[TEXT]).map(|_| Body::full(vec![b'x'; length]));
        assert_eq!(all(&applied(response, GZIP), CONTENT_ENCODING), coding, "{length}");
    }
}

#[test]
fn where_there_is_no_room_answers_stay_as_they_are() {
    let (rules, room) = (Compression::default(), Room::of(700));
    let squeeze = Squeeze { rules: &rules, asked: GZIP, session_cookie: "S", room: &room };
    let first = squeeze.apply(answer(&[TEXT]));
    let second = squeeze.apply(answer(&[TEXT]));
    assert_eq!(
        (all(&first, CONTENT_ENCODING), all(&second, CONTENT_ENCODING)),
        ("gzip".into(), String::new())
    );
    drop(first);
    assert_eq!(all(&squeeze.apply(answer(&[TEXT])), CONTENT_ENCODING), "gzip", "the first one is gone");
}

#[test]
fn a_client_may_want_nothing_changed() {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    assert_eq!(Asked::of(&Method::GET, &headers).coding, Some(Coding::Gzip));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    assert_eq!(Asked::of(&Method::GET, &headers).coding, None);
}
