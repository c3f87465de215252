//! The cases that differ in how a chunked body is written.

use super::corpus::{Case, HIDDEN, Must, case};

fn chunked(body: &str) -> String {
    format!("POST /case-{{N}} HTTP/1.1\r\nHost: app.example.com\r\nTransfer-Encoding: chunked\r\n\r\n{body}")
}

/// Every case of this file.
pub(super) fn chunk_cases() -> Vec<Case> {
    let mut cases = sizes();
    cases.extend(extensions());
    cases.extend(trailers());
    cases
}

/// A size line that one reader takes for five and another for something else.
fn sizes() -> Vec<Case> {
    let broken = [
        ("0x5", "hexadecimal prefix"),
        ("+5", "a sign"),
        ("-5", "a negative size"),
        (" 5", "a space before"),
        ("\t5", "a tab before"),
        ("5,", "a comma"),
        ("5 5", "two sizes"),
        ("five", "a word"),
        ("", "nothing"),
        ("g", "a letter that is no digit"),
        ("5\0", "NUL after"),
        ("\u{0b}5", "a vertical tab before"),
        ("FFFFFFFFFFFFFFFFF", "more than 64 bits"),
        ("10000000000000005", "five beyond 64 bits"),
        ("5.0", "a fraction"),
        ("5_", "an underscore"),
        ("\u{b5}", "a byte above 0x7f"),
    ];
    let mut cases: Vec<Case> = broken
        .map(|(size, shows)| {
            let body = format!("{size}\r\nhello\r\n0\r\n\r\n{HIDDEN}");
            case(chunked(&body), Must::Break, format!("chunk size: {shows}"))
        })
        .into_iter()
        .collect();
    for (size, shows) in [("005", "zeros before"), ("5 ", "a space after"), ("5\t", "a tab after")] {
        cases.push(case(chunked(&format!("{size}\r\nhello\r\n0\r\n\r\n")), Must::Either, shows));
    }
    let ends = [
        (format!("5\nhello\r\n0\r\n\r\n{HIDDEN}"), "LF after a size"),
        (format!("5\r\nhello\n0\r\n\r\n{HIDDEN}"), "LF after the data"),
        (format!("5\r\nhello0\r\n\r\n{HIDDEN}"), "nothing after the data"),
        (format!("5\r\nhelloXX0\r\n\r\n{HIDDEN}"), "other bytes after the data"),
        (format!("5\r\nhello\r0\r\n\r\n{HIDDEN}"), "CR after the data"),
        (format!("5\rhello\r\n0\r\n\r\n{HIDDEN}"), "CR after a size"),
        (format!("5\r\nhello\r\n0\n\r\n{HIDDEN}"), "LF after the last size"),
        (format!("5\r\nhello\r\n0\r\n\n{HIDDEN}"), "LF ends the body"),
        (format!("5\r\nhello\r\n0\n\n{HIDDEN}"), "two LF end the body"),
        (format!("5\r\r\nhello\r\n0\r\n\r\n{HIDDEN}"), "CR CR LF after a size"),
    ];
    cases.extend(ends.map(|(body, shows)| case(chunked(&body), Must::Break, shows)));
    cases.push(case(chunked("5\r\nhello\r\n000\r\n\r\n"), Must::Either, "many zeros end the body"));
    cases
}

fn extensions() -> Vec<Case> {
    let refused = [
        ("5;\n", "LF ends an extension"),
        ("5;a\nb\r\n", "LF in an extension"),
        ("5;a=\"\n\"\r\n", "LF in a quoted extension"),
        ("5;a\rb\r\n", "CR in an extension"),
        ("5;a=\0\r\n", "NUL in an extension"),
        ("5\0;a\r\n", "NUL before an extension"),
        ("5;\u{0b}\r\n", "a control byte in an extension"),
    ];
    let mut cases: Vec<Case> = refused
        .map(|(line, shows)| case(chunked(&format!("{line}hello\r\n0\r\n\r\n{HIDDEN}")), Must::Break, shows))
        .into_iter()
        .collect();
    for (line, shows) in [
        ("5;a", "an extension"),
        ("5;a=b", "an extension with a value"),
        ("5;a=\"b;c\"", "a quoted extension"),
        ("5 ; a = b", "white space in an extension"),
        ("5;", "an empty extension"),
    ] {
        cases.push(case(chunked(&format!("{line}\r\nhello\r\n0\r\n\r\n")), Must::Either, shows));
    }
    let long = format!("5;{}\r\nhello\r\n0\r\n\r\n", "a".repeat(70_000));
    cases.push(case(chunked(&long), Must::Either, "an extension of 70,000 bytes"));
    let many = format!("{}0\r\n\r\n", "1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n".repeat(3_000));
    cases.push(case(chunked(&many), Must::Either, "3,000 extensions"));
    cases
}

fn trailers() -> Vec<Case> {
    let broken = [
        ("X : y\r\n", "space before the colon"),
        ("X\r\n", "no colon"),
        ("X: a\nY: b\r\n", "LF ends a trailer"),
        ("X: a\0\r\n", "NUL in a trailer"),
        (": a\r\n", "a trailer without a name"),
        ("X: a\r\n b\r\n", "a folded trailer"),
    ];
    let mut cases: Vec<Case> = broken
        .map(|(line, shows)| {
            case(chunked(&format!("5\r\nhello\r\n0\r\n{line}\r\n{HIDDEN}")), Must::Break, shows)
        })
        .into_iter()
        .collect();
    for (line, shows) in [
        ("X: a\r\n", "a trailer"),
        ("Content-Length: 50\r\n", "a length among the trailers"),
        ("Transfer-Encoding: chunked\r\n", "a coding among the trailers"),
        ("Host: other.example\r\n", "a host among the trailers"),
    ] {
        cases.push(case(chunked(&format!("5\r\nhello\r\n0\r\n{line}\r\n")), Must::Either, shows));
    }
    let many = "X-Trailer: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(2_000);
    cases.push(case(chunked(&format!("5\r\nhello\r\n0\r\n{many}\r\n")), Must::Either, "2,000 trailers"));
    cases
}
