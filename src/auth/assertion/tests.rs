//! Tests of `auth::assertion`: tables, each row with what it shows.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::*;
use crate::auth::json;
use crate::auth::keys::KeySet;
use crate::auth::token::{Algorithm, Unverified};
use crate::tenant::{TenantKey, TenantSpec};

fn acme() -> Tenant {
    let key = TenantKey::parse("acme").unwrap();
    Tenant::from(TenantSpec { id: Some("5f0c".into()), ..TenantSpec::new(key) })
}

#[test]
fn an_assertion_is_verified_by_the_published_keys() {
    let clock = Clock::Manual(Arc::new(AtomicU64::new(1_795_000_000_000)));
    let assertions = Assertions::generate(clock).unwrap();
    let claims = json::object(br#"{"exp":1,"sub":"u1","user_name":"ann"}"#).unwrap();
    let caller = super::super::claims::identity(&claims, "a.b.c").unwrap();
    let header = assertions.sign(&acme(), Some(&caller), "^/api/").unwrap();
    assert!(header.is_sensitive());
    let token = Unverified::parse(header.to_str().unwrap()).unwrap();
    let keys = KeySet::parse(assertions.key_set().as_bytes()).unwrap();
    let key = keys.find(token.key_id.as_deref(), Algorithm::EdDsa).unwrap();
    let verify = |message: &str| {
        jsonwebtoken::crypto::verify(token.signature, message.as_bytes(), key, jsonwebtoken::Algorithm::EdDSA)
    };
    assert_eq!(verify(token.message).ok(), Some(true));
    assert_eq!(verify(&token.message[1..]).ok(), Some(false));
    let expected = json::object(
        br#"{"iss":"vestibule","iat":1795000000,"exp":1795000060,"route":"^/api/","tenant":"acme",
             "tenant_id":"5f0c","sub":"u1","user_name":"ann"}"#,
    );
    assert_eq!(token.claims().unwrap(), expected.unwrap());
}

#[test]
fn an_assertion_without_a_caller_names_nobody() {
    let assertions = Assertions::generate(Clock::System).unwrap();
    let header = assertions.sign(&acme(), None, "").unwrap();
    let claims = Unverified::parse(header.to_str().unwrap()).unwrap().claims().unwrap();
    assert!(!claims.contains_key("sub") && !claims.contains_key("user_name"));
}

#[test]
fn no_two_processes_share_a_key() {
    let [one, other] = [0; 2].map(|_| Assertions::generate(Clock::System).unwrap());
    assert_ne!(one.key_set(), other.key_set());
    assert!(!format!("{one:?}").contains("key_set"));
}
