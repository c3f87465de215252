//! What a login has to remember between its start and its callback.
//!
//! One cookie for each tab, named by the beginning of its state, sealed for the realm, for ten minutes.
//! The callback finds it by the state that the issuer gives back; a flow of another tenant, issuer or
//! client does not open. Whether a state was used before is known to [`Sessions::use_state`].

use aws_lc_rs::{constant_time, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue};
use smallvec::SmallVec;
use std::time::Duration;

use super::cookie::{self, Attributes};
use super::policy::{CookieScope, Policy, SameSite};
use super::record::{Reader, Writer};
use super::{Realm, ReturnPath, Sessions, SetCookies};
use crate::secret::Secret;

/// How long a login may take.
pub const LIFE: Duration = Duration::from_mins(10);
/// How many logins of one browser may be under way; further ones end the oldest, so that their cookies
/// never fill the header.
const MAX_FLOWS: usize = 12;
/// How many characters of the state are in the cookie's name.
const NAMED: usize = 8;

/// A login that is under way.
#[derive(Clone, Debug)]
pub struct Flow {
    /// `state`: 256 random bits.
    pub state: Box<str>,
    /// `nonce`: 256 random bits.
    pub nonce: Box<str>,
    /// The PKCE verifier (RFC 7636 §4.1).
    pub verifier: Secret,
    /// Where the browser wanted to go.
    pub return_to: ReturnPath,
    /// When the login began, in seconds since the epoch.
    pub created: u64,
    /// The identity provider that was asked for.
    pub identity_provider: Option<Box<str>>,
}

/// Why a callback has no flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlowRefused {
    /// This browser began no login with this state.
    #[error("no login with this state was begun in this browser")]
    Unknown,
    /// There is one, which does not open here: another tenant's, or tampered with.
    #[error("the login was begun for another tenant, issuer or client")]
    Foreign,
    /// It took too long.
    #[error("the login took more than ten minutes")]
    Expired,
}

impl Flow {
    /// A flow that begins `now`, in seconds since the epoch, with random state, nonce and verifier;
    /// nothing where the system gives no randomness.
    #[must_use]
    pub fn new(return_to: ReturnPath, identity_provider: Option<Box<str>>, now: u64) -> Option<Self> {
        let [state, nonce, verifier] = [random()?, random()?, random()?];
        Some(Self {
            state: state.into(),
            nonce: nonce.into(),
            verifier: Secret::new(verifier),
            return_to,
            created: now,
            identity_provider,
        })
    }

    /// The cookies that make the browser remember the flow. `headers` are those of the request, whose
    /// flows that are over, or too many, are removed.
    #[must_use]
    pub fn seal(
        &self,
        sessions: &Sessions,
        realm: &Realm,
        policy: &Policy,
        scope: &CookieScope,
        headers: &HeaderMap,
    ) -> SetCookies {
        let mut cookies = surplus(sessions, realm, policy, scope, headers, self.created);
        let mut text = Writer::default();
        self.write(&mut text);
        if let Some(sealed) = sessions.core.flow_seal.seal(realm, text.0) {
            let attributes = Attributes { max_age: Some(LIFE.as_secs()), ..attributes(policy) };
            let name = cookie_name(policy, &self.state);
            cookies.extend(cookie::set(&name, &URL_SAFE_NO_PAD.encode(sealed), attributes, policy, scope));
        }
        cookies
    }

    /// The flow that this browser began with `state` in `realm`. Its state is not yet used up.
    pub fn open(
        sessions: &Sessions,
        realm: &Realm,
        policy: &Policy,
        headers: &HeaderMap,
        state: &str,
    ) -> Result<Self, FlowRefused> {
        let name = cookie_name(policy, state);
        let mut refused = FlowRefused::Unknown;
        for (_, value) in cookie::pairs(headers).filter(|(found, _)| *found == name.as_bytes()) {
            let Some(flow) = opened(sessions, realm, value) else {
                refused = FlowRefused::Foreign;
                continue;
            };
            let same = constant_time::verify_slices_are_equal(flow.state.as_bytes(), state.as_bytes());
            if same.is_err() {
                continue;
            }
            return if flow.is_over(sessions.core.clock.seconds()) {
                Err(FlowRefused::Expired)
            } else {
                Ok(flow)
            };
        }
        Err(refused)
    }

    /// What removes the flow with `state` from the browser.
    #[must_use]
    pub fn removal(state: &str, policy: &Policy, scope: &CookieScope) -> Option<HeaderValue> {
        cookie::set(&cookie_name(policy, state), "", attributes(policy).removing(), policy, scope)
    }

    fn is_over(&self, now: u64) -> bool {
        now >= self.created.saturating_add(LIFE.as_secs())
    }

    pub(super) fn write(&self, out: &mut Writer) {
        out.number(self.created);
        for text in [&self.state, &self.nonce, self.verifier.expose(), self.return_to.as_str()] {
            out.bytes(text.as_bytes());
        }
        out.optional(self.identity_provider.as_deref().map(str::as_bytes));
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            created: reader.number()?,
            state: reader.text()?,
            nonce: reader.text()?,
            verifier: Secret::new(reader.text()?),
            return_to: ReturnPath::parse(&reader.text()?, "/")?,
            identity_provider: reader.optional_text()?,
        })
    }
}

/// The name of the cookie of the flow with `state`.
#[must_use]
pub fn cookie_name(policy: &Policy, state: &str) -> String {
    format!("{}-flow-{}", policy.cookie, named(state))
}

/// The name of the cookie in which a page's script keeps the fragment of the flow with `state`.
#[must_use]
pub fn fragment_cookie_name(policy: &Policy, state: &str) -> String {
    format!("{}-fragment-{}", policy.cookie, named(state))
}

/// The part of a state that may stand in a name; a state that was not made here names no cookie.
fn named(state: &str) -> &str {
    let named = state.get(..NAMED).unwrap_or_default();
    let fits = named.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if fits { named } else { "" }
}

/// A callback is a navigation from the issuer's site, which `Strict` would leave without the cookie.
fn attributes(policy: &Policy) -> Attributes {
    let same_site = match policy.same_site {
        SameSite::None => SameSite::None,
        SameSite::Lax | SameSite::Strict => SameSite::Lax,
    };
    Attributes { max_age: None, same_site }
}

fn random() -> Option<String> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

fn opened(sessions: &Sessions, realm: &Realm, value: &[u8]) -> Option<Flow> {
    let sealed = URL_SAFE_NO_PAD.decode(value).ok()?;
    let text = sessions.core.flow_seal.open(realm, &sealed)?;
    Flow::read(&mut Reader(&text))
}

/// What removes flows that are over, do not open, or are more than a browser may have.
fn surplus(
    sessions: &Sessions,
    realm: &Realm,
    policy: &Policy,
    scope: &CookieScope,
    headers: &HeaderMap,
    now: u64,
) -> SetCookies {
    let prefix = format!("{}-flow-", policy.cookie);
    let mut flows: SmallVec<[(u64, &[u8]); MAX_FLOWS]> = cookie::pairs(headers)
        .filter(|(name, _)| name.starts_with(prefix.as_bytes()))
        .map(|(name, value)| {
            let flow = opened(sessions, realm, value).filter(|flow| !flow.is_over(now));
            (flow.map_or(0, |flow| flow.created), name)
        })
        .collect();
    flows.sort_unstable();
    let over = flows.iter().filter(|(created, _)| *created == 0).count();
    let count = over.max(flows.len().saturating_sub(MAX_FLOWS - 1));
    let removed = flows.into_iter().take(count).filter_map(|(_, name)| std::str::from_utf8(name).ok());
    removed.filter_map(|name| cookie::set(name, "", attributes(policy).removing(), policy, scope)).collect()
}
