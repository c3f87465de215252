//! Keeps the house as its rules say: who may name whom, which crate lives where, how long things get.
//!
//! It reads `src/lib.rs` for the order of the modules and every file below `src` for the rest. It is a
//! plain text scan that relies on `rustfmt`: comments and test modules are left out, an item ends at
//! the brace in its own column. A module that it does not know fails, so that each gets its place.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The stages, in the order of a request: each may name those before it.
const STAGES: [&str; 7] = ["request", "tenant", "session", "auth", "route", "destination", "forward"];

/// Names nothing of the crate, and may be named by all.
const GROUND: [&str; 3] = ["clock", "observe", "secret"];

/// Modules that are neither stage nor ground, and what they may name besides the ground.
const MAY_NAME: [(&str, &[&str]); 12] = [
    ("listener", &["request"]),
    ("error", &["STAGES"]),
    ("snapshot", &["STAGES"]),
    ("response", &["STAGES", "error", "snapshot"]),
    ("config", &["STAGES", "snapshot"]),
    ("reload", &["STAGES", "snapshot", "config"]),
    // An endpoint ends early by the same table as everything else.
    ("endpoint", &["STAGES", "snapshot", "error", "response"]),
    ("pipeline", &["STAGES", "listener", "snapshot", "error", "response", "endpoint", "reload"]),
    ("admin", &["STAGES", "snapshot", "pipeline", "reload", "config", "listener", "response"]),
    (
        "cli",
        &["STAGES", "snapshot", "endpoint", "pipeline", "reload", "config", "listener", "admin", "response"],
    ),
    ("server", &["STAGES", "snapshot", "pipeline", "reload", "config", "listener", "admin", "response"]),
    ("main", &["STAGES", "cli"]),
];

/// Crates that have a home: path prefixes below `src` where the crate may be named.
const HOMES: [(&str, &[&str]); 16] = [
    ("cookie_store", &["session/jar"]),
    ("jsonwebtoken", &["auth", "cli/demo"]),
    (
        "rustls",
        &[
            "listener",
            "forward",
            "snapshot",
            "config/compile",
            "auth/fetch",
            "auth/keys",
            "cli/serve/settings",
            "session/redis",
        ],
    ),
    ("tokio_rustls", &["listener", "forward", "session/redis"]),
    ("redis", &["session/redis"]),
    ("hyper_rustls", &["auth"]),
    ("oauth2", &["auth/login"]),
    ("notify", &["reload"]),
    ("aho_corasick", &["route/choice"]),
    ("arc_swap", &["reload", "snapshot", "listener", "auth"]),
    ("jsonc_parser", &["config"]),
    ("saphyr", &["config/document"]),
    ("clap", &["cli", "main"]),
    ("compression_codecs", &["response/compress"]),
    ("governor", &["tenant/limit"]),
    ("prometheus_client", &["observe"]),
];

/// What no stage may name: serialisation, files and the environment belong to `config`.
const NOT_IN_STAGES: [&str; 5] = ["serde::", "serde_json::", "std::fs", "std::env", "tokio::fs"];

/// Files of stages that read a serialised form by their nature, and why.
const STAGE_EXCEPTIONS: [(&str, &str); 3] = [
    ("auth/json.rs", "tokens and key sets are JSON, and have to be read strictly"),
    ("auth/login/exchange.rs", "the token endpoint answers JSON, and OpenID Connect adds a member to it"),
    ("forward/files.rs", "serves files"),
];

struct Source {
    /// Path below `src`, with `/`.
    name: String,
    /// The text as it is.
    text: String,
    /// Lines without comments and without what only tests compile.
    code: Vec<String>,
}

impl Source {
    fn read(root: &Path, path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        let code = if is_test_file(&name) { Vec::new() } else { production_lines(&text) };
        Self { name, text, code }
    }

    /// The top-level module the file belongs to.
    fn module(&self) -> &str {
        self.name.split(['/', '.']).next().unwrap()
    }

    fn is_below(&self, homes: &[&str]) -> bool {
        let stem = self.name.trim_end_matches(".rs");
        homes
            .iter()
            .any(|home| stem.strip_prefix(home).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    }
}

fn is_test_file(name: &str) -> bool {
    name.ends_with("/tests.rs") || name.contains("/tests/")
}

fn production_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut skipping: Option<String> = None;
    let mut test_only = false;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        if let Some(end) = &skipping {
            if line == end {
                skipping = None;
            }
            lines.push(String::new());
            continue;
        }
        if line.trim() == "#[cfg(test)]" {
            test_only = true;
            lines.push(String::new());
            continue;
        }
        if test_only && !line.trim_start().starts_with("#[") {
            test_only = false;
            if line.ends_with('{') {
                skipping = Some(format!("{}}}", " ".repeat(indent)));
            }
            lines.push(String::new());
            continue;
        }
        lines.push(if line.trim_start().starts_with("//") { String::new() } else { line.to_owned() });
    }
    lines
}

fn sources() -> Vec<Source> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(Source::read(&root, &path));
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// The modules of the crate that `line` names by `crate::` or `vestibule::`.
fn named_modules(code: &[String]) -> BTreeSet<String> {
    let text = code.join("\n");
    let mut named = BTreeSet::new();
    for prefix in ["crate::", "vestibule::"] {
        for (at, _) in text.match_indices(prefix) {
            if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
                continue;
            }
            let rest = &text[at + prefix.len()..];
            match rest.strip_prefix('{') {
                Some(list) => named.extend(top_level_names(list)),
                None => named.extend(leading_name(rest)),
            }
        }
    }
    named
}

fn leading_name(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let name = &text[..end];
    name.starts_with(|c: char| c.is_ascii_lowercase()).then(|| name.to_owned())
}

/// The first names of the items of a braced import, `a::{b, c}, d` being `a` and `d`.
fn top_level_names(list: &str) -> Vec<String> {
    let mut depth = 0_i32;
    let mut items = vec![String::new()];
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => items.push(String::new()),
            _ if depth == 0 => items.last_mut().unwrap().push(c),
            _ => {}
        }
    }
    items.iter().filter_map(|item| leading_name(item.trim())).collect()
}

fn allowed(module: &str) -> Option<BTreeSet<&'static str>> {
    let mut names: BTreeSet<&str> = GROUND.into_iter().collect();
    if GROUND.contains(&module) {
        return Some(BTreeSet::new());
    }
    if let Some(place) = STAGES.iter().position(|stage| *stage == module) {
        names.extend(&STAGES[..place]);
        return Some(names);
    }
    let (_, listed) = MAY_NAME.iter().find(|(name, _)| *name == module)?;
    for name in *listed {
        if *name == "STAGES" { names.extend(STAGES) } else { names.extend([*name]) }
    }
    Some(names)
}

#[test]
fn modules_name_only_what_stands_before_them() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| source.name != "lib.rs") {
        let module = source.module();
        let Some(allowed) = allowed(module) else {
            wrong.push(format!("{}: the module has no place in tests/it/architecture.rs", source.name));
            continue;
        };
        for named in named_modules(&source.code) {
            if named != module && !allowed.contains(named.as_str()) {
                wrong.push(format!("{}: `{module}` must not name `{named}`", source.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_stages_stand_in_the_order_of_a_request() {
    let text = include_str!("../../src/lib.rs");
    let order: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub mod ")?.strip_suffix(';'))
        .filter(|name| STAGES.contains(name))
        .collect();
    let expected: Vec<&str> = STAGES.into_iter().filter(|stage| order.contains(stage)).collect();
    assert_eq!(order, expected);
}

#[test]
fn stages_know_no_serialisation_files_or_environment() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| STAGES.contains(&source.module())) {
        if STAGE_EXCEPTIONS.iter().any(|(file, _)| *file == source.name) {
            continue;
        }
        for (number, line) in source.code.iter().enumerate() {
            for forbidden in NOT_IN_STAGES.iter().filter(|forbidden| line.contains(**forbidden)) {
                wrong.push(format!("{}:{}: a stage names `{forbidden}`", source.name, number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn outside_crates_stay_in_their_homes() {
    let mut wrong = Vec::new();
    for source in &sources() {
        for (outside, homes) in HOMES {
            let strayed = |line: &&String| mentions_crate(line, outside);
            if !source.is_below(homes) && source.code.iter().any(|line| strayed(&line)) {
                wrong.push(format!("{}: `{outside}` lives in {}", source.name, homes.join(", ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn mentions_crate(line: &str, name: &str) -> bool {
    let path = format!("{name}::");
    line.match_indices(&path)
        .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'))
}

#[test]
fn each_file_begins_with_what_it_is() {
    let mut wrong = Vec::new();
    for source in &sources() {
        let lines = source.text.lines().take_while(|line| line.starts_with("//!")).count();
        let fits =
            if is_test_file(&source.name) { (0..=12).contains(&lines) } else { (3..=12).contains(&lines) };
        if !fits {
            wrong.push(format!("{}: {lines} lines of `//!`, 3 to 12 are asked for", source.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_and_no_function_is_too_long() {
    let mut wrong = Vec::new();
    for source in &sources() {
        let length = source.text.lines().count();
        if length > 500 {
            wrong.push(format!("{}: {length} lines, at most 500", source.name));
        }
        for (name, line, length) in functions(&source.text).into_iter().filter(|(_, _, length)| *length > 60)
        {
            wrong.push(format!("{}:{line}: `{name}` has {length} lines, at most 60", source.name));
        }
        if source.name.ends_with("mod.rs") {
            wrong.push(format!("{}: `foo.rs` beside `foo/`, never `mod.rs`", source.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Name, first line and number of lines of each function with a body.
fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let end = format!("{}}}", " ".repeat(line.len() - line.trim_start().len()));
        if line.ends_with('}') || line.ends_with(';') {
            continue;
        }
        if let Some(length) = lines[start..].iter().position(|line| *line == end) {
            found.push((name, start + 1, length + 1));
        }
    }
    found
}

fn function_name(line: &str) -> Option<String> {
    let mut rest = line.trim_start();
    for word in ["pub(crate) ", "pub(super) ", "pub ", "const ", "async ", "unsafe "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    leading_name(rest.strip_prefix("fn ")?)
}

#[test]
fn the_scan_sees_what_it_should() {
    let text = "//! x\nuse crate::{tenant::{A, B}, route};\n// crate::config\n#[cfg(test)]\nmod tests {\n    use crate::error;\n}\n";
    let named: Vec<String> = named_modules(&production_lines(text)).into_iter().collect();
    assert_eq!(named, ["route", "tenant"]);
    assert!(
        mentions_crate("use rustls::Client;", "rustls") && !mentions_crate("use tokio_rustls::X;", "rustls")
    );
    let body = format!("fn long() {{\n{}}}\n", "    step();\n".repeat(61));
    assert_eq!(functions(&body), [("long".to_owned(), 1, 63)]);
}
