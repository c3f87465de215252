//! Asks the token endpoint: a grant goes in, tokens come out.
//!
//! The protocol is the `oauth2` crate's; here are the client's proof, which host is asked, and what an
//! answer means. Which grant fits is not known here, nor whether the tokens are any good. An answer is
//! never logged or kept in an error: it may hold tokens.

use std::borrow::Cow;
use std::pin::Pin;
use std::time::Duration;

use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AccessToken, AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EndpointNotSet, EndpointSet, ExtraTokenFields, HttpRequest, HttpResponse, PkceCodeVerifier, RedirectUrl,
    RefreshToken, RequestTokenError, ResourceOwnerPassword, ResourceOwnerUsername, Scope,
    StandardRevocableToken, StandardTokenResponse, TokenResponse as _, TokenUrl,
};

use super::super::client::{Client, ClientAuthentication, Endpoints};
use super::super::fetch::{FetchError, Fetcher};
use super::super::store::Chain;
use super::super::token::MAX_TOKEN_LENGTH;
use super::LoginError;
use super::assertion::{self, client_assertion};
use crate::secret::Secret;

/// After how long an issuer that failed is asked again.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// The longest error of an issuer that is logged, in bytes.
const MAX_ERROR: usize = 64;

/// What is offered for tokens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Grant<'a> {
    Code { code: &'a str, verifier: &'a Secret, redirect_uri: &'a str },
    Refresh(&'a Secret),
    Password { user: &'a str, password: &'a Secret },
}

/// What the token endpoint gave; nothing of it is verified.
#[derive(Debug)]
pub(super) struct Tokens {
    pub(super) access: Secret,
    pub(super) identity: Option<Secret>,
    pub(super) refresh: Option<Secret>,
    /// For how many seconds the access token is good.
    pub(super) expires_in: Option<u64>,
    /// `scope` of the answer; where it is absent, what was asked for was granted.
    pub(super) scopes: Option<Vec<Box<str>>>,
}

/// What OpenID Connect adds to the answer (Core 1.0 §3.1.3.3).
#[derive(Clone, Debug, serde::Deserialize, serde::Serialize)]
pub(super) struct OpenId {
    // Not a token for access, but one that must not be printed either.
    id_token: Option<AccessToken>,
}

impl ExtraTokenFields for OpenId {}

type Answer = StandardTokenResponse<OpenId, BasicTokenType>;

/// The protocol's client, with both endpoints.
pub(super) type Protocol = oauth2::Client<
    BasicErrorResponse,
    Answer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// `client` at `endpoints`, as the protocol has it.
pub(super) fn protocol(client: &Client, endpoints: &Endpoints) -> Result<Protocol, LoginError> {
    let malformed = |_| LoginError::MalformedAnswer("an endpoint is no URL");
    let authorization = AuthUrl::new(endpoints.authorization.to_string()).map_err(malformed)?;
    let by_certificate = match &client.authentication {
        ClientAuthentication::Certificate(_) => endpoints.token_by_certificate.as_ref(),
        ClientAuthentication::None
        | ClientAuthentication::Secret(_)
        | ClientAuthentication::PrivateKey(_) => None,
    };
    let token = by_certificate.unwrap_or(&endpoints.token).to_string();
    let protocol = oauth2::Client::new(ClientId::new(client.realm.client().to_string()))
        .set_auth_uri(authorization)
        .set_token_uri(TokenUrl::new(token).map_err(malformed)?);
    let secret_in_form = endpoints.secret_in_form;
    Ok(match &client.authentication {
        ClientAuthentication::Secret(secret) => protocol
            .set_client_secret(ClientSecret::new(secret.expose().to_owned()))
            .set_auth_type(if secret_in_form { AuthType::RequestBody } else { AuthType::BasicAuth }),
        ClientAuthentication::None
        | ClientAuthentication::PrivateKey(_)
        | ClientAuthentication::Certificate(_) => protocol,
    })
}

/// Offers `grant` and gives what comes of it; `now` is in seconds since the epoch.
pub(super) async fn tokens(
    fetcher: &Fetcher,
    client: &Client,
    endpoints: &Endpoints,
    grant: Grant<'_>,
    now: u64,
) -> Result<Tokens, LoginError> {
    let protocol = protocol(client, endpoints)?;
    let ask = Asks(shown(fetcher, client)?.into_owned());
    let proof = proof(client, now)?.into_iter();
    let answer = match grant {
        Grant::Code { code, verifier, redirect_uri } => {
            let redirect = RedirectUrl::new(redirect_uri.to_owned())
                .map_err(|_| LoginError::MalformedAnswer("the redirect URI is no URL"))?;
            let request = protocol
                .exchange_code(AuthorizationCode::new(code.to_owned()))
                .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()))
                .set_redirect_uri(Cow::Owned(redirect));
            let request = proof.fold(request, |request, (name, value)| request.add_extra_param(name, value));
            request.request_async(&ask).await
        }
        Grant::Refresh(token) => {
            let token = RefreshToken::new(token.expose().to_owned());
            let request = protocol.exchange_refresh_token(&token);
            let request = proof.fold(request, |request, (name, value)| request.add_extra_param(name, value));
            request.request_async(&ask).await
        }
        Grant::Password { user, password } => {
            let user = ResourceOwnerUsername::new(user.to_owned());
            let password = ResourceOwnerPassword::new(password.expose().to_owned());
            let request = protocol.exchange_password(&user, &password).add_scopes(scopes(client));
            let request = proof.fold(request, |request, (name, value)| request.add_extra_param(name, value));
            request.request_async(&ask).await
        }
    };
    answer.map_err(|error| refused(client.realm.issuer(), grant, error)).and_then(|answer| accepted(&answer))
}

/// Carries the protocol's requests. Not a closure, whose futures are not known to be `Send` for every
/// lifetime.
struct Asks(Fetcher);

impl<'c> AsyncHttpClient<'c> for Asks {
    type Error = FetchError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, FetchError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.0.ask(request))
    }
}

/// `fetcher`, showing the client's certificate where it has one.
fn shown<'f>(fetcher: &'f Fetcher, client: &Client) -> Result<Cow<'f, Fetcher>, LoginError> {
    match &client.authentication {
        ClientAuthentication::Certificate(certificate) => {
            let showing = fetcher.with_certificate(certificate);
            showing.map(Cow::Owned).map_err(|error| unreachable(client.realm.issuer(), &error))
        }
        ClientAuthentication::None
        | ClientAuthentication::Secret(_)
        | ClientAuthentication::PrivateKey(_) => Ok(Cow::Borrowed(fetcher)),
    }
}

/// What a login asks for.
pub(super) fn scopes(client: &Client) -> impl Iterator<Item = Scope> {
    client.scopes.split(' ').filter(|scope| !scope.is_empty()).map(|scope| Scope::new(scope.to_owned()))
}

/// What the form says beyond the protocol, for clients that prove themselves by a key.
fn proof(client: &Client, now: u64) -> Result<Vec<(&'static str, String)>, LoginError> {
    let ClientAuthentication::PrivateKey(key) = &client.authentication else { return Ok(Vec::new()) };
    let id = CsrfToken::new_random().into_secret();
    let signed = client_assertion(key, client.realm.client(), client.realm.issuer(), &id, now)
        .ok_or(LoginError::NoRandomness)?;
    Ok(vec![("client_assertion_type", assertion::TYPE.to_owned()), ("client_assertion", signed)])
}

fn accepted(answer: &Answer) -> Result<Tokens, LoginError> {
    if *answer.token_type() != BasicTokenType::Bearer {
        return Err(LoginError::MalformedAnswer("token_type is not Bearer"));
    }
    let bounded = |token: &str| {
        if (1..=MAX_TOKEN_LENGTH).contains(&token.len()) {
            return Ok(Secret::new(token));
        }
        Err(LoginError::MalformedAnswer("a token is empty or longer than 16 KiB"))
    };
    let identity = answer.extra_fields().id_token.as_ref();
    Ok(Tokens {
        access: bounded(answer.access_token().secret())?,
        identity: identity.map(|token| bounded(token.secret())).transpose()?,
        refresh: answer.refresh_token().map(|token| bounded(token.secret())).transpose()?,
        expires_in: answer.expires_in().as_ref().map(Duration::as_secs),
        scopes: answer.scopes().map(|scopes| scopes.iter().map(|scope| scope.as_str().into()).collect()),
    })
}

/// What it means that `issuer` gave no tokens for `grant`.
fn refused(
    issuer: &str,
    grant: Grant<'_>,
    error: RequestTokenError<FetchError, BasicErrorResponse>,
) -> LoginError {
    match error {
        RequestTokenError::ServerResponse(answer) => match (grant, answer.error().as_ref()) {
            // XSUAA says of a wrong password what others say of a wrong client.
            (_, "invalid_grant") | (Grant::Password { .. }, "unauthorized") => LoginError::GrantRefused,
            (Grant::Code { .. } | Grant::Refresh(_) | Grant::Password { .. }, code) => {
                LoginError::ClientRefused(bounded(code))
            }
        },
        RequestTokenError::Request(error) => unreachable(issuer, &error),
        RequestTokenError::Parse(..) => LoginError::MalformedAnswer("it is not the JSON of a token response"),
        RequestTokenError::Other(_) => LoginError::MalformedAnswer("it is no token response"),
    }
}

fn unreachable(issuer: &str, error: &FetchError) -> LoginError {
    tracing::warn!(issuer, reason = %Chain(error), "no answer of the token endpoint");
    LoginError::IssuerUnreachable { retry_after: RETRY_AFTER }
}

/// The beginning of an issuer's error code, fit for a line of the log.
pub(super) fn bounded(error: &str) -> Box<str> {
    error.chars().filter(char::is_ascii_graphic).take(MAX_ERROR).collect::<String>().into()
}
