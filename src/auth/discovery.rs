//! The discovery document of an issuer (OpenID Connect Discovery 1.0 §4).
//!
//! Of the document only `jwks_uri` is used here, and only after `issuer` was found to be exactly the
//! configured one. Keys of an https issuer come by https; an http issuer, which only a developer has,
//! may name http keys on its own host and port and nowhere else.

use super::issuer::checked_url;
use super::json;

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
}

/// Where the document of `issuer` is.
pub(super) fn address(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

/// Where the keys of `issuer` are, according to its `document`.
pub(super) fn key_set_address(document: &[u8], issuer: &str) -> Result<String, DiscoveryError> {
    let members = json::object(document).map_err(|_| DiscoveryError::Malformed)?;
    if json::text(&members, "issuer") != Some(issuer) {
        return Err(DiscoveryError::OtherIssuer);
    }
    let address = json::text(&members, "jwks_uri").ok_or(DiscoveryError::UnusableKeyAddress)?;
    let well_formed = checked_url(address).is_ok();
    if well_formed && is_protected(address, issuer) {
        return Ok(address.to_owned());
    }
    Err(DiscoveryError::UnusableKeyAddress)
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
mod tests {
    use super::*;

    const HTTPS: &str = "https://idp.test/realms/a";

    /// Issuer, document, the address of the keys, and what the row shows.
    type Row = (&'static str, &'static str, Result<&'static str, DiscoveryError>, &'static str);

    const ROWS: &[Row] = &[
        (
            HTTPS,
            r#"{"issuer":"https://idp.test/realms/a","jwks_uri":"https://keys.test/a"}"#,
            Ok("https://keys.test/a"),
            "another host may hold the keys",
        ),
        (
            HTTPS,
            r#"{"issuer":"https://idp.test/realms/b","jwks_uri":"https://keys.test/a"}"#,
            Err(DiscoveryError::OtherIssuer),
            "another issuer's document",
        ),
        (
            HTTPS,
            r#"{"issuer":"https://idp.test/realms/a/","jwks_uri":"https://keys.test/a"}"#,
            Err(DiscoveryError::OtherIssuer),
            "a slash makes another issuer",
        ),
        (HTTPS, r#"{"jwks_uri":"https://keys.test/a"}"#, Err(DiscoveryError::OtherIssuer), "no issuer"),
        (
            HTTPS,
            r#"{"issuer":"https://idp.test/realms/a","jwks_uri":"http://idp.test/a"}"#,
            Err(DiscoveryError::UnusableKeyAddress),
            "less protected than the issuer",
        ),
        (
            HTTPS,
            r#"{"issuer":"https://idp.test/realms/a","jwks_uri":"file:///etc/passwd"}"#,
            Err(DiscoveryError::UnusableKeyAddress),
            "not http at all",
        ),
        (
            HTTPS,
            r#"{"issuer":"https://idp.test/realms/a"}"#,
            Err(DiscoveryError::UnusableKeyAddress),
            "no keys",
        ),
        (
            HTTPS,
            r#"{"issuer":"https://idp.test/realms/a","jwks_uri":"https://u:p@keys.test/"}"#,
            Err(DiscoveryError::UnusableKeyAddress),
            "a user in the address",
        ),
        (
            HTTPS,
            r#"{"issuer":"x","issuer":"https://idp.test/realms/a","jwks_uri":"https://keys.test/a"}"#,
            Err(DiscoveryError::Malformed),
            "a member twice",
        ),
        (
            "http://localhost:9/x",
            r#"{"issuer":"http://localhost:9/x","jwks_uri":"http://localhost:9/k"}"#,
            Ok("http://localhost:9/k"),
            "a developer's issuer",
        ),
        (
            "http://localhost:9/x",
            r#"{"issuer":"http://localhost:9/x","jwks_uri":"http://169.254.169.254/k"}"#,
            Err(DiscoveryError::UnusableKeyAddress),
            "http elsewhere, here link-local",
        ),
        (
            "http://localhost:9/x",
            r#"{"issuer":"http://localhost:9/x","jwks_uri":"http://localhost:99/k"}"#,
            Err(DiscoveryError::UnusableKeyAddress),
            "http on another port",
        ),
    ];

    #[test]
    fn only_the_configured_issuers_protected_keys_are_used() {
        for (issuer, document, expected, shows) in ROWS {
            let found = key_set_address(document.as_bytes(), issuer);
            assert_eq!(found.as_deref(), expected.as_deref(), "{shows}");
        }
    }

    #[test]
    fn the_document_is_below_the_issuer() {
        assert_eq!(address("https://idp.test/a/"), "https://idp.test/a/.well-known/openid-configuration");
    }
}
