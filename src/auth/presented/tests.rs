//! Tests of `auth::presented`: tables, each row with what it shows.

use super::*;

/// What a case looks like: the headers, the bearer token or why not, the router's bearer token.
type Row<'a> =
    (&'a [(&'static str, &'a str)], Result<Option<&'a str>, ()>, Result<Option<&'a str>, ()>, &'a str);

fn text(token: Result<Option<&[u8]>, Refused>) -> Result<Option<String>, ()> {
    token.map(|token| token.map(|token| String::from_utf8(token.to_vec()).unwrap())).map_err(drop)
}

#[test]
fn credentials_are_read_and_nothing_is_refused_yet() {
    let own = "authorization";
    let router = "x-approuter-authorization";
    let rows: &[Row<'_>] = &[
        (&[], Ok(None), Ok(None), "nothing"),
        (&[(own, "Bearer a.b.c")], Ok(Some("a.b.c")), Ok(None), "a bearer token"),
        (&[(own, "bEARER  a.b.c")], Ok(Some("a.b.c")), Ok(None), "any case, several blanks"),
        (&[(router, "Bearer r")], Ok(Some("r")), Ok(Some("r")), "the router's header"),
        (
            &[(own, "Bearer a"), (router, "Bearer r")],
            Ok(Some("r")),
            Ok(Some("r")),
            "the router's header wins",
        ),
        (&[(own, "Bearer a"), (router, "")], Ok(Some("a")), Ok(None), "an empty router header is none"),
        (&[(own, "Basic dTpw")], Ok(None), Ok(None), "basic is no bearer token"),
        (&[(own, "Negotiate x")], Ok(None), Ok(None), "another scheme"),
        (&[(own, "Bearer a"), (own, "Bearer a")], Err(()), Ok(None), "two headers, even of one value"),
        (&[(own, "Bearer a"), (own, "Basic dTpw")], Err(()), Ok(None), "two headers of two schemes"),
        (&[(router, "Bearer a"), (router, "Bearer b")], Err(()), Err(()), "two router headers"),
        (&[(own, "Bearer")], Err(()), Ok(None), "a scheme alone"),
        (&[(own, "Bearer ")], Err(()), Ok(None), "a scheme and a blank"),
        (
            &[(own, "Bearer a, Bearer b")],
            Ok(Some("a, Bearer b")),
            Ok(None),
            "two in one header are one bad token",
        ),
        (&[(own, "Bearer\ta")], Err(()), Ok(None), "a tab for a blank"),
        (&[(own, "Bearer é")], Ok(Some("é")), Ok(None), "whatever the bytes"),
        (&[(own, "a.b.c")], Err(()), Ok(None), "a token without a scheme"),
        (&[(router, "a.b.c")], Err(()), Err(()), "a router token without a scheme"),
        (
            &[(router, "Basic dTpw"), (own, "Bearer a")],
            Ok(Some("u")),
            Ok(Some("u")),
            "the router's header goes first, with a user as well",
        ),
        (&[(router, "Basic dT")], Err(()), Err(()), "neither user nor password"),
        (&[(router, "Basic dXA="), (own, "Bearer a")], Err(()), Err(()), "no colon"),
        (&[(router, "Digest a"), (own, "Bearer a")], Err(()), Err(()), "a scheme that is not handed on"),
    ];
    for (headers, bearer, router_bearer, shows) in rows {
        let mut map = HeaderMap::new();
        for (name, value) in *headers {
            map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let presented = identify(&map);
        let handed_on = match presented.handed_on() {
            Ok(HandedOn::Nothing) => Ok(None),
            Ok(HandedOn::Token(token)) => text(Ok(Some(token))),
            Ok(HandedOn::User(typed)) => Ok(Some(typed.user)),
            Err(_) => Err(()),
        };
        let first = if let Ok(None) = handed_on { text(presented.bearer()) } else { handed_on.clone() };
        let owned = |expected: Result<Option<&str>, ()>| expected.map(|text| text.map(str::to_owned));
        assert_eq!(first, owned(*bearer), "{shows}");
        assert_eq!(handed_on, owned(*router_bearer), "{shows}, router");
    }
}

#[test]
fn a_token_is_not_printed() {
    let mut map = HeaderMap::new();
    map.insert(AUTHORIZATION, HeaderValue::from_static("Bearer hunter2"));
    assert!(!format!("{:?}", identify(&map)).contains("hunter2"));
}
