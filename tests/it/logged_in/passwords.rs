//! Routes that ask for user and password, which the issuer checks.

use serde_json::json;

use super::Stage;

/// `ada:1815`.
const RIGHT: (&str, &str) = ("Authorization", "Basic YWRhOjE4MTU=");

#[test]
fn the_issuer_says_who_a_user_is() {
    let stage = Stage::set();
    for (headers, status, code, shows) in [
        (vec![RIGHT], 200, "-", "right"),
        (vec![("Authorization", "basic YWRhOjE4MTU=")], 200, "-", "the scheme in any case"),
        (vec![], 401, "unauthenticated", "nothing"),
        (vec![("Authorization", "Basic YWRhOjE4MTY=")], 401, "wrong_password", "a wrong password"),
        (vec![("Authorization", "Basic ?")], 401, "malformed_credentials", "unreadable"),
        (vec![RIGHT, RIGHT], 401, "malformed_credentials", "twice"),
        (vec![("Accept", "text/html"), ("Sec-Fetch-Mode", "navigate")], 401, "-", "nobody is sent to log in"),
        (vec![RIGHT, ("Sec-Fetch-Site", "cross-site")], 200, "-", "a link from elsewhere"),
    ] {
        let reply = stage.browser().ask("GET /basic/x", &headers);
        let expected = if reply.status == 200 { "-" } else { code };
        assert_eq!((reply.status, expected), (status, code), "{shows}: {}", reply.text());
        if code == "unauthenticated" || code == "wrong_password" {
            assert_eq!(reply.code(), code, "{shows}");
            assert_eq!(
                reply.header("www-authenticate"),
                "Basic realm=\"acme\", charset=\"UTF-8\"",
                "{shows}"
            );
        }
        assert!(reply.all("set-cookie").is_empty(), "{shows}");
    }
    let seen = stage.backend.take();
    assert_eq!(seen.len(), 3);
    for request in seen {
        assert!(request.header("authorization").starts_with("Bearer "), "the token, never the password");
        assert_eq!(request.header("x-user-name"), "ada");
    }
    let reply = stage.browser().ask("POST /basic/x", &[RIGHT, ("Sec-Fetch-Site", "cross-site")]);
    assert_eq!((reply.status, reply.code().as_str()), (403, "cross_site"), "browsers keep passwords as well");
}

#[test]
fn right_passwords_are_remembered_for_their_own_tenant() {
    let stage = Stage::set();
    for _ in 0..5 {
        assert_eq!(stage.browser().ask("GET /basic/x", &[RIGHT]).status, 200);
    }
    assert_eq!(stage.acme.desk().passwords, 1, "the issuer is asked once");
    stage.globex.desk().refusal = Some((400, json!({"error": "invalid_grant"})));
    let reply = stage.browser().moved_to("globex.localhost").ask("GET /basic/x", &[RIGHT]);
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (401, "wrong_password"),
        "another tenant's issuer decides"
    );
    stage.globex.desk().refusal = Some((503, json!({})));
    let reply = stage.browser().moved_to("globex.localhost").ask("GET /basic/x", &[RIGHT]);
    assert_eq!((reply.status, reply.code().as_str()), (503, "issuer_unreachable"));
    assert_ne!(reply.header("retry-after"), "");
}
