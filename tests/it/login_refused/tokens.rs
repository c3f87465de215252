//! ID tokens that came from the right place and are wrong all the same.
//!
//! Each is signed with a key of the provider's own key set unless the row is about that, so that only what
//! the row names is wrong.

use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::super::harness::Reply;
use super::super::harness::issuer::base64url;
use super::super::harness::meddler::claims_of;
use super::super::harness::navigator::Browser;
use super::bench::{Bench, Row, row};

/// Comes back, and gets an ID token whose claims are changed.
fn claiming(bench: &Bench, browser: &mut Browser, change: fn(&mut Value)) -> Reply {
    let callback = bench.callback(browser);
    bench.acme.claim(change);
    browser.visit(&callback)
}

/// Comes back, and gets an ID token that is changed as text.
fn rewritten(bench: &Bench, browser: &mut Browser, change: fn(&str) -> String) -> Reply {
    let callback = bench.callback(browser);
    bench.acme.answer_with(move |answer| {
        let token = change(answer["id_token"].as_str().unwrap());
        answer["id_token"] = token.into();
    });
    browser.visit(&callback)
}

/// The token with another header, and with `signature`.
fn headed(token: &str, header: &Value, signature: Option<&str>) -> String {
    let [_, payload, own] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    format!("{}.{payload}.{}", base64url(header.to_string().as_bytes()), signature.unwrap_or(own))
}

/// What the token endpoint answers to the login of another browser.
fn answer_of_another(bench: &Bench) -> Value {
    let (keep, mut browser) = (Arc::new(Mutex::new(Value::Null)), Browser::default());
    let (callback, kept) = (bench.callback(&mut browser), Arc::clone(&keep));
    bench.acme.answer_with(move |answer| kept.lock().unwrap().clone_from(answer));
    assert_eq!(browser.visit(&callback).status / 100, 3);
    bench.acme.behave();
    keep.lock().unwrap().take()
}

fn in_seconds(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    i64::try_from(now).unwrap() + seconds
}

const SIGNATURES: &[Row] = &[
    row(
        "alg none, without a signature",
        |bench, browser| rewritten(bench, browser, |token| headed(token, &json!({"alg": "none"}), Some(""))),
        502,
        "login_token_invalid",
    ),
    row(
        "alg none, with the signature kept",
        |bench, browser| rewritten(bench, browser, |token| headed(token, &json!({"alg": "none"}), None)),
        502,
        "login_token_invalid",
    ),
    row(
        "signed with the client's secret (HS256)",
        |bench, browser| {
            rewritten(bench, browser, |token| {
                let key = jsonwebtoken::EncodingKey::from_secret(
                    super::super::harness::oidc_provider::secret("acme").as_bytes(),
                );
                let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
                jsonwebtoken::encode(&header, &claims_of(token), &key).unwrap()
            })
        },
        502,
        "login_token_invalid",
    ),
    row(
        "signed by a key that is not the provider's, under a name that is",
        |bench, browser| {
            rewritten(bench, browser, |token| {
                let pair = rcgen::KeyPair::generate().unwrap();
                let key = jsonwebtoken::EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).unwrap();
                let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::ES256);
                header.kid = Some("curve".to_owned());
                jsonwebtoken::encode(&header, &claims_of(token), &key).unwrap()
            })
        },
        502,
        "login_token_invalid",
    ),
    row(
        "a key that the provider does not have",
        |bench, browser| {
            rewritten(bench, browser, |token| headed(token, &json!({"alg": "RS256", "kid": "x"}), None))
        },
        502,
        "login_token_invalid",
    ),
    row(
        "claims changed under the old signature",
        |bench, browser| {
            rewritten(bench, browser, |token| {
                let [header, _, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
                let mut claims = claims_of(token);
                claims["sub"] = "root".into();
                format!("{header}.{}.{signature}", base64url(claims.to_string().as_bytes()))
            })
        },
        502,
        "login_token_invalid",
    ),
    row(
        "not a token at all",
        |bench, browser| rewritten(bench, browser, |_| "opaque".to_owned()),
        502,
        "login_token_invalid",
    ),
];

const CLAIMS: &[Row] = &[
    row(
        "for another client",
        |bench, browser| claiming(bench, browser, |claims| claims["aud"] = "initech".into()),
        502,
        "login_token_invalid",
    ),
    row(
        "for us and another, given to the other",
        |bench, browser| {
            claiming(bench, browser, |claims| {
                claims["aud"] = json!(["acme", "initech"]);
                claims["azp"] = "initech".into();
            })
        },
        502,
        "login_token_invalid",
    ),
    row(
        "for nobody",
        |bench, browser| {
            claiming(bench, browser, |claims| {
                claims["aud"] = json!([]);
            })
        },
        502,
        "login_token_invalid",
    ),
    row(
        "of another issuer",
        |bench, browser| claiming(bench, browser, |claims| claims["iss"] = "https://idp.acme.test".into()),
        502,
        "login_token_invalid",
    ),
    row(
        "long expired",
        |bench, browser| {
            claiming(bench, browser, |claims| {
                claims["iat"] = in_seconds(-7200).into();
                claims["exp"] = in_seconds(-3600).into();
            })
        },
        502,
        "login_token_invalid",
    ),
    row(
        "not yet valid",
        |bench, browser| claiming(bench, browser, |claims| claims["nbf"] = in_seconds(3600).into()),
        502,
        "login_token_invalid",
    ),
    row(
        "without an end",
        |bench, browser| {
            claiming(bench, browser, |claims| {
                // `null` and absent are alike to those who only look for a number.
                claims["exp"] = Value::Null;
            })
        },
        502,
        "login_token_invalid",
    ),
    row(
        "of nobody",
        |bench, browser| claiming(bench, browser, |claims| claims["sub"] = "".into()),
        502,
        "login_token_invalid",
    ),
    row(
        "with a nonce of nobody's",
        |bench, browser| claiming(bench, browser, |claims| claims["nonce"] = "guessed".into()),
        400,
        "nonce_mismatch",
    ),
    row(
        "with an empty nonce",
        |bench, browser| claiming(bench, browser, |claims| claims["nonce"] = "".into()),
        400,
        "nonce_mismatch",
    ),
    row(
        "without a nonce",
        |bench, browser| claiming(bench, browser, |claims| claims["nonce"] = Value::Null),
        400,
        "nonce_mismatch",
    ),
    row(
        "of another login, exactly as the provider signed it: the access token is not its own",
        |bench, browser| {
            let other = answer_of_another(bench);
            let callback = bench.callback(browser);
            bench.acme.answer_with(move |answer| answer["id_token"] = other["id_token"].clone());
            browser.visit(&callback)
        },
        502,
        "login_token_invalid",
    ),
    row(
        "another login's whole answer",
        |bench, browser| {
            let other = answer_of_another(bench);
            let callback = bench.callback(browser);
            bench.acme.answer_with(move |answer| *answer = other.clone());
            browser.visit(&callback)
        },
        400,
        "nonce_mismatch",
    ),
];

#[test]
fn a_signature_is_the_providers() {
    super::run(&Bench::start(), SIGNATURES);
}

#[test]
fn claims_are_this_logins() {
    super::run(&Bench::start(), CLAIMS);
}
