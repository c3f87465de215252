//! Every named seed and every kept finding of the fuzz targets, replayed.
//!
//! It includes the targets' own file and needs neither a nightly compiler nor a sanitizer, so that what
//! was found once is checked on every run.

#[path = "../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "it is the library of another package, read in place")]
mod targets;

use std::path::Path;

type Run = fn(&[u8]);

const TARGETS: [(&str, Run); 11] = [
    ("request", targets::request),
    ("host", targets::host),
    ("host_pattern", targets::host_pattern),
    ("pattern", targets::pattern),
    ("target", targets::target),
    ("xs_app", targets::xs_app),
    ("xs_tenants", targets::xs_tenants),
    ("token", targets::token),
    ("guard", targets::guard),
    ("session_cookie", targets::session_cookie),
    ("frames", targets::frames),
];

#[test]
fn no_input_that_was_ever_kept_fails() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    for (name, run) in TARGETS {
        let mut count = 0;
        for folder in ["seeds", "corpus"] {
            let Ok(entries) = std::fs::read_dir(root.join(folder).join(name)) else { continue };
            for entry in entries {
                let path = entry.unwrap().path();
                let bytes = std::fs::read(&path).unwrap();
                let outcome = std::panic::catch_unwind(|| run(&bytes));
                assert!(outcome.is_ok(), "{} fails", path.display());
                count += 1;
            }
        }
        assert!(count > 0, "{name} has no seeds");
    }
}

#[test]
fn every_target_is_replayed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
        assert!(TARGETS.iter().any(|(target, _)| *target == name), "{name} is not replayed");
    }
}
