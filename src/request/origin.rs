//! The origin of a page, as browsers name it, and rules that name origins.
//!
//! An [`Origin`] is what the `Origin` header says (RFC 6454 §7); `null` is none. A rule is compiled with
//! the configuration and compares only what it names, as `WS_ALLOWED_ORIGINS` is documented. Surprising:
//! by default a port is no part of the comparison, because proxies in front of us change it.

use super::{Authority, CanonicalRequest, Host, HostFault};

/// Where a page comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin<'v> {
    /// The scheme, as it was written.
    scheme: &'v str,
    host: Host,
    port: Option<u16>,
}

impl<'v> Origin<'v> {
    /// The origin that `value` names; nothing for `null` and for what is none: a path, a user.
    #[must_use]
    pub fn parse(value: &'v [u8]) -> Option<Self> {
        let (scheme, authority) = std::str::from_utf8(value).ok()?.split_once("://")?;
        let is_scheme = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
        if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || !scheme.bytes().all(is_scheme) {
            return None;
        }
        let Authority { host, port } = Authority::parse(authority.as_bytes()).ok()?;
        Some(Self { scheme, host, port })
    }

    /// Whether the page is one of the host that `request` was sent to, over the same scheme.
    #[must_use]
    pub fn is_own(&self, request: &CanonicalRequest) -> bool {
        self.scheme.eq_ignore_ascii_case(request.scheme.as_str()) && request.host.as_ref() == Some(&self.host)
    }

    /// Whether it is exactly the one that `request` was sent to, port included (RFC 6454 §4).
    #[must_use]
    pub fn is_same(&self, request: &CanonicalRequest) -> bool {
        let ours = request.port.unwrap_or(request.scheme.default_port());
        self.is_own(request) && self.port() == Some(ours)
    }

    /// The port, be it the scheme's own.
    fn port(&self) -> Option<u16> {
        let own = || match () {
            () if self.scheme.eq_ignore_ascii_case("https") => Some(443),
            () if self.scheme.eq_ignore_ascii_case("http") => Some(80),
            () => None,
        };
        self.port.or_else(own)
    }
}

/// Which origins are meant; what a rule does not name may be anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginRule {
    scheme: Option<Box<str>>,
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    Any,
    One(Host),
    /// Every host that ends in this, which begins with a dot: several labels, but not the domain itself.
    Below(Box<str>),
}

impl OriginRule {
    /// The rule with these properties: `host` is a host, `*.` and a domain, or `*`.
    ///
    /// # Errors
    /// What is wrong with the host.
    pub fn new(scheme: Option<&str>, host: &str, port: Option<u16>) -> Result<Self, HostFault> {
        let hosts = match host.strip_prefix('*') {
            Some("") => Hosts::Any,
            Some(domain) => {
                let plain = domain.strip_prefix('.').ok_or(HostFault::Byte(b'*'))?;
                Hosts::Below(format!(".{}", Host::parse(plain)?.as_str()).into())
            }
            None => Hosts::One(Host::parse(host)?),
        };
        // A page that opens a WebSocket was itself fetched by http.
        let scheme = scheme.map(|scheme| match &*scheme.trim_end_matches([':', '/']).to_ascii_lowercase() {
            "ws" => "http".into(),
            "wss" => "https".into(),
            other => other.into(),
        });
        Ok(Self { scheme, hosts, port })
    }

    /// Whether `origin` is one of those that are meant.
    #[must_use]
    pub fn allows(&self, origin: &Origin<'_>) -> bool {
        self.fits(origin, origin.port())
    }

    /// The same, the port compared as it is written: the scheme's own is none.
    #[must_use]
    pub fn allows_as_written(&self, origin: &Origin<'_>) -> bool {
        self.fits(origin, origin.port)
    }

    fn fits(&self, origin: &Origin<'_>, port: Option<u16>) -> bool {
        let host = origin.host.as_str();
        let fits = match &self.hosts {
            Hosts::Any => true,
            Hosts::One(known) => *known == origin.host,
            Hosts::Below(domain) => host.len() > domain.len() && host.ends_with(&**domain),
        };
        fits && self.scheme.as_ref().is_none_or(|scheme| scheme.eq_ignore_ascii_case(origin.scheme))
            && self.port.is_none_or(|wanted| port == Some(wanted))
    }

    /// Whether it lets every host in.
    #[must_use]
    pub fn is_for_any_host(&self) -> bool {
        self.hosts == Hosts::Any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port_and_nothing_else() {
        for (text, is_one, shows) in [
            ("https://app.example.com", true, "the usual"),
            ("http://app.example.com:8080", true, "with a port"),
            ("HTTPS://APP.example.com", true, "in any case"),
            ("http://[::1]:80", true, "an address"),
            ("chrome-extension://abcdef", true, "a scheme of its own"),
            ("null", false, "of a sandboxed frame"),
            ("", false, "nothing"),
            ("app.example.com", false, "no scheme"),
            ("https://app.example.com/", false, "a path"),
            ("https://u@app.example.com", false, "a user"),
            ("https://app.example.com:", false, "a colon without a port"),
            ("https://app.example.com:0", false, "no port"),
            ("https://a.example, https://b.example", false, "two"),
            ("https://a.example https://b.example", false, "two, the old way"),
            ("https:///a.example", false, "no host"),
            ("://a.example", false, "no scheme"),
            ("https://a.example\\.evil", false, "a backslash"),
        ] {
            assert_eq!(Origin::parse(text.as_bytes()).is_some(), is_one, "{text}: {shows}");
        }
    }

    #[test]
    fn a_rule_compares_what_it_names() {
        let rule = |scheme, host, port| OriginRule::new(scheme, host, port).expect("a rule");
        let (one, below) = (rule(None, "acme.com", None), rule(Some("https"), "*.acme.com", None));
        let port = rule(None, "acme.com", Some(443));
        for (rule, text, allowed, shows) in [
            (&one, "https://acme.com", true, "the host"),
            (&one, "http://ACME.com:81", true, "any scheme, any port, any case"),
            (&one, "https://x.acme.com", false, "a host below it"),
            (&one, "https://acme.com.evil.com", false, "as a prefix"),
            (&one, "https://evilacme.com", false, "as a suffix"),
            (&below, "https://a.acme.com", true, "below the domain"),
            (&below, "https://a.b.acme.com", true, "by several labels"),
            (&below, "https://acme.com", false, "the domain itself"),
            (&below, "https://evilacme.com", false, "no dot between"),
            (&below, "http://a.acme.com", false, "another scheme"),
            (&port, "https://acme.com", true, "the port of the scheme"),
            (&port, "http://acme.com", false, "the other scheme's"),
            (&port, "http://acme.com:443", true, "a port that is named"),
            (&rule(None, "*", None), "https://anybody.example", true, "everybody"),
            (&rule(Some("wss"), "acme.com", None), "https://acme.com", true, "the socket's scheme"),
            (&rule(Some("HTTPS"), "acme.com", None), "https://acme.com", true, "the scheme in any case"),
        ] {
            let origin = Origin::parse(text.as_bytes()).expect("an origin");
            assert_eq!(rule.allows(&origin), allowed, "{text}: {shows}");
        }
    }

    #[test]
    fn a_port_can_be_asked_for_as_it_is_written() {
        let rule = OriginRule::new(Some("https"), "*.acme.com", Some(443)).expect("a rule");
        for (text, allowed) in [("https://a.acme.com:443", true), ("https://a.acme.com", false)] {
            let origin = Origin::parse(text.as_bytes()).expect("an origin");
            assert_eq!(rule.allows_as_written(&origin), allowed, "{text}");
        }
    }

    #[test]
    fn hosts_that_are_none_make_no_rule() {
        for host in ["", "a b", "*acme.com", "a.*.com", "https://acme.com", "acme.com:443", "*."] {
            assert!(OriginRule::new(None, host, None).is_err(), "{host}");
        }
    }
}
