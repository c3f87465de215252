//! What the Destination service says of a destination, and how it is understood.
//!
//! The destinations of a subscriber are written by the subscriber: nothing in them is believed that could
//! lead elsewhere than to an HTTP server, and on another machine than this one unless the service is here
//! too. Where tokens or certificates should have come and did not, there is no destination: nothing is
//! sent without them. Properties that mean nothing here are passed over.

mod certificates;
mod properties;

use std::sync::Arc;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};

use self::properties::Properties;
use super::super::particulars::{OnPremise, Particulars, Principal};
use super::super::{DestinationError, DestinationSpec, Reach};
use super::known::Key;
use super::{DestinationService, Found};
use crate::auth::json::{self, Map, Value};

/// How many headers a destination may add.
const MAX_HEADERS: usize = 64;
/// The longest of them, in bytes.
const MAX_HEADER: usize = 32 * 1024;
/// The longest error of the service that is logged, in bytes.
const MAX_ERROR: usize = 128;

/// What was read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) found: Found,
    /// For how long its tokens are good.
    pub(super) lifetime: Option<Duration>,
}

/// Why a destination cannot be sent to. What the service said is bounded, and for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It is not the JSON of a destination.
    #[error("the Destination service's answer is no destination")]
    Malformed,
    /// It is another destination than was asked for.
    #[error("the Destination service answers with another destination")]
    Another,
    /// It is none of HTTP.
    #[error("its type is not HTTP")]
    Type,
    /// Its URL.
    #[error("its URL cannot be used")]
    Url(#[source] DestinationError),
    /// Its proxy type is none that is known.
    #[error("its proxy type is unknown")]
    ProxyType,
    /// It is behind the Connectivity proxy, and none is bound.
    #[error("it is OnPremise, and no connectivity service is bound")]
    NoConnectivity,
    /// The Connectivity proxy takes no https; the Cloud Connector speaks TLS by itself.
    #[error("it is OnPremise with https, which the Connectivity proxy does not take")]
    EncryptedOnPremise,
    /// A header that cannot be one, or too many of them.
    #[error("its headers cannot be sent")]
    Headers,
    /// The service got no token for it.
    #[error("the Destination service got no token for it: {0}")]
    NoToken(Box<str>),
    /// Its certificate is not there, or cannot be used.
    #[error("its certificate cannot be used: {0}")]
    Certificate(&'static str),
    /// It names an IAS dependency, and no IAS is bound.
    #[error("it has an IAS dependency, and no IAS is bound")]
    NoIas,
}

/// How a destination knows the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    /// Not at all.
    Nothing,
    /// By tokens that the service gets for the application.
    Application,
    /// By tokens that the service gets for a user.
    User,
    /// By a certificate.
    Certificate,
    /// By what the Cloud Connector makes of the user's token.
    Principal,
}

/// The destination that `bytes` describe; `for_user` says that a user was named.
pub(super) fn read(
    bytes: &[u8],
    service: &DestinationService,
    key: &Key,
    for_user: bool,
) -> Result<Read, Unusable> {
    let answer = json::object(bytes).map_err(|_| Unusable::Malformed)?;
    let Some(Value::Object(written)) = answer.get("destinationConfiguration") else {
        return Err(Unusable::Malformed);
    };
    let properties = Properties(written);
    if properties.text("Name").is_some_and(|name| name != &*key.name) {
        return Err(Unusable::Another);
    }
    if properties.text("Type").is_some_and(|kind| !kind.eq_ignore_ascii_case("HTTP")) {
        return Err(Unusable::Type);
    }
    let dynamic = properties.is_on("HTML5.DynamicDestination");
    let scheme = scheme(&properties);
    if scheme == Scheme::User && !for_user {
        return Ok(Read { found: Found { destination: None, dynamic }, lifetime: None });
    }
    let mut particulars = Particulars {
        headers: headers(&properties)?,
        preserve_host: properties.is_on("HTML5.PreserveHostHeader"),
        on_premise: on_premise(&properties, service, key, scheme)?,
        ..Particulars::default()
    };
    let mut lifetime = None;
    match scheme {
        Scheme::Nothing | Scheme::Certificate | Scheme::Principal => {}
        Scheme::Application | Scheme::User => {
            lifetime = tokens(&answer, &properties, &mut particulars.credentials)?;
        }
    }
    if let Some(client) = properties.text("sap-client") {
        particulars.credentials.push(header("sap-client", client)?);
    }
    if let Some(name) = properties.text("HTML5.IASDependencyName") {
        let ias = service.surroundings.ias.as_ref().and_then(|ias| ias.dependency(name));
        particulars.dependency = Some(ias.ok_or(Unusable::NoIas)?);
    }
    let spec = spec(&answer, &properties, service, key, scheme)?;
    let spec = DestinationSpec { particulars: Some(particulars), ..spec };
    let destination = spec.compile().map_err(Unusable::Url)?;
    if destination.endpoint.tls.is_some() && properties.is_on_premise() {
        return Err(Unusable::EncryptedOnPremise);
    }
    Ok(Read { found: Found { destination: Some(Arc::new(destination)), dynamic }, lifetime })
}

/// Where it is, and how it is spoken to.
fn spec(
    answer: &Map<String, Value>,
    properties: &Properties<'_>,
    service: &DestinationService,
    key: &Key,
    scheme: Scheme,
) -> Result<DestinationSpec, Unusable> {
    let url = properties.text("URL").ok_or(Unusable::Url(DestinationError::Scheme))?;
    let own = properties.is_on("HTML5.ForwardAuthCertificates");
    let bound = || service.surroundings.certificate.clone();
    let certificate = match scheme {
        Scheme::Certificate => Some(certificates::client(answer, properties, bound())?),
        Scheme::Nothing | Scheme::Application | Scheme::User | Scheme::Principal => {
            if own {
                bound()
            } else {
                None
            }
        }
    };
    let connectivity = service.surroundings.connectivity.as_ref().filter(|_| properties.is_on_premise());
    let timeout = properties.number("HTML5.Timeout");
    Ok(DestinationSpec {
        timeout: timeout.filter(|timeout| *timeout > 0).map(Duration::from_millis),
        strict_ssl: !properties.is_on("TrustAll"),
        set_x_forwarded_headers: !properties.is_off("HTML5.SetXForwardedHeaders"),
        // A destination with tokens of its own, and a Cloud Connector, get no other.
        forward_auth_token: scheme == Scheme::Nothing
            && connectivity.is_none()
            && properties.is_on("HTML5.ForwardAuthToken"),
        proxy: connectivity.map(|bound| (bound.proxy.host.to_string(), bound.proxy.port)),
        certificate,
        authorities: certificates::authorities(answer, properties)?,
        reach: if service.is_here { Reach::Anywhere } else { Reach::OtherMachines },
        ..DestinationSpec::new(&key.name, url)
    })
}

/// How the destination knows the caller, by its `Authentication`. One that is not known here is taken for
/// one whose tokens the service gets for a user: then nothing is sent without.
fn scheme(properties: &Properties<'_>) -> Scheme {
    match properties.text("Authentication").unwrap_or("NoAuthentication") {
        "NoAuthentication" => Scheme::Nothing,
        "BasicAuthentication"
        | "OAuth2ClientCredentials"
        | "OAuth2Password"
        | "OAuth2RefreshToken"
        | "OAuth2TechnicalUserPropagation" => Scheme::Application,
        "ClientCertificateAuthentication" => Scheme::Certificate,
        "PrincipalPropagation" => Scheme::Principal,
        "OAuth2SAMLBearerAssertion" | "SAMLAssertion" if properties.text("SystemUser").is_some() => {
            Scheme::Application
        }
        _ => Scheme::User,
    }
}

/// What the Connectivity proxy is told, where it is on the way.
fn on_premise(
    properties: &Properties<'_>,
    service: &DestinationService,
    key: &Key,
    scheme: Scheme,
) -> Result<Option<OnPremise>, Unusable> {
    match properties.proxy_type() {
        None => return Err(Unusable::ProxyType),
        Some(false) if scheme == Scheme::Principal => return Err(Unusable::ProxyType),
        Some(false) => return Ok(None),
        Some(true) => {}
    }
    let connectivity = service.surroundings.connectivity.as_ref().ok_or(Unusable::NoConnectivity)?;
    let location = properties.text("CloudConnectorLocationId").map(value).transpose()?;
    let credentials = if key.local {
        Arc::new(connectivity.credentials.of_provider())
    } else {
        Arc::clone(&connectivity.credentials)
    };
    let principal = if scheme == Scheme::Principal { Principal::Needed } else { Principal::Unsaid };
    Ok(Some(OnPremise { credentials, location, principal }))
}

/// `URL.headers.*`.
fn headers(properties: &Properties<'_>) -> Result<Vec<(HeaderName, HeaderValue)>, Unusable> {
    let found: Vec<_> = properties.behind("URL.headers.").take(MAX_HEADERS + 1).collect();
    if found.len() > MAX_HEADERS {
        return Err(Unusable::Headers);
    }
    found.into_iter().map(|(name, value)| header(name, value)).collect()
}

/// Adds the tokens that the service got, and says for how long they are good.
fn tokens(
    answer: &Map<String, Value>,
    properties: &Properties<'_>,
    credentials: &mut Vec<(HeaderName, HeaderValue)>,
) -> Result<Option<Duration>, Unusable> {
    let tokens = answer.get("authTokens").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut lifetime: Option<Duration> = None;
    for token in tokens.iter().take(MAX_HEADERS) {
        let token = token.as_object().ok_or(Unusable::Malformed)?;
        if let Some(error) = json::text(token, "error").filter(|error| !error.is_empty()) {
            return Err(Unusable::NoToken(bounded(error)));
        }
        credentials.push(prepared(token)?);
        lifetime = [lifetime, expiry(token)].into_iter().flatten().min();
    }
    if !credentials.is_empty() {
        return Ok(lifetime);
    }
    let basic = properties.text("Authentication") == Some("BasicAuthentication");
    let user = properties.text("User").zip(properties.text("Password"));
    let (user, password) = user.filter(|_| basic).ok_or(Unusable::NoToken("none came".into()))?;
    credentials.push(header("authorization", &properties::basic(user, password))?);
    Ok(None)
}

/// A token as it is sent: as the service has prepared it, or by its type and value.
fn prepared(token: &Map<String, Value>) -> Result<(HeaderName, HeaderValue), Unusable> {
    if let Some(Value::Object(prepared)) = token.get("http_header") {
        let named = json::text(prepared, "key").zip(json::text(prepared, "value"));
        let (name, value) = named.ok_or(Unusable::Malformed)?;
        return header(name, value);
    }
    let kind = json::text(token, "type").filter(|kind| !kind.is_empty());
    let (kind, text) = kind.zip(json::text(token, "value")).ok_or(Unusable::Malformed)?;
    Ok((AUTHORIZATION, value(&format!("{kind} {text}"))?))
}

/// `expires_in`, a number or one as text.
fn expiry(token: &Map<String, Value>) -> Option<Duration> {
    let said = token.get("expires_in")?;
    said.as_u64().or_else(|| said.as_str()?.parse().ok()).map(Duration::from_secs)
}

#[expect(clippy::disallowed_methods, reason = "made when the service has answered, not when a request waits")]
fn header(name: &str, text: &str) -> Result<(HeaderName, HeaderValue), Unusable> {
    Ok((HeaderName::from_bytes(name.as_bytes()).map_err(|_| Unusable::Headers)?, value(text)?))
}

/// Marked as sensitive: any of them may be a credential.
fn value(text: &str) -> Result<HeaderValue, Unusable> {
    let value = HeaderValue::from_str(text).ok().filter(|value| value.len() <= MAX_HEADER);
    let mut value = value.ok_or(Unusable::Headers)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The beginning of what the service said, fit for a line of the log.
fn bounded(error: &str) -> Box<str> {
    error.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(MAX_ERROR).collect::<String>().into()
}

#[cfg(test)]
mod tests;
