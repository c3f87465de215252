//! How people log in and out, which WebSockets are opened, and what else answers by itself, as far as it
//! is configured.
//!
//! Paths are those that routes would see: behind a tenant's prefix where that is stripped. What is no
//! choice (PKCE, `state`, `nonce`) is not here.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;

use crate::request::origin::OriginRule;

/// Where logins end, and what they may be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginRules {
    /// The path that issuers send browsers back to: `login.callbackEndpoint`.
    pub callback: Box<str>,
    /// Whether the fragment of a URL survives a login, by a page with a script: `PRESERVE_FRAGMENT`.
    pub preserve_fragment: bool,
    /// Whether the query parameter `sap_idp` chooses the identity provider on every route:
    /// `DYNAMIC_IDENTITY_PROVIDER`. A route may say so for itself.
    pub dynamic_identity_provider: bool,
    /// For how long the token of a login must at least be good: `MINIMUM_TOKEN_VALIDITY`.
    pub minimum_validity: Duration,
}

impl Default for LoginRules {
    fn default() -> Self {
        Self {
            callback: "/login/callback".into(),
            preserve_fragment: true,
            dynamic_identity_provider: false,
            minimum_validity: Duration::ZERO,
        }
    }
}

/// How people log out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogoutRules {
    /// The path that ends a session; `None` where nothing does: `logout.logoutEndpoint`.
    pub endpoint: Option<Box<str>>,
    /// The method that it takes: `logout.logoutMethod`.
    pub method: LogoutMethod,
    /// Whether it asks for a CSRF token; only with `POST`: `logout.csrfProtection`.
    pub csrf: bool,
    /// Where the browser is in the end: `logout.logoutPage`.
    pub page: Option<LogoutPage>,
    /// The path at which issuers end sessions: `logout.backChannelLogoutEndpoint`.
    pub back_channel: Option<Box<str>>,
    /// The backends that are told, in order: `destinations.<name>.logoutPath`.
    pub backends: Vec<BackendLogout>,
    /// The services that are told: `services.<name>.logoutPath`.
    pub services: Vec<ServiceLogout>,
}

/// The method of the logout endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogoutMethod {
    /// A link; the default.
    #[default]
    Get,
    /// A form or script.
    Post,
}

/// Where the browser is after a logout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogoutPage {
    /// A path of the application, which begins with `/`; it may have a query.
    Local(Box<str>),
    /// A URL with `http` or `https`.
    Elsewhere(Box<str>),
}

/// A backend that is told when a session ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendLogout {
    /// The destination's name.
    pub destination: Arc<str>,
    /// The path, behind the destination's own; it begins with `/` and may have a query.
    pub path: Box<str>,
    /// `POST` where nothing else is said.
    pub method: Method,
}

/// Which WebSockets are opened, and for how long: `websockets` and `WS_ALLOWED_ORIGINS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSocketRules {
    /// The origins whose pages may; `None` lets those of the request's own host.
    pub origins: Option<Box<[OriginRule]>>,
    /// How long nothing may pass; `None` is for ever.
    pub idle: Option<Duration>,
    /// How long one may be open; `None` is for ever.
    pub age: Option<Duration>,
}

/// A bound service that is told when a session ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceLogout {
    /// Its place among the services.
    pub service: usize,
    /// The path, behind the service's own; it begins with `/` and may have a query.
    pub path: Box<str>,
    /// `POST` where nothing else is said.
    pub method: Method,
}

/// The plugins, as everyone may read them: `pluginMetadataEndpoint`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginMetadata {
    /// Where; and everything below.
    pub path: Box<str>,
    /// As JSON.
    pub body: Bytes,
}

/// Whose frames pages may be in: `whitelistService`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framing {
    /// Where pages ask; and everything below.
    pub path: Box<str>,
    /// Who may frame; `None` where nobody said: `CJ_PROTECT_WHITELIST`.
    pub origins: Option<Arc<[OriginRule]>>,
}
