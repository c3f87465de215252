//! Bound services that routes lead to: one place in the snapshot for each endpoint that a route names.
//!
//! A service is found by `sap.cloud.service`, else by its alias, else by what it is called. What is wrong
//! with a binding is said once, at the first route that leads there. The HTML5 application repository and
//! its like are no services that requests are merely forwarded to, and are refused by name.

mod endpoint;

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{HeaderName, HeaderValue, Method};

use super::super::decode::nearest;
use super::super::file::bindings::Binding;
use super::super::file::route::{Action, Authentication, Route};
use super::super::file::services::Section;
use super::super::text::{Located, Mark};
use super::Compiler;
use super::bound::Bound;
use crate::destination::DestinationSpec;
use crate::destination::service::{BusinessService, Credential};
use crate::forward::headers::HeaderPolicy;
use crate::snapshot::ServiceLogout;

/// The service that is always there: it says who the caller is.
pub(super) const USER_API: &str = "sap-approuter-userapi";
/// Services whose content is not forwarded to but served from, by label, and as routes call them.
const REPOSITORIES: [(&str, &str); 2] =
    [("html5-apps-repo", "html5-apps-repo-rt"), ("app-front", "app-front")];
/// What begins the name of a header that every request gets.
const HEADER: &str = "URL.headers.";

/// A service, and which of its endpoints.
type Name = (Box<str>, Option<Box<str>>);

/// The services that routes lead to.
#[derive(Debug, Default)]
pub(super) struct Services {
    list: Vec<Arc<BusinessService>>,
    places: BTreeMap<Name, Option<usize>>,
}

impl Services {
    /// Compiles what routes lead to.
    pub(super) fn compile(compiler: &mut Compiler<'_>, bound: &Bound, policy: &HeaderPolicy) -> Self {
        let mut services = Self::default();
        for route in compiler.model.app.iter().flat_map(|app| &app.routes) {
            let Some(Located { value: Action::Service(name), mark }) = &route.action else { continue };
            if **name == *USER_API || is_repository(compiler, name) {
                continue;
            }
            let key = named(compiler, name, route.endpoint.as_ref());
            if services.places.contains_key(&key) {
                continue;
            }
            warn_of_strangers(compiler, route);
            let mark = route.endpoint.as_ref().map_or(*mark, |endpoint| endpoint.mark);
            let service = service(compiler, bound, policy, &key, mark);
            let place = service.map(|service| {
                services.list.push(Arc::new(service));
                services.list.len() - 1
            });
            services.places.insert(key, place);
        }
        lint(compiler);
        services
    }

    /// The place of what a route leads to; `None` where that does not compile, which has been noticed.
    pub(super) fn place(
        &self,
        compiler: &Compiler<'_>,
        name: &str,
        endpoint: Option<&Located<Box<str>>>,
    ) -> Option<usize> {
        self.places.get(&named(compiler, name, endpoint)).copied().flatten()
    }

    /// Every service, by its place; nothing where one does not compile.
    pub(super) fn list(&self) -> Option<Vec<Arc<BusinessService>>> {
        self.places.values().all(Option::is_some).then(|| self.list.clone())
    }

    /// The services that hear of logouts, once each.
    pub(super) fn logouts(&self, compiler: &Compiler<'_>) -> Vec<ServiceLogout> {
        let told = sections(compiler).filter_map(|section| {
            let path = section.logout_path.as_ref()?;
            let own = self.places.range((section.name.value.clone(), None)..);
            let mut own = own.take_while(|((name, _), _)| *name == section.name.value);
            Some(ServiceLogout {
                service: own.find_map(|(_, place)| *place)?,
                path: super::login::beneath_root(&path.value),
                method: section.logout_method.and_then(|method| method.parse().ok()).unwrap_or(Method::POST),
            })
        });
        told.collect()
    }
}

fn sections<'m>(compiler: &Compiler<'m>) -> impl Iterator<Item = &'m Section> + use<'m> {
    compiler.model.app.iter().flat_map(|app| &app.services)
}

/// A service with the endpoint that a route names, or else its section.
fn named(compiler: &Compiler<'_>, name: &str, endpoint: Option<&Located<Box<str>>>) -> Name {
    let mut sections = sections(compiler).filter(|section| *section.name.value == *name);
    let of_section = || sections.next().and_then(|section| section.endpoint.as_ref());
    (name.into(), endpoint.or_else(of_section).map(|endpoint| endpoint.value.clone()))
}

/// Whether a route leads to a repository that is bound.
pub(super) fn is_repository(compiler: &Compiler<'_>, name: &str) -> bool {
    let Some((label, _)) = REPOSITORIES.iter().find(|(_, called)| *called == name) else { return false };
    compiler.model.settings.bindings.iter().any(|binding| binding.is(label) || binding.is(name))
}

/// The binding that routes call `name`.
fn binding<'m>(compiler: &Compiler<'m>, name: &str) -> Option<&'m Binding> {
    let bindings = &compiler.model.settings.bindings;
    let by = |key: &str| bindings.iter().find(|binding| binding.credential(key) == Some(name));
    by("sap.cloud.service")
        .or_else(|| by("sap.cloud.service.alias"))
        .or_else(|| bindings.iter().find(|binding| *binding.name == *name))
        .or_else(|| bindings.iter().find(|binding| binding.is(name)))
}

fn service(
    compiler: &mut Compiler<'_>,
    bound: &Bound,
    policy: &HeaderPolicy,
    (name, endpoint): &Name,
    mark: Mark,
) -> Option<BusinessService> {
    let Some(binding) = binding(compiler, name) else {
        let message = format!("no service `{name}` is bound");
        let known: Vec<&str> = compiler.model.settings.bindings.iter().filter_map(called).collect();
        let hint = nearest(name, &[&known[..], &[USER_API]].concat()).map(str::to_owned);
        let finding = compiler.findings.error(mark, "unknown_service", message);
        if let Some(nearest) = hint {
            finding.hint(format!("did you mean `{nearest}`?"));
        }
        return None;
    };
    let place = endpoint::find(compiler, binding, endpoint.as_deref(), mark);
    let credential = credential(compiler, bound, binding);
    let place = place?;
    let headers = headers(compiler, policy, binding, &place);
    let label = endpoint.as_ref().map_or_else(String::new, |endpoint| format!("/{endpoint}"));
    let spec = DestinationSpec {
        timeout: place.timeout,
        ..DestinationSpec::new(&format!("service:{name}{label}"), &place.url)
    };
    let destination = spec.compile().map_err(|error| {
        let message = format!("the address of `{}` cannot be used: {error}", binding.name);
        compiler.findings.error(binding.mark, "unusable_url", message);
    });
    Some(BusinessService {
        destination: Arc::new(destination.ok()?),
        credential: credential?,
        headers: headers?,
        forward_ias_token: flag(binding, "forwardiastoken"),
    })
}

/// What routes call a bound service.
fn called(binding: &Binding) -> Option<&str> {
    binding.credential("sap.cloud.service")
}

/// Whether a binding says yes, as JSON or as text.
fn flag(binding: &Binding, key: &str) -> bool {
    binding.credential(key) == Some("true")
}

fn credential(compiler: &mut Compiler<'_>, bound: &Bound, binding: &Binding) -> Option<Credential> {
    let by_caller = match binding.credential("grant_type") {
        None | Some("user_token") => true,
        Some("client_credentials") => false,
        Some(other) => {
            let message = format!("`grant_type` of `{}` is `{other}`", binding.name);
            compiler
                .findings
                .error(binding.mark, "unknown_value", message)
                .hint("one of user_token, client_credentials");
            return None;
        }
    };
    if compiler.model.development.is_some() {
        return Some(Credential::Own);
    }
    let service = super::credentials::service(compiler, bound, binding)?;
    Some(match (by_caller, flag(binding, "saasregistryenabled")) {
        (true, _) => Credential::Exchanged(service),
        (false, true) => Credential::Application(service),
        // Subscribers do not know it, so only the provider's own subaccount can vouch for us.
        (false, false) => Credential::Application(Arc::new(service.of_provider())),
    })
}

/// `URL.headers.*` of the binding, and of the endpoint, which wins.
fn headers(
    compiler: &mut Compiler<'_>,
    policy: &HeaderPolicy,
    binding: &Binding,
    place: &endpoint::Place,
) -> Option<Box<[(HeaderName, HeaderValue)]>> {
    let mut headers: Vec<(HeaderName, HeaderValue)> = Vec::new();
    let own = binding.credentials.iter().map(|(key, secret)| (&**key, secret.value.expose()));
    let of_place = place.members.iter().map(|(key, text)| (&**key, text.expose()));
    for (key, text) in own.chain(of_place) {
        let Some(name) = key.strip_prefix(HEADER) else { continue };
        match header(policy, name, text) {
            Ok((name, value)) => {
                headers.retain(|(known, _)| *known != name);
                headers.push((name, value));
            }
            Err(why) => {
                let message = format!("`{key}` of `{}` cannot be sent: {why}", binding.name);
                compiler.findings.error(binding.mark, "unusable_header", message);
                return None;
            }
        }
    }
    Some(headers.into())
}

fn header(policy: &HeaderPolicy, name: &str, text: &str) -> Result<(HeaderName, HeaderValue), &'static str> {
    let name = HeaderName::try_from(name).map_err(|_| "this cannot be a header's name")?;
    if name == http::header::AUTHORIZATION {
        return Err("the service gets its token there");
    }
    if !policy.may_be_added(&name) {
        return Err("this name has another meaning");
    }
    let mut value = HeaderValue::from_str(text).map_err(|_| "this cannot be a header's value")?;
    // What stands in a binding may be a key.
    value.set_sensitive(true);
    Ok((name, value))
}

/// Warns of a route on which nobody is known for whom the service could be called.
fn warn_of_strangers(compiler: &mut Compiler<'_>, route: &Route) {
    let open = compiler.model.app.as_ref().is_some_and(|app| app.open);
    let none = route.authentication.filter(|written| written.value == Authentication::None);
    if !open && none.is_none() {
        return;
    }
    let mark = none.map_or(route.mark, |written| written.mark);
    compiler
        .findings
        .warning(mark, "service_for_nobody", "a service is called for somebody, and nobody is known here")
        .hint("only requests with a token in `x-approuter-authorization` get through; use another `authenticationType`");
}

/// Warns of sections that change nothing.
fn lint(compiler: &mut Compiler<'_>) {
    let routes = compiler.model.app.iter().flat_map(|app| &app.routes);
    let used: Vec<&str> = routes
        .filter_map(|route| match &route.action {
            Some(Located { value: Action::Service(name), .. }) => Some(&**name),
            Some(Located { value: Action::Destination(_) | Action::LocalDir(_), .. }) | None => None,
        })
        .collect();
    for section in sections(compiler) {
        let name = &section.name;
        if !used.contains(&&*name.value) {
            let message = format!("no route uses the service `{}`", name.value);
            compiler.findings.warning(name.mark, "unused_service", message);
        }
    }
}
