//! Configurations are accepted or refused as the SAP application router does it, and every problem says
//! where it is and what to do.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;
use vestibule::config::{self, Environment, Loaded, Severity, Sources};

mod answers;
mod corpus;
mod lints;
mod sessions;
mod tenants;
mod watched;

/// Where we differ on purpose: the name of the row, what we do, why.
const DIFFERENCES: [(&str, bool, &str); 2] = [
    ("dup keys", false, "readers disagree on which of two equal keys counts, so neither does"),
    ("outgoingRequestOptions extra", true, "it is documented; it is noted as having no effect"),
];

/// A folder with what the rows need.
pub(crate) fn folder(app: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("web")).unwrap();
    fs::write(folder.path().join("err.html"), "<p>error</p>").unwrap();
    fs::write(folder.path().join("xs-app.json"), app).unwrap();
    folder
}

/// Loads a folder with an environment; mounted secrets of the machine are left out.
pub(crate) fn load(folder: &Path, environment: Environment) -> Loaded {
    let secrets = folder.join("no-secrets");
    config::load(&Sources { secrets, ..Sources::new(folder, environment) })
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn environment(row: &Value) -> Environment {
    let mut environment =
        Environment::from([("destinations", r#"[{"name": "be", "url": "http://127.0.0.1:1"}]"#)]);
    for (name, value) in row["env"].as_object().into_iter().flatten() {
        environment.set(name, if value.is_null() { String::new() } else { text(value) });
    }
    environment
}

#[test]
fn configurations_are_up_or_refused_as_they_are_there() {
    let rows = include_str!("../cases/validation.jsonl");
    let mut wrong = Vec::new();
    for row in rows.lines().map(|row| serde_json::from_str::<Value>(row).unwrap()) {
        let name = row["name"].as_str().unwrap();
        let difference = DIFFERENCES.iter().find(|(differing, _, _)| *differing == name);
        let expected = difference.map_or(row["up"] == true, |(_, up, _)| *up);
        let folder = folder(&text(&row["xsapp"]));
        let loaded = load(folder.path(), environment(&row));
        if loaded.snapshot.is_some() != expected {
            wrong.push(format!("{name}: expected up = {expected}\n{}", loaded.problems));
        }
        assert_eq!(loaded.snapshot.is_none(), loaded.problems.refuse(), "{name}: refused without a problem");
        for problem in &loaded.problems {
            assert!(
                problem.line >= 1 && problem.column >= 1 && !problem.file.is_empty(),
                "{name}: {problem}"
            );
        }
    }
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_problem_of_every_file_is_reported_at_once_with_its_place() {
    let folder = folder(
        r#"{
  "routes": [
    {"source": "^/a", "destination": "bee", "csrfProtections": false},
    {"source": "(", "destination": "be", "authenticationType": "nnoe"}
  ],
  "sessionTimeout": "10"
}"#,
    );
    fs::write(folder.path().join("xs-tenants.json"), "\u{feff}{\"hots\": []}").unwrap();
    let problems = load(
        folder.path(),
        Environment::from([
            ("destinations", r#"[{"name": "be", "url": "http://127.0.0.1"}]"#),
            ("SEND_XFRAMEOPTIONS", "maybe"),
            ("VCAP_SERVICES", XSUAA),
        ]),
    )
    .problems;
    let found: Vec<_> = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .map(|p| (p.file.as_str(), p.line, p.column, p.key.as_str(), p.code, p.hint.as_deref().unwrap_or("")))
        .collect();
    let expected = [
        ("xs-app.json", 3, 38, "routes[0].destination", "unknown_destination", "did you mean `be`?"),
        ("xs-app.json", 3, 45, "routes[0].csrfProtections", "unknown_key", "did you mean `csrfProtection`?"),
        ("xs-app.json", 4, 16, "routes[1].source", "malformed_pattern", ""),
        ("xs-app.json", 4, 64, "routes[1].authenticationType", "unknown_value", "did you mean `none`?"),
        ("xs-app.json", 6, 21, "sessionTimeout", "wrong_type", ""),
        ("xs-tenants.json", 1, 2, "hots", "unknown_key", "did you mean `hosts`?"),
        ("environment", 1, 1, "SEND_XFRAMEOPTIONS", "invalid_json", "the value of this variable is JSON"),
    ];
    assert_eq!(found, expected, "{problems}");
}

/// A bound XSUAA.
pub(crate) const XSUAA: &str = r#"{"xsuaa": [{"name": "uaa", "label": "xsuaa", "tags": ["xsuaa"], "credentials": {
    "clientid": "sb-app!t1", "clientsecret": "s3cret-value", "url": "http://provider.uaa.test",
    "uaadomain": "uaa.test", "xsappname": "app!t1", "identityzone": "provider", "identityzoneid": "zid-1",
    "tenantmode": "shared"}}]}"#;

#[test]
fn nothing_that_was_loaded_prints_a_secret() {
    let folder = folder(r#"{"routes": [{"source": "^/a", "destination": "be"}]}"#);
    fs::write(folder.path().join("secret.txt"), "f1le-secret\n").unwrap();
    let tenants = r#"{"defaults": {"issuer": {"url": "https://idp.test/{tenant}", "clientId": "c",
        "clientSecret": {"env": "IDP_SECRET"}}},
        "tenants": {"acme": {"issuer": {"url": "https://acme.test", "clientSecret": {"file": "secret.txt"}}}}}"#;
    fs::write(folder.path().join("xs-tenants.json"), tenants).unwrap();
    let destinations = r#"[{"name": "be", "url": "http://127.0.0.1"}]"#;
    let variables = [
        ("destinations", destinations),
        ("VCAP_SERVICES", XSUAA),
        ("IDP_SECRET", "env-s3cret"),
        ("SESSION_SECRET", "sealing-s3cret-of-sessions"),
        ("SESSION_STORE", "rediss://:r3dis-s3cret@cache.test"),
    ];
    let loaded = load(folder.path(), Environment::from(variables));
    let printed = format!("{loaded:?}");
    assert!(loaded.snapshot.is_some(), "{}", loaded.problems);
    for secret in ["s3cret-value", "f1le-secret", "env-s3cret", "sealing-s3cret", "r3dis-s3cret"] {
        assert!(!printed.contains(secret), "{secret} is printed");
    }
}

#[test]
fn plugins_come_first_and_leave_each_route_its_own_folder() {
    let app = r#"{"authenticationMethod": "none", "routes": [
        {"source": "^/one", "localDir": "one"}, {"source": "^/two", "localDir": "two"}]}"#;
    let folder = folder(app);
    for name in ["one", "two"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    let mut environment = environment(&Value::Null);
    environment.set("plugins", r#"[{"name": "p", "source": "^/p", "destination": "be"}]"#);
    let loaded = load(folder.path(), environment);
    let snapshot = loaded.snapshot.unwrap_or_else(|| panic!("{}", loaded.problems));
    let sources: Vec<_> = snapshot.routes.all().iter().map(|route| route.pattern.source()).collect();
    assert_eq!(sources, ["^/p", "^/one", "^/two"]);
    for route in snapshot.routes.all() {
        let own =
            snapshot.local_dirs.get(route.index).and_then(Option::as_ref).map(|own| own.root().to_owned());
        let expected = match route.pattern.source() {
            "^/p" => None,
            path => Some(folder.path().join(&path[2..]).canonicalize().unwrap()),
        };
        assert_eq!(own, expected, "{}", route.pattern.source());
    }
}

#[test]
fn remarks_and_the_schema_are_not_keys() {
    let app = r#"{"$schema": "x", "_comment": 1, "authenticationMethod": "none",
        "routes": [{"_why": "x", "source": "^/a", "destination": "be"}]}"#;
    let folder = folder(app);
    let loaded = load(folder.path(), environment(&Value::Null));
    assert!(loaded.snapshot.is_some(), "{}", loaded.problems);
}
