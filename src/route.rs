//! Picks the route of a request and rewrites its path.
//!
//! Routes are tried in the order in which they were written and the first that matches wins; an index of
//! what their patterns must begin with or contain ([`choice`]) leaves out those that cannot. A pattern is
//! searched in path and query, as JavaScript does. Surprising: a route that lets everyone in must match
//! the path alone as well, so that a query can never open a door.

pub mod cors;
pub mod explain;
pub mod lint;
pub mod matched;
pub mod pattern;
pub mod target;
pub mod welcome;

mod choice;

use std::path::Path;
use std::sync::Arc;

use http::{HeaderValue, Method};
use thiserror::Error;

use crate::auth::{AuthenticationType, Requirement};
use crate::request::Target;

use choice::Choice;
pub use matched::{Matched, RewriteError};
use pattern::{Exhausted, Groups, Pattern, PatternError, Steps};
use target::{TargetError, Template};
use welcome::Welcome;

/// Where in the configuration something was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The file.
    pub file: Arc<str>,
    /// Counted from 1.
    pub line: u32,
    /// Counted from 1, in characters.
    pub column: u32,
}

/// Which destination a route names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DestinationName {
    /// By its name.
    Fixed(Arc<str>),
    /// `"$1"`: the name is what this group matched.
    Captured(usize),
    /// `"*"`: the name comes out of the host, by `DESTINATION_HOST_PATTERN`.
    HostPattern,
}

/// What a route does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Forwards it.
    Destination(DestinationName),
    /// Serves a file of this folder.
    LocalDir(Arc<Path>),
    /// Says who the caller is: `service: sap-approuter-userapi`.
    UserApi,
    /// Forwards it to the bound service at this place.
    Service(usize),
}

/// A route as configured, not yet understood.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own of a route")]
pub struct RouteSpec {
    /// Its place in the configuration, from 0.
    pub index: usize,
    /// `source`, or `source.path`.
    pub source: String,
    /// `source.matchCase`.
    pub match_case: bool,
    /// `httpMethods`; `None` is all, extension methods included.
    pub methods: Option<Vec<Method>>,
    /// `target`.
    pub target: Option<String>,
    /// Where it leads.
    pub action: Action,
    /// What it asks of the caller.
    pub requirement: Requirement,
    /// Where it was written.
    pub origin: Origin,
    /// `cacheControl` of a route with `localDir`.
    pub cache_control: Option<HeaderValue>,
    /// `identityProvider`.
    pub identity_provider: Option<Box<str>>,
    /// `dynamicIdentityProvider`.
    pub dynamic_identity_provider: bool,
    /// `setBackendSessionCookies`.
    pub passes_session_cookies: bool,
    /// `preferLocal`.
    pub prefer_local: bool,
}

/// A compiled route.
#[derive(Debug)]
pub struct Route {
    /// Its place in the configuration, from 0.
    pub index: usize,
    /// What it matches.
    pub pattern: Pattern,
    /// The methods it takes; `None` is all.
    pub methods: Option<Vec<Method>>,
    /// Where it leads.
    pub action: Action,
    /// What it asks of the caller.
    pub requirement: Requirement,
    /// Where it was written.
    pub origin: Origin,
    /// `Cache-Control` of the files it serves.
    pub cache_control: Option<HeaderValue>,
    /// The identity provider that the issuer is asked to log in with.
    pub identity_provider: Option<Box<str>>,
    /// Whether the query parameter `sap_idp` chooses the identity provider.
    pub dynamic_identity_provider: bool,
    /// Whether the browser keeps the backend's session cookies itself.
    pub passes_session_cookies: bool,
    /// Whether the provider's destination is meant, whoever the tenant is.
    pub prefer_local: bool,
    target: Option<Box<str>>,
    template: Option<Template>,
}

/// A route that cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("route {index}: {fault}")]
pub struct RouteError {
    /// Its place in the configuration, from 0.
    pub index: usize,
    /// What is wrong with it.
    pub fault: RouteFault,
}

/// What can be wrong with a route.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RouteFault {
    /// Its `source`.
    #[error("source: {0}")]
    Source(#[source] PatternError),
    /// Its `target`.
    #[error("target: {0}")]
    Target(#[source] TargetError),
}

/// All routes, compiled.
#[derive(Debug)]
pub struct Routes {
    table: Box<[Route]>,
    choice: Choice,
    welcome: Option<Welcome>,
}

/// What was found for a request.
#[derive(Debug)]
pub enum Picked<'a> {
    /// A route.
    Route(Matched<'a>),
    /// The root of an application with a `welcomeFile`: 302 to it.
    Welcome(&'a Welcome),
    /// Routes match, but none takes the method: 405 with this `Allow`.
    MethodNotAllowed(HeaderValue),
    /// No route matches: 404.
    NotFound,
    /// Whether this route matches could not be found out within the steps that a request may take. Nothing
    /// that comes after it may be chosen: 500.
    Undecided(&'a Route),
}

/// How one route relates to one request.
enum Fit {
    Yes(Groups),
    No,
    OnlyWithQuery,
}

impl Route {
    fn compile(spec: RouteSpec) -> Result<Self, RouteError> {
        let index = spec.index;
        let fail = |fault| RouteError { index, fault };
        let pattern =
            Pattern::compile(&spec.source, spec.match_case).map_err(|e| fail(RouteFault::Source(e)))?;
        let template = spec.target.as_deref().map(|target| target::for_route(target, &pattern)).transpose();
        Ok(Self {
            index,
            template: template.map_err(|e| fail(RouteFault::Target(e)))?,
            target: spec.target.map(Into::into),
            pattern,
            methods: spec.methods,
            action: spec.action,
            requirement: spec.requirement,
            origin: spec.origin,
            cache_control: spec.cache_control,
            identity_provider: spec.identity_provider,
            dynamic_identity_provider: spec.dynamic_identity_provider,
            passes_session_cookies: spec.passes_session_cookies,
            prefer_local: spec.prefer_local,
        })
    }

    /// The `target` as it was written.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// Whether everyone gets in.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.requirement.kind == AuthenticationType::None
    }

    fn takes(&self, method: &Method) -> bool {
        self.methods.as_ref().is_none_or(|methods| methods.contains(method))
    }

    /// Whether anything asks where the groups are.
    fn needs_groups(&self) -> bool {
        self.template.is_some() || matches!(self.action, Action::Destination(DestinationName::Captured(_)))
    }

    fn fit(&self, target: &Target, steps: &mut Steps) -> Result<Fit, Exhausted> {
        let text = target.as_str();
        let groups = if self.needs_groups() {
            self.pattern.find(text, steps)?
        } else {
            self.pattern.is_match(text, steps)?.then(Groups::default)
        };
        let Some(groups) = groups else { return Ok(Fit::No) };
        let guarded = !self.is_public() || target.query().is_empty();
        let fits = guarded || self.pattern.is_match(target.path(), steps)?;
        Ok(if fits { Fit::Yes(groups) } else { Fit::OnlyWithQuery })
    }
}

impl Routes {
    /// Compiles all routes, or says what is wrong with each that does not compile.
    pub fn compile(specs: Vec<RouteSpec>, welcome: Option<Welcome>) -> Result<Self, Vec<RouteError>> {
        let mut errors = Vec::new();
        let compiled = specs.into_iter().map(Route::compile);
        let table: Box<[Route]> =
            compiled.filter_map(|route| route.map_err(|e| errors.push(e)).ok()).collect();
        if !errors.is_empty() {
            return Err(errors);
        }
        let choice = Choice::build(table.iter().map(|route| &route.pattern));
        Ok(Self { table, choice, welcome })
    }

    /// All routes, in order.
    #[must_use]
    pub fn all(&self) -> &[Route] {
        &self.table
    }

    /// The route of a request. `fetches_csrf_token` says that it carries `x-csrf-token: fetch`, for which
    /// the welcome file is served in place instead of being redirected to.
    #[must_use]
    pub fn pick<'a>(&'a self, method: &Method, target: &'a Target, fetches_csrf_token: bool) -> Picked<'a> {
        match self.welcome.as_ref().filter(|_| target.path() == "/") {
            Some(welcome) if fetches_csrf_token => self.pick_route(method, welcome.target()),
            Some(welcome) => Picked::Welcome(welcome),
            None => self.pick_route(method, target),
        }
    }

    fn pick_route<'a>(&'a self, method: &Method, target: &'a Target) -> Picked<'a> {
        let mut steps = Steps::default();
        let mut refused_method = false;
        for route in self.choice.candidates(target.as_str()).filter_map(|place| self.table.get(place)) {
            match route.fit(target, &mut steps) {
                Err(Exhausted) => return Picked::Undecided(route),
                Ok(Fit::Yes(groups)) if route.takes(method) => {
                    if self.stays_public(route, method, target) {
                        return Picked::Route(Matched::new(route, target, groups));
                    }
                }
                Ok(Fit::Yes(_)) => refused_method = true,
                Ok(Fit::No | Fit::OnlyWithQuery) => {}
            }
        }
        if refused_method { Picked::MethodNotAllowed(self.allow(target)) } else { Picked::NotFound }
    }

    /// Whether what a backend might make of the target is public too, where `route` is. A protected path
    /// does not open because it was spelt in a way that its own route does not match; then the public
    /// route is passed over.
    fn stays_public(&self, route: &Route, method: &Method, target: &Target) -> bool {
        let Some(normal) = route.is_public().then(|| target.normal_form()).flatten() else { return true };
        matches!(self.pick_route(method, &normal), Picked::Route(matched) if matched.route.is_public())
    }

    /// The methods of all routes that match, in order. Only called where one does, so that the steps
    /// suffice a second time.
    fn allow(&self, target: &Target) -> HeaderValue {
        let mut steps = Steps::default();
        let mut allowed: Vec<&str> = Vec::new();
        for route in self.choice.candidates(target.as_str()).filter_map(|place| self.table.get(place)) {
            if matches!(route.fit(target, &mut steps), Ok(Fit::Yes(_))) {
                for method in route.methods.iter().flatten().map(Method::as_str) {
                    if !allowed.contains(&method) {
                        allowed.push(method);
                    }
                }
            }
        }
        HeaderValue::try_from(allowed.join(", ")).unwrap_or(HeaderValue::from_static(""))
    }
}

#[cfg(test)]
mod tests;
