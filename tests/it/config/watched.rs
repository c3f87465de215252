//! Which files a configuration was read from, and stand-ins for the environment.

use std::fs;

use vestibule::config::Environment;

use super::{folder, load};

#[test]
fn every_file_that_counts_is_watched() {
    let folder =
        folder(r#"{"routes": [{"source": "^/a", "destination": "be", "authenticationType": "oidc"}]}"#);
    let tenants = r#"{"defaults": {"issuer": {"url": {"file": "url.txt"}, "clientId": "c"}}}"#;
    fs::write(folder.path().join("xs-tenants.json"), tenants).unwrap();
    fs::write(folder.path().join("url.txt"), "https://idp.test\r\n").unwrap();
    let binding = folder.path().join("bindings").join("uaa");
    fs::create_dir_all(&binding).unwrap();
    fs::write(binding.join("type"), "xsuaa").unwrap();
    for (key, value) in [("clientid", "c"), ("url", "https://p.uaa.test"), ("xsappname", "x")] {
        fs::write(binding.join(key), value).unwrap();
    }
    fs::create_dir(binding.join("..data")).unwrap();
    let root = folder.path().join("bindings");
    let loaded = load(
        folder.path(),
        Environment::from([
            ("destinations", r#"[{"name": "be", "url": "http://127.0.0.1"}]"#),
            ("SERVICE_BINDING_ROOT", root.to_str().unwrap()),
        ]),
    );
    assert!(loaded.snapshot.is_some(), "{}", loaded.problems);
    for name in
        ["xs-app.json", "xs-tenants.json", "default-env.json", "url.txt", "bindings", "bindings/uaa/url"]
    {
        assert!(
            loaded.watched.contains(&folder.path().join(name)),
            "{name} is not watched: {:?}",
            loaded.watched
        );
    }
}

#[test]
fn default_files_stand_in_for_what_is_not_set() {
    let app =
        r#"{"routes": [{"source": "^/a", "destination": "one"}, {"source": "^/b", "destination": "two"}]}"#;
    let folder = folder(app);
    let default_env = r#"{"destinations": [{"name": "one", "url": "http://127.0.0.1"}], "PORT": 5000,
        "httpHeaders": "[]", "TENANT_HOST_PATTERN": "^(.*)\\.localhost$"}"#;
    fs::write(folder.path().join("default-env.json"), default_env).unwrap();
    let uaa = r#"{"uaa": {"url": "http://u.test", "clientid": "c", "clientsecret": "s", "xsappname": "x"}}"#;
    fs::write(folder.path().join("default-services.json"), uaa).unwrap();

    let stood_in = load(folder.path(), Environment::default());
    let errors: Vec<_> = stood_in.problems.iter().map(|problem| problem.code).collect();
    assert_eq!(errors, ["unknown_destination"], "only `two` is missing: {}", stood_in.problems);

    let two = r#"[{"name": "one", "url": "http://127.0.0.1"}, {"name": "two", "url": "http://127.0.0.1"}]"#;
    let set = load(folder.path(), Environment::from([("destinations", two)]));
    assert!(set.snapshot.is_some(), "the real variable wins: {}", set.problems);

    let platform = [("destinations", two), ("VCAP_APPLICATION", "{}")];
    let platform = load(folder.path(), Environment::from(platform));
    let codes: Vec<_> = platform.problems.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, ["no_issuer", "no_issuer"], "on Cloud Foundry no file stands in");
}

#[test]
fn values_that_stand_elsewhere_and_are_not_there_are_problems() {
    let folder = folder(r#"{"authenticationMethod": "none", "routes": []}"#);
    let tenants = r#"{"defaults": {"issuer": {"url": {"env": "NOPE"}, "clientId": {"file": "nope"}}}}"#;
    fs::write(folder.path().join("xs-tenants.json"), tenants).unwrap();
    let problems = load(folder.path(), Environment::default()).problems;
    let keys: Vec<_> = problems.iter().map(|problem| (problem.code, problem.key.as_str())).collect();
    let expected = [
        ("unresolved_reference", "defaults.issuer.url.env"),
        ("unresolved_reference", "defaults.issuer.clientId.file"),
    ];
    assert_eq!(keys, expected, "{problems}");
}
