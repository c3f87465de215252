//! Which pages of other origins may read what is answered (Fetch, "CORS protocol").
//!
//! A rule holds for the paths that its pattern matches; the first that matches counts. Every request that
//! comes from another origin is judged, simple ones too, and refused before anything is asked of the
//! caller; preflights are answered here. An origin that is allowed is named in the answer, never `*`, and
//! so every answer under a rule varies by it. Surprising: the pattern is searched in the path alone, so
//! that no query can bring a request under a rule.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::pattern::{Exhausted, Pattern, Steps};
use crate::auth::Invited;
use crate::request::CanonicalRequest;
use crate::request::origin::{Origin, OriginRule};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What an answer to a preflight depends on.
const PREFLIGHT_VARY: HeaderValue =
    HeaderValue::from_static("Origin, Access-Control-Request-Method, Access-Control-Request-Headers");

/// One rule, ready to be answered with.
#[derive(Debug)]
pub struct CorsRule {
    /// The paths that it holds for.
    pub pattern: Pattern,
    /// Whose pages may ask.
    pub origins: Vec<OriginRule>,
    /// With which methods.
    pub methods: Vec<Method>,
    /// With which headers, beside those that need no leave.
    pub headers: Vec<HeaderName>,
    /// The same, as an answer says it.
    pub allow_headers: Option<HeaderValue>,
    /// What a page may read of an answer's headers.
    pub expose_headers: Option<HeaderValue>,
    /// For how many seconds a preflight holds.
    pub max_age: Option<HeaderValue>,
    /// Whether cookies may come along.
    pub credentials: bool,
}

/// All rules, in order.
#[derive(Debug)]
pub struct Cors(Box<[CorsRule]>);

/// What an answer says to pages of other origins.
#[derive(Debug, Default)]
pub enum Sharing {
    /// No rule holds: nothing.
    #[default]
    Unruled,
    /// It would say something to others: caches have to know.
    Varies,
    /// This origin may read it.
    Granted {
        /// The origin, as the browser spelt it.
        origin: HeaderValue,
        /// The rule's place.
        rule: usize,
        /// What else the origin may.
        invited: Invited,
    },
}

/// Why a request of another origin is refused.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotShared {
    /// No rule names the origin, or it is none.
    #[error("the origin is not allowed")]
    Origin,
    /// The method is not among those of the rule.
    #[error("the method is not allowed to other origins")]
    Method,
    /// A header is not among those of the rule.
    #[error("a header is not allowed to other origins")]
    Header,
    /// `OPTIONS` of another origin that asks for no method.
    #[error("this is no preflight: it asks for no method")]
    NoPreflight,
    /// Whether the rule holds could not be found out in time.
    #[error("whether the rule holds could not be found out in time")]
    Undecided,
}

impl Sharing {
    /// What its session may do for the page that asks.
    #[must_use]
    pub fn invited(&self) -> Invited {
        match self {
            Self::Granted { invited, .. } => *invited,
            Self::Unruled | Self::Varies => Invited::No,
        }
    }
}

impl Cors {
    /// The rules, in order; `None` where there are none.
    #[must_use]
    pub fn new(rules: Vec<CorsRule>) -> Option<Self> {
        (!rules.is_empty()).then(|| Self(rules.into()))
    }

    /// Judges a request for `path`, which is the path that routes match. `sharing` becomes what its answer
    /// will say, also where it is refused; the headers of an answer come back for a preflight, which ends
    /// here.
    pub fn judge(
        &self,
        request: &CanonicalRequest,
        path: &str,
        headers: &HeaderMap,
        sharing: &mut Sharing,
    ) -> Result<Option<Box<HeaderMap>>, NotShared> {
        let Some(place) = self.place(path).map_err(|Exhausted| NotShared::Undecided)? else {
            return Ok(None);
        };
        let (Some(rule), Some(origin)) = (self.0.get(place), headers.get(ORIGIN)) else {
            *sharing = Sharing::Varies;
            return Ok(None);
        };
        *sharing = Sharing::Varies;
        let is_one = headers.get_all(ORIGIN).iter().nth(1).is_none();
        let page = Origin::parse(origin.as_bytes()).filter(|_| is_one);
        if is_own(request, headers, page.as_ref()) {
            return Ok(None);
        }
        let invited = rule.invites(&page.ok_or(NotShared::Origin)?).ok_or(NotShared::Origin)?;
        let granted = Sharing::Granted { origin: origin.clone(), rule: place, invited };
        if request.method == Method::OPTIONS {
            let mut answer = rule.preflight(headers)?;
            rule.name(origin, &mut answer);
            return Ok(Some(Box::new(answer)));
        }
        if !rule.methods.contains(&request.method) {
            return Err(NotShared::Method);
        }
        *sharing = granted;
        Ok(None)
    }

    /// Says in an answer what `sharing` found out; what a backend says itself stays.
    pub fn dress(&self, sharing: &Sharing, headers: &mut HeaderMap) {
        match sharing {
            Sharing::Unruled => {}
            Sharing::Varies => vary(headers),
            Sharing::Granted { origin, rule, .. } => {
                vary(headers);
                let Some(rule) = self.0.get(*rule) else { return };
                rule.name(origin, headers);
                if let Some(exposed) = &rule.expose_headers {
                    headers.entry(ACCESS_CONTROL_EXPOSE_HEADERS).or_insert_with(|| exposed.clone());
                }
            }
        }
    }

    fn place(&self, path: &str) -> Result<Option<usize>, Exhausted> {
        let mut steps = Steps::default();
        for (place, rule) in self.0.iter().enumerate() {
            if rule.pattern.is_match(path, &mut steps)? {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }
}

impl CorsRule {
    /// What the origin may, if it may anything. Whoever is let in by `*` alone was not named by anybody.
    fn invites(&self, origin: &Origin<'_>) -> Option<Invited> {
        let mut admitting = self.origins.iter().filter(|rule| rule.allows(origin)).peekable();
        admitting.peek()?;
        if !self.credentials {
            return Some(Invited::No);
        }
        let named = admitting.any(|rule| !rule.is_for_any_host());
        Some(if named { Invited::Named } else { Invited::WithToken })
    }

    fn preflight(&self, headers: &HeaderMap) -> Result<HeaderMap, NotShared> {
        let method = headers.get(ACCESS_CONTROL_REQUEST_METHOD).ok_or(NotShared::NoPreflight)?;
        let is_asked = |known: &&Method| method.as_bytes() == known.as_str().as_bytes();
        let method = self.methods.iter().find(is_asked).ok_or(NotShared::Method)?;
        let lines = headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS).iter();
        let mut asked = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
        let is_known = |name: &[u8]| {
            let name = name.trim_ascii();
            name.is_empty() || self.headers.iter().any(|known| name.eq_ignore_ascii_case(known.as_ref()))
        };
        if !asked.all(is_known) {
            return Err(NotShared::Header);
        }
        let mut answer = HeaderMap::with_capacity(8);
        answer.insert(VARY, PREFLIGHT_VARY);
        // A method's name is a token, and so a value.
        answer.extend(HeaderValue::from_str(method.as_str()).map(|it| (ACCESS_CONTROL_ALLOW_METHODS, it)));
        answer.extend(self.allow_headers.clone().map(|it| (ACCESS_CONTROL_ALLOW_HEADERS, it)));
        answer.extend(self.max_age.clone().map(|it| (ACCESS_CONTROL_MAX_AGE, it)));
        Ok(answer)
    }

    /// Names the origin that may read the answer.
    fn name(&self, origin: &HeaderValue, headers: &mut HeaderMap) {
        headers.entry(ACCESS_CONTROL_ALLOW_ORIGIN).or_insert_with(|| origin.clone());
        if self.credentials {
            headers.entry(ACCESS_CONTROL_ALLOW_CREDENTIALS).or_insert(HeaderValue::from_static("true"));
        }
    }
}

/// Whether our own page asks. The browser knows best: TLS may end in front of us, and then its origin is
/// not the one that we see.
fn is_own(request: &CanonicalRequest, headers: &HeaderMap, page: Option<&Origin<'_>>) -> bool {
    let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
    match (sites.next(), sites.next()) {
        (Some(site), None) if site == "same-origin" => true,
        _ => page.is_some_and(|page| page.is_same(request)),
    }
}

/// Tells caches that the answer depends on the origin, unless it does.
fn vary(headers: &mut HeaderMap) {
    let names = |line: &HeaderValue| {
        let mut names = line.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        names.any(|name| name == b"*" || name.eq_ignore_ascii_case(b"origin"))
    };
    if !headers.get_all(VARY).iter().any(names) {
        headers.append(VARY, HeaderValue::from_static("Origin"));
    }
}

#[cfg(test)]
mod tests;
