//! Class 1, request smuggling: CL.TE, TE.CL, TE.TE and everything two parsers may read differently.
//!
//! Recipe: header forms × 13 control bytes × positions, bare line feeds, chunk extensions, odd lengths,
//! hosts and request lines. Each case hides a request in bytes that one reading takes for a body, and is
//! followed by an honest request on the same connection. Must happen: nothing ambiguous at the raw
//! backend, the hidden request never arrives, and what follows is either answered as itself or not at
//! all because the connection is closed.

mod chunks;
mod corpus;

use corpus::{Case, Must};

use super::harness::client::NoReply;
use super::harness::{Backend, Client, Setup, from_latin1};

/// What was seen of one case.
#[derive(Debug)]
struct Seen {
    statuses: Vec<u16>,
    followed: bool,
    end: &'static str,
    /// Targets at the backend, and whether their bodies came to an end.
    arrived: Vec<(String, bool)>,
}

fn run(case: &Case, number: usize, client: &mut Client, backend: &Backend) -> Seen {
    let name = |text: &str| text.replace("{N}", &number.to_string());
    let after = format!("/after-{number}");
    client.send(from_latin1(&name(&case.bytes)));
    client.send(format!("GET {after} HTTP/1.1\r\nHost: app.example.com\r\n\r\n"));
    let mut seen = Seen { statuses: Vec::new(), followed: false, end: "open", arrived: Vec::new() };
    loop {
        match client.read() {
            Ok(reply) => {
                seen.statuses.push(reply.status);
                let answers_after = reply.text().contains(&format!("\"{after}\""));
                if answers_after {
                    seen.followed = true;
                    break;
                }
            }
            Err(NoReply::Silent) => {
                seen.end = "silent";
                break;
            }
            Err(NoReply::Closed | NoReply::Cut) => {
                seen.end = "closed";
                break;
            }
        }
    }
    let own = |target: &str| target.contains(&format!("-{number}")) || target == "/";
    let recorded = backend.take();
    let recorded = recorded.into_iter().filter(|request| own(&request.head.target));
    seen.arrived = recorded.map(|request| (request.head.target, request.complete)).collect();
    seen
}

fn judge(case: &Case, number: usize, seen: &Seen) -> Option<String> {
    let arrived = |part: &str| seen.arrived.iter().any(|(target, _)| target.contains(part));
    let (served, hidden) = (arrived("/case-"), arrived("/hidden-"));
    let whole = seen.arrived.iter().any(|(target, complete)| *complete && target.contains("/case-"));
    let twice = seen.arrived.len() > 1 + usize::from(seen.followed);
    let refused = seen.statuses.first().is_none_or(|status| (400..600).contains(status) && *status != 502);
    let wrong = match case.must {
        _ if hidden => Some("the hidden request arrived"),
        _ if twice => Some("more arrived than was answered"),
        _ if seen.end == "silent" => Some("neither answered nor closed"),
        Must::Refuse | Must::RefuseAndClose if served => Some("it arrived"),
        Must::Refuse | Must::RefuseAndClose if !refused => Some("it was not refused"),
        Must::Break if whole => Some("it arrived whole"),
        Must::RefuseAndClose | Must::Break if seen.followed => Some("the connection lived on"),
        Must::Serve if !served || !seen.followed => Some("it was refused"),
        Must::Serve | Must::Refuse | Must::RefuseAndClose | Must::Break | Must::Either => None,
    };
    wrong.map(|wrong| format!("{number} {}: {wrong}; {seen:?}; {:?}", case.shows, case.bytes))
}

#[test]
fn nothing_ambiguous_reaches_the_wire() {
    let cases: Vec<Case> = corpus::head_cases().into_iter().chain(chunks::chunk_cases()).collect();
    assert!(cases.len() >= 200, "{} cases, at least 200 are asked for", cases.len());
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let mut wrong = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        // Three digits whatever the case, for the lengths in it count them.
        let number = number + 100;
        let seen = run(case, number, &mut server.connect(), &backend);
        wrong.extend(judge(case, number, &seen));
    }
    wrong.extend(backend.violations());
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn split_anywhere_it_means_the_same() {
    // A request that arrives byte by byte must be read as one that arrives at once.
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let whole =
        "POST /split HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    for at in 1..whole.len() {
        let mut client = server.connect();
        client.send(&whole[..at]);
        client.send(&whole[at..]);
        let reply = client.read().unwrap();
        assert_eq!((reply.status, backend.only().body.as_slice()), (200, b"abc".as_slice()), "split at {at}");
    }
}
