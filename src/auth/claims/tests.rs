//! Tests of `auth::claims`: tables, each row with what it shows.

use super::*;

fn verified(claims: &str) -> Identity {
    identity(&json::object(claims.as_bytes()).unwrap(), "a.b.c").unwrap()
}

fn text(value: Option<&HeaderValue>) -> Option<&str> {
    value.map(|value| value.to_str().unwrap())
}

#[test]
fn identities_become_headers_that_nothing_can_break() {
    let long = "x".repeat(1025);
    let rows = [
        ("ann", Some("ann"), "a plain name"),
        ("Ann Smith", Some("Ann Smith"), "a blank"),
        ("Jürgen", Some("J%C3%BCrgen"), "beyond ASCII"),
        ("a\\r\\nx-tenant: b", Some("a%0D%0Ax-tenant: b"), "a line break adds no header"),
        ("a\\u0000b", Some("a%00b"), "NUL"),
        ("a\\u007fb", Some("a%7Fb"), "DEL"),
        ("100%", Some("100%25"), "so that decoding is exact"),
        (" ann ", Some("%20ann%20"), "blanks at the ends would be lost"),
        ("", None, "nothing"),
        (&long, None, "longer than a name is"),
    ];
    for (name, expected, shows) in rows {
        let token = verified(&format!(r#"{{"exp":1,"user_name":"{name}","email":"{name}"}}"#));
        assert_eq!(text(token.user_name.as_ref()), expected, "{shows}");
        assert_eq!(text(token.email.as_ref()), expected, "{shows}");
    }
}

#[test]
fn who_the_caller_is_depends_on_what_the_issuer_vouches_for() {
    let rows = [
        (r#"{"exp":1,"sub":"s"}"#, None, None, "a machine has no user name"),
        (r#"{"exp":1,"preferred_username":"p","email":"e"}"#, Some("p"), Some("e"), "OpenID Connect"),
        (r#"{"exp":1,"user_name":"u","preferred_username":"p"}"#, Some("u"), None, "XSUAA's name first"),
        (r#"{"exp":1,"email":"e","email_verified":true}"#, None, Some("e"), "a verified address"),
        (r#"{"exp":1,"email":"e","email_verified":false}"#, None, None, "anybody may claim an address"),
        (r#"{"exp":1,"email":"e","email_verified":"true"}"#, None, None, "a text is no truth"),
        (r#"{"exp":1,"email":["e"],"user_name":7}"#, None, None, "not texts"),
    ];
    for (claims, user_name, email, shows) in rows {
        let token = verified(claims);
        assert_eq!(text(token.user_name.as_ref()), user_name, "{shows}");
        assert_eq!(text(token.email.as_ref()), email, "{shows}");
    }
}

#[test]
fn scopes_come_in_every_form() {
    let rows = [
        (r#"{"exp":1,"scope":"a  b"}"#, vec!["a", "b"], "a text"),
        (r#"{"exp":1,"scope":["a","b c"]}"#, vec!["a", "b c"], "a list"),
        (r#"{"exp":1,"scp":"a"}"#, vec!["a"], "its other name"),
        (r#"{"exp":1,"scope":"a","scp":["b"]}"#, vec!["a", "b"], "both"),
        (r#"{"exp":1,"roles":["a"]}"#, vec![], "roles are no scopes"),
    ];
    for (claims, expected, shows) in rows {
        let token = verified(claims);
        let found: Vec<&str> = token.scopes().iter().map(|scope| &**scope).collect();
        assert_eq!(found, expected, "{shows}");
    }
}

#[test]
fn a_token_is_not_printed() {
    assert!(!format!("{:?}", verified(r#"{"exp":1}"#)).contains("a.b.c"));
}
