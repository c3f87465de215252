//! The discovery document of a realm (OpenID Connect Discovery 1.0 §3).
//!
//! It names what there is and nothing more, so that a client that believes it is never disappointed.

use serde_json::{Value, json};

use super::visit::Visit;

impl Visit<'_> {
    /// The discovery document.
    pub(super) fn discovery(&self) -> Value {
        let realm = &self.realm.url;
        let mut scopes = ["openid", "profile", "email", "offline_access"].map(str::to_owned).to_vec();
        scopes.extend(self.offered_scopes());
        json!({
            "issuer": realm,
            "authorization_endpoint": format!("{realm}/authorize"),
            "token_endpoint": format!("{realm}/token"),
            "userinfo_endpoint": format!("{realm}/userinfo"),
            "jwks_uri": format!("{realm}/jwks"),
            "end_session_endpoint": format!("{realm}/end_session"),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token", "password"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
            "backchannel_logout_supported": true,
            "backchannel_logout_session_supported": true,
            "prompt_values_supported": ["none", "login", "select_account", "consent"],
            "scopes_supported": scopes,
            "claims_supported": [
                "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "sid", "name", "given_name",
                "family_name", "preferred_username", "email", "email_verified",
            ],
        })
    }
}
