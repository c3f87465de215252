//! Projects as people have them, and what is said about each line.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::finding::Outcome::{self, Differs, Ignored, Open, Refused, Unknown, Works};
use super::{Examined, examine, print};
use crate::config::Environment;
use crate::config::documented::{Place, rows};

/// A project of these files.
fn project(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn examined(files: &[(&str, &str)]) -> Vec<Examined> {
    examine(project(files).path(), &Environment::default())
}

/// Everything that was found, a line each.
fn told(examined: &[Examined]) -> String {
    let findings = examined.iter().flat_map(|one| &one.findings);
    let lines: Vec<String> = findings
        .map(|found| {
            let spot = &found.spot;
            let outcome = found.outcome.word();
            format!(
                "{outcome} {} {}:{} {} | {}\n",
                found.name, spot.file, spot.line, found.words, found.instead
            )
        })
        .collect();
    lines.concat()
}

fn assert_found(examined: &[Examined], expected: &[(Outcome, &str, &str, u32)]) {
    for (outcome, name, file, line) in expected {
        let found = examined.iter().flat_map(|one| &one.findings).any(|found| {
            found.outcome == *outcome
                && found.name == *name
                && (found.spot.file.as_str(), found.spot.line) == (*file, *line)
        });
        assert!(found, "{outcome:?} {name} at {file}:{line} is not in\n{}", told(examined));
    }
}

const MTA: &str = r#"_schema-version: "3.1"
ID: shop
modules:
  - name: shop-srv
    type: nodejs
    path: srv
    provides:
      - name: srv-api
        properties:
          srv-url: ${default-url}
  - name: shop
    type: approuter.nodejs
    path: ./app/router
    parameters:
      disk-quota: 256M
    properties:
      TENANT_HOST_PATTERN: "^(.*)-${default-uri}"
      NODE_TLS_REJECT_UNAUTHORIZED: 0
      SESSION_TIMEOUT: 30
      COOKIES: '{"SameSite": "None", "Partitioned": {"supportedPartitionAgents": "x"}}'
    requires:
      - name: srv-api
        group: destinations
        properties:
          name: srv-api
          url: ~{srv-url}
          forwardAuthToken: true
          preserveHostHeader: true
      - name: shop-auth
      - name: shop-repo
      - name: shop-destination
resources:
  - name: shop-auth
    type: org.cloudfoundry.managed-service
    parameters:
      service: xsuaa
      service-plan: application
  - name: shop-repo
    type: org.cloudfoundry.managed-service
    parameters:
      service: html5-apps-repo
  - name: shop-destination
    type: org.cloudfoundry.managed-service
    parameters:
      service: destination
      config:
        init_data:
          instance:
            destinations:
              - Name: ui5
                Type: HTTP
                URL: https://ui5.sap.com
                HTML5.ForwardAuthToken: true
              - Name: mail
                Type: MAIL
"#;

const APP: &str = r#"{
  "welcomeFile": "/index.html",
  "authenticationMethod": "route",
  "routes": [
    {"source": "^/srv/(.*)$", "target": "$1", "destination": "srv-api", "csrfProtection": false},
    {"source": "^/open/", "destination": "srv-api", "authenticationType": "none", "timeuot": 1},
    {"source": "^(.*)$", "service": "html5-apps-repo-rt", "authenticationType": "xsuaa"}
  ]
}"#;

const START: &str = r"const approuter = require('@sap/approuter');
const ar = approuter();
// ar.beforeErrorHandler.use(nothing);
ar.beforeRequestHandler.use('/my-ext', require('./lib/handler'));
ar.start();
";

fn shop() -> Vec<Examined> {
    examined(&[
        ("mta.yaml", MTA),
        ("app/router/xs-app.json", APP),
        (
            "app/router/package.json",
            "{\n  \"dependencies\": {\n    \"@sap/approuter\": \"^20\"\n  },\n  \"scripts\": {\n    \"start\": \"node start.js\"\n  }\n}",
        ),
        ("app/router/start.js", START),
        ("app/router/lib/handler.js", "module.exports = {\n  insertMiddleware: {}\n};\n"),
        ("app/list/webapp/xs-app.json", APP),
        ("app/list/node_modules/x/xs-app.json", APP),
        ("srv/package.json", "{}"),
    ])
}

#[test]
fn an_mta_with_its_router_is_understood() {
    let shop = shop();
    assert_eq!(shop.len(), 1, "{}", told(&shop));
    assert_eq!((shop[0].router.name.as_str(), shop[0].router.folder.as_str()), ("shop", "app/router"));
    assert_found(
        &shop,
        &[
            (Differs, "TENANT_HOST_PATTERN", "mta.yaml", 17),
            (Ignored, "NODE_TLS_REJECT_UNAUTHORIZED", "mta.yaml", 18),
            (Works, "SESSION_TIMEOUT", "mta.yaml", 19),
            (Works, "COOKIES.SameSite", "mta.yaml", 20),
            (Ignored, "COOKIES.Partitioned.supportedPartitionAgents", "mta.yaml", 20),
            (Works, "destinations[0].forwardAuthToken", "mta.yaml", 27),
            (Unknown, "destinations[0].preserveHostHeader", "mta.yaml", 28),
            (Works, "xsuaa (shop-auth)", "mta.yaml", 29),
            (Refused, "html5-apps-repo (shop-repo)", "mta.yaml", 30),
            (Works, "destination (shop-destination)", "mta.yaml", 31),
            (Works, "ui5.HTML5.ForwardAuthToken", "mta.yaml", 53),
            (Refused, "mail.Type: MAIL", "mta.yaml", 55),
            (Works, "welcomeFile", "app/router/xs-app.json", 2),
            (Differs, "routes[0].csrfProtection", "app/router/xs-app.json", 5),
            (Differs, "routes[1].authenticationType: none", "app/router/xs-app.json", 6),
            (Unknown, "routes[1].timeuot", "app/router/xs-app.json", 6),
            (Refused, "routes[2].service: html5-apps-repo-rt", "app/router/xs-app.json", 7),
            (Works, "@sap/approuter ^20", "app/router/package.json", 3),
            (Refused, "start.js", "app/router/package.json", 6),
            (Refused, "beforeRequestHandler", "app/router/start.js", 4),
            (Refused, "insertMiddleware", "app/router/lib/handler.js", 2),
            (Ignored, "app/list/webapp/xs-app.json", "app/list/webapp/xs-app.json", 1),
        ],
    );
    let told = told(&shop);
    assert!(!told.contains("beforeErrorHandler") && !told.contains("node_modules"), "{told}");
    assert!(
        !told.contains("preserveHostHeader` is not"),
        "the program's word for it is the same thing:\n{told}"
    );
    assert!(!told.contains("there is no destination") && !told.contains("nobody could get in"), "{told}");
}

#[test]
fn a_manifest_with_its_router_is_understood() {
    let found = examined(&[
        (
            "manifest.yml",
            "applications:\n- name: srv\n  path: srv\n- name: web\n  path: web\n  command: node node_modules/@sap/approuter/approuter.js -p 8080\n  env:\n    SEND_XFRAMEOPTIONS: false\n    CORS: >\n      [{\"uriPattern\": \"^/a\", \"allowedOrigin\": [{\"host\": \"b\"}]}]\n    destinations: >\n      [{\"name\": \"srv\", \"url\": \"https://srv.test\", \"timeout\": 5}]\n    TITLE: Shop\n    MY_OWN: 1\n  services:\n  - my-uaa\n",
        ),
        (
            "web/xs-app.json",
            r#"{"routes": [{"source": "^/", "localDir": "pages", "replace": {"pathSuffixes": [".html"], "vars": ["TITLE"]}}]}"#,
        ),
        ("web/package.json", r#"{"dependencies": {"@sap/approuter": "21.2.0"}}"#),
        ("web/pages/index.html", "{{TITLE}}"),
    ]);
    assert_found(
        &found,
        &[
            (Works, "SEND_XFRAMEOPTIONS", "manifest.yml", 8),
            (Works, "CORS", "manifest.yml", 9),
            (Works, "CORS[0].allowedOrigin[0].host", "manifest.yml", 9),
            (Works, "destinations[0].timeout", "manifest.yml", 11),
            (Works, "TITLE", "manifest.yml", 13),
            (Ignored, "MY_OWN", "manifest.yml", 14),
            (Open, "my-uaa", "manifest.yml", 16),
            (Works, "-p", "manifest.yml", 6),
            (Works, "routes[0].replace.vars", "web/xs-app.json", 1),
        ],
    );
    assert!(!told(&found).contains("nobody could get in"), "the service may be an XSUAA:\n{}", told(&found));
}

#[test]
fn a_folder_with_its_environment_is_understood() {
    let found = examined(&[
        (
            "xs-app.json",
            "{\n  \"_remark\": 1,\n  \"logout\": {\"logoutPath\": \"/logout\"},\n  \"routes\": [\n    {\"source\": \"(\", \"destination\": \"nowhere\", \"authenticationType\": \"none\", \"timeout\": 1}\n  ]\n}",
        ),
        (
            "default-env.json",
            "{\n  \"EXT_SESSION_MGT\": {\"instanceName\": \"r\", \"storageType\": \"redis\",\n    \"sessionSecret\": \"s3cret-s3cret-s3cret\", \"externalStoreFilePath\": \"./s.js\"},\n  \"VCAP_SERVICES\": {\n    \"xsuaa\": [{\"name\": \"u\", \"tags\": [\"xsuaa\"], \"credentials\": {}}],\n    \"country\": [{\"name\": \"c\", \"credentials\": {\"sap.cloud.service\": \"c\", \"grant_type\": \"user_token\"}}],\n    \"user-provided\": [{\"name\": \"x\", \"credentials\": {\"password\": \"s3cret\"}}],\n    \"saas-registry\": [{\"name\": \"s\", \"credentials\": {}}]\n  },\n  \"SESSION_SECRET\": \"s3cret-s3cret-s3cret\"\n}",
        ),
        ("extend.json", "{}"),
    ]);
    assert_found(
        &found,
        &[
            (Refused, "logout.logoutPath", "xs-app.json", 3),
            (Refused, "routes[0].source", "xs-app.json", 5),
            (Refused, "routes[0].destination", "xs-app.json", 5),
            (Unknown, "routes[0].timeout", "xs-app.json", 5),
            (Refused, "EXT_SESSION_MGT.externalStoreFilePath", "default-env.json", 3),
            (Works, "xsuaa (u)", "default-env.json", 5),
            (Works, "country (c)", "default-env.json", 6),
            (Works, "country (c).grant_type", "default-env.json", 6),
            (Ignored, "user-provided (x)", "default-env.json", 7),
            (Refused, "saas-registry (s)", "default-env.json", 8),
            (Works, "SESSION_SECRET", "default-env.json", 10),
            (Refused, "extend.json", "extend.json", 1),
        ],
    );
    let told = told(&found);
    assert!(!told.contains("_remark") && !told.contains("s3cret"), "{told}");
    let twice = told.matches("logout.logoutPath").count();
    assert_eq!(twice, 1, "one thing is said once:\n{told}");
    assert!(told.contains("`timeout` is a key of a destination"), "{told}");
}

#[test]
fn files_that_cannot_be_read_are_findings_of_their_own() {
    for (file, text, shows) in [
        ("xs-app.json", "{\n  \"routes\": [\n", "half a file"),
        ("xs-app.json", "", "nothing"),
        ("mta.yaml", "modules:\n  - name: [\n", "half a list"),
        ("manifest.yml", "applications: {", "half a map"),
        ("package.json", "<<<<<<< HEAD", "a merge"),
        ("default-env.json", "{,}", "a comma"),
        ("default-services.json", "[", "half a list"),
    ] {
        let files = [("xs-app.json", "{}"), (file, text)];
        let found = examined(&files);
        let refused = found.iter().flat_map(|one| &one.findings).filter(|found| found.outcome == Refused);
        assert!(refused.clone().any(|found| found.spot.file == file), "{shows}: {}", told(&found));
    }
}

#[test]
fn nothing_that_is_written_makes_it_panic() {
    let scraps = [
        "",
        "[]",
        "null",
        "1",
        "{\"a\": [[{}]]}",
        "{\"routes\": {\"source\": []}}",
        "{\"routes\": [1, null, {\"scope\": {}}]}",
        "{\"scripts\": {\"start\": []}, \"dependencies\": {\"@sap/approuter\": {}}}",
        "modules: [1, {name: 2}, {name: a, type: approuter.nodejs, path: ../..}]",
        "applications: [1, {path: ..}, {services: [{}], env: []}]",
        "{\"destinations\": [1, {}], \"VCAP_SERVICES\": [1]}",
        "\u{feff}{}",
        "ü: [ü, {ü: ü}]",
    ];
    let names = [
        "xs-app.json",
        "default-env.json",
        "default-services.json",
        "package.json",
        "mta.yaml",
        "manifest.yml",
    ];
    for name in names {
        for scrap in scraps {
            let found = examined(&[("xs-app.json", "{\"routes\": []}"), (name, scrap)]);
            let mut printed = Vec::new();
            print::print(&found, Path::new("."), true, &mut printed).unwrap();
            assert!(!printed.is_empty(), "{name}: {scrap}");
        }
    }
}

fn corpus() -> Option<PathBuf> {
    let named = std::env::var_os("VESTIBULE_SHARED").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    named
        .into_iter()
        .chain([beside])
        .map(|shared| shared.join("corpus/xs-app"))
        .find(|corpus| corpus.is_dir())
}

/// The corpus belongs to others and is not part of the project: where it is not there, nothing is tested.
#[test]
fn real_files_have_nothing_unknown_that_is_documented() {
    let Some(corpus) = corpus() else { return };
    let documented: Vec<&str> =
        rows(Place::App).iter().filter_map(|row| row.key().rsplit('.').next()).collect();
    let (mut files, mut unknown) = (0, Vec::new());
    for entry in fs::read_dir(corpus).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        for found in examined(&[("xs-app.json", &text)]).iter().flat_map(|one| &one.findings) {
            assert!(found.spot.line >= 1, "{}: {found:?}", path.display());
            if found.outcome == Unknown {
                unknown.push((path.file_name().unwrap().to_owned(), found.name.clone()));
            }
        }
        files += 1;
    }
    println!("{files} files, {} unknown keys: {unknown:#?}", unknown.len());
    let wrong: Vec<_> = unknown
        .iter()
        .filter(|(_, name)| documented.contains(&name.rsplit('.').next().unwrap_or_default()))
        .collect();
    assert!(files > 100 && wrong.iter().all(|(_, name)| name.starts_with("routes[")), "{wrong:#?}");
}
