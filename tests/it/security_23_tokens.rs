//! SECURITY class 23: tokens that must be refused, by which check, cheaply and without asking anybody.
//!
//! Every row starts from a token that is accepted and changes one thing, so that a refusal is due to
//! that thing. Rows that carry addresses point at a listener that must not be asked.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};
use vestibule::auth::{Algorithm, Issuer, IssuerKind, IssuerSpec, KeySource, TokenError, XsuaaBinding};
use vestibule::tenant::Tenant;

use crate::tokens::{
    Answer, Bench, FOREIGN, Loopback, NOW, RSA, TestKey, claims, compiled, encode, header, key_set, openid,
    reason, tenant, with,
};

const ISSUER: &str = "https://idp.test";

/// acme's OpenID Connect issuer with the RSA key inline.
fn acme() -> (Arc<Issuer>, Tenant) {
    let acme = tenant("acme", Some("5f0c"));
    let spec = openid(ISSUER, KeySource::Inline(key_set(&[RSA.jwk("k1")])));
    (compiled(&spec, &acme), acme)
}

/// Verifies a token with one change of header and one of claims.
async fn judged(header_change: Value, claims_change: Value) -> Option<TokenError> {
    let (issuer, acme) = acme();
    let token = RSA.token(&with(header(), &header_change), &with(claims(ISSUER), &claims_change));
    reason(Bench::new().verify(&issuer, &acme, &token).await)
}

#[tokio::test]
async fn headers() {
    let rows = [
        (json!({}), None, "the token every row starts from"),
        (json!({"typ": null}), None, "without typ"),
        (json!({"typ": "at+jwt"}), None, "an access token of RFC 9068"),
        (json!({"typ": "application/AT+JWT"}), None, "the same as a media type, in any case"),
        (json!({"typ": "logout+jwt"}), Some(TokenError::WrongType), "a logout token is not a login"),
        (json!({"typ": "dpop+jwt"}), Some(TokenError::WrongType), "a proof is not a token"),
        (json!({"typ": "secevent+jwt"}), Some(TokenError::WrongType), "an event is not a token"),
        (json!({"typ": 1}), Some(TokenError::WrongType), "typ is a text"),
        (json!({"crit": ["exp"]}), Some(TokenError::Critical), "an extension nobody understands"),
        (json!({"crit": []}), Some(TokenError::Critical), "an empty crit is invalid too"),
        (json!({"crit": ["b64"], "b64": false}), Some(TokenError::Critical), "unencoded payload, announced"),
        (json!({"b64": false}), Some(TokenError::UnencodedPayload), "unencoded payload, unannounced"),
        (json!({"b64": true}), Some(TokenError::UnencodedPayload), "b64 at all"),
        (json!({"kid": "../../../dev/null"}), Some(TokenError::UnknownKey), "kid is no path"),
        (json!({"kid": "k1' OR '1'='1"}), Some(TokenError::UnknownKey), "kid is no query"),
        (json!({"kid": "K1"}), Some(TokenError::UnknownKey), "kid has case"),
        (json!({"kid": ""}), Some(TokenError::UnknownKey), "an empty kid is a kid"),
        (json!({"kid": "k".repeat(513)}), Some(TokenError::MalformedKeyId), "a huge kid"),
        (json!({"kid": ["k1"]}), Some(TokenError::MalformedKeyId), "kid as a list"),
        (json!({"kid": 1}), Some(TokenError::MalformedKeyId), "kid as a number"),
        (json!({"kid": {"k1": 1}}), Some(TokenError::MalformedKeyId), "kid as an object"),
        (json!({"kid": null}), None, "no kid, and one key that fits"),
        (json!({"alg": "none"}), Some(TokenError::UnknownAlgorithm), "no signature"),
        (json!({"alg": "None"}), Some(TokenError::UnknownAlgorithm), "in another case"),
        (
            json!({"alg": "HS256"}),
            Some(TokenError::UnknownAlgorithm),
            "HMAC, with the public key as its secret",
        ),
        (json!({"alg": "rs256"}), Some(TokenError::UnknownAlgorithm), "names have case"),
        (json!({"alg": null}), Some(TokenError::UnknownAlgorithm), "no alg"),
        (json!({"alg": ["RS256"]}), Some(TokenError::UnknownAlgorithm), "alg as a list"),
        (json!({"alg": "RS512"}), Some(TokenError::AlgorithmNotAllowed(Algorithm::Rs512)), "not in the list"),
        (json!({"alg": "ES256"}), Some(TokenError::UnknownKey), "an algorithm of another kind of key"),
        (json!({"alg": "EdDSA"}), Some(TokenError::UnknownKey), "an algorithm of another kind of key"),
    ];
    for (change, expected, shows) in rows {
        assert_eq!(judged(change.clone(), json!({})).await, expected, "{shows}: {change}");
    }
}

#[tokio::test]
async fn claims_of_an_openid_issuer() {
    let malformed = |name| Some(TokenError::MalformedClaim(name));
    let rows = [
        (json!({"exp": NOW + 1}), None, "about to expire"),
        (json!({"exp": NOW - 59, "iat": null}), None, "expired within the leeway"),
        (json!({"exp": NOW - 60, "iat": null}), Some(TokenError::Expired), "expired"),
        (json!({"exp": 0, "iat": null}), Some(TokenError::Expired), "1970"),
        (json!({"exp": null}), Some(TokenError::NoExpiry), "never expires"),
        (json!({"exp": (NOW + 600).to_string()}), malformed("exp"), "a text"),
        (json!({"exp": -1}), malformed("exp"), "before time"),
        (json!({"exp": 1_795_000_600.5}), None, "a fraction is allowed"),
        (json!({"exp": 1e300}), malformed("exp"), "beyond the year 9999"),
        (json!({"exp": u64::MAX}), malformed("exp"), "overflow"),
        (json!({"exp": true}), malformed("exp"), "a truth"),
        (json!({"exp": [NOW + 600]}), malformed("exp"), "a list"),
        (json!({"nbf": NOW + 60}), None, "not yet valid, within the leeway"),
        (json!({"nbf": NOW + 61}), Some(TokenError::NotYetValid), "not yet valid"),
        (json!({"nbf": "soon"}), malformed("nbf"), "a text"),
        (json!({"nbf": -5}), malformed("nbf"), "negative"),
        (json!({"nbf": u64::MAX}), malformed("nbf"), "overflow"),
        (json!({"iat": NOW + 61}), Some(TokenError::NotYetValid), "issued in the future"),
        (
            json!({"iat": NOW + 50, "exp": NOW + 10}),
            Some(TokenError::IssuedAfterExpiry),
            "issued after it expires",
        ),
        (json!({"iat": {}}), malformed("iat"), "an object"),
        (json!({"iss": "https://evil.test"}), Some(TokenError::WrongIssuer), "another issuer"),
        (json!({"iss": "https://idp.test/"}), Some(TokenError::WrongIssuer), "nearly ours"),
        (json!({"iss": "https://idp.test.evil.test"}), Some(TokenError::WrongIssuer), "begins like ours"),
        (json!({"iss": "HTTPS://IDP.TEST"}), Some(TokenError::WrongIssuer), "compared byte by byte"),
        (json!({"iss": null}), Some(TokenError::WrongIssuer), "no issuer"),
        (json!({"iss": ["https://idp.test"]}), malformed("iss"), "a list"),
        (json!({"aud": "other"}), Some(TokenError::WrongAudience), "for another application"),
        (json!({"aud": null}), Some(TokenError::WrongAudience), "for nobody"),
        (json!({"aud": []}), Some(TokenError::WrongAudience), "for nobody, in a list"),
        (json!({"aud": "portal2"}), Some(TokenError::WrongAudience), "begins like ours"),
        (json!({"aud": "other portal"}), Some(TokenError::WrongAudience), "aud is not a list with blanks"),
        (json!({"aud": ["other", "portal"]}), None, "for us among others"),
        (json!({"aud": ["portal", 1]}), malformed("aud"), "a list with a number"),
        (json!({"aud": {"portal": true}}), malformed("aud"), "an object"),
        (json!({"azp": "portal"}), None, "issued to us"),
        (json!({"azp": "other"}), Some(TokenError::WrongAuthorizedParty), "issued to another client"),
        (json!({"azp": ["portal"]}), malformed("azp"), "a list"),
        (json!({"scope": 7}), malformed("scope"), "scope as a number"),
        (json!({"scope": ["read", {}]}), malformed("scope"), "scope with an object"),
        (json!({"sub": null, "scope": null}), None, "a machine's token"),
    ];
    for (change, expected, shows) in rows {
        assert_eq!(judged(json!({}), change.clone()).await, expected, "{shows}: {change}");
    }
}

#[tokio::test]
async fn forms() {
    let (issuer, acme) = acme();
    let good = RSA.token(&header(), &claims(ISSUER));
    let parts: Vec<&str> = good.split('.').collect();
    let [head, body, signature] = parts[..] else { panic!("three segments") };
    let text = |header: &str, claims: &str| RSA.token_of_text(header, claims);
    let plain = header().to_string();
    let json_form = json!({"payload": body, "protected": head, "signature": signature}).to_string();
    let other_claims = encode(with(claims(ISSUER), &json!({"sub": "admin"})).to_string().as_bytes());
    let rows = [
        (String::new(), TokenError::NotThreeSegments, "nothing"),
        ("abc".into(), TokenError::NotThreeSegments, "one segment"),
        (format!("{head}.{body}"), TokenError::NotThreeSegments, "two segments"),
        (format!("{good}.x"), TokenError::NotThreeSegments, "four segments"),
        (format!("{good}.x.y"), TokenError::NotThreeSegments, "five segments, as encrypted tokens have"),
        (".".repeat(10_000), TokenError::NotThreeSegments, "ten thousand segments"),
        ("..".into(), TokenError::MalformedHeader, "three empty segments"),
        ("a".repeat(1024 * 1024), TokenError::TooLong, "1 MiB"),
        (format!("{good}{}", "A".repeat(16 * 1024)), TokenError::TooLong, "a byte too long is too long"),
        (json_form, TokenError::NotThreeSegments, "JSON serialisation"),
        (format!("{head}=.{body}.{signature}"), TokenError::NotBase64, "padding"),
        (format!("{head}.{body}=.{signature}"), TokenError::NotBase64, "padding of the claims"),
        (format!("{head}.{}.{signature}", body.replace('A', "+")), TokenError::NotBase64, "the other base64"),
        (format!("{head}.{body}."), TokenError::WrongSignature, "no signature"),
        (format!("{head}.{body}.AAAA"), TokenError::WrongSignature, "a short signature"),
        (format!("{head}.{body}.{signature}="), TokenError::WrongSignature, "padding of the signature"),
        (format!("{head}.{other_claims}.{signature}"), TokenError::WrongSignature, "claims exchanged"),
        (
            format!("{}.{body}.{signature}", encode(br#"{"alg":"none"}"#)),
            TokenError::UnknownAlgorithm,
            "none",
        ),
        (format!("{}.{body}.", encode(br#"{"alg":"none"}"#)), TokenError::UnknownAlgorithm, "none, unsigned"),
        (text("[]", "{}"), TokenError::MalformedHeader, "a list for a header"),
        (text(&plain, "[]"), TokenError::MalformedClaims, "a list for claims"),
        (text(&plain, "\"x\""), TokenError::MalformedClaims, "a nested token"),
        (text(&plain, "{"), TokenError::MalformedClaims, "broken claims"),
        (text(&plain, &"[".repeat(9_000)), TokenError::MalformedClaims, "deep nesting"),
        (text(r#"{"alg":"RS256","alg":"none"}"#, "{}"), TokenError::DuplicateHeader, "alg twice"),
        (text(r#"{"alg":"RS256","kid":"x","kid":"k1"}"#, "{}"), TokenError::DuplicateHeader, "kid twice"),
        (
            text(r#"{"alg":"RS256","k\u0069d":"x","kid":"k1"}"#, "{}"),
            TokenError::DuplicateHeader,
            "kid twice, once hidden",
        ),
        (text(&plain, r#"{"iss":"a","iss":"https://idp.test"}"#), TokenError::DuplicateClaim, "iss twice"),
        (text(&plain, r#"{"a":{"b":1,"b":2}}"#), TokenError::DuplicateClaim, "twice inside"),
        (
            FOREIGN.token(&header(), &claims(ISSUER)),
            TokenError::WrongSignature,
            "another's key under our kid",
        ),
    ];
    let bench = Bench::new();
    for (token, expected, shows) in rows {
        let started = Instant::now();
        assert_eq!(reason(bench.verify(&issuer, &acme, &token).await), Some(expected), "{shows}");
        assert!(started.elapsed().as_millis() < 100, "{shows}: refused cheaply");
    }
    assert_eq!(reason(bench.verify(&issuer, &acme, &good).await), None, "the good one passes after all that");
}

#[tokio::test]
async fn every_bit_of_the_signature_counts() {
    let (issuer, acme) = acme();
    let good = RSA.token(&header(), &claims(ISSUER));
    let bench = Bench::new();
    let start = good.rfind('.').unwrap() + 1;
    for place in (start..good.len()).step_by(7) {
        let mut token = good.clone().into_bytes();
        token[place] = if token[place] == b'A' { b'B' } else { b'A' };
        let token = String::from_utf8(token).unwrap();
        assert_eq!(
            reason(bench.verify(&issuer, &acme, &token).await),
            Some(TokenError::WrongSignature),
            "{place}"
        );
    }
}

#[tokio::test]
async fn addresses_and_keys_in_a_token_are_not_looked_at() {
    let attacker = Loopback::start().await;
    attacker.answer("/keys", Answer::Json(key_set(&[FOREIGN.jwk("k1")])));
    let url = format!("{}/keys", attacker.url());
    let rows = [
        (json!({"jku": url}), "jku"),
        (json!({"x5u": url}), "x5u"),
        (json!({"jwk": FOREIGN.jwk("k1")}), "jwk"),
        (json!({"jku": url, "kid": "unknown"}), "jku with an unknown kid"),
        (json!({"kid": url}), "an address for a kid"),
        (json!({"iss": attacker.url()}), "iss in the header"),
    ];
    let (issuer, acme) = acme();
    let bench = Bench::new();
    for (change, shows) in rows {
        let token = FOREIGN.token(&with(header(), &change), &claims(ISSUER));
        assert!(reason(bench.verify(&issuer, &acme, &token).await).is_some(), "{shows}");
    }
    let foreign_issuer = FOREIGN.token(&header(), &claims(&attacker.url()));
    assert_eq!(reason(bench.verify(&issuer, &acme, &foreign_issuer).await), Some(TokenError::WrongIssuer));
    assert_eq!(attacker.asked_at_all(), 0, "nobody asked the attacker");
    // XSUAA and IAS put jku into every token, so its presence alone is no reason to refuse.
    let usual = RSA.token(&with(header(), &json!({"jku": url})), &claims(ISSUER));
    assert_eq!(reason(bench.verify(&issuer, &acme, &usual).await), None);
    assert_eq!(attacker.asked_at_all(), 0, "nor then");
}

#[tokio::test]
async fn every_algorithm_verifies_and_only_with_its_own_key() {
    let keys = [TestKey::p256(), TestKey::p384(), TestKey::ed()];
    let [p256, p384, ed] = &keys;
    let all = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];
    let acme = tenant("acme", None);
    let set = key_set(&[RSA.jwk("rsa"), p256.jwk("p256"), p384.jwk("p384"), ed.jwk("ed")]);
    let spec = IssuerSpec {
        algorithms: all.iter().filter_map(|name| Algorithm::parse(name)).collect(),
        ..openid(ISSUER, KeySource::Inline(set))
    };
    let issuer = compiled(&spec, &acme);
    let bench = Bench::new();
    let signers = [(&*RSA, "rsa"), (p256, "p256"), (p384, "p384"), (ed, "ed")];
    for algorithm in all {
        for (key, id) in signers {
            let fits = match id {
                "rsa" => algorithm.starts_with("RS") || algorithm.starts_with("PS"),
                "p256" => algorithm == "ES256",
                "p384" => algorithm == "ES384",
                _ => algorithm == "EdDSA",
            };
            for kid in ["rsa", "p256", "p384", "ed"] {
                let token = key.token(&json!({"alg": algorithm, "kid": kid}), &claims(ISSUER));
                let accepted = bench.verify(&issuer, &acme, &token).await.is_ok();
                assert_eq!(accepted, fits && kid == id, "{algorithm} by {id} as {kid}");
            }
        }
    }
}

#[tokio::test]
async fn keys_are_used_as_they_say() {
    let rows = [
        (json!({}), None, "says nothing"),
        (json!({"use": "sig", "alg": "RS256", "key_ops": ["verify"]}), None, "says it may"),
        (json!({"use": "enc"}), Some(TokenError::UnknownKey), "for encryption"),
        (json!({"key_ops": ["encrypt"]}), Some(TokenError::UnknownKey), "for other operations"),
        (json!({"key_ops": "verify"}), Some(TokenError::UnknownKey), "key_ops is a list"),
        (json!({"alg": "RS512"}), Some(TokenError::UnknownKey), "for another algorithm"),
        (json!({"alg": "RSA-OAEP"}), Some(TokenError::UnknownKey), "for encryption, by its algorithm"),
        (json!({"kid": 7}), Some(TokenError::UnknownKey), "kid is a text"),
        (json!({"kty": "oct", "k": "c2VjcmV0"}), Some(TokenError::UnknownKey), "a secret"),
        (json!({"n": encode(&[1; 128])}), Some(TokenError::UnknownKey), "1024 bits"),
    ];
    let acme = tenant("acme", None);
    let other = TestKey::ed().jwk("other");
    for (change, expected, shows) in rows {
        let set = key_set(&[with(RSA.jwk("k1"), &change), other.clone()]);
        let issuer = compiled(&openid(ISSUER, KeySource::Inline(set)), &acme);
        let token = RSA.token(&header(), &claims(ISSUER));
        assert_eq!(reason(Bench::new().verify(&issuer, &acme, &token).await), expected, "{shows}: {change}");
    }
}

fn xsuaa(shared: bool) -> IssuerSpec {
    let binding = XsuaaBinding {
        client_id: "sb-app!t1".into(),
        xsappname: "app!t1".into(),
        uaa_domain: Some("uaa.test".into()),
        shared,
        cert_url: None,
        verification_key: None,
    };
    let keys = KeySource::Inline(key_set(&[RSA.jwk("k1")]));
    IssuerSpec { kind: IssuerKind::Xsuaa(binding), ..openid("https://provider.uaa.test", keys) }
}

fn zone_claims() -> Value {
    json!({
        "iss": "https://acme.uaa.test/oauth/token", "exp": NOW + 600, "iat": NOW, "zid": "zone-acme",
        "cid": "sb-app!t1", "azp": "sb-app!t1", "aud": ["sb-app!t1"], "ext_attr": {"zdn": "acme"},
        "scope": ["app!t1.viewer"], "user_name": "ann"
    })
}

#[tokio::test]
async fn claims_of_xsuaa() {
    let listed = tenant("acme", Some("zone-acme"));
    let by_key = tenant("acme", None);
    let wrong_tenant = Some(TokenError::WrongTenant);
    let wrong_audience = Some(TokenError::WrongAudience);
    let rows = [
        (&listed, json!({}), None, "a token as XSUAA makes them"),
        (&by_key, json!({}), None, "for a tenant known by its key alone"),
        (&listed, json!({"zid": "zone-globex"}), wrong_tenant.clone(), "another zone, though zdn is ours"),
        (&listed, json!({"zid": null}), None, "no zid, but our zdn"),
        (&listed, json!({"zid": null, "ext_attr": null}), wrong_tenant.clone(), "says nothing of a tenant"),
        (&listed, json!({"zid": ["zone-acme"]}), Some(TokenError::MalformedClaim("zid")), "zid is a text"),
        (&by_key, json!({"ext_attr": {"zdn": "globex"}}), wrong_tenant.clone(), "another subdomain"),
        (&by_key, json!({"ext_attr": {}}), wrong_tenant.clone(), "a zone id cannot be compared with a key"),
        (&by_key, json!({"ext_attr": {}, "zid": "acme"}), None, "a zone that is called by its key"),
        (&by_key, json!({"ext_attr": {"zdn": ["acme"]}}), wrong_tenant, "zdn is a text"),
        (
            &listed,
            json!({"iss": "https://globex.uaa.test/oauth/token"}),
            Some(TokenError::WrongIssuer),
            "another tenant's host",
        ),
        (
            &listed,
            json!({"iss": "http://acme.uaa.test/oauth/token"}),
            Some(TokenError::WrongIssuer),
            "another scheme",
        ),
        (
            &listed,
            json!({"cid": "sb-other!t2", "azp": null, "aud": ["app!t1"]}),
            None,
            "aud is the application",
        ),
        (
            &listed,
            json!({"cid": "sb-other!t2", "azp": null, "aud": ["app!t1.Callback"]}),
            None,
            "aud is below the application",
        ),
        (
            &listed,
            json!({"cid": "sb-other!t2", "azp": null, "aud": ["sb-app!t1"]}),
            None,
            "aud is our client",
        ),
        (
            &listed,
            json!({"cid": "sb-other!t2", "azp": null, "aud": ["app!t12"]}),
            wrong_audience.clone(),
            "aud begins like ours",
        ),
        (
            &listed,
            json!({"cid": "sb-other!t2", "azp": null, "aud": ["app!t1x.y"]}),
            wrong_audience.clone(),
            "aud begins like ours, with a dot",
        ),
        (
            &listed,
            json!({"cid": "sb-other!t2", "azp": null, "aud": ["other"]}),
            wrong_audience.clone(),
            "scopes do not help where there is an audience",
        ),
        (&listed, json!({"cid": "sb-other!t2", "azp": null, "aud": []}), None, "no audience, but our scope"),
        (
            &listed,
            json!({"cid": "sb-other!t2", "azp": null, "aud": null, "scope": ["openid"]}),
            wrong_audience,
            "neither",
        ),
        (
            &listed,
            json!({"azp": "sb-other!t2"}),
            Some(TokenError::WrongAuthorizedParty),
            "azp and cid differ",
        ),
    ];
    for (tenant, change, expected, shows) in rows {
        let issuer = compiled(&xsuaa(true), tenant);
        let token = RSA.token(&header(), &with(zone_claims(), &change));
        assert_eq!(reason(Bench::new().verify(&issuer, tenant, &token).await), expected, "{shows}: {change}");
    }
    let issuer = compiled(&xsuaa(false), &listed);
    let own = with(zone_claims(), &json!({"iss": "https://provider.uaa.test/oauth/token"}));
    let token = RSA.token(&header(), &own);
    assert_eq!(
        reason(Bench::new().verify(&issuer, &listed, &token).await),
        None,
        "a dedicated zone has one host"
    );
}

#[tokio::test]
async fn claims_of_ias_and_tenant_claims() {
    let ias =
        IssuerSpec { kind: IssuerKind::Ias, ..openid(ISSUER, KeySource::Inline(key_set(&[RSA.jwk("k1")]))) };
    let by = |claim: &str| IssuerSpec {
        tenant_claim: Some(claim.into()),
        ..openid(ISSUER, KeySource::Inline(key_set(&[RSA.jwk("k1")])))
    };
    let wrong = Some(TokenError::WrongTenant);
    let rows = [
        (ias.clone(), json!({"app_tid": "5f0c"}), None, "IAS: our tenant"),
        (ias.clone(), json!({"zone_uuid": "5f0c"}), None, "IAS: by its older name"),
        (ias.clone(), json!({"app_tid": "9999"}), wrong.clone(), "IAS: another tenant"),
        (
            ias.clone(),
            json!({"app_tid": "5f0c", "zone_uuid": "9999"}),
            wrong.clone(),
            "IAS: both, contradicting",
        ),
        (ias.clone(), json!({}), wrong.clone(), "IAS: no tenant"),
        (ias, json!({"app_tid": 5}), Some(TokenError::MalformedClaim("app_tid")), "IAS: a number"),
        (by("org"), json!({"org": "acme"}), None, "a claim with the key"),
        (by("org"), json!({"org": "5f0c"}), None, "a claim with the id"),
        (by("org"), json!({"org": ["acme"]}), None, "a list of one"),
        (by("org"), json!({"org": ["acme", "globex"]}), wrong.clone(), "a list of two names none"),
        (by("org"), json!({"org": "globex"}), wrong.clone(), "another tenant"),
        (by("org"), json!({"org": "ACME"}), wrong.clone(), "compared byte by byte"),
        (by("org"), json!({"org": {"acme": {}}}), wrong.clone(), "an object"),
        (by("org"), json!({}), wrong.clone(), "no claim"),
        (by("org.key"), json!({"org": {"key": "acme"}}), None, "inside another claim"),
        (
            by("https://x.test/org"),
            json!({"https://x.test/org": "acme"}),
            None,
            "a claim with dots in its name",
        ),
        (by("org.key"), json!({"org": {"key": "globex"}}), wrong, "inside another claim, another tenant"),
    ];
    let acme = tenant("acme", Some("5f0c"));
    for (spec, change, expected, shows) in rows {
        let issuer = compiled(&spec, &acme);
        let token = RSA.token(&header(), &with(claims(ISSUER), &change));
        assert_eq!(reason(Bench::new().verify(&issuer, &acme, &token).await), expected, "{shows}: {change}");
    }
}

#[tokio::test]
async fn a_token_of_one_tenant_never_opens_another() {
    let keys: Vec<String> = (0..50).map(|n| format!("t{n}")).collect();
    let bench = Bench::new();
    let parties: Vec<_> = keys
        .iter()
        .map(|key| {
            let tenant = tenant(key, None);
            let url = format!("https://idp.test/{key}");
            // Every issuer has the same key: only iss keeps the tenants apart.
            let issuer = compiled(&openid(&url, KeySource::Inline(key_set(&[RSA.jwk("k1")]))), &tenant);
            (tenant, issuer, RSA.token(&header(), &claims(&url)))
        })
        .collect();
    // Twice, so that the second round meets remembered tokens.
    for _ in 0..2 {
        for (row, (tenant, issuer, _)) in parties.iter().enumerate() {
            for (column, (_, _, token)) in parties.iter().enumerate() {
                let accepted = bench.verify(issuer, tenant, token).await.is_ok();
                assert_eq!(accepted, row == column, "token of t{column} at t{row}");
            }
        }
    }
    assert_eq!(bench.verifier.counts().hits, 50, "only the right ones are remembered");
}
