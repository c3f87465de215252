//! An XSUAA binding, and what it says of one tenant's tokens.
//!
//! Name and key address of the issuer follow from the binding's `uaadomain` and the tenant that the
//! request's host named, never from the token: a token's `jku` and `iss` are the caller's words. The
//! port and scheme of the binding's `url` carry over, for stand-ins on a developer's machine.

use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::Algorithm;
use super::client::{Client, Dialect, EndpointSource, Endpoints};
use super::issuer::{
    Audience, Issuer, IssuerError, IssuerSpec, KeySource, Keys, Source, Whose, checked_url, inline,
    key_set_at,
};
use super::keys::KeySet;

/// The credentials of an XSUAA binding that verification needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XsuaaBinding {
    /// `clientid`.
    pub client_id: String,
    /// `xsappname`, as `app!t1`.
    pub xsappname: String,
    /// `uaadomain`: the domain below which each tenant has its own host.
    pub uaa_domain: Option<String>,
    /// Whether `tenantmode` is `shared`: each tenant has an identity zone of its own.
    pub shared: bool,
    /// `certurl`: where tokens are for clients that show their certificate.
    pub cert_url: Option<String>,
    /// `verificationkey` in PEM, for as long as the keys have not been fetched.
    pub verification_key: Option<String>,
}

impl XsuaaBinding {
    /// The issuer of the tenant with `key` and `id`; `spec.url` is the binding's `url`.
    pub(super) fn issuer(
        &self,
        spec: &IssuerSpec,
        algorithms: Box<[Algorithm]>,
        key: Option<&str>,
        id: Option<&str>,
    ) -> Result<Issuer, IssuerError> {
        let base = self.base(&spec.url, key);
        checked_url(&base)?;
        let fallback = self.fallback()?;
        let keys = match &spec.keys {
            KeySource::Discovered => {
                let url = self.token_keys(&base, key, id);
                checked_url(&url)?;
                Keys::Fetched { source: Source::KeySet(url.into()), fallback }
            }
            KeySource::At(at) => Keys::Fetched { source: key_set_at(at, &base, key)?, fallback },
            KeySource::Inline(json) => inline(json)?,
        };
        let name = format!("{base}/oauth/token");
        let endpoints = EndpointSource::Known(Arc::new(self.endpoints(&base, key)));
        let client = Client::new(spec, key, (&name, &self.client_id), endpoints, Dialect::Xsuaa);
        Ok(Issuer {
            names: [name.into(), base.into()].into(),
            client: Some(Box::new(client)),
            audience: Audience::Application {
                client: self.client_id.as_str().into(),
                name: self.xsappname.as_str().into(),
            },
            whose: Whose::Zone,
            algorithms,
            keys,
        })
    }

    /// Where the tenant's users log in.
    fn endpoints(&self, base: &str, key: Option<&str>) -> Endpoints {
        Endpoints {
            authorization: format!("{base}/oauth/authorize").into(),
            token: format!("{base}/oauth/token").into(),
            token_by_certificate: self.cert_base(key).map(|base| format!("{base}/oauth/token").into()),
            end_session: Some(format!("{base}/logout.do").into()),
            names_issuer: false,
            // XSUAA does not decode the header's form encoding, and its client names have a `!`.
            secret_in_form: true,
        }
    }

    /// `certurl`, in a shared zone with the tenant in the place of the provider.
    pub(super) fn cert_base(&self, key: Option<&str>) -> Option<String> {
        let url = self.cert_url.as_deref()?.trim_end_matches('/');
        let (scheme, host) = url.split_once("://")?;
        Some(match (self.shared, key, host.split_once('.')) {
            (true, Some(key), Some((_provider, domain))) => format!("{scheme}://{key}.{domain}"),
            (true | false, _, _) => url.to_owned(),
        })
    }

    /// Where the tenant's tokens come from: its own host in a shared zone, else the binding's `url`.
    pub(super) fn base(&self, url: &str, key: Option<&str>) -> String {
        let url = url.trim_end_matches('/');
        match (self.shared, key, self.authority(url)) {
            (true, Some(key), Some(domain)) => format!("{}://{key}.{domain}", scheme(url)),
            (true | false, _, _) => url.to_owned(),
        }
    }

    /// `token_keys` of the landscape for a tenant whose zone id is known, else of the tenant's host.
    fn token_keys(&self, base: &str, key: Option<&str>, id: Option<&str>) -> String {
        match (self.authority(base), id.filter(|id| Some(*id) != key)) {
            (Some(domain), Some(id)) => {
                let id = utf8_percent_encode(id, NON_ALPHANUMERIC);
                format!("{}://{domain}/token_keys?zid={id}", scheme(base))
            }
            (Some(_) | None, _) => format!("{base}/token_keys"),
        }
    }

    /// `uaadomain`, with the port of `url` where it has none.
    fn authority(&self, url: &str) -> Option<String> {
        let domain = self.uaa_domain.as_deref()?;
        let authority = url.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or(""));
        match authority.rsplit_once(':') {
            Some((_, port)) if !domain.contains(':') => Some(format!("{domain}:{port}")),
            Some(_) | None => Some(domain.to_owned()),
        }
    }

    fn fallback(&self) -> Result<Option<Arc<KeySet>>, IssuerError> {
        let pem = self.verification_key.as_deref();
        pem.map(|pem| KeySet::from_rsa_pem(pem).map(Arc::new).map_err(IssuerError::Keys)).transpose()
    }
}

fn scheme(url: &str) -> &'static str {
    if url.starts_with("http://") { "http" } else { "https" }
}

#[cfg(test)]
mod tests;
