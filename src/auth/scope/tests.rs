//! Tests of `auth::scope`: tables, each row with what it shows.

use super::*;
use crate::auth::json;

fn list(scopes: &[&str]) -> Vec<String> {
    scopes.iter().map(|scope| (*scope).to_owned()).collect()
}

fn any(scopes: &[&str]) -> ScopeSpec {
    ScopeSpec::AnyOf(list(scopes))
}

fn by(rules: &[(&str, &[&str])]) -> ScopeSpec {
    ScopeSpec::ByMethod(rules.iter().map(|(name, scopes)| ((*name).to_owned(), list(scopes))).collect())
}

fn caller(scopes: &str) -> Identity {
    let claims = format!(r#"{{"exp":1,"scope":"{scopes}"}}"#);
    super::super::claims::identity(&json::object(claims.as_bytes()).unwrap(), "a.b.c").unwrap()
}

#[test]
fn callers_with_one_of_the_scopes_of_the_method_may() {
    let writers = by(&[("GET", &["read"]), ("POST", &["write", "admin"]), ("default", &["admin"])]);
    let strict = by(&[("GET", &["read"])]);
    let rows = [
        (any(&["read"]), "GET", Some("read"), true, "the scope"),
        (any(&["read"]), "GET", Some("reader"), false, "a longer scope is another"),
        (any(&["read"]), "GET", Some("READ"), false, "scopes have case"),
        (any(&["a", "b"]), "GET", Some("x b"), true, "one of two"),
        (any(&["a", "b"]), "GET", Some(""), false, "none of two"),
        (any(&["a"]), "GET", None, false, "nobody has no scopes"),
        (writers.clone(), "GET", Some("read"), true, "by method"),
        (writers.clone(), "POST", Some("read"), false, "the scope of another method"),
        (writers.clone(), "DELETE", Some("admin"), true, "the default"),
        (writers.clone(), "DELETE", Some("read write"), false, "the default asks for another"),
        (writers.clone(), "HEAD", Some("read"), false, "HEAD is not covered by GET"),
        (writers, "HEAD", Some("admin"), true, "HEAD takes the default"),
        (strict.clone(), "GET", Some("read"), true, "without a default, the method named"),
        (strict.clone(), "POST", Some("read"), false, "without a default, another method"),
        (strict, "PROPFIND", Some("read admin"), false, "without a default, an extension"),
    ];
    for (spec, method, scopes, admitted, shows) in rows {
        let scope = Scope::compile(&spec, None).unwrap();
        let caller = scopes.map(caller);
        let answer = scope.admit(&method.parse().unwrap(), caller.as_ref());
        assert_eq!(answer.is_ok(), admitted, "{shows}");
    }
}

#[test]
fn the_application_is_put_in_when_the_configuration_compiles() {
    let malformed = |text: &str| Err(ScopeError::MalformedReference(text.into()));
    let rows = [
        ("$XSAPPNAME.view", Some("app!t1"), Ok("app!t1.view"), "our own"),
        ("openid", None, Ok("openid"), "a plain scope"),
        ("a$XSAPPNAME", Some("app!t1"), Ok("a$XSAPPNAME"), "only at the beginning"),
        ("$XSAPPNAME(application,reuse).view", Some("app!t1"), Ok("reuse!t1.view"), "another application"),
        ("$XSAPPNAME(broker, reuse).view", Some("app!t1"), Ok("reuse!b1.view"), "a broker"),
        ("$XSAPPNAME(application,reuse!b7).view", Some("app!t1"), Ok("reuse!b7.view"), "with its own index"),
        ("$XSAPPNAME(application,reuse).view", Some("app"), Ok("reuse.view"), "a landscape without indices"),
        (
            "$XSAPPNAME(other,reuse).view",
            Some("app!t1"),
            malformed("$XSAPPNAME(other,reuse).view"),
            "another plan",
        ),
        (
            "$XSAPPNAME(application).view",
            Some("app!t1"),
            malformed("$XSAPPNAME(application).view"),
            "no name",
        ),
        (
            "$XSAPPNAME(application,).view",
            Some("app!t1"),
            malformed("$XSAPPNAME(application,).view"),
            "an empty name",
        ),
        ("$XSAPPNAME(application,x", Some("app!t1"), malformed("$XSAPPNAME(application,x"), "no end"),
        ("$XSAPPNAME.view", None, Err(ScopeError::NoApplicationName("$XSAPPNAME.view".into())), "no binding"),
        ("a b", None, Err(ScopeError::MalformedScope("a b".into())), "a blank"),
        ("a\"b", None, Err(ScopeError::MalformedScope("a\"b".into())), "a quote would break the challenge"),
        ("", None, Err(ScopeError::MalformedScope(String::new())), "nothing"),
        ("ü", None, Err(ScopeError::MalformedScope("ü".into())), "beyond ASCII"),
    ];
    for (scope, application, expected, shows) in rows {
        let compiled = Scope::compile(&any(&[scope]), application);
        let found = compiled.map(|scope| scope.any_of(&Method::GET).unwrap()[0].to_string());
        assert_eq!(found, expected.map(ToOwned::to_owned), "{shows}");
    }
}

#[test]
fn what_admits_nobody_or_means_nothing_does_not_compile() {
    let rows = [
        (any(&[]), ScopeError::Empty, "an empty list"),
        (by(&[("GET", &[])]), ScopeError::Empty, "an empty list for a method"),
        (by(&[("G T", &["a"])]), ScopeError::UnknownMethod("G T".into()), "no method"),
        (by(&[("GET", &["a"]), ("GET", &["b"])]), ScopeError::Duplicate("GET".into()), "a method twice"),
        (
            by(&[("default", &["a"]), ("default", &["b"])]),
            ScopeError::Duplicate("default".into()),
            "two defaults",
        ),
    ];
    for (spec, expected, shows) in rows {
        assert_eq!(Scope::compile(&spec, None).err(), Some(expected), "{shows}");
    }
}

#[test]
fn the_challenge_names_what_the_route_asks_for() {
    let scope = Scope::compile(&any(&["$XSAPPNAME.a", "b"]), Some("app!t1")).unwrap();
    let refused = scope.admit(&Method::GET, None).unwrap_err();
    let challenge = refused.challenge().unwrap();
    assert_eq!(challenge, "Bearer error=\"insufficient_scope\", scope=\"app!t1.a b\"");
}
