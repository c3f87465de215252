//! What comes after a login: refresh, passwords, logouts.

use std::time::Duration;

use super::*;
use crate::session::{Identity, csrf};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

fn session(issuer: &Issuer, new: NewSession) -> Arc<Session> {
    let NewSession { realm, identity, issuer_session, refresh_token, id_token } = new;
    assert_eq!(Some(&realm), issuer.realm());
    let csrf_token = csrf::Token::read(&[b't'; 44]).unwrap();
    Arc::new(Session {
        realm,
        identity,
        issuer_session,
        refresh_token,
        id_token,
        csrf_token,
        refreshed: 0,
        begun: NOW,
        ends: NOW + 9,
    })
}

fn without_refresh_token(session: &Session, expires: u64) -> Session {
    Session {
        realm: session.realm.clone(),
        identity: Identity { expires, ..session.identity.clone() },
        issuer_session: None,
        refresh_token: None,
        id_token: None,
        csrf_token: session.csrf_token.clone(),
        refreshed: 0,
        begun: NOW,
        ends: NOW + 9,
    }
}

#[test]
fn a_refresh_renews_the_login_or_ends_it() {
    let (fake, bench) = (Fake::start(), Bench::new());
    let issuer = bench.issuer(&fake.spec(IssuerKind::Oidc));
    fake.answers(200, answer(&bench.id_claims(&fake.url)));
    let session = session(&issuer, bench.finish(&issuer).unwrap());
    let claims = |change: Value| token("JWT", &with(bench.id_claims(&fake.url), &change));
    let next =
        json!({"access_token": "next", "token_type": "Bearer", "expires_in": 700, "refresh_token": "r2"});
    let refused = || Err(RenewalFailed::Refused);
    let wait = |seconds| Err(RenewalFailed::Unreachable { retry_after: Duration::from_secs(seconds) });
    let rows = [
        (200, next.clone(), Ok("r2 openid read"), "a new access token alone; the scopes are as they were"),
        (200, with(next.clone(), &json!({"scope": "read"})), Ok("r2 read"), "fewer scopes than before"),
        (200, with(next.clone(), &json!({"refresh_token": null})), Ok("- openid read"), "no rotation"),
        (
            200,
            with(next.clone(), &json!({"id_token": claims(json!({"nonce": null}))})),
            Ok("r2 email openid"),
            "a new ID token",
        ),
        (
            200,
            with(next.clone(), &json!({"id_token": claims(json!({"sub": "u2"}))})),
            refused(),
            "another user",
        ),
        (200, with(next, &json!({"id_token": claims(json!({"aud": "other"}))})), refused(), "another client"),
        (400, json!({"error": "invalid_grant"}), refused(), "revoked, or used twice"),
        (401, json!({"error": "invalid_client"}), wait(30), "our secret was changed: not the user's fault"),
        (500, json!({}), wait(5), "the issuer is down"),
    ];
    for (status, body, expected, shows) in rows {
        fake.answers(status, body);
        let refresh = bench.logins.clone().refresh(issuer.clone(), bench.tenant.clone(), session.clone());
        let got = bench.runtime.block_on(refresh).map(|renewal| {
            assert_eq!(renewal.identity.bearer, "Bearer next", "{shows}");
            assert_eq!(renewal.identity.expires, NOW + 700, "{shows}");
            let token = renewal.refresh_token.as_ref().map_or("-", Secret::expose);
            format!("{token} {}", renewal.identity.scopes.join(" "))
        });
        assert_eq!(got, expected.map(str::to_owned), "{shows}");
    }
    for (left, expected) in [(0, refused()), (7, wait(7))] {
        let session = Arc::new(without_refresh_token(&session, NOW + left));
        let refresh = bench.logins.clone().refresh(issuer.clone(), bench.tenant.clone(), session);
        let got = bench.runtime.block_on(refresh).map(|_| "renewed");
        assert_eq!(got, expected, "no refresh token, {left} s left");
    }
}

#[test]
fn passwords_are_for_the_issuer_to_judge() {
    let (fake, bench) = (Fake::start(), Bench::new());
    let own = |change: Value| {
        let claims =
            json!({"iss": fake.url, "aud": "api", "sub": "u1", "exp": NOW + 90, "iat": NOW, "scope": "x"});
        token("at+jwt", &with(claims, &change))
    };
    let good = |token: String| json!({"access_token": token, "token_type": "Bearer"});
    let id = token("JWT", &with(bench.id_claims(&fake.url), &json!({"nonce": null})));
    let rows = [
        (200, good(own(json!({}))), "u1", "an access token of the issuer's"),
        (200, with(good("opaque".into()), &json!({"id_token": id})), "u1", "an ID token, which has no nonce"),
        (200, good("opaque".into()), "InvalidToken(NotThreeSegments)", "nothing says who it is"),
        (200, good(own(json!({"aud": "other"}))), "InvalidToken(WrongAudience)", "for somebody else"),
        (400, json!({"error": "invalid_grant"}), "GrantRefused", "a wrong password"),
        (401, json!({"error": "unauthorized"}), "GrantRefused", "a wrong password, as XSUAA says it"),
    ];
    let issuer = bench.issuer(&fake.spec(IssuerKind::Oidc));
    for (status, body, expected, shows) in rows {
        fake.answers(status, body);
        let password = Secret::new("p&w");
        let login = bench.logins.password(&issuer, &bench.tenant, "ann", &password);
        let got = bench.runtime.block_on(login);
        let got = got.map_or_else(|reason| name(&reason), |session| session.identity.subject.unwrap().into());
        assert_eq!(got, expected, "{shows}");
    }
    let (_, _, form) = fake.asked().pop().unwrap();
    assert!(form.starts_with("grant_type=password&username=ann&password=p%26w&scope=openid+email"), "{form}");
}

#[test]
fn logout_tokens_are_judged_as_the_specification_says() {
    let (fake, bench) = (Fake::start(), Bench::new());
    let issuer = bench.issuer(&fake.spec(IssuerKind::Oidc));
    let good = json!({"iss": fake.url, "aud": CLIENT, "iat": NOW, "exp": NOW + 120, "jti": "j1", "sid": "s1",
        "sub": "u1", "events": {EVENT: {}}});
    let rows = [
        ("logout+jwt", json!({}), "j1", "good"),
        ("JWT", json!({}), "j1", "as issuers sent it before the type was registered"),
        ("logout+jwt", json!({"sid": null}), "j1", "every session of a user"),
        ("logout+jwt", json!({"sub": null}), "j1", "one session"),
        ("at+jwt", json!({}), "InvalidToken(WrongType)", "an access token"),
        ("logout+jwt", json!({"sid": null, "sub": null}), "NoSession", "nobody's session"),
        ("logout+jwt", json!({"sid": 7}), "InvalidToken(MalformedClaim(\"sid\"))", "not a name"),
        ("logout+jwt", json!({"nonce": "n"}), "HasNonce", "an ID token with more in it"),
        ("logout+jwt", json!({"events": null}), "NoLogoutEvent", "no event"),
        ("logout+jwt", json!({"events": {"x": {}}}), "NoLogoutEvent", "another event"),
        ("logout+jwt", json!({"events": {EVENT: true}}), "NoLogoutEvent", "not an object"),
        ("logout+jwt", json!({"events": EVENT}), "NoLogoutEvent", "not an object either"),
        ("logout+jwt", json!({"jti": null}), "NoId", "a replay could not be told"),
        ("logout+jwt", json!({"iat": null}), "Stale", "made at no time"),
        ("logout+jwt", json!({"iat": NOW - 601}), "Stale", "made long ago"),
        ("logout+jwt", json!({"exp": NOW - 61, "iat": NOW - 90}), "InvalidToken(Expired)", "too late"),
        ("logout+jwt", json!({"exp": null}), "InvalidToken(NoExpiry)", "for ever"),
        ("logout+jwt", json!({"aud": "api"}), "InvalidToken(WrongAudience)", "for somebody else"),
        ("logout+jwt", json!({"iss": "https://evil.test"}), "InvalidToken(WrongIssuer)", "by somebody else"),
    ];
    for (typ, change, expected, shows) in rows {
        let token = token(typ, &with(good.clone(), &change));
        let told = bench.runtime.block_on(bench.logins.logout_token(&issuer, &bench.tenant, &token));
        let got = told.map_or_else(|reason| name(&reason), |told| told.id.into());
        assert_eq!(got, expected, "{shows}");
    }
    let unsigned = token("logout+jwt", &good);
    let unsigned = &unsigned[..=unsigned.rfind('.').unwrap()];
    let told = bench.runtime.block_on(bench.logins.logout_token(&issuer, &bench.tenant, unsigned));
    assert_eq!(name(&told.unwrap_err()), "InvalidToken(WrongSignature)");
    let ias = bench.issuer(&fake.spec(IssuerKind::Ias));
    for (whose, expected) in [("id-acme", "j1"), ("id-globex", "InvalidToken(WrongTenant)")] {
        let token = token("logout+jwt", &with(good.clone(), &json!({"app_tid": whose})));
        let told = bench.runtime.block_on(bench.logins.logout_token(&ias, &bench.tenant, &token));
        assert_eq!(told.map_or_else(|reason| name(&reason), |told| told.id.into()), expected, "{whose}");
    }
}

#[test]
fn a_logout_goes_to_the_issuer_and_comes_back() {
    let (fake, bench) = (Fake::start(), Bench::new());
    fake.answers(200, answer(&bench.id_claims(&fake.url)));
    let oidc = bench.issuer(&fake.spec(IssuerKind::Oidc));
    let session = session(&oidc, bench.finish(&oidc).unwrap());
    let hint = session.id_token.as_ref().unwrap().expose().to_owned();
    let xsuaa = bench.issuer(&fake.spec(fake.xsuaa()));
    let back = Some("https://acme.app.test/bye?a=b&c");
    let encoded = "https%3A%2F%2Facme.app.test%2Fbye%3Fa%3Db%26c";
    let id = "client_id=sb-app%21t1";
    let rows = [
        (&oidc, None, None, format!("/end?{id}"), "nobody is logged in here"),
        (&oidc, Some(&session), None, format!("/end?id_token_hint={hint}&{id}"), "no page afterwards"),
        (
            &oidc,
            Some(&session),
            back,
            format!("/end?id_token_hint={hint}&{id}&post_logout_redirect_uri={encoded}&state=s"),
            "and back",
        ),
        (&xsuaa, Some(&session), None, "/logout.do".to_owned(), "XSUAA alone"),
        (&xsuaa, None, back, format!("/logout.do?redirect={encoded}&{id}"), "XSUAA and back"),
    ];
    for (issuer, session, back, expected, shows) in rows {
        let session = session.map(|session| &**session);
        let url = bench.logins.end_session_url(issuer, session, back, Some("s"));
        let url = bench.runtime.block_on(url).unwrap();
        assert_eq!(url.to_str().unwrap().strip_prefix(&*fake.url), Some(&*expected), "{shows}");
    }
}
