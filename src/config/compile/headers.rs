//! The names of the headers that the backend gets, and what is removed.
//!
//! A chosen name must not be one that gives a request its meaning, and no two may be the same: a header
//! that says two things says neither. What else is removed is known to the stage that forwards.

use http::HeaderName;

use super::super::text::Located;
use super::Compiler;
use super::bound::Bound;
use crate::forward::headers::{HeaderPolicy, UserHeaders};
use crate::tenant::{TenantHeaders, TenantIdForm};

/// Cookies that never reach a backend, beside the session's under its own name: what sessions are called
/// by default, by us and by the SAP application router, what callers without a session keep for backends, and
/// the platform's stickiness.
const COOKIES: [&str; 3] = ["JSESSIONID", crate::session::cookie::CALLER, "__VCAP_ID__"];

/// Names that would break a request if they were ours to set.
const TAKEN: [&str; 19] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "authorization",
    "cookie",
    "upgrade",
    "te",
    "trailer",
    "x-tenant-assertion",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-path",
    "x-request-id",
    "x-correlationid",
    "traceparent",
    "content-type",
    "expect",
];

/// What the backend is told, under which names.
pub(super) struct Headers {
    pub(super) tenant: TenantHeaders,
    pub(super) policy: HeaderPolicy,
}

/// Compiles the `headers` of `xs-tenants.json`.
pub(super) fn compile(compiler: &mut Compiler<'_>, bound: &Bound, session_cookie: Option<&str>) -> Headers {
    let mut tenant =
        TenantHeaders { form: form(bound, super::lints::is_ruled(compiler)), ..TenantHeaders::default() };
    let mut user = UserHeaders {
        name: HeaderName::from_static("x-user-name"),
        email: HeaderName::from_static("x-user-email"),
    };
    for (key, text) in &compiler.tenants.headers {
        let Some(name) = name(compiler, text) else { continue };
        match *key {
            "tenant" => tenant.key = name,
            "tenantId" => tenant.id = name,
            "sapTenantId" => tenant.sap = name,
            "userName" => user.name = name,
            _ => user.email = name,
        }
    }
    let mut names: Vec<HeaderName> = tenant.names().into_iter().cloned().collect();
    names.extend([user.name.clone(), user.email.clone()]);
    refuse_repeated(compiler, &names);
    let mut cookies = COOKIES.to_vec();
    cookies.extend(session_cookie.filter(|name| !COOKIES.contains(name)));
    let policy = HeaderPolicy::new(&tenant.names(), user, &cookies);
    Headers { tenant, policy }
}

/// What `tenantid` holds: the SAP application router's form where XSUAA is bound. Where no rule names
/// tenants there is the provider alone, and the zone says who that is.
fn form(bound: &Bound, ruled: bool) -> TenantIdForm {
    let zone =
        bound.xsuaa.as_ref().and_then(|server| Some((server.zone.name.as_deref()?, server.shared && ruled)));
    match zone {
        Some((zone, true)) => TenantIdForm::ZoneAndTenant(zone.into()),
        Some((zone, false)) => TenantIdForm::Zone(zone.into()),
        None => TenantIdForm::Id,
    }
}

fn name(compiler: &mut Compiler<'_>, text: &Located<Box<str>>) -> Option<HeaderName> {
    let name = text.value.parse::<HeaderName>();
    let plain =
        |name: &HeaderName| name.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let problem = match &name {
        Ok(name) if TAKEN.contains(&name.as_str()) => "this name has another meaning",
        Ok(name) if !plain(name) => "a header's name is made of letters, digits and hyphens",
        Ok(_) => return name.ok(),
        Err(_) => "this cannot be a header's name",
    };
    compiler.findings.error(text.mark, "unusable_header", problem);
    None
}

fn refuse_repeated(compiler: &mut Compiler<'_>, names: &[HeaderName]) {
    let repeated = names.iter().enumerate().find(|(place, name)| names[..*place].contains(name));
    let Some((_, name)) = repeated else { return };
    let chosen =
        compiler.tenants.headers.iter().find(|(_, text)| text.value.eq_ignore_ascii_case(name.as_str()));
    let mark = chosen.map_or(compiler.mark(), |(_, text)| text.mark);
    compiler.findings.error(mark, "duplicate_name", format!("two headers are called `{name}`"));
}
