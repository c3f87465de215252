//! Finds the application routers of a project.
//!
//! An approuter module of `mta.yaml`, an application of `manifest.yml` that has an `xs-app.json`, or the
//! folder itself; where there is none of them, every folder that has an `xs-app.json` beside a
//! `package.json` with `@sap/approuter`. Every other `xs-app.json` belongs to an HTML5 application, and no
//! router reads it. Folders of tools and builds are left out, and links are not followed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::finding::{Finding, Kind, Outcome, Spot};
use super::{manifest, mta};
use crate::config::document::{Unreadable, Value};

/// Folders that hold nothing that people write.
const SKIPPED: [&str; 7] =
    ["node_modules", "target", "dist", "build", "gen", "mta_archives", "resources_gen"];
/// How many folders are looked into at most.
const FOLDERS: usize = 5_000;
/// How deep.
const DEPTH: usize = 8;
/// The longest file that is read, in bytes.
const LONGEST: u64 = 4 * 1024 * 1024;

/// A variable that is written for a router.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) value: Value,
    pub(super) spot: Spot,
}

/// A service that is bound to a router, by the name of its instance.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) name: String,
    /// What kind of service it is; `None` where the project does not say.
    pub(super) label: Option<String>,
    pub(super) spot: Spot,
}

/// One application router.
#[derive(Clone, Debug, Default)]
pub(super) struct Router {
    /// The module, the application, or the folder.
    pub(super) name: String,
    /// Its folder below the project's; empty for the project's own.
    pub(super) folder: String,
    pub(super) settings: Vec<Setting>,
    pub(super) bound: Vec<Bound>,
    /// The command that starts it, where that is not `npm start`.
    pub(super) command: Option<(String, Spot)>,
    /// What was found while finding it.
    pub(super) findings: Vec<Finding>,
}

impl Router {
    /// A router of this folder of which nothing else is known.
    pub(super) fn of(folder: &str) -> Self {
        let name = if folder.is_empty() { "." } else { folder };
        Self { name: name.to_owned(), folder: folder.to_owned(), ..Self::default() }
    }

    /// A file of its folder, as the project's folder names it.
    pub(super) fn file(&self, name: &str) -> String {
        if self.folder.is_empty() { name.to_owned() } else { format!("{}/{name}", self.folder) }
    }
}

/// All routers of a project; what cannot be read on the way is added to `findings`.
pub(super) fn routers(directory: &Path, findings: &mut Vec<Finding>) -> Vec<Router> {
    let mut routers = mta::routers(directory, findings);
    routers.extend(manifest::routers(directory, findings));
    let mut seen = BTreeSet::new();
    routers.retain(|router| seen.insert(router.folder.clone()));
    if directory.join("xs-app.json").is_file() && seen.insert(String::new()) {
        routers.push(Router::of(""));
    }
    if routers.is_empty() {
        let folders = application_folders(directory);
        let (own, html5): (Vec<_>, Vec<_>) =
            folders.into_iter().partition(|folder| has_approuter(&directory.join(folder)));
        routers = if own.is_empty() { html5 } else { own }.iter().map(|folder| Router::of(folder)).collect();
    }
    routers
}

/// The `xs-app.json` of HTML5 applications, which no router reads.
pub(super) fn other_files(directory: &Path, routers: &[Router]) -> Vec<Finding> {
    let is_other = |folder: &String| !routers.iter().any(|router| router.folder == *folder);
    let folders = application_folders(directory).into_iter().filter(is_other);
    folders
        .map(|folder| {
            let spot = Spot { file: format!("{folder}/xs-app.json"), line: 1, column: 1 };
            let mut finding = Finding::new(Kind::File, Outcome::Ignored, spot.file.clone(), spot)
                .because(
                    "this belongs to an HTML5 application, for the HTML5 Application Repository; a router \
                     reads the `xs-app.json` of its own folder alone",
                )
                .instead(
                    "serve the built application with `localDir`, and move these routes to the router's",
                );
            "xs-app.json of an HTML5 application".clone_into(&mut finding.topic);
            finding
        })
        .collect()
}

/// The folders that have an `xs-app.json`, below the project's.
fn application_folders(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![(String::new(), 0)];
    let mut looked = 0;
    while let Some((folder, depth)) = waiting.pop() {
        looked += 1;
        if looked > FOLDERS {
            break;
        }
        let path = directory.join(&folder);
        if path.join("xs-app.json").is_file() {
            found.push(folder.clone());
        }
        if depth < DEPTH {
            let below = |name: String| if folder.is_empty() { name } else { format!("{folder}/{name}") };
            waiting.extend(subfolders(&path).into_iter().map(|name| (below(name), depth + 1)));
        }
    }
    found.sort();
    found
}

fn subfolders(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).into_iter().flatten().filter_map(Result::ok);
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let names = folders.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| !name.starts_with('.') && !SKIPPED.contains(&name.as_str())).collect()
}

/// Whether a folder's `package.json` depends on the application router.
pub(super) fn has_approuter(folder: &Path) -> bool {
    let read = read(folder, "package.json").and_then(|text| Value::from_json(&text).ok());
    read.is_some_and(|package| package.at(&["dependencies", "@sap/approuter"]).is_some())
}

/// A path below the project, without `.` and `./`; `None` where it leads out of it.
pub(super) fn below(folder: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in Path::new(folder).components() {
        match part {
            Component::Normal(name) => parts.push(name.to_str()?.to_owned()),
            Component::CurDir => {}
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

/// The text of a file of the project, where it is there and no more than people write.
pub(super) fn read(folder: &Path, name: &str) -> Option<String> {
    let path: PathBuf = folder.join(name);
    let length = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?.len();
    let bytes = (length <= LONGEST).then(|| fs::read(&path).ok())??;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// A file that is not what it should be.
pub(super) fn unreadable(file: &str, error: Unreadable) -> Finding {
    let spot = Spot { file: file.to_owned(), line: error.line, column: error.column };
    Finding::new(Kind::File, Outcome::Refused, file, spot).because(error.message)
}
