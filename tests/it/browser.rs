//! What a person does in a real browser, Chromium, with everything real around it.
//!
//! What is clicked and typed is in `tests/browser/*.mjs`; a module here for each such story starts what it
//! needs and checks what only the other ends have seen. Pictures are left in `target/screenshots`.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::harness::oidc_provider;

mod application;
mod tenants;

/// When a story is taken for stuck; it takes some 20 seconds where nothing else runs.
const LIMIT: Duration = Duration::from_mins(3);

/// Where the pictures of a story are left.
fn screenshots(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots").join(name)
}

/// Runs the story in `script`, within its limit, and returns what it says.
fn play(script: &str, story: &str) -> (bool, String) {
    let mut child = Command::new("node")
        .arg(oidc_provider::folder().join(script))
        .arg(story)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (sender, lines) = channel();
    let streams: [Box<dyn Read + Send>; 2] =
        [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
    for stream in streams {
        let sender = sender.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                // Nobody listens any more when the limit is over.
                let _ = sender.send(line);
            }
        });
    }
    drop(sender);
    let (deadline, mut said) = (Instant::now() + LIMIT, String::new());
    while let Ok(line) = lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        said.push_str(&line);
        said.push('\n');
    }
    (ended_well(&mut child, deadline), said)
}

/// Whether it ended, and ended well; a browser that hangs ends with its driver.
fn ended_well(child: &mut Child, deadline: Instant) -> bool {
    if Instant::now() >= deadline {
        let _ = child.kill();
    }
    child.wait().unwrap().success()
}
