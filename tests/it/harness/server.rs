//! Starts the real binary on a folder of its own and ends it by its process.
//!
//! The environment is empty but for what the test names, ports are chosen by the system and read from
//! what the program prints. A server that is dropped is killed and waited for; when the test is
//! failing, its log is printed.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Client, DEADLINE, Reply};

/// A folder with configuration, and the environment it is started with.
pub(crate) struct Setup {
    folder: TempDir,
    environment: Vec<(String, String)>,
    prefix: Vec<String>,
    flags: Vec<String>,
}

impl Setup {
    /// A folder with this `xs-app.json`.
    pub(crate) fn new(xs_app: &Value) -> Self {
        let setup = Self {
            folder: tempfile::tempdir().unwrap(),
            environment: Vec::new(),
            prefix: Vec::new(),
            flags: Vec::new(),
        };
        setup.file("xs-app.json", xs_app.to_string())
    }

    /// One public route for everything to a destination at `address`.
    pub(crate) fn open(address: SocketAddr) -> Self {
        let routes = json!([{"source": "^/(.*)$", "destination": "backend", "authenticationType": "none"}]);
        Self::new(&json!({"authenticationMethod": "none", "routes": routes})).destination("backend", address)
    }

    /// Adds `xs-tenants.json`.
    pub(crate) fn tenants(self, table: &Value) -> Self {
        self.file("xs-tenants.json", table.to_string())
    }

    /// Writes a file of the folder.
    pub(crate) fn file(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// Sets a variable of the environment; a value that is not a string is written as JSON.
    pub(crate) fn variable(mut self, name: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.environment.push((name.to_owned(), text));
        self
    }

    /// Adds a destination at `address` to the environment's.
    pub(crate) fn destination(self, name: &str, address: SocketAddr) -> Self {
        self.destination_with(&json!({"name": name, "url": format!("http://{address}")}))
    }

    /// Adds a destination to the environment's.
    pub(crate) fn destination_with(mut self, destination: &Value) -> Self {
        let before = self.environment.iter().position(|(name, _)| name == "destinations");
        let mut list = match before {
            Some(at) => serde_json::from_str::<Vec<Value>>(&self.environment.remove(at).1).unwrap(),
            None => Vec::new(),
        };
        list.push(destination.clone());
        self.variable("destinations", Value::Array(list))
    }

    /// Runs the program through another one, such as `prlimit`.
    pub(crate) fn through(mut self, words: &[&str]) -> Self {
        self.prefix = words.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    /// Starts the server with these flags besides its own.
    pub(crate) fn flags(mut self, words: &[&str]) -> Self {
        self.flags = words.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = match self.prefix.split_first() {
            Some((program, rest)) => {
                let mut command = Command::new(program);
                command.args(rest).arg(env!("CARGO_BIN_EXE_vestibule"));
                command
            }
            None => Command::new(env!("CARGO_BIN_EXE_vestibule")),
        };
        command.args(words).arg("-w").arg(self.folder.path());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command of the program to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    fn spawn(self) -> Server {
        let mut command = self.command(&["serve"]);
        command.args(["--admin", "127.0.0.1:0"]).args(&self.flags);
        if !self.environment.iter().any(|(name, _)| name == "XS_BIND_ADDRESS") {
            command.env("XS_BIND_ADDRESS", "127.0.0.1");
        }
        command.env("PORT", "0");
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (sender, lines) = channel();
        let readers = vec![
            read_lines(child.stdout.take().unwrap(), &log, sender.clone()),
            read_lines(child.stderr.take().unwrap(), &log, sender),
        ];
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Server {
            child,
            address: nowhere,
            admin: nowhere,
            setup: self,
            log,
            lines: Mutex::new(lines),
            readers,
        }
    }

    /// Starts the server and waits until it listens.
    pub(crate) fn start(self) -> Server {
        let mut server = self.spawn();
        server.await_addresses();
        server
    }

    /// Starts the server with a configuration that it must refuse, and returns its exit code and log.
    pub(crate) fn refuse(self) -> (Option<i32>, String) {
        let mut server = self.spawn();
        let status = server.wait();
        for reader in server.readers.drain(..) {
            reader.join().unwrap();
        }
        (status.code(), server.log())
    }
}

fn read_lines(
    from: impl Read + Send + 'static,
    log: &Arc<Mutex<String>>,
    to: Sender<String>,
) -> JoinHandle<()> {
    let log = Arc::clone(log);
    std::thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            {
                let mut log = log.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
            // The receiver goes with the server, and then nobody waits for lines any more.
            let _ = to.send(line);
        }
    })
}

/// A running server.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Where its admin port is.
    pub(crate) admin: SocketAddr,
    setup: Setup,
    log: Arc<Mutex<String>>,
    lines: Mutex<Receiver<String>>,
    readers: Vec<JoinHandle<()>>,
}

impl Server {
    fn await_addresses(&mut self) {
        let deadline = Instant::now() + DEADLINE;
        while self.address.port() == 0 || self.admin.port() == 0 {
            let line = self.next_line(deadline);
            if let Some(found) = address_after(&line, "listening on http") {
                self.address = found;
            }
            if let Some(found) = address_after(&line, "admin on http") {
                self.admin = found;
            }
        }
    }

    fn next_line(&self, deadline: Instant) -> String {
        let left = deadline.saturating_duration_since(Instant::now());
        let line = self.lines.lock().unwrap().recv_timeout(left);
        line.unwrap_or_else(|_| panic!("the server did not say what was awaited:\n{}", self.log()))
    }

    /// Waits until the log has a line with `text` that was not awaited before, and returns it.
    pub(crate) fn await_line(&self, text: &str) -> String {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let line = self.next_line(deadline);
            if line.contains(text) {
                return line;
            }
        }
    }

    /// What the server printed so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// A new connection to it.
    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    /// One request on a connection of its own; `head` is the request line and headers without `Host`'s
    /// default, see [`Client::ask`].
    pub(crate) fn ask(&self, request_line: &str, headers: &[(&str, &str)]) -> Reply {
        self.connect().ask(request_line, headers, b"")
    }

    /// One request to the admin port.
    pub(crate) fn ask_admin(&self, request_line: &str) -> Reply {
        Client::connect(self.admin).ask(request_line, &[("host", "localhost")], b"")
    }

    /// Its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Its folder.
    pub(crate) fn path(&self) -> &Path {
        self.setup.path()
    }

    /// Sends a signal by name (`TERM`, `HUP`).
    pub(crate) fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + DEADLINE;
        // The readers end when the process does; only then is waiting for it sure to be short.
        while Instant::now() < deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            if self.lines.lock().unwrap().recv_timeout(left).is_err() {
                break;
            }
        }
        match self.child.try_wait().unwrap() {
            Some(status) => status,
            None if Instant::now() < deadline => self.child.wait().unwrap(),
            None => panic!("the server did not end:\n{}", self.log()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("── the server's log\n{}", self.log());
        }
    }
}

fn address_after(line: &str, words: &str) -> Option<SocketAddr> {
    let rest = line.split_once(words)?.1.trim_start_matches('s').trim_start_matches("://");
    let end = rest.find(|c: char| !c.is_ascii_hexdigit() && !matches!(c, '.' | ':' | '[' | ']'));
    rest[..end.unwrap_or(rest.len())].parse().ok()
}
