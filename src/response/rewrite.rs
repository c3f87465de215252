//! Keeps a tenant's prefix in what a backend says that never saw it.
//!
//! Where the prefix was taken off a request's path, `Location`, `Content-Location` and the `Path` of
//! cookies get it back: paths, and addresses of this very host. What leads elsewhere, or is behind the
//! prefix already, is not touched. Paths are judged as browsers read them: they drop tabs, take `\` for
//! `/` and two slashes for a host, so that nothing that leads to a path here can come to lead to a host.

use http::header::{CONTENT_LOCATION, HeaderName, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use url::Url;

/// The part of a host that is one tenant's, as clients see it.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// `/t/acme`, without a slash at its end.
    pub prefix: &'a str,
    /// Host and port as the client wrote them, if it did.
    pub authority: Option<&'a str>,
    /// The path that the client asked for.
    pub path: &'a str,
}

/// Puts the prefix back into `headers`, which a backend answered.
pub fn behind(part: &Part<'_>, headers: &mut HeaderMap) {
    if part.prefix.is_empty() {
        return;
    }
    for name in [LOCATION, CONTENT_LOCATION] {
        replace(headers, &name, |value| location(part, std::str::from_utf8(value.as_bytes()).ok()?));
    }
    replace(headers, &SET_COOKIE, |value| cookie(part, value.as_bytes()));
}

/// Replaces the values of `name` for which `change` gives another.
fn replace(headers: &mut HeaderMap, name: &HeaderName, change: impl Fn(&HeaderValue) -> Option<Vec<u8>>) {
    let http::header::Entry::Occupied(mut found) = headers.entry(name) else { return };
    for value in found.iter_mut() {
        if let Some(changed) = change(value).and_then(|changed| HeaderValue::from_bytes(&changed).ok()) {
            *value = changed;
        }
    }
}

/// The address behind the prefix, where it is not.
fn location(part: &Part<'_>, address: &str) -> Option<Vec<u8>> {
    let address = address.replace(['\t', '\n', '\r'], "");
    let (origin, path) = match own_origin(part, &address) {
        Some(length) => address.split_at(length),
        None => ("", &*address),
    };
    let path = plain_path(path, !origin.is_empty())?;
    (!is_behind(&path, part.prefix)).then(|| [origin, part.prefix, &path].concat().into_bytes())
}

/// How many bytes of `address` are scheme, host and port of this very host.
fn own_origin(part: &Part<'_>, address: &str) -> Option<usize> {
    let (scheme, rest) = address.split_once("://")?;
    let default_port = match scheme.to_ascii_lowercase().as_str() {
        "http" => ":80",
        "https" => ":443",
        _ => return None,
    };
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let host = |text: &str| text.to_ascii_lowercase().trim_end_matches(default_port).to_owned();
    let is_own = host(rest.get(..end)?) == host(part.authority?);
    is_own.then_some(address.len() - rest.len() + end)
}

/// `path` with its query as a browser takes it, if it begins at the root of this host. Behind an origin it
/// may be empty.
fn plain_path(path: &str, has_origin: bool) -> Option<String> {
    let begins = path.strip_prefix('/').map(|rest| !rest.starts_with(['/', '\\']));
    let path = match begins {
        Some(true) => path.to_owned(),
        None if has_origin && !path.starts_with('\\') => format!("/{path}"),
        Some(false) | None => return None,
    };
    let end = path.find(['?', '#']).unwrap_or(path.len());
    let is_plain = |segment: &str| {
        let dots = segment.to_ascii_lowercase().replace("%2e", ".");
        !matches!(dots.as_str(), "." | "..")
    };
    if path.get(..end)?.split(['/', '\\']).all(is_plain) {
        return Some(path);
    }
    // What climbs would climb out of the prefix.
    let url = Url::parse(&format!("http://host{path}")).ok()?;
    let path = url.as_str().strip_prefix("http://host")?;
    let root = path.trim_start_matches('/');
    Some(format!("/{root}"))
}

/// Whether `path` is the prefix or lies behind it.
fn is_behind(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

/// A `Set-Cookie` whose cookie stays behind the prefix, where it does not.
fn cookie(part: &Part<'_>, set: &[u8]) -> Option<Vec<u8>> {
    let mut pieces: Vec<Vec<u8>> = set.split(|byte| *byte == b';').map(<[u8]>::to_vec).collect();
    let (mut is_changed, mut has_path) = (false, false);
    for piece in pieces.iter_mut().skip(1) {
        let Some(path) = path_of(piece) else { continue };
        // The last one counts, and one that is no path is none (RFC 6265 §5.2.4).
        has_path = path.first() == Some(&b'/');
        let is_here = std::str::from_utf8(path).is_ok_and(|path| is_behind(path, part.prefix));
        if has_path && !is_here {
            let own = if path == b"/" { &b""[..] } else { path };
            *piece = [b" Path=", part.prefix.as_bytes(), own].concat();
            is_changed = true;
        }
    }
    let default = part.path.rfind('/').and_then(|end| part.path.get(..end)).unwrap_or_default();
    if !has_path && !is_behind(default, part.prefix) {
        pieces.push([b" Path=", part.prefix.as_bytes()].concat());
        is_changed = true;
    }
    is_changed.then(|| pieces.join(&b';'))
}

/// The value of a `Path` attribute.
fn path_of(attribute: &[u8]) -> Option<&[u8]> {
    let equals = attribute.iter().position(|byte| *byte == b'=')?;
    let (name, value) = attribute.split_at(equals);
    name.trim_ascii().eq_ignore_ascii_case(b"path").then(|| value.get(1..).unwrap_or_default().trim_ascii())
}

#[cfg(test)]
mod tests;
