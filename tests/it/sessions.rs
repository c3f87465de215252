//! Sessions as a browser meets them: one suite for every store, and what is said of one store alone.
//!
//! A [`Browser`] keeps what `Set-Cookie` says and sends it back; nothing here looks into a store. The
//! suite is in `conformance`; a store that is added runs it too.

pub(crate) mod conformance;
mod cookies;
mod flows;
pub(crate) mod jars;
mod realms;
mod refreshing;
mod room;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use vestibule::clock::Clock;
use vestibule::secret::Secret;
use vestibule::session::{
    CookieScope, Identity, NewSession, Opened, Policy, Realm, Sessions, SessionsSettings, StoreSettings,
};
use vestibule::tenant::TenantKey;

/// 2026-11-21, in seconds.
pub(crate) const NOW: u64 = 1_795_000_000;

/// What a browser keeps of one origin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Browser(pub(crate) BTreeMap<String, String>);

impl Browser {
    /// Does what `Set-Cookie` says.
    pub(crate) fn obey(&mut self, set_cookies: &[HeaderValue]) {
        for value in set_cookies {
            let text = value.to_str().unwrap();
            let (pair, attributes) = text.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            assert!(pair.len() <= 4_096, "{name} is larger than browsers keep");
            if attributes.contains("Max-Age=0") {
                self.0.remove(name);
            } else {
                self.0.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// What it sends.
    pub(crate) fn headers(&self) -> HeaderMap {
        let cookies: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut headers = HeaderMap::new();
        if !cookies.is_empty() {
            headers.insert(COOKIE, HeaderValue::try_from(cookies.join("; ")).unwrap());
        }
        headers
    }
}

/// Sessions with what they need around them.
pub(crate) struct Bench {
    pub(crate) sessions: Sessions,
    /// Milliseconds since the epoch; it stands still unless it is moved.
    pub(crate) time: Arc<AtomicU64>,
    pub(crate) policy: Policy,
    pub(crate) scope: CookieScope,
}

impl Bench {
    pub(crate) fn new(store: StoreSettings, secrets: &[&str]) -> Self {
        let time = Arc::new(AtomicU64::new(NOW * 1_000));
        Self::at(time, store, secrets)
    }

    /// Sessions with a secret where the store needs one.
    pub(crate) fn new_in(store: StoreSettings) -> Self {
        Self::new(store, &["a secret of the application"])
    }

    /// Sessions with a secret for what callers without one keep for backends.
    pub(crate) fn with_backend_cookies(store: StoreSettings, secret: &str) -> Self {
        Self::made(Arc::new(AtomicU64::new(NOW * 1_000)), store, &[], Some(Secret::new(secret)))
    }

    /// Another instance, or the same one after a restart, at the time of `time`.
    pub(crate) fn at(time: Arc<AtomicU64>, store: StoreSettings, secrets: &[&str]) -> Self {
        Self::made(time, store, secrets, None)
    }

    fn made(
        time: Arc<AtomicU64>,
        store: StoreSettings,
        secrets: &[&str],
        backend_cookies: Option<Secret>,
    ) -> Self {
        let settings = SessionsSettings {
            store,
            secrets: secrets.iter().copied().map(Secret::new).collect(),
            runtime: tokio::runtime::Handle::current(),
            clock: Clock::Manual(time.clone()),
            ended: None,
            backend_cookies,
        };
        let scope = CookieScope { https: true, path: "/".into() };
        Self { sessions: Sessions::new(settings).unwrap(), time, policy: Policy::default(), scope }
    }

    /// Lets `time` pass.
    pub(crate) fn pass(&self, time: Duration) {
        self.time.fetch_add(u64::try_from(time.as_millis()).unwrap(), Ordering::Relaxed);
    }

    pub(crate) async fn begin(&self, new: NewSession) -> (Opened, Browser) {
        let opened = self.sessions.begin(new, &self.policy, &self.scope).await.unwrap();
        let mut browser = Browser::default();
        browser.obey(&opened.set_cookies);
        (opened, browser)
    }

    /// A request of `browser`, which then does what the answer says.
    pub(crate) async fn visit(&self, realm: &Arc<Realm>, browser: &mut Browser) -> Option<Opened> {
        let found = self.peek(realm, &browser.headers()).await?;
        browser.obey(&found.set_cookies);
        Some(found)
    }

    /// A request with `headers`, whose answer nobody hears.
    pub(crate) async fn peek(&self, realm: &Arc<Realm>, headers: &HeaderMap) -> Option<Opened> {
        self.sessions.find(realm, &self.policy, &self.scope, headers).await.unwrap()
    }

    pub(crate) async fn end(&self, opened: &Opened, browser: &mut Browser) {
        browser.obey(&self.sessions.end(opened, &self.policy, &self.scope).await.unwrap());
    }
}

/// The realm of a tenant at an issuer.
pub(crate) fn realm(key: &str, issuer: &str) -> Arc<Realm> {
    Arc::new(Realm::of(TenantKey::parse(key), issuer, "client"))
}

/// The realm of the tenant of most tests.
pub(crate) fn acme() -> Arc<Realm> {
    realm("acme", "https://issuer.example")
}

/// Ann's login, with the token `token`.
pub(crate) fn login(realm: &Arc<Realm>, token: &str) -> NewSession {
    NewSession {
        realm: realm.clone(),
        identity: identity(token),
        issuer_session: Some("issuer-session-1".into()),
        refresh_token: Some(Secret::new("refresh-1")),
        id_token: Some(Secret::new("id-1")),
    }
}

/// Ann, by `token`, which expires in five minutes.
pub(crate) fn identity(token: &str) -> Identity {
    let mut bearer = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
    bearer.set_sensitive(true);
    Identity {
        subject: Some("ann".into()),
        user_name: Some(HeaderValue::from_static("ann@example.com")),
        email: Some(HeaderValue::from_static("ann@example.com")),
        given_name: Some("Ann".into()),
        family_name: Some("Lee".into()),
        client: Some("client".into()),
        expires: NOW + 300,
        bearer,
        scopes: ["openid", "app.Read"].map(Box::from).into(),
    }
}

/// The token that a session has now.
pub(crate) fn token(opened: &Opened) -> &str {
    opened.session.identity.bearer.to_str().unwrap().strip_prefix("Bearer ").unwrap()
}
