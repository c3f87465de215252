//! The table of tenants, and the rules that name them.
//!
//! Rows keep their order and their place is their index, so destinations and issuers can be compiled
//! before the table exists. A row that is broken stays in the table as misconfigured: its tenant is told
//! so, instead of being unknown.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use super::super::file::tenants::{Limits as WrittenLimits, Status as WrittenStatus, Tenant as Written};
use super::super::text::{Located, Mark};
use super::Compiler;
use super::bound::Bound;
use crate::request::{Host, Trust};
use crate::tenant::{
    Directory, DirectoryBuilder, DirectoryError, HostGlob, HostPattern, Limits, PathRule, Status,
    TenantHeaders, TenantIndex, TenantKey, TenantSpec, UnknownTenants,
};

/// What `Retry-After` says of a tenant in maintenance where nothing else is said.
const RETRY_AFTER: Duration = Duration::from_mins(1);

/// One row of the table, on its way.
#[derive(Debug)]
pub(super) struct Row<'m> {
    pub(super) written: &'m Written,
    pub(super) index: TenantIndex,
    pub(super) key: TenantKey,
    /// Whether something of it does not compile.
    pub(super) broken: bool,
}

/// The rows of the table.
#[derive(Debug)]
pub(super) struct Rows<'m>(Vec<Row<'m>>);

impl<'m> Rows<'m> {
    /// The rows whose keys can be keys.
    pub(super) fn compile(compiler: &mut Compiler<'m>) -> Self {
        let written = compiler.tenants.tenants.as_deref().unwrap_or_default();
        let mut rows = Vec::with_capacity(written.len());
        for tenant in written {
            let Some(key) = key(compiler, &tenant.key) else { continue };
            let index = TenantIndex(u32::try_from(rows.len()).unwrap_or(u32::MAX));
            rows.push(Row { written: tenant, index, key, broken: tenant.broken });
        }
        Self(rows)
    }

    /// The rows.
    pub(super) fn iter(&self) -> std::slice::Iter<'_, Row<'m>> {
        self.0.iter()
    }

    /// The rows, to be marked as broken.
    pub(super) fn iter_mut(&mut self) -> std::slice::IterMut<'_, Row<'m>> {
        self.0.iter_mut()
    }
}

impl Row<'_> {
    /// What the directory is told of the tenant.
    pub(super) fn spec(&self, defaults: WrittenLimits) -> TenantSpec {
        let Written { id, name, status, retry_after_seconds, limits: own, .. } = self.written;
        let status = match status {
            WrittenStatus::Active | WrittenStatus::Suspended | WrittenStatus::Maintenance if self.broken => {
                Status::Misconfigured
            }
            WrittenStatus::Active => Status::Active,
            WrittenStatus::Suspended => Status::Suspended,
            WrittenStatus::Maintenance => Status::Maintenance {
                retry_after: retry_after_seconds.map_or(RETRY_AFTER, Duration::from_secs),
            },
        };
        TenantSpec {
            key: self.key.clone(),
            id: id.as_deref().map(Arc::from),
            name: name.as_deref().map(Arc::from),
            status,
            limits: limits(own.unwrap_or_default().or(defaults)),
        }
    }
}

fn limits(written: WrittenLimits) -> Limits {
    let limit = |number: Option<u64>| number.and_then(|number| NonZeroU32::new(u32::try_from(number).ok()?));
    Limits {
        requests_per_second: limit(written.requests_per_second),
        burst: limit(written.burst),
        concurrent: limit(written.concurrent),
    }
}

fn key(compiler: &mut Compiler<'_>, text: &Located<Box<str>>) -> Option<TenantKey> {
    let key = TenantKey::parse(&text.value);
    if key.is_none() {
        let message = format!("`{}` cannot be a tenant's key", text.value);
        let hint = "a key is 1 to 63 of a-z, 0-9 and -";
        compiler.findings.error(text.mark, "unusable_key", message).hint(hint);
    }
    key
}

/// The table with the rules that name its tenants.
pub(super) fn directory(
    compiler: &mut Compiler<'_>,
    bound: &Bound,
    rows: &Rows<'_>,
    headers: TenantHeaders,
) -> Option<Directory> {
    let before = compiler.findings.errors();
    let defaults = compiler.tenants.defaults.limits;
    let mut builder = Directory::builder().headers(headers).unknown(unknown(compiler, bound));
    builder = host_rules(compiler, builder);
    if let Some(glob) = super::development::host(compiler) {
        builder = builder.host_glob(glob);
    }
    builder = host_pattern(compiler, builder);
    if let Some(rule) = path_rule(compiler) {
        builder = builder.path(rule);
    }
    if let Some(provider) = provider(compiler, bound) {
        builder = builder.provider(provider);
    }
    if compiler.findings.errors() > before {
        return None;
    }
    match builder.tenants(rows.iter().map(|row| row.spec(defaults))).build() {
        Ok(directory) => Some(directory),
        Err(errors) => {
            for error in errors {
                let mark = mark_of(compiler, rows, &error);
                compiler.findings.error(mark, "tenant_conflict", error.to_string());
            }
            None
        }
    }
}

/// What becomes of keys that nobody vouches for.
fn unknown(compiler: &mut Compiler<'_>, bound: &Bound) -> UnknownTenants {
    let file = compiler.tenants;
    let vouched = file.tenants.is_some()
        || file.has_resolver
        || file.has_subscriptions
        || compiler
            .model
            .settings
            .bindings
            .iter()
            .any(|b| b.is("saas-registry") || b.is("subscription-manager"));
    let accept = file.accept_unknown.map_or(!vouched && bound.server().is_some(), |accept| accept.value);
    if accept {
        UnknownTenants::Accept { limits: limits(file.defaults.limits) }
    } else {
        UnknownTenants::Refuse
    }
}

fn host_rules(compiler: &mut Compiler<'_>, mut builder: DirectoryBuilder) -> DirectoryBuilder {
    for rule in &compiler.tenants.hosts {
        let fault = match &rule.tenant {
            None => match HostGlob::parse(&rule.host.value) {
                Ok(glob) => {
                    builder = builder.host_glob(glob);
                    continue;
                }
                Err(error) => error.to_string(),
            },
            Some(tenant) => match (Host::parse(&rule.host.value), key(compiler, tenant)) {
                (Ok(host), Some(key)) => {
                    builder = builder.host(&host, key);
                    continue;
                }
                (Ok(_), None) => continue,
                (Err(error), _) => error.to_string(),
            },
        };
        compiler.findings.error(rule.host.mark, "unusable_host", fault);
    }
    builder
}

fn host_pattern(compiler: &mut Compiler<'_>, builder: DirectoryBuilder) -> DirectoryBuilder {
    let Some(source) = &compiler.model.settings.tenant_host_pattern else { return builder };
    let anchored = compiler.tenants.anchored.is_none_or(|anchored| anchored.value);
    match HostPattern::compile(&source.value, anchored) {
        Ok(pattern) => {
            for warning in pattern.warnings() {
                compiler.findings.warning(source.mark, "host_pattern", warning.to_string());
            }
            builder.host_pattern(pattern)
        }
        Err(error) => {
            compiler.findings.error(source.mark, "unusable_host_pattern", error.to_string());
            builder
        }
    }
}

fn path_rule(compiler: &mut Compiler<'_>) -> Option<PathRule> {
    let rule = compiler.tenants.path.as_ref()?;
    match PathRule::parse(&rule.prefix.value, rule.strip) {
        Ok(rule) => Some(rule),
        Err(error) => {
            compiler.findings.error(rule.prefix.mark, "unusable_prefix", error.to_string());
            None
        }
    }
}

/// Who is served where no rule names a tenant: the binding's own identity zone.
fn provider(compiler: &mut Compiler<'_>, bound: &Bound) -> Option<TenantSpec> {
    let server = bound.server()?;
    let zone = server.zone.name.as_deref()?;
    let Some(key) = TenantKey::parse(&zone.to_ascii_lowercase()) else {
        let message =
            format!("the identity zone `{zone}` cannot be a tenant's key, so no tenant header is sent");
        compiler.findings.warning(server.mark, "unusable_key", message);
        return None;
    };
    let limits = limits(compiler.tenants.defaults.limits);
    Some(TenantSpec { id: server.zone.id.as_deref().map(Arc::from), limits, ..TenantSpec::new(key) })
}

/// Where the tenant stands that an error is about.
fn mark_of(compiler: &Compiler<'_>, rows: &Rows<'_>, error: &DirectoryError) -> Mark {
    let key = match error {
        DirectoryError::DuplicateKey(key)
        | DirectoryError::DuplicateId(_, key)
        | DirectoryError::UnusableId(key)
        | DirectoryError::DuplicateHost { second: key, .. } => Some(key),
        DirectoryError::TooMany => None,
    };
    let row = key.and_then(|key| rows.iter().find(|row| row.key == *key));
    row.map_or(compiler.mark(), |row| row.written.key.mark)
}

/// Whose forwarding headers are read.
pub(super) fn trust(compiler: &mut Compiler<'_>) -> Option<Trust> {
    let mut networks = Vec::new();
    let written = &compiler.tenants.trusted_proxies;
    for text in written {
        let network = text.value.parse::<IpNet>().ok();
        if let Some(network) = network.or_else(|| text.value.parse::<IpAddr>().ok().map(IpNet::from)) {
            if network.prefix_len() == 0 {
                let message =
                    "everyone is trusted, so anyone can say which host and address a request is from";
                compiler.findings.warning(text.mark, "everyone_trusted", message);
            }
            networks.push(network);
            continue;
        }
        let message = format!("`{}` is neither a network nor an address", text.value);
        compiler.findings.error(text.mark, "unusable_network", message).hint("as in 10.0.0.0/8");
    }
    let complete = networks.len() == written.len();
    let external = compiler.model.settings.external_reverse_proxy;
    if let Some(external) = external.filter(|external| external.value)
        && networks.is_empty()
        && !compiler.cloud_foundry
    {
        let message = "no proxy is trusted, so nobody's `x-custom-host` is read";
        compiler
            .findings
            .warning(external.mark, "nobody_trusted", message)
            .hint("list the proxy's addresses in `trustedProxies` of xs-tenants.json");
    }
    let trust = Trust::new(networks, compiler.cloud_foundry);
    complete.then(|| trust.behind_external_proxy(external.is_some_and(|external| external.value)))
}
