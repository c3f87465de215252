//! Can two tenants accept the same token?
//!
//! Asked when the configuration compiles. Two tenants whose issuers have one name and a common audience
//! or client accept each other's tokens, unless a claim says whose a token is. XSUAA and IAS tokens
//! always say. What a reader may not expect: a tenant's own issuer is also compared with what the
//! defaults' `{tenant}` makes of every other tenant.

use std::collections::HashMap;
use std::sync::Arc;

use super::issuer::{Audience, Issuer, IssuerError, IssuerKind, IssuerSpec, Whose};
use crate::tenant::TenantKey;

/// The conflicts among tenants with issuers of their own.
pub(super) fn among_own(own: &[(TenantKey, Arc<Issuer>)]) -> Vec<IssuerError> {
    let mut problems = Vec::new();
    let mut taken: HashMap<(&str, &str), &TenantKey> = HashMap::new();
    for (key, issuer) in own.iter().filter(|(_, issuer)| issuer.whose == Whose::Issuers) {
        let pairs = issuer.names.iter().flat_map(|name| marks(issuer).map(move |mark| (&**name, mark)));
        let other = pairs.filter_map(|pair| taken.insert(pair, key)).find(|other| *other != key);
        if let Some(other) = other {
            problems.push(IssuerError::Indistinguishable(other.to_string(), key.to_string()));
        }
    }
    problems
}

/// The conflicts of the `defaults`, shared by `sharers` tenants, among themselves and with `own`.
pub(super) fn of_defaults(
    defaults: &IssuerSpec,
    sharers: usize,
    own: &[(TenantKey, Arc<Issuer>)],
    is_served: impl Fn(&TenantKey) -> bool,
) -> Vec<IssuerError> {
    if defaults.kind != IssuerKind::Oidc || defaults.tenant_claim.is_some() {
        return Vec::new();
    }
    let mut problems = Vec::new();
    if sharers > 1 && !tells_apart(defaults) {
        problems.push(IssuerError::SharedDefaults);
    }
    for (key, issuer) in own.iter().filter(|(_, issuer)| issuer.whose == Whose::Issuers) {
        let other = issuer.names.iter().find_map(|name| whose_default(&defaults.url, name));
        if let Some(other) = other.filter(|other| other != key && is_served(other))
            && !own.iter().any(|(owner, _)| *owner == other)
            && Issuer::compile(defaults, Some(other.as_str()), None)
                .is_ok_and(|theirs| marks(&theirs).any(|mark| marks(issuer).any(|ours| ours == mark)))
        {
            problems.push(IssuerError::Indistinguishable(other.to_string(), key.to_string()));
        }
    }
    problems
}

/// Whether the defaults differ between any two tenants: by name, or by every audience and the client.
fn tells_apart(defaults: &IssuerSpec) -> bool {
    let marks = || defaults.client_id.iter().chain(&defaults.audience);
    defaults.url.contains("{tenant}") || (marks().next().is_some() && marks().all(|m| m.contains("{tenant}")))
}

/// The tenant for which `template` makes `name`.
fn whose_default(template: &str, name: &str) -> Option<TenantKey> {
    let count = template.matches("{tenant}").count();
    let (before, _) = template.split_once("{tenant}")?;
    let length = name.len().checked_sub(template.len() - count * "{tenant}".len())? / count;
    let key = TenantKey::parse(name.strip_prefix(before)?.get(..length)?)?;
    (template.replace("{tenant}", key.as_str()) == name).then_some(key)
}

/// What an issuer's tokens for this application are marked with.
fn marks(issuer: &Issuer) -> impl Iterator<Item = &str> {
    let (any_of, client) = match &issuer.audience {
        Audience::Named { any_of, client } => (&**any_of, client.as_deref()),
        Audience::Application { client, .. } => (&[][..], Some(&**client)),
    };
    any_of.iter().map(|name| &**name).chain(client)
}
