//! Whether a request is its session's own will, or another site's.
//!
//! Browsers send cookies along with requests that other pages make. A method that changes something
//! needs the session's CSRF token where the route asks for it, and is refused to other sites even where
//! it does not. Another host of the same site (a sibling tenant, for one) has to show the token. What
//! names neither site nor origin comes from no browser of today. Surprising: an `Origin` may be `https`
//! where we see `http`, because TLS may end in front of us; never the other way round.

use http::header::ORIGIN;
use http::{HeaderMap, HeaderName, Method};

use super::{Asking, Refused};
use crate::request::{Authority, CanonicalRequest, Scheme};
use crate::session::{Identity, Session, csrf};

const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What a page of another site may do with the credentials that its browser sends along: what the
/// configuration lets other origins do (`cors`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Invited {
    /// Nothing.
    #[default]
    No,
    /// What it can show the session's token for: any origin may ask, and so none was named.
    WithToken,
    /// What our own pages may do: its origin is named.
    Named,
}

/// Refuses what another site may have made the browser of `session` send; `csrf` says that the route
/// asks for the token.
pub(super) fn refuse(asking: &Asking<'_>, csrf: bool, session: &Session) -> Result<(), Refused> {
    let shown = csrf::matches(session, asking.headers);
    match asking.invited {
        Invited::Named if shown || !csrf => Ok(()),
        Invited::WithToken if shown => Ok(()),
        Invited::Named | Invited::WithToken | Invited::No => {
            judge(asking.request, asking.headers, csrf, shown)
        }
    }
}

/// Refuses what another site's page may have sent with a user's password.
pub(super) fn refuse_foreign(asking: &Asking<'_>) -> Result<(), Refused> {
    match asking.invited {
        Invited::Named => Ok(()),
        Invited::WithToken | Invited::No => judge(asking.request, asking.headers, false, false),
    }
}

/// Refuses what changes something and does not repeat the token of the caller's own credentials.
pub(super) fn refuse_unshown(asking: &Asking<'_>, caller: &Identity) -> Result<(), Refused> {
    let method = &asking.request.method;
    if *method == Method::GET || *method == Method::HEAD || csrf::repeats(caller, asking.headers) {
        return Ok(());
    }
    Err(Refused::CsrfRequired)
}

/// The same, where `shown` says whether the request repeats the session's token.
pub(crate) fn judge(
    request: &CanonicalRequest,
    headers: &HeaderMap,
    csrf: bool,
    shown: bool,
) -> Result<(), Refused> {
    if request.method == Method::GET || request.method == Method::HEAD {
        return Ok(());
    }
    if csrf && !shown {
        return Err(Refused::CsrfRequired);
    }
    match sender(request, headers) {
        Sender::Own => Ok(()),
        Sender::Neighbour if shown => Ok(()),
        Sender::Neighbour | Sender::Foreign => Err(Refused::CrossSite),
    }
}

/// Refuses a `GET` that does something, where another site's page or another host's asks for it as a part
/// of itself: an image, a frame, a script's fetch. Who follows a link there sees what happens.
pub(crate) fn refuse_embedded(request: &CanonicalRequest, headers: &HeaderMap) -> Result<(), Refused> {
    let is = |name, value: &[u8]| headers.get(name).is_some_and(|found| found.as_bytes() == value);
    let is_followed = is(SEC_FETCH_MODE, b"navigate") && is(SEC_FETCH_DEST, b"document");
    match sender(request, headers) {
        Sender::Own => Ok(()),
        Sender::Neighbour | Sender::Foreign if is_followed => Ok(()),
        Sender::Neighbour | Sender::Foreign => Err(Refused::CrossSite),
    }
}

/// Whose page sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// Ours, the user's own hand, or no browser.
    Own,
    /// Another host of the same site.
    Neighbour,
    /// Another site's.
    Foreign,
}

/// Whose page sent the request, by what the browser says of it (Fetch Metadata §2.2, RFC 6454 §7).
pub(super) fn sender(request: &CanonicalRequest, headers: &HeaderMap) -> Sender {
    let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
    match (sites.next().map(http::HeaderValue::as_bytes), sites.next()) {
        (None, _) => by_origin(request, headers),
        (Some(b"same-origin" | b"none"), None) => Sender::Own,
        (Some(b"same-site"), None) => Sender::Neighbour,
        (Some(_), _) => Sender::Foreign,
    }
}

fn by_origin(request: &CanonicalRequest, headers: &HeaderMap) -> Sender {
    let mut origins = headers.get_all(ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) => Sender::Own,
        (Some(origin), None) if is_ours(request, origin.as_bytes()) => Sender::Own,
        (Some(_), _) => Sender::Foreign,
    }
}

fn is_ours(request: &CanonicalRequest, origin: &[u8]) -> bool {
    let (authority, usual) = match (origin.strip_prefix(b"https://"), origin.strip_prefix(b"http://")) {
        (Some(authority), _) => (authority, 443),
        (None, Some(authority)) if request.scheme == Scheme::Http => (authority, 80),
        (None, _) => return false,
    };
    let Ok(named) = Authority::parse(authority) else { return false };
    let own = match request.scheme {
        Scheme::Http => 80,
        Scheme::Https => 443,
    };
    let (theirs, ours) = (named.port.unwrap_or(usual), request.port.unwrap_or(own));
    let both_usual = named.port.is_none_or(|port| port == usual) && request.port.is_none();
    request.host.as_ref() == Some(&named.host) && (theirs == ours || both_usual)
}

#[cfg(test)]
mod tests;
