//! Tests of `auth`: tables, each row with what it shows.

use http::{HeaderValue, Request};
use tokio::runtime::Runtime;

use super::*;
use crate::request::{Peer, Scheme, Trust, canonicalize};

fn request(method: &str) -> CanonicalRequest {
    let parts = Request::builder().method(method).uri("/x").header("host", "acme.test").body(()).unwrap();
    let peer = Peer::new("127.0.0.1".parse().unwrap(), Scheme::Http);
    canonicalize(&parts.into_parts().0, &peer, &Trust::new(Vec::new(), false)).unwrap()
}

fn presented(headers: &[(&'static str, &'static str)]) -> Presented {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_static(value));
    }
    identify(&map)
}

fn verifier(runtime: &Runtime) -> Verifier {
    let settings = KeyStoreSettings {
        runtime: runtime.handle().clone(),
        extra_roots: Vec::new(),
        resolver: None,
        clock: Clock::System,
    };
    Verifier::new(Arc::new(KeyStore::new(settings).unwrap()))
}

/// What a caller without a valid token gets on a route, as the refusal's name.
#[test]
fn each_type_of_route_fails_closed() {
    use AuthenticationType::{Basic, Ias, Jwt, None as Open, Oidc, TenantBasic, TenantToken, Xsuaa};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let verifier = verifier(&runtime);
    let tenant = Tenant::provider(Arc::default());
    let scope = || Scope::compile(&ScopeSpec::AnyOf(vec!["read".into()]), None).ok();
    let bearer: &[_] = &[("authorization", "Bearer x")];
    let router: &[_] = &[("x-approuter-authorization", "Bearer x")];
    let twice: &[_] = &[("authorization", "Bearer x"), ("authorization", "Bearer x")];
    let rows = [
        (Open, None, &[][..], "admitted", "everyone"),
        (Open, None, bearer, "admitted", "Authorization is the backend's on an open route"),
        (Open, None, twice, "admitted", "however it looks"),
        (Open, None, router, "NoIssuer", "the router's header is judged on every route"),
        (Open, scope(), &[], "MissingScope", "nobody has scopes"),
        (Xsuaa, None, &[], "Unauthenticated", "nothing presented"),
        (Ias, None, &[], "Unauthenticated", "nothing presented"),
        (Oidc, None, &[], "Unauthenticated", "nothing presented"),
        (Jwt, None, &[], "Unauthenticated", "nothing presented"),
        (Jwt, None, bearer, "NoIssuer", "a token, and nobody to have issued it"),
        (Jwt, scope(), &[], "Unauthenticated", "who comes before what"),
        (Jwt, None, twice, "MalformedCredentials", "two headers"),
        (Jwt, None, &[("authorization", "Basic dTpw")], "Unauthenticated", "another scheme"),
        (Basic, None, &[], "PasswordNeeded", "nothing presented"),
        (Basic, None, &[("authorization", "Basic dTpw")], "NoIssuer", "nobody to ask"),
        (
            Basic,
            None,
            &[("authorization", "Basic dT")],
            "PasswordNeeded",
            "not base64: it is asked for again",
        ),
        (Basic, None, &[("authorization", "Basic dXA=")], "PasswordNeeded", "no colon"),
        (Basic, None, bearer, "PasswordNeeded", "another scheme"),
        (Basic, None, router, "NoIssuer", "the router's header is judged on every route"),
        (TenantBasic, None, &[("authorization", "Basic dTpw")], "NotSupported", "not yet"),
        (TenantToken, None, bearer, "NotSupported", "not yet"),
    ];
    for (kind, scope, headers, expected, shows) in rows {
        let requirement = Requirement { kind, scope, csrf: true };
        let (presented, request) = (presented(headers), request("GET"));
        let asking = Asking {
            tenant: &tenant,
            issuer: None,
            request: &request,
            headers: &HeaderMap::new(),
            presented: &presented,
            passwords: None,
            service_csrf: false,
            session: None,
            invited: Invited::No,
        };
        let answer = runtime.block_on(admit(&verifier, &requirement, &asking));
        let name = answer.map_or_else(|refused| format!("{refused:?}"), |_| "admitted".into());
        assert!(name.starts_with(expected), "{kind:?} {headers:?}: {shows}: {name}");
    }
}

#[test]
fn refusals_say_what_rfc_6750_says() {
    let rows = [
        (Refused::Unauthenticated, Some("Bearer"), "no error where nothing was presented"),
        (Refused::InvalidToken(TokenError::Expired), Some("error=\"invalid_token\""), "a bad token"),
        (Refused::MalformedCredentials, Some("error=\"invalid_request\""), "no token to judge"),
        (
            Refused::KeysUnavailable { retry_after: std::time::Duration::from_secs(3) },
            None,
            "not the caller's fault",
        ),
        (Refused::NotSupported(AuthenticationType::Basic), None, "not the caller's fault"),
    ];
    for (refused, expected, shows) in rows {
        let challenge = refused.challenge();
        let text = challenge.as_ref().map(|challenge| challenge.to_str().unwrap());
        assert!(
            text == expected || text.zip(expected).is_some_and(|(text, part)| text.contains(part)),
            "{shows}: {text:?}"
        );
    }
}
