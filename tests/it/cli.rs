//! The commands of the real binary: what they print, and their exit codes.

use std::process::Output;

use serde_json::{Value, json};

use super::harness::Setup;

/// Three routes, two tenants; keys that nobody has to fetch.
fn application() -> Setup {
    let routes = json!([
        {"source": "^/open/(.*)$", "target": "/public/$1", "destination": "backend", "authenticationType": "none"},
        {"source": "^/api/admin(/.*)?$", "destination": "backend", "authenticationType": "jwt", "scope": "admin"},
        {"source": "^/api/", "destination": "backend", "httpMethods": ["GET"], "authenticationType": "jwt"},
    ]);
    let tenants = json!({
        "hosts": ["{tenant}.example.com"],
        "defaults": {"issuer": {"url": "https://idp.example.com/{tenant}", "audience": "app"}},
        "tenants": {"acme": {"id": "5f0c"}, "globex": {"status": "suspended"}},
    });
    let backend = "127.0.0.1:9".parse().unwrap();
    Setup::new(&json!({"routes": routes})).tenants(&tenants).destination("backend", backend)
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn explained(setup: &Setup, words: &[&str]) -> Value {
    let words = [&["explain"], words, &["--format", "json"]].concat();
    let output = setup.run(&words);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    json(&output)
}

#[test]
fn exit_codes() {
    let (good, bad) = (application(), application().file("xs-app.json", "{\"rutes\": []}"));
    for (setup, words, code, shows) in [
        (&good, vec!["check"], 0, "nothing wrong"),
        (&bad, vec!["check"], 1, "an error"),
        (&bad, vec!["explain", "/"], 1, "nothing can be explained"),
        (&bad, vec!["serve", "--port", "0"], 1, "nothing can be served"),
        (&good, vec!["check", "--format", "xml"], 2, "wrong usage"),
        (&good, vec!["explain"], 2, "no question"),
        (&good, vec!["explain", "G T", "/"], 2, "not a method"),
        (&good, vec!["test"], 1, "no file of expectations"),
        (&good, vec!["schema", "xs-app"], 0, "a schema"),
        (&good, vec!["compat"], 0, "a project without anything that is refused"),
        (&bad, vec!["compat"], 1, "a key that nobody documents"),
        (&good, vec!["compat", "--format", "sarif"], 2, "no form of it"),
        (&good, vec!["doctor"], 2, "not supported yet"),
        (&good, vec!["--help"], 0, "help"),
    ] {
        let output = setup.run(&words);
        assert_eq!(output.status.code(), Some(code), "{shows}: {words:?}: {output:?}");
    }
}

#[test]
fn every_command_that_is_not_there_yet_says_so() {
    for words in [vec!["tenants", "list"], vec!["doctor"]] {
        let output = application().run(&words);
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(complaint.contains("not supported yet"), "{words:?}: {complaint}");
    }
}

#[test]
fn check_names_the_place_for_people() {
    let text = text(&application().file("xs-app.json", "{\n  \"rutes\": []\n}\n").run(&["check"]));
    for part in ["xs-app.json:2:3", "2 |   \"rutes\": []", "  |   ^^^^^^^", "routes", "1 error"] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn check_prints_one_object_for_programs() {
    let checked = json(
        &application().file("xs-app.json", "{\n  \"rutes\": []\n}\n").run(&["check", "--format", "json"]),
    );
    let problem =
        checked["problems"].as_array().unwrap().iter().find(|problem| problem["line"] == 2).unwrap();
    let mut members: Vec<&String> = problem.as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["code", "column", "file", "hint", "key", "line", "message", "severity"]);
    assert_eq!(problem["severity"], "error");
    assert_eq!((&problem["file"], &problem["column"]), (&json!("xs-app.json"), &json!(3)));
}

#[test]
fn check_prints_sarif_for_code_scanning() {
    let log = json(
        &application().file("xs-app.json", "{\n  \"rutes\": []\n}\n").run(&["check", "--format", "sarif"]),
    );
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    let result = results.iter().find(|result| result["level"] == "error").unwrap();
    let rule = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], result["ruleId"]);
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "xs-app.json");
    assert_eq!(place["region"], json!({"startLine": 2, "startColumn": 3}));
}

#[test]
fn compat_says_what_becomes_of_each_key() {
    let setup = application().file(
        "package.json",
        r#"{"dependencies": {"@sap/approuter": "21"}, "scripts": {"start": "node start.js"}}"#,
    );
    let setup = setup.file("start.js", "require('@sap/approuter')().beforeRequestHandler.use(f);\n");
    let output = setup.run(&["compat", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let routers = json(&output);
    let findings = routers["routers"][0]["findings"].as_array().unwrap();
    let mut members: Vec<&String> = findings[0].as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["column", "file", "instead", "kind", "line", "name", "verdict", "why"]);
    let found = findings.iter().find(|found| found["name"] == "beforeRequestHandler").unwrap();
    assert_eq!((&found["verdict"], &found["file"]), (&json!("refused"), &json!("start.js")));
    let told = text(&setup.run(&["compat"]));
    for part in [
        "refused  extension beforeRequestHandler",
        "at start.js:1:29",
        "instead: ",
        "routes[].source (3 times)",
    ] {
        assert!(told.contains(part), "{part:?} is not in\n{told}");
    }
}

#[test]
fn explain_has_exactly_its_members() {
    let setup = application();
    for url in ["http://acme.example.com/open/a", "http://nobody.test/", "http://acme.example.com/nothing"] {
        let explained = explained(&setup, &[url]);
        let mut members: Vec<&String> = explained.as_object().unwrap().keys().collect();
        members.sort();
        let expected = ["authentication", "passed_over", "refusal", "route", "scope", "tenant", "upstream"];
        assert_eq!(members, expected, "{url}");
    }
}

#[test]
fn explain_shows_what_the_backend_would_get() {
    let words =
        ["POST", "http://acme.example.com/open/a?b=c", "-H", "x-tenant: globex", "-H", "x-other: kept"];
    let explained = explained(&application(), &words);
    assert_eq!(explained["tenant"], "acme");
    assert_eq!(explained["route"]["index"], 0);
    assert_eq!(explained["route"]["file"], "xs-app.json");
    assert_eq!(explained["authentication"], "none");
    assert_eq!(explained["passed_over"], json!([]));
    let upstream = &explained["upstream"];
    assert_eq!(
        (&upstream["method"], &upstream["url"]),
        (&json!("POST"), &json!("http://127.0.0.1:9/public/a?b=c"))
    );
    assert_eq!(
        (&upstream["headers"]["x-tenant"], &upstream["headers"]["x-other"]),
        (&json!("acme"), &json!("kept"))
    );
    assert_eq!(explained["refusal"], Value::Null);
}

#[test]
fn explain_says_why_not() {
    let setup = application();
    for (words, tenant, route, passed_over, status, shows) in [
        (vec!["http://acme.example.com/api/x"], json!("acme"), json!(2), 2, 401, "no token"),
        (
            vec!["POST", "http://acme.example.com/api/x"],
            json!("acme"),
            Value::Null,
            3,
            405,
            "not this method",
        ),
        (vec!["http://acme.example.com/nothing"], json!("acme"), Value::Null, 3, 404, "no route"),
        (vec!["http://nobody.example.com/"], Value::Null, Value::Null, 0, 404, "nobody knows the tenant"),
        (vec!["http://globex.example.com/open/a"], Value::Null, Value::Null, 0, 403, "suspended"),
        (vec!["http://acme.example.com/open/..%2fapi"], Value::Null, Value::Null, 0, 400, "not canonical"),
    ] {
        let explained = explained(&setup, &words);
        assert_eq!(explained["tenant"], tenant, "{shows}: {explained:#}");
        assert_eq!(explained["route"]["index"], route, "{shows}: {explained:#}");
        assert_eq!(explained["passed_over"].as_array().unwrap().len(), passed_over, "{shows}: {explained:#}");
        assert_eq!(explained["refusal"]["status"], status, "{shows}: {explained:#}");
        assert_eq!(explained["upstream"], Value::Null, "{shows}: {explained:#}");
    }
}

#[test]
fn explain_never_prints_a_token() {
    let setup = application().file("token", "abc.def.ghi");
    let token = setup.path().join("token").display().to_string();
    for format in ["human", "json"] {
        let words = ["explain", "http://acme.example.com/open/a", "--token", &token, "--format", format];
        let output = setup.run(&words);
        assert!(!text(&output).contains("abc.def"), "{format}: {}", text(&output));
    }
}

#[test]
fn expectations_pass_and_fail() {
    let case = |name: &str, expect: Value| json!({"name": name, "request": {"url": "http://acme.example.com/api/x"}, "expect": expect});
    for (expect, code, says, shows) in [
        (
            json!({"tenant": "acme", "route": "^/api/", "status": 401, "upstream": null}),
            0,
            "1 passed, 0 failed",
            "as expected",
        ),
        (json!({"route": 2}), 0, "1 passed", "a route by its index"),
        (json!({"status": 200}), 1, "status: expected 200, got 401", "another status"),
        (json!({"upstream": {"url": "x"}}), 1, "upstream: expected", "nothing is sent"),
        (json!({"stauts": 200}), 1, "", "a misspelt expectation is an error"),
    ] {
        let setup = application().file("xs-app.test.json", json!([case("named", expect)]).to_string());
        let output = setup.run(&["test"]);
        assert_eq!(output.status.code(), Some(code), "{shows}: {output:?}");
        assert!(text(&output).contains(says), "{shows}: {output:?}");
    }
}

#[test]
fn schemas_are_json() {
    for name in ["xs-app", "xs-tenants"] {
        let schema = json(&application().run(&["schema", name]));
        assert!(schema["properties"].is_object(), "{name}");
    }
}

#[test]
fn the_stand_in_for_the_environment_counts_for_the_server_too() {
    for (variables, says, shows) in [
        (json!({"PORT": 70000}), "PORT", "a number"),
        (json!({"XS_BIND_ADDRESS": "nowhere"}), "XS_BIND_ADDRESS", "a text"),
    ] {
        let setup = application().file("default-env.json", variables.to_string());
        let output = setup.run(&["serve", "--admin", "off"]);
        assert_eq!(output.status.code(), Some(1), "{shows}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(says), "{shows}: {output:?}");
    }
}
