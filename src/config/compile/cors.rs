//! Who may ask from another origin, and whose frames pages may be in.
//!
//! `cors` of the file goes before the variable `CORS`. What is left out gets the documented default.
//! Surprising: credentials are allowed by default, so a rule for every origin is warned of unless it
//! says that they are not.

use http::{HeaderName, HeaderValue, Method};

use super::super::file::cors::{MaxAge, Rule};
use super::super::file::origin::Origin;
use super::super::text::Located;
use super::Compiler;
use crate::request::origin::OriginRule;
use crate::route::cors::{Cors, CorsRule};

/// The methods of a rule that names none.
const METHODS: [Method; 4] = [Method::GET, Method::POST, Method::HEAD, Method::OPTIONS];

/// The headers of a rule that names none.
const HEADERS: [&str; 6] = [
    "Origin",
    "Accept",
    "X-Requested-With",
    "Content-Type",
    "Access-Control-Request-Method",
    "Access-Control-Request-Headers",
];

/// For how many seconds a preflight holds where nothing is said.
const MAX_AGE: u64 = 1800;

/// The rules; the outer `None` where they do not compile.
#[expect(clippy::option_option, reason = "absent and broken are different, and a broken one is noticed here")]
pub(super) fn compile(compiler: &mut Compiler<'_>) -> Option<Option<Cors>> {
    let written = compiler.model.app.as_ref().and_then(|app| app.cors.as_ref());
    let variable = compiler.model.settings.cors.as_ref();
    if let (Some(_), Some(variable)) = (written, variable) {
        let message = "this has no effect: `cors` of xs-app.json goes before it";
        compiler.findings.warning(variable.mark, "ignored_variable", message);
    }
    let Some(rules) = written.or(variable) else { return Some(None) };
    let before = compiler.findings.errors();
    let understood: Vec<CorsRule> =
        rules.value.iter().filter_map(|written| rule(compiler, written)).collect();
    (compiler.findings.errors() == before).then(|| Cors::new(understood))
}

fn rule(compiler: &mut Compiler<'_>, written: &Rule) -> Option<CorsRule> {
    warn_of_everyone(compiler, written);
    let origins = written.origins.iter().filter_map(|origin| origin_rule(compiler, origin)).collect();
    let methods = written.methods.as_ref().map(|methods| {
        let parsed = methods.iter().filter_map(|method| method.parse().ok());
        parsed.collect()
    });
    let headers = match &written.headers {
        Some(written) => names(compiler, written),
        None => HEADERS.iter().map(|name| (*name).to_owned()).collect(),
    };
    let exposed = names(compiler, &written.exposed);
    Some(CorsRule {
        pattern: compiler.pattern(&written.pattern, true)?,
        origins,
        methods: methods.unwrap_or_else(|| METHODS.to_vec()),
        headers: headers.iter().filter_map(|name| name.parse::<HeaderName>().ok()).collect(),
        allow_headers: list(&headers),
        expose_headers: list(&exposed),
        max_age: match written.max_age {
            None => Some(HeaderValue::from(MAX_AGE)),
            Some(MaxAge::Seconds(seconds)) => Some(HeaderValue::from(seconds)),
            Some(MaxAge::Unsaid) => None,
        },
        credentials: written.credentials,
    })
}

fn warn_of_everyone(compiler: &mut Compiler<'_>, written: &Rule) {
    let everyone = written.origins.iter().find(|origin| &*origin.host.value == "*");
    if let (Some(origin), true) = (everyone, written.credentials) {
        let message = "pages of every origin may read what people who are logged in see here";
        compiler
            .findings
            .warning(origin.host.mark, "any_origin", message)
            .hint("name the origins, or set `allowedCredentials` to false");
    }
}

/// One rule about origins. What is no host matches nothing, and does no harm.
pub(super) fn origin_rule(compiler: &mut Compiler<'_>, written: &Origin) -> Option<OriginRule> {
    let protocol = written.protocol.as_deref().filter(|protocol| *protocol != "*");
    match OriginRule::new(protocol, &written.host.value, written.port) {
        Ok(rule) => Some(rule),
        Err(fault) => {
            let message = format!("this is no host, so it matches nothing: {fault}");
            compiler
                .findings
                .warning(written.host.mark, "host_matches_nothing", message)
                .hint("scheme and port are written as `protocol` and `port`");
            None
        }
    }
}

/// The names of headers; what cannot be one is refused. `*` stands for nothing where there are credentials.
fn names(compiler: &mut Compiler<'_>, written: &[Located<Box<str>>]) -> Vec<String> {
    let mut names = Vec::with_capacity(written.len());
    for name in written {
        if name.value.parse::<HeaderName>().is_err() {
            compiler.findings.error(name.mark, "unusable_header", "this cannot be a header's name");
            continue;
        }
        if &*name.value == "*" {
            let message = "this is a name like any other: it does not stand for all headers";
            compiler.findings.warning(name.mark, "unusable_header", message);
        }
        names.push(name.value.to_string());
    }
    names
}

fn list(names: &[String]) -> Option<HeaderValue> {
    if names.is_empty() { None } else { HeaderValue::from_str(&names.join(", ")).ok() }
}
