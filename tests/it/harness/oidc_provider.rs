//! Real identity providers: `oidc-provider` in node, one a tenant, each with keys of its own.
//!
//! Their addresses are known before the router starts, their clients only afterwards, when the router's
//! address is: until [`Providers::serve`] they let everyone wait. Whoever types the password `correct` is
//! let in as what they are called. They end with their standard input, whatever happens to the test.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::{Value, json};

/// Running providers.
pub(crate) struct Providers {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
    /// Where each listens.
    pub(crate) addresses: Vec<SocketAddr>,
}

/// The folder of what runs in node.
pub(crate) fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser"))
}

impl Providers {
    /// Starts so many, on addresses of their own, and waits until they listen.
    pub(crate) fn bind(count: usize) -> Self {
        let mut child = Command::new("node")
            .arg(folder().join("provider.mjs"))
            .arg(count.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("node: {e}; tests/run installs what is missing"));
        let (log, errors) = (Arc::new(Mutex::new(String::new())), child.stderr.take().unwrap());
        let kept = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                let mut log = kept.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let mut providers = Self { child, input, output, log, reader: Some(reader), addresses: Vec::new() };
        let line = providers.line();
        providers.addresses = serde_json::from_str(&line).unwrap();
        providers
    }

    /// Says who their clients are, one entry a provider: `issuer`, `title`, `clients`, and `ttl` where
    /// that matters.
    pub(crate) fn serve(&mut self, settings: &Value) {
        writeln!(self.input.as_mut().unwrap(), "{settings}").unwrap();
        assert_eq!(self.line(), "ready", "{}", self.log());
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "the providers ended; is tests/browser installed (tests/run)?");
        line.trim_end().to_owned()
    }

    /// What they wrote so far: each request as `0 GET /path`, with the provider's place.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Providers {
    fn drop(&mut self) {
        self.input.take();
        // They end by themselves now; one that hangs is not waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = self.reader.take().unwrap().join();
        if std::thread::panicking() {
            eprintln!("── the providers' log\n{}", self.log());
        }
    }
}

/// A client of a provider, whose pages are at `origin`.
pub(crate) fn client(id: &str, origin: &str) -> Value {
    json!({
        "client_id": id,
        "client_secret": secret(id),
        "redirect_uris": [format!("{origin}/login/callback")],
        "post_logout_redirect_uris": [format!("{origin}/"), format!("{origin}/logged-out.html")],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "backchannel_logout_uri": format!("{origin}/back-channel-logout"),
        "backchannel_logout_session_required": true,
    })
}

/// The secret of a client.
pub(crate) fn secret(id: &str) -> String {
    format!("secret-of-{id}-{id}-{id}")
}
