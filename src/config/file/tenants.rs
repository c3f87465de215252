//! `xs-tenants.json`: how tenants are named, and the table of them.
//!
//! A tenant whose part cannot be read is kept, marked as broken: what is wrong with one customer must
//! not take the others down.

use super::super::decode::{Decoder, Fields, Node};
use super::super::text::{Located, Mark};
use super::destinations::{self, Destination};
use super::issuer::Issuer;
use super::websockets;

/// The keys of `xs-tenants.json`.
pub(crate) const KEYS: &[&str] = &[
    "hosts",
    "path",
    "trustedProxies",
    "tenancy",
    "unknownTenants",
    "defaults",
    "tenants",
    "resolver",
    "subscriptions",
    "headers",
    "assertion",
    "websockets",
];
pub(crate) const HOST: &[&str] = &["host", "tenant"];
pub(crate) const PATH: &[&str] = &["prefix", "strip"];
pub(crate) const TENANCY: &[&str] = &["anchored"];
pub(crate) const DEFAULTS: &[&str] = &["issuer", "limits"];
pub(crate) const TENANT: &[&str] =
    &["id", "name", "status", "retryAfterSeconds", "issuer", "destinations", "basic", "metadata", "limits"];
pub(crate) const LIMITS: &[&str] = &["requestsPerSecond", "burst", "concurrent"];
pub(crate) const BASIC: &[&str] = &["user", "password", "passwordHash"];
pub(crate) const RESOLVER: &[&str] = &["url", "ttlSeconds", "negativeTtlSeconds", "staleSeconds"];
pub(crate) const SUBSCRIPTIONS: &[&str] = &["path", "store"];
pub(crate) const STORE: &[&str] = &["file", "redis"];
/// The headers whose names can be chosen.
pub(crate) const HEADERS: &[&str] = &["tenant", "tenantId", "sapTenantId", "userName", "userEmail"];

/// `xs-tenants.json`.
#[derive(Debug, Default)]
pub(crate) struct XsTenants {
    /// Exact hosts and globs.
    pub(crate) hosts: Vec<HostRule>,
    /// The path rule.
    pub(crate) path: Option<PathRule>,
    /// Networks of trusted proxies.
    pub(crate) trusted_proxies: Vec<Located<Box<str>>>,
    /// Whether `TENANT_HOST_PATTERN` must match the whole host; `None` means yes.
    pub(crate) anchored: Option<Located<bool>>,
    /// Whether every well-formed key is a tenant.
    pub(crate) accept_unknown: Option<Located<bool>>,
    /// What tenants inherit.
    pub(crate) defaults: Defaults,
    /// The table; `None` where none is given.
    pub(crate) tenants: Option<Vec<Tenant>>,
    /// Header names, in the order of [`HEADERS`].
    pub(crate) headers: Vec<(&'static str, Located<Box<str>>)>,
    /// Where the signed assertion is switched on.
    pub(crate) assertion: Option<Mark>,
    /// How long WebSockets stay.
    pub(crate) websockets: websockets::Limits,
    /// Whether a resolver vouches for tenants.
    pub(crate) has_resolver: bool,
    /// Whether tenants subscribe.
    pub(crate) has_subscriptions: bool,
}

/// What names a tenant by host.
#[derive(Debug)]
pub(crate) struct HostRule {
    /// A host, or a glob with `{tenant}`.
    pub(crate) host: Located<Box<str>>,
    /// The tenant of an exact host.
    pub(crate) tenant: Option<Located<Box<str>>>,
}

/// What names a tenant by path.
#[derive(Debug)]
pub(crate) struct PathRule {
    pub(crate) prefix: Located<Box<str>>,
    pub(crate) strip: bool,
}

/// What tenants inherit.
#[derive(Debug, Default)]
pub(crate) struct Defaults {
    pub(crate) issuer: Option<Issuer>,
    pub(crate) limits: Limits,
}

/// How much one tenant may ask for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) requests_per_second: Option<u64>,
    pub(crate) burst: Option<u64>,
    pub(crate) concurrent: Option<u64>,
}

/// Whether a tenant is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Active,
    Suspended,
    Maintenance,
}

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) key: Located<Box<str>>,
    pub(crate) id: Option<Box<str>>,
    pub(crate) name: Option<Box<str>>,
    pub(crate) status: Status,
    pub(crate) retry_after_seconds: Option<u64>,
    pub(crate) issuer: Option<Box<Issuer>>,
    pub(crate) destinations: Vec<Destination>,
    pub(crate) limits: Option<Limits>,
    /// Whether something of it could not be read.
    pub(crate) broken: bool,
}

impl XsTenants {
    /// Reads the file's value.
    pub(crate) fn decode(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Self> {
        let fields = d.fields(node, KEYS)?;
        decode_later(d, &fields);
        Some(Self {
            hosts: fields.take("hosts").and_then(|node| d.list(node, HostRule::decode)).unwrap_or_default(),
            path: fields.take("path").and_then(|node| PathRule::decode(d, node)),
            trusted_proxies: fields
                .take("trustedProxies")
                .and_then(|node| d.list(node, Decoder::text))
                .unwrap_or_default(),
            anchored: fields.take("tenancy").and_then(|node| decode_anchored(d, node)),
            accept_unknown: fields
                .take("unknownTenants")
                .and_then(|node| d.word(node, &[("accept", true), ("refuse", false)])),
            defaults: fields.take("defaults").and_then(|node| Defaults::decode(d, node)).unwrap_or_default(),
            tenants: fields.take("tenants").map(|node| decode_tenants(d, node)),
            headers: fields.take("headers").map(|node| decode_headers(d, node)).unwrap_or_default(),
            assertion: fields.take("assertion").and_then(|node| d.boolean(node)?.then(|| node.mark())),
            websockets: fields
                .take("websockets")
                .and_then(|node| websockets::limits(d, node))
                .unwrap_or_default(),
            has_resolver: fields.take("resolver").is_some(),
            has_subscriptions: fields.take("subscriptions").is_some(),
        })
    }
}

impl HostRule {
    fn decode(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Self> {
        if !node.has_keys() {
            return Some(Self { host: d.text(node)?, tenant: None });
        }
        let fields = d.fields(node, HOST)?;
        let host = d.required(&fields, "host").and_then(|node| d.text(node));
        let tenant = d.required(&fields, "tenant").and_then(|node| d.text(node))?;
        Some(Self { host: host?, tenant: Some(tenant) })
    }
}

impl PathRule {
    fn decode(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Self> {
        let fields = d.fields(node, PATH)?;
        let strip = fields.take("strip").and_then(|node| d.boolean(node)).unwrap_or(true);
        let prefix = d.required(&fields, "prefix").and_then(|node| d.text(node))?;
        Some(Self { prefix, strip })
    }
}

impl Defaults {
    fn decode(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Self> {
        let fields = d.fields(node, DEFAULTS)?;
        Some(Self {
            issuer: fields.take("issuer").and_then(|node| Issuer::decode(d, node)),
            limits: fields.take("limits").and_then(|node| Limits::decode(d, node)).unwrap_or_default(),
        })
    }
}

impl Limits {
    fn decode(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Self> {
        const MOST: u64 = u32::MAX as u64;
        let fields = d.fields(node, LIMITS)?;
        let limit =
            |d: &mut Decoder<'_, '_>, key| fields.take(key).and_then(|node| d.integer(node, 1..=MOST));
        Some(Self {
            requests_per_second: limit(d, "requestsPerSecond"),
            burst: limit(d, "burst"),
            concurrent: limit(d, "concurrent"),
        })
    }

    /// These limits, with what they do not say taken from `defaults`.
    pub(crate) fn or(self, defaults: Self) -> Self {
        Self {
            requests_per_second: self.requests_per_second.or(defaults.requests_per_second),
            burst: self.burst.or(defaults.burst),
            concurrent: self.concurrent.or(defaults.concurrent),
        }
    }
}

impl Tenant {
    fn decode(d: &mut Decoder<'_, '_>, key: Located<Box<str>>, node: Node<'_>) -> Self {
        const STATUS: [(&str, Status); 3] = [
            ("active", Status::Active),
            ("suspended", Status::Suspended),
            ("maintenance", Status::Maintenance),
        ];
        let Some(fields) = d.fields(node, TENANT) else { return Self::unreadable(key) };
        let text = |d: &mut Decoder<'_, '_>, key| Some(d.text(fields.take(key)?)?.value);
        decode_tenant_later(d, &fields);
        Self {
            key,
            id: text(d, "id"),
            name: text(d, "name"),
            status: fields
                .take("status")
                .and_then(|node| d.word(node, &STATUS))
                .map_or(Status::Active, |status| status.value),
            retry_after_seconds: fields
                .take("retryAfterSeconds")
                .and_then(|node| d.integer(node, 1..=86_400)),
            issuer: fields.take("issuer").and_then(|node| Issuer::decode(d, node)).map(Box::new),
            destinations: fields
                .take("destinations")
                .map(|node| destinations::decode_map(d, node))
                .unwrap_or_default(),
            limits: fields.take("limits").and_then(|node| Limits::decode(d, node)),
            broken: false,
        }
    }

    fn unreadable(key: Located<Box<str>>) -> Self {
        Self {
            key,
            id: None,
            name: None,
            status: Status::Active,
            retry_after_seconds: None,
            issuer: None,
            destinations: Vec::new(),
            limits: None,
            broken: true,
        }
    }
}

fn decode_tenants(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Vec<Tenant> {
    let Some(fields) = d.map(node) else { return Vec::new() };
    let mut tenants = Vec::new();
    for (key, mark, node) in fields.entries() {
        let before = d.findings.errors();
        let tenant = Tenant::decode(d, Located { value: key.into(), mark }, node);
        let broken = d.findings.contain(before);
        tenants.push(Tenant { broken: tenant.broken || broken, ..tenant });
    }
    tenants
}

fn decode_anchored(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Located<bool>> {
    let anchored = d.fields(node, TENANCY)?.take("anchored")?;
    Some(Located { value: d.boolean(anchored)?, mark: anchored.mark() })
}

fn decode_headers(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Vec<(&'static str, Located<Box<str>>)> {
    let Some(fields) = d.fields(node, HEADERS) else { return Vec::new() };
    HEADERS.iter().filter_map(|key| Some((*key, d.text(fields.take(key)?)?))).collect()
}

/// Checks the keys of features that are not there yet.
fn decode_later(d: &mut Decoder<'_, '_>, fields: &Fields<'_>) {
    if let Some(node) = fields.take("resolver") {
        d.findings.unsupported(node.mark(), "`resolver`");
        if let Some(resolver) = d.fields(node, RESOLVER) {
            if let Some(url) = d.required(&resolver, "url") {
                d.text(url);
            }
            for key in &RESOLVER[1..] {
                resolver.take(key).and_then(|node| d.integer(node, 0..=31_536_000));
            }
        }
    }
    if let Some(node) = fields.take("subscriptions") {
        d.findings.unsupported(node.mark(), "`subscriptions`");
        let Some(subscriptions) = d.fields(node, SUBSCRIPTIONS) else { return };
        subscriptions.take("path").and_then(|node| d.text(node));
        let Some(store) = subscriptions.take("store").and_then(|node| d.fields(node, STORE)) else { return };
        for key in STORE {
            store.take(key).and_then(|node| d.text(node));
        }
    }
}

/// Checks a tenant's keys of features that are not there yet.
fn decode_tenant_later(d: &mut Decoder<'_, '_>, fields: &Fields<'_>) {
    if let Some(node) = fields.take("basic") {
        d.findings.unsupported(node.mark(), "`basic`");
        if let Some(basic) = d.fields(node, BASIC) {
            if let Some(user) = d.required(&basic, "user") {
                d.text(user);
            }
            for key in ["password", "passwordHash"] {
                basic.take(key).and_then(|node| d.secret(node));
            }
        }
    }
    if let Some(node) = fields.take("metadata")
        && d.map(node).is_some()
    {
        d.findings.unsupported(node.mark(), "`metadata`");
    }
}
