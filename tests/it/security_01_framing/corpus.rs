//! The cases that differ in the head of a request.
//!
//! `{N}` stands for the case's number. `hidden` is a whole request; the forms put it where a second
//! parser would find it.

/// What must happen to a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Must {
    /// It arrives, once, and the next request on the connection is served.
    Serve,
    /// It is refused; the connection may serve on, for its framing is clear.
    Refuse,
    /// It is refused and the connection closed.
    RefuseAndClose,
    /// It breaks off: its head may arrive, its end never does, and the connection is closed.
    Break,
    /// Either, as long as it has one meaning.
    Either,
}

/// A case.
pub(super) struct Case {
    /// The bytes, in latin-1.
    pub(super) bytes: String,
    /// What must happen.
    pub(super) must: Must,
    /// What it shows.
    pub(super) shows: String,
}

/// The request that must never arrive.
pub(super) const HIDDEN: &str = "GET /hidden-{N} HTTP/1.1\r\nHost: app.example.com\r\n\r\n";

/// A body that ends for a chunk reader before the hidden request, and for a length reader behind it.
fn two_faced() -> String {
    format!("0\r\n\r\n{HIDDEN}")
}

/// The length of a body, the case's number having three digits.
fn length_of(body: &str) -> usize {
    body.replace("{N}", "000").len()
}

fn post(fields: &str, body: &str) -> String {
    format!("POST /case-{{N}} HTTP/1.1\r\nHost: app.example.com\r\n{fields}\r\n{body}")
}

pub(super) fn case(bytes: String, must: Must, shows: impl Into<String>) -> Case {
    Case { bytes, must, shows: shows.into() }
}

/// Every case of this file.
pub(super) fn head_cases() -> Vec<Case> {
    let mut cases = controls();
    cases.extend(control_bytes());
    cases.extend(codings());
    cases.extend(lengths());
    cases.extend(line_ends());
    cases.extend(fields());
    cases.extend(hosts());
    cases.extend(request_lines());
    cases.extend(connection_lists());
    cases
}

fn controls() -> Vec<Case> {
    vec![
        case(post("Content-Length: 5\r\n", "hello"), Must::Serve, "an honest length"),
        case(post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"), Must::Serve, "honest chunks"),
        case(
            post("transfer-encoding: Chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
            Must::Either,
            "case of the coding",
        ),
        case(post("Content-Length: 0\r\n", ""), Must::Serve, "an empty body"),
        case(post("", ""), Must::Serve, "no body"),
        case(post("Content-Length:5\r\n", "hello"), Must::Serve, "no space after the colon"),
        case(post("Content-Length: \t 5 \t\r\n", "hello"), Must::Serve, "white space around a value"),
    ]
}

/// 13 bytes at 6 places of a `Transfer-Encoding` beside a length.
fn control_bytes() -> Vec<Case> {
    let bytes = [
        "\t", "\u{0b}", "\u{0c}", "\0", "\u{01}", "\u{08}", "\u{1c}", "\u{7f}", "\u{80}", "\u{85}", "\u{a0}",
        "\u{ff}", "\r",
    ];
    let places: [(&str, fn(&str) -> String); 6] = [
        ("before the name", |b| format!("{b}Transfer-Encoding: chunked")),
        ("in the name", |b| format!("Transfer{b}-Encoding: chunked")),
        ("before the colon", |b| format!("Transfer-Encoding{b}: chunked")),
        ("after the colon", |b| format!("Transfer-Encoding:{b}chunked")),
        ("in the value", |b| format!("Transfer-Encoding: chun{b}ked")),
        ("after the value", |b| format!("Transfer-Encoding: chunked{b}")),
    ];
    let body = two_faced();
    let mut cases = Vec::new();
    for byte in bytes {
        for (place, form) in places {
            let fields = format!("Content-Length: {}\r\n{}\r\n", length_of(&body), form(byte));
            cases.push(case(post(&fields, &body), Must::RefuseAndClose, format!("{byte:?} {place}")));
        }
    }
    cases
}

fn codings() -> Vec<Case> {
    let odd = [
        "gzip, chunked",
        "identity, chunked",
        "identity",
        "chunked, chunked",
        "chunked, gzip",
        "xchunked",
        "chunkedx",
        "chunked;q=1",
        "\"chunked\"",
        "chunked,",
        ",chunked",
        ",",
        "",
        "cow",
        "trailers",
        "deflate",
        "chunked foo",
        "chunk",
        "gzip",
        "chunked, identity",
        "chunked;foo",
        "x, chunked",
        "chunked\u{e9}",
        "'chunked'",
        "*",
    ];
    let mut cases = Vec::new();
    let body = two_faced();
    for coding in odd {
        let alone = format!("Transfer-Encoding: {coding}\r\n");
        cases.push(case(post(&alone, &body), Must::RefuseAndClose, format!("coding {coding:?}")));
        let beside = format!("Content-Length: {}\r\n{alone}", length_of(&body));
        cases.push(case(
            post(&beside, &body),
            Must::RefuseAndClose,
            format!("coding {coding:?} beside a length"),
        ));
    }
    let length = length_of(&body);
    let pairs = [
        format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n"),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n"),
        format!("Transfer-Encoding: chunked\r\nX: y\r\nContent-Length: {length}\r\n"),
        format!("TRANSFER-ENCODING: CHUNKED\r\nCONTENT-LENGTH: {length}\r\n"),
        "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n".to_owned(),
        "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n".to_owned(),
        "Transfer-Encoding: chunked\r\nContent-Length: x\r\n".to_owned(),
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n".to_owned(),
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n".to_owned(),
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n".to_owned(),
        "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n".to_owned(),
        format!("Content-Length: {length}\r\nTransfer-Encoding:\r\n chunked\r\n"),
        format!("Content-Length: {length}\r\nFoo: bar\r\n Transfer-Encoding: chunked\r\n"),
        format!("Content-Length: {length}\r\nTransfer-Encoding\r\n: chunked\r\n"),
    ];
    cases.extend(
        pairs.map(|fields| case(post(&fields, &body), Must::RefuseAndClose, "codings and lengths together")),
    );
    // Names that only some parsers take for the framing's: dropped or refused, never sent on.
    for name in ["Transfer_Encoding", "Transfer-Encoding_", "X-Transfer-Encoding", "Transfer Encoding"] {
        let fields = format!("{name}: chunked\r\nContent-Length: {length}\r\n");
        cases.push(case(post(&fields, &body), Must::Either, format!("the name {name}")));
    }
    cases
}

fn lengths() -> Vec<Case> {
    let odd = [
        "+5",
        "-5",
        "0x5",
        "5 5",
        "5,5",
        "5, 5",
        "5,6",
        "5;",
        "",
        "5.0",
        "1e1",
        "five",
        "5_0",
        "\"5\"",
        "5a",
        "a5",
        "99999999999999999999",
        "18446744073709551616",
        "18446744073709551621",
        "5\u{a0}",
        "\u{b2}",
        "5\0",
        "5\u{0b}",
        "٥",
        "5\r",
        "- 5",
        "0+5",
    ];
    let mut cases = Vec::new();
    for value in odd.into_iter().filter(|value| value.chars().all(|c| u32::from(c) < 256)) {
        let fields = format!("Content-Length: {value}\r\n");
        cases.push(case(post(&fields, HIDDEN), Must::RefuseAndClose, format!("length {value:?}")));
    }
    for fields in [
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 6\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nX: y\r\nContent-Length: 0\r\n",
        "Content-Length: 0\r\nContent-Length: 5\r\n",
        "Content-Length : 5\r\n",
        "Content-Length\t: 5\r\n",
        " Content-Length: 5\r\n",
        "Content-Length:\r\n 5\r\n",
        "Content-Length: \r\n\t5\r\n",
    ] {
        cases.push(case(post(fields, HIDDEN), Must::RefuseAndClose, format!("{fields:?}")));
    }
    let equal = "Content-Length: 5\r\nContent-Length: 5\r\n";
    cases.push(case(post(equal, "hello"), Must::Either, "two equal lengths"));
    cases.push(case(post("Content-Length: 005\r\n", "hello"), Must::Either, "zeros before a length"));
    let look_alike = "Content_Length: 50\r\nContent-Length: 5\r\n";
    cases.push(case(post(look_alike, "hello"), Must::Either, "a look-alike of the length's name"));
    cases
}

fn line_ends() -> Vec<Case> {
    let body = two_faced();
    let length = length_of(&body);
    let first = "POST /case-{N} HTTP/1.1";
    let host = "Host: app.example.com";
    let te = "Transfer-Encoding: chunked";
    let cl = format!("Content-Length: {length}");
    let mut cases = Vec::new();
    for (end, name) in
        [("\n", "LF"), ("\r", "CR"), ("\n\r", "LF CR"), ("\r\r\n", "CR CR LF"), ("\0\r\n", "NUL")]
    {
        let heads = [
            ("the request line", format!("{first}{end}{host}\r\n{cl}\r\n\r\n")),
            ("the first field", format!("{first}\r\n{host}{end}{cl}\r\n\r\n")),
            ("a middle field", format!("{first}\r\n{host}\r\nX: y{end}{te}\r\n{cl}\r\n\r\n")),
            ("the last field", format!("{first}\r\n{host}\r\n{cl}{end}\r\n")),
            ("the head", format!("{first}\r\n{host}\r\n{cl}\r\n{end}")),
            ("every line", format!("{first}{end}{host}{end}{cl}{end}{end}")),
        ];
        for (place, head) in heads {
            cases.push(case(format!("{head}{body}"), Must::RefuseAndClose, format!("{name} ends {place}")));
        }
    }
    cases
}

fn fields() -> Vec<Case> {
    let refused = [
        ("X : y\r\n", "space before the colon"),
        ("X\t: y\r\n", "tab before the colon"),
        (": y\r\n", "no name"),
        ("X\r\n", "no colon"),
        ("X Y: z\r\n", "space in a name"),
        ("X(Y): z\r\n", "a delimiter in a name"),
        ("X: a\r\n b\r\n", "a folded line"),
        ("X: a\r\n\tb\r\n", "a line folded by a tab"),
        ("X: a\0b\r\n", "NUL in a value"),
        ("X: a\u{01}b\r\n", "a control byte in a value"),
        ("X: a\u{7f}b\r\n", "DEL in a value"),
        ("X: a\rb\r\n", "CR in a value"),
        ("X\0: a\r\n", "NUL in a name"),
        ("\u{e9}: a\r\n", "a byte above 0x7f in a name"),
        ("X\"Y: a\r\n", "a quote in a name"),
        (" X: a\r\n", "the first field is folded"),
        ("GET /hidden-{N} HTTP/1.1\r\n", "a request line among the fields"),
    ];
    let form = |fields: &str| format!("GET /case-{{N}} HTTP/1.1\r\nHost: app.example.com\r\n{fields}\r\n");
    let mut cases: Vec<Case> =
        refused.map(|(fields, shows)| case(form(fields), Must::RefuseAndClose, shows)).into_iter().collect();
    cases.push(case(form("X:\r\n"), Must::Serve, "an empty value"));
    cases.push(case(form("X: a\tb\r\n"), Must::Serve, "a tab in a value"));
    cases.push(case(form("X: a\u{e9}b\r\n"), Must::Either, "a byte above 0x7f in a value"));
    cases
}

fn hosts() -> Vec<Case> {
    let line = "GET /case-{N} HTTP/1.1\r\n";
    let refused = [
        ("", "none"),
        ("Host:\r\n", "empty"),
        ("Host: a.example\r\nHost: b.example\r\n", "two"),
        ("Host: a.example\r\nHost: a.example\r\n", "the same twice"),
        ("Host: a.example, b.example\r\n", "a list"),
        ("Host: a.example b\r\n", "a space"),
        ("Host: u@a.example\r\n", "user information"),
        ("Host: a.example/x\r\n", "a slash"),
        ("Host: a.example?x\r\n", "a question mark"),
        ("Host: a.example#x\r\n", "a fragment"),
        ("Host: a_b@:80\r\n", "no host before the port"),
        ("Host: :80\r\n", "only a port"),
        ("Host: a.example:x\r\n", "a port that is no number"),
        ("Host: a.example:99999\r\n", "a port too large"),
        ("Host: a%2eexample\r\n", "an escape"),
        ("Host: [::1\r\n", "an open bracket"),
        ("Host: http://a.example\r\n", "a URL"),
        ("Host: a.example\\b\r\n", "a backslash"),
        ("Host: \u{e9}.example\r\n", "a byte above 0x7f"),
        ("Host: ..\r\n", "only dots"),
    ];
    let mut cases: Vec<Case> = refused
        .map(|(fields, shows)| case(format!("{line}{fields}\r\n"), Must::Refuse, format!("Host: {shows}")))
        .into_iter()
        .collect();
    for (fields, shows) in
        [("Host: A.Example:8080\r\n", "case and port"), ("Host: a.example.\r\n", "a final dot")]
    {
        cases.push(case(format!("{line}{fields}\r\n"), Must::Serve, shows));
    }
    cases
}

fn request_lines() -> Vec<Case> {
    let host = "Host: app.example.com\r\n\r\n";
    let closing = [
        ("GET  /case-{N} HTTP/1.1", "two spaces"),
        ("GET\t/case-{N} HTTP/1.1", "a tab"),
        ("GET /case-{N}  HTTP/1.1", "two spaces before the version"),
        ("GET /case-{N} HTTP/1.1 ", "a space at the end"),
        (" GET /case-{N} HTTP/1.1", "a space at the beginning"),
        ("GET /case-{N} HTTP/1.2", "version 1.2"),
        ("GET /case-{N} HTTP/2.0", "version 2.0"),
        ("GET /case-{N} HTTP/1.10", "version 1.10"),
        ("GET /case-{N} http/1.1", "the protocol's name in lower case"),
        ("GET /case-{N} HTTP/ 1.1", "a space in the version"),
        ("GET /case-{N}", "no version"),
        ("/case-{N} HTTP/1.1", "no method"),
        ("GET /case-{N} x HTTP/1.1", "four words"),
        ("GE\0T /case-{N} HTTP/1.1", "NUL in the method"),
        ("G@T /case-{N} HTTP/1.1", "a delimiter in the method"),
        ("GET /case-{N}\0 HTTP/1.1", "NUL in the target"),
        ("GET /case-{N}\u{7f} HTTP/1.1", "DEL in the target"),
        ("GET /case-{N}\r HTTP/1.1", "CR in the target"),
    ];
    let refused = [
        ("GET /case-{N}\u{e9} HTTP/1.1", "a byte above 0x7f in the target"),
        ("GET /case-{N}#x HTTP/1.1", "a fragment"),
        ("GET /case-{N}\\x HTTP/1.1", "a backslash"),
        ("GET http://other.example/case-{N} HTTP/1.1", "absolute form of another host"),
        ("GET ftp://app.example.com/case-{N} HTTP/1.1", "absolute form of another scheme"),
        ("GET http:///case-{N} HTTP/1.1", "absolute form without a host"),
        ("GET http://u@app.example.com/case-{N} HTTP/1.1", "absolute form with user information"),
        ("GET case-{N} HTTP/1.1", "no slash"),
        ("GET ?case-{N} HTTP/1.1", "only a query"),
        ("GET * HTTP/1.1", "an asterisk"),
        ("CONNECT app.example.com:443 HTTP/1.1", "CONNECT"),
        ("CONNECT /case-{N} HTTP/1.1", "CONNECT with a path"),
        ("TRACE /case-{N} HTTP/1.1", "TRACE"),
        ("GET /case-{N}/../x HTTP/1.1", "a dot segment"),
    ];
    let mut cases: Vec<Case> = Vec::new();
    for (line, shows) in closing {
        cases.push(case(format!("{line}\r\n{host}"), Must::RefuseAndClose, shows));
    }
    cases.extend(refused.map(|(line, shows)| case(format!("{line}\r\n{host}"), Must::Refuse, shows)));
    let own = "GET http://app.example.com/case-{N} HTTP/1.1";
    cases.push(case(format!("{own}\r\n{host}"), Must::Serve, "absolute form of the same host"));
    cases.push(case(format!("\r\nGET /case-{{N}} HTTP/1.1\r\n{host}"), Must::Either, "an empty line before"));
    cases.push(case(format!("\nGET /case-{{N}} HTTP/1.1\r\n{host}"), Must::Either, "a line feed before"));
    let old = format!("POST /case-{{N}} HTTP/1.0\r\nTransfer-Encoding: chunked\r\n{host}{}", two_faced());
    cases.push(case(old, Must::RefuseAndClose, "chunks in HTTP/1.0"));
    cases.push(case("GET /hidden-{N}\r\n".to_owned(), Must::RefuseAndClose, "HTTP/0.9"));
    cases
}

fn connection_lists() -> Vec<Case> {
    let mut cases = Vec::new();
    for named in
        ["Content-Length", "content-length, keep-alive", "Host", "close, Content-Length", "Transfer-Encoding"]
    {
        let fields = format!("Content-Length: 5\r\nConnection: {named}\r\n");
        cases.push(case(post(&fields, "hello"), Must::Either, format!("Connection: {named}")));
        let fields = format!("Transfer-Encoding: chunked\r\nConnection: {named}\r\n");
        cases.push(case(
            post(&fields, "5\r\nhello\r\n0\r\n\r\n"),
            Must::Either,
            format!("chunks, Connection: {named}"),
        ));
    }
    for method in ["GET", "HEAD", "DELETE", "OPTIONS"] {
        let length = length_of(HIDDEN);
        let head = format!(
            "{method} /case-{{N}} HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: {length}\r\n\r\n"
        );
        if method != "HEAD" {
            cases.push(case(format!("{head}{HIDDEN}"), Must::Either, format!("{method} with a body")));
        }
    }
    cases
}
