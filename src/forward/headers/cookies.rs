//! Which cookies are ours, and stay between the browser and us.
//!
//! Ours are a few names and what is derived from them: the parts of a long session (`NAME.1`), the
//! flows of logins (`NAME-flow-…`), the fragments that they keep (`NAME-fragment-…`) and the cookies of
//! backends that are kept in the browser, sealed (`NAME-backend`). No backend
//! sees one, and none that a backend sets reaches a browser. Surprising: a cookie without a name counts
//! by its value, because browsers send `=NAME=x` back as `NAME=x` (RFC 6265bis §5.4).

use http::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use memchr::memmem;

use crate::session::cookie;

/// What follows the name in names that are derived from it.
const DERIVED: [&[u8]; 4] = [b".", b"-flow-", b"-fragment-", b"-backend"];

/// The cookies that are ours.
#[derive(Debug)]
pub(super) struct OwnCookies(Vec<Box<str>>);

impl OwnCookies {
    pub(super) fn new(names: &[&str]) -> Self {
        Self(names.iter().map(|name| (*name).into()).collect())
    }

    /// Removes ours from what the client sent; the others keep their order and spelling, in one field:
    /// HTTP/2 may send each in its own, HTTP/1.1 may not (RFC 9113 §8.2.3).
    pub(super) fn strip(&self, headers: &mut HeaderMap) {
        let mut lines = headers.get_all(COOKIE).iter();
        match (lines.next(), lines.next()) {
            (None, _) => return,
            (Some(only), None) if !self.may_hold(only) => return,
            (Some(_), _) => {}
        }
        let kept: Vec<&[u8]> = headers
            .get_all(COOKIE)
            .iter()
            .flat_map(cookie::items)
            .filter(|pair| !pair.is_empty() && !self.is_own(pair))
            .collect();
        let joined = HeaderValue::from_bytes(&kept.join(&b"; "[..]));
        headers.remove(COOKIE);
        if let Some(joined) = joined.ok().filter(|joined| !joined.is_empty()) {
            headers.insert(COOKIE, joined);
        }
    }

    /// Removes ours from what a backend sets.
    pub(super) fn strip_set(&self, headers: &mut HeaderMap) {
        if !headers.get_all(SET_COOKIE).iter().any(|value| self.sets_own(value)) {
            return;
        }
        let kept: Vec<HeaderValue> =
            headers.get_all(SET_COOKIE).iter().filter(|value| !self.sets_own(value)).cloned().collect();
        headers.remove(SET_COOKIE);
        headers.extend(kept.into_iter().map(|value| (SET_COOKIE, value)));
    }

    fn sets_own(&self, value: &HeaderValue) -> bool {
        self.may_hold(value) && cookie::items(value).next().is_some_and(|pair| self.is_own(pair))
    }

    /// Whether one of ours can be in `value` at all; what most values are asked.
    fn may_hold(&self, value: &HeaderValue) -> bool {
        self.0.iter().any(|name| memmem::find(value.as_bytes(), name.as_bytes()).is_some())
    }

    fn is_own(&self, pair: &[u8]) -> bool {
        let pair = pair.trim_ascii();
        let pair = pair.strip_prefix(b"=").unwrap_or(pair).trim_ascii();
        let name = pair.split(|b| *b == b'=').next().unwrap_or_default().trim_ascii();
        self.0
            .iter()
            .filter_map(|ours| name.strip_prefix(ours.as_bytes()))
            .any(|rest| rest.is_empty() || DERIVED.iter().any(|derived| rest.starts_with(derived)))
    }
}

/// Adds `cookies`, names and values, behind those that the client sent; with `replace` in the place of its
/// own of the same names.
pub(in crate::forward) fn add(headers: &mut HeaderMap, cookies: &[(Vec<u8>, Vec<u8>)], replace: bool) {
    if cookies.is_empty() {
        return;
    }
    let is_replaced = |pair: &[u8]| {
        let name = pair.split(|b| *b == b'=').next().unwrap_or_default().trim_ascii();
        replace && cookies.iter().any(|(known, _)| *known == name)
    };
    let sent = headers.get_all(COOKIE).iter().flat_map(cookie::items);
    let sent = sent.filter(|pair| !pair.is_empty() && !is_replaced(pair)).map(<[u8]>::to_vec);
    let own = cookies.iter().map(|(name, value)| [name, &b"="[..], value].concat());
    let joined = sent.chain(own).collect::<Vec<_>>().join(&b"; "[..]);
    if let Ok(mut joined) = HeaderValue::from_bytes(&joined) {
        joined.set_sensitive(true);
        headers.insert(COOKIE, joined);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> OwnCookies {
        OwnCookies::new(&["JSESSIONID", "__VCAP_ID__"])
    }

    #[test]
    fn no_backend_sees_ours() {
        for (sent, passed, shows) in [
            (vec!["a=1"], vec!["a=1"], "what is not ours is not touched"),
            (vec!["JSESSIONID=x; a=1"], vec!["a=1"], "the session"),
            (vec!["JSESSIONID=x"], vec![], "nothing else leaves no field"),
            (vec!["JSESSIONID.0=x; JSESSIONID.1=y; a=1"], vec!["a=1"], "the parts of a long one"),
            (vec!["a=1; JSESSIONID-flow-1a2b3c4d=x"], vec!["a=1"], "a login under way"),
            (vec!["JSESSIONID-fragment-1a2b3c4d=%23x; b=2"], vec!["b=2"], "a fragment"),
            (vec!["JSESSIONIDX=1; XJSESSIONID=2"], vec!["JSESSIONIDX=1; XJSESSIONID=2"], "look-alikes pass"),
            (vec!["a=JSESSIONID; b=2"], vec!["a=JSESSIONID; b=2"], "a value is not a name"),
            (vec!["=JSESSIONID=x; a=1"], vec!["a=1"], "no name, but read as one"),
            (vec!["a=1", "__VCAP_ID__=x", "b=2"], vec!["a=1; b=2"], "several fields become one"),
        ] {
            let mut headers = HeaderMap::new();
            headers.extend(sent.iter().map(|line| (COOKIE, HeaderValue::from_static(line))));
            own().strip(&mut headers);
            let left: Vec<_> = headers.get_all(COOKIE).iter().collect();
            assert_eq!(left, passed, "{sent:?}: {shows}");
        }
    }

    #[test]
    fn no_backend_sets_ours() {
        for (set, passes, shows) in [
            ("a=1; Path=/", true, "not ours"),
            ("JSESSIONID=x; Path=/", false, "the session"),
            (" JSESSIONID = x", false, "with blanks"),
            ("JSESSIONID.2=x", false, "a part of it"),
            ("JSESSIONID-flow-00000000=x", false, "a flow"),
            ("=JSESSIONID=x", false, "a cookie without a name is sent back as its value"),
            ("JSESSIONID", false, "and so is this"),
            ("a=JSESSIONID", true, "a value is not a name"),
            ("jsessionid=x", true, "names of cookies have a case"),
        ] {
            let mut headers = HeaderMap::new();
            headers.append(SET_COOKIE, HeaderValue::from_static("first=1"));
            headers.append(SET_COOKIE, HeaderValue::from_static(set));
            own().strip_set(&mut headers);
            assert_eq!(headers.get_all(SET_COOKIE).iter().count() == 2, passes, "{set}: {shows}");
        }
    }
}
