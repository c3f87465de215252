//! The table says what the program does, and the documentation what the table says.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Map, Value, json};

use super::{Documented, Place, TABLE, Verdict, find, rows};
use crate::config::schema::XS_APP;
use crate::config::{Environment, NOT_SUPPORTED_YET, Problem, Severity, Sources, load};

/// Keys of `xs-app.json` that the SAP application router does not know.
const NEW: [&str; 2] = ["routes[].tokenHeader", "routes[].bodySchema"];

/// A bound XSUAA, which most samples need, and whatever they name.
fn bindings() -> Value {
    let credentials = json!({"clientid": "sb-app!t1", "clientsecret": "s", "url": "https://u.example.com",
                             "uaadomain": "example.com", "xsappname": "app!t1", "identityzone": "p"});
    let country = json!({"sap.cloud.service": "country", "uaa": credentials,
                         "url": "https://c.example.com", "endpoints": {"data": {"url": "https://c.example.com"}}});
    let redis = json!({"hostname": "127.0.0.1", "port": 6379, "password": "s"});
    let proxy = json!({"onpremise_proxy_host": "127.0.0.1", "onpremise_proxy_port": "1",
                       "clientid": "c", "clientsecret": "s", "url": "https://u.example.com"});
    let ias = json!({"clientid": "c", "clientsecret": "s", "url": "https://t.accounts.example.com"});
    json!({
        "identity": [{"name": "ias", "label": "identity", "credentials": ias}],
        "xsuaa": [{"name": "uaa", "label": "xsuaa", "tags": ["xsuaa"], "credentials": credentials}],
        "country": [{"name": "country", "label": "country", "credentials": country}],
        "redis-cache": [{"name": "redis", "label": "redis-cache", "credentials": redis}],
        "connectivity": [{"name": "connectivity", "label": "connectivity", "credentials": proxy}],
        "ui5": [{"name": "ui5", "label": "ui5", "plan": "free", "tags": ["sapui5"], "credentials": {}}],
    })
}

/// A folder and an environment in which a row's sample is written, and nothing else of note.
struct Bench {
    app: Map<String, Value>,
    destinations: Value,
    bindings: Value,
    variables: Vec<(&'static str, String)>,
}

impl Bench {
    fn of(place: Place, row: &Documented) -> Self {
        let route = json!({"source": "^/api/(.*)$", "destination": "be", "authenticationType": "xsuaa"});
        let mut app = Map::from_iter([("routes".to_owned(), json!([route]))]);
        let mut destinations = json!({"name": "be", "url": "http://127.0.0.1:1"});
        let mut bindings = bindings();
        let mut variables = vec![("SESSION_SECRET", "a-secret-of-sufficient-length".to_owned())];
        let sample =
            || serde_json::from_str::<Value>(row.sample).unwrap_or_else(|e| panic!("{}: {e}", row.name));
        match place {
            Place::App if row.name.starts_with("routes") => merge(&mut app["routes"][0], &sample()),
            Place::App => app.extend(sample().as_object().unwrap().clone()),
            Place::Destination => merge(&mut destinations, &sample()),
            Place::Binding => {
                bindings[row.name] = json!([{"name": row.name, "label": row.name, "credentials": sample()}]);
            }
            Place::Credential => merge(&mut bindings["country"][0]["credentials"], &sample()),
            Place::Variable => {
                let name = row.name.split(['.', '[']).next().unwrap();
                // An XSUAA is bound for all samples; this one would only take it away.
                variables.extend((name != "VCAP_SERVICES").then(|| (name, row.sample.to_owned())));
            }
            Place::DestinationService | Place::Start | Place::Extension => {}
        }
        if row.name == "routes[].authenticationType: ias" {
            bindings.as_object_mut().unwrap().remove("xsuaa");
            bindings["identity"] = json!([{"name": "i", "label": "identity", "credentials":
                {"clientid": "c", "clientsecret": "s", "url": "https://i.example.com"}}]);
        }
        if row.name == "routes[].destination: *" {
            variables.push(("DESTINATION_HOST_PATTERN", "^([^.]+)\\.example\\.com".to_owned()));
        }
        if row.name.starts_with("services") {
            app["routes"][0] = json!({"source": "^/c/", "service": "country", "endpoint": "data"});
        }
        Self { app, destinations, bindings, variables }
    }

    fn problems(&self) -> (bool, Vec<Problem>) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("web")).unwrap();
        for file in ["web/index.html", "err.html"] {
            fs::write(folder.path().join(file), "<p>{{NAME}}</p>").unwrap();
        }
        fs::write(folder.path().join("xs-app.json"), Value::from(self.app.clone()).to_string()).unwrap();
        let mut environment = Environment::from([
            ("destinations", json!([self.destinations]).to_string()),
            ("VCAP_SERVICES", self.bindings.to_string()),
        ]);
        for (name, value) in &self.variables {
            environment.set(*name, value.clone());
        }
        if let Some(path) = environment.value("XS_CACERT_PATH").map(|_| folder.path().join("ca.pem")) {
            let key = rcgen::generate_simple_self_signed(["ca".to_owned()]).unwrap();
            fs::write(&path, key.cert.pem()).unwrap();
            environment.set("XS_CACERT_PATH", path.display().to_string());
        }
        let secrets = folder.path().join("none");
        let loaded = load(&Sources { secrets, ..Sources::new(folder.path(), environment) });
        (loaded.snapshot.is_some(), loaded.problems.iter().cloned().collect())
    }
}

/// Adds an object's keys to another; `null` takes a key away.
fn merge(into: &mut Value, from: &Value) {
    for (key, value) in from.as_object().unwrap() {
        let into = into.as_object_mut().unwrap();
        if value.is_null() {
            into.remove(key)
        } else {
            into.insert(key.clone(), value.clone())
        };
    }
}

/// The key that problems about a row stand at, without the places of elements.
fn key(place: Place, row: &Documented) -> String {
    let own = row.key().replace("[]", "[0]");
    match place {
        Place::Destination => format!("destinations[0].{own}"),
        Place::Binding => format!("VCAP_SERVICES.{own}"),
        Place::Credential => "VCAP_SERVICES.country".to_owned(),
        Place::App | Place::Variable | Place::DestinationService | Place::Start | Place::Extension => own,
    }
}

/// Whether a problem's key is this one, `*` standing for any name, or below it.
fn concerns(problem: &Problem, key: &str) -> bool {
    let parts: Vec<&str> = problem.key.split('.').collect();
    let wanted: Vec<&str> = key.split('.').collect();
    let fits = |(part, wanted): (&&str, &&str)| *wanted == "*" || part == wanted || part.starts_with(wanted);
    parts.len() >= wanted.len() && parts.iter().zip(&wanted).all(fits)
}

/// What does not fit between a row and the program; `None` where it does.
fn disagreement(place: Place, row: &Documented) -> Option<String> {
    let (up, problems) = Bench::of(place, row).problems();
    let key = key(place, row);
    let about = |code: &dyn Fn(&Problem) -> bool| problems.iter().any(|p| code(p) && concerns(p, &key));
    let errors = problems.iter().any(|problem| problem.severity == Severity::Error);
    let later = problems.iter().any(|problem| problem.code == NOT_SUPPORTED_YET);
    let ignored = about(&|problem: &Problem| problem.code.starts_with("ignored"));
    let refused =
        about(&|problem: &Problem| problem.severity == Severity::Error || problem.code == NOT_SUPPORTED_YET);
    let fits = match row.verdict {
        Verdict::Works | Verdict::Differs => up && !errors && !later && !ignored,
        Verdict::Ignored => up && !errors && !later && ignored == row.noted,
        Verdict::Refused => refused,
    };
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let problems = problems.join("\n    ");
    (!fits).then(|| format!("{place:?} {} is said to be {:?}:\n    {problems}", row.name, row.verdict))
}

#[test]
fn the_program_does_what_the_table_says() {
    let mut wrong = Vec::new();
    for (place, rows) in TABLE {
        if matches!(place, Place::DestinationService | Place::Start | Place::Extension) {
            continue;
        }
        wrong.extend(rows.iter().filter_map(|row| disagreement(place, row)));
    }
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
}

/// The keys of a schema's part, in the table's notation.
fn keys(part: &Value, prefix: &str, found: &mut BTreeSet<String>) {
    for (name, value) in part["properties"].as_object().into_iter().flatten() {
        if name == "$schema" {
            continue;
        }
        let own = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        if prefix != "routes[].scope" {
            found.insert(own.clone());
        }
        keys(value, &own, found);
    }
    for one in part["oneOf"].as_array().into_iter().flatten() {
        keys(one, prefix, found);
    }
    if part["items"].is_object() {
        keys(&part["items"], &format!("{prefix}[]"), found);
    }
    if part["additionalProperties"].is_object() {
        keys(&part["additionalProperties"], &format!("{prefix}.*"), found);
    }
}

#[test]
fn the_table_has_every_key_of_the_schema_and_no_other() {
    let schema: Value = serde_json::from_str(XS_APP).unwrap();
    let mut known = BTreeSet::new();
    keys(&schema, "", &mut known);
    known.retain(|key| !NEW.contains(&key.as_str()));
    let accepted = rows(Place::App).iter().filter(|row| row.verdict != Verdict::Refused);
    let listed: BTreeSet<String> =
        accepted.map(|row| row.key().to_owned()).filter(|key| key != "routes[].scope.*").collect();
    let missing: Vec<_> = known.difference(&listed).collect();
    let unknown: Vec<_> = listed.difference(&known).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "missing {missing:?}, unknown {unknown:?}");
}

#[test]
fn names_are_given_once_and_found() {
    for (place, rows) in TABLE {
        let mut seen = BTreeSet::new();
        for row in rows {
            assert!(seen.insert(row.name), "{place:?}: {} is given twice", row.name);
            let found = find(place, row.key(), row.value()).map(|found| found.name);
            assert_eq!(found, Some(row.name), "{place:?}");
            assert!(row.verdict == Verdict::Works || !row.words.is_empty(), "{}: why?", row.name);
        }
    }
    let any = find(Place::App, "routes[].service", Some("com.example.country"));
    assert_eq!(any.map(|row| row.name), Some("routes[].service"), "a value without a row of its own");
}

/// A row as the documentation has it.
fn line(row: &Documented) -> String {
    let verdict = match row.verdict {
        Verdict::Refused => "**refused**",
        Verdict::Differs => "**differs**",
        Verdict::Ignored => "**ignored**",
        Verdict::Works => "works",
    };
    let code = |text: &str| format!("`{}`", text.replace('|', "\\|"));
    let said = match (row.words, row.instead) {
        (words, "") => words.to_owned(),
        ("", instead) => instead.to_owned(),
        (words, instead) => format!("{words}. Instead: {instead}"),
    };
    format!("| {} | {} | {verdict} | {} |", code(row.name), code(row.sample), said.replace('|', "\\|"))
}

#[test]
fn the_documentation_mirrors_the_table() {
    let page = include_str!("../../../docs/sap-approuter.md");
    let sections: Vec<&str> = page.split("\n## ").skip(1).collect();
    let headings = [
        (Place::App, "`xs-app.json`"),
        (Place::Variable, "Environment variables"),
        (Place::Destination, "Destinations of the environment"),
        (Place::DestinationService, "Destinations of the Destination service"),
        (Place::Binding, "Bound services"),
        (Place::Credential, "Credentials of business services"),
        (Place::Start, "Starting"),
        (Place::Extension, "Extension points"),
    ];
    let mut wrong = Vec::new();
    for (place, heading) in headings {
        let section = sections.iter().find(|section| section.starts_with(heading)).expect(heading);
        let told: Vec<&str> = section.lines().filter(|line| line.starts_with("| `")).collect();
        let expected: Vec<String> = rows(place).iter().map(line).collect();
        if told != expected {
            wrong.push(format!("\n## {heading}\n\n{}\n", expected.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "these tables should be:\n{}", wrong.concat());
}
