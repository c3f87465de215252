//! A browser that goes from http to https and back: redirects, and cookies for each host.
//!
//! It knows the router by plain HTTP and everybody else by TLS with certificates it was told to trust.
//! Names below `.localhost` are this machine, as they are for real browsers.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::tls::Identity;
use super::{Client, DEADLINE, Reply, latin1};

/// How many redirects are followed.
const MAX_HOPS: usize = 10;

/// A browser that trusts one issuer, and remembers where it was.
pub(crate) struct Roamer {
    trusted: Arc<ClientConfig>,
    /// Cookies by host.
    pub(crate) jar: BTreeMap<String, BTreeMap<String, String>>,
    /// Every address it was at, the last one last.
    pub(crate) history: Vec<String>,
}

impl Roamer {
    /// One with an empty jar that trusts `identity`.
    pub(crate) fn new(identity: &Identity) -> Self {
        Self { trusted: identity.trusting(), jar: BTreeMap::new(), history: Vec::new() }
    }

    /// Navigates to `url` and wherever it is sent from there.
    pub(crate) fn open(&mut self, url: &str) -> Reply {
        let mut url = url.to_owned();
        for _ in 0..MAX_HOPS {
            let reply = self.step(&url);
            let location = reply.header("location");
            if !(300..400).contains(&reply.status) || location.is_empty() {
                return reply;
            }
            url = if location.starts_with('/') { format!("{}{location}", origin(&url)) } else { location };
        }
        panic!("sent to and fro: {:?}", self.history)
    }

    /// Navigates to `url` and stays at whatever answer comes.
    pub(crate) fn step(&mut self, url: &str) -> Reply {
        self.history.push(url.to_owned());
        let headers = [("Accept", "text/html"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Site", "none")];
        self.ask("GET", url, &headers)
    }

    /// Asks as a script of the page would.
    pub(crate) fn fetch(&mut self, method: &str, url: &str, headers: &[(&str, &str)]) -> Reply {
        let mut all = vec![("Accept", "*/*"), ("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Site", "same-origin")];
        all.extend_from_slice(headers);
        self.ask(method, url, &all)
    }

    fn ask(&mut self, method: &str, url: &str, headers: &[(&str, &str)]) -> Reply {
        let (scheme, rest) = url.split_once("://").unwrap_or_else(|| panic!("not an address: {url}"));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = authority.rsplit_once(':').unwrap();
        assert!(host.ends_with(".localhost") || host == "localhost", "{host} is not this machine");
        let cookies = self.jar.get(host).map(|jar| jar.iter().map(|(name, value)| format!("{name}={value}")));
        let cookies = cookies.map(|cookies| cookies.collect::<Vec<_>>().join("; ")).unwrap_or_default();
        let mut all = vec![("Host", authority)];
        all.extend_from_slice(headers);
        if !cookies.is_empty() {
            all.push(("Cookie", &cookies));
        }
        let address = SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()));
        let line = format!("{method} /{path}");
        let reply = match scheme {
            "http" => Client::connect(address).ask(&line, &all, b""),
            _ => self.ask_by_tls(address, host, &line, &all),
        };
        for cookie in reply.all("set-cookie") {
            self.keep(host, cookie);
        }
        reply
    }

    /// A request over TLS, whose answer ends with the connection.
    fn ask_by_tls(&self, address: SocketAddr, host: &str, line: &str, headers: &[(&str, &str)]) -> Reply {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let connection = ClientConnection::new(Arc::clone(&self.trusted), name).unwrap();
        let mut tls = StreamOwned::new(connection, stream);
        let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        tls.write_all(format!("{line} HTTP/1.1\r\n{}\r\n", lines.concat()).as_bytes()).unwrap();
        let mut bytes = Vec::new();
        tls.read_to_end(&mut bytes).unwrap();
        let text = latin1(&bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let fields = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        Reply {
            status: head[9..12].parse().unwrap(),
            headers: fields.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect(),
            body: body.as_bytes().to_vec(),
            trailers: Vec::new(),
            interim: Vec::new(),
        }
    }

    fn keep(&mut self, host: &str, cookie: &str) {
        let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
        let (name, value) = pair.split_once('=').unwrap();
        let jar = self.jar.entry(host.to_owned()).or_default();
        if value.is_empty() || attributes.to_ascii_lowercase().contains("max-age=0") {
            jar.remove(name);
        } else {
            jar.insert(name.to_owned(), value.to_owned());
        }
    }
}

/// Scheme and authority of an address.
fn origin(url: &str) -> &str {
    let start = url.find("://").unwrap() + 3;
    url[start..].find('/').map_or(url, |end| &url[..start + end])
}
