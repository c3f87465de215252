//! Where the issuer sends browsers: to the tenant's own application on this machine.
//!
//! The port is not compared (RFC 8252 §7.3): applications take free ones, and development servers stand
//! in front of them. The host is: loopback by name or address, and a name below `localhost` is the
//! tenant's own, so that one tenant's code never goes to another's host.

use http::Uri;

/// Whether `url` is an application of `tenant` on this machine; without tenants any name of it will do.
pub(super) fn is_allowed(url: &str, tenant: Option<&str>) -> bool {
    let plain = url.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'\\' | b'"'));
    let Some(uri) = url.parse::<Uri>().ok().filter(|_| plain) else { return false };
    let Some(authority) = uri.authority() else { return false };
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    is_http && !authority.as_str().contains('@') && is_ours(authority.host(), tenant)
}

fn is_ours(host: &str, tenant: Option<&str>) -> bool {
    if matches!(host, "localhost" | "127.0.0.1" | "[::1]") {
        return true;
    }
    let Some(name) = host.strip_suffix(".localhost") else { return false };
    let first = name.split('.').next();
    tenant.is_none() || first == tenant
}

/// Scheme, host and port of a URL that is allowed.
pub(super) fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find(['/', '?']).map_or(url.len(), |at| host + at);
    &url[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_go_to_the_tenant_on_this_machine() {
        for (url, allowed, shows) in [
            ("http://acme.localhost:5000/login/callback", true, "the tenant's host"),
            ("https://acme.localhost/login/callback", true, "by https"),
            ("http://acme.crm.localhost:5000/cb", true, "the tenant's host, further down"),
            ("http://localhost:5000/t/acme/login/callback", true, "tenants by path"),
            ("http://127.0.0.1:5000/cb?a=b", true, "by address"),
            ("http://[::1]:5000/cb", true, "by address of IPv6"),
            ("http://globex.localhost:5000/login/callback", false, "another tenant's host"),
            ("http://globex.acme.localhost:5000/", false, "another tenant's host, further down"),
            ("http://acme.localhost.evil.test/cb", false, "only begins like it"),
            ("http://evil.test/acme.localhost", false, "elsewhere"),
            ("http://acme.localhost@evil.test/cb", false, "a user's name that looks like a host"),
            ("http://user@acme.localhost:5000/cb", false, "a user's name"),
            ("http://evil.test\\@acme.localhost/cb", false, "a backslash"),
            ("http://acme.localhost:5000/cb#x", false, "a fragment (RFC 6749 §3.1.2)"),
            ("javascript://acme.localhost/%0aalert(1)", false, "another scheme"),
            ("/login/callback", false, "not absolute"),
            ("http://127.0.0.1.evil.test/", false, "only begins like an address"),
        ] {
            assert_eq!(is_allowed(url, Some("acme")), allowed, "{shows}");
        }
        assert!(is_allowed("http://any.localhost/", None), "there are no tenants to confuse");
        assert!(!is_allowed("http://any.test/", None), "not this machine");
    }

    #[test]
    fn the_origin_is_the_url_up_to_its_path() {
        for (url, expected) in [
            ("http://acme.localhost:5000/login/callback", "http://acme.localhost:5000"),
            ("http://localhost?x=/", "http://localhost"),
            ("http://localhost", "http://localhost"),
        ] {
            assert_eq!(origin(url), expected);
        }
    }
}
