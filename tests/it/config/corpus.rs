//! Real configurations compile, given their destinations, or are refused with line and column.
//!
//! The files belong to others and are not part of the project: the test reads the folder that
//! `VESTIBULE_SHARED` names, or `../shared`, and passes where neither is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use vestibule::config::{Environment, Problems, Severity};
use vestibule::tenant::HostPattern;

use super::{folder, load};

/// What may be wrong with a file that is refused: it is not JSON, it has a key or word that nobody knows,
/// or it is a fixture with empty values.
const REFUSALS: [&str; 7] = [
    "empty_file",
    "template",
    "merge_conflict",
    "invalid_json",
    "unknown_key",
    "unknown_value",
    "empty_value",
];

fn corpus() -> Option<PathBuf> {
    let named = std::env::var_os("VESTIBULE_SHARED").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    named.into_iter().chain([beside]).map(|shared| shared.join("corpus")).find(|corpus| corpus.is_dir())
}

fn strings<'v>(routes: &'v [Value], key: &str) -> BTreeSet<&'v str> {
    routes.iter().filter_map(|route| route[key].as_str()).collect()
}

/// Everything that a file names and that stands outside of it.
fn surroundings(content: &str, folder: &Path) -> Environment {
    let content = content.trim_start_matches('\u{feff}');
    let value: Value = serde_json::from_str(content).unwrap_or_default();
    let routes = value["routes"].as_array().cloned().unwrap_or_default();
    let destinations: Vec<Value> = strings(&routes, "destination")
        .into_iter()
        .map(|name| json!({"name": name, "url": "http://127.0.0.1:1"}))
        .collect();
    for path in strings(&routes, "localDir") {
        fs::create_dir_all(folder.join(path.trim_start_matches('/'))).unwrap();
    }
    let credentials =
        json!({"clientid": "c", "clientsecret": "s", "url": "https://u.test", "xsappname": "app!t1"});
    let server = |label: &str| json!([{"name": label, "label": label, "credentials": credentials}]);
    let mut services = serde_json::Map::from_iter([("identity".to_owned(), server("identity"))]);
    services.insert("xsuaa".to_owned(), server("xsuaa"));
    let replaced = routes.iter().filter_map(|route| route["replace"]["services"].as_object());
    for (name, query) in replaced.flatten() {
        services.insert(
            name.clone(),
            json!([{"name": query["name"], "label": query["label"],
            "plan": query["plan"], "tags": [query["tag"]]}]),
        );
    }
    let endpoints = strings(&routes, "endpoint").into_iter();
    let endpoints: serde_json::Map<_, _> =
        endpoints.map(|name| (name.to_owned(), json!({"url": "https://s.test"}))).collect();
    for name in strings(&routes, "service") {
        let bound = json!({"sap.cloud.service": name, "uaa": credentials, "uri": "https://s.test",
                           "endpoints": endpoints});
        services.insert(name.to_owned(), json!([{"name": name, "label": name, "credentials": bound}]));
    }
    Environment::from([
        ("destinations", Value::from(destinations).to_string()),
        ("VCAP_SERVICES", Value::from(services).to_string()),
    ])
}

fn is_odd(content: &str, problems: &Problems) -> bool {
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    let is_json = serde_json::from_str::<Value>(content.trim_start_matches('\u{feff}')).is_ok();
    errors.clone().count() > 0 && (!is_json || errors.clone().all(|problem| REFUSALS.contains(&problem.code)))
}

#[test]
fn every_real_file_compiles_or_says_where_it_does_not() {
    let Some(corpus) = corpus() else {
        println!("skipped: there is no folder of real configurations");
        return;
    };
    let (mut compiled, mut refused, mut wrong) = (0, Vec::new(), Vec::new());
    let mut files: Vec<_> =
        fs::read_dir(corpus.join("xs-app")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for path in &files {
        let name = path.file_name().unwrap().to_string_lossy();
        let content = fs::read_to_string(path).unwrap();
        let folder = folder(&content);
        let loaded = load(folder.path(), surroundings(&content, folder.path()));
        let first = loaded.problems.iter().find(|problem| problem.severity == Severity::Error);
        match first {
            None if loaded.snapshot.is_some() => compiled += 1,
            Some(first) if is_odd(&content, &loaded.problems) => refused.push(format!("{name}\n    {first}")),
            Some(_) | None => wrong.push(format!("{name}\n{}", loaded.problems)),
        }
    }
    println!(
        "{} files: {compiled} compile, {} are refused:\n{}",
        files.len(),
        refused.len(),
        refused.join("\n")
    );
    assert!(wrong.is_empty(), "{} files:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_real_host_pattern_is_accepted_or_refused_with_a_reason() {
    let Some(corpus) = corpus() else {
        println!("skipped: there is no folder of real configurations");
        return;
    };
    let patterns = fs::read_to_string(corpus.join("tenant-host-patterns.txt")).unwrap();
    let (mut accepted, mut refused) = (0, Vec::new());
    for source in patterns.lines().filter(|line| !line.is_empty()) {
        match HostPattern::compile(source, true) {
            Ok(_) => accepted += 1,
            Err(error) => refused.push(format!("{source}\n    {error}")),
        }
    }
    println!("{accepted} are accepted, {} are refused:\n{}", refused.len(), refused.join("\n"));
    assert!(accepted > 0 && refused.iter().all(|reason| reason.len() > 10));
}
