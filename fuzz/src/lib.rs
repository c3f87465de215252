//! What the fuzz targets do, one function each, and what they hold true of any bytes.
//!
//! The targets call these and nothing else, and so does `tests/it/fuzz_replay.rs`, which includes this
//! file and feeds it every seed and every kept finding. Beyond not panicking each function states an
//! invariant: a canonical form is its own canonical form, a verdict does not depend on how the bytes
//! were cut, a pattern is given up rather than run for ever.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use hyper::rt::{Read, ReadBuf, ReadBufCursor};
use vestibule::listener::guard::{Guarded, Verdict, Violation};
use vestibule::request::{Authority, Host, Peer, Scheme, Target, Trust, canonicalize};
use vestibule::route::pattern::{Pattern, Steps};
use vestibule::route::target::Template;
use vestibule::tenant::HostPattern;

/// Lines of `bytes` as text, each byte a character, so that any byte can reach a header.
fn lines(bytes: &[u8]) -> Vec<String> {
    bytes
        .split(|byte| *byte == b'\n')
        .map(|line| line.iter().map(|byte| char::from(*byte)).collect())
        .collect()
}

/// `METHOD target` and header lines: what is canonical has a path, no dot segment, no fragment, and is
/// canonical again.
pub fn request(bytes: &[u8]) {
    let lines = lines(bytes);
    let Some((method, uri)) = lines.first().and_then(|line| line.split_once(' ')) else { return };
    let mut builder = http::Request::builder().method(method).uri(uri);
    for (name, value) in lines.iter().skip(1).filter_map(|line| line.split_once(": ")) {
        let value: Vec<u8> = value.chars().map(|c| c as u8).collect();
        builder = builder.header(name, value);
    }
    let Ok(request) = builder.body(()) else { return };
    let parts = request.into_parts().0;
    let peer = Peer::new([127, 0, 0, 1].into(), Scheme::Http);
    let networks = "127.0.0.0/8".parse().into_iter().collect();
    for trust in [Trust::new(Vec::new(), false), Trust::new(networks, false)] {
        let Ok(canonical) = canonicalize(&parts, &peer, &trust) else { continue };
        holds_for_target(&canonical.target);
        if let Some(host) = &canonical.host {
            assert_eq!(Host::parse(host.as_str()).as_ref(), Ok(host));
        }
    }
}

fn holds_for_target(target: &Target) {
    let text = target.as_str();
    assert!(text.starts_with('/') && text.bytes().all(|byte| (0x21..0x7f).contains(&byte)), "{text:?}");
    // A backslash in a query is what browsers send; only in a path is it a separator to some.
    assert!(!text.contains('#') && !target.path().contains('\\'), "{text:?}");
    assert_eq!(format!("{}{}", target.path(), target.query()), text);
    assert!(!target.path().contains('?'), "{text:?}");
    for segment in target.path().split('/') {
        let segment = segment.to_ascii_lowercase().replace("%2e", ".");
        let segment = segment.split([';', '?']).next().unwrap_or_default();
        assert!(!matches!(segment, "." | ".."), "{text:?}");
        for escape in ["%2f", "%5c", "%00", "%0a", "%0d"] {
            assert!(!segment.contains(escape), "{text:?}");
        }
    }
    let again = Target::parse(text);
    assert_eq!(again.as_ref().map(Target::as_str), Ok(text));
}

/// A path and query: what is accepted is canonical.
pub fn target(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(target) = Target::parse(text) {
        holds_for_target(&target);
    }
}

/// A host, with a port or without: what is accepted is lower case and its own form.
pub fn host(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(host) = Host::parse(text)
    {
        let form = host.as_str();
        assert!(!form.is_empty() && !form.contains(['/', '@', '%', ' ', '\\', '?', '#']), "{form:?}");
        assert_eq!(form, form.to_ascii_lowercase());
        assert_eq!(Host::parse(form).as_ref(), Ok(&host));
    }
    if let Ok(authority) = Authority::parse(bytes) {
        assert_eq!(Host::parse(authority.host.as_str()), Ok(authority.host));
    }
}

/// A tenant host pattern in the first line, a host in the second: an anchored pattern that captures
/// something captures part of the host.
pub fn host_pattern(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some((source, host)) = text.split_once('\n') else { return };
    let (Ok(anchored), Ok(host)) = (HostPattern::compile(source, true), Host::parse(host)) else { return };
    if let Some(key) = anchored.captured(&host, Some(443)) {
        assert!(format!("{}:443", host.as_str()).contains(&key), "{key:?} is not in {host:?}");
    }
    if let Ok(loose) = HostPattern::compile(source, false) {
        let _ = loose.captured(&host, None);
    }
}

/// A pattern, a target template and a text, a line each: a match lies within the text, and the search
/// ends.
pub fn pattern(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut lines = text.splitn(3, '\n');
    let [Some(source), Some(template), Some(text)] = [lines.next(), lines.next(), lines.next()] else {
        return;
    };
    let text: String = text.chars().filter(char::is_ascii).take(2_000).collect();
    for match_case in [true, false] {
        let Ok(pattern) = Pattern::compile(source, match_case) else { continue };
        let Ok(found) = pattern.find(&text, &mut Steps::default()) else { continue };
        let Ok(matches) = pattern.is_match(&text, &mut Steps::default()) else { continue };
        assert_eq!(found.is_some(), matches, "{source:?} in {text:?}");
        let Some(groups) = found else { continue };
        let (begin, end) = groups.span(0).unwrap_or((1, 0));
        assert!(begin <= end && end <= text.len(), "{source:?} in {text:?}");
        let replaced = Template::compile(template, &pattern).replace(&text, &groups);
        assert!(replaced.starts_with(&text[..begin]) && replaced.ends_with(&text[end..]), "{replaced:?}");
    }
}

/// An `xs-app.json`: every problem has a place within the text.
pub fn xs_app(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        in_place(&vestibule::config::parse_xs_app(text), text);
    }
}

/// An `xs-tenants.json`: every problem has a place within the text.
pub fn xs_tenants(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        in_place(&vestibule::config::parse_xs_tenants(text), text);
    }
}

fn in_place(problems: &vestibule::config::Problems, text: &str) {
    let last = u32::try_from(text.split('\n').count()).unwrap_or(u32::MAX);
    for problem in problems {
        assert!((0..=last).contains(&problem.line), "{problem:?}");
    }
}

/// A bearer token: taken apart without a panic, whatever it is.
pub fn token(bytes: &[u8]) {
    vestibule::auth::token::fuzz(bytes);
}

/// What a browser may send of a session: cookies, a sealed session, and what is below a seal.
pub fn session_cookie(bytes: &[u8]) {
    vestibule::session::fuzz(bytes);
}

/// What one side of a WebSocket sends: the same passes however it is cut, and that is frames.
pub fn frames(bytes: &[u8]) {
    vestibule::forward::upgrade::fuzz(bytes);
}

/// The bytes of an HTTP/1 connection: the verdict is the same however they were cut.
pub fn guard(bytes: &[u8]) {
    let (cut, bytes) = bytes.split_first().map_or((1, bytes), |(cut, rest)| (usize::from(*cut).max(1), rest));
    assert_eq!(verdict(bytes, bytes.len().max(1)), verdict(bytes, cut));
}

fn verdict(bytes: &[u8], at_once: usize) -> Option<Violation> {
    let verdict = Arc::new(Verdict::default());
    let mut guarded = Guarded::http1(Wire { bytes, at_once }, Arc::clone(&verdict));
    let mut room = [0; 256];
    loop {
        let mut buffer = ReadBuf::new(&mut room);
        let mut context = Context::from_waker(Waker::noop());
        let read = Pin::new(&mut guarded).poll_read(&mut context, buffer.unfilled());
        if !matches!(read, Poll::Ready(Ok(()))) || buffer.filled().is_empty() {
            return verdict.violation();
        }
    }
}

/// Bytes that arrive a few at a time.
struct Wire<'a> {
    bytes: &'a [u8],
    at_once: usize,
}

impl Read for Wire<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut out: ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        let this = self.get_mut();
        let (now, later) = this.bytes.split_at(this.at_once.min(this.bytes.len()).min(out.remaining()));
        out.put_slice(now);
        this.bytes = later;
        Poll::Ready(Ok(()))
    }
}
