//! Tests of `auth::login`: tables, each row with what it shows.

mod after;
mod fake;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use self::fake::{BACK, Bench, CLIENT, Fake, NOW, name, token, with};
use super::*;
use crate::auth::client::{ClientAuthentication, SigningKey};
use crate::auth::{IssuerKind, IssuerSpec};

fn pairs(location: &HeaderValue) -> Vec<(String, String)> {
    let url = oauth2::url::Url::parse(location.to_str().unwrap()).unwrap();
    url.query_pairs().into_owned().collect()
}

fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    pairs.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str()).collect()
}

#[test]
fn a_login_begins_with_everything_that_protects_it() {
    let (fake, bench) = (Fake::start(), Bench::new());
    let rows = [
        (IssuerKind::Oidc, "/authorize", "openid email", "OpenID Connect"),
        (IssuerKind::Ias, "/authorize", "openid email", "an IAS"),
        (fake.xsuaa(), "/oauth/authorize", "email", "XSUAA, which is not discovered"),
    ];
    for (kind, path, scope, shows) in rows {
        let issuer = bench.issuer(&fake.spec(kind));
        let ask = Ask {
            redirect_uri: BACK.into(),
            return_to: ReturnPath::root("/"),
            identity_provider: Some("corp&x".into()),
        };
        let Start { location, flow } = bench.runtime.block_on(bench.logins.start(&issuer, ask)).unwrap();
        assert!(
            location.to_str().unwrap().starts_with(&format!("{}{path}?", fake.url)),
            "{shows}: {location:?}"
        );
        let pairs = pairs(&location);
        let verifier = PkceCodeVerifier::new(flow.verifier.expose().to_owned());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        let expected = [
            ("response_type", "code"),
            ("client_id", CLIENT),
            ("redirect_uri", BACK),
            ("scope", scope),
            ("state", &*flow.state),
            ("nonce", &*flow.nonce),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
            ("idp", "corp&x"),
        ];
        for (name, expected) in expected {
            assert_eq!(value(&pairs, name), [expected], "{shows}: {name}");
        }
    }
}

#[test]
fn a_callback_is_the_answer_to_this_very_login() {
    let (fake, bench) = (Fake::start(), Bench::new());
    let issuer = bench.issuer(&fake.spec(IssuerKind::Oidc));
    let endpoints = |names_issuer| Endpoints {
        authorization: "https://i.test/a".into(),
        token: "https://i.test/t".into(),
        token_by_certificate: None,
        end_session: None,
        names_issuer,
        secret_in_form: false,
    };
    let good = bench.callback();
    let by = |issuer: &str| Callback { issuer: Some(issuer.into()), ..good.clone() };
    let failed = |error: &str| Callback { error: Some(error.into()), code: None, ..good.clone() };
    let rows = [
        (good.clone(), false, "c0de", "an issuer that does not say who it is"),
        (good.clone(), true, "IssuerMismatch", "one that always does, and did not"),
        (by(&fake.url), true, "c0de", "the issuer"),
        (by(&fake.url), false, "c0de", "the issuer, unasked"),
        (by(&format!("{}/", fake.url)), false, "IssuerMismatch", "a slash makes another one"),
        (by("https://evil.test"), true, "IssuerMismatch", "another one"),
        (Callback { state: None, ..good.clone() }, false, "WrongState", "no state"),
        (Callback { state: Some(String::new()), ..good.clone() }, false, "WrongState", "an empty one"),
        (Callback { state: Some("x".into()), ..good.clone() }, false, "WrongState", "another login's"),
        (Callback { code: None, ..good.clone() }, false, "NoCode", "nothing"),
        (Callback { code: Some(String::new()), ..good.clone() }, false, "NoCode", "less than nothing"),
        (failed("access_denied"), false, "Denied", "the user said no"),
        (failed("login_required"), false, "Refused(\"login_required\")", "the issuer did"),
        (failed("a\r\nb\u{7f}ü"), false, "Refused(\"ab\")", "what it says breaks no log"),
        (
            Callback { error: Some("x".into()), ..by("https://evil.test") },
            false,
            "IssuerMismatch",
            "whoever it is",
        ),
        (
            Callback { error: Some("x".into()), ..good.clone() },
            false,
            "Refused(\"x\")",
            "an error beside a code",
        ),
    ];
    for (callback, names_issuer, expected, shows) in rows {
        let got = callback.code(&issuer, &endpoints(names_issuer), &bench.flow);
        assert_eq!(got.map_or_else(|reason| name(&reason), str::to_owned), expected, "{shows}");
    }
}

/// The answer of a token endpoint with an ID token that says `claims`.
fn answer(claims: &Value) -> Value {
    json!({"access_token": "opaque", "token_type": "Bearer", "expires_in": 300, "scope": "openid read",
           "refresh_token": "r1", "id_token": token("JWT", claims)})
}

#[test]
fn an_id_token_must_be_this_logins() {
    let (fake, bench) = (Fake::start(), Bench::new());
    let issuer = bench.issuer(&fake.spec(IssuerKind::Oidc));
    let half = URL_SAFE_NO_PAD.encode(&digest(&SHA256, b"opaque").as_ref()[..16]);
    let rows = [
        (json!({}), "", "good"),
        (json!({"azp": CLIENT, "aud": [CLIENT, "api"]}), "", "two audiences, issued to us"),
        (json!({"at_hash": half}), "", "bound to the access token"),
        (json!({"at_hash": "AAAA"}), "MalformedClaim(\"at_hash\")", "bound to another one"),
        (json!({"at_hash": 1}), "MalformedClaim(\"at_hash\")", "bound to nonsense"),
        (json!({"nonce": "x"}), "NonceMismatch", "another login's"),
        (json!({"nonce": null}), "NonceMismatch", "nobody's"),
        (json!({"nonce": ["x"]}), "NonceMismatch", "several logins'"),
        (json!({"aud": "api"}), "WrongAudience", "for the API, which bearer tokens may be"),
        (json!({"aud": [CLIENT, "api"]}), "WrongAuthorizedParty", "for two, and not said for whom"),
        (json!({"azp": "other"}), "WrongAuthorizedParty", "another client's"),
        (json!({"iss": "https://evil.test"}), "WrongIssuer", "another issuer's"),
        (json!({"exp": NOW - 61}), "Expired", "too late"),
        (json!({"exp": null}), "NoExpiry", "for ever"),
        (json!({"iat": NOW - 601, "exp": NOW + 9}), "Expired", "made long before this login"),
        (json!({"iat": null}), "MalformedClaim(\"iat\")", "made at no time"),
        (json!({"iat": NOW + 61}), "NotYetValid", "made tomorrow"),
        (json!({"events": {}}), "WrongType", "a security event"),
    ];
    for (change, expected, shows) in rows {
        fake.answers(200, answer(&with(bench.id_claims(&fake.url), &change)));
        let got = match bench.finish(&issuer) {
            Ok(_) => String::new(),
            Err(LoginError::InvalidToken(reason)) => name(&reason),
            Err(reason) => name(&reason),
        };
        assert_eq!(got, expected, "{shows}");
    }
}

#[test]
fn a_login_gives_a_session_of_its_realm() {
    let (fake, bench) = (Fake::start(), Bench::new());
    let issuer = bench.issuer(&fake.spec(IssuerKind::Oidc));
    fake.answers(200, answer(&bench.id_claims(&fake.url)));
    let session = bench.finish(&issuer).unwrap();
    assert_eq!(Some(&session.realm), issuer.realm());
    assert_eq!(session.realm.tenant().map(ToString::to_string).as_deref(), Some("acme"));
    assert_eq!(session.identity.subject.as_deref(), Some("u1"));
    assert_eq!(session.identity.bearer, "Bearer opaque", "backends get the access token");
    assert_eq!(session.identity.scopes.concat(), "openidread", "what was granted");
    assert_eq!(session.identity.expires, NOW + 300, "the access token's time");
    assert_eq!(session.issuer_session.as_deref(), Some("s1"));
    assert!(session.refresh_token.is_some_and(|token| token.expose() == "r1"));
    assert!(session.id_token.is_some(), "for the logout");
    let asked = fake.asked();
    let (path, _, form) = asked.last().unwrap();
    assert_eq!(path, "/token");
    let form: Vec<_> = oauth2::url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    let expected = [
        ("grant_type", "authorization_code"),
        ("code", "c0de"),
        ("redirect_uri", BACK),
        ("code_verifier", bench.flow.verifier.expose()),
        ("client_id", CLIENT),
    ];
    for (name, expected) in expected {
        assert_eq!(value(&form, name), [expected], "{name}");
    }
}

#[test]
fn an_ias_passes_its_id_token_on_and_xsuaa_its_access_token() {
    let (fake, bench) = (Fake::start(), Bench::new());
    let id = token("JWT", &bench.id_claims(&fake.url));
    let access = token(
        "JWT",
        &json!({"iss": format!("{}/oauth/token", fake.url), "cid": CLIENT, "sub": "u1",
        "user_name": "ann", "zid": "id-acme", "scope": ["app!t1.Read"], "exp": NOW + 200, "iat": NOW}),
    );
    let ias = bench.issuer(&fake.spec(IssuerKind::Ias));
    fake.answers(200, json!({"access_token": "x", "token_type": "bearer", "expires_in": 9, "id_token": id}));
    let session = bench.finish(&ias).unwrap();
    assert_eq!(session.identity.bearer, format!("Bearer {id}"));
    assert_eq!(session.identity.expires, NOW + 600, "the ID token's own time");
    let xsuaa = bench.issuer(&fake.spec(fake.xsuaa()));
    fake.answers(200, json!({"access_token": access, "token_type": "bearer", "expires_in": 999}));
    let session = bench.finish(&xsuaa).unwrap();
    assert_eq!(session.identity.bearer, format!("Bearer {access}"));
    assert_eq!(session.identity.expires, NOW + 200, "whichever is first");
    assert!(session.identity.has_scope("app!t1.Read"));
    let foreign = with(bench.id_claims(&fake.url), &json!({"app_tid": "id-globex"}));
    fake.answers(200, answer(&foreign));
    let refused = bench.finish(&ias).map(drop).map_err(|reason| name(&reason));
    assert_eq!(refused, Err("InvalidToken(WrongTenant)".into()), "another tenant's user");
}

#[test]
fn what_the_token_endpoint_answers_is_told_apart() {
    let (fake, bench) = (Fake::start(), Bench::new());
    let issuer = bench.issuer(&fake.spec(IssuerKind::Oidc));
    let good = answer(&bench.id_claims(&fake.url));
    let rows = [
        (400, json!({"error": "invalid_grant"}), "GrantRefused", "a used code"),
        (401, json!({"error": "invalid_client"}), "ClientRefused(\"invalid_client\")", "our secret is wrong"),
        (400, json!({"error": "a\nb"}), "ClientRefused(\"ab\")", "what it says breaks no log"),
        (400, json!("no"), "MalformedAnswer(\"it", "an error that is none"),
        (500, json!({"error": "invalid_grant"}), "IssuerUnreachable", "broken"),
        (503, json!({}), "IssuerUnreachable", "overloaded"),
        (429, json!({"error": "invalid_grant"}), "IssuerUnreachable", "overloaded by us"),
        (302, good.clone(), "IssuerUnreachable", "a redirect is not followed"),
        (200, json!({}), "MalformedAnswer(\"it", "nothing"),
        (200, with(good.clone(), &json!({"token_type": "mac"})), "MalformedAnswer(\"token_type", "unusable"),
        (200, with(good.clone(), &json!({"id_token": null})), "MalformedAnswer(\"there", "no ID token"),
        (200, with(good.clone(), &json!({"access_token": ""})), "MalformedAnswer(\"a", "an empty token"),
        (
            200,
            with(good.clone(), &json!({"access_token": "x".repeat(16 * 1024 + 1)})),
            "MalformedAnswer(\"a",
            "a token that no backend would take",
        ),
        (
            200,
            with(good, &json!({"access_token": "a\nb"})),
            "InvalidToken(NotBase64)",
            "a token that breaks headers",
        ),
    ];
    for (status, body, expected, shows) in rows {
        fake.answers(status, body);
        assert_eq!(name(&bench.finish(&issuer).map(drop).unwrap_err()), expected, "{shows}");
    }
}

#[test]
fn clients_prove_who_they_are_as_they_can() {
    let (fake, bench) = (Fake::start(), Bench::new());
    let pem = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let key = ClientAuthentication::PrivateKey(Arc::new(SigningKey::from_pem(&Secret::new(pem)).unwrap()));
    let secret = || ClientAuthentication::Secret(Secret::new("s/cret"));
    let (id, form) = ("client_id=sb-app%21t1", "client_secret=s%2Fcret");
    let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode("sb-app%21t1:s%2Fcret"));
    let post = json!(["client_secret_post"]);
    let rows = [
        (IssuerKind::Oidc, ClientAuthentication::None, Value::Null, "", vec![id], "a public client"),
        (IssuerKind::Oidc, secret(), Value::Null, &*basic, vec![], "the header, if nothing is said"),
        (IssuerKind::Oidc, secret(), post.clone(), "", vec![id, form], "the form, if nothing else is taken"),
        (
            IssuerKind::Oidc,
            secret(),
            json!(["client_secret_post", "client_secret_basic"]),
            &*basic,
            vec![],
            "both",
        ),
        (IssuerKind::Ias, secret(), Value::Null, "", vec![id, form], "an IAS"),
        (fake.xsuaa(), secret(), Value::Null, "", vec![id, form], "XSUAA"),
        (
            IssuerKind::Oidc,
            key,
            post,
            "",
            vec![
                id,
                "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer",
            ],
            "a key",
        ),
    ];
    for (kind, authentication, methods, header, members, shows) in rows {
        // Endpoints are remembered, so each row has an issuer of its own.
        let (fake, bench) = (Fake::start(), Bench::new());
        fake.says("token_endpoint_auth_methods_supported", methods);
        fake.answers(400, json!({"error": "invalid_grant"}));
        let issuer = bench.issuer(&IssuerSpec { authentication, ..fake.spec(kind) });
        assert!(bench.finish(&issuer).is_err());
        let asked = fake.asked();
        let (_, sent, body) = asked.last().unwrap();
        assert_eq!(sent, header, "{shows}");
        assert_eq!(body.contains("client_id="), !members.is_empty(), "{shows}: {body}");
        assert!(members.iter().all(|member| body.split('&').any(|sent| sent == *member)), "{shows}: {body}");
        assert_eq!(body.contains("s%2Fcret"), members.contains(&form), "{shows}: {body}");
    }
    drop(bench);
}

#[test]
fn an_issuer_that_is_down_is_asked_once_by_all_who_wait() {
    let (fake, bench) = (Fake::start(), Bench::new());
    fake.says("issuer", json!("https://other.test"));
    let issuer = bench.issuer(&fake.spec(IssuerKind::Oidc));
    let reasons = bench.runtime.block_on(async {
        let ask =
            || Ask { redirect_uri: BACK.into(), return_to: ReturnPath::root("/"), identity_provider: None };
        let starts = (0..20).map(|_| {
            let (logins, issuer, ask) = (bench.logins.clone(), issuer.clone(), ask());
            tokio::spawn(async move { logins.start(&issuer, ask).await })
        });
        let mut reasons = Vec::new();
        for start in starts.collect::<Vec<_>>() {
            reasons.push(name(&start.await.unwrap().map(drop).unwrap_err()));
        }
        reasons
    });
    assert!(reasons.iter().all(|reason| reason == "IssuerUnreachable"), "{reasons:?}");
    assert_eq!(fake.asked().len(), 1, "one discovery for all");
}
