//! The observed cases: what the SAP application router did, and what we do.
//!
//! `tests/cases/observed` holds one request a line with the answer that was seen. Each configuration is
//! started as it is, less the keys that are not supported yet; every case of it is sent, and compared in
//! what must agree. Where we differ on purpose, `tests/cases/differences.md` names the case and says
//! why: a difference that is not listed fails, and so does a listed case that agrees.

mod compare;
mod configuration;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use configuration::Running;
use serde_json::Value;

use super::harness::{Client, from_latin1};

struct Case {
    id: String,
    config: String,
    value: Value,
}

fn cases() -> Vec<Case> {
    let lines = include_str!("../cases/observed/cases.jsonl").lines();
    let text = |value: &Value, key: &str| value[key].as_str().unwrap().to_owned();
    lines
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|value| Case { id: text(&value, "id"), config: text(&value, "config"), value })
        .collect()
}

/// The case ids that `differences.md` lists, each between backticks; `a-1…a-5` is not a form of it.
fn listed() -> BTreeSet<String> {
    let text = include_str!("../cases/differences.md");
    let words = text.split('`').skip(1).step_by(2);
    words
        .filter(|word| word.contains('-') && word.ends_with(|c: char| c.is_ascii_digit()))
        .map(str::to_owned)
        .collect()
}

/// What differs between a case and what happened now.
fn differences(case: &Case, running: &mut Running) -> Vec<String> {
    if case.value["setup"].as_str().is_some_and(|setup| setup.starts_with("login")) {
        running.log_in();
    }
    let raw = running.fill(case.value["request"]["raw"].as_str().unwrap());
    let mut client = Client::connect(running.server.address);
    // No case takes long; the one that is answered in another protocol is not waited for.
    client.stream().set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    client.send(from_latin1(&raw));
    let head_only = raw.starts_with("HEAD ");
    let reply = client.read_to(head_only);
    let expected = running.fill_value(&case.value["expect"]);
    // An answer that breaks off is compared as far as it came.
    let reply = reply.ok().or(client.broken.take());
    compare::differences(&expected, reply.as_ref(), &running.seen())
}

#[test]
fn what_was_observed_agrees_or_is_listed() {
    let mut by_config: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for case in cases() {
        by_config.entry(case.config.clone()).or_default().push(case);
    }
    let listed = listed();
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for (config, cases) in &by_config {
        let mut running = match Running::start(config) {
            Ok(running) => running,
            Err(log) => {
                // The whole configuration is refused: each of its cases must be listed.
                for case in cases.iter().filter(|case| !listed.contains(&case.id)) {
                    wrong.push(format!("{}: {config} does not start: {log}", case.id));
                }
                seen.extend(cases.iter().map(|case| case.id.clone()));
                continue;
            }
        };
        for case in cases {
            seen.insert(case.id.clone());
            let found = differences(case, &mut running);
            match (found.is_empty(), listed.contains(&case.id)) {
                (true, true) => wrong.push(format!("{}: it agrees; take it off the list", case.id)),
                (false, false) => wrong.push(format!("{}: {}", case.id, found.join("; "))),
                (true, false) | (false, true) => {}
            }
        }
    }
    let unknown: Vec<&String> = listed.difference(&seen).collect();
    assert!(unknown.is_empty(), "listed and never run: {unknown:?}");
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), seen.len(), wrong.join("\n"));
}
