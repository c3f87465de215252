//! WebSockets: a real server behind, and a client whose every byte a test chooses.
//!
//! The server is tungstenite's, which judges handshake and frames; what it finds wrong is kept and fails
//! the test. It sends messages back; a text `close 4001` makes it close with that code, `big 100000` send
//! so many bytes. The client writes frames by hand, so that what no library would send can be sent.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket, accept_hdr};

use super::client::NoReply;
use super::{Client, DEADLINE, Reply};

/// The key of RFC 6455 §1.3, and its answer.
pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A handshake as a backend saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Path and query.
    pub(crate) target: String,
    /// Its headers, by name in lower case; repeated ones in their order.
    pub(crate) headers: BTreeMap<String, Vec<String>>,
}

impl Seen {
    /// A header's values, joined.
    pub(crate) fn header(&self, name: &str) -> String {
        self.headers.get(name).map_or_else(|| "-".to_owned(), |values| values.join(", "))
    }
}

#[derive(Default)]
struct State {
    seen: Vec<Seen>,
    /// How each connection that ended did: the code of its Close frame, or none.
    ended: Vec<Option<u16>>,
    faults: Vec<String>,
    open: Vec<TcpStream>,
    connections: usize,
}

/// A backend with a real WebSocket server.
pub(crate) struct Echo {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    shared: Arc<(Mutex<State>, Condvar)>,
    ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Echo {
    /// Starts one.
    pub(crate) fn start() -> Self {
        Self::over(|stream| stream)
    }

    /// Starts one whose connections are what `wrap` makes of sockets.
    pub(crate) fn over<S, W>(wrap: W) -> Self
    where
        S: Read + Write + Send + 'static,
        W: Fn(TcpStream) -> S + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::<(Mutex<State>, Condvar)>::default();
        let ending = Arc::new(AtomicBool::new(false));
        let (its, stopped) = (Arc::clone(&shared), Arc::clone(&ending));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let stream = stream.unwrap();
                let [open, own] = [stream.try_clone().unwrap(), stream.try_clone().unwrap()];
                {
                    let mut state = its.0.lock().unwrap();
                    state.open.push(open);
                    state.connections += 1;
                }
                let (shared, stream) = (Arc::clone(&its), wrap(stream));
                std::thread::spawn(move || {
                    serve(stream, &shared);
                    let _ = own.shutdown(Shutdown::Both);
                });
            }
            for stream in &its.0.lock().unwrap().open {
                let _ = stream.shutdown(Shutdown::Both);
            }
        });
        Self { address, shared, ending, thread: Some(thread) }
    }

    /// The handshakes since the last call.
    pub(crate) fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.shared.0.lock().unwrap().seen)
    }

    /// How many connections were ever opened.
    pub(crate) fn connections(&self) -> usize {
        self.shared.0.lock().unwrap().connections
    }

    /// Waits for the next end of a connection: the code that it was told, if any.
    pub(crate) fn await_end(&self) -> Option<u16> {
        let deadline = Instant::now() + DEADLINE;
        let mut state = self.shared.0.lock().unwrap();
        while state.ended.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no WebSocket ended at the backend");
            state = self.shared.1.wait_timeout(state, left).unwrap().0;
        }
        state.ended.remove(0)
    }

    /// What its server found wrong since the last call.
    pub(crate) fn faults(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.0.lock().unwrap().faults)
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        self.thread.take().unwrap().join().unwrap();
        if !std::thread::panicking() {
            assert_eq!(self.faults(), Vec::<String>::new(), "the backend's WebSocket server found faults");
        }
    }
}

fn serve<S: Read + Write>(stream: S, shared: &(Mutex<State>, Condvar)) {
    #[expect(clippy::result_large_err, reason = "it is the library's signature")]
    let note = |request: &Request, mut response: Response| {
        let mut headers = BTreeMap::<String, Vec<String>>::new();
        for (name, value) in request.headers() {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            headers.entry(name.to_string()).or_default().push(value);
        }
        // As most servers: the first subprotocol that was offered.
        if let Some(offered) = request.headers().get("sec-websocket-protocol") {
            let first = offered.to_str().unwrap().split(',').next().unwrap().trim().parse().unwrap();
            response.headers_mut().insert("sec-websocket-protocol", first);
        }
        response.headers_mut().insert("set-cookie", "of-the-backend=1".parse().unwrap());
        shared.0.lock().unwrap().seen.push(Seen { target: request.uri().to_string(), headers });
        Ok(response)
    };
    let ended = match accept_hdr(stream, note) {
        Ok(socket) => exchange(socket, shared),
        Err(error) => {
            // A router that looks whether somebody is there, or is stopped, says nothing.
            let text = error.to_string();
            if !text.contains("not finished") && !text.contains("reset") {
                shared.0.lock().unwrap().faults.push(format!("handshake: {text}"));
            }
            return;
        }
    };
    shared.0.lock().unwrap().ended.push(ended);
    shared.1.notify_all();
}

/// Sends back what comes, until the end: the code of the Close frame that came.
fn exchange<S: Read + Write>(mut socket: WebSocket<S>, shared: &(Mutex<State>, Condvar)) -> Option<u16> {
    let mut code = None;
    loop {
        match socket.read() {
            Ok(Message::Close(frame)) => code = frame.map(|frame| frame.code.into()),
            Ok(Message::Text(text)) if text.starts_with("close ") => {
                let code: u16 = text["close ".len()..].parse().unwrap();
                let _ = socket.close(Some(CloseFrame { code: code.into(), reason: "asked".into() }));
            }
            Ok(Message::Text(text)) if text.starts_with("big ") => {
                let size: usize = text["big ".len()..].parse().unwrap();
                let _ = socket.send(Message::Binary(vec![b'x'; size].into()));
            }
            Ok(message @ (Message::Text(_) | Message::Binary(_))) => {
                let _ = socket.send(message);
            }
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
            Err(Error::Protocol(fault)) if !fault.to_string().contains("closing handshake") => {
                shared.0.lock().unwrap().faults.push(fault.to_string());
                return code;
            }
            Err(_) => return code,
        }
    }
}

/// The head of a good handshake, with `more` headers; one of the same name takes the place of ours, an
/// empty one leaves it out.
pub(crate) fn handshake(host: &str, path: &str, more: &[(&str, &str)]) -> String {
    let origin = format!("http://{host}");
    let ours = [
        ("Host", host),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", KEY),
        ("Origin", &origin),
    ];
    let is_replaced = |name: &str| more.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
    let kept = ours.iter().filter(|(name, _)| !is_replaced(name)).chain(more);
    let lines = kept.filter(|(_, value)| !value.is_empty());
    let lines: String = lines.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("GET {path} HTTP/1.1\r\n{lines}\r\n")
}

/// An open WebSocket of a client.
pub(crate) struct Socket {
    client: Client,
    /// The answer that opened it.
    pub(crate) answer: Reply,
}

impl Socket {
    /// Opens one, or says how it was answered instead.
    pub(crate) fn open(
        address: SocketAddr,
        host: &str,
        path: &str,
        more: &[(&str, &str)],
    ) -> Result<Self, Reply> {
        let mut client = Client::connect(address);
        client.send(handshake(host, path, more));
        let answer = client.read().unwrap();
        if answer.status == 101 {
            assert_eq!(answer.header("sec-websocket-accept"), ACCEPT);
            Ok(Self { client, answer })
        } else {
            Err(answer)
        }
    }

    /// Writes bytes.
    pub(crate) fn raw(&mut self, bytes: impl AsRef<[u8]>) {
        self.client.send(bytes);
    }

    /// Writes a masked frame.
    pub(crate) fn send(&mut self, first: u8, payload: &[u8]) {
        self.raw(masked(first, payload));
    }

    /// The next frame: its first byte and its payload; nothing at the end of the connection.
    pub(crate) fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let head = self.exactly(2)?;
        assert_eq!(head[1] & 0x80, 0, "a server masks nothing");
        let length = match head[1] {
            126 => u64::from(u16::from_be_bytes(self.exactly(2)?.try_into().unwrap())),
            127 => u64::from_be_bytes(self.exactly(8)?.try_into().unwrap()),
            length => u64::from(length),
        };
        Some((head[0], self.exactly(usize::try_from(length).unwrap())?))
    }

    fn exactly(&mut self, length: usize) -> Option<Vec<u8>> {
        match self.client.exactly(length) {
            Ok(bytes) => Some(bytes),
            Err(NoReply::Closed | NoReply::Cut) => None,
            Err(NoReply::Silent) => panic!("nothing came over the WebSocket"),
        }
    }

    /// Sends a text and takes its echo.
    pub(crate) fn echo(&mut self, text: &str) {
        self.send(0x81, text.as_bytes());
        assert_eq!(self.frame(), Some((0x81, text.as_bytes().to_vec())));
    }

    /// The code and words of the Close frame that comes, after whatever else comes; nothing where the
    /// connection ends without one. It is answered.
    pub(crate) fn closed(&mut self) -> Option<(u16, String)> {
        loop {
            let (first, payload) = self.frame()?;
            if first != 0x88 {
                continue;
            }
            self.send(0x88, &payload[..payload.len().min(2)]);
            let (code, words) = payload.split_first_chunk::<2>()?;
            return Some((u16::from_be_bytes(*code), String::from_utf8(words.to_vec()).unwrap()));
        }
    }

    /// Whether nothing more comes.
    pub(crate) fn is_over(&mut self) -> bool {
        self.client.until_closed().is_empty()
    }

    /// The socket.
    pub(crate) fn stream(&self) -> &TcpStream {
        self.client.stream()
    }
}

/// A masked frame.
pub(crate) fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x12, 0x34, 0x56, 0x78];
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..126 => bytes.push(0x80 | u8::try_from(short).unwrap()),
        length @ 126..0x1_0000 => {
            bytes.push(0x80 | 0x7e);
            bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}
