//! The demo of the real binary does what it prints.
//!
//! The commands are read from what it prints and carried out: each `curl` is sent, each `sed` is applied,
//! and each answer's status is compared with the one that the comment above the command promises.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::harness::browser::{Browser, Page};
use super::harness::{Client, DEADLINE, Reply};

/// A running demo.
pub(super) struct Demo {
    child: Child,
    lines: Receiver<String>,
    /// What it printed before it listened.
    introduction: Vec<String>,
    folder: tempfile::TempDir,
}

/// What a printed command says, without its shell.
#[derive(Debug, Default)]
struct Curl {
    method: String,
    headers: Vec<(String, String)>,
    url: String,
}

impl Demo {
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_vestibule"))
            .args(["demo", "--port", "0", "--dir"])
            .arg(folder.path())
            // Nothing of the caller's environment may matter.
            .env("destinations", "[{\"name\": \"backend\", \"url\": \"http://192.0.2.1\"}]")
            .env("TENANT_HOST_PATTERN", "^(nobody)$")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let streams: [Box<dyn std::io::Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for stream in streams {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    // Nobody listens any more when the test is over.
                    let _ = sender.send(line);
                }
            });
        }
        let mut demo = Self { child, lines, introduction: Vec::new(), folder };
        demo.introduction = demo.lines_until("listening on");
        demo
    }

    /// The issuer of a tenant, as the demo prints it.
    pub(super) fn issuer(&self, tenant: &str) -> String {
        let mut words = self.introduction.iter().flat_map(|line| line.split_whitespace());
        let found = words.find_map(|word| word.strip_suffix(&format!("/{tenant}/sessions")));
        format!(
            "{}/{tenant}",
            found.unwrap_or_else(|| panic!("no issuer of {tenant}: {:#?}", self.introduction))
        )
    }

    /// The lines up to and with the first that contains `text`.
    fn lines_until(&self, text: &str) -> Vec<String> {
        let deadline = Instant::now() + DEADLINE;
        let mut seen = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left);
            let line = line.unwrap_or_else(|_| panic!("the demo never said {text:?}:\n{}", seen.join("\n")));
            seen.push(line);
            if seen.last().is_some_and(|line| line.contains(text)) {
                return seen;
            }
        }
    }
}

impl Demo {
    /// The first printed address that ends so.
    fn address(&self, host: &str, path: &str) -> String {
        let words = self.introduction.iter().flat_map(|line| line.split_whitespace());
        let mut urls = words.filter(|word| word.starts_with("http://"));
        let url = urls.find(|url| url.contains(host) && url.ends_with(path));
        url.unwrap_or_else(|| panic!("no address of {host} with {path}: {:#?}", self.introduction)).to_owned()
    }

    /// Logs in at `tenant`'s login page.
    fn log_in(&self, browser: &mut Browser, tenant: &str, fields: &[(&str, &str)]) -> Page {
        let page = browser.open(&self.address(&format!("{tenant}.localhost"), "/account"));
        assert!(page.url.contains(&format!("/{tenant}/authorize")), "no login page but {page:?}");
        browser.submit(&page, "request", fields)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The words of a shell line, quotes removed and variables replaced.
fn words(line: &str, variables: &BTreeMap<String, String>) -> Vec<String> {
    let mut line = line.to_owned();
    for (name, value) in variables {
        line = line.replace(&format!("${name}"), value);
    }
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, ' ') => words.push(String::new()),
            (None | Some(_), _) => words.last_mut().unwrap().push(c),
        }
    }
    words
}

impl Curl {
    fn parse(line: &str, variables: &BTreeMap<String, String>) -> Self {
        let mut curl = Self { method: "GET".to_owned(), ..Self::default() };
        let mut words = words(line, variables).into_iter().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "-i" | "-s" => {}
                "-X" => curl.method = words.next().unwrap(),
                "-H" => {
                    let header = words.next().unwrap();
                    let (name, value) = header.split_once(": ").unwrap();
                    curl.headers.push((name.to_owned(), value.to_owned()));
                }
                url => url.clone_into(&mut curl.url),
            }
        }
        curl
    }

    fn run(&self) -> Reply {
        let rest = self.url.strip_prefix("http://").unwrap();
        let (authority, path) = rest.split_once('/').unwrap();
        let port: u16 = authority.rsplit_once(':').unwrap().1.parse().unwrap();
        let mut headers = vec![("host", authority), ("connection", "close")];
        headers.extend(self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let mut client = Client::connect(SocketAddr::from(([127, 0, 0, 1], port)));
        client.ask(&format!("{} /{path}", self.method), &headers, b"")
    }
}

/// Applies `sed -i.bak 's|from|to|' FILE`; the first replacement of each line, as `sed` does.
fn edit(line: &str) {
    let words = words(line, &BTreeMap::new());
    let parts: Vec<&str> = words[2].split('|').collect();
    let file = PathBuf::from(&words[3]);
    let text = std::fs::read_to_string(&file).unwrap();
    let edited: Vec<String> = text.lines().map(|line| line.replacen(parts[1], parts[2], 1)).collect();
    assert_ne!(text.trim_end(), edited.join("\n"), "{line} changes nothing");
    std::fs::write(file, edited.join("\n")).unwrap();
}

#[test]
fn the_commands_that_it_prints_do_what_they_say() {
    let demo = Demo::start();
    let mut variables = BTreeMap::new();
    let (mut promised, mut checked) = (0_u16, 0);
    for line in demo.introduction.iter().map(|line| line.trim()) {
        if let Some(comment) = line.strip_prefix("# ") {
            promised = comment.rsplit(": ").next().unwrap().parse().unwrap();
        } else if let Some((name, command)) = line.split_once("=$(") {
            let token = Curl::parse(command.trim_end_matches(')'), &variables).run().text();
            variables.insert(name.to_owned(), token);
        } else if line.starts_with("sed ") {
            edit(line);
            demo.lines_until(if line.contains("scpoe") {
                "scpoe"
            } else {
                "the new configuration is in use"
            });
        } else if line.starts_with("curl ") {
            let reply = Curl::parse(line, &variables).run();
            assert_eq!(reply.status, promised, "{line}: {}", reply.text());
            if line.contains("X-Tenant: globex") {
                assert_eq!(reply.json()["headers"]["x-tenant"], "acme", "{line}");
            }
            checked += 1;
        }
    }
    assert_eq!(checked, 10, "{:#?}", demo.introduction);
}

#[test]
fn a_broken_edit_is_reported_with_its_place_and_changes_nothing() {
    let demo = Demo::start();
    let page = demo.introduction.iter().find(|line| line.trim().starts_with("curl")).unwrap();
    let page = Curl::parse(page.trim(), &BTreeMap::new());
    assert_eq!(page.run().status, 200);
    std::fs::write(demo.folder.path().join("xs-app.json"), "{\n  \"routes\": [\n    oops\n  ]\n}\n").unwrap();
    demo.lines_until("xs-app.json:3:5");
    assert_eq!(page.run().status, 200);
}

#[test]
fn a_person_logs_in_and_out_at_either_tenant() {
    let demo = Demo::start();
    let mut browser = Browser::default();
    let account = demo.log_in(&mut browser, "acme", &[("user", "minh"), ("scope", "reports.read")]);
    assert_eq!(
        (account.reply.status, account.url.clone()),
        (200, demo.address("acme.localhost", "/account"))
    );
    assert!(account.text().contains("<h1 id=\"user\">Minh Nguyễn</h1>"), "{}", account.text());
    let other = demo.log_in(&mut browser, "globex", &[("user", "bob")]);
    assert!(other.text().contains("Bob Baker"), "{}", other.text());
    let at = |tenant: &str, path: &str| {
        demo.address(&format!("{tenant}.localhost"), "/account").replace("account", path)
    };
    for (tenant, expected, shows) in [("acme", 200, "the scope was ticked"), ("globex", 403, "it was not")] {
        assert_eq!(browser.fetch("GET", &at(tenant, "account/reports"), &[]).status, expected, "{shows}");
    }
    browser.open(&at("acme", "logout"));
    assert_eq!(browser.fetch("GET", &at("acme", "account/api/echo"), &[]).status, 401, "logged out");
    assert_eq!(browser.fetch("GET", &at("globex", "account/api/echo"), &[]).status, 200, "and only there");
    let again = browser.open(&demo.address("acme.localhost", "/account"));
    assert!(again.text().contains("Who are you?"), "the issuer has forgotten too: {again:?}");
}

#[test]
fn the_pages_script_may_write_with_a_csrf_token() {
    let demo = Demo::start();
    let mut browser = Browser::default();
    demo.log_in(&mut browser, "acme", &[("user", "alice")]);
    let echo = demo.address("acme.localhost", "/account") + "/api/echo";
    assert_eq!(browser.fetch("POST", &echo, &[]).status, 403, "none");
    let token = browser.fetch("GET", &echo, &[("x-csrf-token", "fetch")]).header("x-csrf-token");
    let written = browser.fetch("POST", &echo, &[("x-csrf-token", &token)]);
    assert_eq!((written.status, written.json()["method"].as_str()), (200, Some("POST")));
}

#[test]
fn a_token_that_expires_is_refreshed() {
    let demo = Demo::start();
    let mut browser = Browser::default();
    let fields = [("user", "alice"), ("token_lifetime", "1")];
    demo.log_in(&mut browser, "acme", &fields);
    let echo = demo.address("acme.localhost", "/account") + "/api/echo";
    let token = |browser: &mut Browser| {
        let reply = browser.fetch("GET", &echo, &[]);
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["headers"]["authorization"].as_str().expect("a token").to_owned()
    };
    let first = token(&mut browser);
    // It lives for a second; a request behind its end gets the next one.
    let deadline = Instant::now() + Duration::from_secs(20);
    while token(&mut browser) == first {
        assert!(Instant::now() < deadline, "the token stays the same");
        std::thread::sleep(Duration::from_millis(50));
    }
}
