//! One cookie of a backend, and what a `Set-Cookie` asks for.
//!
//! Which addresses a cookie goes to is decided by the library. Bytes beyond ASCII are kept as they came,
//! each as one character. Nothing here prints a value.

use std::sync::Arc;

use cookie_store::{Cookie, CookieDomain, CookiePath};
use http::HeaderValue;
use url::Url;

use crate::session::record::{Reader, Writer};

/// The longest name and value together (RFC 6265bis §5.6).
const MAX_PAIR: usize = 4_096;
/// The longest attribute (RFC 6265bis §5.6).
const MAX_ATTRIBUTE: usize = 1_024;

/// How many bytes a cookie has at most, written, besides its texts.
const WRITTEN: usize = 32;

/// A cookie in a jar.
#[derive(Clone)]
pub(in crate::session) struct Kept {
    /// Origin and name of the destination.
    site: Arc<str>,
    /// Milliseconds since the epoch at which it was first set, or a little later: no two of one jar are of
    /// the same.
    since: u64,
    cookie: Cookie<'static>,
}

/// What one `Set-Cookie` asks for.
#[derive(Clone, Debug)]
pub(in crate::session) enum Received {
    /// To keep a cookie, in the place of the one there is.
    Set(Kept),
    /// To forget one: it has expired, or the browser keeps it from now on.
    Remove(Kept),
}

impl Received {
    /// Whether it asks to keep something.
    pub(in crate::session) fn is_kept(&self) -> bool {
        matches!(self, Self::Set(_))
    }

    /// What `value` asks for as the answer of `url`; nothing where it is no cookie, or one that may not
    /// be set from there or could never go back.
    pub(super) fn read(value: &HeaderValue, site: &Arc<str>, url: &Url, now: u64) -> Option<Self> {
        let cookie = Cookie::parse(text(value), url).ok()?.into_owned();
        let attributes = [cookie.path(), cookie.domain()];
        if cookie.name().len() + cookie.value().len() > MAX_PAIR
            || attributes.into_iter().flatten().any(|text| text.len() > MAX_ATTRIBUTE)
        {
            return None;
        }
        let is_persistent = cookie.is_persistent();
        let is_unreachable = cookie.secure() == Some(true) && url.scheme() != "https";
        let kept = Kept { site: Arc::clone(site), since: now, cookie };
        if is_persistent {
            return Some(Self::Remove(kept));
        }
        (!is_unreachable).then_some(Self::Set(kept))
    }
}

impl Kept {
    pub(super) fn since(&self) -> u64 {
        self.since
    }

    /// It is set after what was set at `last`.
    pub(super) fn come_after(&mut self, last: u64) {
        self.since = self.since.max(last.saturating_add(1));
    }

    pub(super) fn is_of(&self, site: &str) -> bool {
        *self.site == *site
    }

    pub(super) fn goes_to(&self, url: &Url) -> bool {
        self.cookie.matches(url)
    }

    pub(super) fn path(&self) -> &str {
        &self.cookie.path
    }

    /// Name and value as they were sent.
    pub(super) fn pair(&self) -> (Vec<u8>, Vec<u8>) {
        (bytes(self.cookie.name()), bytes(self.cookie.value()))
    }

    /// Whether the two are one to a browser (RFC 6265 §5.3, 11).
    pub(super) fn is_same_cookie(&self, other: &Self) -> bool {
        self.site == other.site
            && self.cookie.name() == other.cookie.name()
            && self.cookie.domain == other.cookie.domain
            && *self.cookie.path == *other.cookie.path
    }

    /// Whether it makes no difference which of the two is kept.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        self.cookie.value() == other.cookie.value() && self.cookie.secure() == other.cookie.secure()
    }

    pub(super) fn keep_age_of(&mut self, before: &Self) {
        self.since = before.since;
    }

    pub(super) fn weight(&self) -> usize {
        self.site.len()
            + [self.cookie.name(), self.cookie.value(), &self.cookie.path].map(str::len).iter().sum::<usize>()
            + self.domain().map_or(0, str::len)
            + WRITTEN
    }

    /// The bytes that tell it from every other cookie.
    pub(in crate::session) fn identity(&self) -> Vec<u8> {
        let mut out = Writer::default();
        let parts = [&*self.site, self.cookie.name(), &self.cookie.path, self.domain().unwrap_or("")];
        for part in parts {
            out.bytes(part.as_bytes());
        }
        out.0
    }

    /// The domain below which it goes, where it is not for one host alone.
    fn domain(&self) -> Option<&str> {
        match &self.cookie.domain {
            CookieDomain::Suffix(domain) => Some(domain),
            CookieDomain::HostOnly(_) | CookieDomain::NotPresent | CookieDomain::Empty => None,
        }
    }

    pub(in crate::session) fn write(&self, out: &mut Writer) {
        out.number(self.since);
        let secure = if self.cookie.secure() == Some(true) { "; Secure" } else { "" };
        let domain = self.domain().map(|domain| format!("; Domain={domain}")).unwrap_or_default();
        out.bytes(self.site.as_bytes());
        out.bytes(format!("{}={}{domain}{secure}", self.cookie.name(), self.cookie.value()).as_bytes());
        // On its own: a path that was taken from a request may have a semicolon.
        out.bytes(self.cookie.path.as_bytes());
    }

    /// The cookie that [`Kept::write`] wrote.
    pub(in crate::session) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let since = reader.number()?;
        let site = reader.text()?;
        let url = Url::parse(site.split_once(' ')?.0).ok()?;
        let mut cookie = Cookie::parse(reader.text()?.into_string(), &url).ok()?.into_owned();
        cookie.path = CookiePath::parse(&reader.text()?)?;
        Some(Self { site: site.into(), since, cookie })
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[a cookie of {}]", self.site)
    }
}

/// A header's bytes, each as one character.
pub(super) fn text(value: &HeaderValue) -> String {
    value.as_bytes().iter().map(|byte| char::from(*byte)).collect()
}

/// The bytes of [`text`].
fn bytes(text: &str) -> Vec<u8> {
    text.chars().filter_map(|character| u8::try_from(u32::from(character)).ok()).collect()
}
