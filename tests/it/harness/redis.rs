//! A real Redis on the loopback, in a folder of its own, ended by its process.
//!
//! It can be killed, stopped in its tracks and started again at the same port, with what it had on disk
//! or without. The tests of the store within the library start it as well, so it needs nothing of the
//! harness around it.

#![allow(clippy::unwrap_used, clippy::panic, dead_code, reason = "two test binaries, each using a part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use tempfile::TempDir;

/// How long it may take to start.
const DEADLINE: Duration = Duration::from_secs(20);

/// What a Redis is started with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// The password it wants.
    pub(crate) password: Option<&'static str>,
    /// Whether each write is on disk before it is answered.
    pub(crate) is_durable: bool,
    /// More words of its command line.
    pub(crate) words: Vec<String>,
}

/// A running Redis.
pub(crate) struct Redis {
    /// Where it listens, in clear or by TLS.
    pub(crate) address: SocketAddr,
    /// The certificate that it shows, in PEM, when it speaks TLS.
    pub(crate) certificate: Option<String>,
    folder: TempDir,
    options: Options,
    child: Option<Child>,
}

impl Redis {
    /// In clear, without a password, and without anything on disk.
    pub(crate) fn start() -> Self {
        Self::start_with(Options::default())
    }

    /// In clear.
    pub(crate) fn start_with(options: Options) -> Self {
        Self::launch(options, None)
    }

    /// By TLS, with a certificate for `localhost` that nobody else signed.
    pub(crate) fn start_tls(options: Options) -> Self {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        Self::launch(options, Some(rcgen::generate_simple_self_signed(names).unwrap()))
    }

    fn launch(options: Options, identity: Option<rcgen::CertifiedKey<rcgen::KeyPair>>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate = identity.map(|identity| {
            std::fs::write(folder.path().join("key.pem"), identity.signing_key.serialize_pem()).unwrap();
            std::fs::write(folder.path().join("certificate.pem"), identity.cert.pem()).unwrap();
            identity.cert.pem()
        });
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut redis = Self { address, certificate, folder, options, child: None };
        // Somebody else may take the port between its choice and its use.
        for _ in 0..20 {
            redis.address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            if redis.try_run() {
                return redis;
            }
        }
        panic!("redis-server found no port");
    }

    /// Starts it again where it was.
    pub(crate) fn restart(&mut self) {
        assert!(self.try_run(), "redis-server does not start again");
    }

    fn command(&self) -> Command {
        let port = self.address.port().to_string();
        let mut command = Command::new("redis-server");
        if self.certificate.is_some() {
            let file = |name| self.folder.path().join(name);
            command.args(["--port", "0", "--tls-port", &port, "--tls-auth-clients", "no"]);
            command.arg("--tls-cert-file").arg(file("certificate.pem"));
            command.arg("--tls-ca-cert-file").arg(file("certificate.pem"));
            command.arg("--tls-key-file").arg(file("key.pem"));
        } else {
            command.args(["--port", &port]);
        }
        command.args(["--bind", "127.0.0.1", "--save", "", "--dir"]).arg(self.folder.path());
        if self.options.is_durable {
            command.args(["--appendonly", "yes", "--appendfsync", "always"]);
        }
        if let Some(password) = self.options.password {
            command.args(["--requirepass", password]);
        }
        command.args(&self.options.words);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        command
    }

    /// Whether it runs and takes connections; if not, it has ended.
    fn try_run(&mut self) -> bool {
        let mut child = self.command().spawn().expect("redis-server: is the package installed?");
        let (tell, heard) = channel();
        let output = child.stdout.take().unwrap();
        // It reads to the end, so that the server never waits for a full pipe.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if line.contains("eady to accept connections") {
                    let _ = tell.send(());
                }
            }
        });
        let is_ready = heard.recv_timeout(DEADLINE).is_ok();
        if is_ready {
            self.child = Some(child);
        } else {
            let _ = child.kill();
            let _ = child.wait();
        }
        is_ready
    }

    /// Ends it at once, without a chance to write anything down.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().expect("a Redis that runs");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Stops it in its tracks: it takes connections and answers nothing.
    pub(crate) fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.child.as_ref().unwrap().id());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
    }

    /// What it answers to a command, in clear only; words without spaces.
    pub(crate) fn ask(&self, words: &[&str]) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let login = self.options.password.map(|password| format!("AUTH {password}\r\n")).unwrap_or_default();
        write!(stream, "{login}{}\r\nQUIT\r\n", words.join(" ")).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let answer = answer.strip_prefix("+OK\r\n").filter(|_| !login.is_empty()).unwrap_or(&answer);
        answer.strip_suffix("+OK\r\n").unwrap_or(answer).to_owned()
    }

    /// Its address for `SESSION_STORE`.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.certificate.is_some() { "rediss" } else { "redis" };
        let host = if self.certificate.is_some() { "localhost" } else { "127.0.0.1" };
        let password = self.options.password.map(|password| format!(":{password}@")).unwrap_or_default();
        format!("{scheme}://{password}{host}:{}", self.address.port())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
