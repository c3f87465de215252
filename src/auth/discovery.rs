//! The discovery document of an issuer (OpenID Connect Discovery 1.0 §4).
//!
//! The document is used only after its `issuer` was found to be exactly the configured one. Keys and
//! endpoints of an https issuer are reached by https; an http issuer, which only a developer has, may
//! name http addresses on its own host and port and nowhere else.

use super::client::{Dialect, Endpoints};
use super::issuer::checked_url;
use super::json::{self, Map, Value};

/// Why a discovery document is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DiscoveryError {
    /// Not a JSON object, or a member is named twice.
    #[error("the discovery document is not a JSON object")]
    Malformed,
    /// `issuer` is another one.
    #[error("the discovery document is of another issuer")]
    OtherIssuer,
    /// `jwks_uri` is missing, or not a URL that may be fetched.
    #[error("the discovery document has no usable jwks_uri")]
    UnusableKeyAddress,
    /// An endpoint is missing, or not a URL that may be asked.
    #[error("the discovery document has no usable {0}")]
    UnusableEndpoint(&'static str),
}

/// Where the document of `issuer` is.
pub(super) fn address(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

/// Where the keys of `issuer` are, according to its `document`.
pub(super) fn key_set_address(document: &[u8], issuer: &str) -> Result<String, DiscoveryError> {
    let members = of_issuer(document, issuer)?;
    let address = json::text(&members, "jwks_uri").filter(|address| may_be_asked(address, issuer));
    address.map(str::to_owned).ok_or(DiscoveryError::UnusableKeyAddress)
}

/// Where people log in at `issuer` and out again, according to its `document`.
pub(super) fn endpoints(
    document: &[u8],
    issuer: &str,
    dialect: Dialect,
) -> Result<Endpoints, DiscoveryError> {
    let members = of_issuer(document, issuer)?;
    let at = |members: &Map<String, Value>, name: &'static str| match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(address)) if may_be_asked(address, issuer) => Ok(Some(address.as_str().into())),
        Some(_) => Err(DiscoveryError::UnusableEndpoint(name)),
    };
    let required = |name| at(&members, name)?.ok_or(DiscoveryError::UnusableEndpoint(name));
    let aliases = members.get("mtls_endpoint_aliases").and_then(Value::as_object);
    let names_issuer = "authorization_response_iss_parameter_supported";
    Ok(Endpoints {
        authorization: required("authorization_endpoint")?,
        token: required("token_endpoint")?,
        token_by_certificate: aliases.map_or(Ok(None), |aliases| at(aliases, "token_endpoint"))?,
        end_session: at(&members, "end_session_endpoint")?,
        names_issuer: members.get(names_issuer) == Some(&Value::Bool(true)),
        secret_in_form: secret_in_form(&members, dialect),
    })
}

/// Whether the client's secret goes into the form: where the header is not understood, and at an IAS,
/// which does not decode what the header's form encoding makes of a secret.
fn secret_in_form(members: &Map<String, Value>, dialect: Dialect) -> bool {
    let methods = members.get("token_endpoint_auth_methods_supported").and_then(Value::as_array);
    let takes = |method: &str| methods.map(|methods| methods.iter().any(|known| *known == method));
    match dialect {
        Dialect::Ias => takes("client_secret_post").unwrap_or(true),
        Dialect::Oidc | Dialect::Xsuaa => {
            takes("client_secret_basic") == Some(false) && takes("client_secret_post") == Some(true)
        }
    }
}

/// The members of `document`, if it is `issuer`'s.
fn of_issuer(document: &[u8], issuer: &str) -> Result<Map<String, Value>, DiscoveryError> {
    let members = json::object(document).map_err(|_| DiscoveryError::Malformed)?;
    if json::text(&members, "issuer") == Some(issuer) {
        Ok(members)
    } else {
        Err(DiscoveryError::OtherIssuer)
    }
}

/// Whether `address` is a URL, and as protected as `issuer`.
fn may_be_asked(address: &str, issuer: &str) -> bool {
    checked_url(address).is_ok() && is_protected(address, issuer)
}

/// Whether `address` is https, or on the very host of an http issuer.
fn is_protected(address: &str, issuer: &str) -> bool {
    if address.starts_with("https://") {
        return true;
    }
    authority(address).is_some_and(|theirs| authority(issuer) == Some(theirs))
}

/// Host and port of an http URL.
fn authority(url: &str) -> Option<&str> {
    let (authority, _) =
        url.strip_prefix("http://").map(|rest| rest.split_once('/').unwrap_or((rest, "")))?;
    Some(authority)
}

#[cfg(test)]
mod tests;
