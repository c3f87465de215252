//! What a token says, and whether it says it to this tenant.
//!
//! The claims are judged before the signature, because that is cheaper and lets no foreign token cause
//! a fetch of keys; until the signature is verified the judgement is only used to refuse. A claim of an
//! unexpected type is a refusal, never "absent". Times have 60 s of leeway.

use http::HeaderValue;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::TokenError;
use super::issuer::{Audience, Issuer, Whose};
use super::json::{self, Map, Value};
use crate::session::Identity;
use crate::tenant::{Tenant, TenantKey};

/// How far two clocks may differ, in seconds.
pub(super) const LEEWAY: u64 = 60;

/// How old an ID token may be when it comes, in seconds: it was made for this login.
const MAX_IDENTITY_AGE: u64 = 10 * 60;

/// The end of the year 9999: later times are mistakes, or attempts to overflow.
const LATEST: f64 = 253_402_300_799.0;

/// The longest name or address that is sent on, in bytes as encoded.
const MAX_IDENTITY_LENGTH: usize = 1024;

/// What is written with `%`: everything that is not printable ASCII, and `%` so that decoding is exact.
const ENCODED: &AsciiSet = &CONTROLS.add(b'%');

/// The same where blanks would be lost at an end of the value.
const ENCODED_BLANKS: &AsciiSet = &ENCODED.add(b' ');

/// Who the caller is, once `claims` are judged and the signature is verified.
pub(super) fn identity(claims: &Map<String, Value>, token: &str) -> Result<Identity, TokenError> {
    let mut bearer = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| TokenError::NotBase64)?;
    bearer.set_sensitive(true);
    let email_refused = claims.get("email_verified").is_some_and(|verified| *verified != true);
    let first = |names: &[&str]| names.iter().find_map(|name| json::text(claims, name));
    Ok(Identity {
        subject: first(&["sub"]).map(Into::into),
        user_name: first(&["user_name", "preferred_username", "upn"]).and_then(told),
        email: first(&["email"]).filter(|_| !email_refused).and_then(told),
        given_name: first(&["given_name"]).map(Into::into),
        family_name: first(&["family_name"]).map(Into::into),
        client: first(&["azp", "cid", "client_id"]).map(Into::into),
        expires: time(claims, "exp")?.ok_or(TokenError::NoExpiry)?,
        bearer,
        scopes: scopes(claims)?.into_iter().map(Into::into).collect(),
    })
}

/// `text` as a header value that no byte of it can break; `None` where it is empty or too long.
fn told(text: &str) -> Option<HeaderValue> {
    let set = if text.trim_matches(' ') == text { ENCODED } else { ENCODED_BLANKS };
    let encoded = utf8_percent_encode(text, set).to_string();
    let fits = (1..=MAX_IDENTITY_LENGTH).contains(&encoded.len());
    fits.then(|| HeaderValue::try_from(encoded).ok()).flatten()
}

/// Judges everything the claims say about when, by whom, for whom and whose.
pub(super) fn judge(
    claims: &Map<String, Value>,
    issuer: &Issuer,
    tenant: &Tenant,
    now: u64,
) -> Result<(), TokenError> {
    judge_times(claims, now)?;
    judge_issuer(claims, issuer)?;
    if claims.contains_key("events") {
        return Err(TokenError::WrongType);
    }
    match &issuer.audience {
        Audience::Named { any_of, client } => judge_named(claims, any_of, client.as_deref())?,
        Audience::Application { client, name } => judge_application(claims, client, name)?,
    }
    if belongs(claims, &issuer.whose, tenant)? { Ok(()) } else { Err(TokenError::WrongTenant) }
}

/// Judges the claims of an ID token (OpenID Connect Core 1.0 §3.1.3.7), but for what only the login knows.
pub(super) fn judge_identity(
    claims: &Map<String, Value>,
    issuer: &Issuer,
    client: &str,
    tenant: &Tenant,
    now: u64,
) -> Result<(), TokenError> {
    judge_times(claims, now)?;
    judge_issuer(claims, issuer)?;
    if claims.contains_key("events") {
        return Err(TokenError::WrongType);
    }
    judge_client(claims, client)?;
    let made = time(claims, "iat")?.ok_or(TokenError::MalformedClaim("iat"))?;
    if made + MAX_IDENTITY_AGE < now {
        return Err(TokenError::Expired);
    }
    if belongs(claims, &issuer.whose, tenant)? { Ok(()) } else { Err(TokenError::WrongTenant) }
}

/// Judges by whom, for whom and when a logout token is. It need not say whose it is: it ends sessions of
/// one tenant only, whoever sent it.
pub(super) fn judge_logout(
    claims: &Map<String, Value>,
    issuer: &Issuer,
    client: &str,
    tenant: &Tenant,
    now: u64,
) -> Result<(), TokenError> {
    judge_times(claims, now)?;
    judge_issuer(claims, issuer)?;
    judge_client(claims, client)?;
    let says_whose = match &issuer.whose {
        Whose::Issuers => false,
        Whose::Claim(path) => tenant_claim(claims, path).is_some(),
        Whose::ApplicationTenant => ["app_tid", "zone_uuid"].iter().any(|name| claims.contains_key(*name)),
        Whose::Zone => claims.contains_key("zid"),
    };
    if says_whose && !belongs(claims, &issuer.whose, tenant)? {
        return Err(TokenError::WrongTenant);
    }
    Ok(())
}

/// `aud` names the client itself, and `azp`, where there is one, nobody else.
fn judge_client(claims: &Map<String, Value>, client: &str) -> Result<(), TokenError> {
    let audience = texts(claims, "aud", false)?;
    if !audience.contains(&client) {
        return Err(TokenError::WrongAudience);
    }
    match optional_text(claims, "azp")? {
        Some(party) if party != client => Err(TokenError::WrongAuthorizedParty),
        None if audience.len() > 1 => Err(TokenError::WrongAuthorizedParty),
        Some(_) | None => Ok(()),
    }
}

fn judge_issuer(claims: &Map<String, Value>, issuer: &Issuer) -> Result<(), TokenError> {
    let named = optional_text(claims, "iss")?;
    let is_known = named.is_some_and(|named| issuer.names.iter().any(|name| **name == *named));
    if is_known { Ok(()) } else { Err(TokenError::WrongIssuer) }
}

/// `exp`, `nbf` and `iat` (RFC 7519 §4.1).
fn judge_times(claims: &Map<String, Value>, now: u64) -> Result<(), TokenError> {
    let expires = time(claims, "exp")?.ok_or(TokenError::NoExpiry)?;
    let not_before = time(claims, "nbf")?.unwrap_or(0);
    let issued = time(claims, "iat")?.unwrap_or(0);
    if now >= expires + LEEWAY {
        return Err(TokenError::Expired);
    }
    if not_before > now + LEEWAY || issued > now + LEEWAY {
        return Err(TokenError::NotYetValid);
    }
    if issued > expires { Err(TokenError::IssuedAfterExpiry) } else { Ok(()) }
}

/// A `NumericDate`: a number of seconds, maybe with a fraction, within the years that exist.
pub(super) fn time(claims: &Map<String, Value>, name: &'static str) -> Result<Option<u64>, TokenError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_f64().filter(|seconds| (0.0..=LATEST).contains(seconds));
    let seconds = seconds.ok_or(TokenError::MalformedClaim(name))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
    Ok(Some(seconds as u64))
}

/// OpenID Connect: `aud` names us, and `azp` no other client.
fn judge_named(
    claims: &Map<String, Value>,
    any_of: &[Box<str>],
    client: Option<&str>,
) -> Result<(), TokenError> {
    let audience = texts(claims, "aud", false)?;
    if !audience.iter().any(|named| any_of.iter().any(|ours| **ours == **named)) {
        return Err(TokenError::WrongAudience);
    }
    let Some(client) = client else { return Ok(()) };
    match optional_text(claims, "azp")? {
        Some(party) if party != client && !any_of.iter().any(|ours| **ours == *party) => {
            Err(TokenError::WrongAuthorizedParty)
        }
        Some(_) | None => Ok(()),
    }
}

/// XSUAA: issued to our client, or for our application, by audience or, where there is none, by scope.
fn judge_application(claims: &Map<String, Value>, client: &str, name: &str) -> Result<(), TokenError> {
    let issued_to = optional_text(claims, "cid")?;
    if optional_text(claims, "azp")?.is_some_and(|party| issued_to.is_some_and(|cid| cid != party)) {
        return Err(TokenError::WrongAuthorizedParty);
    }
    if issued_to == Some(client) {
        return Ok(());
    }
    let audience = texts(claims, "aud", false)?;
    let below = |text: &str| text.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    let ours = if audience.is_empty() {
        scopes(claims)?.iter().any(|scope| below(scope))
    } else {
        audience.iter().any(|named| *named == name || named.strip_prefix("sb-") == Some(name) || below(named))
    };
    if ours { Ok(()) } else { Err(TokenError::WrongAudience) }
}

/// Whether the token is `tenant`'s.
fn belongs(claims: &Map<String, Value>, whose: &Whose, tenant: &Tenant) -> Result<bool, TokenError> {
    match whose {
        Whose::Issuers => Ok(true),
        Whose::Claim(path) => Ok(tenant_claim(claims, path).is_some_and(|named| names(tenant, named))),
        Whose::ApplicationTenant => belongs_by_id(claims, tenant),
        Whose::Zone => belongs_by_zone(claims, tenant),
    }
}

/// IAS: whichever of `app_tid` and `zone_uuid` there is must be the tenant's id, and one there must be.
/// Without any tenancy there is nothing to compare, but two tenants cannot be meant.
fn belongs_by_id(claims: &Map<String, Value>, tenant: &Tenant) -> Result<bool, TokenError> {
    let named = [optional_text(claims, "app_tid")?, optional_text(claims, "zone_uuid")?];
    let mut named = named.into_iter().flatten().peekable();
    let Some(first) = named.peek().copied() else { return Ok(false) };
    let expected =
        if tenant.key.is_none() { tenant.id.as_deref().or(Some(first)) } else { tenant.id.as_deref() };
    Ok(expected.is_some_and(|id| named.all(|one| one == id)))
}

/// XSUAA: `zid` is the tenant's id; a tenant known by its key alone is named by `ext_attr.zdn`. A `zid`
/// that contradicts a known id is never outweighed. Without any tenancy there is nothing to compare.
fn belongs_by_zone(claims: &Map<String, Value>, tenant: &Tenant) -> Result<bool, TokenError> {
    let zone = optional_text(claims, "zid")?;
    let key = tenant.key.as_ref().map(TenantKey::as_str);
    let id = tenant.id.as_deref().filter(|id| Some(*id) != key);
    if let (Some(zone), Some(id)) = (zone, id) {
        return Ok(zone == id);
    }
    let attributes = claims.get("ext_attr").and_then(Value::as_object);
    let subdomain = attributes.and_then(|attributes| json::text(attributes, "zdn"));
    Ok(match key {
        Some(key) => subdomain == Some(key) || (subdomain.is_none() && id.is_none() && zone == Some(key)),
        None => id.is_none(),
    })
}

/// Whether `named` is the tenant's id or key.
fn names(tenant: &Tenant, named: &str) -> bool {
    tenant.id.as_deref() == Some(named) || tenant.key.as_ref().is_some_and(|key| key.as_str() == named)
}

/// The one text at `path`: a member of that very name, else member by member along its dots. A list of
/// several tenants names none.
fn tenant_claim<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a str> {
    let value = claims.get(path).or_else(|| {
        let (first, rest) = path.split_once('.')?;
        rest.split('.').try_fold(claims.get(first)?, |value, name| value.as_object()?.get(name))
    });
    match value? {
        Value::String(text) => Some(text),
        Value::Array(items) => match items.as_slice() {
            [Value::String(text)] => Some(text),
            _ => None,
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

/// The scopes, from `scope` and `scp`, each a text with blanks or a list.
pub(super) fn scopes(claims: &Map<String, Value>) -> Result<Vec<&str>, TokenError> {
    let mut scopes = texts(claims, "scope", true)?;
    scopes.extend(texts(claims, "scp", true)?);
    Ok(scopes)
}

/// A text or a list of texts; absent is an empty list.
fn texts<'a>(
    claims: &'a Map<String, Value>,
    name: &'static str,
    split: bool,
) -> Result<Vec<&'a str>, TokenError> {
    let malformed = TokenError::MalformedClaim(name);
    match claims.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(text)) if split => Ok(text.split_ascii_whitespace().collect()),
        Some(Value::String(text)) => Ok(vec![text]),
        Some(Value::Array(items)) => {
            items.iter().map(|item| item.as_str().ok_or_else(|| malformed.clone())).collect()
        }
        Some(Value::Bool(_) | Value::Number(_) | Value::Object(_)) => Err(malformed),
    }
}

/// A text, if the claim is there at all.
pub(super) fn optional_text<'a>(
    claims: &'a Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'a str>, TokenError> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(TokenError::MalformedClaim(name))
        }
    }
}

#[cfg(test)]
mod tests;
