//! The folder that the demo serves from.
//!
//! The built-in `xs-app.json` (the project's own) and `xs-tenants.json` are written where there are none,
//! so edits of an earlier demo in the same folder live on. `default-env.json` says where things listen
//! this time and is written at every start; one that the demo did not write is never overwritten.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The project's own routes.
const APPLICATION: &str = include_str!("../../../xs-app.json");
/// Two tenants on `*.localhost`.
const TENANTS: &str = include_str!("xs-tenants.json");
/// How often a free name is looked for.
const ATTEMPTS: usize = 16;

/// The folder to serve from: the one that was named, or a fresh one.
pub(super) fn prepare(named: Option<&Path>) -> io::Result<PathBuf> {
    match named {
        Some(directory) => {
            fs::create_dir_all(directory)?;
            fs::canonicalize(directory)
        }
        None => fresh(),
    }
}

/// A new folder under the system's temporary one, for this user only.
fn fresh() -> io::Result<PathBuf> {
    let candidate = || std::env::temp_dir().join(format!("vestibule-demo-{:08x}", fastrand::u32(..)));
    for directory in std::iter::repeat_with(candidate).take(ATTEMPTS) {
        match private(&directory) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(()) => return fs::canonicalize(directory),
        }
    }
    Err(io::Error::other("no free name for a temporary directory"))
}

#[cfg(unix)]
fn private(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(directory)
}

#[cfg(not(unix))]
fn private(directory: &Path) -> io::Result<()> {
    fs::create_dir(directory)
}

/// Writes the configuration to `directory`.
pub(super) fn write(directory: &Path, environment: &serde_json::Value) -> io::Result<()> {
    write_where_absent(&directory.join("xs-app.json"), APPLICATION)?;
    write_where_absent(&directory.join("xs-tenants.json"), TENANTS)?;
    let path = directory.join("default-env.json");
    if is_foreign(&path)? {
        return Err(io::Error::other(format!("{} is not the demo's; choose another --dir", path.display())));
    }
    fs::write(path, format!("{environment:#}\n"))
}

fn write_where_absent(path: &Path, text: &str) -> io::Result<()> {
    if path.try_exists()? { Ok(()) } else { fs::write(path, text) }
}

/// Whether there is a file that an earlier demo did not write.
fn is_foreign(path: &Path) -> io::Result<bool> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(!text.contains("\"DEMO_ISSUER\"")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn edits_survive_and_addresses_do_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let read = |name| fs::read_to_string(folder.path().join(name)).expect("written");
        write(folder.path(), &json!({"DEMO_ISSUER": "one"})).expect("written");
        assert_eq!(read("xs-app.json"), APPLICATION);
        fs::write(folder.path().join("xs-app.json"), "edited").expect("written");
        write(folder.path(), &json!({"DEMO_ISSUER": "two"})).expect("written");
        assert_eq!(read("xs-app.json"), "edited");
        assert!(read("default-env.json").contains("two"));
    }

    #[test]
    fn somebody_elses_environment_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("default-env.json");
        fs::write(&path, "{}").expect("written");
        assert!(write(folder.path(), &json!({"DEMO_ISSUER": "one"})).is_err());
        assert_eq!(fs::read_to_string(path).expect("kept"), "{}");
    }
}
