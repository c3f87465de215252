//! The development issuer: a little OpenID provider with one realm a tenant.
//!
//! Speaks what a real one speaks to a router (code with PKCE, refresh with rotation, logout in both
//! directions), but asks for no password: whoever can reach it is whoever they choose to be. That is why
//! it listens on loopback only, answers only by its own name, and why its keys die with the process.
//! What it knows of the router in front of the application is what [`Front`] tells.

mod ask;
mod authorize;
mod back_channel;
mod claims;
mod discovery;
mod end_session;
mod key;
mod ledger;
mod realm;
mod redirect;
mod sessions;
mod token;
mod user;
mod visit;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use http::{Method, StatusCode};

pub(super) use self::claims::Subject;
use self::realm::Realm;
use self::visit::Visit;
use super::loopback::page::{escape, render};
use super::loopback::{self, Answer, Call, answer, json, not_found};
use crate::tenant::TenantKey;

/// The realm of the one tenant of a configuration without tenants.
const PROVIDER: &str = "provider";
/// How long a token lives where nothing else is asked for, in seconds.
pub(super) const TOKEN_LIFETIME: u64 = 3600;
/// How many realms there may be.
const MAX_REALMS: usize = 100_000;

/// What an issuer is started with.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// Where it listens; on loopback.
    pub(super) address: SocketAddr,
    /// The one client that it knows; a public one, as it has no secret.
    pub(super) client_id: &'static str,
    /// Whose realms there are.
    pub(super) realms: Realms,
    /// How long a token lives where the login does not choose, in seconds.
    pub(super) token_lifetime: u64,
}

/// Whose realms an issuer has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Realms {
    /// Of these tenants.
    Of(&'static [&'static str]),
    /// Of every tenant that asks.
    Any,
}

/// What the issuer is told of the router.
pub(super) trait Front: Send + Sync {
    /// Where the router listens.
    fn address(&self) -> SocketAddr;
    /// Every scope that a route asks for.
    fn scopes(&self) -> Vec<String>;
    /// Where logout tokens are sent, as a path.
    fn back_channel(&self) -> Option<String>;
    /// The id of the tenant with this key.
    fn tenant_id(&self, key: &str) -> Option<String>;
    /// The keys of some tenants, to be shown.
    fn tenants(&self) -> Vec<String>;
}

/// The issuer with all its realms.
pub(super) struct Issuer {
    /// Scheme, host and port.
    base: String,
    settings: Settings,
    realms: Mutex<BTreeMap<String, Arc<Realm>>>,
    front: OnceLock<Box<dyn Front>>,
}

impl Issuer {
    /// An issuer that listens.
    pub(super) fn start(settings: Settings) -> io::Result<Arc<Self>> {
        let (listener, address) = loopback::bind(settings.address)?;
        let issuer = Arc::new(Self::new(format!("http://{address}"), settings));
        let answering = Arc::clone(&issuer);
        loopback::spawn("issuer", listener, move |call| {
            let issuer = Arc::clone(&answering);
            async move { issuer.respond(&call).await }
        })?;
        Ok(issuer)
    }

    /// An issuer at `base`.
    pub(super) fn new(base: String, settings: Settings) -> Self {
        Self { base, settings, realms: Mutex::default(), front: OnceLock::new() }
    }

    /// Its address; each realm's is below it.
    pub(super) fn url(&self) -> &str {
        &self.base
    }

    /// Tells of the router, once it listens.
    pub(super) fn stand_behind(&self, front: Box<dyn Front>) {
        // There is one router a process, so that nobody comes second.
        drop(self.front.set(front));
    }

    /// A token of `tenant`'s realm; `None` where there is no such realm.
    pub(super) fn mint(&self, tenant: &str, subject: &Subject) -> Option<String> {
        let realm = self.realm(tenant)?;
        let visit = Visit { issuer: self, realm: &realm, now: now() };
        realm.key.sign("JWT", &visit.access_claims(subject)).ok()
    }

    /// A tenant's realm, made when it is first asked for.
    fn realm(&self, tenant: &str) -> Option<Arc<Realm>> {
        let has_realm = match self.settings.realms {
            Realms::Of(tenants) => tenants.contains(&tenant),
            Realms::Any => TenantKey::parse(tenant).is_some(),
        };
        let mut realms = self.realms.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(realm) = realms.get(tenant) {
            return Some(Arc::clone(realm));
        }
        if !has_realm || realms.len() >= MAX_REALMS {
            return None;
        }
        let realm = Arc::new(Realm::new(tenant, &self.base).ok()?);
        realms.insert(tenant.to_owned(), Arc::clone(&realm));
        Some(realm)
    }

    async fn respond(&self, call: &Call) -> Answer {
        if !self.is_addressed(call) {
            let message = serde_json::json!({"message": format!("this is {}", self.base)});
            return json(StatusCode::MISDIRECTED_REQUEST, &message);
        }
        let path = call.path.trim_start_matches('/');
        let (tenant, endpoint) = path.split_once('/').unwrap_or((path, ""));
        match (tenant, endpoint) {
            ("", _) => self.home(),
            (tenant, endpoint) => match self.realm(tenant) {
                Some(realm) => {
                    let visit = Visit { issuer: self, realm: &realm, now: now() };
                    visit.respond(call, endpoint).await
                }
                None => not_found(),
            },
        }
    }

    /// Whether a request is for this issuer by name. A page that makes a name of its own resolve to this
    /// machine would otherwise be of the issuer's origin, and could take tokens.
    fn is_addressed(&self, call: &Call) -> bool {
        let host = call.header("host");
        let port = self.base.rsplit(':').next().unwrap_or_default();
        format!("http://{host}") == self.base || host.strip_prefix("localhost:") == Some(port)
    }

    /// The realms, to be opened.
    fn home(&self) -> Answer {
        let told = self.front.get().map(|front| front.tenants()).unwrap_or_default();
        let made = self.realms.lock().unwrap_or_else(PoisonError::into_inner);
        let tenants: Vec<&String> =
            if told.is_empty() { made.keys().collect() } else { told.iter().collect() };
        let rows = tenants.iter().fold(String::new(), |rows, tenant| {
            let tenant = escape(tenant);
            format!("{rows}<li><a href=\"/{tenant}/sessions\">{tenant}</a></li>")
        });
        let page = render(include_str!("issuer/home.html"), &[("realms", &rows), ("style", STYLE)]);
        visit::page(StatusCode::OK, "", page)
    }
}

/// What the pages look like.
const STYLE: &str = include_str!("issuer/style.css");

impl Visit<'_> {
    /// Answers a request to an endpoint of the realm.
    async fn respond(&self, call: &Call, endpoint: &str) -> Answer {
        match (&call.method, endpoint) {
            (&Method::GET, ".well-known/openid-configuration") => json(StatusCode::OK, &self.discovery()),
            (&Method::GET, "jwks") => {
                json(StatusCode::OK, &serde_json::json!({"keys": [self.realm.key.public()]}))
            }
            (&Method::GET | &Method::POST, "authorize") => self.authorize(call),
            (&Method::POST, "login") => self.own(call).unwrap_or_else(|| self.log_in(call)),
            (&Method::POST, "token") => self.token(call),
            (&Method::GET | &Method::POST, "userinfo") => self.user_info(call),
            (&Method::GET | &Method::POST, "end_session") => self.end_session(call).await,
            (&Method::GET, "" | "sessions") => self.sessions(call),
            (&Method::POST, "sessions") => match self.own(call) {
                Some(refusal) => refusal,
                None => self.end_one(call).await,
            },
            (&Method::POST, "mint") => self.minted(call),
            _ => not_found(),
        }
    }

    /// The bare token, so that a shell can take it as it is.
    fn minted(&self, call: &Call) -> Answer {
        let query = loopback::form::Form::parse(&call.query);
        let subject = Subject {
            user: query.one("user").unwrap_or("alice").to_owned(),
            scope: query.one("scope").unwrap_or_default().to_owned(),
            lifetime: query
                .one("lifetime")
                .and_then(|text| text.parse().ok())
                .unwrap_or(self.issuer.settings.token_lifetime),
        };
        match self.realm.key.sign("JWT", &self.access_claims(&subject)) {
            Ok(token) => answer(StatusCode::OK, "text/plain", token),
            Err(_) => visit::no_randomness(),
        }
    }
}

/// The time, in seconds since the epoch.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests;
