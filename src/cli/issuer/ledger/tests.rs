//! What the development issuer remembers: codes, tokens and sessions.

use super::*;

const NOW: u64 = 1_800_000_000;
const BACK: &str = "http://acme.localhost:5000/login/callback";
const VERIFIER: &str = "a-verifier-of-more-than-forty-three-characters";

fn terms() -> Terms {
    let (redirect_uri, challenge) = (BACK.to_owned(), challenge(VERIFIER));
    Terms { redirect_uri, challenge, nonce: Some("n".to_owned()), scope: "openid".to_owned() }
}

fn begun() -> (Ledger, Session) {
    let mut ledger = Ledger::default();
    let session = ledger.begin("alice", String::new(), 3600, NOW).expect("random");
    (ledger, session)
}

fn refreshable() -> (Ledger, Session, String, String) {
    let (mut ledger, session) = begun();
    let code = ledger.code(&session, terms(), NOW).expect("random");
    let granted = ledger.exchange(&code, BACK, VERIFIER, NOW).expect("granted");
    let token = ledger.refresh_token(&granted).expect("random");
    (ledger, session, code, token)
}

#[test]
fn the_challenge_is_that_of_the_rfc() {
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "RFC 7636 appendix B");
}

#[test]
fn a_code_is_good_for_what_it_was_made_for() {
    for (redirect, verifier, later, denied, shows) in [
        (BACK, VERIFIER, 0, None, "as it was asked for"),
        (BACK, VERIFIER, 59, None, "within a minute"),
        (BACK, VERIFIER, 60, Some(Denied::UnknownCode), "a minute later"),
        (
            "http://globex.localhost:5000/login/callback",
            VERIFIER,
            0,
            Some(Denied::OtherRedirect),
            "elsewhere",
        ),
        (BACK, "another", 0, Some(Denied::WrongVerifier), "another verifier"),
        (BACK, "", 0, Some(Denied::WrongVerifier), "no verifier"),
    ] {
        let (mut ledger, session) = begun();
        let code = ledger.code(&session, terms(), NOW).expect("random");
        let granted = ledger.exchange(&code, redirect, verifier, NOW + later);
        assert_eq!(granted.as_ref().err().copied(), denied, "{shows}");
        if let Ok(granted) = granted {
            assert_eq!((granted.session, granted.nonce.as_deref()), (session, Some("n")), "{shows}");
        }
    }
}

#[test]
fn a_wrong_verifier_spends_the_code() {
    let (mut ledger, session) = begun();
    let code = ledger.code(&session, terms(), NOW).expect("random");
    assert!(ledger.exchange(&code, BACK, "guess", NOW).is_err());
    assert_eq!(ledger.exchange(&code, BACK, VERIFIER, NOW).err(), Some(Denied::CodeReused));
}

#[test]
fn a_code_that_comes_twice_takes_back_what_it_gave() {
    let (mut ledger, _, code, token) = refreshable();
    assert_eq!(ledger.exchange(&code, BACK, VERIFIER, NOW).err(), Some(Denied::CodeReused));
    assert_eq!(ledger.refresh(&token, NOW).err(), Some(Denied::UnknownRefreshToken));
}

#[test]
fn a_refresh_token_is_good_once_and_its_copy_ends_the_family() {
    let (mut ledger, session, _, first) = refreshable();
    let granted = ledger.refresh(&first, NOW).expect("granted");
    assert_eq!(granted.session, session);
    let second = ledger.refresh_token(&granted).expect("random");
    assert_eq!(ledger.refresh(&first, NOW).err(), Some(Denied::RefreshTokenReused));
    assert_eq!(ledger.refresh(&second, NOW).err(), Some(Denied::UnknownRefreshToken));
}

#[test]
fn another_login_of_the_browser_is_another_family() {
    let (mut ledger, session, _, stolen) = refreshable();
    let code = ledger.code(&session, terms(), NOW).expect("random");
    let other = ledger.exchange(&code, BACK, VERIFIER, NOW).expect("granted");
    let other = ledger.refresh_token(&other).expect("random");
    ledger.refresh(&stolen, NOW).expect("granted");
    assert!(ledger.refresh(&stolen, NOW).is_err());
    assert!(ledger.refresh(&other, NOW).is_ok());
}

#[test]
fn nothing_outlives_its_login() {
    let (mut ledger, session, _, token) = refreshable();
    let code = ledger.code(&session, terms(), NOW).expect("random");
    assert_eq!(ledger.end(&session.id), Some(session.clone()));
    assert_eq!(ledger.end(&session.id), None);
    assert_eq!(ledger.of_cookie(&session.cookie, NOW), None);
    assert_eq!(ledger.exchange(&code, BACK, VERIFIER, NOW).err(), Some(Denied::UnknownCode));
    assert_eq!(ledger.refresh(&token, NOW).err(), Some(Denied::UnknownRefreshToken));
    let (mut ledger, session, _, token) = refreshable();
    let later = NOW + SESSION_LIFETIME;
    assert_eq!(ledger.of_cookie(&session.cookie, later), None);
    assert_eq!(ledger.refresh(&token, later).err(), Some(Denied::SessionEnded));
}
