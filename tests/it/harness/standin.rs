//! What stand-ins for authorization servers have in common: TLS on a loopback port, and grants.
//!
//! Names below `.localhost` tell the zones of one server apart. A stand-in is strict where the real one
//! is: codes work once, for whom they were made, with the PKCE verifier. What panics in it fails the
//! test that started it.

use std::collections::{HashMap, HashSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use aws_lc_rs::digest::{SHA256, digest};
use percent_encoding::percent_decode_str;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use super::issuer::base64url;
use super::{DEADLINE, latin1};

/// A request to a stand-in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// Method and path, as `POST /oauth/token`.
    pub(crate) what: String,
    /// `Host`, without the port.
    pub(crate) host: String,
    /// What query and form say.
    pub(crate) said: HashMap<String, String>,
    /// Whether the client showed its certificate.
    pub(crate) certificate: bool,
    /// `Authorization`.
    pub(crate) authorization: String,
}

impl Asked {
    /// What `name` is, empty where it is not said.
    pub(crate) fn said(&self, name: &str) -> &str {
        self.said.get(name).map_or("", String::as_str)
    }

    /// The first label of the host.
    pub(crate) fn zone(&self) -> &str {
        self.host.split('.').next().unwrap_or_default()
    }
}

/// An answer: status, `Location` or nothing, body.
pub(crate) type Answer = (u16, Option<String>, String);

/// A JSON answer.
pub(crate) fn answer(status: u16, body: &Value) -> Answer {
    (status, None, body.to_string())
}

/// A redirect.
pub(crate) fn redirect(to: impl Into<String>) -> Answer {
    (302, Some(to.into()), String::new())
}

/// A server that is asked over TLS.
pub(crate) struct StandIn {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl StandIn {
    /// Answers each request, one after the other; `serve` is made once the port is known.
    pub(crate) fn start<F>(tls: Arc<ServerConfig>, serve: impl FnOnce(SocketAddr) -> F) -> Self
    where
        F: Fn(&Asked) -> Answer + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (serve, ending) = (serve(address), Arc::new(AtomicBool::new(false)));
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (heard, stopped) = (Arc::clone(&asked), Arc::clone(&ending));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                exchange(&tls, stream.unwrap(), |request| {
                    heard.lock().unwrap().push(request.clone());
                    serve(request)
                });
            }
        });
        Self { address, asked, ending, thread: Some(thread) }
    }

    /// What it was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// What it was asked so far of one kind, as `POST /oauth/token`.
    pub(crate) fn asked_for(&self, what: &str) -> Vec<Asked> {
        self.asked().into_iter().filter(|asked| asked.what == what).collect()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let joined = self.thread.take().unwrap().join();
        assert!(joined.is_ok() || std::thread::panicking());
    }
}

/// One request and its answer; a client that does not like the certificate just goes away.
fn exchange(tls: &Arc<ServerConfig>, stream: TcpStream, serve: impl FnOnce(&Asked) -> Answer) {
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(tls)).unwrap(), stream);
    let Some((head, body)) = read(&mut stream) else { return };
    let mut line = head.lines().next().unwrap().split(' ');
    let (method, target) = (line.next().unwrap(), line.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let host = field(&head, "host");
    let asked = Asked {
        what: format!("{method} {path}"),
        host: host.split(':').next().unwrap().to_owned(),
        said: pairs(query).into_iter().chain(pairs(&body)).collect(),
        certificate: stream.conn.peer_certificates().is_some(),
        authorization: field(&head, "authorization"),
    };
    let (status, location, body) = serve(&asked);
    let location = location.map(|to| format!("Location: {to}\r\n")).unwrap_or_default();
    let text = format!(
        "HTTP/1.1 {status} X\r\n{location}Content-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(text.as_bytes());
    stream.conn.send_close_notify();
    let _ = stream.flush();
}

fn read(stream: &mut impl Read) -> Option<(String, String)> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let length = stream.read(&mut chunk).ok().filter(|length| *length > 0)?;
        bytes.extend_from_slice(&chunk[..length]);
        let text = latin1(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && body.len() >= field(head, "content-length").parse().unwrap_or(0)
        {
            return Some((head.to_owned(), body.to_owned()));
        }
    }
}

fn field(head: &str, name: &str) -> String {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    let found = lines.find(|(found, _)| found.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}

fn pairs(text: &str) -> Vec<(String, String)> {
    let decoded =
        |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8().unwrap().into_owned();
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

/// A login that waits for its code to come.
#[derive(Clone, Debug)]
struct Pending {
    zone: String,
    redirect_uri: String,
    challenge: String,
    nonce: String,
}

/// What an authorization server remembers of grants.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    count: usize,
    codes: HashMap<String, Pending>,
    refreshers: HashSet<(String, String)>,
}

/// What a grant is good for.
#[derive(Debug)]
pub(crate) struct Granted {
    /// `nonce` of the login; empty for other grants.
    pub(crate) nonce: String,
    /// The next refresh token.
    pub(crate) refresh_token: String,
    /// A number that no other grant has.
    pub(crate) number: usize,
}

impl Grants {
    /// Lets a user, who is thought to have logged in at once, go back with a code.
    pub(crate) fn authorize(&mut self, asked: &Asked, client: &str) -> Answer {
        let fits = asked.said("response_type") == "code"
            && asked.said("client_id") == client
            && asked.said("code_challenge_method") == "S256"
            && !asked.said("redirect_uri").is_empty();
        if !fits {
            return answer(400, &json!({"error": "invalid_request"}));
        }
        self.count += 1;
        let code = format!("code-{}", self.count);
        let pending = Pending {
            zone: asked.zone().to_owned(),
            redirect_uri: asked.said("redirect_uri").to_owned(),
            challenge: asked.said("code_challenge").to_owned(),
            nonce: asked.said("nonce").to_owned(),
        };
        self.codes.insert(code.clone(), pending);
        redirect(format!("{}?code={code}&state={}", asked.said("redirect_uri"), asked.said("state")))
    }

    /// Takes a grant; `None` where it is not one, or no longer.
    pub(crate) fn take(&mut self, asked: &Asked) -> Option<Granted> {
        let nonce = match asked.said("grant_type") {
            "authorization_code" => {
                let pending = self.codes.remove(asked.said("code"))?;
                let verifier = digest(&SHA256, asked.said("code_verifier").as_bytes());
                let fits = pending.zone == asked.zone()
                    && pending.redirect_uri == asked.said("redirect_uri")
                    && pending.challenge == base64url(verifier.as_ref());
                fits.then_some(pending.nonce)?
            }
            "refresh_token" => {
                let known = (asked.zone().to_owned(), asked.said("refresh_token").to_owned());
                self.refreshers.remove(&known).then(String::new)?
            }
            "password" => {
                let right = (asked.said("username"), asked.said("password")) == ("ann", "secret of ann");
                right.then(String::new)?
            }
            _ => return None,
        };
        self.count += 1;
        let refresh_token = format!("refresh-{}", self.count);
        self.refreshers.insert((asked.zone().to_owned(), refresh_token.clone()));
        Some(Granted { nonce, refresh_token, number: self.count })
    }
}
