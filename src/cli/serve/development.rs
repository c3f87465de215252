//! `serve --dev`: the development issuer in front of somebody's own configuration.
//!
//! Everyone may log in as anyone, so that this is for one developer's machine: it listens on loopback,
//! refuses any other address and refuses Cloud Foundry. The configuration's files are read as they are
//! and not written; what stands in for what is decided in `config`. Surprising: the issuer starts before
//! the router and learns of it only when the router listens.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use super::{Failed, Options};
use crate::auth::Scope;
use crate::cli::issuer::{Front, Issuer, Realms, Settings};
use crate::config::{self, Sources};
use crate::snapshot::{Published, Snapshot};
use crate::tenant::TenantKey;

/// What the issuer calls the application.
const CLIENT: &str = "development";
/// How many tenants are named at the start.
const SHOWN: usize = 8;

/// What `--dev` was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Development {
    /// Where the issuer listens; on loopback.
    pub issuer: SocketAddr,
    /// How long a token lives where the login does not choose, in seconds.
    pub token_lifetime: u64,
}

/// Starts the issuer that `options` ask for, and puts it in front of `sources`.
pub(super) fn start(options: &Options, sources: &mut Sources) -> Result<Option<Arc<Issuer>>, Failed> {
    let Some(development) = options.development else { return Ok(None) };
    let environment = config::variables(sources);
    if environment.is_cloud_foundry() {
        return Err("--dev lets everyone log in as anyone, and this is Cloud Foundry".into());
    }
    match environment.value("XS_BIND_ADDRESS") {
        None => sources.environment.set("XS_BIND_ADDRESS", Ipv4Addr::LOCALHOST.to_string()),
        Some(text) if text.parse::<IpAddr>().is_ok_and(|address| !address.is_loopback()) => {
            return Err(format!(
                "--dev lets everyone log in as anyone, so it listens on loopback alone, not on {text} \
                 (XS_BIND_ADDRESS)"
            )
            .into());
        }
        Some(_) => {}
    }
    // The issuer forgets with the process, and so may the sessions.
    if ["SESSION_STORE", "SESSION_SECRET"].iter().all(|name| environment.value(name).is_none()) {
        sources.environment.set("SESSION_STORE", "memory");
    }
    let issuer = Issuer::start(Settings {
        address: development.issuer,
        client_id: CLIENT,
        realms: Realms::Any,
        token_lifetime: development.token_lifetime,
    })?;
    let url = issuer.url().to_owned();
    sources.development = Some(config::Development { url, client_id: CLIENT.to_owned() });
    Ok(Some(issuer))
}

/// Tells the issuer of the router, which listens at `address`.
pub(super) fn stand_behind(issuer: &Issuer, published: &Arc<Published>, address: SocketAddr) {
    issuer.stand_behind(Box::new(Router { published: Arc::clone(published), address }));
}

/// What a developer has to know.
pub(super) fn notice(issuer: &Issuer, snapshot: &Snapshot, address: SocketAddr) -> String {
    let bar = "━".repeat(78);
    let url = issuer.url();
    let mut text = format!(
        "{bar}\n  DEVELOPMENT: everyone may log in as anyone. Loopback only; never in production.\n  \
         Issuers and bindings of the configuration are not asked; its files are not changed.\n{bar}\n"
    );
    let port = address.port();
    let keys = keys(snapshot);
    if keys.is_empty() {
        // Writing to a String does not fail.
        let _ = writeln!(text, "  open      http://localhost:{port}/");
    }
    for (place, key) in keys.iter().take(SHOWN).enumerate() {
        let word = if place == 0 { "open" } else { "" };
        let _ = writeln!(text, "  {word:<9} http://{key}.localhost:{port}/");
    }
    if keys.len() > SHOWN {
        let _ = writeln!(
            text,
            "            and {} more tenants, as http://{{tenant}}.localhost:{port}/",
            keys.len() - SHOWN
        );
    }
    let _ = writeln!(text, "  logins    {url}/\n{bar}");
    text
}

/// The keys of the table, or of the provider.
fn keys(snapshot: &Snapshot) -> Vec<&str> {
    let keys = snapshot.tenants.tenants().iter().filter_map(|tenant| tenant.key.as_ref());
    keys.map(TenantKey::as_str).collect()
}

/// The router, as the issuer gets to know it.
struct Router {
    published: Arc<Published>,
    address: SocketAddr,
}

impl Front for Router {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn scopes(&self) -> Vec<String> {
        let snapshot = self.published.current();
        let required = snapshot.routes.all().iter().filter_map(|route| route.requirement.scope.as_ref());
        let mut scopes: Vec<String> = required.flat_map(Scope::names).map(str::to_owned).collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes
    }

    fn back_channel(&self) -> Option<String> {
        self.published.current().logout.back_channel.as_deref().map(str::to_owned)
    }

    fn tenant_id(&self, key: &str) -> Option<String> {
        self.published.current().tenants.find(key)?.id.as_deref().map(str::to_owned)
    }

    fn tenants(&self) -> Vec<String> {
        keys(&self.published.current()).into_iter().take(100).map(str::to_owned).collect()
    }
}
