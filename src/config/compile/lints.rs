//! What works but is probably not meant.
//!
//! Warnings never refuse a configuration. What is odd about a route alone is found by the stage; here it
//! gets its place in the file, and what needs several files to be seen is found here. Every route that
//! lets everyone in is noted, so that none is open unseen.

use super::super::file::issuer::{Issuer, IssuerType};
use super::super::file::route::{Action, Route};
use super::super::read::Model;
use super::super::text::{Located, Mark};
use super::Compiler;
use super::bound::Bound;
use super::routes::route_at;
use crate::auth::AuthenticationType;
use crate::request::Host;
use crate::route::Routes;
use crate::route::lint::Finding;
use crate::tenant::Directory;

/// The names of the destinations that routes and plugins use.
pub(super) fn used_destinations(model: &Model) -> impl Iterator<Item = &str> {
    let routes = model.app.iter().flat_map(|app| &app.routes).chain(&model.settings.plugins);
    routes.filter_map(|route| match &route.action {
        Some(Located { value: Action::Destination(name), .. }) => Some(name.as_ref()),
        Some(Located { value: Action::LocalDir(_) | Action::Service(_), .. }) | None => None,
    })
}

/// Warns of destinations that nothing leads to.
pub(super) fn destinations(compiler: &mut Compiler<'_>) {
    let used: Vec<&str> = used_destinations(compiler.model).collect();
    if used.iter().any(|name| *name == "*" || name.starts_with('$')) {
        return;
    }
    let shared = compiler.model.settings.destinations.iter();
    let own = compiler.tenants.tenants.iter().flatten().flat_map(|tenant| &tenant.destinations);
    for destination in shared.chain(own) {
        if !used.contains(&destination.name.as_ref()) {
            let message = format!("no route uses the destination `{}`", destination.name);
            compiler.findings.warning(destination.mark, "unused_destination", message);
        }
    }
}

/// Warns where a connection can be listened to or answered by somebody else.
pub(super) fn connections(compiler: &mut Compiler<'_>) {
    let shared = compiler.model.settings.destinations.iter();
    let own = compiler.tenants.tenants.iter().flatten().flat_map(|tenant| &tenant.destinations);
    for destination in shared.chain(own).filter(|destination| !destination.strict_ssl) {
        let message =
            format!("the certificate of `{}` is not verified: `strictSSL` is false", destination.name);
        compiler.findings.warning(destination.mark, "unverified_destination", message);
    }
    let own = compiler.tenants.tenants.iter().flatten().filter_map(|tenant| tenant.issuer.as_deref());
    for issuer in compiler.tenants.defaults.issuer.iter().chain(own) {
        for url in [&issuer.url, &issuer.jwks_uri].into_iter().flatten() {
            if url.value.strip_prefix("http://").is_some_and(|rest| !is_this_machine(rest)) {
                let message =
                    "the issuer's keys are fetched without TLS, so anyone on the way can sign tokens";
                compiler.findings.warning(url.mark, "cleartext_issuer", message);
            }
        }
    }
}

/// Whether what follows `http://` names this machine.
fn is_this_machine(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host =
        if authority.starts_with('[') { authority } else { authority.split(':').next().unwrap_or_default() };
    host == "localhost"
        || host.ends_with(".localhost")
        || host.starts_with("127.")
        || host.starts_with("[::1]")
}

/// Whether anything of a request names its tenant.
pub(super) fn is_ruled(compiler: &Compiler<'_>) -> bool {
    compiler.model.settings.tenant_host_pattern.is_some()
        || !compiler.tenants.hosts.is_empty()
        || compiler.tenants.path.is_some()
        || super::development::names_tenants(compiler)
}

/// Warns where every tenant of a shared binding is taken for the provider.
pub(super) fn tenancy(compiler: &mut Compiler<'_>, bound: &Bound) {
    let ruled = is_ruled(compiler);
    let Some(server) = bound.server().filter(|server| server.shared && !ruled) else { return };
    compiler
        .findings
        .warning(server.mark, "no_tenant_rule", "the binding is shared by tenants, but nothing names them")
        .hint("set `TENANT_HOST_PATTERN`, or `hosts` or `path` in xs-tenants.json");
}

/// Warns of tenants to which nobody can log in.
pub(super) fn issuers(compiler: &mut Compiler<'_>, bound: &Bound) {
    if compiler.tenants.defaults.issuer.is_some() || bound.server().is_some() {
        return;
    }
    let tenants = compiler.tenants.tenants.iter().flatten();
    let mut without = tenants.filter(|tenant| tenant.issuer.is_none() && !tenant.broken);
    let Some(first) = without.next() else { return };
    let message = match without.count() {
        0 => format!("`{}` has no issuer: nobody gets in where a token is needed", first.key.value),
        more => format!(
            "`{}` and {more} more have no issuer: nobody gets in where a token is needed",
            first.key.value
        ),
    };
    compiler.findings.warning(first.key.mark, "no_issuer", message);
}

/// Warns of issuers that nobody can be sent to, though routes would send people there.
pub(super) fn logins(compiler: &mut Compiler<'_>, routes: &Routes) {
    if compiler.model.development.is_some() || !routes.all().iter().any(takes_sessions) {
        return;
    }
    let is_bound = |issuer: &Issuer| issuer.kind == Some(IssuerType::Xsuaa);
    let defaults = compiler.tenants.defaults.issuer.as_ref();
    let inherits = defaults.is_some_and(|issuer| issuer.client_id.is_some());
    let own = compiler.tenants.tenants.iter().flatten().filter_map(|tenant| tenant.issuer.as_deref());
    let lacking = |issuer: &&Issuer| issuer.client_id.is_none() && !inherits && !is_bound(issuer);
    let first = defaults.into_iter().filter(|issuer| issuer.url.is_some()).chain(own).find(lacking);
    let Some(mark) = first.map(|issuer| issuer.mark) else { return };
    let message = "nobody can log in at this issuer, as it has no `clientId`; bearer tokens get in";
    compiler
        .findings
        .warning(mark, "no_login", message)
        .hint("give the application's `clientId`, or use `authenticationType: jwt`");
}

/// Whether people log in to get in.
pub(super) fn takes_sessions(route: &crate::route::Route) -> bool {
    match route.requirement.kind {
        AuthenticationType::Xsuaa
        | AuthenticationType::Ias
        | AuthenticationType::Oidc
        | AuthenticationType::Basic => true,
        AuthenticationType::Jwt
        | AuthenticationType::TenantBasic
        | AuthenticationType::TenantToken
        | AuthenticationType::None => false,
    }
}

/// Warns of hosts whose tenant is not in the table.
pub(super) fn host_owners(compiler: &mut Compiler<'_>, directory: &Directory) {
    for tenant in compiler.tenants.hosts.iter().filter_map(|rule| rule.tenant.as_ref()) {
        if compiler.tenants.tenants.is_some() && directory.find(&tenant.value).is_none() {
            let message =
                format!("the tenant `{}` is not in the table, so this host is nobody's", tenant.value);
            compiler.findings.warning(tenant.mark, "unknown_tenant", message);
        }
    }
}

/// Warns where the application's own routes name no tenant.
pub(super) fn hosts(compiler: &mut Compiler<'_>, directory: &Directory) {
    let settings = &compiler.model.settings;
    let Some(pattern) = &settings.tenant_host_pattern else { return };
    let hosts = settings.application_uris.iter().map(|uri| uri.split('/').next().unwrap_or_default());
    let hosts: Vec<&str> = hosts.filter(|host| !host.is_empty()).collect();
    let names = |host: &&str| {
        let parsed = Host::parse(&host.replacen('*', "tenant", 1)).ok();
        parsed.is_some_and(|host| directory.named_by_host(&host, None).is_some())
    };
    if !hosts.is_empty() && !hosts.iter().any(names) {
        let message =
            format!("the pattern matches none of the application's own routes: {}", hosts.join(", "));
        compiler.findings.warning(pattern.mark, "host_pattern_matches_no_route", message);
    }
}

/// Warns of odd routes, and notes those that let everyone in.
pub(super) fn routes(compiler: &mut Compiler<'_>, routes: &Routes) {
    for lint in routes.lints() {
        let Some(route) = route_at(compiler, lint.index) else { continue };
        let target = route.target.as_ref().map_or(route.mark, |target| target.mark);
        let (mark, code) = match lint.finding {
            Finding::UnanchoredPublic => (source(route), "unanchored_source"),
            Finding::GroupMissing { .. } => (target, "no_such_group"),
            Finding::TargetRefused(_) => (target, "target_refused"),
            Finding::Unreachable { .. } => (source(route), "unreachable_route"),
        };
        let hint = hint(compiler, &lint.finding);
        let finding = compiler.findings.warning(mark, code, lint.finding.to_string());
        if let Some(hint) = hint {
            finding.hint(hint);
        }
    }
    for compiled in routes.all().iter().filter(|route| route.is_public()) {
        let Some(route) = route_at(compiler, compiled.index) else { continue };
        if route.scope.is_some() {
            let message = "nobody has scopes on a route without authentication, so everyone is refused";
            compiler.findings.warning(route.mark, "scope_on_public_route", message);
        }
        compiler.findings.note(source(route), "public_route", "everyone gets in here");
    }
}

/// Where the route stands that takes another one's requests.
fn hint(compiler: &Compiler<'_>, finding: &Finding) -> Option<String> {
    let Finding::Unreachable { by } = finding else { return None };
    let (file, line, _) = compiler.findings.texts.place(route_at(compiler, *by)?.mark);
    Some(format!("that route is at {file}:{line}; the first that matches wins"))
}

fn source(route: &Route) -> Mark {
    route.source.as_ref().map_or(route.mark, |source| source.pattern.mark)
}
