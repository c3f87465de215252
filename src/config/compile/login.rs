//! How people log in and out: the paths that answer by themselves, and who is told.
//!
//! Paths become what routes would see. Two endpoints at one path are refused; a route that an endpoint
//! takes requests from is noted, unless it takes everything.

use std::time::Duration;

use http::Method;

use super::super::file::login::Logout;
use super::super::text::Located;
use super::Compiler;
use super::routes::route_at;
use super::services::Services;
use crate::request::Target;
use crate::route::Routes;
use crate::route::pattern::Steps;
use crate::snapshot::{BackendLogout, LoginRules, LogoutMethod, LogoutPage, LogoutRules};

/// A path that only a route for everything matches.
const ANYTHING: &str = "/~nothing-is-called-so";

/// How people log in; `None` where that does not compile.
pub(super) fn login(compiler: &mut Compiler<'_>) -> Option<LoginRules> {
    let defaults = LoginRules::default();
    let app = compiler.model.app.as_ref();
    if let Some(mark) = app.and_then(|app| app.unprotected_state) {
        let message = "`state` is always used: without it anyone could log a browser in as somebody else";
        compiler.findings.warning(mark, "state_always_on", message);
    }
    let callback = match app.and_then(|app| app.callback.as_ref()) {
        Some(written) => endpoint(compiler, written)?,
        None => defaults.callback,
    };
    let written = &compiler.model.settings.sessions;
    Some(LoginRules {
        callback,
        preserve_fragment: written.preserve_fragment.is_none_or(|preserve| preserve.value),
        dynamic_identity_provider: written.dynamic_identity_provider,
        minimum_validity: Duration::from_secs(
            compiler.model.settings.minimum_token_validity.map_or(0, |seconds| seconds.value),
        ),
    })
}

/// How people log out; `None` where that does not compile.
pub(super) fn logout(
    compiler: &mut Compiler<'_>,
    services: &Services,
    login: &LoginRules,
) -> Option<LogoutRules> {
    let Some(app) = &compiler.model.app else { return Some(LogoutRules::default()) };
    let written = &app.logout;
    let before = compiler.findings.errors();
    let ending = written.endpoint.as_ref().and_then(|path| endpoint(compiler, path));
    let back_channel = written.back_channel.as_ref().and_then(|path| endpoint(compiler, path));
    refuse_shared(compiler, written, login, ending.as_deref(), back_channel.as_deref());
    (compiler.findings.errors() == before).then(|| LogoutRules {
        endpoint: ending,
        method: if written.post { LogoutMethod::Post } else { LogoutMethod::Get },
        csrf: written.post && written.csrf.unwrap_or(true),
        page: written.page.as_ref().map(|page| logout_page(&page.value)),
        back_channel,
        backends: backends(compiler),
        services: services.logouts(compiler),
    })
}

/// Refuses two endpoints at one path.
fn refuse_shared(
    compiler: &mut Compiler<'_>,
    written: &Logout,
    login: &LoginRules,
    ending: Option<&str>,
    back_channel: Option<&str>,
) {
    let at = |text: &Option<Located<Box<str>>>| text.as_ref().map(|text| text.mark);
    let (here, there) = (at(&written.endpoint), at(&written.back_channel));
    let shared = [
        (here, ending, Some(&*login.callback), "where logins end"),
        (there, back_channel, Some(&*login.callback), "where logins end"),
        (there, back_channel, ending, "`logoutEndpoint`"),
    ];
    for (mark, one, other, what) in shared {
        if let (Some(mark), Some(one)) = (mark, one)
            && Some(one) == other
        {
            let message = format!("`{one}` is {what}: this must be another path");
            compiler.findings.error(mark, "same_endpoint", message);
        }
    }
}

/// The path of an endpoint, as it is compared with those of requests.
pub(super) fn endpoint(compiler: &mut Compiler<'_>, written: &Located<Box<str>>) -> Option<Box<str>> {
    let path = written.value.split(['?', '#']).next().unwrap_or_default();
    if path.len() < written.value.len() {
        let message = "an endpoint is a path alone; what follows it is not looked at";
        compiler.findings.warning(written.mark, "endpoint_with_query", message);
    }
    let path = beneath_root(path);
    match Target::parse(&path) {
        Ok(_) => Some(path),
        Err(error) => {
            let message = format!("no request can be for this path: {error}");
            compiler.findings.error(written.mark, "unusable_path", message);
            None
        }
    }
}

/// The path with exactly one `/` before it.
pub(super) fn beneath_root(path: &str) -> Box<str> {
    format!("/{}", path.trim_start_matches('/')).into()
}

fn logout_page(page: &str) -> LogoutPage {
    if page.contains("://") {
        LogoutPage::Elsewhere(page.into())
    } else {
        LogoutPage::Local(beneath_root(page))
    }
}

/// The backends that are told of logouts.
fn backends(compiler: &Compiler<'_>) -> Vec<BackendLogout> {
    let sections = compiler.model.app.iter().flat_map(|app| &app.destinations);
    let told = sections.filter_map(|section| {
        Some(BackendLogout {
            destination: section.name.value.as_ref().into(),
            path: beneath_root(&section.logout_path.as_ref()?.value),
            method: section.logout_method.and_then(|method| method.parse().ok()).unwrap_or(Method::POST),
        })
    });
    told.collect()
}

/// Notes the routes that do not get the requests of an endpoint, though they seem to be for it.
pub(super) fn lint(compiler: &mut Compiler<'_>, login: &LoginRules, logout: &LogoutRules, routes: &Routes) {
    let endpoints = [Some(&login.callback), logout.endpoint.as_ref(), logout.back_channel.as_ref()];
    for endpoint in endpoints.into_iter().flatten() {
        for compiled in routes.all() {
            let matches = |text: &str| compiled.pattern.is_match(text, &mut Steps::default()) == Ok(true);
            if !matches(endpoint) || matches(ANYTHING) {
                continue;
            }
            let Some(route) = route_at(compiler, compiled.index) else { continue };
            let mark = route.source.as_ref().map_or(route.mark, |source| source.pattern.mark);
            let message = format!("this route never sees `{endpoint}`, which logins or logouts end at");
            compiler.findings.note(mark, "endpoint_before_route", message);
        }
    }
}
