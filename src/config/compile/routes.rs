//! Routes: plugins first, then `xs-app.json`, then the folder `resources` where no route serves files.
//!
//! Decides who can be asked to authenticate callers, and refuses a route that nobody could take. A route
//! to something that is not supported yet keeps its place and leads nowhere, so that a later route never
//! gets its requests.

use std::sync::Arc;

use http::{HeaderValue, Method};

use super::super::file::app::XsApp;
use super::super::file::issuer::IssuerType;
use super::super::file::route::{Action as Written, Authentication, Route, Scope as WrittenScope};
use super::super::file::tenants::XsTenants;
use super::super::text::{Located, Mark};
use super::Compiler;
use super::bound::Bound;
use super::destination_service;
use super::services::{self, Services};
use crate::auth::{AuthenticationType, Requirement, Scope, ScopeSpec};
use crate::forward::files::LocalDir;
use crate::route::welcome::Welcome;
use crate::route::{Action, DestinationName, Origin, RouteFault, RouteSpec, Routes};

mod replace;

/// The folder that is served where no route serves files.
const RESOURCES: &str = "resources";

/// Compiles every route.
pub(super) fn compile(
    compiler: &mut Compiler<'_>,
    bound: &Bound,
    any_issuer: bool,
    services: &Services,
) -> Option<Routes> {
    let app = compiler.model.app.as_ref()?;
    let before = compiler.findings.errors();
    let any_ias = bound.ias.is_some() || is_any_ias(compiler.tenants);
    let authority = Authority { bound, any_issuer, any_ias, open: app.open, services };
    let plugins = compiler.model.settings.plugins.iter().zip(app.routes.len() + 1..);
    let written = plugins.map(|(route, index)| (index, route)).chain(app.routes.iter().enumerate());
    let mut specs: Vec<RouteSpec> =
        written.filter_map(|(index, route)| spec(compiler, &authority, index, route)).collect();
    specs.extend(resources(compiler, &authority, app));
    check_sections(compiler, app);
    let welcome = welcome(compiler, app);
    match Routes::compile(specs, welcome) {
        Ok(routes) => (compiler.findings.errors() == before).then_some(routes),
        Err(errors) => {
            for error in errors {
                refuse(compiler, error.index, &error.fault);
            }
            None
        }
    }
}

/// The folders that routes serve, by the route's index, which is not its place where there are plugins.
pub(super) fn local_dirs(compiler: &mut Compiler<'_>, routes: &Routes) -> Option<Vec<Option<LocalDir>>> {
    let indexes = routes.all().iter().map(|route| route.index + 1).max().unwrap_or(0);
    let mut folders = vec![None; indexes];
    for route in routes.all() {
        let Action::LocalDir(path) = &route.action else { continue };
        match LocalDir::open(path, route.cache_control.clone()) {
            Ok(folder) => {
                let written = route_at(compiler, route.index).and_then(|route| route.replace.as_ref());
                folders[route.index] = Some(match written {
                    Some(written) => folder.with_replacement(replace::compile(compiler, written)),
                    None => folder,
                });
            }
            Err(error) => {
                let action = route_at(compiler, route.index).and_then(|route| route.action.as_ref());
                let mark = action.map_or(compiler.mark(), |action| action.mark);
                compiler.findings.error(
                    mark,
                    "no_such_folder",
                    format!("the folder cannot be opened: {error}"),
                );
                return None;
            }
        }
    }
    Some(folders)
}

/// Who can be asked to authenticate callers.
struct Authority<'b> {
    bound: &'b Bound,
    any_issuer: bool,
    /// Whether some tenant's issuer is an IAS, bound or not.
    any_ias: bool,
    open: bool,
    services: &'b Services,
}

/// Whether an issuer is written that is an IAS.
fn is_any_ias(tenants: &XsTenants) -> bool {
    let own = tenants.tenants.iter().flatten().filter_map(|tenant| tenant.issuer.as_deref());
    own.chain(&tenants.defaults.issuer).any(|issuer| issuer.kind == Some(IssuerType::Ias))
}

impl Authority<'_> {
    /// Who authenticates where a route does not say.
    fn default(&self) -> Option<AuthenticationType> {
        match (self.open, &self.bound.xsuaa, &self.bound.ias) {
            (true, _, _) => Some(AuthenticationType::None),
            (false, Some(_), _) => Some(AuthenticationType::Xsuaa),
            (false, None, Some(_)) => Some(AuthenticationType::Ias),
            (false, None, None) => self.any_issuer.then_some(AuthenticationType::Oidc),
        }
    }

    /// What a route asks for; a text where nobody could answer it.
    fn kind(&self, written: Authentication) -> Result<AuthenticationType, &'static str> {
        let xsuaa = self.bound.xsuaa.is_some();
        match written {
            _ if self.open => Ok(AuthenticationType::None),
            Authentication::Xsuaa if xsuaa => Ok(AuthenticationType::Xsuaa),
            Authentication::Xsuaa => Err("no XSUAA service is bound"),
            Authentication::Ias if self.any_ias => Ok(AuthenticationType::Ias),
            Authentication::Ias => Err("no IAS service is bound, and no issuer is of the type `ias`"),
            Authentication::Oidc if self.any_issuer => Ok(AuthenticationType::Oidc),
            Authentication::Jwt if self.any_issuer => Ok(AuthenticationType::Jwt),
            Authentication::Oidc | Authentication::Jwt => Err("no tenant has an issuer"),
            Authentication::Basic => Ok(AuthenticationType::Basic),
            Authentication::TenantBasic => Ok(AuthenticationType::TenantBasic),
            Authentication::TenantToken => Ok(AuthenticationType::TenantToken),
            Authentication::None => Ok(AuthenticationType::None),
        }
    }
}

fn spec(
    compiler: &mut Compiler<'_>,
    authority: &Authority<'_>,
    index: usize,
    route: &Route,
) -> Option<RouteSpec> {
    if let Some(written) = &route.replace {
        replace::check(compiler, written);
    }
    let action = action(compiler, authority.services, route);
    let kind = kind(compiler, authority, route);
    let scope = scope(compiler, authority.bound, route);
    let cache_control = cache_control(compiler, route);
    let source = route.source.as_ref()?;
    Some(RouteSpec {
        index,
        source: source.pattern.value.to_string(),
        match_case: source.match_case,
        methods: methods(route),
        target: route.target.as_ref().map(|target| target.value.to_string()),
        action: action?,
        requirement: Requirement { kind: kind?, scope: scope?, csrf: route.csrf },
        origin: origin(compiler, route.mark),
        cache_control,
        identity_provider: route.identity_provider.clone(),
        dynamic_identity_provider: route.dynamic_identity_provider,
        passes_session_cookies: route.passes_session_cookies,
        prefer_local: route.prefer_local,
    })
}

fn methods(route: &Route) -> Option<Vec<Method>> {
    let methods = route.methods.as_ref()?;
    Some(methods.iter().filter_map(|method| method.parse().ok()).collect())
}

/// Where a route was written.
fn origin(compiler: &Compiler<'_>, mark: Mark) -> Origin {
    let (file, line, column) = compiler.findings.texts.place(mark);
    Origin { file: file.into(), line, column }
}

fn action(compiler: &mut Compiler<'_>, services: &Services, route: &Route) -> Option<Action> {
    let action = route.action.as_ref()?;
    match &action.value {
        Written::Destination(name) => {
            Some(Action::Destination(destination(compiler, route, name, action.mark)))
        }
        Written::LocalDir(name) => local_dir(compiler, name, action.mark),
        Written::Service(name) if **name == *services::USER_API => Some(Action::UserApi),
        Written::Service(name) if services::is_repository(compiler, name) => {
            compiler.findings.unsupported(action.mark, &format!("the service `{name}`"));
            // Nothing is called so, and so nobody gets in: the route still stands before later ones.
            Some(Action::Destination(DestinationName::Fixed(format!("service:{name}").into())))
        }
        Written::Service(name) => {
            services.place(compiler, name, route.endpoint.as_ref()).map(Action::Service)
        }
    }
}

fn destination(compiler: &mut Compiler<'_>, route: &Route, name: &str, mark: Mark) -> DestinationName {
    if name == "*" {
        if compiler.model.settings.destination_host_pattern.is_none() {
            let message =
                "`*` takes the destination from the host, but `DESTINATION_HOST_PATTERN` is not set";
            compiler.findings.warning(mark, "no_destination_host_pattern", message);
        }
        return DestinationName::HostPattern;
    }
    if let Some(group) =
        name.strip_prefix('$').and_then(|group| group.parse::<usize>().ok()).filter(|g| *g > 0)
    {
        check_group(compiler, route, group, mark);
        return DestinationName::Captured(group);
    }
    check_destination(compiler, name, mark);
    DestinationName::Fixed(name.into())
}

fn check_group(compiler: &mut Compiler<'_>, route: &Route, group: usize, mark: Mark) {
    let Some(source) = &route.source else { return };
    // A pattern that does not compile is noticed with the route itself.
    let Ok(pattern) = crate::route::pattern::Pattern::compile(&source.pattern.value, source.match_case)
    else {
        return;
    };
    if group > pattern.group_count() {
        let message = format!("`${group}` names a group that the source does not have");
        compiler.findings.warning(mark, "no_such_group", message);
    }
}

fn check_destination(compiler: &mut Compiler<'_>, name: &str, mark: Mark) {
    let shared = &compiler.model.settings.destinations;
    if shared.iter().any(|destination| *destination.name == *name) {
        return;
    }
    let mut rows = compiler.tenants.tenants.iter().flatten();
    if rows.any(|tenant| tenant.destinations.iter().any(|destination| *destination.name == *name)) {
        return;
    }
    if mentions_group(name) {
        let message = "a group is the whole name or none of it, and no destination is called so";
        compiler.findings.warning(mark, "unknown_destination", message);
        return;
    }
    // What the Destination service knows is found when a request needs it.
    if destination_service::binding(compiler).is_some() {
        return;
    }
    let known: Vec<&str> = shared.iter().map(|destination| destination.name.as_ref()).collect();
    let hint = match super::super::decode::nearest(name, &known) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!(r#"add it to the variable `destinations`: {{"name": "{name}", "url": "http://…"}}"#),
    };
    let message = format!("the destination `{name}` is not known");
    compiler.findings.error(mark, "unknown_destination", message).hint(hint);
}

/// Whether a name holds `$1` or another group; such a name is not looked up there either.
fn mentions_group(name: &str) -> bool {
    name.split('$').skip(1).any(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

fn local_dir(compiler: &mut Compiler<'_>, name: &str, mark: Mark) -> Option<Action> {
    let path = compiler.folder.join(name.trim_start_matches('/'));
    if !path.is_dir() {
        let message = format!("`{name}` is not a folder below the working directory");
        compiler.findings.error(mark, "no_such_folder", message);
        return None;
    }
    Some(Action::LocalDir(path.into()))
}

fn kind(compiler: &mut Compiler<'_>, authority: &Authority<'_>, route: &Route) -> Option<AuthenticationType> {
    let Some(Located { value: written, mark }) = route.authentication else {
        let default = authority.default();
        if default.is_none() {
            compiler
                .findings
                .error(
                    route.mark,
                    "no_issuer",
                    "nobody can say who a caller is: `authenticationType` is absent",
                )
                .hint(
                    "bind an XSUAA or IAS service, give the tenants an `issuer`, or set `authenticationType`",
                );
        }
        return default;
    };
    if matches!(written, Authentication::TenantBasic | Authentication::TenantToken) && !authority.open {
        compiler.findings.unsupported(mark, "this `authenticationType`");
    }
    if written == Authentication::Basic && !authority.open && !authority.any_issuer {
        let message = "no authorization server is bound that could check a password, so nobody gets in";
        compiler.findings.warning(mark, "no_issuer", message);
    }
    if authority.open && written != Authentication::None {
        let message = "everyone gets in all the same, because `authenticationMethod` is `none`";
        compiler.findings.warning(mark, "open_in_spite", message);
    }
    match authority.kind(written) {
        Ok(kind) => {
            if kind == AuthenticationType::Ias
                && authority.bound.xsuaa.is_some()
                && compiler.model.development.is_none()
            {
                compiler.findings.unsupported(mark, "`ias` beside a bound XSUAA");
            }
            Some(kind)
        }
        Err(message) => {
            compiler.findings.error(mark, "no_issuer", format!("{message}, so nobody could get in"));
            None
        }
    }
}

/// The scope; the outer `None` where it does not compile.
#[expect(clippy::option_option, reason = "absent and broken are different, and a broken one is noticed here")]
fn scope(compiler: &mut Compiler<'_>, bound: &Bound, route: &Route) -> Option<Option<Scope>> {
    let texts = |scopes: &[Box<str>]| scopes.iter().map(ToString::to_string).collect();
    let spec = match &route.scope {
        None => return Some(None),
        Some(WrittenScope::Any(scopes)) => ScopeSpec::AnyOf(texts(scopes)),
        Some(WrittenScope::ByMethod(rules)) => ScopeSpec::ByMethod(
            rules.iter().map(|(method, scopes)| (method.to_string(), texts(scopes))).collect(),
        ),
    };
    match Scope::compile(&spec, bound.application()) {
        Ok(scope) => Some(Some(scope)),
        Err(error) => {
            compiler.findings.error(route.mark, "unusable_scope", error.to_string());
            None
        }
    }
}

fn cache_control(compiler: &mut Compiler<'_>, route: &Route) -> Option<HeaderValue> {
    let text = route.cache_control.as_ref()?;
    let value = HeaderValue::from_str(&text.value).ok();
    if value.is_none() {
        compiler.findings.error(text.mark, "unusable_header", "this cannot be a header's value");
    }
    value
}

/// `^/(.*)$` to the folder `resources`, where it is there and no route serves files.
fn resources(compiler: &mut Compiler<'_>, authority: &Authority<'_>, app: &XsApp) -> Option<RouteSpec> {
    let serves = |route: &Route| matches!(&route.action, Some(Located { value: Written::LocalDir(_), .. }));
    let folder = compiler.folder.join(RESOURCES);
    if app.routes.iter().any(serves) || !folder.is_dir() {
        return None;
    }
    Some(RouteSpec {
        index: app.routes.len(),
        source: String::from("^/(.*)$"),
        match_case: true,
        methods: None,
        target: Some(String::from("$1")),
        action: Action::LocalDir(Arc::from(folder)),
        requirement: Requirement { kind: authority.default()?, scope: None, csrf: true },
        origin: origin(compiler, app.mark),
        cache_control: None,
        identity_provider: None,
        dynamic_identity_provider: false,
        passes_session_cookies: false,
        prefer_local: false,
    })
}

/// A section for a destination that no route uses is a misspelt name.
fn check_sections(compiler: &mut Compiler<'_>, app: &XsApp) {
    let used: Vec<&str> = super::lints::used_destinations(compiler.model).collect();
    for section in &app.destinations {
        let name = &section.name;
        if !used.contains(&name.value.as_ref()) {
            let message = format!("no route uses the destination `{}`", name.value);
            compiler.findings.error(name.mark, "unused_destination", message);
        }
    }
}

fn welcome(compiler: &mut Compiler<'_>, app: &XsApp) -> Option<Welcome> {
    let file = app.welcome.as_ref().filter(|file| !file.value.is_empty())?;
    match Welcome::compile(file.value.trim_start_matches("./")) {
        Ok(welcome) => Some(welcome),
        Err(_) if file.value.contains("<%") => {
            let message = "this is a template, not a path";
            compiler
                .findings
                .error(file.mark, "template", message)
                .hint("give the file that the template renders");
            None
        }
        Err(error) => {
            compiler.findings.error(file.mark, "unusable_path", error.to_string());
            None
        }
    }
}

/// Notices why a route does not compile, at its source or target.
fn refuse(compiler: &mut Compiler<'_>, index: usize, fault: &RouteFault) {
    let Some(route) = route_at(compiler, index) else { return };
    let source = route.source.as_ref().map(|source| source.pattern.mark);
    let target = route.target.as_ref().map(|target| target.mark);
    let (mark, code, message) = match fault {
        RouteFault::Source(error) => (source, "malformed_pattern", error.to_string()),
        RouteFault::Target(error) => (target, "malformed_target", error.to_string()),
    };
    let mark = mark.unwrap_or(route.mark);
    compiler.findings.error(mark, code, message);
}

/// The route that was compiled under `index`.
pub(super) fn route_at<'m>(compiler: &Compiler<'m>, index: usize) -> Option<&'m Route> {
    let app = compiler.model.app.as_ref()?;
    let plugin = index.checked_sub(app.routes.len() + 1);
    app.routes.get(index).or_else(|| compiler.model.settings.plugins.get(plugin?))
}
