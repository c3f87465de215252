//! What passes and what does not, in tables: names in each disguise, cookies, trailers.

use bytes::Bytes;
use http::header::{COOKIE, HeaderMap, HeaderName, HeaderValue};
use http_body::Frame;

use super::{HeaderPolicy, UserHeaders, is_ambiguously_framed, takes_trailers};

fn policy() -> HeaderPolicy {
    let user = UserHeaders {
        name: HeaderName::from_static("x-user-name"),
        email: HeaderName::from_static("x-mail-of-user"),
    };
    let tenant = [HeaderName::from_static("x-customer"), HeaderName::from_static("x-tenant-id")];
    HeaderPolicy::new(&tenant.iter().collect::<Vec<_>>(), user, &["JSESSIONID", "__VCAP_ID__"])
}

fn headers(fields: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let name = name.parse::<HeaderName>().unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

/// The names that are left of a request, sorted.
fn left(fields: &[(&str, &str)], trusted: bool) -> Vec<String> {
    let mut headers = headers(fields);
    policy().strip_request(&mut headers, trusted);
    let mut names: Vec<String> = headers.keys().map(|name| name.as_str().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn what_belongs_to_one_connection_goes() {
    for name in [
        "connection",
        "Keep-Alive",
        "proxy-connection",
        "Proxy-Authenticate",
        "proxy-authorization",
        "Proxy-Authentication-Info",
        "te",
        "Trailer",
        "transfer-encoding",
        "Upgrade",
        "HTTP2-Settings",
        "content-length",
        "Expect",
    ] {
        assert_eq!(left(&[(name, "x"), ("accept", "y")], true), ["accept"], "{name}, trusted");
        assert_eq!(left(&[(name, "x"), ("accept", "y")], false), ["accept"], "{name}");
    }
}

#[test]
fn what_connection_names_goes() {
    let rows: [(&str, &[&str], &str); 9] = [
        ("x-one", &["x-two"], "a name"),
        ("X-ONE, x-Two", &[], "in any case, as a list"),
        (" x-one\t,,x-two ,", &[], "with white space and empty members"),
        ("close, x-one", &["x-two"], "beside an option"),
        ("keep-alive", &["x-one", "x-two"], "an option alone"),
        ("x-one;q=1", &["x-one", "x-two"], "what is no name names nothing"),
        ("x-absent", &["x-one", "x-two"], "a name that is not there"),
        ("\"x-one\"", &["x-one", "x-two"], "quotes are no part of a name"),
        ("x-two, x-tenant", &["x-one"], "a name that goes in any case"),
    ];
    for (value, kept, shows) in rows {
        let fields = [("connection", value), ("x-one", "1"), ("x-two", "2"), ("x-tenant", "evil")];
        assert_eq!(left(&fields, false), kept, "{shows}: {value:?}");
    }
    let twice = [("connection", "x-one"), ("connection", "x-two"), ("x-one", "1"), ("x-two", "2")];
    assert_eq!(left(&twice, false), Vec::<String>::new(), "two fields");
}

#[test]
fn reserved_names_go_in_every_disguise() {
    let rows = [
        ("x-tenant", "as it is"),
        ("X-TENANT", "in another case"),
        ("x_tenant", "an underscore"),
        ("X_Tenant_Id", "underscores"),
        ("x.tenant", "a dot"),
        ("x-tenant.", "a dot at the end"),
        ("-x-tenant", "a hyphen in front"),
        ("x-tenant-", "a hyphen behind"),
        ("_x-tenant_", "underscores around"),
        ("x~tenant", "another sign that names may have"),
        ("tenantid", "the SAP router's"),
        ("x-customer", "a configured name"),
        ("X_Customer", "a configured name in disguise"),
        ("x-user-name", "the user"),
        ("x_mail_of_user", "a configured name of the user's"),
        ("x-tenant-assertion", "the assertion"),
        ("x-approuter-authorization", "the SAP router's token"),
        ("Content_Length", "framing in disguise"),
        ("transfer.encoding", "framing in another"),
        ("_host", "the host in disguise"),
    ];
    for (name, shows) in rows {
        for trusted in [false, true] {
            assert_eq!(left(&[(name, "evil"), (name, "twice")], trusted), Vec::<String>::new(), "{shows}");
        }
    }
}

#[test]
fn names_that_only_look_alike_stay() {
    for name in
        ["x-tenants", "x-tenan", "xtenant", "x--tenant", "tenant-id", "x-customer-2", "my_header", "a.b"]
    {
        assert_eq!(left(&[(name, "1")], false), [name], "{name}");
    }
}

#[test]
fn forwarding_headers_count_from_a_trusted_peer_only() {
    for name in ["x-forwarded-for", "forwarded", "x-forwarded-client-cert", "x-real-ip", "x-original-url"] {
        assert_eq!(left(&[(name, "1")], true), [name], "{name}");
        assert_eq!(left(&[(name, "1")], false), Vec::<String>::new(), "{name}");
    }
    for name in ["x_forwarded_for", "x-forwarded-for.", "x.real.ip"] {
        assert_eq!(left(&[(name, "1")], true), Vec::<String>::new(), "{name}: nobody honest disguises");
    }
}

#[test]
fn our_cookies_stay_with_us() {
    let rows: [(&[&str], Option<&str>, &str); 11] = [
        (&["a=1; b=2"], Some("a=1; b=2"), "others stay as they are"),
        (&["a=1;b=2"], Some("a=1;b=2"), "without white space too"),
        (&["JSESSIONID=s"], None, "ours alone leaves nothing"),
        (&["a=1; JSESSIONID=s; b=2"], Some("a=1; b=2"), "in between"),
        (&["JSESSIONID=s; JSESSIONID=t; a=1"], Some("a=1"), "twice"),
        (&[" JSESSIONID = s ;a=1"], Some("a=1"), "with white space"),
        (&["__VCAP_ID__=i; a=1"], Some("a=1"), "the platform's"),
        (&["XJSESSIONID=s; JSESSIONID2=t"], Some("XJSESSIONID=s; JSESSIONID2=t"), "only look alike"),
        (&["a=JSESSIONID"], Some("a=JSESSIONID"), "a value is no name"),
        (&["a=1", "b=2"], Some("a=1; b=2"), "what HTTP/2 split is one field again"),
        (&["a=1", "JSESSIONID=s"], Some("a=1"), "split, with ours"),
    ];
    for (given, kept, shows) in rows {
        let mut headers = HeaderMap::new();
        for value in given {
            headers.append(COOKIE, HeaderValue::from_static(value));
        }
        policy().strip_request(&mut headers, false);
        let values: Vec<&str> = headers.get_all(COOKIE).iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!(values, kept.into_iter().collect::<Vec<_>>(), "{shows}");
    }
}

#[test]
fn an_answer_loses_what_is_ours_and_keeps_its_length_where_it_has_no_body() {
    let given =
        [("content-length", "5"), ("connection", "x-hop"), ("x-hop", "1"), ("x-tenant", "t"), ("etag", "e")];
    for (keep_length, kept) in [(false, &["etag"][..]), (true, &["content-length", "etag"])] {
        let mut headers = headers(&given);
        policy().strip_response(&mut headers, keep_length);
        let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, kept);
    }
}

/// Names that may come behind a body, and names that may not.
const TRAILING: [(&str, bool); 40] = [
    ("x-checksum", true),
    ("grpc-status", true),
    ("grpc-status-details-bin", true),
    ("content-digest", true),
    ("server-timing", true),
    ("my_app.meta", true),
    ("content-length", false),
    ("Transfer-Encoding", false),
    ("transfer_encoding", false),
    ("host", false),
    ("connection", false),
    ("te", false),
    ("trailer", false),
    ("content-type", false),
    ("content_type", false),
    ("content-encoding", false),
    ("content-range", false),
    ("authorization", false),
    ("proxy-authorization", false),
    ("www-authenticate", false),
    ("cookie", false),
    ("set-cookie", false),
    ("Set_Cookie", false),
    ("cache-control", false),
    ("max-forwards", false),
    ("expect", false),
    ("range", false),
    ("if-match", false),
    ("location", false),
    ("retry-after", false),
    ("vary", false),
    ("x-forwarded-host", false),
    ("x_forwarded_new", false),
    ("forwarded", false),
    ("x-tenant", false),
    ("x_tenant", false),
    ("tenantid.", false),
    ("x-customer", false),
    ("access-control-allow-origin", false),
    ("x-request-id", false),
];

#[test]
fn trailers_that_mean_something_before_a_body_do_not_pass() {
    let policy = policy();
    for (name, passes) in TRAILING {
        let frame = Frame::<Bytes>::trailers(headers(&[(name, "7")]));
        let trailers = policy.filter_trailers(frame).into_trailers().unwrap();
        assert_eq!(!trailers.is_empty(), passes, "{name}");
    }
    let data = policy.filter_trailers(Frame::data(Bytes::from_static(b"x-tenant: 7")));
    assert_eq!(data.into_data().unwrap(), "x-tenant: 7", "data is not looked at");
}

#[test]
fn only_trailers_that_will_pass_are_announced() {
    let rows: [(&[&str], Option<&str>); 6] = [
        (&["x-checksum"], Some("x-checksum")),
        (&["X-Checksum, Set-Cookie", "grpc-status"], Some("X-Checksum, grpc-status")),
        (&["content-length, x_tenant"], None),
        (&["", " , "], None),
        (&["x-a b, x-c"], Some("x-c")),
        (&[], None),
    ];
    for (given, announced) in rows {
        let fields: Vec<(&str, &str)> = given.iter().map(|value| ("trailer", *value)).collect();
        let value = policy().announced_trailers(&headers(&fields));
        assert_eq!(value.as_ref().map(|value| value.to_str().unwrap()), announced, "{given:?}");
    }
}

#[test]
fn framing_in_two_ways_is_seen() {
    let rows: [(&[(&str, &str)], bool); 6] = [
        (&[("transfer-encoding", "chunked")], false),
        (&[("Transfer-Encoding", "Chunked")], false),
        (&[("content-length", "5")], false),
        (&[("transfer-encoding", "chunked"), ("content-length", "5")], true),
        (&[("transfer-encoding", "gzip, chunked")], true),
        (&[("transfer-encoding", "chunked"), ("transfer-encoding", "identity")], true),
    ];
    for (fields, ambiguous) in rows {
        assert_eq!(is_ambiguously_framed(&headers(fields)), ambiguous, "{fields:?}");
    }
}

#[test]
fn who_takes_trailers_says_so() {
    for (value, takes) in [("trailers", true), ("Trailers", true), ("gzip, trailers", true), ("gzip", false)]
    {
        assert_eq!(takes_trailers(&headers(&[("te", value)])), takes, "{value}");
    }
}
