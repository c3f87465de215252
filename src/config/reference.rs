//! Strings that stand elsewhere: `{"env": "NAME"}` and `{"file": "path"}`.
//!
//! Remembers which files were read, so that a reload can watch them. A file's one final line break is
//! not part of its value, since editors and `kubectl create secret` disagree about it. A closed set of
//! references resolves nothing: reading a configuration text alone touches no file.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::env::Environment;

/// The longest file that is taken as a value, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// Where values come from that stand elsewhere.
#[derive(Debug, Default)]
pub(crate) struct References<'e> {
    source: Option<(&'e Environment, &'e Path)>,
    read: Vec<PathBuf>,
    /// Whether issuers are left out: another one stands in, and what they refer to need not be there.
    pub(crate) without_issuers: bool,
}

impl<'e> References<'e> {
    /// Values of an environment, and files relative to a folder.
    pub(crate) fn new(environment: &'e Environment, folder: &'e Path) -> Self {
        Self { source: Some((environment, folder)), ..Self::default() }
    }

    /// The files that were asked for.
    pub(crate) fn into_read(self) -> Vec<PathBuf> {
        self.read
    }

    /// The value of a variable.
    pub(crate) fn variable(&self, name: &str) -> Result<String, String> {
        let Some((environment, _)) = self.source else { return Ok(String::from("env")) };
        environment
            .value(name)
            .map(str::to_owned)
            .ok_or_else(|| format!("the environment variable `{name}` is not set"))
    }

    /// The bytes of a file; nothing where no file may be touched.
    pub(crate) fn bytes(&mut self, path: &str) -> Option<std::io::Result<Vec<u8>>> {
        let (_, folder) = self.source?;
        let full = folder.join(path);
        self.read.push(full.clone());
        Some(read(&full))
    }

    /// What a file holds.
    pub(crate) fn file(&mut self, path: &str) -> Result<String, String> {
        let Some((_, folder)) = self.source else { return Ok(String::from("file")) };
        let full = folder.join(path);
        self.read.push(full.clone());
        let text = read(&full).and_then(|bytes| String::from_utf8(bytes).map_err(std::io::Error::other));
        let mut text = text.map_err(|error| format!("`{path}` cannot be read: {error}"))?;
        let line =
            text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
        text.truncate(line.len());
        Ok(text)
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(std::io::Error::other("it is longer than 1 MiB"));
    }
    Ok(bytes)
}
