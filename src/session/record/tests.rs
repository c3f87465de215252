//! A session as bytes and back, with nothing secret printed on the way.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::secret::Secret;
use crate::tenant::TenantKey;

fn realm() -> Arc<Realm> {
    Arc::new(Realm::of(TenantKey::parse("acme"), "https://issuer.example", "client"))
}

fn session(token: &str) -> Session {
    let identity = Identity {
        subject: Some("sub".into()),
        user_name: Some(HeaderValue::from_static("ann")),
        email: None,
        given_name: Some("".into()),
        family_name: None,
        client: Some("client".into()),
        expires: 1_795_000_300,
        bearer: sensitive(format!("Bearer {token}").as_bytes()).unwrap(),
        scopes: ["a.Read", "a.Write"].map(Box::from).into(),
    };
    Session {
        realm: realm(),
        identity,
        issuer_session: Some("sid".into()),
        refresh_token: Some(Secret::new("refresh")),
        id_token: None,
        csrf_token: csrf::Token::read(b"0123456789abcdef-0123456789abcdefghijklmnopq").unwrap(),
        refreshed: 1_795_000_100,
        begun: 1_795_000_000,
        ends: 1_795_043_200,
    }
}

fn written(session: &Session) -> Vec<u8> {
    let mut writer = Writer::default();
    write(session, &mut writer);
    writer.0
}

#[test]
fn a_session_comes_back_as_it_was() {
    let jwt = ["{\"alg\":\"RS256\"}", "{\"sub\":\"ann\"}", "signature"]
        .map(|part| URL_SAFE_NO_PAD.encode(part))
        .join(".");
    let rows = [
        (&*jwt, "a JWT"),
        ("opaque", "a token of no form"),
        ("a.b.c", "three parts that are no base64url"),
        ("YQ.YQ.YR", "base64url whose last bits do not count: decoding it would lose them"),
        ("YQ.YQ", "two parts"),
        ("YQ.YQ.YQ.YQ", "four parts"),
        ("..", "three empty parts"),
        ("", "nothing"),
    ];
    for (token, shows) in rows {
        let session = session(token);
        let bytes = written(&session);
        let back = read(&mut Reader(&bytes), &realm()).expect(shows);
        assert_eq!(format!("{back:?}"), format!("{session:?}"), "{shows}");
        assert_eq!(back.identity.bearer, session.identity.bearer, "{shows}");
        assert!(back.identity.bearer.is_sensitive());
        assert_eq!(back.refresh_token.as_ref().map(Secret::expose), Some("refresh"), "{shows}");
    }
}

#[test]
fn a_jwt_takes_its_decoded_length() {
    let part = URL_SAFE_NO_PAD.encode([7; 999]);
    let token = format!("{part}.{part}.{part}");
    let plain = written(&session("")).len();
    assert!(written(&session(&token)).len() - plain < 3 * 999 + 10);
}

#[test]
fn bytes_that_end_early_are_no_session() {
    let bytes = written(&session("YQ.YQ.YQ"));
    for length in 0..bytes.len() {
        assert!(read(&mut Reader(&bytes[..length]), &realm()).is_none(), "{length} bytes");
    }
}

#[test]
fn no_length_is_trusted() {
    let rows: [(&[u8], &str); 4] = [
        (&[0xff; 10], "a number that is too large"),
        (&[0xff, 0xff, 0xff, 0xff, 0x0f], "four gigabytes"),
        (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], "all of memory"),
        (&[], "nothing"),
    ];
    for (bytes, shows) in rows {
        assert_eq!(Reader(bytes).bytes(), None, "{shows}");
        assert_eq!(Reader(bytes).optional(), None, "{shows}");
        assert_eq!(Reader(bytes).token(), None, "{shows}");
    }
}

#[test]
fn nothing_secret_is_printed() {
    let text = format!("{:?}", session("hunter2"));
    for secret in ["hunter2", "refresh\"", "0123456789abcdef-"] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}
