//! What only some destinations ask for beyond an address: headers, tokens, a proxy that asks who we are.
//!
//! Most destinations have none of it, and a request to those pays for one look at an `Option`. Names that
//! are ours to set, or that belong to a connection, cannot be set by a destination: whoever keeps the
//! destinations of a subaccount does not say who the tenant or the user is.

use std::sync::Arc;

use http::header::{AUTHORIZATION, HOST, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::Proxy;
use super::lookup::LookupError;
use crate::auth::{
    ClientAuthentication, ServiceCredentials, ServiceCredentialsSpec, ServiceTokens, TokenServer,
};
use crate::session::Identity;
use crate::tenant::Tenant;

const USER: HeaderName = HeaderName::from_static("sap-connectivity-authentication");
const LOCATION: HeaderName = HeaderName::from_static("sap-connectivity-scc-location_id");
/// How names begin that are said to the Connectivity proxy.
const TO_PROXY: &str = "sap-connectivity-";
/// How an IAS names the applications that tokens are exchanged for.
const DEPENDENCY: &str = "urn:sap:identity:application:provider:name:";

/// What a destination asks for beyond an address.
#[derive(Clone, Debug, Default)]
pub struct Particulars {
    /// Sent where the request does not say it: `URL.headers.*`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Sent whatever the request says: the tokens of the Destination service, `sap-client`.
    pub credentials: Vec<(HeaderName, HeaderValue)>,
    /// Whether the backend sees the `Host` that the client named: `HTML5.PreserveHostHeader`.
    pub preserve_host: bool,
    /// What the Connectivity proxy is told: `proxyType: OnPremise`.
    pub on_premise: Option<OnPremise>,
    /// What the caller's token is exchanged for before it is forwarded: `IASDependencyName`.
    pub dependency: Option<Arc<ServiceCredentials>>,
}

/// What the Connectivity proxy is told.
#[derive(Clone, Debug)]
pub struct OnPremise {
    /// Who we are to it.
    pub credentials: Arc<ServiceCredentials>,
    /// Which of several Cloud Connectors: `CloudConnectorLocationId`.
    pub location: Option<HeaderValue>,
    /// Whether it learns who the user is.
    pub principal: Principal,
}

/// Whether the Connectivity proxy learns who the user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal {
    /// It does not.
    Unsaid,
    /// It does where somebody is logged in.
    Known,
    /// It does, and nothing is sent for nobody: `PrincipalPropagation`.
    Needed,
}

/// The bound Connectivity proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connectivity {
    /// Where it is.
    pub proxy: Proxy,
    /// Who we are to it.
    pub credentials: Arc<ServiceCredentials>,
}

/// Whose tokens a bound IAS exchanges.
#[derive(Clone, Debug)]
pub struct IasClient {
    /// `clientid`.
    pub client_id: String,
    /// How the application proves to be it.
    pub authentication: ClientAuthentication,
    /// Its `url`.
    pub url: String,
}

impl IasClient {
    /// The application as the client that asks for tokens for the dependency called `name`.
    #[must_use]
    pub fn dependency(&self, name: &str) -> Option<Arc<ServiceCredentials>> {
        let spec = ServiceCredentialsSpec {
            client_id: self.client_id.clone(),
            authentication: self.authentication.clone(),
            server: TokenServer::At(format!("{}/oauth2/token", self.url.trim_end_matches('/'))),
            parameters: vec![("resource".to_owned(), format!("{DEPENDENCY}{name}"))],
        };
        ServiceCredentials::compile(spec).ok().map(Arc::new)
    }
}

/// The tokens for one request.
#[derive(Debug, Default)]
pub struct Tokens {
    /// For the proxy: who we are.
    proxy: Option<HeaderValue>,
    /// For the proxy: who the user is.
    user: Option<HeaderValue>,
    /// For the backend.
    backend: Option<HeaderValue>,
}

impl Particulars {
    /// The tokens for a request of `caller` in `tenant`.
    pub async fn tokens(
        &self,
        services: &ServiceTokens,
        tenant: &Tenant,
        caller: Option<&Identity>,
    ) -> Result<Tokens, LookupError> {
        let mut tokens = Tokens::default();
        if let Some(on_premise) = &self.on_premise {
            let user = caller.map(|caller| caller.bearer.clone());
            tokens.user = match (on_premise.principal, user) {
                (Principal::Unsaid, _) => None,
                (Principal::Needed, None) => return Err(LookupError::NeedsUser),
                (Principal::Known | Principal::Needed, user) => user,
            };
            tokens.proxy = Some(services.client_credentials(tenant, &on_premise.credentials).await?);
        }
        if let (Some(dependency), Some(caller)) = (&self.dependency, caller) {
            tokens.backend = Some(services.exchanged(tenant, dependency, caller).await?);
        }
        Ok(tokens)
    }

    /// Adds all of it to the headers of a request for which the client named the host `authority`;
    /// `is_reserved` says which names are not a destination's to set.
    pub fn dress(
        &self,
        headers: &mut HeaderMap,
        tokens: Tokens,
        authority: Option<&HeaderValue>,
        is_reserved: impl Fn(&HeaderName) -> bool,
    ) {
        for (name, value) in self.headers.iter().filter(|(name, _)| !is_reserved(name)) {
            headers.entry(name).or_insert_with(|| value.clone());
        }
        let to_proxy = |name: &HeaderName| self.on_premise.is_some() && name.as_str().starts_with(TO_PROXY);
        for (name, value) in self.credentials.iter().filter(|(name, _)| to_proxy(name) || !is_reserved(name))
        {
            headers.insert(name, value.clone());
        }
        if let Some(authority) = authority.filter(|_| self.preserve_host) {
            headers.insert(HOST, authority.clone());
        }
        let location = self.on_premise.as_ref().and_then(|on_premise| on_premise.location.clone());
        headers.extend(location.map(|location| (LOCATION, location)));
        headers.extend(tokens.proxy.map(|token| (PROXY_AUTHORIZATION, token)));
        headers.extend(tokens.user.map(|token| (USER, token)));
        if let Some(token) = tokens.backend {
            headers.insert(AUTHORIZATION, token);
        }
    }
}
