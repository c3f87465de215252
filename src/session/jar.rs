//! The session cookies of backends: kept on this side, sent back to the backend that set them.
//!
//! A jar belongs to one holder. A cookie in it goes back to its own destination at its own address, and
//! there by the rules of RFC 6265 §5.3 and §5.4, which are a library's. Surprising: another destination
//! never gets it, be it at the same host; and cookies that a browser is to keep longer than its session
//! are not kept here, they pass. Bounded in number and bytes: where there is no room, the oldest goes.

mod kept;

use std::sync::Arc;

use cookie_store::RawCookie;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};
use smallvec::SmallVec;
use url::Url;

pub(super) use kept::{Kept, Received};

use super::record::{Reader, Writer};
use crate::request::Scheme;

/// How many cookies one jar holds.
const MAX_COOKIES: usize = 64;
/// How many bytes a jar has where it is kept on this side.
pub(super) const ROOM: usize = 16 * 1024;

/// Where a cookie comes from and goes back to.
#[derive(Clone, Copy, Debug)]
pub struct Backend<'a> {
    /// The destination's name.
    pub destination: &'a str,
    /// How it is spoken to.
    pub scheme: Scheme,
    /// Its host and port.
    pub authority: &'a str,
}

impl Backend<'_> {
    /// What no other destination has, and this one has at no other address.
    fn site(&self) -> String {
        format!("{}://{} {}", self.scheme.as_str(), self.authority, self.destination)
    }

    /// The address of `path` there.
    fn url(&self, path: &str) -> Option<Url> {
        Url::parse(&format!("{}://{}{path}", self.scheme.as_str(), self.authority)).ok()
    }
}

/// What a backend's answer sets.
#[derive(Debug, Default)]
pub struct SetByBackend(SmallVec<[HeaderValue; 2]>);

impl SetByBackend {
    /// Whether it sets nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What each asks a jar for, as the answer of `backend` to a request for `path`.
    pub(super) fn received(&self, backend: &Backend<'_>, path: &str, now: u64) -> Vec<Received> {
        let Some(url) = backend.url(path) else { return Vec::new() };
        let site: Arc<str> = backend.site().into();
        self.0.iter().filter_map(|value| Received::read(value, &site, &url, now)).collect()
    }
}

/// Takes the session cookies out of an answer's `headers`, and remembers all that it sets. What is to be
/// kept for longer, and what is no cookie, stays.
#[must_use]
pub fn take(headers: &mut HeaderMap) -> SetByBackend {
    if !headers.contains_key(SET_COOKIE) {
        return SetByBackend::default();
    }
    let mut set: SmallVec<[HeaderValue; 2]> = headers.get_all(SET_COOKIE).iter().cloned().collect();
    headers.remove(SET_COOKIE);
    headers.extend(set.iter().filter(|value| !ends_with_session(value)).map(|v| (SET_COOKIE, v.clone())));
    set.iter_mut().for_each(|value| value.set_sensitive(true));
    SetByBackend(set)
}

/// Whether a browser would forget the cookie with its session (RFC 6265 §4.1.2).
fn ends_with_session(value: &HeaderValue) -> bool {
    let cookie = RawCookie::parse(kept::text(value));
    cookie.is_ok_and(|cookie| cookie.max_age().is_none() && cookie.expires_datetime().is_none())
}

/// The cookies of one holder.
#[derive(Clone, Default)]
pub struct Jar {
    /// The oldest first.
    kept: Vec<Kept>,
    /// Counts its changes, where it is kept in more than one place.
    pub(super) version: u64,
}

/// What became of a jar.
#[derive(Debug, Default)]
pub(super) struct Changed {
    /// What it has now and had not before.
    pub(super) new: Vec<Kept>,
    /// What it had and has no more.
    pub(super) gone: Vec<Kept>,
}

impl Changed {
    pub(super) fn is_nothing(&self) -> bool {
        self.new.is_empty() && self.gone.is_empty()
    }
}

impl Jar {
    /// A jar of `kept`.
    pub(super) fn of(mut kept: Vec<Kept>, version: u64) -> Self {
        // Those of one moment as well, so that every instance sees the same.
        kept.sort_by_cached_key(|kept| (kept.since(), kept.identity()));
        Self { kept, version }
    }

    /// Names and values that `backend` gets with a request for `path`: those with longer paths first,
    /// then the older ones (RFC 6265 §5.4).
    #[must_use]
    pub fn cookies(&self, backend: &Backend<'_>, path: &str) -> SmallVec<[(Vec<u8>, Vec<u8>); 4]> {
        let site = backend.site();
        let mut own = self.kept.iter().filter(|kept| kept.is_of(&site)).peekable();
        if own.peek().is_none() {
            return SmallVec::new();
        }
        let Some(url) = backend.url(path) else { return SmallVec::new() };
        let mut fit: SmallVec<[&Kept; 4]> = own.filter(|kept| kept.goes_to(&url)).collect();
        fit.sort_by_key(|kept| std::cmp::Reverse(kept.path().len()));
        fit.iter().map(|kept| kept.pair()).collect()
    }

    /// Does what `received` asks for, within `room` bytes.
    pub(super) fn apply(&mut self, received: Vec<Received>, room: usize) -> Changed {
        let mut changed = Changed::default();
        for one in received {
            match one {
                Received::Remove(name) => {
                    if let Some(at) = self.place(&name) {
                        changed.gone.push(self.kept.remove(at));
                    }
                }
                Received::Set(kept) if kept.weight() > room => tracing::warn!(
                    "a backend's session cookie of {} bytes is larger than what is kept",
                    kept.weight()
                ),
                Received::Set(kept) => self.set(kept, &mut changed),
            }
        }
        self.make_room(room, &mut changed);
        changed
    }

    fn set(&mut self, mut kept: Kept, changed: &mut Changed) {
        let before = self.place(&kept).and_then(|at| self.kept.get_mut(at));
        match before {
            Some(before) if before.says_the_same(&kept) => return,
            Some(before) => {
                kept.keep_age_of(before);
                *before = kept.clone();
            }
            None => {
                kept.come_after(self.kept.last().map_or(0, Kept::since));
                self.kept.push(kept.clone());
            }
        }
        changed.new.retain(|other| !other.is_same_cookie(&kept));
        changed.new.push(kept);
    }

    fn make_room(&mut self, room: usize, changed: &mut Changed) {
        while self.kept.len() > MAX_COOKIES || self.weight() > room {
            let oldest = self.kept.remove(0);
            changed.new.retain(|kept| !kept.is_same_cookie(&oldest));
            changed.gone.push(oldest);
        }
    }

    fn place(&self, kept: &Kept) -> Option<usize> {
        self.kept.iter().position(|other| other.is_same_cookie(kept))
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// About how many bytes it takes when it is written.
    pub(super) fn weight(&self) -> usize {
        self.kept.iter().map(Kept::weight).sum()
    }

    pub(super) fn write(&self, out: &mut Writer) {
        out.number(self.version);
        out.number(self.kept.len() as u64);
        self.kept.iter().for_each(|kept| kept.write(out));
    }

    /// The jar that [`Jar::write`] wrote.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let version = reader.number()?;
        // Each takes a byte at least, so a count that is not true ends with the bytes.
        let kept = (0..reader.number()?).map(|_| Kept::read(reader)).collect::<Option<_>>()?;
        Some(Self { kept, version })
    }
}

impl std::fmt::Debug for Jar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{} cookies]", self.kept.len())
    }
}

#[cfg(test)]
mod tests;
