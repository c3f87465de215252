//! Tests of `cli::check::human`: tables, each row with what it shows.

use super::*;

fn problem(line: u32, column: u32, key: &str) -> Problem {
    Problem {
        severity: Severity::Error,
        code: "unknown_key",
        file: "xs-app.json".into(),
        line,
        column,
        key: key.into(),
        message: "unknown key \"scpoe\"".into(),
        hint: Some("did you mean \"scope\"?".into()),
    }
}

#[test]
fn a_problem_shows_its_line_with_a_mark_and_the_hint() {
    let problem = problem(3, 7, "routes[0].scpoe");
    let line = shown_line(&problem, &["{", "  \"routes\": [{", "      \"scpoe\": \"read\""]);
    let report = Report { problem: &problem, line, paint: Paint(false) }.to_string();
    assert_eq!(
        report,
        concat!(
            "error[unknown_key]: unknown key \"scpoe\"\n",
            " --> xs-app.json:3:7  routes[0].scpoe\n",
            "  |\n",
            "3 |       \"scpoe\": \"read\"\n",
            "  |       ^^^^^^^\n",
            "  = hint: did you mean \"scope\"?\n",
            "\n",
        )
    );
}

#[test]
fn lines_that_may_hold_a_secret_are_not_shown() {
    for (file, key, line, shown, why) in [
        ("xs-app.json", "routes[0]", "{\"source\": 1}", true, "routes hold no secrets"),
        ("default-env.json", "destinations", "{\"user\": 1}", false, "credentials anywhere"),
        ("xs-tenants.json", "tenants.a.id", "\"id\": 1, \"clientSecret\": \"x\"", false, "beside a secret"),
        ("xs-tenants.json", "defaults.issuer.clientSecret", "\"x\"", false, "the secret's own line"),
        ("environment", "", "", false, "no file"),
    ] {
        let problem = Problem { file: file.into(), ..problem(1, 1, key) };
        assert_eq!(shown_line(&problem, &[line]).is_some(), shown, "{why}");
    }
}

#[test]
fn marks_stand_below_the_token() {
    for (line, column, before, length, shows) in [
        ("\"a\": true", 1, 0, 3, "a string with its quotes"),
        (r#""a\"b": 1"#, 1, 0, 6, "an escaped quote does not end it"),
        ("\"a\": true,", 6, 5, 4, "a word"),
        ("\"a\": {", 6, 5, 1, "a bracket"),
        ("\"ä\": \"ö\"", 6, 5, 3, "columns are characters"),
        ("", 9, 0, 1, "a column behind the end"),
    ] {
        let window = Window::of(line, column);
        assert_eq!((window.before, window.length), (before, length), "{shows}");
    }
}

#[test]
fn long_lines_are_cut_around_the_mark() {
    let line = format!("{}\"here\"{}", " ".repeat(500), "x".repeat(500));
    let window = Window::of(&line, 501);
    assert_eq!(window.text.chars().count(), WIDTH);
    assert_eq!(window.text.chars().skip(window.before).take(6).collect::<String>(), "\"here\"");
}

#[test]
fn nothing_wrong_is_said_so() {
    assert_eq!(sum(&[]), "no problems");
}
