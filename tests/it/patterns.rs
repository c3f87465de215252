//! Patterns and targets against what JavaScript says about them.
//!
//! `tests/cases/patterns.jsonl` is a table over the whole syntax, written by `patterns.mjs` beside it with
//! Node. A second table of patterns out of real configurations is compared where it is at hand: in the
//! directory that `VESTIBULE_SHARED` names, or beside the package.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use vestibule::route::pattern::{Pattern, Steps};
use vestibule::route::target::Template;

#[derive(Deserialize)]
struct Row {
    source: String,
    icase: bool,
    target: Option<String>,
    error: Option<String>,
    #[serde(default)]
    expect: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    url: String,
    groups: Option<Vec<Option<String>>>,
    rewritten: Option<String>,
}

impl Row {
    /// What differs from JavaScript.
    fn differences(&self) -> Vec<String> {
        let context = format!("/{}/{}", self.source, if self.icase { "i" } else { "" });
        match (Pattern::compile(&self.source, !self.icase), &self.error) {
            (Err(ours), Some(theirs)) if ours.reason.to_string() == *theirs => Vec::new(),
            (Err(ours), theirs) => vec![format!("{context}: {ours}, JavaScript says {theirs:?}")],
            (Ok(_), Some(theirs)) => vec![format!("{context}: compiles, JavaScript says {theirs}")],
            (Ok(pattern), None) => {
                let each = self.expect.iter().filter_map(|expected| expected.difference(self, &pattern));
                each.map(|difference| format!("{context} {difference}")).collect()
            }
        }
    }
}

impl Expected {
    fn difference(&self, row: &Row, pattern: &Pattern) -> Option<String> {
        let found = pattern.find(&self.url, &mut Steps::default()).expect("enough steps");
        let matches = pattern.is_match(&self.url, &mut Steps::default()).expect("enough steps");
        let groups = found.as_ref().map(|groups| {
            let each = (0..=pattern.group_count()).map(|group| groups.of(&self.url, group));
            each.map(|group| group.map(str::to_owned)).collect::<Vec<_>>()
        });
        let rewritten = found.as_ref().zip(row.target.as_deref());
        let rewritten =
            rewritten.map(|(groups, target)| Template::compile(target, pattern).replace(&self.url, groups));
        let same = groups == self.groups && rewritten == self.rewritten && matches == self.groups.is_some();
        (!same).then(|| {
            let ours = format!("{groups:?} -> {rewritten:?}");
            let theirs = format!("{:?} -> {:?}", self.groups, self.rewritten);
            format!("on {:?} with target {:?}: {ours}, JavaScript says {theirs}", self.url, row.target)
        })
    }
}

fn compare(table: &Path, at_least: usize) {
    let text = std::fs::read_to_string(table).expect("the table can be read");
    let rows: Vec<Row> = text.lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
    assert!(rows.len() >= at_least, "only {} rows", rows.len());
    let differences: Vec<String> = rows.iter().flat_map(Row::differences).collect();
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn the_syntax_means_what_it_means_in_javascript() {
    compare(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/patterns.jsonl"), 300);
}

#[test]
fn patterns_of_real_configurations_mean_what_they_mean_in_javascript() {
    let shared = std::env::var_os("VESTIBULE_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let table = shared.join("corpus/patterns.jsonl");
    if table.exists() {
        compare(&table, 400);
    } else {
        println!("skipped: there is no {}", table.display());
    }
}
