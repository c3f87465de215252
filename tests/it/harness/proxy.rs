//! A forward proxy: passes on what names a whole address, and makes tunnels.
//!
//! It keeps the head of every request that it reads; what passes through a tunnel it does not see. Each
//! connection carries one request, which is enough to tell who was asked for what.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::{DEADLINE, from_latin1, latin1};

/// A listening forward proxy.
pub(crate) struct ForwardProxy {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl ForwardProxy {
    /// One that takes everybody anywhere.
    pub(crate) fn start() -> Self {
        Self::leading(None, "HTTP/1.1 200 Connection established\r\n\r\n")
    }

    /// One that answers every `CONNECT` with `answer`.
    pub(crate) fn answering(answer: &'static str) -> Self {
        Self::leading(None, answer)
    }

    /// One behind which every name leads to `backend`, as behind a Cloud Connector.
    pub(crate) fn before(backend: SocketAddr) -> Self {
        Self::leading(Some(backend), "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    }

    fn leading(to: Option<SocketAddr>, answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (heads, ending): (Arc<Mutex<Vec<String>>>, Arc<AtomicBool>) = Default::default();
        let (kept, stopped) = (Arc::clone(&heads), Arc::clone(&ending));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let (stream, kept) = (stream.unwrap(), Arc::clone(&kept));
                std::thread::spawn(move || serve(stream, &kept, to, answer));
            }
        });
        Self { address, heads, ending, thread: Some(thread) }
    }

    /// The heads of the requests it read so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// The first lines of the requests it read so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.heads().iter().map(|head| head.lines().next().unwrap().to_owned()).collect()
    }

    /// The value of a header of the last request; `-` where there is none.
    pub(crate) fn last_header(&self, name: &str) -> String {
        let heads = self.heads();
        let fields = heads.last().unwrap().lines().skip(1).filter_map(|line| line.split_once(':'));
        let found: Vec<&str> =
            fields.filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).collect();
        match found.as_slice() {
            [] => "-".to_owned(),
            [value] => (*value).to_owned(),
            several => panic!("{name} came {} times: {several:?}", several.len()),
        }
    }
}

impl Drop for ForwardProxy {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let joined = self.thread.take().unwrap().join();
        assert!(joined.is_ok() || std::thread::panicking());
    }
}

fn serve(mut client: TcpStream, kept: &Mutex<Vec<String>>, to: Option<SocketAddr>, answer: &str) {
    client.set_read_timeout(Some(DEADLINE)).unwrap();
    let Some(head) = read_head(&mut client) else { return };
    kept.lock().unwrap().push(head.clone());
    let line = head.lines().next().unwrap();
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    if method == "CONNECT" {
        client.write_all(answer.as_bytes()).unwrap();
        if answer.starts_with("HTTP/1.1 2") {
            splice(client, dial(to, target));
        }
        return;
    }
    let Some(rest) = target.strip_prefix("http://") else {
        let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        return;
    };
    let (authority, _) = rest.split_once('/').unwrap_or((rest, ""));
    let path = &rest[authority.len()..];
    let upgrades = head.to_ascii_lowercase().contains("\r\nupgrade: websocket");
    let own = |line: &&str| {
        let name = line.split(':').next().unwrap().to_ascii_lowercase();
        name != "proxy-authorization"
            && (name != "connection" || upgrades)
            && !name.starts_with("sap-connectivity-")
    };
    let fields: String = head.lines().skip(1).filter(own).map(|line| format!("{line}\r\n")).collect();
    let mut backend = dial(to, authority);
    let passed = format!("{method} {path} HTTP/1.1\r\n{fields}");
    let end = if upgrades { "\r\n\r\n" } else { "\r\nConnection: close\r\n\r\n" };
    let passed = passed.trim_end().to_owned() + end;
    backend.write_all(&from_latin1(&passed)).unwrap();
    // The request's body goes its way while the answer's head is told that it is the last.
    let mut up = client.try_clone().unwrap();
    let mut to_backend = backend.try_clone().unwrap();
    let sending = std::thread::spawn(move || drop(std::io::copy(&mut up, &mut to_backend)));
    if let Some(answer) = read_head(&mut backend) {
        let answer = answer.trim_end().to_owned() + end;
        let _ = client.write_all(&from_latin1(&answer));
        let _ = std::io::copy(&mut backend, &mut client);
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = sending.join();
}

fn dial(to: Option<SocketAddr>, authority: &str) -> TcpStream {
    match to {
        Some(backend) => TcpStream::connect(backend).unwrap(),
        None => TcpStream::connect(authority).unwrap(),
    }
}

/// Everything up to the empty line, byte by byte, so that nothing behind it is taken.
fn read_head(stream: &mut TcpStream) -> Option<String> {
    let (mut bytes, mut byte) = (Vec::new(), [0]);
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        bytes.push(byte[0]);
    }
    Some(latin1(&bytes))
}

/// Passes bytes both ways until both ends are done.
fn splice(client: TcpStream, backend: TcpStream) {
    let (mut from_client, mut to_client) = (client.try_clone().unwrap(), client);
    let (mut to_backend, mut from_backend) = (backend.try_clone().unwrap(), backend);
    let up = std::thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_backend);
        let _ = to_backend.shutdown(Shutdown::Write);
    });
    let _ = std::io::copy(&mut from_backend, &mut to_client);
    let _ = to_client.shutdown(Shutdown::Both);
    let _ = up.join();
}
