//! `serve --dev`: one issuer on this machine in the place of every other.
//!
//! It stands in for bound authorization servers too, so that routes with `xsuaa` and `ias` and scopes
//! with `$XSAPPNAME` mean something without a binding; what a binding says of names is kept, its
//! addresses and secrets are not used. Tenants are also named by `{tenant}.localhost`, which browsers
//! resolve to this machine by themselves (RFC 6761 §6.3).

use super::super::Development;
use super::super::file::bindings::Binding;
use super::super::file::route::{Authentication, Route, Scope};
use super::Compiler;
use super::bound::{self, Bound, Server, Zone};
use crate::auth::{IssuerKind, IssuerSpec};
use crate::tenant::{HostGlob, TenantKey};

/// `$XSAPPNAME` where nothing is bound.
const APPLICATION: &str = "application!t1";
/// The realm of the one tenant of a configuration without tenants.
const PROVIDER: &str = "provider";
/// What names a tenant besides the rules of the configuration.
const HOST: &str = "{tenant}.localhost";

/// Whether `{tenant}.localhost` is what names tenants.
pub(super) fn names_tenants(compiler: &Compiler<'_>) -> bool {
    compiler.model.development.is_some() && compiler.tenants.tenants.is_some()
}

/// The rule that makes every tenant reachable without a hosts file; none where there are no tenants.
pub(super) fn host(compiler: &Compiler<'_>) -> Option<HostGlob> {
    compiler.model.development.as_ref()?;
    let is_written = compiler.tenants.hosts.iter().any(|rule| &*rule.host.value == HOST);
    let wanted = super::lints::is_ruled(compiler) && !is_written;
    wanted.then(|| HostGlob::parse(HOST).ok()).flatten()
}

/// The authorization servers that the configuration needs, whether bound or not.
pub(super) fn bound(
    compiler: &Compiler<'_>,
    development: &Development,
    xsuaa: Option<&Binding>,
    ias: Option<&Binding>,
) -> Bound {
    let needs = Needs::of(compiler);
    let server = |binding: Option<&Binding>, needed: bool, application: Option<&str>| {
        let text = |key| binding.and_then(|binding| binding.credential(key)).map(str::to_owned);
        (binding.is_some() || needed).then(|| Server {
            mark: binding.map_or(compiler.mark(), |binding| binding.mark),
            issuer: spec(&development.url, development),
            application: application.map(|name| text("xsappname").unwrap_or_else(|| name.to_owned())),
            zone: Zone {
                name: text("identityzone"),
                id: ["identityzoneid", "zoneid", "tenantid"].into_iter().find_map(text),
            },
            shared: false,
        })
    };
    let xsuaa = server(xsuaa, needs.xsuaa || ias.is_none(), Some(APPLICATION));
    Bound { xsuaa, ias: server(ias, needs.ias, None) }
}

/// The development issuer as every tenant's.
pub(super) fn issuer(compiler: &Compiler<'_>, development: &Development, bound: &Bound) -> IssuerSpec {
    let zone = bound.server().and_then(|server| server.zone.name.as_deref());
    let has_key = zone.is_some_and(|zone| TenantKey::parse(&zone.to_ascii_lowercase()).is_some());
    let realm = if has_key || super::lints::is_ruled(compiler) { "{tenant}" } else { PROVIDER };
    spec(&format!("{}/{realm}", development.url), development)
}

fn spec(url: &str, development: &Development) -> IssuerSpec {
    bound::issuer(IssuerKind::Oidc, url.to_owned(), development.client_id.clone())
}

/// Which authorization servers the configuration speaks of.
struct Needs {
    xsuaa: bool,
    ias: bool,
}

impl Needs {
    fn of(compiler: &Compiler<'_>) -> Self {
        let mut routes = compiler.model.app.iter().flat_map(|app| &app.routes);
        let is = |route: &Route, kind| route.authentication.is_some_and(|written| written.value == kind);
        Self {
            ias: routes.clone().any(|route| is(route, Authentication::Ias)),
            xsuaa: routes.any(|route| is(route, Authentication::Xsuaa) || names_application(route)),
        }
    }
}

/// Whether a route's scope speaks of `$XSAPPNAME`.
fn names_application(route: &Route) -> bool {
    let speaks = |scopes: &[Box<str>]| scopes.iter().any(|scope| scope.contains("$XSAPPNAME"));
    route.scope.as_ref().is_some_and(|scope| match scope {
        Scope::Any(scopes) => speaks(scopes),
        Scope::ByMethod(rules) => rules.iter().any(|(_, scopes)| speaks(scopes)),
    })
}
