//! Who signs a tenant's tokens.
//!
//! An [`IssuerSpec`] is what the configuration says; an [`Issuer`] is the same for one tenant, with
//! `{tenant}` replaced by its key and every address decided. Nothing in an issuer comes from a token.
//! Tenants without an issuer of their own share the defaults, and their issuers are made when first
//! needed: 100,000 tenants cost nothing at load.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, RwLock};

use super::Algorithm;
use super::client::{Client, ClientAuthentication, Dialect, EndpointSource};
use super::keys::{KeySet, KeySetError};
use super::xsuaa::XsuaaBinding;
use crate::session::Realm;
use crate::tenant::{Tenant, TenantIndex, TenantKey};

/// How many issuers of tenants that are known by their key alone are remembered.
const MAX_UNLISTED: usize = 10_000;

/// An `issuer` of the configuration, with what it inherits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerSpec {
    /// What kind of issuer it is.
    pub kind: IssuerKind,
    /// Compared with `iss`, and discovered; may contain `{tenant}`. For XSUAA the binding's `url`.
    pub url: String,
    /// Where its keys come from.
    pub keys: KeySource,
    /// The application's client; may contain `{tenant}`.
    pub client_id: Option<String>,
    /// What `aud` may name; empty means the client. May contain `{tenant}`.
    pub audience: Vec<String>,
    /// What `alg` may be; empty means [`Algorithm::DEFAULT`].
    pub algorithms: Vec<Algorithm>,
    /// The claim that names the tenant, by id or key; `a.b` is member `b` of claim `a`.
    pub tenant_claim: Option<String>,
    /// How the client proves to the issuer that it is the client.
    pub authentication: ClientAuthentication,
    /// What a login asks for; empty means `openid`, and for XSUAA whatever the user has.
    pub scopes: Vec<String>,
}

/// `type` of an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssuerKind {
    /// Any OpenID Connect provider.
    Oidc,
    /// SAP Cloud Identity Services: `app_tid` or `zone_uuid` is the tenant's id.
    Ias,
    /// SAP XSUAA: addresses, audience and tenant follow from the binding.
    Xsuaa(XsuaaBinding),
}

/// Where an issuer's keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// `jwks_uri` of the discovery document; for XSUAA, its `token_keys`.
    Discovered,
    /// `jwksUri`; may contain `{tenant}`.
    At(String),
    /// `jwks`: the key set itself, as JSON. Nothing is fetched.
    Inline(String),
}

/// Why an issuer does not compile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// An address that is not an absolute http or https URL without query, user or fragment.
    #[error("\"{0}\" is not an absolute http or https URL")]
    MalformedUrl(String),
    /// `http` keys of an `https` issuer.
    #[error("\"{0}\" is not https, but the issuer is")]
    Downgrade(String),
    /// Neither `audience` nor `clientId`: every token of the issuer would be accepted.
    #[error("an issuer needs audience or clientId, or tokens for any other application are accepted")]
    NoAudience,
    /// The key set cannot be read or has no key that can be used.
    #[error("the key set cannot be used: {0}")]
    Keys(#[source] KeySetError),
    /// Two tenants accept the same tokens.
    #[error("tenants {0} and {1} share issuer and client, and no tenantClaim tells them apart")]
    Indistinguishable(String, String),
    /// The tenants without an issuer of their own accept the same tokens.
    #[error(
        "tenants without an issuer of their own share issuer and client of the defaults, and no tenantClaim tells them apart"
    )]
    SharedDefaults,
}

/// One tenant's issuer, everything decided.
#[derive(Debug, PartialEq, Eq)]
pub struct Issuer {
    /// What `iss` may be.
    pub(super) names: Box<[Box<str>]>,
    pub(super) audience: Audience,
    pub(super) whose: Whose,
    pub(super) algorithms: Box<[Algorithm]>,
    pub(super) keys: Keys,
    /// The application as its client; `None` where no client is named, and nobody can log in.
    pub(super) client: Option<Box<Client>>,
}

/// What `aud`, `azp` and `cid` must say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// `aud` names one of these; `azp`, where the client is known, is the client or one of these.
    Named { any_of: Box<[Box<str>]>, client: Option<Box<str>> },
    /// XSUAA's rules.
    Application { client: Box<str>, name: Box<str> },
}

/// Which claim says whose the token is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// The issuer belongs to this tenant alone.
    Issuers,
    /// A claim by name.
    Claim(Box<str>),
    /// `app_tid` or `zone_uuid`.
    ApplicationTenant,
    /// `zid`, or `ext_attr.zdn`.
    Zone,
}

/// Where the keys are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Keys {
    /// In the configuration.
    Inline(Arc<KeySet>),
    /// Elsewhere; `fallback` stands in until they have been fetched once.
    Fetched { source: Source, fallback: Option<Arc<KeySet>> },
}

/// What is fetched to get keys. The key of the [`KeyStore`](super::KeyStore): tenants whose keys come
/// from one place share them, because it is the issuer that vouches for keys, not the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Source {
    /// The discovery document of this issuer, and the key set it names.
    Document(Box<str>),
    /// A key set.
    KeySet(Box<str>),
}

impl Issuer {
    /// The issuer that `spec` means for the tenant with `key` and `id`.
    pub fn compile(spec: &IssuerSpec, key: Option<&str>, id: Option<&str>) -> Result<Self, IssuerError> {
        let algorithms = if spec.algorithms.is_empty() {
            Algorithm::DEFAULT.into()
        } else {
            spec.algorithms.as_slice().into()
        };
        match &spec.kind {
            IssuerKind::Xsuaa(binding) => binding.issuer(spec, algorithms, key, id),
            IssuerKind::Oidc | IssuerKind::Ias => compile_openid(spec, algorithms, key),
        }
    }

    /// What sessions of this issuer's logins open for; `None` where the application is no client of it.
    #[must_use]
    pub fn realm(&self) -> Option<&Arc<Realm>> {
        self.client.as_ref().map(|client| &client.realm)
    }

    /// Whether the application is a client of it, so that people can log in.
    #[must_use]
    pub fn can_log_in(&self) -> bool {
        self.client.is_some()
    }

    /// Whether it is SAP Cloud Identity Services.
    #[must_use]
    pub fn is_ias(&self) -> bool {
        self.client.as_ref().is_some_and(|client| client.dialect == Dialect::Ias)
    }

    /// Whether it is spoken to without TLS; only fit for development.
    #[must_use]
    pub fn is_cleartext(&self) -> bool {
        match &self.keys {
            Keys::Inline(_) => false,
            Keys::Fetched { source: Source::Document(url) | Source::KeySet(url), .. } => {
                url.starts_with("http://")
            }
        }
    }
}

fn compile_openid(
    spec: &IssuerSpec,
    algorithms: Box<[Algorithm]>,
    key: Option<&str>,
) -> Result<Issuer, IssuerError> {
    let url = filled(&spec.url, key);
    checked_url(&url)?;
    if url.contains('?') {
        return Err(IssuerError::MalformedUrl(url));
    }
    let client: Option<Box<str>> = spec.client_id.as_deref().map(|client| filled(client, key).into());
    let mut any_of: Vec<Box<str>> = spec.audience.iter().map(|name| filled(name, key).into()).collect();
    if any_of.is_empty() {
        any_of.push(client.clone().ok_or(IssuerError::NoAudience)?);
    }
    let keys = match &spec.keys {
        KeySource::Discovered => {
            Keys::Fetched { source: Source::Document(url.as_str().into()), fallback: None }
        }
        KeySource::At(at) => Keys::Fetched { source: key_set_at(at, &url, key)?, fallback: None },
        KeySource::Inline(json) => inline(json)?,
    };
    let whose = match (&spec.kind, &spec.tenant_claim) {
        (_, Some(claim)) => Whose::Claim(claim.as_str().into()),
        (IssuerKind::Ias, None) => Whose::ApplicationTenant,
        (IssuerKind::Oidc | IssuerKind::Xsuaa(_), None) => Whose::Issuers,
    };
    let dialect = match &spec.kind {
        IssuerKind::Ias => Dialect::Ias,
        IssuerKind::Oidc | IssuerKind::Xsuaa(_) => Dialect::Oidc,
    };
    let party = client.as_deref().map(|id| {
        let endpoints = EndpointSource::Discovered(url.as_str().into());
        Box::new(Client::new(spec, key, (&url, id), endpoints, dialect))
    });
    let audience = Audience::Named { any_of: any_of.into(), client };
    Ok(Issuer { names: [url.into()].into(), audience, whose, algorithms, keys, client: party })
}

/// The key set of the configuration.
pub(super) fn inline(json: &str) -> Result<Keys, IssuerError> {
    let keys = KeySet::parse(json.as_bytes()).map_err(IssuerError::Keys)?;
    Ok(Keys::Inline(Arc::new(keys)))
}

/// A key set at an address of its own, not less protected than the issuer.
pub(super) fn key_set_at(at: &str, issuer: &str, key: Option<&str>) -> Result<Source, IssuerError> {
    let at = filled(at, key);
    checked_url(&at)?;
    if issuer.starts_with("https://") && !at.starts_with("https://") {
        return Err(IssuerError::Downgrade(at));
    }
    Ok(Source::KeySet(at.into()))
}

/// Whether `url` is one that may be fetched: absolute, http or https, a host, no user, no fragment.
pub(super) fn checked_url(url: &str) -> Result<(), IssuerError> {
    let malformed = || IssuerError::MalformedUrl(url.to_owned());
    let parsed = http::Uri::try_from(url).map_err(|_| malformed())?;
    let scheme_known = matches!(parsed.scheme_str(), Some("http" | "https"));
    let host_named = parsed.host().is_some_and(|host| !host.is_empty());
    let plain = !url.contains(['#', '@', '{', '}', '\\']) && !url.chars().any(char::is_whitespace);
    if scheme_known && host_named && plain { Ok(()) } else { Err(malformed()) }
}

/// `template` with `{tenant}` replaced. Keys are DNS labels, so what was a URL stays one.
fn filled(template: &str, key: Option<&str>) -> String {
    key.map_or_else(|| template.to_owned(), |key| template.replace(PLACEHOLDER, key))
}

pub(super) const PLACEHOLDER: &str = "{tenant}";

/// The issuers of every tenant of one snapshot.
#[derive(Debug, Default)]
pub struct Issuers {
    defaults: Option<IssuerSpec>,
    /// By [`TenantIndex`]; `None` inside is a tenant whose own issuer does not compile.
    listed: Box<[OnceLock<Option<Arc<Issuer>>>]>,
    /// Tenants outside the table with an issuer of their own, such as the provider.
    named: HashMap<Option<TenantKey>, Option<Arc<Issuer>>>,
    /// Tenants that were accepted by their key alone.
    unlisted: RwLock<HashMap<TenantKey, Arc<Issuer>>>,
    /// The only tenant of a configuration without tenancy.
    keyless: OnceLock<Option<Arc<Issuer>>>,
}

impl Issuers {
    /// A builder for a table of `tenants` tenants.
    #[must_use]
    pub fn builder(tenants: usize) -> IssuersBuilder {
        let listed = (0..tenants).map(|_| OnceLock::new()).collect();
        IssuersBuilder { issuers: Self { listed, ..Self::default() }, own: Vec::new() }
    }

    /// The issuer of `tenant`; `None` where it has none.
    #[must_use]
    pub fn of(&self, tenant: &Tenant) -> Option<Arc<Issuer>> {
        match (tenant.index, &tenant.key) {
            (Some(TenantIndex(index)), _) => {
                let place = self.listed.get(usize::try_from(index).ok()?)?;
                place.get_or_init(|| self.made(tenant)).clone()
            }
            (None, _) if !self.named.is_empty() && self.named.contains_key(&tenant.key) => {
                self.named.get(&tenant.key)?.clone()
            }
            (None, Some(key)) => self.unlisted(key, tenant),
            (None, None) => self.keyless.get_or_init(|| self.made(tenant)).clone(),
        }
    }

    /// How many tenants of the table an issuer or key set at an address vouches for, as far as requests
    /// have asked for them.
    #[must_use]
    pub fn tenants_by_address(&self) -> HashMap<&str, usize> {
        let mut counts = HashMap::new();
        for issuer in self.listed.iter().filter_map(|place| place.get()?.as_ref()) {
            if let Keys::Fetched { source, .. } = &issuer.keys {
                *counts.entry(source.address()).or_default() += 1;
            }
        }
        counts
    }

    fn made(&self, tenant: &Tenant) -> Option<Arc<Issuer>> {
        let key = tenant.key.as_ref().map(TenantKey::as_str);
        let issuer = Issuer::compile(self.defaults.as_ref()?, key, tenant.id.as_deref());
        issuer.ok().map(Arc::new)
    }

    fn unlisted(&self, key: &TenantKey, tenant: &Tenant) -> Option<Arc<Issuer>> {
        let known = self.unlisted.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(key).cloned();
        if known.is_some() {
            return known;
        }
        let made = self.made(tenant)?;
        let mut unlisted = self.unlisted.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if unlisted.len() >= MAX_UNLISTED {
            unlisted.clear();
        }
        unlisted.insert(key.clone(), made.clone());
        Some(made)
    }
}

/// Gathers the issuers of a configuration.
#[derive(Debug)]
pub struct IssuersBuilder {
    issuers: Issuers,
    own: Vec<(TenantKey, Arc<Issuer>)>,
}

impl IssuersBuilder {
    /// The issuer of every tenant that has none of its own. Checked with a sample key, so that no
    /// tenant can fail later.
    pub fn defaults(&mut self, spec: IssuerSpec) -> Result<(), IssuerError> {
        Issuer::compile(&spec, Some("tenant"), None)?;
        self.issuers.defaults = Some(spec);
        Ok(())
    }

    /// `tenant`'s own issuer. Where it does not compile the tenant has none: never the defaults.
    pub fn tenant(&mut self, tenant: &Tenant, spec: &IssuerSpec) -> Result<(), IssuerError> {
        let key = tenant.key.as_ref();
        let compiled = Issuer::compile(spec, key.map(TenantKey::as_str), tenant.id.as_deref()).map(Arc::new);
        self.place(tenant, compiled.as_ref().ok().cloned());
        let issuer = compiled?;
        if let Some(key) = key {
            self.own.push((key.clone(), issuer));
        }
        Ok(())
    }

    fn place(&mut self, tenant: &Tenant, issuer: Option<Arc<Issuer>>) {
        let Some(TenantIndex(index)) = tenant.index else {
            self.issuers.named.insert(tenant.key.clone(), issuer);
            return;
        };
        if let Some(place) = usize::try_from(index).ok().and_then(|index| self.issuers.listed.get_mut(index))
        {
            *place = OnceLock::from(issuer);
        }
    }

    /// The issuers, unless two tenants would accept the same tokens. `is_served` says of a key whether
    /// it is a tenant: one of the table, or any, where unknown tenants are accepted.
    pub fn build(self, is_served: impl Fn(&TenantKey) -> bool) -> Result<Issuers, Vec<IssuerError>> {
        let mut problems = super::distinct::among_own(&self.own);
        if let Some(spec) = &self.issuers.defaults {
            let sharers = self.issuers.listed.iter().filter(|place| place.get().is_none()).count();
            problems.extend(super::distinct::of_defaults(spec, sharers, &self.own, is_served));
        }
        if problems.is_empty() { Ok(self.issuers) } else { Err(problems) }
    }
}

#[cfg(test)]
mod tests;
