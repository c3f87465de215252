//! Bound services: where each is, and what it is shown.
//!
//! A service is called for somebody: with the token that the caller's own is exchanged for, or with the
//! application's. It is a destination besides; that its token is one for the caller's tenant is the affair
//! of [`ServiceTokens`].

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::Destination;
use crate::auth::{ServiceCredentials, ServiceTokenError, ServiceTokens};
use crate::session::Identity;
use crate::tenant::Tenant;

/// Where a service gets the token of an IAS beside its own.
const X_IAS_TOKEN: HeaderName = HeaderName::from_static("x-ias-token");
/// The length of `Bearer `.
const SCHEME: usize = 7;

/// A bound service, or one of its endpoints.
#[derive(Debug)]
pub struct BusinessService {
    /// Where it is.
    pub destination: Arc<Destination>,
    /// What it is shown.
    pub credential: Credential,
    /// `URL.headers.*`: what every request says.
    pub headers: Box<[(HeaderName, HeaderValue)]>,
    /// `forwardiastoken`: whether it also gets the caller's token where that is an IAS'.
    pub forward_ias_token: bool,
}

/// Which token a service is shown.
#[derive(Debug)]
pub enum Credential {
    /// What the caller's token is exchanged for: `grant_type: user_token`.
    Exchanged(Arc<ServiceCredentials>),
    /// The application's: `grant_type: client_credentials`.
    Application(Arc<ServiceCredentials>),
    /// The caller's, where the development issuer stands in for every other.
    Own,
}

impl BusinessService {
    /// `Bearer` and the token that the service is shown for `caller`.
    pub async fn token(
        &self,
        tokens: &ServiceTokens,
        tenant: &Tenant,
        caller: &Identity,
    ) -> Result<HeaderValue, ServiceTokenError> {
        match &self.credential {
            Credential::Exchanged(service) => tokens.exchanged(tenant, service, caller).await,
            Credential::Application(service) => tokens.client_credentials(tenant, service).await,
            Credential::Own => Ok(caller.bearer.clone()),
        }
    }

    /// Adds to the headers of a request what the service is shown; `ias` is a caller whose token is an
    /// IAS'.
    pub fn dress(&self, headers: &mut HeaderMap, token: HeaderValue, ias: Option<&Identity>) {
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
        headers.insert(AUTHORIZATION, token);
        if !self.forward_ias_token {
            return;
        }
        headers.remove(X_IAS_TOKEN);
        let token = ias.and_then(|caller| caller.bearer.as_bytes().get(SCHEME..));
        if let Some(mut token) = token.and_then(|token| HeaderValue::from_bytes(token).ok()) {
            token.set_sensitive(true);
            headers.insert(X_IAS_TOKEN, token);
        }
    }
}
