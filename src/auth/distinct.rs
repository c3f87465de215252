//! Can two tenants accept the same token?
//!
//! Asked when the configuration compiles. Two tenants whose issuers have one name and a common audience
//! or client accept each other's tokens, unless both look at a claim that says whose a token is; XSUAA
//! and IAS tokens always say. What a reader may not expect: a tenant's own issuer is also compared with
//! what the defaults' `{tenant}` makes of every other tenant.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::issuer::{Audience, Issuer, IssuerError, IssuerKind, IssuerSpec, PLACEHOLDER, Whose};
use crate::tenant::TenantKey;

/// Tenants with issuers of their own.
type Own = [(TenantKey, Arc<Issuer>)];

/// The conflicts among tenants with issuers of their own.
pub(super) fn among_own(own: &Own) -> Vec<IssuerError> {
    let mut problems = Vec::new();
    // By name of the issuer and mark: a tenant, and whether every tenant so far looks at a claim.
    let mut taken: HashMap<(&str, &str), (&TenantKey, bool)> = HashMap::new();
    for (key, issuer) in own {
        let guarded = is_guarded(issuer);
        let mut other = None;
        for pair in issuer.names.iter().flat_map(|name| marks(issuer).map(move |mark| (&**name, mark))) {
            let (first, all_guarded) = taken.entry(pair).or_insert((key, true));
            if *first != key && !(guarded && *all_guarded) {
                other = Some(*first);
            }
            *all_guarded &= guarded;
        }
        problems.extend(other.map(|other| conflict(other, key)));
    }
    problems
}

/// The conflicts of the `defaults`, shared by `sharers` tenants, among themselves and with `own`.
pub(super) fn of_defaults(
    defaults: &IssuerSpec,
    sharers: usize,
    own: &Own,
    is_served: impl Fn(&TenantKey) -> bool,
) -> Vec<IssuerError> {
    let guarded = match &defaults.kind {
        IssuerKind::Xsuaa(_) => return Vec::new(),
        IssuerKind::Ias => true,
        IssuerKind::Oidc => defaults.tenant_claim.is_some(),
    };
    let mut problems = Vec::new();
    if sharers > 1 && !guarded && !tells_apart(defaults) {
        problems.push(IssuerError::SharedDefaults);
    }
    let owners: HashSet<&TenantKey> = own.iter().map(|(owner, _)| owner).collect();
    for (key, issuer) in own.iter().filter(|(_, issuer)| !(guarded && is_guarded(issuer))) {
        let same = |theirs: &Issuer| marks(theirs).any(|mark| marks(issuer).any(|ours| ours == mark));
        let sharer = |other: &TenantKey| !owners.contains(other) && is_served(other);
        if let Some(other) = issuer.names.iter().find_map(|name| whose_default(&defaults.url, name)) {
            if sharer(&other)
                && Issuer::compile(defaults, Some(other.as_str()), None).is_ok_and(|theirs| same(&theirs))
            {
                problems.push(conflict(&other, key));
            }
        } else if sharers > 0 && issuer.names.iter().any(|name| **name == *defaults.url) {
            let theirs = Issuer::compile(defaults, None, None);
            if theirs.is_ok_and(|theirs| same(&theirs)) {
                problems.push(IssuerError::SharedDefaults);
            }
        }
    }
    problems
}

fn conflict(one: &TenantKey, other: &TenantKey) -> IssuerError {
    IssuerError::Indistinguishable(one.to_string(), other.to_string())
}

/// Whether tokens say whose they are.
fn is_guarded(issuer: &Issuer) -> bool {
    issuer.whose != Whose::Issuers
}

/// Whether the defaults differ between any two tenants: by name, or by every audience and the client.
fn tells_apart(defaults: &IssuerSpec) -> bool {
    let mut marks = defaults.client_id.iter().chain(&defaults.audience);
    defaults.url.contains(PLACEHOLDER) || marks.all(|mark| mark.contains(PLACEHOLDER))
}

/// The tenant for which `template` makes `name`.
fn whose_default(template: &str, name: &str) -> Option<TenantKey> {
    let (before, _) = template.split_once(PLACEHOLDER)?;
    let count = template.matches(PLACEHOLDER).count();
    let length = name.len().checked_sub(template.len() - count * PLACEHOLDER.len())? / count;
    let key = TenantKey::parse(name.strip_prefix(before)?.get(..length)?)?;
    (template.replace(PLACEHOLDER, key.as_str()) == name).then_some(key)
}

/// What an issuer's tokens for this application are marked with.
fn marks(issuer: &Issuer) -> impl Iterator<Item = &str> {
    let (any_of, client) = match &issuer.audience {
        Audience::Named { any_of, client } => (&**any_of, client.as_deref()),
        Audience::Application { client, .. } => (&[][..], Some(&**client)),
    };
    any_of.iter().map(|name| &**name).chain(client)
}

#[cfg(test)]
mod tests;
