//! What is written about answers: accepted, refused, told where.

use std::fs;

use serde_json::json;
use vestibule::config::{Environment, Severity};
use vestibule::snapshot::ErrorPage;

use super::{folder, load};

/// Errors and warnings, by code and key.
fn found(app: &serde_json::Value, variables: &[(&str, String)]) -> (bool, Vec<String>) {
    let folder = folder(&app.to_string());
    let loaded = load(folder.path(), variables.iter().map(|(name, value)| (*name, value.clone())).collect());
    let problems = loaded.problems.iter().filter(|problem| problem.severity != Severity::Note);
    let found = problems.map(|problem| format!("{} {} {}", problem.severity, problem.code, problem.key));
    (loaded.snapshot.is_some(), found.collect())
}

#[test]
fn headers_that_cannot_be_sent_are_refused_with_their_place() {
    for (name, value, problem, shows) in [
        ("X-A", "1", None, "a header"),
        ("X-A", "", None, "without a value"),
        ("content-security-policy", "default-src 'self'; img-src *", None, "a policy"),
        ("X-A", "a\r\nSet-Cookie: a=1", Some("value"), "a second header"),
        ("X-A", "a\nb", Some("value"), "a line break"),
        ("X-A", "a\rb", Some("value"), "half a line break"),
        ("X-A", "a\u{0}b", Some("value"), "a NUL"),
        ("X-A", "Grüße", Some("value"), "not ASCII"),
        ("X A", "1", Some("name"), "a space"),
        ("X-A:", "1", Some("name"), "a colon"),
        ("X-A\r\nX-B", "1", Some("name"), "a line break in the name"),
        ("Set-Cookie", "a=1", Some("name"), "a cookie"),
        ("Authorization", "x", Some("name"), "documented as forbidden"),
        ("Content-Length", "1", Some("name"), "framing"),
        ("transfer-encoding", "chunked", Some("name"), "framing"),
        ("Connection", "close", Some("name"), "hop by hop"),
        ("Content-Encoding", "gzip", Some("name"), "not what the content is"),
    ] {
        let app = json!({"authenticationMethod": "none", "routes": [], "responseHeaders": [{"name": name, "value": value}]});
        let expected = problem.map(|part| format!("error unusable_header responseHeaders[0].{part}"));
        let expected: Vec<String> = expected.into_iter().collect();
        assert_eq!(found(&app, &[]), (expected.is_empty(), expected), "{name:?}: {value:?}: {shows}");
        let app = json!({"authenticationMethod": "none", "routes": []});
        let (up, errors) = found(&app, &[("httpHeaders", json!([{name: value}]).to_string())]);
        assert_eq!(
            (up, errors.len()),
            (problem.is_none(), usize::from(problem.is_some())),
            "{name:?}: {value:?}"
        );
        assert!(
            errors.iter().all(|error| error.starts_with("error unusable_header httpHeaders")),
            "{errors:?}"
        );
    }
}

#[test]
fn pages_that_change_nothing_are_warned_of() {
    for (pages, problem, shows) in [
        (json!([{"status": 404, "file": "err.html"}]), None, "a file"),
        (json!([{"status": 404, "file": "/err.html"}]), None, "from the folder's root"),
        (json!([{"status": 404, "path": "/lost"}]), None, "a path"),
        (
            json!([{"status": 404, "file": "none.html"}]),
            Some("warning missing_file errorPage[0].file"),
            "no such file",
        ),
        (json!([{"status": 404, "file": "web"}]), Some("warning missing_file errorPage[0].file"), "a folder"),
        (json!([{"status": 404}]), Some("warning no_error_page errorPage[0]"), "neither"),
        (
            json!([{"status": [404, 404], "file": "err.html"}]),
            Some("warning duplicate_error_page errorPage[0]"),
            "twice",
        ),
        (
            json!([{"status": 600, "file": "err.html"}]),
            Some("error out_of_range errorPage[0].status"),
            "no status",
        ),
        (json!([{"status": [], "file": "err.html"}]), Some("error empty_value errorPage[0].status"), "none"),
        (
            json!([{"status": 404, "path": "/a/../b"}]),
            Some("error unusable_path errorPage[0].path"),
            "no canonical path",
        ),
        (
            json!([{"status": 404, "path": "/a\r\nX-Evil: 1"}]),
            Some("error unusable_path errorPage[0].path"),
            "a line break",
        ),
    ] {
        let app = json!({"authenticationMethod": "none", "routes": [], "errorPage": pages});
        let expected: Vec<String> = problem.map(str::to_owned).into_iter().collect();
        let up = !expected.iter().any(|problem| problem.starts_with("error"));
        assert_eq!(found(&app, &[]), (up, expected), "{pages}: {shows}");
    }
}

#[test]
fn what_is_written_is_in_force_and_its_files_are_watched() {
    let app = json!({"authenticationMethod": "none", "routes": [], "compression": {"minSize": 7, "enabled": true},
                     "responseHeaders": [{"name": "X-A", "value": "1"}],
                     "errorPage": [{"status": [404, 403], "file": "err.html"}, {"status": 500, "path": "p"}]});
    let folder = folder(&app.to_string());
    fs::create_dir(folder.path().join("deep")).unwrap();
    let variables =
        [("COMPRESSION", r#"{"compressResponseMixedTypeContent": true}"#), ("MERGE_CSP_HEADERS", "true")];
    let loaded = load(folder.path(), Environment::from(variables));
    assert!(loaded.watched.contains(&folder.path().join("err.html")), "{:?}", loaded.watched);
    let snapshot = loaded.snapshot.unwrap();
    let compression = snapshot.answers.compression.unwrap();
    assert_eq!((compression.min_size, compression.mixed), (7, true));
    let page = |status: u16| snapshot.answers.error_pages.of(status.try_into().unwrap());
    assert!(matches!(page(403), Some(ErrorPage::File { content, .. }) if content == "<p>error</p>"));
    assert!(matches!(page(500), Some(ErrorPage::Path(path)) if path.location() == "/p"));
    assert!(page(400).is_none());
    let told: Vec<_> =
        snapshot.settings.iter().map(|it| (it.key.as_str(), it.value.as_str(), it.origin.as_str())).collect();
    for expected in [
        ("compression.minSize", "7", "xs-app.json:1:"),
        ("COMPRESSION.compressResponseMixedTypeContent", "true", "COMPRESSION"),
        ("MERGE_CSP_HEADERS", "true", "MERGE_CSP_HEADERS"),
        ("responseHeaders.X-A", "\"1\"", "xs-app.json:1:"),
        ("errorPage[0]", "\"err.html\"", "xs-app.json:1:"),
        ("errorPage[1]", "\"p\"", "xs-app.json:1:"),
    ] {
        let is_told = told.iter().any(|(key, value, origin)| {
            (*key, *value) == (expected.0, expected.1) && origin.starts_with(expected.2)
        });
        assert!(is_told, "{expected:?} is not among {told:?}");
    }
}
