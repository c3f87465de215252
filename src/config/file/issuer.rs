//! The `issuer` of a tenant or of the defaults in `xs-tenants.json`.
//!
//! Knows how a tenant inherits, key by key. Surprising: the three keys that say where the issuer's keys
//! are go together, because keys belong to the address they were given with; so do a client and its
//! proof.

use super::super::decode::{Decoder, Node};
use super::super::text::{Located, Mark};
use crate::secret::Secret;

/// The keys of an issuer.
pub(crate) const KEYS: &[&str] = &[
    "url",
    "jwksUri",
    "jwks",
    "clientId",
    "clientSecret",
    "clientKey",
    "audience",
    "scopes",
    "algorithms",
    "tenantClaim",
    "type",
];

/// What kind of authorization server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IssuerType {
    Oidc,
    Xsuaa,
    Ias,
}

/// Who signs a tenant's tokens; every key may come from the defaults.
#[derive(Clone, Debug)]
pub(crate) struct Issuer {
    pub(crate) mark: Mark,
    pub(crate) url: Option<Located<Box<str>>>,
    pub(crate) jwks_uri: Option<Located<Box<str>>>,
    /// A key set as JSON text.
    pub(crate) jwks: Option<Located<Box<str>>>,
    pub(crate) client_id: Option<Located<Box<str>>>,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) client_key: Option<Secret>,
    pub(crate) audience: Option<Vec<Box<str>>>,
    pub(crate) scopes: Option<Vec<Box<str>>>,
    pub(crate) algorithms: Option<Located<Vec<Box<str>>>>,
    pub(crate) tenant_claim: Option<Located<Box<str>>>,
    pub(crate) kind: Option<IssuerType>,
}

impl Issuer {
    /// Reads an issuer.
    pub(crate) fn decode(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Self> {
        const TYPES: [(&str, IssuerType); 3] =
            [("oidc", IssuerType::Oidc), ("xsuaa", IssuerType::Xsuaa), ("ias", IssuerType::Ias)];
        let fields = d.fields(node, KEYS)?;
        if d.references.without_issuers {
            return None;
        }
        let text = |d: &mut Decoder<'_, '_>, key| fields.take(key).and_then(|node| d.text(node));
        Some(Self {
            mark: fields.mark(),
            url: text(d, "url"),
            jwks_uri: text(d, "jwksUri"),
            jwks: fields.take("jwks").and_then(|node| decode_jwks(d, node)),
            client_id: text(d, "clientId"),
            client_secret: fields.take("clientSecret").and_then(|node| d.secret(node)),
            client_key: fields.take("clientKey").and_then(|node| d.secret(node)),
            audience: fields.take("audience").and_then(|node| one_or_more(d, node)),
            scopes: fields.take("scopes").and_then(|node| one_or_more(d, node)),
            algorithms: fields
                .take("algorithms")
                .and_then(|node| Some(Located { value: one_or_more(d, node)?, mark: node.mark() })),
            tenant_claim: text(d, "tenantClaim"),
            kind: fields.take("type").and_then(|node| d.word(node, &TYPES)).map(|kind| kind.value),
        })
    }

    /// This issuer, with what it does not say taken from `defaults`.
    pub(crate) fn or(&self, defaults: &Self) -> Self {
        let own = self.clone();
        // Keys belong to the address that they were given with: a tenant with an address of its own
        // never has its tokens checked with the keys of the defaults.
        let inherits_keys = own.url.is_none() && own.jwks_uri.is_none() && own.jwks.is_none();
        let keys = if inherits_keys { defaults } else { self };
        // A proof is of the client that it was given with: a tenant with a client of its own never shows
        // the secret of another one.
        let proves = own.client_id.is_some() || own.client_secret.is_some() || own.client_key.is_some();
        let proof = if proves { self } else { defaults };
        Self {
            mark: own.mark,
            url: own.url.or_else(|| defaults.url.clone()),
            jwks_uri: keys.jwks_uri.clone(),
            jwks: keys.jwks.clone(),
            client_id: own.client_id.or_else(|| defaults.client_id.clone()),
            client_secret: proof.client_secret.clone(),
            client_key: proof.client_key.clone(),
            audience: own.audience.or_else(|| defaults.audience.clone()),
            scopes: own.scopes.or_else(|| defaults.scopes.clone()),
            algorithms: own.algorithms.or_else(|| defaults.algorithms.clone()),
            tenant_claim: own.tenant_claim.or_else(|| defaults.tenant_claim.clone()),
            kind: own.kind.or(defaults.kind),
        }
    }
}

/// A key set: inline, or as a string from a file or variable.
fn decode_jwks(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Located<Box<str>>> {
    let inline = d.map(node)?.take("keys").is_some();
    if inline {
        return Some(Located { value: d.findings.texts.source(node).into(), mark: node.mark() });
    }
    d.text(node)
}

/// A string, or a list of strings.
fn one_or_more(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Vec<Box<str>>> {
    if node.is_list() {
        return d.list(node, |d, node| d.text(node).map(|text| text.value));
    }
    d.text(node).map(|text| vec![text.value])
}
