//! One entry of `routes` in `xs-app.json`.
//!
//! What can be judged by the route alone is judged here: that it leads to exactly one place, and that
//! its keys go together. Whether a destination or folder exists is judged when everything is known.

use super::super::decode::{Decoder, Fields, Node};
use super::super::text::{Located, Mark};
use super::replace::Replace;

/// The keys of a route.
pub(crate) const KEYS: &[&str] = &[
    "source",
    "httpMethods",
    "target",
    "destination",
    "service",
    "endpoint",
    "localDir",
    "preferLocal",
    "replace",
    "authenticationType",
    "csrfProtection",
    "scope",
    "cacheControl",
    "identityProvider",
    "dynamicIdentityProvider",
    "setBackendSessionCookies",
    "tokenHeader",
    "bodySchema",
];
pub(crate) const SOURCE: &[&str] = &["path", "matchCase"];
/// The methods that `httpMethods` takes.
pub(crate) const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"];
/// The keys of a `scope` by method.
pub(crate) const SCOPE_METHODS: &[&str] =
    &["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT", "default"];

/// `authenticationType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Authentication {
    Xsuaa,
    Ias,
    Oidc,
    Jwt,
    Basic,
    TenantBasic,
    TenantToken,
    None,
}

/// Every word that `authenticationType` takes.
pub(crate) const AUTHENTICATION: [(&str, Authentication); 8] = [
    ("xsuaa", Authentication::Xsuaa),
    ("ias", Authentication::Ias),
    ("oidc", Authentication::Oidc),
    ("jwt", Authentication::Jwt),
    ("basic", Authentication::Basic),
    ("tenant-basic", Authentication::TenantBasic),
    ("tenant-token", Authentication::TenantToken),
    ("none", Authentication::None),
];

/// One route.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own in the file")]
pub(crate) struct Route {
    /// Where it begins.
    pub(crate) mark: Mark,
    /// What a plugin is called.
    pub(crate) name: Option<Box<str>>,
    /// What it matches; `None` where that could not be read.
    pub(crate) source: Option<Source>,
    /// The methods it takes; `None` for all.
    pub(crate) methods: Option<Vec<Box<str>>>,
    /// What the match becomes.
    pub(crate) target: Option<Located<Box<str>>>,
    /// Where it leads; `None` where that could not be read.
    pub(crate) action: Option<Located<Action>>,
    /// Which endpoint of the service it leads to.
    pub(crate) endpoint: Option<Located<Box<str>>>,
    /// Who gets in.
    pub(crate) authentication: Option<Located<Authentication>>,
    /// Whether sessions need a CSRF token.
    pub(crate) csrf: bool,
    /// What the caller must be allowed to do.
    pub(crate) scope: Option<Scope>,
    /// What `Cache-Control` says of files.
    pub(crate) cache_control: Option<Located<Box<str>>>,
    /// The identity provider that the issuer is asked to log in with.
    pub(crate) identity_provider: Option<Box<str>>,
    /// Whether the query chooses the identity provider.
    pub(crate) dynamic_identity_provider: bool,
    /// Whether the browser keeps the backend's session cookies itself.
    pub(crate) passes_session_cookies: bool,
    /// What is replaced in its files.
    pub(crate) replace: Option<Replace>,
    /// Whether the provider's destination is meant, whoever the tenant is.
    pub(crate) prefer_local: bool,
}

/// What a route matches.
#[derive(Debug)]
pub(crate) struct Source {
    /// A regular expression in JavaScript's syntax.
    pub(crate) pattern: Located<Box<str>>,
    /// Whether upper and lower case differ.
    pub(crate) match_case: bool,
}

/// Where a route leads.
#[derive(Debug)]
pub(crate) enum Action {
    Destination(Box<str>),
    LocalDir(Box<str>),
    Service(Box<str>),
}

/// What the caller must be allowed to do: any one of a list.
#[derive(Debug)]
pub(crate) enum Scope {
    /// Whatever the method.
    Any(Vec<Box<str>>),
    /// By method or `default`.
    ByMethod(Vec<(Box<str>, Vec<Box<str>>)>),
}

impl Route {
    /// Reads one route.
    pub(crate) fn decode(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Self> {
        let fields = d.fields(node, KEYS)?;
        decode_later(d, &fields);
        Some(Self {
            mark: fields.mark(),
            name: None,
            source: d.required(&fields, "source").and_then(|node| Source::decode(d, node)),
            methods: fields.take("httpMethods").and_then(|node| decode_methods(d, node)),
            target: fields.take("target").and_then(|node| d.string(node)),
            action: Action::decode(d, &fields),
            endpoint: fields.take("endpoint").and_then(|node| d.text(node)),
            authentication: fields.take("authenticationType").and_then(|node| d.word(node, &AUTHENTICATION)),
            csrf: fields.take("csrfProtection").and_then(|node| d.boolean(node)).unwrap_or(true),
            scope: fields.take("scope").and_then(|node| Scope::decode(d, node)),
            cache_control: fields.take("cacheControl").and_then(|node| d.text(node)),
            identity_provider: fields
                .take("identityProvider")
                .and_then(|node| d.text(node))
                .map(|text| text.value),
            dynamic_identity_provider: fields
                .take("dynamicIdentityProvider")
                .and_then(|node| d.boolean(node))
                .unwrap_or(false),
            passes_session_cookies: fields
                .take("setBackendSessionCookies")
                .and_then(|node| d.boolean(node))
                .unwrap_or(false),
            replace: Replace::decode(d, &fields),
            prefer_local: fields.take("preferLocal").and_then(|node| d.boolean(node)).unwrap_or(false),
        })
    }
}

impl Source {
    /// A pattern, or an object with one.
    pub(crate) fn decode(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Self> {
        if !node.has_keys() {
            return Some(Self { pattern: d.text(node)?, match_case: true });
        }
        let fields = d.fields(node, SOURCE)?;
        let match_case = fields.take("matchCase").and_then(|node| d.boolean(node)).unwrap_or(true);
        let pattern = d.required(&fields, "path").and_then(|node| d.text(node))?;
        Some(Self { pattern, match_case })
    }
}

impl Action {
    fn decode(d: &mut Decoder<'_, '_>, fields: &Fields<'_>) -> Option<Located<Self>> {
        type Make = fn(Box<str>) -> Action;
        let kinds: [(&str, Make); 3] =
            [("destination", Self::Destination), ("localDir", Self::LocalDir), ("service", Self::Service)];
        let given = kinds.map(|(key, make)| fields.take(key).map(|node| (key, node, make)));
        let mut given = given.into_iter().flatten();
        let Some((first, node, make)) = given.next() else {
            let message = "this route leads nowhere: it has no `destination`, `localDir` or `service`";
            d.findings.error(fields.mark(), "no_action", message);
            return None;
        };
        for (second, node, _) in given {
            let message = format!("a route has either `{first}` or `{second}`, not both");
            d.findings.error(node.mark(), "two_actions", message);
        }
        if first == "localDir"
            && let Some(methods) = fields.take("httpMethods")
        {
            d.findings
                .error(methods.mark(), "needs_no_methods", "files are served for GET and HEAD alone")
                .hint("remove `httpMethods`");
        }
        d.text(node).map(|text| Located { value: make(text.value), mark: text.mark })
    }
}

impl Scope {
    /// A scope, a list of them, or either by method.
    pub(crate) fn decode(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Self> {
        if !node.has_keys() {
            return decode_scopes(d, node).map(Self::Any);
        }
        let fields = d.fields(node, SCOPE_METHODS)?;
        let mut scopes = Vec::new();
        for (method, _, node) in fields.entries() {
            scopes.push((method.into(), decode_scopes(d, node)?));
        }
        if scopes.is_empty() {
            d.findings.error(node.mark(), "empty_value", "this must name a method or `default`");
            return None;
        }
        Some(Self::ByMethod(scopes))
    }
}

fn decode_scopes(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Vec<Box<str>>> {
    if node.is_list() {
        return d.filled_list(node, |d, node| d.text(node).map(|text| text.value));
    }
    d.text(node).map(|text| vec![text.value])
}

fn decode_methods(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Vec<Box<str>>> {
    let words = METHODS.map(|method| (method, method));
    d.filled_list(node, |d, node| d.word(node, &words).map(|method| method.value.into()))
}

/// Checks the keys of features that are not there yet.
fn decode_later(d: &mut Decoder<'_, '_>, fields: &Fields<'_>) {
    for key in ["tokenHeader", "bodySchema"] {
        if let Some(node) = fields.take(key)
            && d.text(node).is_some()
        {
            d.findings.unsupported(node.mark(), &format!("`{key}`"));
        }
    }
}
