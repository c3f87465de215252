//! Class 18, logins that end where they did not begin.
//!
//! Recipe: begin at tenant A, come back to tenant B's host or from B's issuer, with A's cookies or
//! without. Must happen: refused; the token endpoint is that of the tenant whose host it is, and nobody
//! else's issuer gets a code.

use serde_json::json;

use super::logged_in::Stage;

const JSON: (&str, &str) = ("Accept", "application/json");

#[test]
fn a_login_ends_at_the_tenant_where_it_began() {
    let stage = Stage::set();
    let mut at_acme = stage.browser();
    let callback = at_acme.begin(&stage.acme, "/app/x");
    let mut at_globex = at_acme.moved_to("globex.localhost");
    let reply = at_globex.ask(&format!("GET {callback}"), &[JSON]);
    assert_eq!((reply.status, reply.code().as_str()), (400, "login_foreign"), "with acme's cookies");
    at_globex.cookies.clear();
    let reply = at_globex.ask(&format!("GET {callback}"), &[JSON]);
    assert_eq!((reply.status, reply.code().as_str()), (400, "login_state_unknown"), "without");
    assert_eq!((stage.acme.desk().logins, stage.globex.desk().logins), (0, 0), "no issuer got the code");
    assert_eq!(at_acme.navigate(&callback).status, 302, "and it is still good where it began");
}

#[test]
fn an_answer_of_another_issuer_is_refused() {
    let stage = Stage::set();
    let theirs = format!("http://{}", stage.globex.address());
    for (back, shows) in [
        (json!({"iss": theirs}), "another tenant's issuer"),
        (json!({"iss": "https://evil.example"}), "nobody's"),
        (json!({"iss": null}), "an issuer that promised to say who it is, and does not"),
    ] {
        stage.acme.desk().back = back;
        let mut browser = stage.browser();
        let callback = browser.begin(&stage.acme, "/app/x");
        let reply = browser.ask(&format!("GET {callback}"), &[JSON]);
        assert_eq!((reply.status, reply.code().as_str()), (400, "login_issuer_mismatch"), "{shows}");
    }
    assert_eq!((stage.acme.desk().logins, stage.globex.desk().logins), (0, 0), "no issuer got a code");
}

#[test]
fn a_session_opens_for_its_own_tenant() {
    let stage = Stage::set();
    let acme = stage.logged_in();
    let mut globex = acme.moved_to("globex.localhost");
    let reply = globex.fetch("GET /app/x", &[]);
    assert_eq!((reply.status, reply.code().as_str()), (401, "unauthenticated"));
    assert_eq!(stage.backend.take().len(), 0);
    globex.log_in(&stage.globex, "/app/x");
    assert_eq!(globex.navigate("/app/x").status, 200);
    assert_eq!(stage.backend.only().header("x-tenant"), "globex");
    let mut back = globex.moved_to("acme.localhost");
    assert_eq!(back.fetch("GET /app/x", &[]).status, 401, "nor the other way round");
    assert_eq!(acme.clone().fetch("GET /app/x", &[]).status, 200, "and acme's is as it was");
}
