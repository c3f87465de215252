//! Our cookies: read strictly, written with every attribute.
//!
//! A session lies in `NAME`, and where it is larger than one cookie in `NAME.1`, `NAME.2` and on. Only
//! these very names are looked at; one of them twice means that somebody else, a sibling domain for
//! one, has set it too, and then there is none (RFC 6265 §8.6). Nothing here knows what a value means.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use super::opened::SetCookies;
use super::policy::{CookieScope, Policy, SameSite, Secure};

/// How many cookies one session may lie in; more would not leave room in the header for anything else.
pub const MAX_CHUNKS: usize = 6;

/// What follows a session's name in that of the cookie with the cookies of backends.
const BACKENDS: &str = "-backend";

/// The cookie with the cookies of backends for who has no session.
pub const CALLER: &str = "ARBE";

/// What a request brings of a session.
#[derive(Debug, PartialEq, Eq)]
pub enum Presented<'a> {
    /// No cookie of that name.
    Absent,
    /// A name twice: none of them counts.
    Twice,
    /// The values in order.
    Present(Chunks<'a>),
}

/// The values of `NAME`, `NAME.1`, …; a gap is `None`. Behind them that of `NAME-backend`, where it comes
/// once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chunks<'a>(pub [Option<&'a [u8]>; MAX_CHUNKS], pub Option<&'a [u8]>);

/// The session that a request brings under `name`.
#[must_use]
pub fn presented<'a>(headers: &'a HeaderMap, name: &str) -> Presented<'a> {
    let mut chunks = Chunks::default();
    let (mut any, mut backends) = (false, 0_u32);
    for (found, value) in pairs(headers) {
        let Some(rest) = found.strip_prefix(name.as_bytes()) else { continue };
        if rest == BACKENDS.as_bytes() {
            backends = backends.saturating_add(1);
            chunks.1 = Some(value).filter(|_| backends == 1);
            continue;
        }
        let Some(place) = chunk(rest).and_then(|at| chunks.0.get_mut(at)) else { continue };
        if place.replace(value).is_some() {
            return Presented::Twice;
        }
        any = true;
    }
    if any { Presented::Present(chunks) } else { Presented::Absent }
}

/// Whether a request brings a part of the session twice, so that it has none whatever the values are.
#[must_use]
pub fn is_twice(headers: &HeaderMap, name: &str) -> bool {
    matches!(presented(headers, name), Presented::Twice)
}

/// Whether a request brings anything under `name`, the cheapest question there is.
#[must_use]
pub fn is_present(headers: &HeaderMap, name: &str) -> bool {
    pairs(headers).any(|(found, _)| found == name.as_bytes())
}

/// The value of `name`, where it comes once.
#[must_use]
pub fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    let mut found = pairs(headers).filter(|(found, _)| *found == name.as_bytes()).map(|(_, value)| value);
    found.next().filter(|_| found.next().is_none())
}

/// Whether a cookie called `name` is one of ours where sessions are called `session`: a backend never
/// gets it.
#[must_use]
pub fn is_ours(name: &[u8], session: &str) -> bool {
    let Some(rest) = name.strip_prefix(session.as_bytes()) else { return false };
    chunk(rest).is_some()
        || rest == BACKENDS.as_bytes()
        || rest.starts_with(b"-flow-")
        || rest.starts_with(b"-fragment-")
}

/// Which chunk of a session a cookie is, by what follows the session's name in its own.
fn chunk(rest: &[u8]) -> Option<usize> {
    match rest {
        [] => Some(0),
        [b'.', digit @ b'1'..=b'9'] => Some(usize::from(digit - b'0')).filter(|at| *at < MAX_CHUNKS),
        _ => None,
    }
}

/// Names and values of every `Cookie`, as RFC 6265 §4.2.1 writes them; HTTP/2 may split them over
/// several fields.
pub fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&[u8], &[u8])> {
    headers.get_all(COOKIE).into_iter().flat_map(items).filter_map(|pair| {
        let at = memchr::memchr(b'=', pair)?;
        Some((pair.get(..at)?, pair.get(at + 1..)?))
    })
}

/// What stands between the semicolons of one `Cookie`, without blanks around it. A sealed session is
/// kilobytes without a semicolon, so they are searched for many bytes at a time.
pub fn items(value: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(value.as_bytes());
    std::iter::from_fn(move || {
        let bytes = rest?;
        let (item, behind) = match memchr::memchr(b';', bytes) {
            Some(at) => (bytes.get(..at)?, bytes.get(at + 1..)),
            None => (bytes, None),
        };
        rest = behind;
        Some(item.trim_ascii())
    })
}

/// How a cookie is set apart from the session's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// Seconds that it is kept; `None` until the browser ends, 0 removes it.
    pub max_age: Option<u64>,
    /// Whether it is sent from other sites.
    pub same_site: SameSite,
}

impl Attributes {
    /// Those of the session.
    #[must_use]
    pub fn session(policy: &Policy) -> Self {
        Self { max_age: None, same_site: policy.same_site }
    }

    /// The same, to remove it.
    #[must_use]
    pub fn removing(self) -> Self {
        Self { max_age: Some(0), ..self }
    }
}

/// `Set-Cookie` for `name`; nothing where name, value or path have characters that no header may have.
#[must_use]
pub fn set(
    name: &str,
    value: &str,
    attributes: Attributes,
    policy: &Policy,
    scope: &CookieScope,
) -> Option<HeaderValue> {
    let mut text = String::with_capacity(name.len() + value.len() + scope.path.len() + 80);
    text.extend([name, "=", value, "; Path=", &scope.path]);
    if let Some(seconds) = attributes.max_age {
        text.push_str("; Max-Age=");
        text.push_str(itoa::Buffer::new().format(seconds));
    }
    text.push_str("; HttpOnly");
    if is_secure(policy, scope) {
        text.push_str("; Secure");
    }
    text.push_str(match attributes.same_site {
        SameSite::Lax => "; SameSite=Lax",
        SameSite::Strict => "; SameSite=Strict",
        SameSite::None => "; SameSite=None",
    });
    if policy.partitioned {
        text.push_str("; Partitioned");
    }
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// What removes the session that a request brings, be it one or not.
#[must_use]
pub fn removal(headers: &HeaderMap, policy: &Policy, scope: &CookieScope) -> SetCookies {
    let attributes = Attributes::session(policy).removing();
    (0..MAX_CHUNKS)
        .map(|at| chunk_name(&policy.cookie, at))
        .chain([backends_name(&policy.cookie)])
        .filter(|name| is_present(headers, name))
        .filter_map(|name| set(&name, "", attributes, policy, scope))
        .collect()
}

fn is_secure(policy: &Policy, scope: &CookieScope) -> bool {
    match policy.secure {
        Secure::Outside => scope.https,
        Secure::Always => true,
        Secure::Never => false,
    }
}

/// The name of a session's chunk.
#[must_use]
pub fn chunk_name(session: &str, at: usize) -> String {
    if at == 0 { session.to_owned() } else { format!("{session}.{at}") }
}

/// The name of the cookie with the cookies of backends.
#[must_use]
pub fn backends_name(session: &str) -> String {
    format!("{session}{BACKENDS}")
}

#[cfg(test)]
mod tests;
