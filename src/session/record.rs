//! The bytes of a session and of a flow, before they are sealed.
//!
//! Fields in a fixed order, each text preceded by its length; a JWT's base64url is undone, so that
//! sealed and encoded again it is no longer than it was. Only what was sealed here is ever read, but
//! reading trusts no length all the same. The realm is not written: it is what the seal opens for.

mod fields;

use std::sync::Arc;

use http::HeaderValue;

pub(super) use fields::{Reader, Writer};

use super::identity::Identity;
use super::{Realm, Session, csrf};

/// What stands before the token in a bearer header.
const SCHEME: &str = "Bearer ";

/// The session as bytes.
pub(super) fn write(session: &Session, out: &mut Writer) {
    let identity = &session.identity;
    out.number(session.begun);
    out.number(session.ends.saturating_sub(session.begun));
    out.number(session.refreshed);
    out.bytes(session.csrf_token.as_bytes());
    out.optional(session.issuer_session.as_deref().map(str::as_bytes));
    for secret in [&session.refresh_token, &session.id_token] {
        out.token(secret.as_ref().map(|secret| secret.expose().as_bytes()));
    }
    let bearer = identity.bearer.as_bytes();
    out.token(Some(bearer.strip_prefix(SCHEME.as_bytes()).unwrap_or(bearer)));
    out.optional(identity.subject.as_deref().map(str::as_bytes));
    out.optional(identity.user_name.as_ref().map(HeaderValue::as_bytes));
    out.optional(identity.email.as_ref().map(HeaderValue::as_bytes));
    out.optional(identity.given_name.as_deref().map(str::as_bytes));
    out.optional(identity.family_name.as_deref().map(str::as_bytes));
    out.optional(identity.client.as_deref().map(str::as_bytes));
    out.number(identity.expires);
    out.number(identity.scopes.len() as u64);
    identity.scopes.iter().for_each(|scope| out.bytes(scope.as_bytes()));
}

/// The session of `realm` that [`write`] wrote.
pub(super) fn read(reader: &mut Reader<'_>, realm: &Arc<Realm>) -> Option<Session> {
    let begun = reader.number()?;
    Some(Session {
        begun,
        ends: begun.checked_add(reader.number()?)?,
        refreshed: reader.number()?,
        csrf_token: csrf::Token::read(reader.bytes()?)?,
        issuer_session: reader.optional_text()?,
        refresh_token: reader.token()?.map(crate::secret::Secret::new),
        id_token: reader.token()?.map(crate::secret::Secret::new),
        identity: identity(reader)?,
        realm: Arc::clone(realm),
    })
}

fn identity(reader: &mut Reader<'_>) -> Option<Identity> {
    let token = reader.token()??;
    Some(Identity {
        bearer: sensitive([SCHEME, &token].concat().as_bytes())?,
        subject: reader.optional_text()?,
        user_name: optional_value(reader)?,
        email: optional_value(reader)?,
        given_name: reader.optional_text()?,
        family_name: reader.optional_text()?,
        client: reader.optional_text()?,
        expires: reader.number()?,
        scopes: scopes(reader)?,
    })
}

fn scopes(reader: &mut Reader<'_>) -> Option<Box<[Box<str>]>> {
    // Each takes a byte at least, so a count that is not true ends with the bytes.
    (0..reader.number()?).map(|_| reader.text()).collect()
}

#[expect(clippy::option_option, reason = "absent and unreadable are different")]
fn optional_value(reader: &mut Reader<'_>) -> Option<Option<HeaderValue>> {
    Some(match reader.optional()? {
        Some(bytes) => Some(HeaderValue::from_bytes(bytes).ok()?),
        None => None,
    })
}

fn sensitive(bytes: &[u8]) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_bytes(bytes).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests;
