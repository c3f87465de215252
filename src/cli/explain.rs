//! `vestibule explain`: what would become of a request, and why.
//!
//! It asks [`pipeline::decide`], the very function that serves requests, and puts its outcome into words;
//! nothing is decided here. The admin port answers `/explain` with the same [`explain`]. Surprising: what
//! proves who somebody is does not appear in the answer, not even the token that was asked with.

mod human;
mod oracle;
mod question;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{CLEAN, PROBLEMS, complain};
use crate::auth::{AuthenticationType, Requirement};
use crate::endpoint::Endpoint;
use crate::forward::Outbound;
use crate::pipeline::{self, Bench, Caller, Decision, Trail};
use crate::request::correlation::Correlation;
use crate::route::Route;
use crate::snapshot::Snapshot;

pub use self::oracle::Oracle;
pub use self::question::{Question, header};

/// What would become of a request.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// The tenant's key.
    pub tenant: Option<String>,
    /// The route that the request takes.
    pub route: Option<Place>,
    /// The routes before it, or all where there is none.
    pub passed_over: Vec<PassedOver>,
    /// `authenticationType` of the route.
    pub authentication: Option<&'static str>,
    /// What the route requires of this method: a scope, or several of which one suffices.
    pub scope: Option<Value>,
    /// What the backend would get.
    pub upstream: Option<Upstream>,
    /// Why there is nothing for a backend, where that is a refusal.
    pub refusal: Option<Refusal>,
    /// What Vestibule answers with itself, where that is no refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered: Option<String>,
}

/// Where a route is written.
#[derive(Debug, Serialize)]
pub struct Place {
    /// Its place in the table.
    pub index: usize,
    /// Its pattern.
    pub source: String,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

/// A route that the request does not take.
#[derive(Debug, Serialize)]
pub struct PassedOver {
    /// Its place in the table.
    pub index: usize,
    /// Why.
    pub reason: String,
}

/// A request as a backend would get it.
#[derive(Debug, Serialize)]
pub struct Upstream {
    /// The method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// The headers; a repeated one is joined with commas.
    pub headers: Map<String, Value>,
}

/// What the caller would be told.
#[derive(Debug, Serialize)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// The stable code.
    pub code: &'static str,
    /// What the log says, for people.
    #[serde(skip)]
    pub reason: String,
}

/// Prints what becomes of `question` in `directory`'s configuration.
pub(super) fn run(
    directory: &Path,
    question: &Question,
    json: bool,
    out: &mut dyn Write,
) -> io::Result<ExitCode> {
    let Some(oracle) = Oracle::load(directory)? else { return Ok(ExitCode::from(PROBLEMS)) };
    match oracle.answer(question) {
        Err(reason) => {
            complain(&format!("vestibule explain: {reason}"));
            return Ok(ExitCode::from(super::USAGE));
        }
        Ok(explanation) if json => writeln!(out, "{}", serde_json::to_string_pretty(&explanation)?)?,
        Ok(explanation) => human::print(question, &explanation, out)?,
    }
    Ok(ExitCode::from(CLEAN))
}

/// What would become of the request that `question` describes; an error is about the question.
pub async fn explain(snapshot: &Snapshot, bench: &Bench, question: &Question) -> Result<Explanation, String> {
    let (parts, peer) = question.request()?;
    let caller = Caller { peer, forwarded_for: HeaderValue::from_static("127.0.0.1") };
    Ok(decided(snapshot, bench, &caller, parts).await)
}

/// What is decided of the request with `parts`, in words.
async fn decided(snapshot: &Snapshot, bench: &Bench, caller: &Caller, mut parts: Parts) -> Explanation {
    let correlation = Correlation::continued(&parts.headers);
    let mut trail = Trail::default();
    let decision = pipeline::decide(snapshot, bench, caller, &correlation, &mut parts, &mut trail).await;
    let route = trail.route.and_then(|index| snapshot.routes.all().iter().find(|route| route.index == index));
    let mut explanation = reached(snapshot, &parts.method, &trail, route);
    match decision {
        Ok(Decision::Forward(outbound)) => explanation.upstream = Some(upstream(&outbound)),
        Ok(Decision::Upgrade(opening)) => {
            let mut upstream = upstream(&opening.upgrade.outbound);
            // As a destination of WebSockets may be written: `http` is `ws`, `https` is `wss`.
            upstream.url.replace_range(..4, "ws");
            explanation.upstream = Some(upstream);
        }
        Ok(Decision::Welcome(location)) => {
            let location = String::from_utf8_lossy(location.as_bytes());
            explanation.answered = Some(format!("redirected to {location}"));
        }
        Ok(Decision::File { path, .. }) => explanation.answered = Some(format!("the file {}", path.path())),
        Ok(Decision::Login(wanted)) => {
            let return_to = wanted.return_to.as_str();
            explanation.answered = Some(format!("sent to log in, and back to {return_to} afterwards"));
        }
        Ok(Decision::Preflight(_)) => {
            explanation.answered = Some("what pages of another origin may ask".to_owned());
        }
        Ok(Decision::Endpoint(reached)) => explanation.answered = Some(endpoint(reached.endpoint).to_owned()),
        Err(failure) => {
            let verdict = failure.verdict();
            explanation.refusal = Some(Refusal {
                status: verdict.status.as_u16(),
                code: verdict.code,
                reason: with_sources(&failure),
            });
        }
    }
    explanation
}

fn endpoint(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Callback => "the end of a login",
        Endpoint::Logout => "a logout",
        Endpoint::BackChannel => "a logout that the issuer asks for",
        Endpoint::User => "who the caller is",
        Endpoint::Allowlist => "whose frames pages may be in",
        Endpoint::Plugins => "the plugins",
    }
}

/// How far the request came.
fn reached(snapshot: &Snapshot, method: &Method, trail: &Trail, route: Option<&Route>) -> Explanation {
    let passed_over = trail.target.as_ref().map(|target| snapshot.routes.passed_over(method, target, route));
    let passed_over = passed_over.unwrap_or_default().into_iter();
    let key = trail.tenant.as_ref().and_then(|tenant| tenant.key.as_ref());
    Explanation {
        tenant: key.map(ToString::to_string),
        route: route.map(place),
        passed_over: passed_over
            .map(|passed| PassedOver { index: passed.route.index, reason: passed.reason.to_string() })
            .collect(),
        authentication: route.map(|route| word(route.requirement.kind)),
        scope: route.and_then(|route| scope(&route.requirement, method)),
        upstream: None,
        refusal: None,
        answered: None,
    }
}

fn place(route: &Route) -> Place {
    Place {
        index: route.index,
        source: route.pattern.source().to_owned(),
        file: route.origin.file.to_string(),
        line: route.origin.line,
    }
}

/// As the configuration writes it: one text, or a list; an empty list admits nobody.
fn scope(requirement: &Requirement, method: &Method) -> Option<Value> {
    match requirement.scope.as_ref()?.any_of(method).unwrap_or_default() {
        [only] => Some(Value::from(&**only)),
        several => Some(several.iter().map(|scope| Value::from(&**scope)).collect()),
    }
}

/// As the configuration writes it.
fn word(kind: AuthenticationType) -> &'static str {
    match kind {
        AuthenticationType::Xsuaa => "xsuaa",
        AuthenticationType::Ias => "ias",
        AuthenticationType::Oidc => "oidc",
        AuthenticationType::Jwt => "jwt",
        AuthenticationType::Basic => "basic",
        AuthenticationType::TenantBasic => "tenant-basic",
        AuthenticationType::TenantToken => "tenant-token",
        AuthenticationType::None => "none",
    }
}

fn upstream(outbound: &Outbound) -> Upstream {
    let Outbound { destination, method, path, headers, .. } = outbound;
    Upstream {
        method: method.to_string(),
        url: format!("{}://{}{path}", destination.scheme.as_str(), destination.authority),
        headers: headers.keys().map(|name| (name.to_string(), Value::from(shown(headers, name)))).collect(),
    }
}

/// A header's values, without what proves who somebody is.
fn shown(headers: &HeaderMap, name: &HeaderName) -> String {
    let values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let values = values.collect::<Vec<_>>().join(", ");
    match name.as_str() {
        "authorization" => format!("{} [secret]", values.split(' ').next().unwrap_or_default()),
        "x-tenant-assertion" => "[secret]".to_owned(),
        _ => values,
    }
}

/// An error and what it comes from; what a message already says is not said again.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    for source in std::iter::successors(error.source(), |error| error.source()) {
        let source = source.to_string();
        if !text.ends_with(&source) {
            text = format!("{text}: {source}");
        }
    }
    text
}
