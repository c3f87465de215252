//! What the issuer's tokens say.
//!
//! Access tokens also carry what XSUAA and IAS would say of the same user (`zid`, `ext_attr.zdn`,
//! `app_tid`), so that a backend that reads those finds them on a developer's machine too.

use serde_json::{Value, json};

use super::ledger::{Granted, Session, secret};
use super::user::User;
use super::visit::Visit;

/// How long a logout token is good, in seconds.
const LOGOUT_LIFETIME: u64 = 120;

/// Whom a token is for, where nobody has logged in.
pub(in crate::cli) struct Subject {
    /// The user's name.
    pub(in crate::cli) user: String,
    /// Scopes, with blanks between them; may be empty.
    pub(in crate::cli) scope: String,
    /// How long it lives, in seconds.
    pub(in crate::cli) lifetime: u64,
}

impl Visit<'_> {
    /// An access token (RFC 9068 in all but `typ`).
    pub(super) fn access_claims(&self, subject: &Subject) -> Value {
        let client = self.issuer.settings.client_id;
        let mut claims = self.user_claims(&subject.user);
        let tenant = self.tenant_id();
        let more = json!({
            "iss": self.realm.url, "aud": client, "azp": client, "cid": client,
            "scope": subject.scope, "iat": self.now, "exp": self.now + subject.lifetime,
            "zid": tenant, "app_tid": tenant, "ext_attr": {"zdn": self.realm.name},
            "grant_type": "authorization_code", "origin": "development",
        });
        extend(&mut claims, more);
        claims
    }

    /// The access token of a login.
    pub(super) fn granted_claims(&self, granted: &Granted) -> Value {
        let Session { id, user, token_lifetime, .. } = &granted.session;
        let subject = Subject { user: user.clone(), scope: granted.scope.clone(), lifetime: *token_lifetime };
        let mut claims = self.access_claims(&subject);
        // Two tokens of one second are two tokens.
        extend(&mut claims, json!({"sid": id, "jti": secret().unwrap_or_default()}));
        claims
    }

    /// An ID token (OpenID Connect Core 1.0 §2).
    pub(super) fn id_claims(&self, granted: &Granted) -> Value {
        let client = self.issuer.settings.client_id;
        let Session { id, user, token_lifetime, begun, .. } = &granted.session;
        let tenant = self.tenant_id();
        let mut claims = self.user_claims(user);
        let more = json!({
            "iss": self.realm.url, "aud": client, "azp": client, "sid": id, "auth_time": begun,
            "iat": self.now, "exp": self.now + token_lifetime, "zone_uuid": tenant, "app_tid": tenant,
        });
        extend(&mut claims, more);
        if let Some(nonce) = &granted.nonce {
            extend(&mut claims, json!({"nonce": nonce}));
        }
        claims
    }

    /// A logout token (OpenID Connect Back-Channel Logout 1.0 §2.4).
    pub(super) fn logout_claims(&self, session: &Session) -> Value {
        json!({
            "iss": self.realm.url, "aud": self.issuer.settings.client_id,
            "sub": self.subject(&session.user), "sid": session.id,
            "iat": self.now, "exp": self.now + LOGOUT_LIFETIME, "jti": secret().unwrap_or_default(),
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        })
    }

    /// Who somebody is (OpenID Connect Core 1.0 §5.1).
    pub(super) fn user_claims(&self, user: &str) -> Value {
        let mut claims = json!({
            "sub": self.subject(user), "user_name": user, "preferred_username": user,
            "email": User::email(user, &self.realm.name), "email_verified": true,
        });
        if let Some(known) = User::named(user) {
            let name = format!("{} {}", known.given, known.family);
            extend(
                &mut claims,
                json!({"name": name, "given_name": known.given, "family_name": known.family}),
            );
        }
        claims
    }

    fn subject(&self, user: &str) -> String {
        format!("{}/{user}", self.realm.name)
    }

    /// The tenant's id, as far as the router says.
    fn tenant_id(&self) -> String {
        let name = &self.realm.name;
        let told = self.issuer.front.get().and_then(|front| front.tenant_id(name));
        told.unwrap_or_else(|| name.clone())
    }
}

fn extend(claims: &mut Value, more: Value) {
    if let (Value::Object(claims), Value::Object(more)) = (claims, more) {
        claims.extend(more);
    }
}
